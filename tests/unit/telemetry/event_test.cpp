// The event of an exchange: every field under its name, in its unit, and true.

#include "telemetry/event.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <functional>
#include <limits>
#include <set>
#include <vector>

#include "unit/telemetry/event_reading.hpp"
#include "unit/telemetry/event_samples.hpp"

using namespace sluice;
using namespace std::chrono_literals;
using namespace sluice::tests;

TEST_CASE("what an exchange left is told, each thing under its name and in its unit") {  // TELE-01
  const std::string line = event_sample("everything").line();
  const std::pair<std::vector<const char*>, const char*> kTold[] = {
      {{"schema"}, R"("sluice.event/1")"},
      {{"time"}, R"("2026-11-26T08:01:13.123Z")"},
      {{"id"}, R"("req_7h2k9q4m1x8w3v5t6r0s2d4f")"},
      {{"trace_id"}, R"("4bf92f3577b34da6a3ce929d0e0e4736")"},
      {{"span_id"}, R"("b7ad6b7169203331")"},
      {{"parent_span_id"}, R"("00f067aa0ba902b7")"},
      {{"gateway"}, R"("edge")"},
      {{"consumer"}, R"("app")"},
      {{"tenant"}, R"("acme")"},
      {{"key_id"}, R"("5b2f0c9e")"},
      {{"client_address"}, R"("2001:db8::7")"},
      {{"route"}, R"("chat")"},
      {{"dialect"}, R"("openai")"},
      {{"operation"}, R"("chat")"},
      {{"requested_model"}, R"("smart")"},
      {{"served_model"}, R"("gpt-4o-mini-2024-07-18")"},
      {{"model_note"}, R"("gpt-9 is not allowed, default gpt-4o-mini used")"},
      {{"mode"}, R"("embedded")"},
      {{"streamed"}, "true"},
      {{"status"}, "200"},
      {{"ending"}, R"("failed")"},
      {{"error", "code"}, R"("upstream_truncated")"},
      {{"error", "origin"}, R"("upstream")"},
      {{"error", "retry_after_ms"}, "1500"},
      {{"error", "param"}, R"("messages")"},
      {{"finish_reason"}, R"("stop")"},
      {{"attempts", "0", "upstream"}, R"("backup")"},
      {{"attempts", "0", "skipped"}, "true"},
      {{"attempts", "0", "code"}, R"("no_backend_available")"},
      {{"attempts", "0", "chosen_because"}, R"("first of route 'chat'")"},
      {{"attempts", "0", "started_ms"}, "0.005"},
      {{"attempts", "1", "status"}, "503"},
      {{"attempts", "1", "sends"}, "2"},
      {{"attempts", "1", "replayed"}, "1"},
      {{"attempts", "1", "resolve_ms"}, "1.250"},
      {{"attempts", "1", "connect_ms"}, "3.000"},
      {{"attempts", "1", "first_byte_ms"}, "20.000"},
      {{"attempts", "2", "model"}, R"("gpt-4o-mini")"},
      {{"attempts", "2", "reused_connection"}, "true"},
      {{"attempts", "2", "wait_ms"}, "100.000"},
      {{"attempts", "2", "queued_ms"}, "0.700"},
      {{"attempts", "2", "total_ms"}, "3334.000"},
      {{"attempts", "2", "sent_bytes"}, "2301"},
      {{"attempts", "2", "received_bytes"}, "90233"},
      {{"attempts", "2", "usage", "source"}, R"("reported")"},
      {{"verdicts", "0", "observed"}, "true"},
      {{"verdicts", "0", "took_ms"}, "0.300"},
      {{"verdicts", "0", "detections", "0", "score"}, "0.875"},
      {{"verdicts", "0", "detections", "1", "kind"}, R"("pii.phone")"},
      {{"verdicts", "1", "failed_open"}, "true"},
      {{"verdicts", "1", "code"}, R"("plugin_timeout")"},
      {{"calls", "0", "upstream"}, R"("moderation")"},
      {{"losses", "0", "severity"}, R"("semantic")"},
      {{"losses_beyond"}, "3"},
      {{"usage", "source"}, R"("estimated")"},
      {{"usage", "estimated_by"}, R"("weights")"},
      {{"usage", "input_tokens"}, "1210"},
      {{"usage", "cached_input_tokens"}, "1024"},
      {{"usage", "cache_write_tokens"}, "0"},
      {{"usage", "reasoning_tokens"}, "64"},
      {{"first_delta_ms"}, "535.001"},
      {{"deltas"}, "388"},
      {{"inter_delta_p50_ms"}, "7.424"},
      {{"inter_delta_p99_ms"}, "31.744"},
      {{"request_bytes"}, "2301"},
      {{"answer_bytes"}, "90233"},
      {{"content", "prompt", "1", "text"}, R"("What is \"24\" times 7?\n")"},
      {{"content", "tool_calls", "0", "arguments"}, R"("{\"a\": 24, \"b\": 7}")"},
      {{"content", "truncated"}, "true"},
  };
  for (const auto& [path, told] : kTold) {
    INFO(path.front() << " of " << line);
    CHECK(at(line, path) == told);
  }
}

TEST_CASE("the first member is the version of the format") {
  for (const EventSample& sample : tests::event_samples()) {
    CHECK(sample.line().starts_with(R"({"schema":"sluice.event/1","time":")"));
  }
}

TEST_CASE("what is unknown or empty is left out, and nothing is null") {
  CHECK(event_sample("bare").line() ==
        R"({"schema":"sluice.event/1","time":"1970-01-01T00:00:00.000Z","id":"req_1","gateway":"edge","streamed":false,"ending":"failed",)"
        R"("times":{"receive_us":0,"plugin_us":0,"queue_us":0,"wait_us":0,"upstream_us":0,"gateway_us":0,"total_us":0},)"
        R"("request_bytes":0,"answer_bytes":0})");
}

TEST_CASE("a count of tokens that is unknown is not there, and one that is 0 is") {  // TELE-04
  EventSample sample = event_sample("bare");
  sample.outcome.usage.output_tokens = 0;
  const std::string line = sample.line();
  CHECK(at(line, {"usage"}) == R"({"source":"reported","output_tokens":0})");
  sample.outcome.usage.output_tokens.reset();
  CHECK(at(sample.line(), {"usage"}).empty());
}

TEST_CASE("a skipped attempt tells why, and nothing of what never happened") {
  EventSample sample = event_sample("bare");
  Attempt skipped;
  skipped.upstream = "backup";
  skipped.skipped = true;
  skipped.reason = "its queue is full";
  sample.outcome.attempts = {skipped};
  CHECK(at(sample.line(), {"attempts"}) == R"([{"upstream":"backup","skipped":true,"reason":"its queue is full","started_ms":0.000}])");
}

TEST_CASE("an attempt that was never sent says so, and only sends beyond the first are replays") {
  EventSample sample = event_sample("bare");
  sample.outcome.attempts.resize(3);
  sample.outcome.attempts[1].sends = 1;
  sample.outcome.attempts[2].sends = 3;
  const std::string line = sample.line();
  CHECK(at(line, {"attempts", "0", "sends"}) == "0");
  CHECK(at(line, {"attempts", "0", "replayed"}).empty());
  CHECK(at(line, {"attempts", "1", "replayed"}).empty());
  CHECK(at(line, {"attempts", "2", "replayed"}) == "2");
}

TEST_CASE("the pauses of a stream are told from its second delta on") {
  EventSample sample = event_sample("streamed");
  for (const std::uint64_t deltas : {0u, 1u, 2u}) {
    sample.outcome.deltas = deltas;
    if (deltas == 0) sample.outcome.first_delta = {};
    else sample.outcome.first_delta = 5ms;
    const std::string line = sample.line();
    CHECK(at(line, {"first_delta_ms"}) == (deltas == 0 ? "" : "5.000"));
    CHECK(at(line, {"deltas"}).empty() == (deltas == 0));
    CHECK(at(line, {"inter_delta_p99_ms"}).empty() == (deltas < 2));
  }
}

TEST_CASE("a first delta in the very moment of the request is told as 0, where there was one") {
  EventSample sample = event_sample("bare");
  sample.outcome.deltas = 1;
  CHECK(at(sample.line(), {"first_delta_ms"}) == "0.000");
}

TEST_CASE("times are milliseconds with three decimals, cut and not rounded") {
  EventSample sample = event_sample("bare");
  sample.outcome.calls.resize(1);
  const std::pair<Duration, const char*> kTimes[] = {
      {0ns, "0.000"},         {999ns, "0.000"},     {1us, "0.001"},
      {999'999ns, "0.999"},   {1ms, "1.000"},       {12'345'678ns, "12.345"},
      {100ms, "100.000"},     {9'999'999us, "9999.999"}, {10s, "10000.000"},
      {-5ms, "0.000"},        {1h, "3600000.000"},  {Duration::max(), "9223372036854.775"},
  };
  for (const auto& [time, told] : kTimes) {
    sample.outcome.calls[0].total = time;
    CHECK(at(sample.line(), {"calls", "0", "total_ms"}) == told);
  }
}

TEST_CASE("whole numbers of every length are written whole") {
  EventSample sample = event_sample("bare");
  std::uint64_t n = 0;
  for (int length = 1; length <= 20; ++length) {
    for (const std::uint64_t near : {n - 1, n, n + 1}) {
      sample.outcome.bytes_in = near;
      CHECK(at(sample.line(), {"request_bytes"}) == std::to_string(near));
    }
    n = n == 0 ? 10 : n * 10;
  }
}

TEST_CASE("a time is RFC 3339 in UTC, in leap years too and at the ends of the calendar") {
  EventSample sample = event_sample("bare");
  const std::pair<std::int64_t, const char*> kTimes[] = {
      {0, "1970-01-01T00:00:00.000Z"},
      {951'782'400'000 - 1, "2000-02-28T23:59:59.999Z"},
      {951'782'400'000, "2000-02-29T00:00:00.000Z"},
      {4'107'542'400'000, "2100-03-01T00:00:00.000Z"},  // no leap year
      {-1, "1969-12-31T23:59:59.999Z"},
      {1'795'680'073'123, "2026-11-26T08:01:13.123Z"},
      {253'402'300'799'999, "9999-12-31T23:59:59.999Z"},
      {253'402'300'800'000, "9999-12-31T23:59:59.999Z"},
      {std::numeric_limits<std::int64_t>::max(), "9999-12-31T23:59:59.999Z"},
      {std::numeric_limits<std::int64_t>::min(), "0000-01-01T00:00:00.000Z"},
  };
  for (const auto& [ms, told] : kTimes) {
    sample.outcome.started_at = WallTime(std::chrono::milliseconds(ms));
    CHECK(at(sample.line(), {"time"}) == '"' + std::string(told) + '"');
  }
}

TEST_CASE("the shares of time add up to the total, to the microsecond, whatever they are") {  // TELE-11
  Random random(11);
  for (int round = 0; round < 2000; ++round) {
    EventSample sample = event_sample("bare");
    Outcome& o = sample.outcome;
    if (round < 1000) {
      // As it should be: parts within the total.
      for (auto* part : {&o.receive_time, &o.plugin_time, &o.queue_time, &o.wait_time, &o.upstream_time}) {
        *part = Duration(static_cast<std::int64_t>(random.below(1'000'000'000)));
        o.total += *part;
      }
      o.total += Duration(static_cast<std::int64_t>(random.below(1'000'000)));
    } else {
      o = tests::random_sample(random).outcome;
    }
    const std::string line = sample.line();
    const auto number = [&](const char* name) { return std::stoll(at(line, {"times", name})); };
    std::int64_t sum = 0;
    for (const char* name : {"receive_us", "plugin_us", "queue_us", "wait_us", "upstream_us", "gateway_us"}) {
      CHECK(number(name) >= 0);
      sum += number(name);
    }
    CHECK(sum == number("total_us"));
    if (round < 1000) {
      CHECK(number("plugin_us") == o.plugin_time.count() / 1000);
      CHECK(number("upstream_us") == o.upstream_time.count() / 1000);
      CHECK(number("gateway_us") < 1006);
    }
  }
}

TEST_CASE("an event is appended to what is there") {
  std::string out = "before";
  telemetry::write_event(event_sample("bare").outcome, {.gateway = "edge"}, out);
  CHECK(out == "before" + event_sample("bare").line());
}

TEST_CASE("a score that is no share is left out") {
  EventSample sample = event_sample("bare");
  sample.outcome.verdicts.resize(1);
  sample.outcome.verdicts[0].detections.resize(1);
  for (const double score : {-0.5, 1.5, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    sample.outcome.verdicts[0].detections[0].score = score;
    CHECK(at(sample.line(), {"verdicts", "0", "detections", "0", "score"}).empty());
  }
  for (const double score : {0.0, 1.0, 1e-300}) {
    sample.outcome.verdicts[0].detections[0].score = score;
    CHECK(std::stod(at(sample.line(), {"verdicts", "0", "detections", "0", "score"})) == score);
  }
}

TEST_CASE("every field of the schema is written by some event") {
  // The other half, that no event writes a field the schema does not know, is what `valid` above refuses.
  const std::string line = event_sample("everything").line();
  const auto document = parsed(line);
  std::set<std::string> missing;
  using Walk = std::function<void(json::Value, json::Value, const std::string&)>;
  const Walk walk = [&](json::Value rule, json::Value value, const std::string& where) {
    if (value.is(json::Type::kArray)) {
      // Every field of an element is in one of them.
      const json::Value items = tests::member(rule, "items");
      std::string scratch;
      for (json::Value known = tests::member(items, "properties").first(); known; known = known.next()) {
        json::Value found;
        for (json::Value item = value.first(); item && !found; item = item.next()) {
          found = tests::member(item, known.key(scratch));
        }
        if (!found) missing.insert(where + "[]." + std::string(known.key(scratch)));
        else walk(known, found, where + "[]." + std::string(known.key(scratch)));
      }
      return;
    }
    const json::Value properties = tests::member(rule, "properties");
    if (!properties) return;
    std::string scratch;
    for (json::Value known = properties.first(); known; known = known.next()) {
      const std::string name(known.key(scratch));
      const json::Value found = tests::member(value, name);
      if (!found) missing.insert(where + "." + name);
      else walk(known, found, where + "." + name);
    }
  };
  walk(event_schema().root(), document.root(), "event");
  // A whole answer of an attempt need not tell everything of its usage; the exchange's own does.
  std::erase_if(missing, [](const std::string& name) { return name.starts_with("event.attempts[].usage."); });
  for (const std::string& name : missing) FAIL_CHECK(name << " is in the schema, and no event has it");
}
