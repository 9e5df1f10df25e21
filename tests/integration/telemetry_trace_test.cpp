// Traces: which are continued, which begin anew, and what upstreams are told of them.

#include <catch2/catch.hpp>

#include "telemetry_support.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736", kSpan = "00f067aa0ba902b7";
const std::string kParent = "00-" + kTrace + "-" + kSpan + "-01";

struct Told {
  std::string event;
  RawRequest seen;
};

/// One exchange with these header fields of the caller's.
Told exchange(const std::string& fields, std::uint32_t threads, const std::string& telemetry = {}, const std::string& route = {}) {
  Events events;
  Backend a("a");
  const std::string more = telemetry.empty() ? std::string() : ",\"telemetry\":{" + telemetry + "}";
  Live live(document(a.entry(), route_to("a", route), more), threads, telling(events));
  CHECK(ask(live, post("/v1/chat/completions", chat_body("m"), fields)).status == 200);
  const auto lines = events.wait(1);
  REQUIRE(lines.size() == 1);
  CHECK(fits_schema(lines[0]));
  REQUIRE(a->request_count() == 1);
  return {lines[0], a->requests()[0]};
}

std::string bare(const std::string& quoted) { return quoted.size() < 2 ? quoted : quoted.substr(1, quoted.size() - 2); }

/// What the upstream is told names the event's own span.
void check_passed_on(const Told& told, const std::string& flags) {
  CHECK(told.seen.header("traceparent") == "00-" + bare(at(told.event, {"trace_id"})) + "-" + bare(at(told.event, {"span_id"})) + "-" + flags);
}

}  // namespace

// TELE-08
TEST_CASE("a valid traceparent is continued, in the event and towards the upstream") {
  const auto threads = GENERATE(1u, 4u);
  const std::string route = GENERATE(std::string(), std::string(R"(,"operation":"opaque")"));
  const Told told = exchange("Traceparent: " + kParent + "\r\nTracestate: a=1, b=2\r\n", threads, {}, route);
  CHECK(bare(at(told.event, {"trace_id"})) == kTrace);
  CHECK(bare(at(told.event, {"parent_span_id"})) == kSpan);
  CHECK(bare(at(told.event, {"span_id"})) != kSpan);
  check_passed_on(told, "01");
  CHECK(told.seen.header("tracestate") == "a=1,b=2");
}

// TELE-08
TEST_CASE("a traceparent of a version that is not known is continued as far as it is") {
  const auto threads = GENERATE(1u, 4u);
  const Told told = exchange("traceparent: 7e-" + kTrace + "-" + kSpan + "-00-what-comes-later\r\n", threads);
  CHECK(bare(at(told.event, {"trace_id"})) == kTrace);
  CHECK(bare(at(told.event, {"parent_span_id"})) == kSpan);
  check_passed_on(told, "00");
}

// TELE-08
TEST_CASE("a traceparent that is malformed, in upper case, all zero or there twice begins a new trace") {
  const auto threads = GENERATE(1u, 4u);
  const std::string zeros(32, '0');
  const auto fields = GENERATE_COPY(values<std::string>({"traceparent: 00-" + zeros + "-" + kSpan + "-01\r\n", "traceparent: 00-" + kTrace + "-0000000000000000-01\r\n",
                                                         "traceparent: 00-4BF92F3577B34DA6A3CE929D0E0E4736-" + kSpan + "-01\r\n", "traceparent: 00-" + kTrace + "-" + kSpan + "\r\n",
                                                         "traceparent: ff-" + kTrace + "-" + kSpan + "-01\r\n", "traceparent: " + kParent + "-more\r\n",
                                                         "traceparent: " + kParent + "\r\ntraceparent: " + kParent + "\r\n", "traceparent: \r\n"}));
  INFO(fields);
  const Told told = exchange(fields + "tracestate: a=1\r\n", threads);
  CHECK(at(told.event, {"trace_id"}).size() == 34);
  CHECK(bare(at(told.event, {"trace_id"})) != kTrace);
  CHECK(bare(at(told.event, {"trace_id"})) != zeros);
  CHECK(at(told.event, {"parent_span_id"}).empty());
  check_passed_on(told, "01");
  CHECK_FALSE(told.seen.header("tracestate"));  // it belongs to a trace that is not continued
}

// TELE-08
TEST_CASE("a tracestate goes on up to its bounds") {
  const auto threads = GENERATE(1u, 4u);
  std::string many, entries;
  for (int i = 0; i < 33; ++i) many += (i != 0 ? "," : "") + std::string("k") + std::to_string(i) + "=v";
  for (int i = 0; i < 10; ++i) entries += (i != 0 ? "," : "") + std::string("k") + std::to_string(i) + "=" + std::string(100, 'v');
  CHECK_FALSE(exchange("traceparent: " + kParent + "\r\ntracestate: " + many + "\r\n", threads).seen.header("tracestate"));
  const auto cut = exchange("traceparent: " + kParent + "\r\ntracestate: " + entries + "\r\n", threads).seen.header("tracestate");
  REQUIRE(cut);
  CHECK(cut->size() <= 512);
  CHECK(cut->substr(0, 3) == "k0=");
  CHECK(cut->back() == 'v');
}

// TELE-08
TEST_CASE("where traceparent is not trusted every exchange begins a trace of its own") {
  const auto threads = GENERATE(1u, 4u);
  const Told told = exchange("traceparent: " + kParent + "\r\ntracestate: a=1\r\n", threads, R"("trust_traceparent":false)");
  CHECK(bare(at(told.event, {"trace_id"})) != kTrace);
  CHECK(at(told.event, {"parent_span_id"}).empty());
  check_passed_on(told, "01");
  CHECK_FALSE(told.seen.header("tracestate"));
}

// TELE-08: a span that no event tells of would be a hole in the caller's trace.
TEST_CASE("without anybody who gets events a caller's trace goes on as it came, where it is valid and trusted") {
  const bool trusted = GENERATE(true, false);
  Backend a("a");
  Live live(document(a.entry(), route_to("a"), trusted ? "" : R"(,"telemetry":{"trust_traceparent":false})"));
  for (const std::string& field : {kParent, std::string("00-nonsense"), std::string()}) {
    const std::string fields = field.empty() ? field : "traceparent: " + field + "\r\ntracestate: a=1\r\n";
    CHECK(ask(live, post("/v1/chat/completions", chat_body("m"), fields)).status == 200);
  }
  const auto seen = a->requests();
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].header("traceparent") == (trusted ? std::optional(kParent) : std::nullopt));
  CHECK(seen[0].header("tracestate") == (trusted ? std::optional<std::string>("a=1") : std::nullopt));
  CHECK_FALSE(seen[1].header("traceparent"));
  CHECK_FALSE(seen[1].header("tracestate"));
  CHECK_FALSE(seen[2].header("traceparent"));
}

// TELE-08: attempts are children of one span.
TEST_CASE("every attempt of an exchange names the same span as its parent") {
  const auto threads = GENERATE(1u, 4u);
  Events events;
  Backend a("a"), b("b");
  a->on_request([](const RawRequest&) { return Reply::status(503, "{}", "Content-Type: application/json\r\n"); });
  Live live(document(a.entry() + "," + b.entry(), R"({"name":"r","upstreams":[{"name":"a"},{"name":"b"}]})"), threads, telling(events));
  CHECK(ask(live, plain_request()).status == 200);
  REQUIRE(a->request_count() >= 1);
  REQUIRE(b->request_count() == 1);
  REQUIRE(a->requests()[0].header("traceparent"));
  CHECK(a->requests()[0].header("traceparent") == b->requests()[0].header("traceparent"));
}
