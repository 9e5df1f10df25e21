// Calls: what may be said in a request, answers as text, bodies that follow, cancelling, and who calls.

#include <thread>

#include "rig.hpp"

using namespace capi_test;

namespace {

constexpr const char* kWithConsumers = R"({
  "version": 1,
  "consumers": [{"name": "app", "tenant": "acme", "keys": [{"sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}]}],
  "upstreams": [{"name": "a", "provider": "simulator"}],
  "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "a"}]}]
})";

const Seen& end_of(const std::vector<Seen>& events) {
  REQUIRE_FALSE(events.empty());
  REQUIRE(events.back().event.kind == SLUICE_EVENT_END);
  return events.back();
}

std::size_t ends(const std::vector<Seen>& events) {
  std::size_t count = 0;
  for (const Seen& seen : events) count += seen.event.kind == SLUICE_EVENT_END ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("a stream as deltas is the text the model said") {
  Rig rig;
  good([&](auto err) { return sluice_script_answer(rig.script("a"), "Every word, \"quoted\" or not.", SLUICE_NUL_TERMINATED, err); });
  sluice_request_t request = chat(kStream);
  request.answer = SLUICE_ANSWER_DELTAS;
  const auto events = rig.run(request);
  CHECK(text_of(events) == "Every word, \"quoted\" or not.");
  CHECK(body_of(events).empty());
  CHECK(end_of(events).event.status == 200);
}

TEST_CASE("an answer that is no stream comes as deltas too") {
  Rig rig;
  good([&](auto err) { return sluice_script_answer(rig.script("a"), "All at once.", SLUICE_NUL_TERMINATED, err); });
  sluice_request_t request = chat();
  request.answer = SLUICE_ANSWER_DELTAS;
  const auto events = rig.run(request);
  CHECK(text_of(events) == "All at once.");
  CHECK(body_of(events).empty());
}

TEST_CASE("deltas are the same however the bytes are cut") {
  const std::size_t piece = GENERATE(1, 2, 3, 7, 64, 4096);
  Rig rig;
  good([&](auto err) { return sluice_script_answer(rig.script("a"), "Gr\xC3\xBC\xC3\x9F Gott, \xF0\x9F\x98\x80!", SLUICE_NUL_TERMINATED, err); });
  good([&](auto err) { return sluice_script_pieces(rig.script("a"), piece, err); });
  sluice_request_t request = chat(GENERATE(kStream, kWhole));
  request.answer = SLUICE_ANSWER_DELTAS;
  CHECK(text_of(rig.run(request)) == "Gr\xC3\xBC\xC3\x9F Gott, \xF0\x9F\x98\x80!");
}

TEST_CASE("a tool call comes as its name and its arguments") {
  Rig rig;
  good([&](auto err) {
    return sluice_script_call_tool(rig.script("a"), "weather", SLUICE_NUL_TERMINATED, R"({"city":"Rome"})", SLUICE_NUL_TERMINATED, err);
  });
  sluice_request_t request = chat(kStream);
  request.answer = SLUICE_ANSWER_DELTAS;
  const auto events = rig.run(request);
  CHECK(text_of(events, SLUICE_CHANNEL_TOOL_NAME) == "weather");
  CHECK(text_of(events, SLUICE_CHANNEL_TOOL_ARGUMENTS) == R"({"city":"Rome"})");
}

TEST_CASE("an error of the gateway is an answer, in bytes even where deltas were asked for") {
  Rig rig;
  sluice_request_t request = chat();
  request.target = "/v1/nothing";
  request.answer = GENERATE(0, 1);  // raw, deltas: unnamed enumerators cannot be generated
  const auto events = rig.run(request);
  CHECK(events.front().event.status == 404);
  CHECK(body_of(events).find("\"error\"") != std::string::npos);
  CHECK(end_of(events).event.code == SLUICE_CODE_ROUTE_NOT_FOUND);
  CHECK(end_of(events).event.detail == SLUICE_ENDING_REFUSED);
  CHECK_FALSE(end_of(events).data.empty());
}

TEST_CASE("a body may follow its head in pieces") {
  Rig rig;
  sluice_request_t request = chat(GENERATE("", "{\"model\":\"m\","));
  const std::string whole = kWhole;
  std::string rest = whole.substr(std::string_view(request.body).size());
  request.flags = SLUICE_REQUEST_BODY_FOLLOWS;
  const sluice_call_t call = submit(rig.gateway, rig.queue.queue, request);
  rig.settle();
  CHECK(rig.queue.drain().empty());
  for (std::size_t i = 0; i < rest.size(); ++i) {
    good([&](auto err) { return sluice_call_body(rig.gateway, call, &rest[i], 1, i + 1 == rest.size() ? 1 : 0, err); });
  }
  rig.settle();
  CHECK(end_of(rig.queue.drain()).event.status == 200);
  sluice_seen_info_t seen{};
  seen.struct_size = sizeof seen;
  good([&](auto err) { return sluice_simulation_seen(rig.simulation, 0, &seen, err); });
  CHECK(view(seen.body) == whole);
}

TEST_CASE("a body that grows beyond the cap is refused, and its later pieces are nothing") {
  Rig rig(R"({"version": 1, "gateway": {"limits": {"body_bytes": 1000}},
    "upstreams": [{"name": "a", "provider": "simulator"}],
    "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "a"}]}]})");
  sluice_request_t request = chat("");
  request.flags = SLUICE_REQUEST_BODY_FOLLOWS;
  const sluice_call_t call = submit(rig.gateway, rig.queue.queue, request);
  const std::string piece(600, ' ');
  for (int i = 0; i < 4; ++i) {
    good([&](auto err) { return sluice_call_body(rig.gateway, call, piece.data(), piece.size(), i == 3 ? 1 : 0, err); });
  }
  rig.settle();
  const auto events = rig.queue.drain();
  CHECK(end_of(events).event.code == SLUICE_CODE_BODY_TOO_LARGE);
  CHECK(ends(events) == 1);
}

TEST_CASE("a deadline of the call's own ends it") {
  Rig rig;
  good([&](auto err) {
    sluice_fault_t fault{};
    fault.struct_size = sizeof fault;
    fault.kind = SLUICE_FAULT_STALL;
    return sluice_script_fault(rig.script("a"), &fault, err);
  });
  sluice_request_t request = chat();
  request.deadline_ms = 250;
  const auto events = rig.run(request);
  CHECK(end_of(events).event.code == SLUICE_CODE_TOTAL_TIMEOUT);
}

// ABI-16
TEST_CASE("where consumers are configured a call names one, brings a key, or is nobody") {
  Rig rig(kWithConsumers);
  sluice_request_t request = chat();
  CHECK(end_of(rig.run(request)).event.status == 401);
  const sluice_header_t placeholder{"authorization", SLUICE_NUL_TERMINATED, "Bearer unused", SLUICE_NUL_TERMINATED};
  request.headers = &placeholder;
  request.header_count = 1;
  CHECK(end_of(rig.run(request)).event.status == 401);
  request.consumer = "app";
  request.consumer_size = SLUICE_NUL_TERMINATED;
  CHECK(end_of(rig.run(request)).event.status == 200);
  request.consumer = "nobody";
  CHECK(end_of(rig.run(request)).event.status == 401);
}

// ABI-04
TEST_CASE("a cancelled call still has its one end") {
  Rig rig;
  good([&](auto err) { return sluice_script_generate(rig.script("a"), 1000, err); });
  good([&](auto err) {
    sluice_pace_t pace{};
    pace.struct_size = sizeof pace;
    pace.tokens_per_second = 100;
    return sluice_script_pace(rig.script("a"), &pace, err);
  });
  const std::int64_t after = GENERATE(-1, 0, 1'000'000, 2'000'000'000);
  const sluice_call_t call = submit(rig.gateway, rig.queue.queue, chat(kStream));
  if (after >= 0) rig.advance(after);
  for (int i = 0; i < 2; ++i) good([&](auto err) { return sluice_call_cancel(rig.gateway, call, err); });
  rig.settle();
  const auto events = rig.queue.drain();
  CHECK(ends(events) == 1);
  CHECK(end_of(events).event.detail == SLUICE_ENDING_CANCELLED);
  CHECK(end_of(events).event.code == SLUICE_CODE_CANCELLED);
  // After the end, and for a number that never was one.
  good([&](auto err) { return sluice_call_cancel(rig.gateway, call, err); });
  good([&](auto err) { return sluice_call_cancel(rig.gateway, 0xFFFFFFFFFFFFFFFFu, err); });
  rig.settle();
  CHECK(rig.queue.drain().empty());
}

// ABI-04
TEST_CASE("calls are cancelled from any thread at any time") {
  sluice_gateway_t* gateway = open();
  Queue queue;
  constexpr std::size_t kCalls = 200;
  std::vector<sluice_call_t> calls;
  for (std::size_t i = 0; i < kCalls; ++i) calls.push_back(submit(gateway, queue.queue, chat(kStream), i));
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      for (const sluice_call_t call : calls) (void)sluice_call_cancel(gateway, call, nullptr);
    });
  }
  const auto events = queue.until_ended(kCalls);
  for (std::thread& thread : threads) thread.join();
  std::map<std::uint64_t, int> ended;
  for (const Seen& seen : events) ended[seen.event.tag] += seen.event.kind == SLUICE_EVENT_END ? 1 : 0;
  CHECK(ended.size() == kCalls);
  for (const auto& [tag, count] : ended) CHECK(count == 1);
  sluice_gateway_free(gateway);
  CHECK(queue.drain().empty());
}

TEST_CASE("a request without a type has that of JSON, one with a type has its own") {
  Rig rig;
  sluice_request_t request = chat();
  const sluice_header_t type{"content-type", SLUICE_NUL_TERMINATED, "text/plain", SLUICE_NUL_TERMINATED};
  request.headers = &type;
  request.header_count = 1;
  CHECK(end_of(rig.run(request)).event.code == SLUICE_CODE_UNSUPPORTED_MEDIA_TYPE);
}
