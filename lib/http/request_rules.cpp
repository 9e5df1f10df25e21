// The verdicts on request lines, field lines, chunk lines and framing. Every message says what is wrong without repeating
// bytes of the client's that could be a secret or an attack on a log.

#include "http/request_rules.hpp"

#include <algorithm>

namespace sluice::http {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::string_view trim_front(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

std::string_view trim(std::string_view text) noexcept {
  text = trim_front(text);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// NEL and the no-break space in Latin-1: bytes that lenient parsers strip. As the last byte of a UTF-8 character
// (U+00E0 is C3 A0) they are text, but for U+0085 and U+00A0 themselves.
bool has_odd_blank_at_ends(std::string_view value) noexcept {
  const auto odd = [](char c) { return c == '\x85' || c == '\xA0'; };
  if (value.empty()) return false;
  if (odd(value.front())) return true;
  if (!odd(value.back())) return false;
  std::size_t lead = value.size() - 1;
  while (lead > 0 && value.size() - lead < 4 && (static_cast<unsigned char>(value[lead]) & 0xC0) == 0x80) --lead;
  const auto first = static_cast<unsigned char>(value[lead]);
  const std::size_t size = value.size() - lead;
  if (size == 2) return first < 0xC3 || first > 0xDF;  // C2 85, C2 A0: the two blanks themselves
  if (size == 3) return first < 0xE0 || first > 0xEF;
  return size != 4 || first < 0xF0 || first > 0xF4;
}

// RFC 3986: reg-name or address, and a port. Enough to keep `a/b`, `a b`, `a@b` and lists out; routes compare the rest.
bool is_host_value(std::string_view host) noexcept {
  if (host.empty()) return false;
  std::size_t port = std::string_view::npos;
  if (host.front() == '[') {
    const std::size_t close = host.find(']');
    if (close == std::string_view::npos || close == 1) return false;
    for (char c : host.substr(1, close - 1))
      if (!is_digit(c) && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F') && c != ':' && c != '.') return false;
    port = close + 1;
    if (port < host.size() && host[port] != ':') return false;
  } else {
    port = std::min(host.find(':'), host.size());
    if (port == 0) return false;
    for (char c : host.substr(0, port))
      if (!is_digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '-' && c != '.' && c != '_')
        return false;
  }
  if (port == host.size()) return true;
  const std::string_view digits = host.substr(port + 1);
  return !digits.empty() && digits.size() <= 5 && std::all_of(digits.begin(), digits.end(), is_digit);
}

tl::unexpected<Error> bad_chunk() {
  return fail(Code::kInvalidRequest, "a chunk-size line is malformed; send 1 to 16 hexadecimal digits and CRLF");
}

// `token` or a quoted string at the front of `text`; its size, 0 for neither.
std::size_t extension_value_size(std::string_view text) noexcept {
  if (!text.starts_with('"')) {
    std::size_t n = 0;
    while (n < text.size() && is_header_name(text.substr(n, 1))) ++n;
    return n;
  }
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') return i + 1;
    if (text[i] == '\\') ++i;
  }
  return 0;
}

}  // namespace

Status judge_request_line(std::string_view line) {
  if (line == "PRI * HTTP/2.0")
    return fail(Code::kUnsupportedProtocol, "HTTP/2 by prior knowledge (h2c) is not served here; use HTTP/1.1");
  const std::size_t first = line.find(' ');
  const std::string_view method = line.substr(0, first);
  if (first == std::string_view::npos || !is_header_name(method))
    return fail(Code::kInvalidRequest,
                "the request line is malformed; send METHOD, target and HTTP/1.1, one blank between");
  if (method == "CONNECT")
    return fail(Code::kUnsupportedProtocol,
                "CONNECT is not served: sluice is a gateway, no tunnel; send the request itself");
  if (method == "TRACE") return fail(Code::kMethodNotAllowed, "TRACE is not served; it would send credentials back");
  const std::size_t last = line.rfind(' ');
  if (last == first)
    return fail(Code::kUnsupportedProtocol, "the request line names no HTTP version (HTTP/0.9); use HTTP/1.1");
  const std::string_view version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    if (version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) && version[6] == '.' &&
        is_digit(version[7]))
      return fail(Code::kUnsupportedProtocol, "this HTTP version is not served; use HTTP/1.1");
    return fail(Code::kInvalidRequest, "the request line does not end in HTTP/1.1");
  }
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!target.starts_with('/'))
    return fail(Code::kInvalidRequest,
                "the request target does not begin with '/'; send a path, not a URL, '*' or a host");
  for (char c : target)
    if (c <= 0x20 || c >= 0x7f || c == '#')
      return fail(
          Code::kInvalidRequest,
          "the request target holds a blank, a control character, '#' or a byte outside ASCII; percent-encode it");
  return {};
}

Status judge_field_line(std::string_view line) {
  if (line.starts_with(' ') || line.starts_with('\t'))
    return fail(Code::kInvalidHeader, "a header line is folded (begins with a blank); write the field in one line");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return fail(Code::kInvalidHeader, "a header line has no colon");
  const std::string_view name = line.substr(0, colon);
  if (!is_header_name(name))
    return fail(Code::kInvalidHeader, "a header name is empty, or holds a blank or a character that no name may hold");
  const std::string_view value = line.substr(colon + 1);
  if (!is_header_value(value))
    return fail(Code::kInvalidHeader,
                "the value of header '" + std::string(name) + "' holds a control character; remove it",
                std::string(name));
  if (has_odd_blank_at_ends(trim(value)))
    return fail(Code::kInvalidHeader,
                "the value of header '" + std::string(name) + "' begins or ends in the byte 0x85 or 0xA0; remove it",
                std::string(name));
  return {};
}

Result<std::uint64_t> judge_chunk_line(std::string_view line) {
  std::uint64_t size = 0;
  std::size_t digits = 0;
  for (; digits < line.size(); ++digits) {
    const char c = line[digits];
    const char low = static_cast<char>(c | 0x20);
    if (!is_digit(c) && !(low >= 'a' && low <= 'f')) break;
    if (digits == 16) return bad_chunk();
    size = size << 4 | static_cast<std::uint64_t>(is_digit(c) ? c - '0' : low - 'a' + 10);
  }
  // Half the range is more than any connection carries, and leaves sums of sizes room.
  if (digits == 0 || size > INT64_MAX) return bad_chunk();
  std::string_view rest = line.substr(digits);
  if (rest.empty()) return size;
  if (!is_header_value(rest)) return bad_chunk();
  while (!rest.empty()) {
    if (rest.front() != ';') return bad_chunk();
    rest.remove_prefix(1);
    const std::size_t name = rest.starts_with('"') ? 0 : extension_value_size(rest);
    if (name == 0) return bad_chunk();
    rest.remove_prefix(name);
    if (!rest.starts_with('=')) continue;
    rest.remove_prefix(1);
    const std::size_t value = extension_value_size(rest);
    if (value == 0) return bad_chunk();
    rest.remove_prefix(value);
  }
  return size;
}

void BodyFraming::note(std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 4:
      if (same_name(name, "host")) host_.add(value);
      break;
    case 6:
      if (same_name(name, "expect")) expect_.add(value);
      break;
    case 7:
      if (same_name(name, "upgrade")) upgrade_ = true;
      break;
    case 10:
      if (!same_name(name, "connection")) break;
      while (!value.empty()) {
        const std::size_t comma = std::min(value.find(','), value.size());
        const std::string_view option = trim(value.substr(0, comma));
        close_ = close_ || same_name(option, "close");
        stay_ = stay_ || same_name(option, "keep-alive");
        value.remove_prefix(std::min(comma + 1, value.size()));
      }
      break;
    case 14:
      if (same_name(name, "content-length")) length_.add(value);
      break;
    case 17:
      if (same_name(name, "transfer-encoding")) encoding_.add(value);
      break;
    default:
      break;
  }
}

Status BodyFraming::judge(RequestHead& head) const {
  if (upgrade_)
    return fail(Code::kUnsupportedProtocol,
                "protocol upgrades (WebSocket, h2c) are not served here; send plain HTTP/1.1", "upgrade");
  if (host_.count > 1)
    return fail(Code::kInvalidRequest, "the request has more than one Host header; send one", "host");
  if (host_.count == 0 && !head.http10)
    return fail(Code::kInvalidRequest, "the request has no Host header; HTTP/1.1 asks for one", "host");
  if (host_.count == 1 && !is_host_value(trim(host_.value)))
    return fail(Code::kInvalidRequest, "the Host header is no host name or address with an optional port", "host");

  if (encoding_.count > 0) {
    if (length_.count > 0)
      return fail(Code::kInvalidRequest, "Content-Length and Transfer-Encoding stand side by side; send one of them",
                  "transfer-encoding");
    if (head.http10)
      return fail(Code::kInvalidRequest, "HTTP/1.0 has no Transfer-Encoding; send Content-Length", "transfer-encoding");
    // The raw value: blanks behind it are refused too, and the coding's name has no case (RFC 9112, 7).
    if (encoding_.count > 1 || !same_name(trim_front(encoding_.value), "chunked"))
      return fail(Code::kInvalidRequest, "Transfer-Encoding must be 'chunked' and nothing else", "transfer-encoding");
    head.chunked = head.has_body = true;
  }
  if (length_.count > 0) {
    const std::string_view digits = trim_front(length_.value);
    std::uint64_t length = 0;
    // 18 digits fit in 63 bits.
    if (length_.count > 1 || digits.empty() || digits.size() > 18 ||
        !std::all_of(digits.begin(), digits.end(), is_digit))
      return fail(Code::kInvalidRequest, "Content-Length must stand once, as a plain decimal number", "content-length");
    for (char c : digits) length = length * 10 + static_cast<std::uint64_t>(c - '0');
    head.content_length = length;
    head.has_body = length > 0;
  }
  if (expect_.count > 0 && !head.http10) {
    if (expect_.count > 1 || !same_name(trim(expect_.value), "100-continue"))
      return fail(Code::kExpectationFailed, "the only expectation served is 100-continue", "expect");
    head.expects_continue = head.has_body;
  }
  head.keep_alive = !close_ && (!head.http10 || stay_);
  return {};
}

}  // namespace sluice::http
