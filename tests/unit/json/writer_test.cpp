// What the writer writes is JSON, and reads back as what went in.

#include <catch2/catch.hpp>

#include <limits>

#include "json/document.hpp"
#include "json/writer.hpp"

using namespace sluice;
using json::Document;

TEST_CASE("a writer puts every comma and colon") {
  std::string out;
  {
    json::Writer writer(out);
    writer.begin_object();
    writer.field("s", "a\"b").key("n").integer(-5).key("u").unsigned_integer(18446744073709551615U);
    writer.key("d").number(0.1).key("t").boolean(true).key("z").null();
    writer.key("a").begin_array().integer(1).begin_array().end_array().begin_object().end_object().string("x").end_array();
    writer.key("o").begin_object().key("").raw("[1, 2]").end_object().end_object();
  }
  CHECK(out == R"({"s":"a\"b","n":-5,"u":18446744073709551615,"d":0.1,"t":true,"z":null,"a":[1,[],{},"x"],"o":{"":[1, 2]}})");
  CHECK(Document::parse(Body::copy(out)));
}

TEST_CASE("a writer appends, and a scalar alone is a text") {
  std::string out = "data: ";
  json::Writer(out).string("x");
  CHECK(out == "data: \"x\"");
}

TEST_CASE("numbers are written in the shortest form that reads back; what is not finite is null") {
  for (const double n : {0.0, -0.0, 1.0, 0.1, 1e22, 1e-7, 123456789.125, 1.7976931348623157e308, 5e-324, 1.0 / 3}) {
    std::string out;
    json::Writer(out).number(n);
    INFO(out);
    const auto document = Document::parse(Body::copy(out));
    REQUIRE(document);
    CHECK(document->root().number() == n);
  }
  std::string out;
  json::Writer(out).number(std::numeric_limits<double>::infinity());
  json::Writer(out).number(std::numeric_limits<double>::quiet_NaN());
  CHECK(out == "nullnull");
  out.clear();
  json::Writer(out).integer(std::numeric_limits<std::int64_t>::min());
  CHECK(out == "-9223372036854775808");
}

TEST_CASE("every byte and every place in a string comes back from the parser") {
  for (int byte = 0; byte != 128; ++byte) {
    for (std::size_t place = 0; place != 70; ++place) {
      std::string text(70, 'x');
      text[place] = static_cast<char>(byte);
      const auto document = Document::parse(Body::copy(json::quoted(text)));
      REQUIRE(document);
      std::string scratch;
      if (document->root().text(scratch) != text) FAIL("byte " << byte << " at " << place);
    }
  }
  CHECK(json::quoted(std::string_view("\0\x1f\x7f/\b\f\n\r\t", 9)) == "\"\\u0000\\u001f\x7f/\\b\\f\\n\\r\\t\"");
  CHECK(json::quoted("h\xC3\xA9 \xE6\x97\xA5 \xF0\x9F\x98\x80") == "\"h\xC3\xA9 \xE6\x97\xA5 \xF0\x9F\x98\x80\"");
}

TEST_CASE("invalid UTF-8 becomes U+FFFD, one for each longest beginning of a character") {
  const std::string r = "\xEF\xBF\xBD";
  CHECK(json::quoted("a\x80z") == "\"a" + r + "z\"");
  CHECK(json::quoted("\xC0\xAF") == "\"" + r + r + "\"");
  CHECK(json::quoted("\xE6\x97") == "\"" + r + "\"");
  CHECK(json::quoted("\xE6\x97\"") == "\"" + r + "\\\"\"");
  CHECK(json::quoted("\xED\xA0\x80") == "\"" + r + r + r + "\"");
  CHECK(json::quoted("\xF0\x9F\x98 \xF0\x9F\x98\x80") == "\"" + r + " \xF0\x9F\x98\x80\"");
  CHECK(json::quoted("\xF4\x90\x80\x80") == "\"" + r + r + r + r + "\"");
  CHECK(json::quoted("\xC3\n\xFF\\") == "\"" + r + "\\n" + r + "\\\\\"");
  for (int a = 0x80; a != 0x100; ++a) {
    for (int b = 0; b != 0x100; ++b) {
      const char bytes[] = {static_cast<char>(a), static_cast<char>(b), 'x'};
      if (!Document::parse(Body::copy(json::quoted({bytes, 3})))) FAIL("bytes " << a << ' ' << b);
    }
  }
}
