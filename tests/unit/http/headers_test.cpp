// Header lists: validation at the boundary, order, case, and views of the list given back to it.

#include "sluice/headers.hpp"

#include <catch2/catch.hpp>

using namespace sluice;

TEST_CASE("fields keep their order and their case, and are found without regard to case") {
  Headers headers;
  REQUIRE(headers.add("Content-Type", "application/json"));
  REQUIRE(headers.add("X-Tag", "one"));
  REQUIRE(headers.add("x-tag", "two"));
  REQUIRE(headers.size() == 3);
  CHECK(headers.get("content-TYPE") == "application/json");
  CHECK(headers.get("X-TAG") == "one");
  CHECK(headers.count("x-Tag") == 2);
  CHECK_FALSE(headers.get("x-ta"));
  CHECK_FALSE(headers.contains("x-tags"));
  CHECK(headers[2].name == "x-tag");
  CHECK(headers.bytes() == 12 + 16 + 5 + 3 + 5 + 3);
  std::string all;
  for (const HeaderField field : headers) all.append(field.name).append(":").append(field.value).append(";");
  CHECK(all == "Content-Type:application/json;X-Tag:one;x-tag:two;");
}

TEST_CASE("SEC-15: a value with CR, LF, NUL or another control is refused at the boundary and leaves no trace") {
  // SEC-15
  const std::string_view bad[] = {
      {"a\r\nX-Admin: 1"}, {"a\nb"},  {"\n"},   {"a\rb"},           {"a\0b", 3},
      {"\0", 1},           {"a\x0b"}, {"\x1f"}, {"0123456789\x7f"}, {"aaaaaaaaaaaaaaaaaaaaaaaaaa\r"},
      {"12345678\t\x01"}};
  for (const std::string_view value : bad) {
    Headers headers{{"a", "1"}};
    const Status added = headers.add("x-test", value);
    REQUIRE_FALSE(added);
    CHECK(added.error().code == Code::kInvalidHeader);
    CHECK(added.error().param == "x-test");
    CHECK(added.error().message.find("X-Admin") == std::string::npos);
    const Status set = headers.set("a", value);
    REQUIRE_FALSE(set);
    CHECK(headers.size() == 1);
    CHECK(headers.get("a") == "1");
    CHECK_FALSE(is_header_value(value));
  }
  for (const std::string_view name : {"", "x y", "x:", "x\r\n", "x\x80", "(x)", " x", "x ", "x\t", "a\"b"}) {
    Headers headers;
    const Status added = headers.add(name, "v");
    REQUIRE_FALSE(added);
    CHECK(added.error().code == Code::kInvalidHeader);
    CHECK(headers.empty());
  }
}

TEST_CASE("every byte is judged as a value byte at every place of a word") {
  for (unsigned byte = 0; byte < 256; ++byte)
    for (std::size_t at = 0; at < 19; ++at) {
      std::string value(19, 'v');
      value[at] = static_cast<char>(byte);
      const bool good = byte == '\t' || (byte >= 0x20 && byte != 0x7f);
      REQUIRE(is_header_value(value) == good);
    }
}

TEST_CASE("names are compared letter by letter at every length, and only letters have a case") {
  for (unsigned byte = 0; byte < 256; ++byte)
    for (std::size_t size : {1u, 3u, 7u, 8u, 9u, 15u, 16u, 17u, 24u})
      for (std::size_t at : {std::size_t{0}, size / 2, size - 1}) {
        std::string a(size, 'q');
        std::string b(size, 'Q');
        a[at] = static_cast<char>(byte);
        b[at] = static_cast<char>(byte ^ 0x20);
        const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        REQUIRE(same_name(a, b) == letter);
        REQUIRE(same_name(a, a));
        REQUIRE_FALSE(same_name(a, a + "x"));
      }
}

TEST_CASE("blanks around a value are cut off, blanks inside stay") {
  Headers headers;
  REQUIRE(headers.add("a", " \t x \t y\t "));
  REQUIRE(headers.add("b", " \t "));
  headers.add_trusted("c", " z ");
  CHECK(headers.get("a") == "x \t y");
  CHECK(headers.get("b") == "");
  CHECK(headers.get("c") == "z");
}

TEST_CASE("set replaces every field of that name, remove says how many went, and the arena holds only what is left") {
  Headers headers{{"a", "1"}, {"B", "2"}, {"A", "3"}, {"c", "4"}};
  REQUIRE(headers.set("a", "5"));
  CHECK(headers.size() == 3);
  CHECK(headers[0].name == "B");
  CHECK(headers[2].value == "5");
  CHECK(headers.bytes() == 6);
  CHECK(headers.remove("x") == 0);
  CHECK(headers.remove("b") == 1);
  CHECK(headers.get("c") == "4");
  CHECK(headers.get("a") == "5");
  CHECK(headers.bytes() == 4);
  headers.clear();
  CHECK(headers.empty());
  CHECK(headers.bytes() == 0);
}

TEST_CASE("a list takes views of its own fields") {
  Headers headers{{"first", "a value long enough for the arena to grow when it is copied"}};
  for (int i = 0; i < 20; ++i) {
    REQUIRE(headers.add(headers[0].name, *headers.get("first")));
    REQUIRE(headers.set("other", headers[0].value));
    REQUIRE(headers.set(headers[0].name, headers[0].value));
    CHECK(headers.get("first") == "a value long enough for the arena to grow when it is copied");
  }
  CHECK(headers.remove(headers[0].name) == 1);
  CHECK(headers.size() == 1);
}
