// The event-stream grammar of WHATWG HTML 9.2.5. Finds the ends of events by memchr, and reads their fields once they
// are whole. Knows no dialect: `[DONE]` is data like any other.

#include "http/sse.hpp"

#include <algorithm>
#include <cstring>

namespace sluice::http {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::size_t kNone = std::string_view::npos;

std::size_t find_byte(std::string_view text, std::size_t from, std::size_t to, char byte) noexcept {
  if (from >= to) return kNone;
  const void* hit = std::memchr(text.data() + from, byte, to - from);
  return hit == nullptr ? kNone : static_cast<std::size_t>(static_cast<const char*>(hit) - text.data());
}

// The first CR or LF of `text` at or after `from`; its size where there is none. `next_lf` remembers the first LF between
// calls (npos: not looked for yet): lines that end in CR alone would otherwise cost a search to the end of `text` each.
std::size_t line_break(std::string_view text, std::size_t from, std::size_t& next_lf) noexcept {
  if (next_lf == kNone || next_lf < from) next_lf = std::min(find_byte(text, from, text.size(), '\n'), text.size());
  return std::min(find_byte(text, from, next_lf, '\r'), next_lf);
}

bool is_position(std::string_view line) noexcept {
  const std::string_view field = line.substr(0, line.find(':'));
  return field == "id" || field == "retry";
}

}  // namespace

void SseReader::feed(std::string_view bytes) {
  if (event_at_ < piece_.size()) {
    std::string both;
    both.reserve(piece_.size() - event_at_ + bytes.size());
    both.append(piece_.substr(event_at_)).append(bytes);
    scanned_ -= event_at_;
    backlog_.swap(both);
    piece_ = backlog_;
  } else {
    piece_ = bytes;
    scanned_ = 0;
  }
  event_at_ = 0;
  next_lf_ = kNone;
}

// Moves scanned_ behind the blank line that ends the event. False: the piece is used up before that.
bool SseReader::find_end() {
  if (after_cr_ && scanned_ < piece_.size()) {
    after_cr_ = false;
    const bool is_lf = piece_[scanned_] == '\n';
    if (is_lf) {
      ++scanned_;
      last_crlf_ = true;
    }
    if (awaits_lf_ || (is_lf && at_boundary_)) {
      awaits_lf_ = false;
      return true;
    }
  }
  while (scanned_ < piece_.size()) {
    at_boundary_ = false;
    const std::size_t end = line_break(piece_, scanned_, next_lf_);
    if (end == piece_.size()) {
      line_empty_ = false;
      scanned_ = piece_.size();
      return false;
    }
    const bool blank = line_empty_ && end == scanned_;
    const bool cr = piece_[end] == '\r';
    scanned_ = end + 1;
    line_empty_ = true;
    if (cr && scanned_ == piece_.size()) {
      after_cr_ = true;
      awaits_lf_ = blank && last_crlf_;
      last_crlf_ = false;
      return blank && !awaits_lf_;
    }
    last_crlf_ = cr && piece_[scanned_] == '\n';
    if (last_crlf_) ++scanned_;
    if (blank) return true;
  }
  return false;
}

Result<bool> SseReader::next(SseEvent& event) {
  if (given_) {
    buffer_.clear();
    given_ = false;
  }
  const bool whole = !too_large_ && find_end();
  const std::string_view part = piece_.substr(event_at_, scanned_ - event_at_);
  if (too_large_ || part.size() > max_event_bytes_ - buffer_.size()) {
    too_large_ = true;
    return fail(Code::kUpstreamEventTooLarge, "the upstream sent an event of more than " +
                                                  std::to_string(max_event_bytes_) +
                                                  " bytes; raise the limit if such events are expected");
  }
  event_at_ = scanned_;
  if (!whole) {
    buffer_.append(part);
    return false;
  }
  at_boundary_ = true;
  if (buffer_.empty()) {
    parse(part, event);
  } else {
    buffer_.append(part);
    given_ = true;
    parse(buffer_, event);
  }
  return true;
}

bool SseReader::finish(SseEvent& event) {
  if (given_) {
    buffer_.clear();
    given_ = false;
  }
  if (buffer_.empty() || too_large_) return false;
  given_ = true;
  at_boundary_ = true;
  line_empty_ = true;
  awaits_lf_ = false;
  parse(buffer_, event);
  return true;
}

void SseReader::parse(std::string_view raw, SseEvent& event) {
  event = SseEvent{.raw = raw};
  if (at_start_ && raw.starts_with(kBom)) raw.remove_prefix(kBom.size());
  at_start_ = false;
  bool joined = false;
  std::size_t next_lf = kNone;
  for (std::size_t at = 0; at < raw.size();) {
    // An LF after a CR makes one more, empty line here; empty lines say nothing.
    const std::size_t end = line_break(raw, at, next_lf);
    const std::string_view line = raw.substr(at, end - at);
    at = end + 1;
    // The two fields anybody reads begin with 'd' and 'e': comments, `id` and `retry` are done with here.
    if (line.empty()) continue;
    if (line[0] != 'd' && line[0] != 'e') {
      event.has_position = event.has_position || is_position(line);
      continue;
    }
    const std::size_t colon = std::min(line.find(':'), line.size());
    const std::string_view field = line.substr(0, colon);
    std::string_view value = line.substr(std::min(colon + 1, line.size()));
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (field == "data") {
      if (!event.has_data) {
        event.has_data = true;
        event.data = value;
        continue;
      }
      if (!joined) data_.assign(event.data);
      joined = true;
      data_.append(1, '\n').append(value);
    } else if (field == "event") {
      event.name = value;
    }
  }
  if (joined) event.data = data_;
}

void SseReader::shrink() {
  if (given_) {
    buffer_.clear();
    given_ = false;
  }
  buffer_.shrink_to_fit();
  if (event_at_ < piece_.size()) return;  // the backlog may hold what is left
  piece_ = {};
  event_at_ = scanned_ = 0;
  next_lf_ = kNone;
  std::string().swap(backlog_);
  std::string().swap(data_);
}

void append_event(std::string& out, std::string_view data, std::string_view name) {
  if (!name.empty()) out.append("event: ").append(name.substr(0, name.find_first_of("\r\n"))).append(1, '\n');
  std::size_t at = 0;
  std::size_t next_lf = kNone;
  while (true) {
    const std::size_t end = line_break(data, at, next_lf);
    out.append("data: ").append(data.substr(at, end - at)).append(1, '\n');
    if (end == data.size()) break;
    at = end + 1;
    if (data[end] == '\r' && at < data.size() && data[at] == '\n') ++at;
  }
  out += '\n';
}

void append_without_position(std::string& out, std::string_view raw) {
  std::size_t next_lf = kNone;
  for (std::size_t at = 0; at < raw.size();) {
    const std::size_t end = line_break(raw, at, next_lf);
    std::size_t behind = std::min(end + 1, raw.size());
    if (end < raw.size() && raw[end] == '\r' && behind < raw.size() && raw[behind] == '\n') ++behind;
    if (!is_position(raw.substr(at, end - at))) out.append(raw.substr(at, behind - at));
    at = behind;
  }
}

}  // namespace sluice::http
