// The scanner sees the same fields at every split.

#include <catch2/catch.hpp>

#include <array>

#include "json/document.hpp"
#include "json/field_scanner.hpp"
#include "unit/json/model.hpp"

using namespace sluice;
using json::FieldScanner;

namespace {

constexpr std::array<std::string_view, 3> kFields = {"usage", "model", "id"};

struct Seen {
  std::array<std::string, 3> values;
  std::array<bool, 3> truncated{};
  bool complete = false, not_json = false;
  friend bool operator==(const Seen&, const Seen&) = default;
};

Seen result(const FieldScanner& scanner) {
  Seen seen;
  for (std::size_t i = 0; i != kFields.size(); ++i) {
    seen.values[i] = scanner.value(i);
    seen.truncated[i] = scanner.truncated(i);
  }
  seen.complete = scanner.complete();
  seen.not_json = scanner.not_json();
  return seen;
}

// Fed whole, split at every place, and byte by byte: all the same.
Seen scanned(const std::string& text, std::size_t max = 1000) {
  FieldScanner whole(kFields, max);
  whole.feed(text);
  const Seen expected = result(whole);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    FieldScanner split(kFields, max);
    // Pieces of their own, so that the address sanitizer sees a step outside.
    const std::string a = text.substr(0, cut), b = text.substr(cut);
    split.feed(a);
    split.feed(b);
    if (result(split) != expected) FAIL("cut at " << cut << " of " << text);
  }
  FieldScanner bytes(kFields, max);
  for (const char c : text) bytes.feed({&c, 1});
  if (result(bytes) != expected) FAIL("byte by byte: " << text);
  return expected;
}

}  // namespace

TEST_CASE("fields of an answer are captured raw, at every split") {
  const Seen seen = scanned(R"( {"id":"chatcmpl-1" , "object":"x","choices":[{"message":{"content":"say \"usage\": {\\"}},{"model":"no"}],)"
                            R"("mod\u0065l":"gpt \"4\" \\","usage" : { "prompt_tokens": 12, "d":{"x":[1,"}]"]} } } )");
  CHECK(seen.values[0] == R"({ "prompt_tokens": 12, "d":{"x":[1,"}]"]} })");
  CHECK(seen.values[1] == R"("gpt \"4\" \\")");
  CHECK(seen.values[2] == R"("chatcmpl-1")");
  CHECK(seen.complete);
  CHECK_FALSE(seen.not_json);
}

TEST_CASE("scalars end at a comma, a bracket or space") {
  CHECK(scanned(R"({"usage":null,"model":-1.5e3 ,"id":true})").values == std::array<std::string, 3>{"null", "-1.5e3", "true"});
  CHECK(scanned("{\"usage\":[],\"model\":{}\n,\"id\":\"\"}").values == std::array<std::string, 3>{"[]", "{}", "\"\""});
}

TEST_CASE("a value counts when it has come whole") {
  const std::string text = R"({"usage":{"a":1},"model":12})";
  for (std::size_t n = 0; n <= text.size(); ++n) {
    const Seen seen = scanned(text.substr(0, n));
    CHECK(seen.values[0] == (n >= 16 ? "{\"a\":1}" : ""));
    CHECK(seen.values[1] == (n == text.size() ? "12" : ""));
    CHECK(seen.complete == (n == text.size()));
  }
}

TEST_CASE("only members of the root count, and the last of one name") {
  CHECK(scanned(R"({"x":{"usage":1},"usage":{"usage":2},"usage":3,"y":["model",{"id":4}]})").values ==
        std::array<std::string, 3>{"3", "", ""});
  CHECK(scanned(R"({"usage":1,"usage")").values[0] == "1");
  CHECK(scanned(R"({"usage":1,"usage":2)").values[0].empty());
  CHECK(scanned(R"({"usag":1,"usagee":2,"usage\n":3,"Usage":4,"":5})").values[0].empty());
}

TEST_CASE("a value beyond the limit is dropped and said to be") {
  const Seen seen = scanned(R"({"usage":{"long":"0123456789"},"model":"0123456","id":"01234567"})", 9);
  CHECK(seen.truncated == std::array<bool, 3>{true, false, true});
  CHECK(seen.values[1] == "\"0123456\"");
  CHECK(seen.values[0].empty());
  CHECK(seen.complete);
  // The last one wins here too.
  CHECK(scanned(R"({"id":"0123456789","id":1})", 5).values[2] == "1");
  CHECK_FALSE(scanned(R"({"id":"0123456789","id":1})", 5).truncated[2]);
  CHECK(scanned(R"({"id":1,"id":"0123456789"})", 5).truncated[2]);
}

TEST_CASE("what is no object gives nothing") {
  CHECK(scanned("[{\"usage\":1}]").values[0].empty());
  CHECK_FALSE(scanned("[1]").not_json);
  CHECK_FALSE(scanned("[1]").complete);
  CHECK(scanned(" <html>{\"usage\":1}").not_json);
  CHECK(scanned("upstream connect error").not_json);
  CHECK(scanned("\"usage\"").not_json);
  CHECK_FALSE(scanned("").not_json);
  CHECK_FALSE(scanned("  ").not_json);
  CHECK(scanned("{}{\"usage\":1}").values[0].empty());
}

TEST_CASE("long keys are not kept") {
  const std::string text = "{\"" + std::string(300, 'k') + "\":1,\"" + std::string(30, '\\') + "\":2,\"usage\":3}";
  CHECK(scanned(text).values[0] == "3");
}

TEST_CASE("the scanner agrees with the parser about random texts") {
  static constexpr std::array<std::string_view, 3> kKeys = {"k0", "k1", "k3"};
  for (unsigned seed = 0; seed != 2000; ++seed) {
    test::RandomJson random(seed);
    const std::string text = random.text();
    const auto document = json::Document::parse(Body::copy(text));
    REQUIRE(document);
    FieldScanner scanner(kKeys, text.size());
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t n = 1 + random.below(40);
      scanner.feed(std::string_view(text).substr(at, n));
      at += n;
    }
    CHECK(scanner.complete() == document->root().is(json::Type::kObject));
    for (std::size_t i = 0; i != kKeys.size(); ++i) {
      if (scanner.value(i) != document->root().find(kKeys[i])->raw()) FAIL(text);
    }
  }
}

TEST_CASE("noise of any kind neither harms the scanner nor makes splits differ") {
  static constexpr std::string_view kBytes = "\"\\{}[]:, ausgeid1\n\xFF";
  test::RandomJson random(7);
  for (int round = 0; round != 3000; ++round) {
    std::string text = round % 2 == 0 ? "{" : "{\"usage\":";
    for (unsigned n = random.below(40); n != 0; --n) text += kBytes[random.below(static_cast<unsigned>(kBytes.size()))];
    scanned(text, 8);
  }
}
