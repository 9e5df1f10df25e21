// Base64, both ways; vectors of RFC 4648, section 10.

#include "base/base64.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace sluice::base;

TEST_CASE("the RFC's vectors are written and read, with and without padding") {
  const std::vector<std::pair<std::string, std::string>> vectors{{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    CHECK(base64_encode(bytes) == text);
    CHECK(base64_decode(text) == bytes);
    CHECK(base64_decode(text.substr(0, text.find('='))) == bytes);
  }
}

TEST_CASE("every byte comes back, and what is no base64 is told from it") {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  CHECK(base64_decode(base64_encode(all)) == all);
  for (const std::string text : {"a", "Zg=", "Zg===", "Z=g=", "Zm9v!", "Zm9v\n", "Zm9-", "=", "Zm9vY"}) {
    INFO(text);
    CHECK_FALSE(base64_decode(text));
  }
}
