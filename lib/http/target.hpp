#pragma once
/// Request targets and URLs: split once, normalised once; the path that is matched is the path that is sent.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/error.hpp"

namespace sluice::http {

/// A request target, taken apart.
struct Target {
  std::string path;   ///< normalised: `//` and `.` folded, `..` resolved, unreserved characters decoded
  std::string query;  ///< byte for byte, without the `?`
  bool has_query = false;
  std::string authority;  ///< of an absolute-form target; empty for origin-form
};

/// Errors: kInvalidRequest for a target with controls, blanks or non-ASCII, `..` above the root, a bad or NUL escape,
/// a fragment, or asterisk- and authority-form. An encoded slash (%2F) stays encoded: it separates nothing.
[[nodiscard]] Result<Target> parse_target(std::string_view target);

/// An absolute http or https URL of a configuration.
struct Url {
  bool tls = false;
  std::string host;  ///< lower case, without brackets
  bool is_ipv6 = false;
  std::uint16_t port = 0;  ///< the scheme's own where none is given
  std::string authority;   ///< for the Host field: host, bracketed as needed, and the port where it is not the default
  std::string path;        ///< without a trailing slash; empty for the root
  std::string query;       ///< without the `?`
};

/// Errors: kInvalidUrl names what is wrong: scheme, credentials in the URL, fragment, port, host.
[[nodiscard]] Result<Url> parse_url(std::string_view url);

/// `host:port`, `[v6]:port`. Errors: kInvalidUrl.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
[[nodiscard]] Result<HostPort> parse_host_port(std::string_view text);

/// Percent-encodes everything but unreserved characters. / Decodes; nothing for a bad escape.
[[nodiscard]] std::string percent_encode(std::string_view text);
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

}  // namespace sluice::http
