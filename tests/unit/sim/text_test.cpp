#include "sim/text.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "json/document.hpp"
#include "sluice/body.hpp"

using namespace sluice;
using namespace sluice::sim;

TEST_CASE("a token is a word or one punctuation mark with the blanks before it") {
  const std::string text = "  Don't stop, naïve_one: 3.5!  ";
  std::vector<std::string> tokens;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = token_end(text, at);
    REQUIRE(end > at);
    tokens.push_back(text.substr(at, end - at));
    at = end;
  }
  CHECK(tokens == std::vector<std::string>{"  Don't", " stop", ",", " naïve_one", ":", " 3", ".", "5", "!  "});
  CHECK(count_tokens(text) == tokens.size());
}

TEST_CASE("blanks alone and nothing have no token") {
  CHECK(count_tokens("") == 0);
  CHECK(count_tokens(" \n\t ") == 0);
  CHECK(token_end(" \n\t ", 0) == 4);
  CHECK(count_tokens("a ") == 1);
}

TEST_CASE("a text cut after n tokens has n tokens, for every n") {
  Random random(3);
  const std::string text = generate_text(random, 60);
  for (std::uint64_t n = 0; n <= 60; ++n) CHECK(count_tokens(first_tokens(text, n)) == n);
  CHECK(first_tokens(text, 1000) == text);
}

TEST_CASE("generated text has exactly the tokens asked for, and the same for the same seed") {
  for (const std::size_t tokens : {0, 1, 2, 5, 17, 100, 1000}) {
    Random a(tokens), b(tokens), c(tokens + 1);
    const std::string text = generate_text(a, tokens);
    CHECK(count_tokens(text) == tokens);
    CHECK(generate_text(b, tokens) == text);
    if (tokens > 5) CHECK(generate_text(c, tokens) != text);
  }
}

TEST_CASE("an escaped string reads back as it was") {
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  all += "ünïcode \xF0\x9F\x99\x82";
  const auto document = json::Document::parse(Body::copy(quote(all)));
  REQUIRE(document);
  std::string scratch;
  CHECK(document->root().text(scratch) == all);
}

TEST_CASE("base64 has the padding of each length") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64(std::string("\xff\xfe\x00", 3)) == "//4A");
}

TEST_CASE("arguments of a call become an object on one line, or what they are") {
  CHECK(object_text("") == "{}");
  CHECK(object_text(R"({"a": "b\nc"})") == R"({"a": "b\nc"})");
  CHECK(object_text("{\n  \"a\":\r\n 1}") == "{   \"a\":   1}");
  CHECK(object_text("{\"a\":") == "\"{\\\"a\\\":\"");
}

TEST_CASE("indented JSON is the same, and as services print it") {
  CHECK(indented(R"({"a":[1,{"b":"c, {d}: \"e\\"}],"f":{},"g":[]})") ==
        "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"c, {d}: \\\"e\\\\\"\n    }\n  ],\n  \"f\": {},\n  \"g\": []\n}");
  CHECK(indented("{ \"a\" : 1 }") == "{\n  \"a\": 1\n}");
}

TEST_CASE("a UUID has the version and variant of chance, and is the same for the same name") {
  const std::string one = uuid("one");
  CHECK(one == uuid("one"));
  CHECK(one != uuid("two"));
  REQUIRE(one.size() == 36);
  for (const std::size_t dash : {8, 13, 18, 23}) CHECK(one[dash] == '-');
  CHECK(one[14] == '4');
  CHECK(std::string("89ab").find(one[19]) != std::string::npos);
}

TEST_CASE("moments are written as services write them") {
  CHECK(utc_time(0) == "1970-01-01T00:00:00Z");
  CHECK(utc_time(1'767'225'600) == "2026-01-01T00:00:00Z");
  CHECK(utc_time(1'709'210'096) == "2024-02-29T12:34:56Z");
}
