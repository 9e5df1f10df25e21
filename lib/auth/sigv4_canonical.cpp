// The canonical forms that are hashed and signed: paths, queries, header fields. One byte that differs from what the service
// makes of the request is a refusal, so each rule is one the published suite has a case for.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "auth/sigv4.hpp"
#include "http/target.hpp"

namespace sluice::auth::sigv4 {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

bool is_hex(char c) noexcept { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// `/a/./b/../c//d/` as `/a/c/d/`; above the root is the root.
std::string folded(std::string_view path) {
  std::vector<std::string_view> kept;
  bool slash = true;  // the path ends in one, or in what is one
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    at = end + 1;
    slash = segment.empty() || segment == "." || segment == ".." || end < path.size();
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
  }
  std::string out;
  for (const std::string_view segment : kept) out.append("/").append(segment);
  if (slash || out.empty()) out += '/';
  return out;
}

std::string canonical_path(std::string_view path, const Rules& rules) {
  const std::string whole = rules.normalise_path ? folded(path) : std::string(path.empty() ? "/" : path);
  std::string out;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const char c = whole[i];
    // What is escaped only once keeps the escapes it was sent with.
    const bool escape = c == '%' && i + 2 < whole.size() && is_hex(whole[i + 1]) && is_hex(whole[i + 2]);
    if (c == '/' || (escape && !rules.encode_twice)) {
      out += c;
    } else {
      out += http::percent_encode(std::string_view(&whole[i], 1));
    }
  }
  return out;
}

/// One spelling for what may have been escaped or not.
std::string respelled(std::string_view text) {
  const auto decoded = http::percent_decode(text);
  return http::percent_encode(decoded ? std::string_view(*decoded) : text);
}

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    pairs.emplace_back(respelled(pair.substr(0, equals)), respelled(pair.substr(std::min(equals + 1, pair.size()))));
  }
  std::sort(pairs.begin(), pairs.end());
  std::string out;
  for (const auto& [name, value] : pairs) out.append(out.empty() ? "" : "&").append(name).append("=").append(value);
  return out;
}

/// Without blanks at either end, runs of them inside as one.
void append_trimmed(std::string& out, std::string_view value) {
  bool blank = false, begun = false;
  for (const char c : value) {
    if (kBlanks.find(c) != std::string_view::npos) {
      blank = begun;
      continue;
    }
    if (std::exchange(blank, false)) out += ' ';
    out += c;
    begun = true;
  }
}

/// Fields of a hop, and those that proxies are known to add to or rewrite.
bool stays_unsigned(std::string_view name) noexcept {
  for (const std::string_view left_out :
       {"authorization", "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te",
        "trailer", "transfer-encoding", "upgrade", "user-agent", "via", "x-amzn-trace-id", "x-forwarded-for", "forwarded",
        "traceparent", "tracestate", "accept-encoding"}) {
    if (name == left_out) return true;
  }
  return false;
}

}  // namespace

std::string names_to_sign(const Headers& headers) {
  std::vector<std::string> names;
  for (const HeaderField field : headers) {
    std::string name = lower(field.name);
    if (!stays_unsigned(name)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return fmt::format("{}", fmt::join(names, ";"));
}

std::string canonical_request(const Parts& parts, const Headers& headers, std::string_view signed_headers, const Rules& rules) {
  std::string out = fmt::format("{}\n{}\n{}\n", parts.method, canonical_path(parts.path, rules), canonical_query(parts.query));
  for (std::string_view rest = signed_headers; !rest.empty();) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view name = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    out.append(name).append(":");
    bool first = true;
    for (const HeaderField field : headers) {
      if (!same_name(field.name, name)) continue;
      if (!std::exchange(first, false)) out += ',';
      append_trimmed(out, field.value);
    }
    out += '\n';
  }
  return out.append("\n").append(signed_headers).append("\n").append(parts.payload);
}

std::string string_to_sign(std::string_view date, std::string_view scope, std::string_view canonical_request) {
  return fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", date, scope, hex_sha256(canonical_request));
}

}  // namespace sluice::auth::sigv4
