// The shared body: padding that can be read, memory that is released once, and no copy where none is needed.

#include "sluice/body.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using sluice::Body;

namespace {

/// Readable, zeroed bytes behind the body. A sanitizer tells where they are not the body's own.
bool is_padded(const Body& body) {
  return std::all_of(body.view().data() + body.size(), body.view().data() + body.size() + Body::kPadding, [](char c) { return c == 0; });
}

}  // namespace

TEST_CASE("a copied body is the bytes and its padding") {
  for (const std::size_t size : {std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{65}, std::size_t{100'000}}) {
    const std::string text(size, 'x');
    const Body body = Body::copy(text);
    CHECK(body.view() == text);
    CHECK(body.view().data() != text.data());
    CHECK(is_padded(body));
  }
}

TEST_CASE("an empty body is empty, however it was made") {
  for (const Body& body : {Body(), Body::copy(""), Body::from(std::string())}) {
    CHECK(body.empty());
    CHECK(body.size() == 0);
    CHECK(body.view().data() != nullptr);
  }
}

TEST_CASE("a text with room for the padding becomes a body without being copied") {
  std::string text(1000, 'y');
  text.reserve(text.size() + Body::kPadding);
  const char* const data = text.data();
  const Body body = Body::from(std::move(text));
  CHECK(body.view().data() == data);
  CHECK(body.view() == std::string(1000, 'y'));
  CHECK(is_padded(body));
}

TEST_CASE("a text without room becomes a body all the same") {
  for (const std::size_t size : {std::size_t{1}, std::size_t{15}, std::size_t{16}, std::size_t{1000}}) {
    std::string text(size, 'z');
    text.shrink_to_fit();
    const Body body = Body::from(std::move(text));
    CHECK(body.view() == std::string(size, 'z'));
    CHECK(is_padded(body));
  }
}

TEST_CASE("adopted memory is used in place and released once, after the last copy") {
  std::string memory(500 + Body::kPadding, 'm');
  int released = 0;
  {
    Body outlives;
    {
      const Body body = Body::adopt(memory.data(), 500, [&] { ++released; });
      CHECK(body.view().data() == memory.data());
      CHECK(body.size() == 500);
      outlives = body;
    }
    CHECK(released == 0);
    CHECK(outlives.view().data() == memory.data());
  }
  CHECK(released == 1);
  { const Body nobody_waits = Body::adopt(memory.data(), 10, nullptr); }
}

TEST_CASE("copies share the bytes") {
  const Body body = Body::copy("shared");
  const Body copy = body;  // NOLINT(performance-unnecessary-copy-initialization)
  CHECK(copy.view().data() == body.view().data());
}
