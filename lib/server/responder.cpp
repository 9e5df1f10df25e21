// Answers as HTTP/1.1 bytes.

#include "server/responder.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace sluice::server {
namespace {

constexpr std::size_t kKeptBytes = 4 * 1024;  // of an empty buffer: many connections lie idle
constexpr std::size_t kCopied = 16 * 1024;    // below this a copy is cheaper than a longer iovec, a second write or a second record

std::string_view reason(int status) noexcept {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "";
  }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, made once a second. Source: RFC 9110, 5.6.7.
std::string_view http_date(WallTime now) {
  thread_local std::time_t made_for = -1;
  thread_local std::array<char, 40> text;
  thread_local std::size_t size = 0;
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  if (seconds != made_for) {
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    made_for = seconds;
  }
  return {text.data(), size};
}

void append_number(std::string& out, std::uint64_t n, int base) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), n, base);
  out.append(digits.data(), end.ptr);
}

}  // namespace

void Responder::begin(bool http10, bool head_request) noexcept {
  http10_ = http10;
  head_request_ = head_request;
  framing_ = Framing::kNone;
  missing_ = 0;
}

void Responder::interim(std::string_view status_line) {
  out_.append(status_line).append("\r\n\r\n");
}

void Responder::head(const ResponseHead& head, bool close, WallTime now) {
  out_.reserve(out_.size() + head.headers.bytes() + head.headers.size() * 4 + 128);
  out_.append(http10_ ? "HTTP/1.0 " : "HTTP/1.1 ");
  append_number(out_, static_cast<std::uint64_t>(head.status), 10);
  out_.push_back(' ');
  out_.append(reason(head.status)).append("\r\n");
  const bool no_body = head_request_ || head.status == 204 || head.status == 304 || head.status < 200;
  bool has_length = false;
  for (const HeaderField field : head.headers) {
    if (same_name(field.name, "content-length")) {
      has_length = true;
      std::from_chars(field.value.data(), field.value.data() + field.value.size(), missing_);
    }
    out_.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  if (no_body) {
    framing_ = Framing::kNone;
    missing_ = 0;
  } else if (has_length) {
    framing_ = Framing::kLength;
  } else if (http10_) {
    framing_ = Framing::kUntilClose;
  } else {
    framing_ = Framing::kChunked;
    out_.append("Transfer-Encoding: chunked\r\n");
  }
  out_.append("Date: ").append(http_date(now)).append("\r\n");
  if (close || framing_ == Framing::kUntilClose) {
    out_.append("Connection: close\r\n");
  } else if (http10_) {
    out_.append("Connection: keep-alive\r\n");
  }
  out_.append("\r\n");
}

Responder::Written Responder::body(Channel& channel, std::string_view bytes) {
  switch (framing_) {
    case Framing::kNone: return flush(channel);
    case Framing::kLength:
      // More than was stated would be read as the next answer.
      bytes = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), missing_)));
      missing_ -= bytes.size();
      return send(channel, bytes);
    case Framing::kUntilClose: return send(channel, bytes);
    case Framing::kChunked: break;
  }
  if (bytes.empty()) return flush(channel);
  append_number(out_, bytes.size(), 16);
  out_.append("\r\n");
  if (bytes.size() <= kCopied) {
    out_.append(bytes).append("\r\n");
    return flush(channel);
  }
  const Written written = send(channel, bytes);
  if (written == Written::kBroken) return written;
  out_.append("\r\n");
  return flush(channel);
}

Responder::Written Responder::finish(Channel& channel) {
  if (framing_ == Framing::kChunked) out_.append("0\r\n\r\n");
  return flush(channel);
}

Responder::Written Responder::flush(Channel& channel) { return send(channel, {}); }

Responder::Written Responder::send(Channel& channel, std::string_view bytes) {
  // Under TLS every part is a record, and a write, of its own.
  if (channel.secure() && sent_ < out_.size() && bytes.size() <= kCopied) {
    out_.append(bytes);
    bytes = {};
  }
  while (sent_ < out_.size() || !bytes.empty()) {
    std::array<iovec, 2> parts;
    std::size_t count = 0;
    if (sent_ < out_.size()) parts[count++] = {out_.data() + sent_, out_.size() - sent_};
    if (!bytes.empty()) parts[count++] = {const_cast<char*>(bytes.data()), bytes.size()};
    const Channel::Moved moved = channel.send({parts.data(), count});
    if (moved.state == Channel::State::kClosed) return Written::kBroken;
    if (moved.state == Channel::State::kAgain) {
      if (sent_ != 0) out_.erase(0, sent_);
      sent_ = 0;
      out_.append(bytes);
      return Written::kSome;
    }
    taken_ += moved.bytes;
    const std::size_t buffered = std::min(moved.bytes, out_.size() - sent_);
    sent_ += buffered;
    bytes.remove_prefix(moved.bytes - buffered);
  }
  out_.clear();
  sent_ = 0;
  if (out_.capacity() > kKeptBytes) out_ = {};
  return Written::kAll;
}

}  // namespace sluice::server
