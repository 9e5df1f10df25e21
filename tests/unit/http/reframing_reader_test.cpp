// Streams in another framing than they came in, at every split.

#include "http/reframing_reader.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "http/aws_events.hpp"
#include "unit/http/event_split.hpp"

using namespace sluice;
using namespace sluice::http;

namespace {

ReframingReader reader_of(Framing from, Framing to, std::size_t limit = 1 << 20) {
  return {make_event_reader(from, limit), to, [](std::string_view data) {
            return data.starts_with("[") ? NamedEvent{"list", data.substr(1, data.size() - 2)} : NamedEvent{{}, data};
          }};
}

}  // namespace

TEST_CASE("events get the caller's framing and the name they are told, and an exception is left as it came") {
  std::string frames, failed;
  append_aws_event(frames, "x", "{}");
  append_aws_event(frames, "x", "[1]");
  append_aws_event(failed, "!throttlingException", "{}");
  frames += failed;
  test::each_split(frames, [&](const std::vector<std::string_view>& pieces) {
    ReframingReader reader = reader_of(Framing::kAwsEvents, Framing::kSse);
    std::string raw;
    StreamEvent event;
    for (const std::string_view piece : pieces) {
      reader.feed(piece);
      for (;;) {
        const auto more = reader.next(event);
        REQUIRE(more);
        if (!*more) break;
        raw += event.raw;
        if (event.name == "list") CHECK(event.data == "1");
      }
    }
    CHECK_FALSE(reader.finish(event));
    CHECK(raw == "data: {}\n\nevent: list\ndata: 1\n\n" + failed);
    CHECK(reader.held() == 0);
  });
}

TEST_CASE("comments are left out, positions are not passed on, and what its end completes is given") {
  ReframingReader reader = reader_of(Framing::kNdjson, Framing::kSse);
  const std::string lines = "\n{\"a\":1}";
  reader.feed(lines);
  StreamEvent event;
  CHECK(reader.next(event).value() == false);
  REQUIRE(reader.finish(event));
  CHECK(event.raw == "data: {\"a\":1}\n\n");
  ReframingReader positions = reader_of(Framing::kSse, Framing::kNdjson);
  const std::string events = ": ping\n\nid: 7\ndata: {}\n\n";
  positions.feed(events);
  REQUIRE(positions.next(event).value());
  CHECK(event.raw == "{}\n");
  CHECK_FALSE(event.has_position);
}

TEST_CASE("an event above the bound is refused, in whichever framing it came") {
  ReframingReader reader = reader_of(Framing::kNdjson, Framing::kSse, 8);
  const std::string line = "{\"a\":1234567890}\n";
  reader.feed(line);
  StreamEvent event;
  const auto read = reader.next(event);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == Code::kUpstreamEventTooLarge);
}
