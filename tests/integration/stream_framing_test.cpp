// The framing of event streams on their way through: cut anywhere, ended by any line break, and never mistaken for content.
#include <atomic>
#include <catch2/catch.hpp>

#include "stream_support.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

std::string through(RawClient& client) {
  client.send(stream_request());
  const WireAnswer answer = client.answer();
  CHECK(answer.status == 200);
  CHECK(answer.complete);
  return answer.body;
}

std::string through(Live& live) {
  RawClient client(live.port());
  return through(client);
}

std::string with_breaks(std::string text, std::string_view line_break) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += line_break.size()) text.replace(at, 1, line_break);
  return text;
}

}  // namespace

// DIAL-18
TEST_CASE("a stream cut at every offset is the same at the caller") {
  const auto threads = GENERATE(1u, 4u);
  const auto line_break = GENERATE(values<std::string>({"\n", "\r\n"}));
  // Usage was not asked for by the caller: what is cut out is cut out wherever the pieces end.
  const std::string usage = R"("usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7})";
  const std::string kept = event_of(R"({"id":"c","choices":[{"index":0,"delta":{"content":"\uD83D\uDE00 )" "\xF0\x9F\x98\x80" R"("}}]})");
  const std::string with_null = event_of(R"({"id":"c","choices":[{"index":0,"delta":{"content":"x"}}],"usage":null})");
  const std::string without = event_of(R"({"id":"c","choices":[{"index":0,"delta":{"content":"x"}}]})");
  const std::string sent = with_breaks(kept + with_null + kStop + event_of(R"({"id":"c","choices":[],)" + usage + "}") + kDone, line_break);
  const std::string expected = with_breaks(kept + without + kStop + kDone, line_break);
  FaultServer server;
  std::atomic<std::size_t> cut{0};
  server.on_request([&](const RawRequest&) {
    // libcurl hands on chunk by chunk, so that a chunk's end is a read's end.
    Reply reply = open_stream();
    if (cut == 0) {
      for (const char c : sent) reply.chunk(std::string_view(&c, 1));
    } else {
      reply.chunk(sent.substr(0, cut)).chunk(sent.substr(cut));
    }
    return reply.end_chunks();
  });
  Live live(config_of(server), threads);
  RawClient client(live.port());
  for (cut = 0; cut < sent.size(); ++cut) {
    INFO("cut at " << cut.load());
    const std::string got = through(client);
    REQUIRE(got == expected);
  }
  const auto outcomes = live.outcomes().wait(sent.size());
  REQUIRE(outcomes.size() == sent.size());
  for (const Outcome& outcome : outcomes) REQUIRE(outcome.usage.output_tokens == 4u);
}

// DIAL-19
TEST_CASE("every way to write an event stream gives the same events") {
  const auto threads = GENERATE(1u, 4u);
  const std::string plain = kRole + text_event("hello") + kStop + kDone;
  const auto expected = read_events(plain);
  REQUIRE(expected.size() == 4);
  std::string unspaced = plain;
  for (std::size_t at; (at = unspaced.find("data: ")) != std::string::npos;) unspaced.erase(at + 5, 1);
  const std::string split = "data: {\"id\":\"c1\",\ndata: \"choices\":[]}\n\n" + plain;
  auto split_expected = read_events(split);
  struct Way {
    const char* name;
    std::string bytes;
    std::vector<ReadEvent> events;
  };
  const auto way = GENERATE_COPY(values<Way>({
      {"LF", plain, expected},
      {"CRLF", with_breaks(plain, "\r\n"), expected},
      {"CR", with_breaks(plain, "\r"), expected},
      {"no blank behind the colon", unspaced, expected},
      {"several data lines", split, split_expected},
      {"comments", ": ping\n\n" + kRole + ": more\n" + text_event("hello") + kStop + ":\n\n" + kDone, expected},
      {"a byte order mark", "\xEF\xBB\xBF" + plain, expected},
      {"no last blank line", plain.substr(0, plain.size() - 1), expected},
      {"no last line break", plain.substr(0, plain.size() - 2), expected},
      {"CRLF without the last blank line", with_breaks(plain.substr(0, plain.size() - 1), "\r\n"), expected},
  }));
  INFO(way.name);
  const auto piece = GENERATE(0u, 1u);
  FaultServer server;
  server.on_request([&](const RawRequest&) {
    Reply reply = open_stream();
    if (piece == 0) return reply.chunk(way.bytes).end_chunks();
    for (const char c : way.bytes) reply.chunk(std::string_view(&c, 1));
    return reply.end_chunks();
  });
  Live live(config_of(server), threads);
  const std::string got = through(live);
  CHECK(read_events(got) == way.events);
  const auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].ending == Ending::kCompleted);
}

// DIAL-18: one-byte segments on the wire, not only in the framing.
TEST_CASE("a stream that comes in segments of one byte is the same at the caller") {
  const auto threads = GENERATE(1u, 4u);
  const std::string sent = kRole + text_event("\xF0\x9F\x98\x80") + kStop + kDone;
  FaultServer server;
  server.on_request([&](const RawRequest&) { return whole_stream(sent).in_pieces(1); });
  Live live(config_of(server), threads);
  CHECK(through(live) == sent);
}

// DIAL-20
TEST_CASE("model text that looks like framing stays inside its event") {
  const auto threads = GENERATE(1u, 4u);
  const std::string sent = kRole + text_event(R"(\n\ndata: [DONE]\n\n)") + text_event(R"(a\rb)") + text_event("\xE2\x80\xA8") +
                           text_event(R"(event: error\ndata: {\"error\":{\"message\":\"no\"}}\n\n)") + kStop + kDone;
  FaultServer server;
  server.on_request([&](const RawRequest&) { return whole_stream(sent); });
  Live live(config_of(server), threads);
  const std::string got = through(live);
  CHECK(got == sent);
  CHECK(read_events(got).size() == 7);
  const auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].ending == Ending::kCompleted);
}

// DIAL-21
TEST_CASE("an event without an end is a named error at its bound") {
  const auto threads = GENERATE(1u, 4u);
  const auto begun = GENERATE(false, true);
  FaultServer server;
  server.on_request([&](const RawRequest&) {
    Reply reply = open_stream();
    if (begun) reply.chunk(kRole);
    return reply.chunk("data: {\"x\":\"").repeat("400\r\n" + std::string(1024, 'x') + "\r\n", 1100).end_chunks();
  });
  Live live(config_of(server), threads);
  RawClient client(live.port());
  client.send(stream_request());
  const WireAnswer answer = client.answer();
  CHECK(answer.status == (begun ? 200 : 502));
  CHECK(answer.complete);
  CHECK(answer.body.size() < 4096);
  CHECK(answer.body.find("upstream_event_too_large") != std::string::npos);
  const auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  REQUIRE(outcomes[0].error);
  CHECK(outcomes[0].error->code == Code::kUpstreamEventTooLarge);
}

// DIAL-21
TEST_CASE("id and retry of the upstream do not reach the caller") {
  const auto threads = GENERATE(1u, 4u);
  const auto line_break = GENERATE(values<std::string>({"\n", "\r\n", "\r"}));
  const auto piece = GENERATE(0u, 1u);
  const std::string plain = kRole + text_event("hello") + kStop + kDone;
  const std::string sent =
      with_breaks("retry: 10\n\nid: 1\n" + kRole + text_event("hello").substr(0, text_event("hello").size() - 1) + "id:2\nretry\n\n" + kStop +
                      "id\n" + kDone,
                  line_break);
  FaultServer server;
  server.on_request([&](const RawRequest&) {
    if (piece == 0) return whole_stream(sent);
    Reply reply = open_stream();
    for (const char c : sent) reply.chunk(std::string_view(&c, 1));
    return reply.end_chunks();
  });
  Live live(config_of(server), threads);
  const std::string got = through(live);
  CHECK(read_events(got) == read_events(plain));
  CHECK(got.find("retry") == std::string::npos);
  CHECK(got.find("id:") == std::string::npos);
  CHECK(got.find("id\n") == std::string::npos);
}

// DIAL-22 (OpenAI's caller), DIAL-23 (one dialect)
TEST_CASE("events and members nobody knows are kept in one dialect") {
  const auto threads = GENERATE(1u, 4u);
  const std::string sent = kRole + "event: vendor.progress\ndata: {\"percent\":40}\n\n" + ": note\n\n" +
                           event_of(R"({"id":"c1","x_vendor":{"a":[1,2.50]},"choices":[{"index":0,"delta":{"content":"h","x":1e5},"finish_reason":null}]})") +
                           kStop + kDone;
  FaultServer server;
  server.on_request([&](const RawRequest&) { return whole_stream(sent); });
  Live live(config_of(server), threads);
  CHECK(through(live) == sent);
}
