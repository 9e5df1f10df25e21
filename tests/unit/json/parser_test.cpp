// What the parser accepts and refuses, at which byte, and within which limits.

#include <catch2/catch.hpp>

#include <cstring>

#include <simdjson.h>

#include "json/document.hpp"
#include "unit/json/model.hpp"

using namespace sluice;
using json::Document;

namespace {

// The text with hostile bytes behind it, in memory that ends with the padding: what reads on is seen by its result, or by
// the address sanitizer.
Body hostile(std::string_view text, std::string_view behind) {
  auto* memory = new char[text.size() + Body::kPadding];
  std::memcpy(memory, text.data(), text.size());
  for (std::size_t i = 0; i != Body::kPadding; ++i) memory[text.size() + i] = behind[i % behind.size()];
  return Body::adopt(memory, text.size(), [memory] { delete[] memory; });
}

std::string said(const Body& body) {
  const auto document = Document::parse(body);
  if (document) return "accepted";
  CHECK(document.error().code == Code::kInvalidJson);
  return document.error().message;
}

std::string refusal(std::string_view text) { return said(Body::copy(text)); }

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("a refusal names the byte and what is wrong there, never the content") {
  CHECK(refusal("") == "the text is not JSON: it is empty; send one JSON value");
  CHECK(refusal(" \n ") == "the text is not JSON: it is empty; send one JSON value");
  CHECK(refusal("{\"a\":1,}") == "the text is not JSON: no key in quotes where an object needs one at byte 7");
  CHECK(refusal("{\"a\" 1}") == "the text is not JSON: no colon behind a key at byte 5");
  CHECK(refusal("{\"a\":}") == "the text is not JSON: no value where one is needed at byte 5");
  CHECK(refusal("{\"a\":1 \"b\":2}") == "the text is not JSON: neither comma nor } behind a member at byte 7");
  CHECK(refusal("[1 2]") == "the text is not JSON: neither comma nor ] behind an element at byte 3");
  CHECK(refusal("[1,]") == "the text is not JSON: no value where one is needed at byte 3");
  CHECK(refusal("[1") == "the text is not JSON: an end inside an array or object at byte 2");
  CHECK(refusal("[1,") == "the text is not JSON: an end where a value is needed at byte 3");
  CHECK(refusal("{\"a\":[1]") == "the text is not JSON: an end inside an array or object at byte 8");
  CHECK(refusal("[\"x]") == "the text is not JSON: a string without an end at byte 1");
  CHECK(refusal("[01]") == "the text is not JSON: neither comma nor ] behind an element at byte 2");
  CHECK(refusal("[-]") == "the text is not JSON: no digit behind a minus at byte 1");
  CHECK(refusal("[1.]") == "the text is not JSON: no digit behind a decimal point at byte 1");
  CHECK(refusal("[1e+]") == "the text is not JSON: no digit in an exponent at byte 1");
  CHECK(refusal("[+1]") == "the text is not JSON: no value where one is needed at byte 1");
  CHECK(refusal("[\"\\x\"]") == "the text is not JSON: an unknown escape at byte 2");
  CHECK(refusal("[\"\\u12g4\"]") == "the text is not JSON: an escape \\u without four hexadecimal digits at byte 2");
  CHECK(refusal("[\"a\nb\"]") == "the text is not JSON: a control character in a string at byte 3");
  CHECK(refusal("\xEF\xBB\xBF{}") == "the text is not JSON: no value where one is needed at byte 0");
}

// SEC-30; `\u0000` is JSON, refusing it in `model` is the dialect's part.
TEST_CASE("trailing text, two documents, cut atoms, lone surrogates and broken UTF-8 are refused") {
  CHECK(refusal("{} x") == "the text is not JSON: text behind the end of the document at byte 2");
  CHECK(refusal("{}{}") == "the text is not JSON: text behind the end of the document at byte 2");
  CHECK(refusal("{}]") == "the text is not JSON: text behind the end of the document at byte 2");
  CHECK(refusal("{\"a\":1}\n{\"b\":2}") == "the text is not JSON: text behind the end of the document at byte 7");
  CHECK(refusal("1 2") == "the text is not JSON: text behind the end of the document at byte 1");
  CHECK(refusal(std::string_view("{}\0", 3)) == "the text is not JSON: text behind the end of the document at byte 2");
  for (const char* atom : {"tru", "truE", "fals", "nul", "nan", "Infinity", "True", "undefined"}) {
    INFO(atom);
    CHECK(refusal(atom).starts_with("the text is not JSON: "));
    CHECK(refusal("{\"junk\":" + std::string(atom) + "}").ends_with(" at byte 8"));
    CHECK(refusal("[" + std::string(atom) + "]").ends_with(" at byte 1"));
  }
  CHECK(refusal("[truex]") == "the text is not JSON: neither comma nor ] behind an element at byte 5");
  for (const char* lone : {"\\ud800", "\\ud800x", "\\ud800\\n", "\\ud800\\ud800", "\\udbff\\u0041", "\\ud83d\\"}) {
    INFO(lone);
    CHECK(refusal("[\"" + std::string(lone) + "\"]") == "the text is not JSON: a lone high surrogate at byte 2");
  }
  CHECK(refusal("[\"\\udc00\"]") == "the text is not JSON: a lone low surrogate at byte 2");
  CHECK(refusal("{\"\\udc00\":1}") == "the text is not JSON: a lone low surrogate at byte 2");
  CHECK(refusal("\"\\uD83D\\uDE00\"") == "accepted");
  CHECK(refusal("\"\\u0000\"") == "accepted");
}

TEST_CASE("invalid UTF-8 is found wherever it stands, and its byte is named") {
  const std::string bad[] = {"\x80", "\xC0\xAF", "\xC3", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
                             "\xF8\x88\x80\x80\x80", "\xFF", "\xE6\x97"};
  for (const std::string& bytes : bad) {
    for (const std::size_t before : {0U, 1U, 15U, 16U, 63U, 64U, 65U, 200U, 5000U}) {
      std::string text = "[\"";
      while (text.size() < before + 2) text += "\xC3\xA9";
      const std::size_t at = text.size();
      text += bytes + "\xC3\xA9 and more\"]";
      CHECK(refusal(text) == "the text is not JSON: bytes that are no UTF-8 at byte " + std::to_string(at));
      CHECK(refusal("{\"" + text.substr(2, text.size() - 4) + "\":1}").ends_with(std::to_string(at)));
    }
  }
  CHECK(refusal("[\"\xF4\x8F\xBF\xBF \xEF\xBF\xBD \xED\x9F\xBF\"]") == "accepted");
}

// SEC-28, LIMIT-21 (depth): 1025 levels are refused; a raised limit costs no stack, neither to parse nor to destroy.
TEST_CASE("depth is limited, and no limit is a danger to the stack") {
  CHECK(Document::parse(Body::copy(nested(1024))));
  const auto refused = Document::parse(Body::copy(nested(1025)));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::kJsonTooDeep);
  CHECK(refused.error().http_status == 400);
  CHECK(refused.error().message == "the JSON text nests deeper than 1024 levels at byte 1024; flatten it");
  CHECK_FALSE(Document::parse(Body::copy(std::string(1'000'000, '['))));

  json::Limits limits;
  limits.depth = 1'000'000;
  std::string objects;
  for (int i = 0; i != 500'000; ++i) objects += "{\"a\":[";
  objects += "0";
  for (int i = 0; i != 500'000; ++i) objects += "]}";
  for (const std::string& text : {nested(1'000'000), objects}) {
    limits.values = 1'000'001;
    const auto deep = Document::parse(Body::copy(text), limits);
    REQUIRE(deep);
    json::Value value = deep->root();
    std::size_t depth = 0;
    for (; value; value = value.first()) ++depth;
    CHECK(depth >= 1'000'000);
  }
  limits.depth = 2;
  CHECK(Document::parse(Body::copy("{\"a\":[1],\"b\":[]}"), limits));
  CHECK_FALSE(Document::parse(Body::copy("{\"a\":[[]]}"), limits));
}

TEST_CASE("the number of values is limited") {
  json::Limits limits;
  limits.values = 4;
  CHECK(Document::parse(Body::copy(R"({"a":"1","b":"2","c":"3"})"), limits));
  const auto refused = Document::parse(Body::copy(R"({"a":"1","b":"2","c":"3","d":"4"})"), limits);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::kJsonTooLarge);
  CHECK(refused.error().message == "the JSON text holds more than 4 values at byte 29; send less at once");
}

TEST_CASE("what stands behind a body never counts, and nothing past the padding is read") {
  const char* const kBehind[] = {"e", "\"", "\"]}", "}", "]", "0", ",1", " ", "\\", "\\u0041", "\xFF", "9e9", "l\"}"};
  const char* const kTexts[] = {"tru", "fals", "nul", "1", "-", "1.", "1e", "12345", "\"", "\"\\", "\"\\u00", "\"\\ud83d", "\"\\ud83d\\ude0",
                                "[", "[1", "[1,", "{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "[\"x]", "{\"a}", "",
                                " ", "true", "null", "false", "\"a\"", "{}", "[]", "[1]", "{\"a\":1}", "[\"\\\\\"]", "[\"\\]", "[tru]"};
  for (const std::string_view text : kTexts) {
    const std::string verdict = said(hostile(text, std::string_view("\0", 1)));
    for (const char* behind : kBehind) {
      INFO(text << " followed by " << behind);
      CHECK(said(hostile(text, behind)) == verdict);
    }
  }
  // Every prefix of a text that has everything in it.
  const std::string text = R"({"a":[1,2.5e3,true,null],"b":{"\u0063":"d\n\ud83d\ude00 and a run of more than sixteen bytes"},"e":[]})";
  for (std::size_t n = 0; n <= text.size(); ++n) {
    // An inner bracket may be the last byte of a prefix: it ends an array, not the text.
    const std::string verdict = said(hostile(text.substr(0, n), std::string_view("\0", 1)));
    CHECK((verdict == "accepted") == (n == text.size()));
    for (const char* behind : kBehind) {
      INFO(text.substr(0, n) << " followed by " << behind);
      CHECK(said(hostile(text.substr(0, n), behind)) == verdict);
    }
  }
}

TEST_CASE("strings are right at every length and with an escape, a quote or a control byte at every place") {
  for (std::size_t length = 0; length != 150; ++length) {
    const std::string plain(length, 'x');
    const auto document = Document::parse(hostile("[\"" + plain + "\",1]", "\""));
    REQUIRE(document);
    CHECK(document->root().first().raw_string() == plain);
    for (std::size_t place = 0; place != length; ++place) {
      for (const char* escape : {"\\n", "\\\"", "\\\\", "\\u00e9", "\\ud83d\\ude00", "\\\\\\\"\\\\"}) {
        std::string text = plain;
        text.replace(place, 1, escape);
        const auto escaped = Document::parse(hostile("[\"" + text + "\"]", "\\"));
        if (!escaped || escaped->root().first().raw_string() != text || !escaped->root().first().has_escapes()) FAIL(text);
      }
      std::string text = plain;
      text[place] = '\x1F';
      if (refusal("[\"" + text + "\"]") != "the text is not JSON: a control character in a string at byte " + std::to_string(place + 2)) {
        FAIL("control byte at " << place << " of " << length);
      }
      text[place] = '\\';
      text.insert(place + 1, "x");
      if (refusal("[\"" + text + "\"]") != "the text is not JSON: an unknown escape at byte " + std::to_string(place + 2)) {
        FAIL("unknown escape at " << place << " of " << length);
      }
      text[place] = '"';
      CHECK_FALSE(Document::parse(Body::copy("[\"" + text + "\"]")));
    }
  }
}

TEST_CASE("space of every kind and length may stand between tokens, and nothing else") {
  for (std::size_t n = 0; n != 70; ++n) {
    std::string space;
    for (std::size_t i = 0; i != n; ++i) space.push_back(" \n\t\r"[(i * 7 + n) % 4]);
    const std::string& s = space;
    const std::string text = s + "{" + s + "\"a\"" + s + ":" + s + "[" + s + "1" + s + "," + s + "2" + s + "]" + s + "," + s + "\"b\"" + s +
                             ":" + s + "[" + s + "]" + s + "," + s + "\"c\":{" + s + "}" + s + "}" + s;
    const auto document = Document::parse(hostile(text, " "));
    REQUIRE(document);
    CHECK(document->root().at("/a/1")->raw() == "2");
    for (const char* other : {"\v", "\f", "\xC2\xA0", "\b"}) {
      CHECK_FALSE(Document::parse(Body::copy("[1," + space + other + "2]")));
    }
  }
}

// An independent judge: the DOM parser of simdjson, which validates whole documents.
TEST_CASE("two parsers agree about a hundred thousand damaged texts") {
  simdjson::dom::parser judge;
  std::size_t accepted = 0, refused = 0;
  static constexpr std::string_view kBytes = "\"\\{}[]:,0123456789eE+-. \n\ttrufalsn\x01\x80\xC3\xFF" "d8";
  for (unsigned seed = 0; seed != 10000; ++seed) {
    test::RandomJson random(seed);
    const std::string original = random.text(3);
    for (int round = 0; round != 10; ++round) {
      std::string text = original;
      for (unsigned edits = 1 + random.below(2); edits != 0 && !text.empty(); --edits) {
        const std::size_t at = random.below(static_cast<unsigned>(text.size()));
        const char byte = kBytes[random.below(static_cast<unsigned>(kBytes.size()))];
        switch (random.below(4)) {
          case 0: text[at] = byte; break;
          case 1: text.insert(at, 1, byte); break;
          case 2: text.erase(at, 1); break;
          default: text.resize(at); break;
        }
      }
      const auto ours = Document::parse(hostile(text, "\"]}"));
      const simdjson::error_code theirs = judge.parse(text).error();
      // simdjson refuses integers beyond 64 bits, which RFC 8259 allows and so do we.
      if (ours && (theirs == simdjson::NUMBER_ERROR)) continue;
      if (ours.has_value() != (theirs == simdjson::SUCCESS)) {
        FAIL(text << "\nours: " << (ours ? "accepted" : ours.error().message) << "\ntheirs: " << simdjson::error_message(theirs));
      }
      ++(ours ? accepted : refused);
    }
  }
  CHECK(accepted > 5000);
  CHECK(refused > 20000);
}
