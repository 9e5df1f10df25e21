// The matcher against a naive reading of the rules: every route asked in order, each condition as its docstring says it.
// Nothing is shared with the code under test but the glob, which has a naive twin of its own (path_pattern_test.cpp).

#include <catch2/catch.hpp>

#include <random>
#include <sstream>

#include "base/glob.hpp"
#include "policy/match.hpp"

using namespace sluice;
using namespace sluice::policy;

namespace {

class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  bool one_in(unsigned n) { return random_() % n == 0; }
  std::size_t below(std::size_t n) { return random_() % n; }
  template <std::size_t N>
  std::string of(const char* const (&texts)[N]) { return texts[below(N)]; }
  template <std::size_t N>
  std::vector<std::string> some_of(const char* const (&texts)[N]) {
    std::vector<std::string> out;
    for (std::size_t n = 1 + below(3); n > 0; --n) out.push_back(of(texts));
    return out;
  }

 private:
  std::mt19937 random_;
};

const char* const kPaths[] = {"/", "/v1", "/v1/chat", "/v1/chat/completions", "/v1/models/m", "/v1x", "/v2/chat", "/v1/", "/t/a/b", "/v1/chat/a/b/c"};
const char* const kPatterns[] = {"/v1/chat", "/v1", "/v1/*", "/v1/**", "/{a}", "/{a}/{b}", "/{a}/chat", "/v1/c*", "/**", "/t/**", "/v1/models/{m}", "/v1/chat/completions", "/*/chat/**"};
const char* const kPrefixes[] = {"/", "/v1", "/v1/", "/v1/chat", "/t", "/v2/chat", "/v1/chat/a/b"};
const char* const kHosts[] = {"a.com", "b.com", "x.a.com", "y.x.a.com", "com", ""};
const char* const kHostRules[] = {"a.com", "A.com", "*.com", "*.a.com", "x.a.com", "*.x.a.com"};
const char* const kMethods[] = {"GET", "POST", "PUT"};
const char* const kModels[] = {"gpt-4o", "gpt-4", "gpt-3", "o1", "claude", "", "llama-7b"};
const char* const kModelRules[] = {"gpt-4o", "gpt-*", "gpt-4*", "*", "o?", "o1", "*b", "claude", "llama-*"};
const char* const kNames[] = {"red", "blue", "redder", ""};
const char* const kConsumers[] = {"app", "job", "", "ops"};
const char* const kConsumerRules[] = {"app", "job", "ops"};

Route random_route(Dice& dice) {
  Route route;
  Match& match = route.match;
  if (!dice.one_in(3)) match.path = dice.of(kPatterns);
  if (dice.one_in(3)) match.path_prefix = dice.of(kPrefixes);
  if (dice.one_in(3)) match.hosts = dice.some_of(kHostRules);
  if (dice.one_in(4)) match.methods = dice.some_of(kMethods);
  if (dice.one_in(2)) match.models = dice.some_of(kModelRules);
  if (dice.one_in(2)) route.models.default_model = dice.of(kModels);
  if (dice.one_in(4)) match.consumers = dice.some_of(kConsumerRules);
  if (dice.one_in(5)) match.stream = dice.one_in(2);
  while (dice.one_in(4)) {
    const char* const names[] = {"x-a", "X-B", "x-c", "x-d", "x-e", "x-f"};
    using Op = HeaderMatch::Op;
    const Op ops[] = {Op::kExact, Op::kExact, Op::kPrefix, Op::kPresent};
    match.headers.push_back({dice.of(names), ops[dice.below(4)], dice.of(kNames)});
  }
  if (dice.one_in(6)) match.tools.offered = dice.some_of(kNames);
  return route;
}

struct Request {
  std::string method, host, path, model, consumer, tool;
  Headers headers;
  chat::RequestView view;
  bool opaque = false;

  explicit Request(Dice& dice) : method(dice.of(kMethods)), host(dice.of(kHosts)), path(dice.of(kPaths)), model(dice.of(kModels)), consumer(dice.of(kConsumers)), tool(dice.of(kNames)) {
    const char* const names[] = {"X-A", "x-b", "x-c", "x-d", "x-e", "x-f"};
    while (!dice.one_in(4)) headers.add_trusted(dice.of(names), dice.of(kNames));
    view.model_present = !dice.one_in(4);
    if (view.model_present) view.model = model;
    view.stream = dice.one_in(2);
    if (dice.one_in(2)) view.tools_offered = {tool};
    opaque = dice.one_in(6);
  }
  [[nodiscard]] Subject subject() const {
    return {.method = method, .host = host, .path = path, .headers = &headers, .view = opaque ? nullptr : &view, .consumer = consumer};
  }
};

// The naive reading.

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> out(1);
  for (const char c : path.substr(1)) {
    if (c == '/') out.emplace_back();
    else out.back() += c;
  }
  return out;
}

bool naive_path(const std::string& rule, const std::string& path) {
  std::vector<std::string> rules = split(rule);
  const std::vector<std::string> parts = split(path);
  if (rules.back() == "**") {
    rules.pop_back();
    if (parts.size() < rules.size()) return false;
  } else if (parts.size() != rules.size()) {
    return false;
  }
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const bool wild = rules[i].find_first_of("*{") != std::string::npos;
    if (wild && parts[i].empty()) return false;
    const std::string glob = rules[i].find('{') == std::string::npos ? rules[i] : "*";  // whole segments are named here
    if (!base::glob_match(glob, parts[i])) return false;
  }
  return true;
}

bool naive_prefix(std::string rule, const std::string& path) {
  if (rule.back() == '/') rule.pop_back();
  return path == rule || path.rfind(rule + "/", 0) == 0;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool naive_host(const std::string& rule, const std::string& host) {
  if (rule.rfind("*.", 0) != 0) return lower(rule) == host;
  const auto dot = host.find('.');
  return dot != std::string::npos && dot > 0 && host.substr(dot) == lower(rule).substr(1);
}

template <typename Fits>
bool any(const std::vector<std::string>& rules, Fits fits) {
  for (const std::string& rule : rules) {
    if (fits(rule)) return true;
  }
  return false;
}

bool naive_header(const HeaderMatch& rule, const Headers& headers) {
  for (const HeaderField field : headers) {
    if (lower(std::string(field.name)) != lower(rule.name)) continue;
    if (rule.op == HeaderMatch::Op::kPresent) return true;
    if (rule.op == HeaderMatch::Op::kExact && field.value == rule.value) return true;
    if (rule.op == HeaderMatch::Op::kPrefix && field.value.substr(0, rule.value.size()) == rule.value) return true;
  }
  return false;
}

bool naive_takes(const Route& route, const Request& request) {
  const Match& match = route.match;
  if (!match.path.empty() && !naive_path(match.path, request.path)) return false;
  if (!match.path_prefix.empty() && !naive_prefix(match.path_prefix, request.path)) return false;
  if (!match.hosts.empty() && !any(match.hosts, [&](const auto& rule) { return naive_host(rule, request.host); })) return false;
  if (!match.methods.empty() && !any(match.methods, [&](const auto& rule) { return rule == request.method; })) return false;
  if (!match.consumers.empty() && !any(match.consumers, [&](const auto& rule) { return rule == request.consumer; })) return false;
  if (!match.models.empty()) {
    if (request.opaque) return false;
    const bool present = request.view.model_present;
    const std::string model = present ? request.model : route.models.default_model;
    if (!present && model.empty()) return false;
    if (!any(match.models, [&](const auto& rule) { return base::glob_match(rule, model); })) return false;
  }
  if (match.stream && (request.opaque || request.view.stream != *match.stream)) return false;
  for (const HeaderMatch& rule : match.headers) {
    if (!naive_header(rule, request.headers)) return false;
  }
  if (!match.tools.offered.empty()) {
    if (request.opaque || request.view.tools_offered.empty()) return false;
    if (!any(match.tools.offered, [&](const auto& rule) { return base::glob_match(rule, request.tool); })) return false;
  }
  return true;
}

std::string described(const std::vector<Route>& routes, const Request& request) {
  std::ostringstream out;
  out << request.method << " " << request.host << " " << request.path << " model " << (request.view.model_present ? request.model : "-") << " consumer " << request.consumer
      << (request.opaque ? " opaque" : "");
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const Match& match = routes[i].match;
    out << "\n  " << i << ": " << match.path << " below " << match.path_prefix << " models";
    for (const auto& model : match.models) out << " " << model;
    out << " (" << routes[i].models.default_model << ") hosts";
    for (const auto& host : match.hosts) out << " " << host;
  }
  return out.str();
}

}  // namespace

TEST_CASE("the index finds what a walk over all routes finds, for random routes and requests") {  // ROUTE-01
  Dice dice(2024);
  int taken = 0, later = 0;
  for (int round = 0; round < 600; ++round) {
    std::vector<Route> routes;
    for (std::size_t n = 1 + dice.below(40); n > 0; --n) routes.push_back(random_route(dice));
    auto matcher = Matcher::compile(routes);
    if (!matcher) FAIL(matcher.error().message);
    for (int i = 0; i < 60; ++i) {
      const Request request(dice);
      std::optional<std::size_t> naive;
      for (std::size_t route = 0; route < routes.size() && !naive; ++route) {
        if (naive_takes(routes[route], request)) naive = route;
      }
      std::size_t examined = 0;
      const auto found = matcher->match(request.subject(), &examined);
      REQUIRE(found);
      const std::optional<std::size_t> indexed = *found ? std::optional((*found)->route) : std::nullopt;
      if (indexed != naive || examined > routes.size()) {
        INFO(described(routes, request));
        REQUIRE(indexed == naive);
      }
      // explain() asks every route, without the index: one reason for each before the one that takes the request.
      if (i == 0) REQUIRE(matcher->explain(request.subject()).size() == naive.value_or(routes.size()));
      bool known = false;
      for (const Route& route : routes) {
        Request anything = request;
        anything.opaque = true;
        Route place{.match = {.path = route.match.path, .path_prefix = route.match.path_prefix, .hosts = route.match.hosts}};
        known = known || naive_takes(place, anything);
      }
      REQUIRE(matcher->path_known(request.host, request.path) == known);
      taken += naive.has_value();
      later += naive.value_or(0) > 5;
    }
  }
  CHECK(taken > 10'000);
  CHECK(later > 2'000);
}

TEST_CASE("a route that is said to be shadowed takes nothing that an earlier one does not, for random routes") {
  Dice dice(77);
  int said = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<Route> routes;
    for (std::size_t n = 2 + dice.below(20); n > 0; --n) routes.push_back(random_route(dice));
    const auto pairs = shadowed(routes);
    said += static_cast<int>(pairs.size());
    for (const auto& [route, by] : pairs) REQUIRE(by < route);
    for (int i = 0; i < 200 && !pairs.empty(); ++i) {
      const Request request(dice);
      for (const auto& [route, by] : pairs) {
        if (!naive_takes(routes[route], request) || naive_takes(routes[by], request)) continue;
        INFO(described({routes[by], routes[route]}, request));
        REQUIRE(false);
      }
    }
  }
  CHECK(said > 300);
}
