#include "gateway/config_reader.hpp"

#include <catch2/catch.hpp>

#include "gateway/config_codec.hpp"

using namespace sluice;
using namespace sluice::gateway::config;

namespace {

json::Document parsed(std::string_view text) { return std::move(*json::Document::parse(Body::copy(text))); }

}  // namespace

TEST_CASE("a step of a JSON Pointer is escaped") {
  std::string pointer = "/a";
  append_step(pointer, "b/c~d");
  CHECK(pointer == "/a/b~1c~0d");
}

TEST_CASE("a shown value is bounded, and holds no control character") {
  CHECK(shown(std::string_view("a\r\nb")) == "\"a??b\"");
  CHECK(shown(std::string(200, 'x')).size() < 70);
  const auto document = parsed("[\"" + std::string(200, 'x') + "\", {}, {\"a\": 1}, [], [1], null]");
  std::vector<std::string> all;
  for (auto item = document.root().first(); item; item = item.next()) all.push_back(shown(item));
  CHECK(all[0].size() < 70);
  CHECK(std::vector<std::string>(all.begin() + 1, all.end()) ==
        std::vector<std::string>{"{}", "an object", "[]", "a list", "null"});
}

TEST_CASE("whole numbers are the same number however they are written") {
  const auto document = parsed("[3, 3.0, 3e0, 30e-1, -0, 3.5, 1e300, 9007199254740993, \"3\", true]");
  std::vector<std::optional<std::int64_t>> read;
  for (auto item = document.root().first(); item; item = item.next()) read.push_back(whole_number(item));
  CHECK(read == std::vector<std::optional<std::int64_t>>{3, 3, 3, 3, 0, std::nullopt, std::nullopt, 9007199254740993,
                                                         std::nullopt, std::nullopt});
}

TEST_CASE("laid-out JSON is the same JSON") {
  const std::string text = R"({"a":[1,2.50,"x\u0041 ,:[]"],"b":{},"c":{"d":null,"e":[]}})";
  CHECK(laid_out(text, 200) ==
        "{\n  \"a\": [1, 2.50, \"x\\u0041 ,:[]\"],\n  \"b\": {},\n  \"c\": {\"d\": null, \"e\": []}\n}");
  CHECK(laid_out(text, 10) ==
        "{\n  \"a\": [\n    1,\n    2.50,\n    \"x\\u0041 ,:[]\"\n  ],\n  \"b\": {},\n  \"c\": {\n    \"d\": null,\n   "
        " \"e\": []\n  }\n}");
  CHECK(laid_out(laid_out(text)) == laid_out(text));
  CHECK(laid_out("no json") == "no json");
}
