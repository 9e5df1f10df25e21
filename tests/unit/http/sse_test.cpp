// Event streams at every split: the same events, and the same bytes behind them.

#include "http/sse.hpp"

#include <catch2/catch.hpp>

#include <ctime>
#include <random>
#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::http;
using namespace std::string_literals;

namespace {

struct Run {
  std::vector<std::string> events;  // `name|data` of the events with data
  std::vector<std::string> raws;
  std::string bytes;  // all raws
  bool too_large = false;
  bool operator==(const Run&) const = default;
};

void take(const SseEvent& event, Run& out) {
  if (event.has_data) out.events.push_back(std::string(event.name) + "|" + std::string(event.data));
  out.raws.emplace_back(event.raw);
  out.bytes += event.raw;
}

// Pieces of at most `size` bytes behind a first one of `first`; each in memory of its own, gone after it was used up.
Run read(std::string_view stream, std::size_t first, std::size_t size, std::size_t limit = 1u << 20) {
  SseReader reader(limit);
  Run out;
  SseEvent event;
  for (std::size_t at = 0, n = first; at < stream.size(); at += n, n = size) {
    n = std::min(n, stream.size() - at);
    const std::vector<char> piece(stream.begin() + static_cast<std::ptrdiff_t>(at),
                                  stream.begin() + static_cast<std::ptrdiff_t>(at + n));
    reader.feed({piece.data(), piece.size()});
    while (true) {
      const Result<bool> more = reader.next(event);
      if (!more) {
        CHECK(more.error().code == Code::kUpstreamEventTooLarge);
        out.too_large = true;
        CHECK_FALSE(reader.next(event));
        return out;
      }
      if (!*more) break;
      take(event, out);
    }
  }
  if (reader.finish(event)) take(event, out);
  CHECK(reader.held() == 0);
  CHECK_FALSE(reader.finish(event));
  return out;
}

Run read_whole(std::string_view stream) { return read(stream, stream.size(), stream.size()); }

// The same events and the same bytes however the stream is cut.
void check_every_split(std::string_view stream, const std::vector<std::string>& events) {
  CAPTURE(stream);
  CHECK(read_whole(stream).events == events);
  CHECK(read_whole(stream).bytes == stream);
  for (std::size_t at = 1; at < stream.size(); ++at) {
    const Run cut = read(stream, at, stream.size());
    REQUIRE(cut.events == events);
    REQUIRE(cut.bytes == stream);
  }
  for (std::size_t size = 1; size < 6; ++size) {
    const Run pieces = read(stream, size, size);
    REQUIRE(pieces.events == events);
    REQUIRE(pieces.bytes == stream);
  }
}

}  // namespace

TEST_CASE("DIAL-19: line ends, blanks, comments, BOM and a missing end give the same events at every split") {
  // DIAL-18, DIAL-19 (the framing)
  const std::string emoji = "{\"c\":\"\xf0\x9f\x98\x80 \\uD83D\\uDE00\"}";
  for (const std::string eol : {"\n", "\r", "\r\n"}) {
    CAPTURE(eol);
    check_every_split("data: a" + eol + eol + "data:b" + eol + eol, {"|a", "|b"});
    check_every_split("event: delta" + eol + "data: " + emoji + eol + "id: 7" + eol + "retry: 9" + eol + eol,
                      {"delta|" + emoji});
    check_every_split(
        "data: one" + eol + "data:  two" + eol + "data" + eol + "data:" + eol + eol + ": ping" + eol + eol,
        {"|one\n two\n\n"});
    check_every_split(
        "\xEF\xBB\xBF"
        "data: bom" +
            eol + eol +
            "\xEF\xBB\xBF"
            "data: none" +
            eol + eol,
        {"|bom"});
    check_every_split(": c" + eol + "data: x" + eol + ":d" + eol + eol + "data: [DONE]" + eol, {"|x", "|[DONE]"});
    check_every_split("data: x" + eol + eol + "data: cut", {"|x", "|cut"});
    check_every_split("data: x" + eol + eol + "event: e" + eol + "data: cut" + eol, {"|x", "e|cut"});
    check_every_split(eol + eol + "data: x" + eol + eol + eol + eol + "data: y" + eol + eol, {"|x", "|y"});
    check_every_split("data:" + eol + eol + "data" + eol + eol, {"|", "|"});
    check_every_split("datax: a" + eol + "Data: b" + eol + " data: c" + eol + "dat: d" + eol + "event" + eol + eol, {});
  }
  check_every_split("data: a\r\r\ndata: b\n\r\ndata: c\r\n\ndata: d\r\n\rdata: e\n\rdata: f\r\n\r\n",
                    {"|a", "|b", "|c", "|d", "|e", "|f"});
  check_every_split("", {});
  check_every_split("event: a\nevent: b\ndata: x\n\n", {"b|x"});
  check_every_split("data: \xe2\x80\xa8\x0b\x0c\x85 \0 x\n\n"s, {"|\xe2\x80\xa8\x0b\x0c\x85 \0 x"s});
}

TEST_CASE("a CRLF stream gives the same raw events at every split, so that bytes pass through unchanged") {
  const std::string stream = "data: a\r\n\r\n: ping\r\n\r\nevent: e\r\ndata: b\r\n\r\n";
  const Run whole = read_whole(stream);
  CHECK(whole.raws == std::vector<std::string>{"data: a\r\n\r\n", ": ping\r\n\r\n", "event: e\r\ndata: b\r\n\r\n"});
  for (std::size_t at = 1; at < stream.size(); ++at) CHECK(read(stream, at, stream.size()) == whole);
  CHECK(read(stream, 1, 1) == whole);
}

TEST_CASE("an event is given with its blank line, not with the byte after it") {
  SseEvent event;
  for (const std::string_view stream : {"data: a\n\n", "data: a\r\r", "data: a\r\n\r\n"})
    for (std::size_t size : {std::size_t{1}, stream.size()}) {
      SseReader reader;
      bool given = false;
      for (std::size_t at = 0; at < stream.size(); at += size) {
        REQUIRE_FALSE(given);
        reader.feed(stream.substr(at, size));
        given = *reader.next(event);
      }
      CHECK(given);
      CHECK(event.data == "a");
    }
}

TEST_CASE("comments, id and retry alone are an event without data") {
  SseReader reader;
  SseEvent event;
  reader.feed(": keep-alive\n\nid: 1\nretry: 3000\n\nevent: ping\n\n");
  for (const std::string_view raw : {": keep-alive\n\n", "id: 1\nretry: 3000\n\n", "event: ping\n\n"}) {
    REQUIRE(reader.next(event) == true);
    CHECK_FALSE(event.has_data);
    CHECK(event.data.empty());
    CHECK(event.raw == raw);
  }
  CHECK(event.name == "ping");
  CHECK(reader.next(event) == false);
}

TEST_CASE("a whole event with one data line is not copied") {
  SseReader reader;
  SseEvent event;
  const std::string stream = "event: e\ndata: hello\n\ndata: half";
  reader.feed(stream);
  REQUIRE(reader.next(event) == true);
  CHECK(event.raw.data() == stream.data());
  CHECK(event.data.data() == stream.data() + 15);
  CHECK(event.name.data() == stream.data() + 7);
  CHECK(reader.next(event) == false);
  CHECK(reader.held() == 10);
  reader.shrink();
  CHECK(reader.held() == 10);
  reader.feed("\n\n");
  REQUIRE(reader.next(event) == true);
  CHECK(event.data == "half");
  CHECK(reader.held() == 0);
}

TEST_CASE("DIAL-21: an event over its limit is a named error at every split, and those before it are given") {
  // DIAL-21
  const std::string good = "data: ok\n\n";
  for (const std::string& tail : {std::string(100, 'x'), "data: " + std::string(100, 'x') + "\n\n",
                                  "data: a\n" + std::string(100, ':') + "\n\n"}) {
    const std::string stream = good + tail;
    for (std::size_t at = 1; at < stream.size(); ++at) {
      const Run run = read(stream, at, stream.size(), 64);
      REQUIRE(run.too_large);
      REQUIRE(run.events == std::vector<std::string>{"|ok"});
    }
    CHECK(read(stream, 1, 1, 64).too_large);
  }
  const std::string exact = "data: " + std::string(56, 'x') + "\n\n";
  CHECK_FALSE(read(exact, 1, 1, exact.size()).too_large);
  CHECK(read(exact, 1, 1, exact.size() - 1).too_large);
  SseReader reader;  // 1 MiB by default
  SseEvent event;
  const std::string endless((1u << 20) + 1, 'x');
  reader.feed(endless);
  const Result<bool> more = reader.next(event);
  REQUIRE_FALSE(more);
  CHECK(more.error().code == Code::kUpstreamEventTooLarge);
  CHECK(more.error().origin == Origin::kUpstream);
}

TEST_CASE("a hostile stream of bare CRs costs time in proportion to its size") {
  // 1 MiB in one event with half a million lines, then as many events in one piece: quadratic scans would take
  // tens of seconds of CPU, these a tenth of one.
  const std::clock_t began = std::clock();
  std::string lines;
  while (lines.size() < (1u << 20) - 8) lines += ":\r";
  SseReader reader;
  SseEvent event;
  const std::string whole = lines + "\r";
  reader.feed(whole);
  REQUIRE(reader.next(event) == true);
  std::string events(1u << 20, '\r');
  reader.feed(events);
  std::size_t n = 0;
  while (*reader.next(event)) ++n;
  CHECK(n == events.size());
  std::string out;
  append_event(out, lines);
  CHECK(out.size() > lines.size());
  CHECK(static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC < 5.0);
}

TEST_CASE("pieces that come before the last was used up are kept") {
  SseReader reader;
  SseEvent event;
  reader.feed("data: a\n\ndata: b\n\nda");
  REQUIRE(reader.next(event) == true);
  reader.feed("ta: c\n");
  reader.feed("\n");
  REQUIRE(reader.next(event) == true);
  CHECK(event.data == "b");
  REQUIRE(reader.next(event) == true);
  CHECK(event.data == "c");
  CHECK(reader.next(event) == false);
}

TEST_CASE("DIAL-20: what is written stays one event, whatever the data holds") {
  // DIAL-20 (the framing)
  const std::pair<std::string, std::string> cases[] = {
      {"plain", "plain"},
      {"", ""},
      {"a\n\ndata: [DONE]\n\n", "a\n\ndata: [DONE]\n\n"},
      {"a\rb", "a\nb"},
      {"a\r\nb\r", "a\nb\n"},
      {"\n", "\n"},
      {"event: error", "event: error"},
      {" leading", " leading"},
      {"\xe2\x80\xa8", "\xe2\x80\xa8"},
      {"\xEF\xBB\xBFx", "\xEF\xBB\xBFx"},
  };
  for (const auto& [data, back] : cases) {
    std::string out;
    append_event(out, data);
    check_every_split(out, {"|" + back});
    out.clear();
    append_event(out, data, "na\nme");
    check_every_split(out, {"na|" + back});
  }
  std::string out;
  append_event(out, "{}", "ping");
  CHECK(out == "event: ping\ndata: {}\n\n");
}

TEST_CASE("random streams give the same events in random pieces") {
  std::mt19937 random(20241122);
  const std::string parts[] = {"data: ", "data:",        "data", "event: x",         ":",    "\n", "\n", "\r", "\r\n",
                               "\r\n",   "\xEF\xBB\xBF", "abc",  "\xf0\x9f\x98\x80", "id: 1"};
  for (int round = 0; round < 3000; ++round) {
    std::string stream;
    for (unsigned n = random() % 30; n > 0; --n) stream += parts[random() % std::size(parts)];
    const Run whole = read_whole(stream);
    REQUIRE(whole.bytes == stream);
    const Run pieces = read(stream, 1 + random() % 5, 1 + random() % 5);
    CAPTURE(stream);
    REQUIRE(pieces.events == whole.events);
    REQUIRE(pieces.bytes == stream);
  }
}
