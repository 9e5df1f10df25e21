// Request targets and configured URLs, taken apart by RFC 3986. Knows no route and opens nothing: what a host resolves
// to is the resolver's matter.

#include "http/target.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace sluice::http {
namespace {

constexpr std::size_t kMaxHost = 253;  // RFC 1035, as text

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_alpha(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// RFC 3986, 2.3.
bool is_unreserved(char c) noexcept {
  return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte of the escape at `at`; -1 where it is none.
int escaped_byte(std::string_view text, std::size_t at) noexcept {
  if (at + 2 >= text.size()) return -1;
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool is_graphic(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

void append_escape(std::string& out, unsigned byte) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  out += '%';
  out += kDigits[byte >> 4];
  out += kDigits[byte & 15];
}

// Unreserved characters decoded, the other escapes in upper case (RFC 3986, 6.2.2). Nothing is decoded twice: `%252e`
// stays what it is.
Result<std::string> decode_unreserved(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      out += path[i];
      continue;
    }
    const int byte = escaped_byte(path, i);
    if (byte < 0)
      return fail(Code::kInvalidRequest, "the path holds a '%' that begins no escape; write %25 for a percent sign");
    if (byte == 0) return fail(Code::kInvalidRequest, "the path holds %00; remove it");
    if (is_unreserved(static_cast<char>(byte)))
      out += static_cast<char>(byte);
    else
      append_escape(out, static_cast<unsigned>(byte));
    i += 2;
  }
  return out;
}

// `//` and `.` folded, `..` resolved. A path that ends in a dot segment names a directory and keeps its slash.
Result<std::string> fold_segments(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  std::size_t at = 0;
  while (at < path.size()) {
    while (at < path.size() && path[at] == '/') ++at;
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    const bool last = end == path.size();
    at = end;
    if (segment == "..") {
      if (out.empty()) return fail(Code::kInvalidRequest, "the path climbs above its root with '..'; name it directly");
      out.resize(out.rfind('/'));
    } else if (!segment.empty() && segment != ".") {
      out += '/';
      out += segment;
      continue;
    }
    if (last) out += '/';
  }
  return out;
}

Result<std::string> normalise(std::string_view path) {
  std::string decoded;
  if (path.find('%') != std::string_view::npos) {
    Result<std::string> plain = decode_unreserved(path);
    if (!plain) return plain;
    decoded = std::move(*plain);
    path = decoded;
  }
  // Most paths have nothing to fold; `/.` is a cheap sign of a dot segment (or of a name like `/.well-known`).
  if (path.find("//") == std::string_view::npos && path.find("/.") == std::string_view::npos) return std::string(path);
  return fold_segments(path);
}

// ---- hosts and ports

bool is_ipv6_text(std::string_view text) noexcept {
  char buffer[INET6_ADDRSTRLEN + 1] = {};
  in6_addr address{};
  if (text.empty() || text.size() >= sizeof buffer) return false;
  std::memcpy(buffer, text.data(), text.size());
  return inet_pton(AF_INET6, buffer, &address) == 1;
}

bool is_ipv4_text(std::string_view text) noexcept {
  char buffer[INET_ADDRSTRLEN + 1] = {};
  in_addr address{};
  if (text.empty() || text.size() >= sizeof buffer) return false;
  std::memcpy(buffer, text.data(), text.size());
  return inet_pton(AF_INET, buffer, &address) == 1;
}

// Resolvers take a host whose last label is a number for an IPv4 address in one of its odd forms (2130706433, 0x7f.1).
bool ends_in_number(std::string_view host) noexcept {
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::string_view label = host.substr(host.rfind('.') + 1);
  if (label.empty()) return false;
  if (std::all_of(label.begin(), label.end(), is_digit)) return true;
  return label.size() >= 2 && label[0] == '0' && lower(label[1]) == 'x' &&
         std::all_of(label.begin() + 2, label.end(), [](char c) { return hex_value(c) >= 0; });
}

// What is wrong with a host name; empty for nothing.
std::string_view host_fault(std::string_view host) noexcept {
  if (host.empty()) return "has no host";
  if (host.size() > kMaxHost) return "has a host of more than 253 characters";
  for (char c : host)
    if (!is_alpha(c) && !is_digit(c) && c != '-' && c != '.' && c != '_')
      return "has a host with a character that no host name holds (write an international name in its xn-- form)";
  if (host.front() == '.' || host.find("..") != std::string_view::npos) return "has a host with an empty label";
  if (ends_in_number(host) && !is_ipv4_text(host))
    return "has a numeric host that is no IPv4 address; write it as a.b.c.d";
  return {};
}

struct Authority {
  std::string host;
  bool is_ipv6 = false;
  std::optional<std::uint16_t> port;
};

// Splits `host`, `host:port`, `[v6]` and `[v6]:port`. The fault is a clause that follows the name of the thing.
tl::expected<Authority, std::string_view> split_authority(std::string_view text) {
  Authority out;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return tl::unexpected(std::string_view("has a '[' without its ']'"));
    const std::string_view host = text.substr(1, close - 1);
    if (!is_ipv6_text(host)) return tl::unexpected(std::string_view("has brackets around what is no IPv6 address"));
    out.is_ipv6 = true;
    out.host = host;
    rest = text.substr(close + 1);
  } else {
    const std::size_t colon = text.find(':');
    const std::string_view host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
    if (rest.find(':', 1) != std::string_view::npos && is_ipv6_text(text))
      return tl::unexpected(std::string_view("has an IPv6 address without brackets; write [address]"));
    if (const std::string_view fault = host_fault(host); !fault.empty()) return tl::unexpected(fault);
    out.host = host;
  }
  std::transform(out.host.begin(), out.host.end(), out.host.begin(), lower);
  if (rest.empty()) return out;
  if (rest.front() != ':') return tl::unexpected(std::string_view("has something between its host and its port"));
  rest.remove_prefix(1);
  unsigned port = 0;
  if (rest.empty() || rest.size() > 5 || !std::all_of(rest.begin(), rest.end(), is_digit))
    return tl::unexpected(std::string_view("has a port that is no number from 0 to 65535"));
  for (char c : rest) port = port * 10 + static_cast<unsigned>(c - '0');
  if (port > 65535) return tl::unexpected(std::string_view("has a port that is no number from 0 to 65535"));
  out.port = static_cast<std::uint16_t>(port);
  return out;
}

// The scheme's length with `://`, case-insensitively; 0 for another one.
std::size_t scheme_size(std::string_view url, bool& tls) noexcept {
  const auto begins = [url](std::string_view scheme) {
    return url.size() >= scheme.size() &&
           std::equal(scheme.begin(), scheme.end(), url.begin(), [](char a, char b) { return a == lower(b); });
  };
  tls = begins("https://");
  if (tls) return 8;
  return begins("http://") ? 7 : 0;
}

// A URL may carry credentials before its `@`: what is shown in an error stops at whatever could be one.
std::string shown(std::string_view url) {
  if (url.find('@') != std::string_view::npos) return "the URL";
  std::string out = "URL '";
  for (char c : url.substr(0, std::min(url.find('?'), std::size_t{100}))) out += c > 0x1f && c < 0x7f ? c : '?';
  return out + "'";
}

tl::unexpected<Error> bad_url(std::string_view url, std::string_view fault) {
  return fail(Code::kInvalidUrl, shown(url) + " " + std::string(fault));
}

// The path of a configuration is the operator's and is kept byte for byte; what a client library would quietly rewrite
// is refused instead.
std::string_view url_path_fault(std::string_view path) noexcept {
  for (std::size_t i = 0; i < path.size(); ++i)
    if (path[i] == '%' && escaped_byte(path, i) <= 0)
      return "has a path with a bad escape; write %25 for a percent sign";
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at + 1), path.size());
    const std::string_view segment = path.substr(at + 1, end - at - 1);
    if (segment == "." || segment == "..") return "has a '.' or '..' segment; write the path it stands for";
    at = end;
  }
  return {};
}

}  // namespace

Result<Target> parse_target(std::string_view target) {
  if (target.empty()) return fail(Code::kInvalidRequest, "the request target is empty; send a path");
  if (!is_graphic(target))
    return fail(Code::kInvalidRequest,
                "the request target holds a blank, a control character or a byte outside ASCII; percent-encode it");
  if (target.find('#') != std::string_view::npos)
    return fail(Code::kInvalidRequest, "the request target holds a fragment ('#'); leave it out, or write %23");

  Target out;
  std::string_view rest = target;
  if (rest.front() != '/') {
    bool tls = false;
    const std::size_t scheme = scheme_size(rest, tls);
    if (scheme == 0)
      return fail(Code::kInvalidRequest, "the request target is neither a path that begins with '/' nor an http URL");
    rest.remove_prefix(scheme);
    const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
    const auto authority = split_authority(rest.substr(0, end));
    if (!authority) return fail(Code::kInvalidRequest, "the request target " + std::string(authority.error()));
    out.authority = rest.substr(0, end);
    rest.remove_prefix(end);
  }
  const std::size_t question = rest.find('?');
  out.has_query = question != std::string_view::npos;
  if (out.has_query) out.query = rest.substr(question + 1);
  const std::string_view path = rest.substr(0, question);
  if (path.empty()) {
    out.path = "/";
    return out;
  }
  Result<std::string> normal = normalise(path);
  if (!normal) return tl::unexpected(std::move(normal.error()));
  out.path = std::move(*normal);
  return out;
}

Result<Url> parse_url(std::string_view url) {
  Url out;
  const std::size_t scheme = scheme_size(url, out.tls);
  if (scheme == 0) {
    const std::size_t colon = url.find("://");
    if (colon == std::string_view::npos && url.find(':') == std::string_view::npos)
      return bad_url(url, "has no scheme; write http:// or https:// first");
    return bad_url(url, "has a scheme that is not served; use http or https");
  }
  if (!is_graphic(url))
    return bad_url(url, "holds a blank, a control character or a byte outside ASCII; percent-encode it");
  if (url.find('#') != std::string_view::npos) return bad_url(url, "has a fragment ('#'); leave it out");
  std::string_view rest = url.substr(scheme);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  rest.remove_prefix(end);
  if (authority.find('@') != std::string_view::npos)
    return bad_url(url, "carries credentials; give them in the upstream's credential instead");
  if (authority.find('\\') != std::string_view::npos) return bad_url(url, "has a backslash in its host");

  auto split = split_authority(authority);
  if (!split) return bad_url(url, split.error());
  const std::uint16_t scheme_port = out.tls ? 443 : 80;
  if (split->port == 0) return bad_url(url, "has port 0; leave the port out, or use 1 to 65535");
  out.host = std::move(split->host);
  out.is_ipv6 = split->is_ipv6;
  out.port = split->port.value_or(scheme_port);
  out.authority = out.is_ipv6 ? "[" + out.host + "]" : out.host;
  if (out.port != scheme_port) out.authority += ":" + std::to_string(out.port);

  const std::size_t question = rest.find('?');
  if (question != std::string_view::npos) out.query = rest.substr(question + 1);
  std::string_view path = rest.substr(0, question);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (const std::string_view fault = url_path_fault(path); !fault.empty()) return bad_url(url, fault);
  out.path = path;
  return out;
}

Result<HostPort> parse_host_port(std::string_view text) {
  const auto name = [text] {
    return is_graphic(text) ? "address '" + std::string(text.substr(0, 100)) + "' " : std::string("the address ");
  };
  auto split = split_authority(text);
  if (!split) return fail(Code::kInvalidUrl, name() + std::string(split.error()) + "; write host:port or [v6]:port");
  if (!split->port) return fail(Code::kInvalidUrl, name() + "has no port; write host:port or [v6]:port");
  return HostPort{std::move(split->host), *split->port};
}

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  for (char c : text) {
    if (is_unreserved(c))
      out += c;
    else
      append_escape(out, static_cast<unsigned char>(c));
  }
  return out;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int byte = escaped_byte(text, i);
    if (byte < 0) return std::nullopt;
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

}  // namespace sluice::http
