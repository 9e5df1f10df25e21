// The lines of an answer's head, one verdict each: see answer_head.hpp. Parses what libcurl kept, and trusts none of its repairs.

#include "engine/answer_head.hpp"

namespace sluice::engine {
namespace {

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view without_line_end(std::string_view line) noexcept {
  if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

enum class Field { kEndToEnd, kHopByHop, kLength, kTransferEncoding, kContentEncoding, kConnection };

// By length first: most fields are told apart without comparing a character.
Field classify(std::string_view name) noexcept {
  switch (name.size()) {
    case 2: return same_name(name, "te") ? Field::kHopByHop : Field::kEndToEnd;
    case 7: return same_name(name, "trailer") || same_name(name, "upgrade") ? Field::kHopByHop : Field::kEndToEnd;
    case 10:
      if (same_name(name, "connection")) return Field::kConnection;
      return same_name(name, "keep-alive") ? Field::kHopByHop : Field::kEndToEnd;
    case 14: return same_name(name, "content-length") ? Field::kLength : Field::kEndToEnd;
    case 16:
      if (same_name(name, "content-encoding")) return Field::kContentEncoding;
      return same_name(name, "proxy-connection") ? Field::kHopByHop : Field::kEndToEnd;
    case 17: return same_name(name, "transfer-encoding") ? Field::kTransferEncoding : Field::kEndToEnd;
    case 18: return same_name(name, "proxy-authenticate") ? Field::kHopByHop : Field::kEndToEnd;
    case 25: return same_name(name, "proxy-authentication-info") ? Field::kHopByHop : Field::kEndToEnd;
    default: return Field::kEndToEnd;
  }
}

auto broken(std::string what) { return fail(Code::kUpstreamProtocolError, std::move(what)); }

}  // namespace

void AnswerHead::start(std::uint64_t max_bytes) {
  *this = AnswerHead{};
  max_bytes_ = max_bytes;
}

Result<AnswerHead::Line> AnswerHead::take(std::string_view line) {
  bytes_ += line.size();
  if (bytes_ > max_bytes_) {
    return fail(Code::kUpstreamHeadTooLarge, "the head of the answer is longer than " + std::to_string(max_bytes_) + " bytes");
  }
  if (whole_) return Line::kTrailer;
  line = without_line_end(line);
  if (!in_head_) {
    if (Status taken = take_status(line); !taken) return tl::unexpected<Error>(std::move(taken.error()));
    in_head_ = true;
    return Line::kMore;
  }
  if (line.empty()) {
    in_head_ = false;
    if (head_.status >= 200) {
      whole_ = true;
      return Line::kWhole;
    }
    const std::uint64_t limit = max_bytes_, spent = bytes_;  // any number of 1xx heads share one bound
    start(limit);
    bytes_ = spent;
    return Line::kInterim;
  }
  if (Status taken = take_field(line); !taken) return tl::unexpected<Error>(std::move(taken.error()));
  return Line::kMore;
}

Status AnswerHead::take_status(std::string_view line) {
  const std::size_t blank = line.find(' ');
  if (line.substr(0, 5) != "HTTP/" || blank == std::string_view::npos || line.size() < blank + 4) {
    return broken("the answer does not begin with an HTTP status line");
  }
  int status = 0;
  for (const char digit : line.substr(blank + 1, 3)) {
    if (digit < '0' || digit > '9') return broken("the answer's status is no number");
    status = status * 10 + (digit - '0');
  }
  if (status < 100 || status == 101 || status > 599 || (line.size() > blank + 4 && line[blank + 4] != ' ')) {
    return broken("the answer's status " + std::to_string(status) + " is none that was asked for");
  }
  head_.status = status;
  return {};
}

Status AnswerHead::take_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || !is_header_name(name)) return broken("the answer has a malformed header line");
  const std::string_view value = trim(line.substr(colon + 1));
  if (!is_header_value(value)) return broken("the answer's header '" + std::string(name) + "' holds control characters");
  switch (classify(name)) {
    case Field::kHopByHop: return {};
    case Field::kConnection:
      if (!same_name(value, "keep-alive") && !same_name(value, "close")) connection_.append(value).append(",");
      return {};
    case Field::kLength: return take_length(value);
    case Field::kTransferEncoding:
      if (chunked_ || !same_name(value, "chunked")) return broken("the answer has a transfer coding nobody asked for");
      chunked_ = true;
      return {};
    case Field::kContentEncoding:
      if (!encoding_.empty()) encoding_ += ',';
      encoding_ += value;
      break;
    case Field::kEndToEnd: break;
  }
  head_.headers.add_trusted(name, value);
  return {};
}

Status AnswerHead::take_length(std::string_view value) {
  std::uint64_t length = 0;
  if (value.empty() || value.size() > 18) return broken("the answer's Content-Length is no length");
  for (const char digit : value) {
    if (digit < '0' || digit > '9') return broken("the answer's Content-Length is no number");
    length = length * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  if (length_ && *length_ != length) {
    return broken("the answer states two lengths, " + std::to_string(*length_) + " and " + std::to_string(length));
  }
  length_ = length;
  length_stated_ = true;
  return {};
}

ResponseHead AnswerHead::release(bool decoded) {
  std::string_view nominated = connection_;  // fields that end here because Connection names them
  while (!nominated.empty()) {
    const std::size_t comma = nominated.find(',');
    const std::string_view name = trim(nominated.substr(0, comma));
    nominated.remove_prefix(comma == std::string_view::npos ? nominated.size() : comma + 1);
    if (!name.empty() && !same_name(name, "content-type")) head_.headers.remove(name);
  }
  if (decoded) head_.headers.remove("content-encoding");
  if (chunked_) length_.reset();
  if (length_ && !decoded) head_.headers.add_trusted("content-length", std::to_string(*length_));
  ResponseHead head = std::move(head_);
  head_ = ResponseHead{};
  head_.status = head.status;
  return head;
}

}  // namespace sluice::engine
