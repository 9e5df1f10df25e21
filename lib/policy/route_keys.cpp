// What the index files a route under.

#include "policy/route_keys.hpp"

#include "policy/path_pattern.hpp"
#include "policy/rules.hpp"

namespace sluice::policy {

RouteKeys keys_of(const Route& route) {
  const Match& match = route.match;
  RouteKeys keys;
  if (!match.path.empty()) {
    if (const auto pattern = PathPattern::compile(match.path)) {
      if (pattern->exact()) keys.path = pattern->text();
      else keys.path_prefix = pattern->literal_prefix();
    }
  }
  if (!match.path_prefix.empty()) {
    if (auto prefix = compile_prefix(match.path_prefix); prefix && prefix->size() > keys.path_prefix.size()) {
      keys.path_prefix = std::move(*prefix);
    }
  }
  for (const std::string& host : match.hosts) {
    if (auto compiled = compile_host(host)) keys.hosts.push_back(std::move(*compiled));
  }
  keys.models = match.models;
  const std::string& fallback = route.models.default_model;
  keys.absent_model = !match.models.empty() && !fallback.empty() && NameSet(match.models).contains(fallback);
  keys.consumers = match.consumers;
  for (const HeaderMatch& header : match.headers) {
    if (header.op == HeaderMatch::Op::kExact) keys.headers.emplace_back(header.name, header.value);
  }
  return keys;
}

}  // namespace sluice::policy
