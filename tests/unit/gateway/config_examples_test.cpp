#include <catch2/catch.hpp>

#include <algorithm>
#include <vector>

#include "sluice/config.hpp"
#include "support/files.hpp"

using namespace sluice;

namespace {

/// What stands between "```LANGUAGE" and "```", block by block.
std::vector<std::string> blocks(const std::string& page, const std::string& language) {
  std::vector<std::string> out;
  const std::string fence = "```" + language + "\n";
  for (std::size_t at = page.find(fence); at != std::string::npos; at = page.find(fence, at)) {
    at += fence.size();
    const std::size_t end = page.find("```", at);
    REQUIRE(end != std::string::npos);
    out.push_back(page.substr(at, end - at));
    at = end;
  }
  return out;
}

/// A piece of a page, one or more routes, as the document it would stand in: upstreams and consumers are given.
std::string around(const std::string& routes) {
  return R"({"version": 1,
    "groups": [{"name": "staff"}],
    "consumers": [{"name": "app", "groups": ["staff"]}, {"name": "batch"}],
    "upstreams": [{"name": "openai", "provider": "openai", "default_model": "gpt-4o-mini"}, {"name": "groq", "provider": "groq"},
                  {"name": "local", "provider": "vllm", "default_model": "qwen3"}, {"name": "vendor", "provider": "openai", "mode": "security"}],
    "routes": [)" +
         routes + "]}";
}

}  // namespace

TEST_CASE("every example of the page on routing is valid") {
  const auto found = blocks(tests::source_file("docs/routing.md"), "json");
  CHECK(found.size() >= 10);
  for (const std::string& block : found) {
    INFO(block);
    const bool whole = block.find("\"version\"") != std::string::npos;
    CHECK(to_string(validate_json(whole ? block : around(block))) == "");
  }
}

TEST_CASE("the example of the page on reliability is valid") {
  const auto found = blocks(tests::source_file("docs/reliability.md"), "json");
  REQUIRE(found.size() == 1);
  const std::string document = R"({"version": 1, "upstreams": [{"name": "openai", "provider": "openai"},
    {"name": "azure", "provider": "openai-compatible", "url": "https://azure.example/v1"}, {"name": "local", "provider": "vllm"}], "routes": [)" +
                               found[0] + "]}";
  CHECK(to_string(validate_json(document)) == "");
}

TEST_CASE("every example of the page on plugins is valid, and each built-in plugin has one") {
  const auto found = blocks(tests::source_file("docs/plugins.md"), "json");
  for (const char* kind : {"transform", "limits", "request_log", "regex_replace", "http_guard"}) {
    INFO(kind);
    CHECK(std::any_of(found.begin(), found.end(), [&](const std::string& block) { return block.find('"' + std::string(kind) + "\": {") != std::string::npos; }));
  }
  for (const std::string& block : found) {
    INFO(block);
    const std::string around = R"({"version": 1, "upstreams": [{"name": "openai", "provider": "openai"},
      {"name": "moderation", "provider": "openai-compatible", "url": "https://moderation.example"}],
      "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "openai"}], "plugins": [)";
    const bool whole = block.find("\"version\"") != std::string::npos;
    CHECK(to_string(validate_json(whole ? block : around + block + "]}]}")) == "");
  }
}

TEST_CASE("every example of the page on custom upstreams is valid") {
  const auto found = blocks(tests::source_file("docs/custom-upstreams.md"), "json");
  REQUIRE(found.size() == 2);
  for (const std::string& block : found) {
    INFO(block);
    CHECK(to_string(validate_json(block)) == "");
  }
}

// OPS-09
TEST_CASE("every example configuration is valid, without a secret or a network") {
  for (const char* name : {"minimal", "simulators", "openai-and-local", "routing", "plugins"}) {
    INFO(name);
    const auto config = Config::load(std::string(SLUICE_SOURCE_DIR) + "/examples/configs/" + name + ".json");
    INFO((config ? "" : config.error().message));
    CHECK(config);
  }
}
