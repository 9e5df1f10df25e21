// Which header fields pass: lists, judged by length and first letter before any comparison.

#include "gateway/header_policy.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>

#include "base/glob.hpp"
#include "http/target.hpp"

namespace sluice::gateway {
namespace {

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

/// A list of names in lower case. Nearly every name is in none: its length and its first letter, of which a bit each is
/// kept, say so without a comparison.
template <std::size_t N>
class Names {
 public:
  explicit constexpr Names(const std::string_view (&names)[N]) noexcept {
    for (std::size_t i = 0; i != N; ++i) {
      names_[i] = names[i];
      lengths_ |= bit(names[i].size());
      letters_ |= bit(static_cast<unsigned char>(names[i][0]));
    }
  }
  [[nodiscard]] bool has(std::string_view name) const noexcept {
    if (name.empty() || (lengths_ & bit(name.size())) == 0) return false;
    const char first = lower(name[0]);
    if ((letters_ & bit(static_cast<unsigned char>(first))) == 0) return false;
    return std::any_of(names_.begin(), names_.end(), [&](std::string_view entry) {
      return entry.size() == name.size() && first == entry[0] && same_name(entry, name);
    });
  }

 private:
  static constexpr std::uint64_t bit(std::size_t n) noexcept { return std::uint64_t{1} << (n & 63); }
  std::array<std::string_view, N> names_{};
  std::uint64_t lengths_ = 0, letters_ = 0;
};

bool has_prefix(std::initializer_list<std::string_view> list, std::string_view name) noexcept {
  return std::any_of(list.begin(), list.end(), [&](std::string_view prefix) {
    return name.size() > prefix.size() && lower(name[0]) == prefix[0] && same_name(prefix, name.substr(0, prefix.size()));
  });
}

/// The transport's own, or meant for one hop only.
constexpr Names kHopFields({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "trailer", "upgrade", "host",
                            "content-length", "expect", "http2-settings", "proxy-authenticate"});
bool is_hop_field(std::string_view name) noexcept { return kHopFields.has(name); }

constexpr Names kCredentials({"authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "proxy-authorization",
                              "x-amz-security-token", "openai-organization", "openai-project"});
/// Of a caller's fields, those that mean something to any provider.
constexpr Names kAsked({"content-type", "accept", "openai-beta", "idempotency-key", "x-request-id", "traceparent", "tracestate",
                        "x-client-request-id"});
/// Of an upstream's fields, those that are its own business, and those that mean something to a caller.
constexpr Names kKeptBack({"set-cookie", "set-cookie2", "server", "via", "x-powered-by", "alt-svc", "strict-transport-security",
                           "www-authenticate", "openai-organization", "openai-project", "date"});
constexpr Names kAnswered({"content-type", "content-language", "content-disposition", "cache-control", "retry-after", "retry-after-ms",
                           "x-request-id", "request-id", "x-amzn-requestid", "x-amzn-errortype", "x-should-retry", "allow", "location"});

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

bool is_credential(std::string_view name) noexcept { return kCredentials.has(name); }

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
    if (opaque || kAsked.has(field.name) || listed(forward, field.name, false)) to.add_trusted(field.name, field.value);
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
    if (kKeptBack.has(field.name)) continue;
    if (opaque || kAnswered.has(field.name) || has_prefix({"x-ratelimit-", "openai-"}, field.name)) to.add_trusted(field.name, field.value);
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
