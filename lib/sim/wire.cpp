// See wire.hpp. Grammar: RFC 9112.
#include "sim/wire.hpp"

#include <algorithm>
#include <charconv>

namespace sluice::sim {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Digits and nothing else.
std::optional<std::uint64_t> number(std::string_view text, int base) {
  if (text.empty() || text.size() > 16) return std::nullopt;
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

std::string_view phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "Scripted";
  }
}

}  // namespace

RequestReader::Step RequestReader::read(std::string_view bytes) {
  bytes_ = bytes;
  if (head_size_ == 0) {
    const std::size_t end = bytes.find("\r\n\r\n", looked_);
    if (end == std::string_view::npos) {
      looked_ = bytes.size() < 3 ? 0 : bytes.size() - 3;
      if (bytes.size() <= kMostHead) return Step::kMore;
      status_ = 431;
      return Step::kBad;
    }
    head_size_ = end + 4;
    if (head_size_ > kMostHead) {
      status_ = 431;
      return Step::kBad;
    }
    if (!read_head()) return Step::kBad;
    chunk_at_ = head_size_;
  }
  Step step = Step::kWhole;
  if (chunked_) step = read_chunks();
  else if (bytes.size() - head_size_ < body_size_) step = Step::kMore;
  if (step == Step::kMore && expects_) {
    expects_ = false;
    return Step::kContinue;
  }
  return step;
}

bool RequestReader::read_head() {
  const std::string_view head = bytes_.substr(0, head_size_ - 2);
  std::size_t at = 0;
  bool first = true;
  while (at < head.size()) {
    const std::size_t end = head.find("\r\n", at);
    const std::string_view line = head.substr(at, end - at);
    for (const char c : line) {
      const auto u = static_cast<unsigned char>(c);
      if ((u < 0x20 && u != '\t') || u == 0x7f) return refuse(400);  // a bare CR or LF among them
    }
    if (first ? !read_request_line(line) : !read_field(line, at)) return false;
    first = false;
    at = end + 2;
  }
  if (chunked_ && (content_length_ || http_1_0_)) return refuse(400);
  if (content_length_.value_or(0) > kMostBody) return refuse(413);
  body_size_ = static_cast<std::size_t>(content_length_.value_or(0));
  return true;
}

bool RequestReader::read_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || line.find(' ', first + 1) != last) return refuse(400);
  const std::string_view version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return refuse(400);
  http_1_0_ = version == "HTTP/1.0";
  keep_alive_ = !http_1_0_;
  method_ = Span{0, static_cast<std::uint32_t>(first)};
  target_ = Span{static_cast<std::uint32_t>(first + 1), static_cast<std::uint32_t>(last - first - 1)};
  return is_header_name(line.substr(0, first)) && target_.size > 0 ? true : refuse(400);
}

bool RequestReader::read_field(std::string_view line, std::size_t at) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_header_name(line.substr(0, colon))) return refuse(400);
  const std::string_view value = trimmed(line.substr(colon + 1));
  const auto value_at = static_cast<std::uint32_t>(value.empty() ? at + line.size() : static_cast<std::size_t>(value.data() - bytes_.data()));
  fields_.push_back({{static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(colon)}, {value_at, static_cast<std::uint32_t>(value.size())}});
  return judge_field(line.substr(0, colon), value);
}

bool RequestReader::judge_field(std::string_view name, std::string_view value) {
  if (same_name(name, "content-length")) {
    if (content_length_) return refuse(400);
    content_length_ = number(value, 10);
    if (!content_length_) return refuse(400);
  } else if (same_name(name, "transfer-encoding")) {
    if (chunked_ || !same_name(value, "chunked")) return refuse(400);
    chunked_ = true;
  } else if (same_name(name, "connection")) {
    if (same_name(value, "close")) keep_alive_ = false;
    else if (same_name(value, "keep-alive")) keep_alive_ = true;
  } else if (same_name(name, "expect")) {
    expects_ = same_name(value, "100-continue");
  }
  return true;
}

RequestReader::Step RequestReader::read_chunks() {
  for (;;) {
    const std::size_t end = bytes_.find("\r\n", chunk_at_);
    if (end == std::string_view::npos) return bytes_.size() - chunk_at_ > 1024 ? Step::kBad : Step::kMore;
    const auto size = number(bytes_.substr(chunk_at_, end - chunk_at_), 16);  // extensions are refused
    if (!size) return Step::kBad;
    if (*size > kMostBody || decoded_.size() + *size > kMostBody) {
      status_ = 413;
      return Step::kBad;
    }
    const std::size_t data = end + 2;
    if (bytes_.size() - data < *size + 2) return Step::kMore;
    if (bytes_.substr(data + static_cast<std::size_t>(*size), 2) != "\r\n") return Step::kBad;  // trailers are refused too
    decoded_.append(bytes_.substr(data, static_cast<std::size_t>(*size)));
    chunk_at_ = data + static_cast<std::size_t>(*size) + 2;
    if (*size == 0) return Step::kWhole;
  }
}

Headers RequestReader::headers() const {
  Headers list;
  list.reserve(fields_.size(), head_size_);
  for (const Field& field : fields_) list.add_trusted(view(field.name), view(field.value));
  return list;
}

std::string write_head(int status, const Headers& fields, bool chunked, bool close) {
  std::string out;
  out.reserve(96 + fields.bytes() + 4 * fields.size());
  out.append("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(phrase(status)).append("\r\n");
  for (const HeaderField field : fields) out.append(field.name).append(": ").append(field.value).append("\r\n");
  if (chunked) out += "transfer-encoding: chunked\r\n";
  if (close) out += "connection: close\r\n";
  out += "\r\n";
  return out;
}

void append_chunk(std::string& out, std::string_view bytes) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, bytes.size(), 16).ptr;
  out.append(digits, end);
  out += "\r\n";
  out += bytes;
  out += "\r\n";
}

}  // namespace sluice::sim
