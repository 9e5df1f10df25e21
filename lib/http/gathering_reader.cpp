// Pieces of a stream, and two framings that are plain text: lines, and the elements of an array.

#include "http/gathering_reader.hpp"

#include <algorithm>

namespace sluice::http {

void GatheringReader::feed(std::string_view bytes) {
  if (failed_) return;  // what was left may be gone by now, and nobody gets to see more
  if (held() == 0) {
    text_ = bytes;
    at_ = scanned_ = 0;
    return;
  }
  if (text_.data() == buffer_.data()) {
    buffer_.erase(0, at_);
    buffer_.append(bytes);
  } else {
    std::string both;
    both.reserve(held() + bytes.size());
    both.append(text_.substr(at_)).append(bytes);
    buffer_.swap(both);
  }
  text_ = buffer_;
  at_ = 0;
}

Result<bool> GatheringReader::next(StreamEvent& event) {
  if (failed_) return tl::unexpected(*failed_);
  const std::string_view rest = text_.substr(at_);
  auto end = rest.empty() ? Result<std::optional<std::size_t>>(std::nullopt) : find_end(rest, scanned_);
  if (end && (*end ? **end : rest.size()) > max_event_bytes_) {
    end = fail(Code::kUpstreamEventTooLarge, "the upstream sent an event of more than " + std::to_string(max_event_bytes_) +
                                                 " bytes; raise the limit if such events are expected");
  }
  if (!end) {
    failed_ = end.error();
    return tl::unexpected(*failed_);
  }
  if (!*end) {
    scanned_ = rest.size();
    // The piece is the caller's: what is left of it must outlive it.
    if (!rest.empty() && text_.data() != buffer_.data()) {
      buffer_.assign(rest);
      text_ = buffer_;
      at_ = 0;
    }
    return false;
  }
  event = {};
  event.raw = rest.substr(0, **end);
  at_ += **end;
  scanned_ = 0;
  if (Status read = parse(event.raw, event); !read) {
    failed_ = read.error();
    return tl::unexpected(*failed_);
  }
  return true;
}

bool GatheringReader::finish(StreamEvent&) { return false; }

bool GatheringReader::take_rest(StreamEvent& event) {
  if (failed_ || held() == 0) return false;
  event = {};
  event.raw = text_.substr(at_);
  at_ = text_.size();
  scanned_ = 0;
  return static_cast<bool>(parse(event.raw, event));
}

void GatheringReader::shrink() {
  if (held() != 0) return;
  text_ = {};
  at_ = scanned_ = 0;
  buffer_ = {};
}

namespace {

constexpr std::string_view kSpace = " \t\r\n";

}  // namespace

// Lines.

Result<std::optional<std::size_t>> NdjsonReader::find_end(std::string_view text, std::size_t scanned) {
  const std::size_t at = text.find('\n', scanned);
  if (at == std::string_view::npos) return std::optional<std::size_t>();
  return std::optional(at + 1);
}

Status NdjsonReader::parse(std::string_view raw, StreamEvent& event) {
  const std::size_t first = raw.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  event.data = raw.substr(first, raw.find_last_not_of(kSpace) + 1 - first);
  event.has_data = true;
  return {};
}

/// A last line without its break is whole if it is JSON; that is for who reads it to find out.
bool NdjsonReader::finish(StreamEvent& event) { return take_rest(event) && event.has_data; }

// Elements.

Result<std::optional<std::size_t>> JsonArrayReader::find_end(std::string_view text, std::size_t scanned) {
  for (std::size_t i = scanned; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
      continue;
    }
    const bool space = kSpace.find(c) != std::string_view::npos;
    switch (where_) {
      case Where::kBefore:
        if (space) continue;
        if (c != '[') return fail(Code::kUpstreamInvalidAnswer, "the stream is no JSON array");
        where_ = Where::kBetween;
        continue;
      case Where::kBetween:
        if (space || c == ',') continue;
        if (c == ']') {
          where_ = Where::kBehind;
          continue;
        }
        if (c != '{' && c != '[') return fail(Code::kUpstreamInvalidAnswer, "an element of the stream's array is neither an object nor a list");
        where_ = Where::kInside;
        element_at_ = i;
        depth_ = 1;
        continue;
      case Where::kBehind:
        if (!space) return fail(Code::kUpstreamInvalidAnswer, "something stands behind the stream's array");
        continue;
      case Where::kInside:
        break;
    }
    if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && --depth_ == 0) {
      where_ = Where::kBetween;
      return std::optional(i + 1);
    }
  }
  // What stands behind the last element is an event of its own, without data: nothing is held of a stream that is over.
  if (where_ == Where::kBehind) {
    element_at_ = text.size();
    return std::optional(text.size());
  }
  return std::optional<std::size_t>();
}

Status JsonArrayReader::parse(std::string_view raw, StreamEvent& event) {
  event.data = raw.substr(std::min(element_at_, raw.size()));
  event.has_data = !event.data.empty();
  element_at_ = 0;
  return {};
}

Result<std::optional<std::size_t>> RawReader::find_end(std::string_view text, std::size_t) {
  return std::min(text.size(), max_event_bytes());
}

Status RawReader::parse(std::string_view raw, StreamEvent& event) {
  event.data = raw;
  event.has_data = true;
  return {};
}

}  // namespace sluice::http
