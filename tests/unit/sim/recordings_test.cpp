// The comparison itself: it finds what differs.
#include "unit/sim/recordings.hpp"

#include <catch2/catch.hpp>

using namespace sluice::sim;

TEST_CASE("a comparison of shapes finds what is missing, strange, or of another type") {
  Shapes shapes;
  shapes.learn(R"({"type":"a","always":1,"at_times":[{"x":null}]})");
  shapes.learn(R"({"type":"a","always":2})");
  CHECK(shapes.differences(R"({"type":"a","always":3})").empty());
  CHECK(shapes.differences(R"({"type":"a"})") == "(a)/always is always there\n");
  CHECK(shapes.differences(R"({"type":"a","always":"1"})") == "(a)/always was never a string\n");
  CHECK(shapes.differences(R"({"type":"a","always":1,"more":1})") == "(a)/more was never recorded\n");
  CHECK(shapes.differences(R"({"type":"a","always":1,"at_times":[{}]})") == "(a)/at_times[]/x is always there\n");
  CHECK(shapes.differences(R"({"type":"b"})") == "no object was ever recorded at '(b)'\n");
}
