// Streams that are lines of JSON, or one JSON array: events at every split, bounds, and what is no such stream.

#include "http/gathering_reader.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "unit/http/event_split.hpp"

using namespace sluice;
using namespace sluice::http;
using test::Told;
using test::told_of;

namespace {

using Events = std::vector<Told>;

Told data(std::string text) { return {.data = std::move(text), .has_data = true}; }
Told nothing() { return {}; }
Told refused(Code code) { return {.error = code}; }

Events lines(std::string_view stream, std::size_t limit = 1 << 20, bool finish = false) {
  NdjsonReader reader(limit);
  return told_of(reader, {stream}, finish);
}
Events elements(std::string_view stream, std::size_t limit = 1 << 20) {
  JsonArrayReader reader(limit);
  return told_of(reader, {stream});
}
/// Without the events that hold no data.
Events with_data(Events events) {
  std::erase_if(events, [](const Told& told) { return !told.has_data && !told.error; });
  return events;
}

}  // namespace

TEST_CASE("lines are events at every split, blanks and blank lines aside") {
  const std::string stream = "{\"a\":1}\r\n\n  {\"b\":\"\\n\"} \t\n\r\n{}\n";
  const Events expected{data("{\"a\":1}"), nothing(), data("{\"b\":\"\\n\"}"), nothing(), data("{}")};
  test::each_split(stream, [&](const std::vector<std::string_view>& pieces) {
    NdjsonReader reader(1 << 20);
    CHECK(told_of(reader, pieces, true) == expected);
    CHECK(reader.held() == 0);
  });
}

TEST_CASE("a last line without its break is an event at the end, and its bytes are the stream's") {
  // The reader used to feed itself a line break, which was in `raw` and counted against the limit.
  const std::string stream = "{\"a\":1}\n{\"b\":2} ";
  test::each_split(stream, [&](const std::vector<std::string_view>& pieces) {
    NdjsonReader reader(1 << 20);
    CHECK(told_of(reader, pieces, true) == Events{data("{\"a\":1}"), data("{\"b\":2}")});
    CHECK(reader.held() == 0);
  });
  CHECK(lines("12345", 5, true) == Events{data("12345")});
  CHECK(lines("{}\n  ", 5, true) == Events{data("{}")});
  CHECK(lines("", 5, true).empty());
}

// DIAL-21
TEST_CASE("a line above the limit is refused before its end has come") {
  CHECK(lines("1234\n", 5) == Events{data("1234")});
  CHECK(lines("12345\n", 5) == Events{refused(Code::kUpstreamEventTooLarge)});
  CHECK(lines("123456", 5) == Events{refused(Code::kUpstreamEventTooLarge)});
  CHECK(lines("{}\n123456", 5) == Events{data("{}"), refused(Code::kUpstreamEventTooLarge)});
  NdjsonReader reader(5);
  CHECK(told_of(reader, {"123", "456"}) == Events{refused(Code::kUpstreamEventTooLarge)});
  StreamEvent event;
  CHECK_FALSE(reader.finish(event));
  CHECK_FALSE(reader.next(event));
}

TEST_CASE("elements of an array are events at every split, brackets and commas aside") {
  const std::string stream = " [ {\"a\":\"]},[\\\"\\\\\"} ,\r\n[{},[1]],{}\n]\n ";
  const Events expected{data("{\"a\":\"]},[\\\"\\\\\"}"), data("[{},[1]]"), data("{}")};
  test::each_split(stream, [&](const std::vector<std::string_view>& pieces) {
    JsonArrayReader reader(1 << 20);
    CHECK(with_data(told_of(reader, pieces)) == expected);
    CHECK(reader.held() == 0);
  });
}

TEST_CASE("an array without elements, or with its end in pieces, leaves nothing held") {
  for (const std::string_view stream : {"[]", " [ ] ", "[{}]", "[{},]\n\n"}) {
    test::each_split(stream, [&](const std::vector<std::string_view>& pieces) {
      JsonArrayReader reader(64);
      CHECK(with_data(told_of(reader, pieces)).size() == (stream.find('{') == std::string_view::npos ? 0u : 1u));
      CHECK(reader.held() == 0);
    });
  }
}

TEST_CASE("an array that breaks off holds what is left of it") {
  JsonArrayReader reader(1 << 20);
  CHECK(told_of(reader, {"[{\"a\":1},{\"b\""}) == Events{data("{\"a\":1}")});
  CHECK(reader.held() > 0);
  StreamEvent event;
  CHECK_FALSE(reader.finish(event));
}

TEST_CASE("what is no array of objects or lists is refused") {
  const Events invalid{refused(Code::kUpstreamInvalidAnswer)};
  CHECK(elements("{\"error\":{}}") == invalid);
  CHECK(elements("\"[\"") == invalid);
  CHECK(elements("[1]") == invalid);
  CHECK(elements("[\"a\"]") == invalid);
  CHECK(elements("[null]") == invalid);
  CHECK(with_data(elements("[{}]x")) == Events{data("{}"), refused(Code::kUpstreamInvalidAnswer)});
  CHECK(with_data(elements("[{}][{}]")) == Events{data("{}"), refused(Code::kUpstreamInvalidAnswer)});
}

// DIAL-21
TEST_CASE("an element above the limit is refused before its end has come") {
  CHECK(elements("[{\"a\":1}", 8) == Events{data("{\"a\":1}")});
  CHECK(elements("[{\"ab\":1}", 8) == Events{refused(Code::kUpstreamEventTooLarge)});
  CHECK(elements("[{\"ab\":\"", 7) == Events{refused(Code::kUpstreamEventTooLarge)});
  CHECK(elements(std::string(9, ' '), 8) == Events{refused(Code::kUpstreamEventTooLarge)});
}

TEST_CASE("a stream that was refused may be fed on, and stays refused") {
  // The reader used to look at the piece it had refused, which is gone when the next one comes.
  JsonArrayReader reader(1 << 20);
  StreamEvent event;
  {
    const std::string piece = "no array at all";
    reader.feed(piece);
    CHECK_FALSE(reader.next(event));
  }
  reader.feed("[{}]");
  CHECK(reader.next(event).error().code == Code::kUpstreamInvalidAnswer);
  CHECK_FALSE(reader.finish(event));
}

TEST_CASE("an event that fills its limit is given, whatever followed in the same piece") {
  JsonArrayReader reader(16);
  const std::string stream = "[{\"a\":1},{\"b\":22},{\"c\":333}]";
  CHECK(with_data(told_of(reader, {stream})) == Events{data("{\"a\":1}"), data("{\"b\":22}"), data("{\"c\":333}")});
}

TEST_CASE("memory of a stream that fell idle can be given back between events") {
  NdjsonReader reader(1 << 20);
  CHECK(told_of(reader, {"{\"a\"", ":1}\n"}) == Events{data("{\"a\":1}")});
  reader.shrink();
  CHECK(told_of(reader, {"{}", "\n"}) == Events{data("{}")});
  CHECK(told_of(reader, {"{\"b\""}).empty());
  reader.shrink();  // in the middle of one: nothing is lost
  CHECK(reader.held() == 4);
  StreamEvent event;
  reader.feed(":2}\n");
  REQUIRE(reader.next(event).value());
  CHECK(event.data == "{\"b\":2}");
}

TEST_CASE("every framing has its reader, its media type and its way of writing an event") {
  for (const Framing framing : {Framing::kSse, Framing::kNdjson, Framing::kAwsEvents}) {
    Framing named = Framing::kJsonArray;
    CHECK(is_stream_type(content_type_of(framing), named));
    CHECK(named == framing);
    CHECK(is_stream_type(std::string(content_type_of(framing)) + "; charset=utf-8", named));
    std::string stream;
    append_event(stream, framing, "{\"a\":1}", "name");
    append_event(stream, framing, "{}", "name");
    const auto reader = make_event_reader(framing, 1 << 20);
    const Events events = told_of(*reader, {stream});
    REQUIRE(events.size() == 2);
    CHECK(events[0].data == "{\"a\":1}");
    CHECK(events[1].data == "{}");
    CHECK(events[1].name == (framing == Framing::kNdjson ? "" : "name"));
  }
  std::string stream = "[{}";
  append_event(stream, Framing::kJsonArray, "{\"a\":1}");
  stream += "]";
  CHECK(with_data(told_of(*make_event_reader(Framing::kJsonArray, 64), {stream})) == Events{data("{}"), data("{\"a\":1}")});
  Framing unchanged = Framing::kAwsEvents;
  CHECK_FALSE(is_stream_type("application/json", unchanged));
  CHECK_FALSE(is_stream_type("", unchanged));
  CHECK(unchanged == Framing::kAwsEvents);
}

TEST_CASE("raw text is an event as far as it has come, at every split, and a piece above the bound is several") {
  const std::string stream = "one\n\ntwo {\"a\":1}\xff";
  test::each_split(stream, [&](const std::vector<std::string_view>& pieces) {
    RawReader reader(1 << 20);
    std::string all;
    for (const Told& told : told_of(reader, pieces, true)) {
      CHECK(told.has_data);
      all += told.data;
    }
    CHECK(all == stream);
    CHECK(reader.held() == 0);
  });
  RawReader reader(4);
  CHECK(told_of(reader, {"123456789"}) == Events{data("1234"), data("5678"), data("9")});
  std::string out;
  append_event(out, Framing::kRaw, "a\nb");
  CHECK(out == "a\nb");
  CHECK(content_type_of(Framing::kRaw) == "text/plain");
}
