// What a match costs with 10 and with 10,000 routes, by whichever part of the match they differ. An argument names one
// kind alone. One line a figure on stderr, JSON on stdout.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "policy/match.hpp"

using namespace sluice;

namespace {

struct Ask {
  std::string host = "api.example.com", path = "/v1/chat/completions", model = "gpt-4o", consumer = "app", team = "red";
};

struct Subjects {
  std::vector<Ask> asks;
  std::vector<Headers> headers;
  std::vector<chat::RequestView> views;
  std::vector<policy::Subject> subjects;
};

struct Kind {
  const char* name;
  void (*differ)(int i, Match& match, Ask& ask);
};

const Kind kKinds[] = {
    {"exact_path", [](int i, Match& m, Ask& a) { a.path = m.path = fmt::format("/team-{}/v1/chat/completions", i); }},
    {"path_prefix", [](int i, Match& m, Ask& a) { m.path_prefix = fmt::format("/team-{}", i); a.path = m.path_prefix + "/v1/chat/completions"; }},
    {"model", [](int i, Match& m, Ask& a) { m.path = a.path; m.models = {a.model = fmt::format("model-{}", i)}; }},
    {"model_glob", [](int i, Match& m, Ask& a) { m.path = a.path; m.models = {fmt::format("team-{}/*", i)}; a.model = fmt::format("team-{}/gpt-4o", i); }},
    {"host", [](int i, Match& m, Ask& a) { m.path = a.path; m.hosts = {a.host = fmt::format("team-{}.example.com", i)}; }},
    {"consumer", [](int i, Match& m, Ask& a) { m.path = a.path; m.consumers = {a.consumer = fmt::format("app-{}", i)}; }},
    {"header", [](int i, Match& m, Ask& a) { m.headers = {{"x-team", HeaderMatch::Op::kExact, a.team = fmt::format("team-{}", i)}}; }},
};

double nanoseconds(const Kind& kind, int routes_wanted, const std::string& spread) {
  std::vector<Route> routes;
  std::vector<Ask> all;
  for (int i = 0; i < routes_wanted; ++i) {
    Route route{.name = std::to_string(i)};
    route.match.methods = {"POST"};
    kind.differ(i, route.match, all.emplace_back());
    routes.push_back(std::move(route));
  }
  const auto matcher = policy::Matcher::compile(routes);
  if (!matcher) return std::puts(matcher.error().message.c_str()), -1;
  // The requests: over all routes, or over ten of them as a gateway with a few busy tenants sees.
  std::mt19937 random(1);
  Subjects s;
  const std::size_t n = 1024;
  const std::size_t busy = spread == "busy" ? std::min<std::size_t>(10, all.size()) : all.size();
  std::shuffle(all.begin(), all.end(), random);
  s.asks.reserve(n);
  for (std::size_t i = 0; i < n; ++i) s.asks.push_back(all[random() % busy]);
  s.headers.resize(n);
  s.views.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (const char* name : {"user-agent", "accept", "content-type", "content-length"}) s.headers[i].add_trusted(name, "something");
    s.headers[i].add_trusted("x-team", s.asks[i].team);
    s.views[i].model_present = true;
    s.views[i].model = s.asks[i].model;
    s.subjects.push_back({.method = "POST", .host = s.asks[i].host, .path = s.asks[i].path, .headers = &s.headers[i], .view = &s.views[i], .consumer = s.asks[i].consumer});
  }
  // The fastest of many short batches: an undisturbed one, on a machine that does other work too.
  double best = 1e12;
  for (int batch = 0; batch < 1000; ++batch) {
    std::size_t found = 0;
    const auto start = std::chrono::steady_clock::now();
    for (const auto& subject : s.subjects) found += matcher->match(subject)->has_value();
    best = std::min(best, std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / static_cast<double>(n));
    if (found != n) return std::puts("a request was lost"), -1;
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  std::string json;
  for (const char* spread : {"busy", "all"}) {
    for (const Kind& kind : kKinds) {
      if (argc > 1 && std::string(argv[1]) != kind.name) continue;
      const double few = nanoseconds(kind, 10, spread), many = nanoseconds(kind, 10'000, spread);
      fmt::print(stderr, "{:<12} requests over {:<4} routes: 10 routes {:6.0f} ns, 10,000 routes {:6.0f} ns, {:.2f}x\n", kind.name, spread, few, many, many / few);
      json += fmt::format("{}\"match_{}_{}\": {{\"ten_ns\": {:.1f}, \"ten_thousand_ns\": {:.1f}, \"ratio\": {:.2f}}}", json.empty() ? "" : ", ", kind.name, spread, few, many, many / few);
    }
  }
  fmt::print("{{\"figures\": {{{}}}}}\n", json);
}
