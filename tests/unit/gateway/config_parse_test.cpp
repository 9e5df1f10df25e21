#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "json/document.hpp"
#include "sluice/config.hpp"
#include "support/files.hpp"
#include "support/schema_checker.hpp"

using namespace sluice;
using Catch::Matchers::Contains;
using Catch::Matchers::Equals;
using Catch::Matchers::StartsWith;

namespace {

std::string message_of(std::string_view text) {
  const auto config = Config::parse(text);
  return config ? "valid" : config.error().message;
}

/// Every document of the corpus the parser takes, by name.
std::vector<std::pair<std::string, std::string>> good_documents() {
  std::vector<std::pair<std::string, std::string>> out;
  const auto corpus = json::Document::parse(Body::copy(tests::source_file("tests/golden/config_corpus.json")));
  REQUIRE(corpus);
  for (auto entry = corpus->root().first(); entry; entry = entry.next()) {
    if (tests::member(entry, "verdict").equals("good"))
      out.emplace_back(tests::text_of(tests::member(entry, "name")), tests::member(entry, "document").raw());
  }
  return out;
}

}  // namespace

// OPS-01
TEST_CASE("every document of the corpus gets its verdict, and every mistake its place") {
  const auto corpus = json::Document::parse(Body::copy(tests::source_file("tests/golden/config_corpus.json")));
  REQUIRE(corpus);
  for (auto entry = corpus->root().first(); entry; entry = entry.next()) {
    const auto problems = validate_json(tests::member(entry, "document").raw());
    INFO(tests::text_of(tests::member(entry, "name")) << "\n" << to_string(problems));
    std::vector<std::string> expected, found;
    if (const auto places = tests::member(entry, "at")) {
      for (auto place = places.first(); place; place = place.next()) expected.push_back(tests::text_of(place));
    }
    for (const Problem& problem : problems) found.push_back(problem.pointer);
    std::sort(expected.begin(), expected.end());
    std::sort(found.begin(), found.end());
    CHECK(found == expected);
  }
}

TEST_CASE("a mistyped key names the nearest one, a mistyped value the nearest value") {
  const std::string text = message_of(
      R"({"version": 1, "upstreams": [{"name": "a", "provider": "opena", "ulr": "http://x", "mode": "secure"}],
    "routes": [{"name": "r", "upstreams": [{"name": "b"}]}]})");
  CHECK(text ==
        "/upstreams/0/provider: unknown provider \"opena\", did you mean \"openai\"?; \"openai-compatible\" with a url "
        "serves any other that speaks that dialect\n"
        "/upstreams/0/ulr: unknown key \"ulr\", did you mean \"url\"?\n"
        "/upstreams/0/mode: must be \"embedded\" or \"security\" (is \"secure\")\n"
        "/routes/0/upstreams/0/name: there is no upstream \"b\", did you mean \"a\"?");
}

TEST_CASE("a mistyped key that was needed is one mistake, not two") {
  CHECK(message_of(R"({"version": 1, "upstreams": [{"nmae": "a", "provider": "simulator"}]})") ==
        "/upstreams/0/nmae: unknown key \"nmae\", did you mean \"name\"?");
  CHECK(message_of(R"({"version": 1, "upstreams": [{"name": "a", "url": 5}]})") ==
        "/upstreams/0/url: must be a text that is not empty (is 5)");
}

TEST_CASE("the mistakes stand in the order of the document") {
  const auto problems = validate_json(
      R"({"version": 1, "routes": [{"name": "r", "upstreams": [{"name": "b"}]}], "upstreams": [{"name": "a", "provider": "x"}], "gateway": {"threads": -1}})");
  REQUIRE(problems.size() == 3);
  CHECK(problems[0].pointer == "/routes/0/upstreams/0/name");
  CHECK(problems[1].pointer == "/upstreams/0/provider");
  CHECK(problems[2].pointer == "/gateway/threads");
}

TEST_CASE("a syntax error shows line, column and the line itself") {
  CHECK(message_of("{\"version\": 1,\n  \"upstreams\": [{\"name\": \"\xC3\xA4\" \"provider\": 1}]\n}") ==
        "line 2, column 30: neither comma nor } behind a member\n"
        "    \"upstreams\": [{\"name\": \"\xC3\xA4\" \"provider\": 1}]\n"
        "                               ^");
  CHECK_THAT(message_of(""), StartsWith("line 1, column 1: "));
  CHECK_THAT(message_of("{\n\n"), StartsWith("line 1, column 2: "));
  CHECK_THAT(message_of("{\"version\": 1}\n}"), StartsWith("line 2, column 1: "));
  const std::string wide = "{\"version\": 1, \"x\": \"" + std::string(5000, 'y') + "\" 1}";
  CHECK(message_of(wide).size() < 400);
  CHECK(message_of("\xEF\xBB\xBF{\"version\": 1}") == "valid");
}

TEST_CASE("a key that stands twice is a mistake wherever it stands") {
  CHECK_THAT(message_of(R"({"version": 1, "version": 1})"), Equals("/version: this key stands 2 times in its object"));
  CHECK_THAT(message_of(R"({"version": 1, "gateway": {"limits": {"headers": 5, "h\u0065aders": 6}}})"),
             Contains("/gateway/limits/headers: this key stands 2 times"));
  CHECK_THAT(message_of(R"({"version": 1, "upstreams": [{"name": "a", "provider": "simulator"}],
                            "routes": [{"name": "r", "upstreams": [{"name": "a"}], "body": {"set": {"/x": {"y": 1, "y": 2}}}}]})"),
             Contains("/routes/0/body/set/~1x/y: this key stands 2 times"));
}

// OPS-07
TEST_CASE("a secret in the document is neither taken nor repeated") {
  for (const char* credential : {R"("sk-very-secret")", R"({"literal": "sk-very-secret"})",
                                 R"({"env": ["sk-very-secret"]})", R"(["sk-very-secret"])"}) {
    const std::string text =
        message_of(std::string(R"({"version": 1, "upstreams": [{"name": "a", "provider": "openai", "credential": )") +
                   credential + "}]}");
    INFO(text);
    CHECK(text != "valid");
    CHECK_THAT(text, !Contains("sk-very-secret"));
  }
  CHECK_THAT(message_of(R"({"version": 1, "consumers": [{"name": "a", "keys": ["sk-very-secret"]}]})"),
             !Contains("sk-very-secret"));
}

// OPS-07
TEST_CASE("a dump masks literal secrets and keeps references") {
  Config config;
  config.upstreams.push_back({.name = "a", .provider = "openai", .credential = Secret::literal("sk-very-secret")});
  config.upstreams.push_back({.name = "b", .provider = "openai", .credential = Secret::env("B_KEY")});
  config.consumers.push_back(
      {.name = "c", .keys = {{.value = Secret::literal("sk-very-secret")}, {.value = Secret::file("/run/c")}}});
  const std::string dump = config.dump();
  CHECK_THAT(dump, !Contains("sk-very-secret"));
  CHECK_THAT(dump, Contains("\"credential\": \"***\""));
  CHECK_THAT(dump, Contains("\"credential\": {\"env\": \"B_KEY\"}"));
  CHECK_THAT(dump, Contains("\"keys\": [\"***\", {\"file\": \"/run/c\"}]"));
  CHECK(to_string(validate(config)) == "");  // a program may hold literals
  CHECK_FALSE(Config::parse(dump));          // a document may not
}

TEST_CASE("reading a dump gives the same configuration again") {
  const auto documents = good_documents();
  CHECK(documents.size() >= 20);
  for (const auto& [name, text] : documents) {
    INFO(name);
    const auto config = Config::parse(text);
    REQUIRE(config);
    const std::string dump = config->dump();
    const auto again = Config::parse(dump);
    INFO(dump << (again ? "" : again.error().message));
    REQUIRE(again);
    CHECK(again->dump() == dump);
    CHECK(to_string(validate(*config)) == "");
  }
}

TEST_CASE("objects built in C++ equal the document that says the same") {
  Config built;
  built.gateway = {
      .name = "edge", .threads = 2, .listen = {{.address = "127.0.0.1:8080", .header_timeout = Milliseconds(5000)}}};
  built.groups = {{.name = "staff", .models = {"gpt-*"}}};
  built.consumers = {
      {.name = "app", .tenant = "acme", .groups = {"staff"}, .keys = {{.value = Secret::env("APP_KEY")}}}};
  built.upstreams = {
      {.name = "openai",
       .provider = "openai",
       .credential = Secret::env("OPENAI_API_KEY"),
       .timeouts = {.connect = Milliseconds(2000)},
       .caps = {.in_flight = 8}},
      {.name = "azure",
       .provider = "azure",
       .url = "https://x.openai.azure.com",
       .entra = {.tenant_id = "t-1", .client_id = "c", .client_secret = Secret::env("CLIENT")}},
      {.name = "vertex",
       .provider = "vertex",
       .url = "https://vertex.example/v1",
       .service_account = {.key = Secret::file("/run/k.json"), .token_url = "https://tokens.example/t"}},
      {.name = "aws",
       .provider = "bedrock",
       .aws = {.region = "us-east-1",
               .access_key_id = Secret::env("ID"),
               .secret_access_key = Secret::env("KEY"),
               .assume_role = {.role_arn = "arn:aws:iam::1:role/r", .duration = std::chrono::seconds(900)}}},
      {.name = "demo", .provider = "simulator", .simulator = {.answer = "hi", .tokens_per_second = 12.5}}};
  Route chat{.name = "chat",
             .upstreams = {{.upstream = "openai", .model = "gpt-4o-mini", .pools = {"fast"}}, {.upstream = "demo"}}};
  chat.match.path = "/{team}/v1/chat/completions";
  chat.match.models = {"gpt-*"};
  chat.match.headers = {{.name = "x-tier", .op = HeaderMatch::Op::kExact, .value = "gold"},
                        {.name = "x-zone", .op = HeaderMatch::Op::kPresent}};
  chat.match.body = {{.pointer = "/n", .op = BodyMatch::Op::kLess, .values = {std::int64_t{3}}},
                     {.pointer = "/user", .op = BodyMatch::Op::kIn, .values = {std::string("a"), nullptr}}};
  chat.match.prompt = {{.where = PromptMatch::Where::kSystem, .value = "x", .ignore_case = true}};
  chat.match.stream = true;
  chat.admit = {"staff"};
  chat.rewrite.path = "/v1/chat/completions";
  chat.request_headers.set = {{"x-team", "a"}};
  chat.body.set = {{"/temperature", "0"}};
  built.routes = {chat};
  REQUIRE(to_string(validate(built)) == "");

  const auto read = Config::parse(R"({
    "version": 1,
    "gateway": {"name": "edge", "threads": 2, "listen": [{"address": "127.0.0.1:8080", "header_timeout_ms": 5000}]},
    "groups": [{"name": "staff", "models": ["gpt-*"]}],
    "consumers": [{"name": "app", "tenant": "acme", "groups": ["staff"], "keys": [{"env": "APP_KEY"}]}],
    "upstreams": [{"name": "openai", "provider": "openai", "credential": {"env": "OPENAI_API_KEY"}, "timeouts": {"connect_ms": 2000}, "caps": {"in_flight": 8}},
                  {"name": "azure", "provider": "azure", "url": "https://x.openai.azure.com", "entra": {"tenant_id": "t-1", "client_id": "c", "client_secret": {"env": "CLIENT"}}},
                  {"name": "vertex", "provider": "vertex", "url": "https://vertex.example/v1", "service_account": {"key": {"file": "/run/k.json"}, "token_url": "https://tokens.example/t"}},
                  {"name": "aws", "provider": "bedrock", "aws": {"region": "us-east-1", "access_key_id": {"env": "ID"}, "secret_access_key": {"env": "KEY"},
                    "assume_role": {"role_arn": "arn:aws:iam::1:role/r", "duration_s": 900}}},
                  {"name": "demo", "provider": "simulator", "simulator": {"answer": "hi", "tokens_per_second": 12.5}}],
    "routes": [{"name": "chat", "admit": ["staff"],
      "match": {"path": "/{team}/v1/chat/completions", "model": "gpt-*", "headers": {"x-tier": "gold", "x-zone": {"present": true}}, "stream": true,
                "body": [{"pointer": "/n", "lt": 3}, {"pointer": "/user", "in": ["a", null]}],
                "prompt": [{"where": "system", "contains": "x", "ignore_case": true}]},
      "upstreams": [{"name": "openai", "model": "gpt-4o-mini", "pools": ["fast"]}, {"name": "demo"}],
      "rewrite": {"path": "/v1/chat/completions"}, "request_headers": {"set": {"x-team": "a"}}, "body": {"set": {"/temperature": 0}}}]
  })");
  REQUIRE(read);
  CHECK(read->dump() == built.dump());
}

TEST_CASE("a route that only has its name and upstream wrong says nothing about routes it might shadow") {
  const auto problems = validate_json(R"({"version": 1, "upstreams": [{"name": "a", "provider": "simulator"}],
    "routes": [{"name": "r", "match": {"modle": "x"}, "upstreams": [{"name": "a"}]}, {"name": "s", "match": {"path": "/a"}, "upstreams": [{"name": "a"}]}]})");
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].pointer == "/routes/0/match/modle");
}

TEST_CASE("a file that cannot be read is named, with the reason") {
  const auto missing = Config::load("/nowhere/gateway.json");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == Code::kFileUnreadable);
  CHECK_THAT(missing.error().message, Contains("/nowhere/gateway.json") && Contains("No such file"));
  const auto directory = Config::load(SLUICE_SOURCE_DIR);
  REQUIRE_FALSE(directory);
  CHECK(directory.error().code == Code::kFileUnreadable);
}

TEST_CASE("ten thousand routes are read and judged in a bounded time") {
  std::string text = R"({"version": 1, "upstreams": [{"name": "a", "provider": "simulator"}], "routes": [)";
  for (int i = 0; i < 10'000; ++i) {
    text += (i == 0 ? "" : ",") + std::string(R"({"name": "r)") + std::to_string(i) + R"(", "match": {"path": "/v1/)" +
            std::to_string(i) + R"("}, "upstreams": [{"name": "a"}]})";
  }
  const auto begin = std::chrono::steady_clock::now();
  CHECK(message_of(text + "]}") == "valid");
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  WARN("10,000 routes: " << took.count() << " ms");
  CHECK(took < std::chrono::seconds(20));  // sanitizers included; quadratic would be minutes
}
