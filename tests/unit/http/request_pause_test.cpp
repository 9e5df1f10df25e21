// A parser that is paused inside its callbacks: nothing is lost, nothing comes twice.

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "http/request_parser.hpp"
#include "unit/http/transcript.hpp"

using namespace sluice;
using namespace sluice::http;
using namespace sluice::http::test;

namespace {

// Pauses in every callback.
class Stepper final : public RequestSink {
 public:
  void on_head(RequestHead&&) override { step("head"); }
  void on_body(std::string_view bytes) override { step("body:" + std::string(bytes)); }
  void on_complete() override { step("end"); }
  RequestParser* parser = nullptr;
  std::string last;

 private:
  void step(std::string what) {
    REQUIRE(last.empty());
    last = std::move(what);
    parser->pause();
  }
};

}  // namespace

TEST_CASE("a pause stops after the callback it came in, and the next feed goes on from there") {
  const std::string bytes =
      "GET /a HTTP/1.1\r\nHost: h\r\n\r\n" + post("Content-Length: 3\r\n", "abc") + chunked("2\r\nxy\r\n0\r\n\r\n");
  Stepper stepper;
  RequestParser parser(stepper, {});
  stepper.parser = &parser;
  std::string_view rest = bytes;
  const std::vector<std::string> steps = {"head", "end", "head", "body:abc", "end", "head", "body:xy", "end"};
  for (const std::string& step : steps) {
    stepper.last.clear();
    const auto taken = parser.feed(rest);
    REQUIRE(taken);
    rest.remove_prefix(*taken);
    CHECK(stepper.last == step);
  }
  CHECK(rest.empty());
  CHECK(parser.idle());
}

TEST_CASE("a completion that a pause held back comes with an empty feed") {
  Stepper stepper;
  RequestParser parser(stepper, {});
  stepper.parser = &parser;
  const std::string bytes = post("Content-Length: 3\r\n", "abc");
  const auto head = parser.feed(bytes);
  REQUIRE(head);
  CHECK(*head == bytes.size() - 3);
  CHECK(stepper.last == "head");
  stepper.last.clear();
  CHECK(parser.feed("abc") == 3u);
  CHECK(stepper.last == "body:abc");
  stepper.last.clear();
  CHECK_FALSE(parser.idle());
  CHECK(parser.feed("") == 0u);
  CHECK(stepper.last == "end");
  CHECK(parser.idle());
}
