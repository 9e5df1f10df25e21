// Which route takes a request.

#include "policy/match.hpp"

#include <catch2/catch.hpp>

#include <chrono>



#include <fmt/format.h>

using namespace sluice;
using namespace sluice::policy;

namespace {

Matcher compile(const std::vector<Route>& routes) {
  auto matcher = Matcher::compile(routes);
  if (!matcher) FAIL(matcher.error().message);
  return std::move(*matcher);
}

/// The name of the route that takes the request; "" for none.
std::string taken(const std::vector<Route>& routes, const Subject& subject) {
  const auto found = compile(routes).match(subject);
  REQUIRE(found);
  return *found ? routes[(*found)->route].name : "";
}

bool takes(const Match& match, const Subject& subject) { return !taken({{.name = "r", .match = match}}, subject).empty(); }

chat::RequestView asks(std::string_view model) {
  chat::RequestView view;
  view.operation = chat::Operation::kChat;
  view.model_present = true;
  view.model = model;
  return view;
}

}  // namespace

TEST_CASE("of two routes that match, the first in configuration order serves") {  // ROUTE-01
  const Route exact{.name = "exact", .match = {.path = "/v1/x"}}, prefix{.name = "prefix", .match = {.path_prefix = "/v1"}};
  CHECK(taken({exact, prefix}, {.path = "/v1/x"}) == "exact");
  CHECK(taken({prefix, exact}, {.path = "/v1/x"}) == "prefix");
  CHECK(taken({exact, prefix}, {.path = "/v1/y"}) == "prefix");
  CHECK(taken({exact, prefix}, {.path = "/v2"}).empty());
  CHECK(taken({}, {.path = "/v1/x"}).empty());
  CHECK(taken({{.name = "all"}}, {.path = "/"}) == "all");
}

TEST_CASE("captures are decoded and belong to the route that was taken") {  // ROUTE-02
  const auto matcher = compile({{.name = "a", .match = {.path = "/t/{team}/{x}", .methods = {"PUT"}}}, {.name = "b", .match = {.path = "/t/{id}/**"}}});
  const auto found = matcher.match({.method = "GET", .path = "/t/a%2Fb/c"});
  REQUIRE(found);
  REQUIRE(*found);
  CHECK((*found)->route == 1);
  CHECK((*found)->captures.values.size() == 1);
  REQUIRE((*found)->captures.find("id"));
  CHECK(*(*found)->captures.find("id") == "a/b");
  CHECK((*found)->captures.find("team") == nullptr);
  CHECK(captures_of({.path = "/t/{team}/{x}"}).value() == std::vector<std::string>{"team", "x"});
  CHECK(captures_of({}).value().empty());
  CHECK_FALSE(captures_of({.path = "/{"}));
}

TEST_CASE("path and path prefix must both hold") {  // ROUTE-02
  const Match both{.path = "/{any}/x", .path_prefix = "/v1"};
  CHECK(takes(both, {.path = "/v1/x"}));
  CHECK_FALSE(takes(both, {.path = "/v2/x"}));
  CHECK_FALSE(takes(both, {.path = "/v1/y"}));
}

TEST_CASE("method and host must hold") {  // ROUTE-04
  const Match match{.hosts = {"API.example.com", "*.eu.example.com"}, .methods = {"POST", "PUT"}};
  CHECK(takes(match, {.method = "PUT", .host = "api.example.com", .path = "/"}));
  CHECK(takes(match, {.method = "POST", .host = "x.eu.example.com", .path = "/"}));
  CHECK_FALSE(takes(match, {.method = "GET", .host = "api.example.com", .path = "/"}));
  CHECK_FALSE(takes(match, {.method = "POST", .host = "x.y.eu.example.com", .path = "/"}));
  CHECK_FALSE(takes(match, {.method = "POST", .host = "", .path = "/"}));
  CHECK(takes({.hosts = {"[::1]"}}, {.host = "::1", .path = "/"}));
  CHECK(takes({.hosts = {"::1"}}, {.host = "[::1]", .path = "/"}));
}

TEST_CASE("a model is tested by globs, and an absent one takes the route's default") {  // ROUTE-04, ROUTE-10
  const Match match{.models = {"gpt-4*", "o1"}};
  const chat::RequestView gpt = asks("gpt-4o"), o1 = asks("o1"), other = asks("o1-mini"), empty = asks(""), absent;
  CHECK(takes(match, {.path = "/", .view = &gpt}));
  CHECK(takes(match, {.path = "/", .view = &o1}));
  CHECK_FALSE(takes(match, {.path = "/", .view = &other}));
  CHECK_FALSE(takes(match, {.path = "/", .view = &empty}));
  CHECK_FALSE(takes(match, {.path = "/", .view = &absent}));
  CHECK_FALSE(takes(match, {.path = "/"}));
  const std::vector<Route> routes = {{.name = "claude", .match = {.models = {"claude-*"}}, .models = {.default_model = "claude-3"}},
                                     {.name = "gpt", .match = match, .models = {.default_model = "gpt-4o-mini"}},
                                     {.name = "none", .match = match, .models = {.default_model = "llama"}}};
  CHECK(taken({routes[2], routes[1], routes[0]}, {.path = "/", .view = &absent}) == "gpt");
  CHECK(taken(routes, {.path = "/", .view = &absent}) == "claude");
  CHECK(taken(routes, {.path = "/"}).empty());
  CHECK(takes({.models = {"*"}}, {.path = "/", .view = &empty}));
  CHECK_FALSE(takes({.models = {"*"}}, {.path = "/", .view = &absent}));
}

TEST_CASE("headers, body fields and consumer must all hold") {  // ROUTE-04, ROUTE-24
  const Match match{.headers = {{"x-team", HeaderMatch::Op::kExact, "red"}, {"x-mode", HeaderMatch::Op::kPresent, ""}},
                    .body = {{"/n", BodyMatch::Op::kLess, {std::int64_t{3}}}},
                    .consumers = {"job", "app"}};
  const auto document = json::Document::parse(Body::copy(R"({"n":2})"));
  const auto large = json::Document::parse(Body::copy(R"({"n":3})"));
  REQUIRE(document);
  REQUIRE(large);
  const Headers good = {{"X-Mode", ""}, {"X-Team", "red"}}, no_mode = {{"x-team", "red"}};
  const chat::RequestView view;
  CHECK(takes(match, {.path = "/", .headers = &good, .view = &view, .document = &*document, .consumer = "app"}));
  CHECK_FALSE(takes(match, {.path = "/", .headers = &no_mode, .view = &view, .document = &*document, .consumer = "app"}));
  CHECK_FALSE(takes(match, {.path = "/", .view = &view, .document = &*document, .consumer = "app"}));
  CHECK_FALSE(takes(match, {.path = "/", .headers = &good, .view = &view, .document = &*large, .consumer = "app"}));
  CHECK_FALSE(takes(match, {.path = "/", .headers = &good, .view = &view, .consumer = "app"}));
  CHECK_FALSE(takes(match, {.path = "/", .headers = &good, .document = &*document, .consumer = "app"}));
  CHECK_FALSE(takes(match, {.path = "/", .headers = &good, .view = &view, .document = &*document, .consumer = "other"}));
  CHECK_FALSE(takes(match, {.path = "/", .headers = &good, .view = &view, .document = &*document}));
}

TEST_CASE("tools offered, forced and last called, and the stream flag, are each tested apart") {  // ROUTE-24
  chat::RequestView view = asks("m");
  view.tools_offered = {"search_web", "sql"};
  view.tool_forced = "sql";
  view.tools_called = {"weather"};
  view.stream = true;
  const chat::RequestView bare = asks("m");
  const Subject with{.path = "/", .view = &view}, without{.path = "/", .view = &bare}, opaque{.path = "/"};
  const Match matches[] = {{.tools = {.offered = {"x", "search_*"}}}, {.tools = {.forced = {"sq?"}}}, {.tools = {.last_called = {"weather"}}}, {.stream = true}};
  for (const Match& match : matches) {
    CHECK(takes(match, with));
    CHECK_FALSE(takes(match, without));
    CHECK_FALSE(takes(match, opaque));
  }
  CHECK_FALSE(takes({.tools = {.offered = {"weather"}}}, with));
  CHECK_FALSE(takes({.tools = {.forced = {"search_*"}}}, with));
  CHECK_FALSE(takes({.tools = {.last_called = {"sql"}}}, with));
  CHECK_FALSE(takes({.tools = {.forced = {"*"}}}, without));  // nothing forced is no tool called ""
  CHECK_FALSE(takes({.stream = false}, with));
  CHECK(takes({.stream = false}, without));
  CHECK_FALSE(takes({.stream = false}, opaque));
}

TEST_CASE("a rule that looks at a duplicate key refuses the request, unless an earlier route takes it") {  // SEC-27
  const Route picky{.name = "picky", .match = {.path = "/a", .body = {{"/n", BodyMatch::Op::kExists, {true}}}}}, all{.name = "all"};
  const auto document = json::Document::parse(Body::copy(R"({"n":1,"n":2})"));
  REQUIRE(document);
  const chat::RequestView view;
  const Subject subject{.path = "/a", .view = &view, .document = &*document};
  const auto found = compile({picky, all}).match(subject);
  REQUIRE_FALSE(found);
  CHECK(found.error().code == Code::kDuplicateKey);
  CHECK(taken({all, picky}, subject) == "all");
  CHECK(taken({picky, all}, {.path = "/b", .view = &view, .document = &*document}) == "all");
  const auto passed = compile({picky, all}).explain(subject);
  REQUIRE(passed.size() == 1);
  CHECK_FALSE(passed[0].why.empty());
}

TEST_CASE("the methods of a path are known for a 405, and not where any method is taken") {  // ROUTE-06
  const auto matcher = compile({{.name = "a", .match = {.path = "/a", .methods = {"POST", "PUT"}, .models = {"x"}}},
                                {.name = "a2", .match = {.path = "/a", .methods = {"PUT", "DELETE"}}},
                                {.name = "b", .match = {.path_prefix = "/b", .hosts = {"h.com"}, .methods = {"GET"}}},
                                {.name = "c", .match = {.path = "/c", .methods = {"GET"}}},
                                {.name = "c2", .match = {.path = "/{any}", .stream = true}}});
  using Methods = std::vector<std::string>;
  CHECK(matcher.methods_for("", "/a").empty());  // /{any} takes it with any method
  CHECK(matcher.methods_for("h.com", "/b/x") == Methods{"GET"});
  CHECK(matcher.methods_for("i.com", "/b/x").empty());
  CHECK(matcher.path_known("h.com", "/b/x"));
  CHECK_FALSE(matcher.path_known("i.com", "/b/x"));
  CHECK(matcher.path_known("", "/zzz"));
  const auto closed = compile({{.name = "a", .match = {.path = "/a", .methods = {"POST", "PUT"}}}, {.name = "a2", .match = {.path = "/a", .methods = {"PUT", "DELETE"}}}});
  CHECK(closed.methods_for("", "/a") == Methods{"DELETE", "POST", "PUT"});
  CHECK(closed.methods_for("", "/b").empty());
  CHECK_FALSE(closed.path_known("", "/b"));
}

TEST_CASE("routes say which parts of a request they look at") {
  CHECK(compile({{.name = "a"}}).wants() == chat::kWantNothing);
  CHECK(compile({{.name = "a", .match = {.prompt = {{.value = "x"}}}}}).wants() == chat::kWantPrompt);
  CHECK(compile({{.name = "a", .match = {.tools = {.forced = {"x"}}}}}).wants() == chat::kWantTools);
  CHECK(compile({{.name = "a", .match = {.headers = {{.name = "x"}}}}, {.name = "b", .match = {.prompt = {{.value = "x"}}, .tools = {.offered = {"x"}}}}}).wants() ==
        (chat::kWantPrompt | chat::kWantTools));
}

TEST_CASE("every route that is passed over has its reason, naming the values") {  // ROUTE-22, the matching half
  const std::vector<Route> routes = {
      {.name = "path", .match = {.path = "/v1/embeddings"}},
      {.name = "prefix", .match = {.path_prefix = "/v2"}},
      {.name = "method", .match = {.methods = {"GET", "PUT"}}},
      {.name = "host", .match = {.hosts = {"a.com"}}},
      {.name = "consumer", .match = {.consumers = {"job"}}},
      {.name = "model", .match = {.models = {"gpt-4*", "o1"}}},
      {.name = "stream", .match = {.stream = true}},
      {.name = "header", .match = {.headers = {{"x-team", HeaderMatch::Op::kExact, "red"}}}},
      {.name = "tool", .match = {.tools = {.offered = {"sql"}}}},
      {.name = "body", .match = {.body = {{"/n", BodyMatch::Op::kEquals, {std::int64_t{1}}}}}},
      {.name = "prompt", .match = {.prompt = {{.where = PromptMatch::Where::kSystem, .value = "terse"}}}},
      {.name = "all"},
      {.name = "later"},
  };
  const auto document = json::Document::parse(Body::copy(R"({"n":2})"));
  const Headers headers = {{"x-team", "blue"}};
  const chat::RequestView view = asks("gpt-9");
  const auto passed = compile(routes).explain({.method = "POST", .host = "b.com", .path = "/v1/chat", .headers = &headers, .view = &view, .document = &*document, .consumer = "app"});
  const char* why[] = {
      R"(path "/v1/chat" is not "/v1/embeddings")",
      R"(path "/v1/chat" is not below "/v2")",
      R"(method "POST" is not "GET" or "PUT")",
      R"(host "b.com" is not "a.com")",
      R"(consumer "app" is not "job")",
      R"(model "gpt-9" fits none of "gpt-4*" or "o1")",
      "the request asks for no stream",
      R"(header x-team is "blue", which does not fit exact "red")",
      R"(the request does not offer tool "sql")",
      "body field /n is 2, which does not fit equals 1",
      R"(the system prompt does not contain "terse")",
  };
  REQUIRE(passed.size() == std::size(why));
  for (std::size_t i = 0; i < passed.size(); ++i) {
    CHECK(passed[i].route == i);
    CHECK(passed[i].why == why[i]);
  }
}

TEST_CASE("all mistakes of all routes are reported at once") {
  const auto matcher = Matcher::compile({{.name = "a", .match = {.path = "x"}}, {.name = "b"}, {.name = "c", .match = {.path = "/{", .body = {{"n"}}}}});
  REQUIRE_FALSE(matcher);
  CHECK(matcher.error().code == Code::kInvalidConfiguration);
  const std::string& message = matcher.error().message;
  CHECK(message.starts_with("/routes/0/match/path: "));
  CHECK(message.find("\n/routes/2/match/path: ") != std::string::npos);
  CHECK(message.find("\n/routes/2/match/body/0/pointer: ") != std::string::npos);
}

// Ten thousand routes: what is looked at does not grow with the list.

namespace {

struct Crowd {
  const char* what;
  Route (*route)(int i);
  void (*ask)(int i, std::string& host, std::string& path, std::string& model, std::string& consumer, std::string& team);
};

const Crowd kCrowds[] = {
    {"exact path", [](int i) { return Route{.match = {.path = fmt::format("/t{}/v1/chat/completions", i)}}; },
     [](int i, auto&, auto& path, auto&, auto&, auto&) { path = fmt::format("/t{}/v1/chat/completions", i); }},
    {"path prefix", [](int i) { return Route{.match = {.path_prefix = fmt::format("/t{}", i)}}; },
     [](int i, auto&, auto& path, auto&, auto&, auto&) { path = fmt::format("/t{}/v1/chat/completions", i); }},
    {"path pattern", [](int i) { return Route{.match = {.path = fmt::format("/t{}/{{op}}/**", i)}}; },
     [](int i, auto&, auto& path, auto&, auto&, auto&) { path = fmt::format("/t{}/v1/chat/completions", i); }},
    {"exact model", [](int i) { return Route{.match = {.path = "/v1/chat/completions", .models = {fmt::format("m{}", i), fmt::format("n{}", i)}}}; },
     [](int i, auto&, auto&, auto& model, auto&, auto&) { model = fmt::format("n{}", i); }},
    {"model glob", [](int i) { return Route{.match = {.path = "/v1/chat/completions", .models = {fmt::format("team{}/*", i)}}}; },
     [](int i, auto&, auto&, auto& model, auto&, auto&) { model = fmt::format("team{}/gpt", i); }},
    {"host", [](int i) { return Route{.match = {.hosts = {fmt::format("h{}.example.com", i)}}}; },
     [](int i, auto& host, auto&, auto&, auto&, auto&) { host = fmt::format("h{}.example.com", i); }},
    {"host of one label more", [](int i) { return Route{.match = {.hosts = {fmt::format("*.h{}.example.com", i)}}}; },
     [](int i, auto& host, auto&, auto&, auto&, auto&) { host = fmt::format("x.h{}.example.com", i); }},
    {"consumer", [](int i) { return Route{.match = {.path = "/v1/chat/completions", .consumers = {fmt::format("c{}", i)}}}; },
     [](int i, auto&, auto&, auto&, auto& consumer, auto&) { consumer = fmt::format("c{}", i); }},
    {"header", [](int i) { return Route{.match = {.headers = {{"x-team", HeaderMatch::Op::kExact, fmt::format("t{}", i)}}}}; },
     [](int i, auto&, auto&, auto&, auto&, auto& team) { team = fmt::format("t{}", i); }},
    {"path and model together", [](int i) { return Route{.match = {.path = fmt::format("/t{}/chat", i / 100), .models = {fmt::format("m{}", i % 100)}}}; },
     [](int i, auto&, auto& path, auto& model, auto&, auto&) { path = fmt::format("/t{}/chat", i / 100); model = fmt::format("m{}", i % 100); }},
};

}  // namespace

TEST_CASE("ten thousand routes: each request looks at one, by whichever part they differ") {
  for (const Crowd& crowd : kCrowds) {
    std::vector<Route> routes;
    for (int i = 0; i < 10'000; ++i) routes.push_back(crowd.route(i));
    routes.push_back({.name = "all", .match = {.path_prefix = "/v1/chat", .methods = {"NEVER"}}});
    const auto matcher = compile(routes);
    for (const int i : {0, 1, 4999, 9999}) {
      std::string host = "h.com", path = "/v1/chat/completions", model = "m", consumer = "c", team = "t";
      crowd.ask(i, host, path, model, consumer, team);
      const Headers headers = {{"content-type", "application/json"}, {"x-team", team}};
      const chat::RequestView view = asks(model);
      std::size_t examined = 0;
      const auto found = matcher.match({.method = "POST", .host = host, .path = path, .headers = &headers, .view = &view, .consumer = consumer}, &examined);
      INFO(crowd.what << ", route " << i);
      REQUIRE(found);
      REQUIRE(*found);
      CHECK((*found)->route == static_cast<std::size_t>(i));
      CHECK(examined == 1);
    }
  }
}

TEST_CASE("what is asked before the body is read does not grow with the routes of one path") {
  std::vector<Route> routes;
  for (int i = 0; i < 10'000; ++i) routes.push_back({.match = {.path = "/v1/chat/completions", .methods = {"POST"}, .models = {fmt::format("m{}", i)}}});
  const auto matcher = compile(routes);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(matcher.path_known("", "/v1/chat/completions"));
    REQUIRE(matcher.methods_for("", "/v1/chat/completions").size() == 1);
  }
  // A walk over all of them takes some 100 us a call; a lookup well below one.
  const double us = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count() / 1000;
  CHECK(us < 50);
}
