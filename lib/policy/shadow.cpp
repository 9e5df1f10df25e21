// Routes that can never be reached. An earlier route shadows a later one where each of its conditions follows from a
// condition of the later one; what cannot be proven from the texts of the two is taken not to follow.
//
// To stay fast for many routes, the pairs to be judged come from the index: one request that the later route would take
// is made up, and a route that takes all of the later one's requests takes that one too, so it is among the candidates.

#include <algorithm>
#include <functional>

#include "base/glob.hpp"
#include "policy/match.hpp"
#include "policy/path_pattern.hpp"
#include "policy/route_index.hpp"
#include "policy/route_keys.hpp"
#include "policy/rules.hpp"

namespace sluice::policy {
namespace {

/// True where every name that fits glob `inner` surely fits `outer`.
bool glob_covers(const std::string& outer, const std::string& inner) {
  if (outer == inner || (!outer.empty() && outer.find_first_not_of('*') == std::string::npos)) return true;
  if (!base::is_glob(inner)) return base::glob_match(outer, inner);
  // `a*` covers all that begins with a, whatever stars follow.
  const std::string_view beginning = std::string_view(outer).substr(0, outer.find('*'));
  return beginning.size() + 1 == outer.size() && !base::is_glob(beginning) && inner.starts_with(beginning);
}

/// True where an empty `outer` or one of its names covers each name of `inner`. Empty = no condition.
bool list_covers(const std::vector<std::string>& outer, const std::vector<std::string>& inner,
                 const std::function<bool(const std::string&, const std::string&)>& covers) {
  if (outer.empty()) return true;
  return !inner.empty() && std::all_of(inner.begin(), inner.end(), [&](const std::string& one) {
    return std::any_of(outer.begin(), outer.end(), [&](const std::string& other) { return covers(other, one); });
  });
}

bool same_text(const std::string& a, const std::string& b) { return a == b; }

bool host_covers(const std::string& outer, const std::string& inner) {
  const auto a = compile_host(outer), b = compile_host(inner);
  return a && b && (*a == *b || (!b->starts_with("*.") && host_matches(*a, *b)));
}

bool path_covers(const Match& outer, const Match& inner) {
  const bool same_prefix = outer.path_prefix == inner.path_prefix;
  if (outer.path == inner.path && same_prefix) return true;
  std::optional<PathPattern> takes, taken;
  if (!outer.path.empty()) {
    auto compiled = PathPattern::compile(outer.path);
    if (!compiled) return false;
    takes = std::move(*compiled);
  }
  if (!inner.path.empty()) {
    auto compiled = PathPattern::compile(inner.path);
    if (!compiled) return false;
    taken = std::move(*compiled);
  }
  // Every path the inner one takes is or lies below one of these two.
  const std::string_view literal = taken ? taken->literal_prefix() : std::string_view{};
  const auto inner_prefix = compile_prefix(inner.path_prefix);
  const auto lies_below = [&](std::string_view prefix) {
    return below(prefix, literal) || (inner_prefix && below(prefix, *inner_prefix));
  };

  if (!outer.path_prefix.empty() && !same_prefix) {
    const auto prefix = compile_prefix(outer.path_prefix);
    if (!prefix || !lies_below(*prefix)) return false;
  }
  if (!takes || outer.path == inner.path) return true;
  if (taken && taken->exact()) return takes->matches(taken->text());
  // `/a/**` is what lies below /a.
  const std::string_view rest = takes->literal_prefix();
  return outer.path == std::string(rest) + "/**" && lies_below(rest);
}

bool header_covers(const HeaderMatch& outer, const HeaderMatch& inner) {
  using Op = HeaderMatch::Op;
  if (!same_name(outer.name, inner.name)) return false;
  if (outer.op == Op::kPresent || (outer.op == inner.op && outer.value == inner.value)) return true;
  switch (outer.op) {
    case Op::kPrefix: return (inner.op == Op::kExact || inner.op == Op::kPrefix) && inner.value.starts_with(outer.value);
    case Op::kGlob: return (inner.op == Op::kExact && base::glob_match(outer.value, inner.value)) || (inner.op == Op::kGlob && glob_covers(outer.value, inner.value));
    default: return false;
  }
}

bool same_rule(const BodyMatch& a, const BodyMatch& b) { return a.pointer == b.pointer && a.op == b.op && a.values == b.values; }

bool same_rule(const PromptMatch& a, const PromptMatch& b) {
  return a.where == b.where && a.op == b.op && a.value == b.value && a.ignore_case == b.ignore_case;
}

/// True where each condition of `outer` follows from one of `inner`.
template <typename T, typename Covers>
bool conditions_cover(const std::vector<T>& outer, const std::vector<T>& inner, Covers covers) {
  return std::all_of(outer.begin(), outer.end(), [&](const T& condition) {
    return std::any_of(inner.begin(), inner.end(), [&](const T& known) { return covers(condition, known); });
  });
}

bool takes_absent_model(const Route& route) {
  const std::string& fallback = route.models.default_model;
  return route.match.models.empty() || (!fallback.empty() && NameSet(route.match.models).contains(fallback));
}

/// True where the outer route surely takes every request that the inner one would.
bool covers(const Route& outer_route, const Route& inner_route) {
  const Match& outer = outer_route.match;
  const Match& inner = inner_route.match;
  return path_covers(outer, inner) && list_covers(outer.hosts, inner.hosts, host_covers) &&
         list_covers(outer.methods, inner.methods, same_text) && list_covers(outer.models, inner.models, glob_covers) &&
         (takes_absent_model(outer_route) || !takes_absent_model(inner_route)) &&
         list_covers(outer.consumers, inner.consumers, same_text) && (!outer.stream || outer.stream == inner.stream) &&
         conditions_cover(outer.headers, inner.headers, header_covers) &&
         list_covers(outer.tools.offered, inner.tools.offered, glob_covers) &&
         list_covers(outer.tools.forced, inner.tools.forced, glob_covers) &&
         list_covers(outer.tools.last_called, inner.tools.last_called, glob_covers) &&
         conditions_cover(outer.body, inner.body, [](const auto& a, const auto& b) { return same_rule(a, b); }) &&
         conditions_cover(outer.prompt, inner.prompt, [](const auto& a, const auto& b) { return same_rule(a, b); });
}

/// A request that fits the literal parts of a route's match.
struct Example {
  std::string host, path, model, consumer;
  Headers headers;
  chat::RequestView view;

  explicit Example(const Route& route) {
    const Match& match = route.match;
    if (!match.path.empty()) {
      if (const auto pattern = PathPattern::compile(match.path)) path = pattern->example();
    } else if (!match.path_prefix.empty()) {
      path = compile_prefix(match.path_prefix).value_or("");
    }
    if (path.empty()) path = "/";
    if (!match.hosts.empty()) {
      host = compile_host(match.hosts.front()).value_or("");
      if (host.starts_with("*.")) host.front() = 'x';
    }
    if (!match.models.empty()) {
      for (const char c : match.models.front()) {
        if (c != '*') model += c == '?' ? 'x' : c;
      }
      view.model_present = true;
      view.model = model;
    }
    if (!match.consumers.empty()) consumer = match.consumers.front();
    for (const HeaderMatch& header : match.headers) {
      if (header.op == HeaderMatch::Op::kExact) headers.add_trusted(header.name, header.value);
    }
  }
  [[nodiscard]] Subject subject() const {
    return {.host = host, .path = path, .headers = &headers, .view = &view, .consumer = consumer};
  }
};

}  // namespace

std::vector<std::pair<std::size_t, std::size_t>> shadowed(const std::vector<Route>& routes) {
  std::vector<RouteKeys> keys;
  keys.reserve(routes.size());
  for (const Route& route : routes) keys.push_back(keys_of(route));
  const RouteIndex index(keys);
  std::vector<std::pair<std::size_t, std::size_t>> out;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const Example example(routes[i]);
    auto candidates = index.candidates(example.subject());
    while (const auto earlier = candidates.next()) {
      if (*earlier >= i) break;
      if (!covers(routes[*earlier], routes[i])) continue;
      out.emplace_back(i, *earlier);
      break;
    }
  }
  return out;
}

}  // namespace sluice::policy
