// The matcher: rules and index put together. Everything here is immutable once compiled.

#include "policy/match.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "policy/route_index.hpp"
#include "policy/route_keys.hpp"
#include "policy/rules.hpp"

namespace sluice::policy {

struct Matcher::Impl {
  std::vector<Rules> rules;
  RouteIndex index;
  std::uint32_t wants = chat::kWantNothing;

  // For what is asked before a request is read: one route of those that say the same of host, path and method, as many
  // routes of one path do.
  std::vector<std::size_t> place_routes;
  RouteIndex places;
  bool every_place = false;  // some route takes every host, path and method

  /// True where `judge` says yes to some route at this place.
  template <typename Judge>
  bool any_at(std::string_view host, std::string_view path, Judge&& judge) const {
    auto candidates = places.candidates({.host = host, .path = path});
    while (const auto place = candidates.next()) {
      const Rules& one = rules[place_routes[*place]];
      if (one.place_fits(host, path) && judge(one)) return true;
    }
    return false;
  }
};

const std::string* Captures::find(std::string_view name) const noexcept {
  const auto at = std::find_if(values.begin(), values.end(), [&](const auto& value) { return value.first == name; });
  return at == values.end() ? nullptr : &at->second;
}

Matcher::Matcher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Matcher::Matcher(Matcher&&) noexcept = default;
Matcher& Matcher::operator=(Matcher&&) noexcept = default;
Matcher::~Matcher() = default;

Result<Matcher> Matcher::compile(const std::vector<Route>& routes) {
  Problems problems;
  std::vector<Rules> rules;
  std::vector<RouteKeys> keys, places;
  std::vector<std::size_t> place_routes;
  std::set<std::tuple<std::string, std::string, std::vector<std::string>, std::vector<std::string>>> known_places;
  std::uint32_t wants = chat::kWantNothing;
  bool every_place = false;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    rules.push_back(Rules::compile(routes[i], fmt::format("/routes/{}", i), problems));
    wants |= rules.back().wants();
    keys.push_back(keys_of(routes[i]));
    const Match& match = routes[i].match;
    every_place = every_place || (match.path.empty() && match.path_prefix.empty() && match.hosts.empty() && match.methods.empty());
    if (!known_places.emplace(match.path, match.path_prefix, match.hosts, match.methods).second) continue;
    place_routes.push_back(i);
    places.push_back({.path = keys.back().path, .path_prefix = keys.back().path_prefix, .hosts = keys.back().hosts});
  }
  if (!problems.lines.empty()) return fail(Code::kInvalidConfiguration, fmt::format("{}", fmt::join(problems.lines, "\n")));
  return Matcher(std::unique_ptr<Impl>(new Impl{std::move(rules), RouteIndex(keys), wants, std::move(place_routes), RouteIndex(places), every_place}));
}

std::uint32_t Matcher::wants() const noexcept { return impl_->wants; }

Result<std::optional<Found>> Matcher::match(const Subject& subject, std::size_t* examined) const {
  std::size_t looked_at = 0;
  Look look;
  std::optional<Found> found;
  auto candidates = impl_->index.candidates(subject);
  while (const auto route = candidates.next()) {
    ++looked_at;
    const Rules& rules = impl_->rules[*route];
    if (rules.hold(subject, look)) {
      found.emplace(Found{.route = *route, .captures = rules.captures(subject.path)});
      break;
    }
    if (look.error) break;
  }
  if (examined) *examined = looked_at;
  if (look.error) return tl::unexpected(std::move(*look.error));
  return found;
}

std::vector<std::string> Matcher::methods_for(std::string_view host, std::string_view path) const {
  std::vector<std::string> methods;
  if (impl_->every_place) return methods;
  const bool any = impl_->any_at(host, path, [&](const Rules& rules) {
    for (const std::string& method : rules.methods()) {
      const auto at = std::lower_bound(methods.begin(), methods.end(), method);
      if (at == methods.end() || *at != method) methods.insert(at, method);
    }
    return rules.methods().empty();
  });
  if (any) methods.clear();
  return methods;
}

bool Matcher::path_known(std::string_view host, std::string_view path) const {
  return impl_->every_place || impl_->any_at(host, path, [](const Rules&) { return true; });
}

std::vector<Passed> Matcher::explain(const Subject& subject) const {
  std::vector<Passed> passed;
  for (std::size_t i = 0; i < impl_->rules.size(); ++i) {
    std::string why;
    Look look{.why = &why};
    if (impl_->rules[i].hold(subject, look)) break;
    passed.push_back({i, std::move(why)});
    if (look.error) break;
  }
  return passed;
}

Result<std::vector<std::string>> captures_of(const Match& match) {
  if (match.path.empty()) return std::vector<std::string>{};
  auto pattern = PathPattern::compile(match.path);
  if (!pattern) return tl::unexpected(std::move(pattern.error()));
  return pattern->names();
}

}  // namespace sluice::policy
