// What a document answers about its values.

#include <catch2/catch.hpp>

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "json/document.hpp"
#include "unit/json/model.hpp"

using namespace sluice;
using json::Document;
using json::Type;
using json::Value;

namespace {

Document parsed(std::string_view text) {
  auto document = Document::parse(Body::copy(text));
  INFO(text);
  if (!document) FAIL(document.error().message);
  return *std::move(document);
}

std::chrono::nanoseconds thread_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// The tree that a walk over handles sees, to compare with the one the slow reader sees.
test::Tree walked(const Value& value) {
  test::Tree tree;
  if (value.type() == Type::kObject) {
    tree.kind = test::Tree::kObject;
    for (Value child = value.first(); child; child = child.next()) {
      tree.members.emplace_back(std::string(child.raw_key()), walked(child));
    }
    REQUIRE(value.size() == tree.members.size());
  } else if (value.type() == Type::kArray) {
    tree.kind = test::Tree::kArray;
    for (Value child = value.first(); child; child = child.next()) tree.elements.push_back(walked(child));
    REQUIRE(value.size() == tree.elements.size());
  } else {
    tree.lexeme = value.raw();
    REQUIRE_FALSE(value.first());
  }
  return tree;
}

/// How deep a valid text nests, by its brackets.
std::uint32_t deepest(std::string_view text) {
  std::uint32_t depth = 0, most = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == '[' || c == '{')) {
      most = std::max(most, ++depth);
    } else if (!quoted && (c == ']' || c == '}')) {
      --depth;
    }
  }
  return most;
}

}  // namespace

TEST_CASE("a value says its type, its lexeme and where it stands") {
  const std::string text = R"( { "s" : "a\nb", "n": -1.5e3 ,"t":true,"f":false,"z":null,"o":{},"a":[ ] } )";
  const Document document = parsed(text);
  const Value root = document.root();
  CHECK(root.type() == Type::kObject);
  CHECK(root.offset() == 1);
  CHECK(root.raw() == std::string_view(text).substr(1, text.size() - 2));
  CHECK(root.size() == 7);
  const auto raw = [&](std::string_view key) { return root.find(key)->raw(); };
  CHECK(raw("s") == R"("a\nb")");
  CHECK(raw("n") == "-1.5e3");
  CHECK(raw("t") == "true");
  CHECK(raw("f") == "false");
  CHECK(raw("z") == "null");
  CHECK(raw("o") == "{}");
  CHECK(raw("a") == "[ ]");
  CHECK(root.find("s")->raw_string() == R"(a\nb)");
  CHECK(root.find("n")->offset() == text.find("-1.5e3"));
  CHECK(root.find("n")->key_offset() == text.find("\"n\""));
  CHECK(root.find("t")->boolean() == true);
  CHECK(root.find("f")->boolean() == false);
  CHECK_FALSE(root.find("z")->boolean());
  CHECK(root.find("z")->is(Type::kNull));
  CHECK_FALSE(root.find("o")->first());
  CHECK_FALSE(root.find("a")->first());
}

TEST_CASE("an absent value answers without harm") {
  const Value absent;
  std::string scratch;
  CHECK_FALSE(absent);
  CHECK(absent.type() == Type::kNull);
  CHECK_FALSE(absent.is(Type::kNull));
  CHECK(absent.raw().empty());
  CHECK(absent.raw_string().empty());
  CHECK(absent.text(scratch).empty());
  CHECK_FALSE(absent.equals(""));
  CHECK_FALSE(absent.integer());
  CHECK_FALSE(absent.number());
  CHECK_FALSE(absent.boolean());
  CHECK_FALSE(*absent.find("x"));
  CHECK_FALSE(*absent.at("/x"));
  CHECK_FALSE(absent.first());
  CHECK_FALSE(absent.next());
  CHECK(absent.raw_key().empty());
  CHECK(absent.size() == 0);
}

TEST_CASE("strings decode every escape, and only those that have one") {
  const Document document = parsed(R"(["plain","\"\\\/\b\f\n\r\t","\u0041\u00e9\u65e5\ud83d\ude00","\u0000"])");
  Value value = document.root().first();
  std::string scratch;
  CHECK_FALSE(value.has_escapes());
  CHECK(value.text(scratch).data() == value.raw_string().data());
  value = value.next();
  CHECK(value.has_escapes());
  CHECK(value.text(scratch) == "\"\\/\b\f\n\r\t");
  CHECK(value.equals("\"\\/\b\f\n\r\t"));
  value = value.next();
  CHECK(value.text(scratch) == "A\xC3\xA9\xE6\x97\xA5\xF0\x9F\x98\x80");
  CHECK(value.equals("A\xC3\xA9\xE6\x97\xA5\xF0\x9F\x98\x80"));
  CHECK_FALSE(value.equals("A\xC3\xA9\xE6\x97\xA5"));
  CHECK_FALSE(value.equals("A\xC3\xA9\xE6\x97\xA5\xF0\x9F\x98\x80!"));
  value = value.next();
  CHECK(value.text(scratch) == std::string_view("\0", 1));
  CHECK(json::decode_string("a\\qb\\u12\\ud800\\udc") == "a\xEF\xBF\xBD" "b\xEF\xBF\xBD" "12\xEF\xBF\xBD\xEF\xBF\xBD" "dc");
  CHECK(json::decode_string("ends\\") == "ends\xEF\xBF\xBD");
}

// SEC-29: none of these is undefined behaviour, and each has one documented result.
TEST_CASE("numbers at the edges have one documented result each") {
  struct Row {
    const char* lexeme;
    std::optional<std::int64_t> integer;
    std::optional<double> number;
  };
  const Row rows[] = {
      {"0", 0, 0.0},
      {"-0", 0, -0.0},                                                         // an integer, zero
      {"1.0", std::nullopt, 1.0},                                              // a number, no integer
      {"1e2", std::nullopt, 100.0},                                            // so is this
      {"9223372036854775807", 9223372036854775807, 9223372036854775807.0},
      {"-9223372036854775808", std::numeric_limits<std::int64_t>::min(), -9223372036854775808.0},
      {"9223372036854775808", std::nullopt, 9223372036854775808.0},
      {"18446744073709551616", std::nullopt, 18446744073709551616.0},          // 2^64: a number, no integer
      {"1.7976931348623157e308", std::nullopt, 1.7976931348623157e308},
      {"1e-400", std::nullopt, 0.0},                                           // too small is zero
      {"-1e-99999999999999999999", std::nullopt, -0.0},
      {"0e99999999999999999999", std::nullopt, 0.0},                           // zero, however large the exponent
      {"0.00001e309", std::nullopt, 1e304},
  };
  for (const Row& row : rows) {
    INFO(row.lexeme);
    const Document alone = parsed(row.lexeme);
    CHECK(alone.root().integer() == row.integer);
    CHECK(alone.root().number() == row.number);
    CHECK(std::signbit(*alone.root().number()) == std::signbit(*row.number));
    const Document in_array = parsed("[" + std::string(row.lexeme) + " ]");
    CHECK(in_array.root().first().integer() == row.integer);
    CHECK(in_array.root().first().number() == row.number);
  }
  for (const std::string lexeme : {"1e400", "-1e400", "1e309", "1.8e308", "0.1e310", "1e99999999999999999999"}) {
    INFO(lexeme);
    for (const std::string& text : {lexeme, "[" + lexeme + "]", "{\"a\":" + lexeme + "}"}) {
      const auto refused = Document::parse(Body::copy(text));
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == Code::kInvalidJson);
      CHECK(refused.error().message.find("too large for any double") != std::string::npos);
    }
  }
  const std::string many_digits(400, '9');
  CHECK_FALSE(Document::parse(Body::copy(many_digits)));
  CHECK(Document::parse(Body::copy("0." + many_digits)));
  CHECK(Document::parse(Body::copy(many_digits + "e-200")));
}

// SEC-27: what is looked at stands there once, however its key is spelt.
TEST_CASE("a key that stands twice is refused when it is looked up, escapes decoded") {
  for (const char* text : {R"({"model":"cheap","model":"expensive"})", R"({"model":1,"mod\u0065l":2})",
                           R"({"\u006dodel":1,"x":{},"model":2})", R"({"\u006d\u006F\u0064\u0065\u006c":1,"mod\u0065l":2})"}) {
    INFO(text);
    const Document document = parsed(text);
    const auto found = document.root().find("model");
    REQUIRE_FALSE(found);
    CHECK(found.error().code == Code::kDuplicateKey);
    CHECK(found.error().param == "model");
    CHECK(found.error().message == "the key `model` stands more than once in one object; send it once");
    CHECK(document.root().at("/model").error().code == Code::kDuplicateKey);
    CHECK_FALSE(*document.root().find("other"));
  }
  const Document escaped = parsed(R"({"mod\u0065l":"a","nested":{"model":1},"mode":2,"models":3,"a/b~c":4,"\"":5})");
  CHECK(escaped.root().find("model")->raw() == "\"a\"");
  std::string scratch;
  CHECK(escaped.root().first().raw_key() == "mod\\u0065l");
  CHECK(escaped.root().first().key(scratch) == "model");
  CHECK(escaped.root().find("\"")->raw() == "5");
  // A key is compared, not the text around it.
  CHECK_FALSE(*escaped.root().find("mode\":2,\"models"));
}

TEST_CASE("a key longer than 65535 bytes is found and compared whole") {
  const std::string key(70000, 'k');
  const Document document = parsed("{\"" + key + "\" : 1,\"" + key + "x\":2}");
  CHECK(document.root().find(key)->raw() == "1");
  CHECK(document.root().find(key + "x")->raw() == "2");
  CHECK_FALSE(*document.root().find(key.substr(1)));
  CHECK(document.root().first().raw_key() == key);
}

TEST_CASE("pointers lead to members and elements, escapes and indexes included") {
  const Document document = parsed(R"({"a/b":{"~":[10,[20,{"":"deep"}]]},"":{"":1},"0":"zero","n":[1,2,3]})");
  const Value root = document.root();
  const auto raw = [&](std::string_view pointer) { return root.at(pointer)->raw(); };
  CHECK(root.at("")->raw() == root.raw());
  CHECK(raw("/a~1b/~0/0") == "10");
  CHECK(raw("/a~1b/~0/1/1/") == "\"deep\"");
  CHECK(raw("/") == "{\"\":1}");
  CHECK(raw("//") == "1");
  CHECK(raw("/0") == "\"zero\"");
  CHECK(raw("/n/2") == "3");
  for (const char* nowhere : {"/n/3", "/n/-", "/n/01", "/n/+1", "/n/1x", "/n/", "/n/0/0", "/x", "/0/0", "/n/99999999999999999999"}) {
    INFO(nowhere);
    CHECK_FALSE(*root.at(nowhere));
  }
  for (const char* bad : {"n", "/~", "/~2", "/a~"}) {
    INFO(bad);
    REQUIRE_FALSE(root.at(bad));
    CHECK(root.at(bad).error().code == Code::kInvalidRequest);
  }
}

TEST_CASE("a number array costs no memory per element and reads like any array") {
  std::string text = "{\"input\":[ 0";
  for (int i = 1; i != 200000; ++i) text += (i % 7 == 0 ? " , " : ",") + std::to_string(i);
  text += " ],\"after\":[1,2,\"x\",3]}";
  json::Limits limits;
  limits.values = 7;  // root, input, after and its four elements
  const auto document = Document::parse(Body::copy(text), limits);
  REQUIRE(document);
  std::int64_t expected = 0;
  for (Value n = document->root().find("input")->first(); n; n = n.next()) {
    if (n.integer() != expected) FAIL("element " << expected << " reads " << n.raw());
    ++expected;
  }
  CHECK(expected == 200000);
  CHECK(document->root().at("/input/1234")->raw() == "1234");
  CHECK(document->root().at("/input/1234")->offset() == text.find(",1234,") + 1);
  CHECK(document->root().at("/input/5")->raw_key().empty());
  CHECK_FALSE(document->root().at("/input/5")->first());
  CHECK(document->root().find("after")->size() == 4);
  limits.values = 6;
  const auto refused = Document::parse(Body::copy(text), limits);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::kJsonTooLarge);
}

// SEC-32
TEST_CASE("200,000 members are parsed and searched in linear time") {
  // Keys of one length with a common beginning: as alike as keys can be.
  std::string text = "{\"k\":0";
  for (int i = 0; i != 200000; ++i) text += ",\"colliding" + std::to_string(1000000 + i) + "\":1";
  text += "}";
  // The best of a few rounds, in processor time of this thread: other programs on the machine do not count.
  auto took = std::chrono::nanoseconds::max();
  for (int round = 0; round != 5; ++round) {
    const auto started = thread_time();
    const Document document = parsed(text);
    const auto found = document.root().find("colliding1199999");
    took = std::min(took, thread_time() - started);
    REQUIRE(found);
    CHECK(found->raw() == "1");
    CHECK(document.root().size() == 200001);
  }
  // Ten times what it takes, sanitizers included, and far below what each member beside each other would.
  CHECK(took < std::chrono::milliseconds(500));
}

TEST_CASE("depth counts how arrays and objects nest") {
  const auto [text, depth] = GENERATE(table<std::string, std::uint32_t>({
      {"1", 0},
      {"{}", 1},
      {R"({"a":1,"b":"[[[["})", 1},
      {"[1,2,3]", 1},
      {"[[],[],[]]", 2},
      {R"({"a":[1,2],"b":{"c":[{}]},"d":[[1]]})", 4},
      {R"([[[]],1,{"a":{"b":[1,2]}},[]])", 4},
      {std::string(1024, '[') + std::string(1024, ']'), 1024},
  }));
  CHECK(parsed(text).depth() == depth);
}

TEST_CASE("a walk over handles sees what a plain reader sees, for thousands of random texts") {
  for (unsigned seed = 0; seed != 3000; ++seed) {
    const std::string text = test::RandomJson(seed).text();
    const Document document = parsed(text);
    if (walked(document.root()) != test::TreeReader::read(text)) FAIL(text);
    if (document.depth() != deepest(text)) FAIL(text);
  }
}
