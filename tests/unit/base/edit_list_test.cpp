// Bodies with splices, against strings edited the plain way.

#include "base/edit_list.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

#include "sluice/random.hpp"

using sluice::Body;
using sluice::Random;
using sluice::base::EditedBody;

namespace {

std::string joined(const EditedBody& body) {
  std::vector<iovec> views;
  body.append_to(views);
  std::string out;
  for (const iovec& view : views) {
    CHECK(view.iov_len > 0);
    out.append(static_cast<const char*>(view.iov_base), view.iov_len);
  }
  return out;
}

std::string read_in(const EditedBody& body, std::size_t capacity) {
  std::string out, piece(capacity, '\0');
  for (;;) {
    const std::size_t n = body.read(out.size(), piece.data(), capacity);
    if (n == 0) return out;
    out.append(piece, 0, n);
  }
}

}  // namespace

TEST_CASE("a body without splices is sent from the shared buffer, in one piece") {
  const EditedBody body(Body::copy("untouched"));
  CHECK_FALSE(body.edited());
  std::vector<iovec> views;
  body.append_to(views);
  REQUIRE(views.size() == 1);
  CHECK(views[0].iov_base == body.original().view().data());
  CHECK(body.size() == 9);
}

TEST_CASE("splices replace, insert and remove, in whatever order they come") {
  EditedBody body(Body::copy("0123456789"));
  body.replace(8, 2, "end");
  body.replace(0, 1, "");
  body.replace(4, 0, "<a>");
  body.replace(4, 0, "<b>");
  CHECK(body.edited());
  CHECK(body.to_string() == "123<a><b>4567end");
  CHECK(body.size() == body.to_string().size());
  CHECK(body.original().view() == "0123456789");
}

TEST_CASE("an empty body can be inserted into, and a whole one replaced or removed") {
  EditedBody empty;
  CHECK(empty.to_string().empty());
  CHECK(joined(empty).empty());
  empty.replace(0, 0, "made");
  CHECK(empty.to_string() == "made");
  EditedBody whole(Body::copy("all of it"));
  whole.replace(0, 9, "");
  CHECK(whole.size() == 0);
  CHECK(joined(whole).empty());
}

TEST_CASE("any splices, read in pieces of any size from any place, are the string edited by hand") {
  Random random(7);
  for (int round = 0; round < 300; ++round) {
    std::string expected;
    for (std::size_t i = 0, n = random.below(60); i < n; ++i) expected += static_cast<char>('a' + random.below(26));
    EditedBody body(Body::copy(expected));
    // Non-overlapping ranges, chosen from the back so that the plain string's offsets stay good; given in random order.
    struct Splice {
      std::size_t offset, length;
      std::string text;
    };
    std::vector<Splice> splices;
    for (std::size_t end = expected.size(); end > 0 && splices.size() < 6;) {
      const std::size_t offset = random.below(end), length = random.below(end - offset) + 1;
      splices.push_back({offset, length, std::string(random.below(5), static_cast<char>('A' + splices.size()))});
      end = offset;
    }
    for (const Splice& splice : splices) expected.replace(splice.offset, splice.length, splice.text);
    for (std::size_t i = splices.size(); i > 1; --i) std::swap(splices[i - 1], splices[random.below(i)]);
    for (const Splice& splice : splices) body.replace(splice.offset, splice.length, splice.text);

    REQUIRE(body.size() == expected.size());
    REQUIRE(body.to_string() == expected);
    REQUIRE(joined(body) == expected);
    for (const std::size_t capacity : {std::size_t{1}, std::size_t{3}, std::size_t{17}, std::size_t{100}}) REQUIRE(read_in(body, capacity) == expected);
    for (std::size_t at = 0; at <= expected.size(); ++at) {
      char piece[8];
      const std::size_t n = body.read(at, piece, sizeof piece);
      REQUIRE(std::string(piece, n) == expected.substr(at, sizeof piece));
    }
  }
}
