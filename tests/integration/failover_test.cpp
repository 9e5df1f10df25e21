// Streams and the commit: until the first content has reached the caller an upstream can be replaced without a trace, from
// then on never.

#include <catch2/catch.hpp>

#include "integration/rig.hpp"
#include "integration/stream_support.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

std::string two(Backend& a, Backend& b, const std::string& more = {}, const std::string& timeouts = {}) {
  return document(a.entry(timeouts) + "," + b.entry(), R"({"name":"r","upstreams":[{"name":"a"},{"name":"b"}],"retry":{"attempts":3,"backoff_ms":0})" + more + "}");
}

const std::string kOfB = kRole + text_event("from b") + kStop + kDone;
const std::string kErrorEvent = event_of(R"({"error":{"message":"the model is on fire","type":"server_error","param":null,"code":"on_fire"}})");

FaultServer::Handler streams(const std::string& body) {
  return [body](const RawRequest&) { return whole_stream(body); };
}

}  // namespace

// STREAM-01, STREAM-03
TEST_CASE("a stream that goes wrong before its first content is replaced by one that does not, and the caller sees one stream") {
  const auto threads = GENERATE(1u, 4u);
  struct Start {
    const char* what;
    Reply reply;
  };
  const std::string annotations =
      event_of(R"({"id":"c1","object":"chat.completion.chunk","model":"m-1","choices":[],"prompt_filter_results":[{"prompt_index":0}]})");
  auto start = GENERATE_COPY(values<Start>({
      {"an error behind the role", whole_stream(kRole + kErrorEvent)},
      {"an error behind annotations and pings", whole_stream(annotations + ": ping\n\n" + kRole + ": ping\n\n" + kErrorEvent)},
      {"an error as the first event", whole_stream(kErrorEvent)},
      {"the end behind the role", whole_stream(kRole)},
      {"the end before anything", whole_stream("")},
      {"a reset behind the role", open_stream().chunk(kRole).then_reset()},
      {"a broken chunk behind the role", open_stream().chunk(kRole).then("zz\r\n")},
      {"an event that is no JSON", whole_stream(kRole + "data: <html>\n\n")},
      {"silence behind the role", open_stream().chunk(kRole).then_stall()},
      {"pings and no content", open_stream().chunk(kRole + ": ping\n\n").then_stall()},
  }));
  INFO(start.what);
  Backend a("a"), b("b");
  a->on_request([&](const RawRequest&) { return start.reply; });
  b->on_request(streams(kOfB));
  Live live(two(a, b, {}, R"(,"timeouts":{"first_delta_ms":100})"), threads);
  const WireAnswer answer = ask(live, stream_request());
  CHECK(answer.status == 200);
  CHECK(answer.complete);
  CHECK(answer.body == kOfB);
  const Outcome outcome = live.outcomes().wait(1)[0];
  CHECK(outcome.ending == Ending::kCompleted);
  REQUIRE(outcome.attempts.size() == 2);
  CHECK(outcome.attempts[0].status == 200);
  CHECK(outcome.attempts[0].code != Code::kOk);
  CHECK(outcome.bytes_out == kOfB.size());
}

// STREAM-03
TEST_CASE("once content has reached the caller no other upstream is asked, whatever happens") {
  const auto threads = GENERATE(1u, 4u);
  const std::string said = kRole + text_event("from a");
  auto reply = GENERATE_COPY(values<Reply>({whole_stream(said), open_stream().chunk(said).then_wait("go").then_reset(), open_stream().chunk(said).then_wait("go").chunk(kErrorEvent).end_chunks()}));
  Backend a("a"), b("b");
  a->on_request([&](const RawRequest&) { return reply; });
  b->on_request(streams(kOfB));
  Live live(two(a, b), threads);
  RawClient client(live.port());
  client.send(stream_request());
  client.until("from a");
  a->open("go");
  const WireAnswer answer = client.answer();
  CHECK(answer.body.substr(0, said.size()) == said);
  CHECK(answer.body.find("\"error\"") != std::string::npos);
  CHECK(answer.body.find("[DONE]") == std::string::npos);
  CHECK(b->request_count() == 0);
  CHECK(live.outcomes().wait(1)[0].ending == Ending::kFailed);
}

// STREAM-03
TEST_CASE("what is held back before the first content is bounded: behind it the stream is the caller's") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a"), b("b");
  const std::string ping = ": " + std::string(1020, 'p') + "\n\n";
  a->on_request([&](const RawRequest&) { return open_stream().chunk(kRole).repeat("400\r\n" + ping + "\r\n", 80).then_wait("go").chunk(kErrorEvent).end_chunks(); });
  b->on_request(streams(kOfB));
  Live live(two(a, b), threads);
  RawClient client(live.port());
  client.send(stream_request());
  REQUIRE(client.until("assistant").find("assistant") != std::string::npos);  // 80 KiB were too many
  a->open("go");
  const WireAnswer answer = client.answer();
  CHECK(answer.body.find("\"error\"") != std::string::npos);
  CHECK(b->request_count() == 0);
}

TEST_CASE("content is given on the moment it comes, together with what was held back before it") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a"), b("b");
  a->on_request([](const RawRequest&) { return open_stream().chunk(kRole).then_wait("content").chunk(text_event("now")).then_wait("end").chunk(kStop + kDone).end_chunks(); });
  Live live(two(a, b), threads);
  RawClient client(live.port());
  client.send(stream_request());
  REQUIRE(a->wait_for([&] { return a->request_count() == 1; }));
  a->open("content");
  const std::string so_far = client.until("now");
  CHECK(so_far.find("assistant") != std::string::npos);
  a->open("end");
  const WireAnswer answer = client.answer();
  CHECK(answer.body == kRole + text_event("now") + kStop + kDone);
  CHECK(answer.chunks == 2);
}

// A stream that ended without any content was held back for ever where its upstream did not end the body.
TEST_CASE("a stream without content reaches its caller although the upstream does not end the body behind its last word") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a"), b("b");
  a->on_request([](const RawRequest&) { return open_stream().chunk(kRole + kStop + kDone).then_stall(); });
  Live live(two(a, b), threads);
  const WireAnswer answer = ask(live, stream_request());
  CHECK(answer.status == 200);
  CHECK(answer.complete);
  CHECK(answer.body == kRole + kStop + kDone);
  CHECK(live.outcomes().wait(1)[0].ending == Ending::kCompleted);
  CHECK(b->request_count() == 0);
}

TEST_CASE("a whole answer that breaks off within what is held back is replaced; a longer one cannot be") {
  const auto threads = GENERATE(1u, 4u);
  const auto size = GENERATE(std::size_t{1000}, std::size_t{200'000});
  Backend a("a"), b("b");
  const std::string begun = R"({"id":"c1","choices":[{"index":0,"message":{"role":"assistant","content":")" + std::string(size, 'x');
  a->on_request([&](const RawRequest&) {
    return Reply::raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n").then(begun).then_wait("go").then_close();
  });
  Live live(two(a, b), threads);
  RawClient client(live.port());
  client.send(plain_request());
  if (size > 65536) client.until("xxxx");
  a->open("go");
  const WireAnswer answer = client.answer();
  if (size < 65536) {
    CHECK(answer.body == chat_answer("b"));
  } else {
    CHECK(answer.status == 200);
    CHECK_FALSE(answer.complete);
    CHECK(b->request_count() == 0);
  }
}

// STREAM-14
TEST_CASE("a caller who is kept alive by pings can still be given another upstream's stream, or an error event") {
  const auto threads = GENERATE(1u, 4u);
  const auto works = GENERATE(true, false);
  Backend a("a"), b("b");
  a->on_request([](const RawRequest&) { return open_stream().chunk(kRole).then_wait("go").chunk(kErrorEvent).end_chunks(); });
  b->on_request([&](const RawRequest&) { return works ? whole_stream(kOfB) : json_reply(R"({"error":{"message":"b is broken"}})", 500); });
  Live live(two(a, b, R"(,"stream_keep_alive_ms":20)"), threads);
  RawClient client(live.port());
  client.send(stream_request());
  REQUIRE(client.until(": keep-alive\n\n").find(": keep-alive\n\n") != std::string::npos);
  a->open("go");
  const WireAnswer answer = client.answer();
  CHECK(answer.status == 200);
  CHECK(answer.complete);
  const auto events = read_events(answer.body);
  if (works) {
    CHECK(events == read_events(kOfB));
  } else {
    INFO(answer.body);
    REQUIRE_FALSE(events.empty());
    CHECK(events.back().data.find("\"error\"") != std::string::npos);
    CHECK(answer.body.find("[DONE]") == std::string::npos);
    CHECK(live.outcomes().wait(1)[0].ending == Ending::kFailed);
  }
}
