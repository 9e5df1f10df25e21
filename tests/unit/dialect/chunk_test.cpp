// Keys, depths and cuts in the text of a chunk, against the same read by the parser.

#include <catch2/catch.hpp>

#include "dialect/chunk.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;
namespace chunk = dialect::chunk;

namespace {

constexpr std::string_view kKey = "\"usage\"";

std::string without_usage(std::string_view json) {
  const chunk::Member member = chunk::find_member(json, kKey);
  REQUIRE(member);
  const std::size_t end = chunk::skip_value(json, member.value);
  const chunk::Cut cut = chunk::cut_of(json, member, end);
  std::string out(json.substr(0, cut.begin));
  return out.append(json.substr(cut.end));
}

}  // namespace

TEST_CASE("a member is cut out as if it had never been written") {
  const auto [with, without] = GENERATE(table<std::string, std::string>({
      {R"({"a":1,"usage":null})", R"({"a":1})"},
      {R"({"a":1,"usage":null,"b":2})", R"({"a":1,"b":2})"},
      {R"({"usage":null,"b":2})", R"({"b":2})"},
      {R"({"usage":null})", R"({})"},
      {R"({"a": 1, "usage": null, "b": 2})", R"({"a": 1, "b": 2})"},
      {R"({"a": 1, "usage": null})", R"({"a": 1})"},
      {R"({"usage": null, "b": 2})", R"({"b": 2})"},
      {R"({ "a" : 1 , "usage" : {"x":[1,"}"]} , "b" : 2 })", R"({ "a" : 1 , "b" : 2 })"},
      {"{\n  \"a\": 1,\n  \"usage\": null,\n  \"b\": 2\n}", "{\n  \"a\": 1,\n  \"b\": 2\n}"},
  }));
  CHECK(without_usage(with) == without);
}

TEST_CASE("a key is found where it is a key and nowhere else") {
  CHECK_FALSE(chunk::find_member(R"({"a":"usage"})", kKey));
  CHECK_FALSE(chunk::find_member(R"({"a":"say \"usage\": null"})", kKey));
  CHECK_FALSE(chunk::find_member(R"({"my\"usage":1})", kKey));
  CHECK_FALSE(chunk::find_member(R"(["usage",1])", kKey));
  CHECK_FALSE(chunk::find_member(R"({"usage":)", kKey));
  CHECK_FALSE(chunk::find_member("", kKey));
  CHECK(chunk::find_member("{\"usage\" :\t7}", kKey).value == 11);
  CHECK(chunk::find_member(R"({"a":"\"usage\":1","usage":2})", kKey).value == 27);
}

TEST_CASE("depth counts what is open, not what strings say") {
  const std::string json = R"({"a":{"b":["]}\"",{"c":1}],"usage":1},"usage":2})";
  const chunk::Member inner = chunk::find_member(json, kKey);
  const chunk::Member outer = chunk::find_member(json, kKey, inner.value);
  CHECK(chunk::depth_at(json, inner.value) == 2);
  CHECK(chunk::depth_at(json, outer.value) == 1);
  CHECK(chunk::depth_at(json, 0) == 0);
}

TEST_CASE("values are stepped over whole") {
  const std::string json = R"(["a\\\"b",-1.5e3,{"x":"]"},[],null] )";
  std::size_t at = 1;
  std::vector<std::string> values;
  while (at < json.size() && json[at] != ']') {
    const std::size_t end = chunk::skip_value(json, at);
    values.push_back(json.substr(at, end - at));
    at = end + (end < json.size() && json[end] == ',' ? 1 : 0);
  }
  CHECK(values == std::vector<std::string>{R"("a\\\"b")", "-1.5e3", R"({"x":"]"})", "[]", "null"});
  CHECK(chunk::string_at(json, 1) == R"(a\\\"b)");
}

TEST_CASE("text that is no JSON is stepped through without leaving it") {
  const std::string pieces = R"({"usage":{"a":"\")";
  for (std::size_t begin = 0; begin <= pieces.size(); ++begin) {
    for (std::size_t end = begin; end <= pieces.size(); ++end) {
      const std::string_view text = std::string_view(pieces).substr(begin, end - begin);
      CHECK(chunk::skip_value(text, 0) <= text.size());
      (void)chunk::depth_at(text, 0);
      if (const chunk::Member member = chunk::find_member(text, kKey)) {
        CHECK(member.value < text.size());
        const std::size_t behind = chunk::skip_value(text, member.value);
        CHECK(chunk::cut_of(text, member, behind).end <= text.size());
      }
    }
  }
}
