// Which header fields pass: lists, judged by length and first letter before any comparison.

#include "gateway/header_policy.hpp"

#include <algorithm>
#include <array>

#include "base/glob.hpp"
#include "http/target.hpp"

namespace sluice::gateway {
namespace {

using List = std::initializer_list<std::string_view>;

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool in(List list, std::string_view name) noexcept {
  return std::any_of(list.begin(), list.end(), [&](std::string_view entry) {
    return entry.size() == name.size() && lower(name[0]) == entry[0] && same_name(entry, name);
  });
}

bool has_prefix(List list, std::string_view name) noexcept {
  return std::any_of(list.begin(), list.end(), [&](std::string_view prefix) {
    return name.size() > prefix.size() && same_name(prefix, name.substr(0, prefix.size()));
  });
}

/// The transport's own, or meant for one hop only.
bool is_hop_field(std::string_view name) noexcept {
  return in({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "trailer", "upgrade", "host", "content-length",
             "expect", "http2-settings", "proxy-authenticate"}, name);
}

/// Named by the Connection header, so meant for one hop.
bool named_by_connection(std::string_view connection, std::string_view name) noexcept {
  while (!connection.empty()) {
    const std::size_t comma = std::min(connection.find(','), connection.size());
    std::string_view token = connection.substr(0, comma);
    while (!token.empty() && (token.front() == ' ' || token.front() == '\t')) token.remove_prefix(1);
    while (!token.empty() && (token.back() == ' ' || token.back() == '\t')) token.remove_suffix(1);
    if (same_name(token, name)) return true;
    connection.remove_prefix(std::min(comma + 1, connection.size()));
  }
  return false;
}

bool listed(const std::vector<std::string>& globs, std::string_view name, bool exact_only) {
  if (globs.empty()) return false;
  std::string folded(name);
  std::transform(folded.begin(), folded.end(), folded.begin(), lower);
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
    std::string pattern = glob;
    std::transform(pattern.begin(), pattern.end(), pattern.begin(), lower);
    return exact_only ? pattern == folded : base::glob_match(pattern, folded);
  });
}

/// `key`, or a spelling of it (`k%65y`) that whoever reads the query next takes for it.
bool is_key_field(std::string_view field) {
  const std::string_view name = field.substr(0, field.find('='));
  return name == "key" || (name.size() > 3 && name.find('%') != std::string_view::npos && http::percent_decode(name) == "key");
}

}  // namespace

bool is_credential(std::string_view name) noexcept {
  return in({"authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "proxy-authorization", "x-amz-security-token",
             "openai-organization", "openai-project"}, name);
}

bool is_gateways_own(std::string_view name, bool towards_upstream) noexcept {
  if (is_hop_field(name) || same_name(name, "content-encoding")) return true;
  return towards_upstream && (is_credential(name) || same_name(name, "accept-encoding"));
}

void pass_up(const Headers& from, bool opaque, const std::vector<std::string>& forward, Headers& to) {
  const std::string_view connection = from.get("connection").value_or("");
  for (const HeaderField field : from) {
    if (is_hop_field(field.name)) continue;
    if (!connection.empty() && named_by_connection(connection, field.name)) continue;
    if (is_credential(field.name)) {
      // A wildcard must not leak a key by accident: only its exact name lets a credential pass.
      if (listed(forward, field.name, true)) to.add_trusted(field.name, field.value);
      continue;
    }
    if (same_name(field.name, "accept-encoding")) continue;  // the transport negotiates its own
    const bool matters = in({"content-type", "accept", "openai-beta", "idempotency-key", "x-request-id", "traceparent", "tracestate",
                             "x-client-request-id"}, field.name);
    if (opaque || matters || listed(forward, field.name, false)) to.add_trusted(field.name, field.value);
  }
}

void pass_down(const Headers& from, bool opaque, bool bytes_unchanged, Headers& to) {
  const std::string_view connection = from.get("connection").value_or("");
  for (const HeaderField field : from) {
    if (same_name(field.name, "content-length")) {
      if (bytes_unchanged) to.add_trusted(field.name, field.value);
      continue;
    }
    if (is_hop_field(field.name)) continue;
    if (!connection.empty() && named_by_connection(connection, field.name)) continue;
    if (in({"set-cookie", "set-cookie2", "server", "via", "x-powered-by", "alt-svc", "strict-transport-security", "www-authenticate",
            "openai-organization", "openai-project", "date"}, field.name)) {
      continue;
    }
    const bool matters = in({"content-type", "content-language", "content-disposition", "cache-control", "retry-after", "retry-after-ms",
                             "x-request-id", "request-id", "x-amzn-requestid", "x-amzn-errortype", "x-should-retry", "allow", "location"}, field.name) ||
                         has_prefix({"x-ratelimit-", "openai-"}, field.name);
    if (opaque || matters) to.add_trusted(field.name, field.value);
  }
}

Status apply(const HeaderEdits& edits, Headers& headers) {
  for (const std::string& name : edits.remove) headers.remove(name);
  for (const auto& [name, value] : edits.set) {
    if (Status set = headers.set(name, value); !set) return set;
  }
  for (const auto& [name, value] : edits.add) {
    if (Status added = headers.add(name, value); !added) return added;
  }
  return {};
}

std::string query_without_key(std::string_view query) {
  // Nearly every query: nothing in it can spell a key.
  if (query.find("key") == std::string_view::npos && query.find('%') == std::string_view::npos) return std::string(query);
  std::string out;
  bool first = true;
  while (true) {
    const std::size_t amp = query.find('&');
    const std::string_view field = query.substr(0, amp);
    if (!is_key_field(field)) {
      if (!first) out += '&';
      out += field;
      first = false;
    }
    if (amp == std::string_view::npos) return out;
    query.remove_prefix(amp + 1);
  }
}

}  // namespace sluice::gateway
