// The in-process transport: faults, times, and that the same seed gives the same run.
#include "sim/transport.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "sim/text.hpp"
#include "unit/sim/rig.hpp"

using namespace sluice;
using namespace sluice::sim;
using namespace std::chrono_literals;
using testing::Fault;
using Kind = Fault::Kind;

TEST_CASE("the sink hears nothing inside start, then everything once") {
  Rig rig;
  auto heard = rig.listen();
  const auto transfer = rig.channel->start(Rig::chat(), *heard);
  CHECK(heard->connected == 0);
  CHECK(heard->done == 0);
  rig.turn();
  CHECK(heard->connected == 1);
  CHECK(heard->head.status == 200);
  CHECK(heard->head.headers.get("content-type") == "application/json");
  CHECK(heard->head.headers.get("content-length") == std::to_string(heard->body.size()));
  CHECK(heard->done == 1);
  CHECK(heard->end.code == Code::kOk);
  CHECK(heard->end.sends == 1);
  CHECK(heard->end.bytes_received == heard->body.size());
  CHECK(heard->end.bytes_sent > 0);
  CHECK_FALSE(rig.loop->next_deadline());
}

TEST_CASE("the upstream has seen the request as it was sent, edits made") {
  Rig rig;
  auto request = Rig::chat();
  request.body.replace(1, 0, R"("added":1,)");
  (void)request.headers.add("X-One", "1");
  (void)rig.run(std::move(request));
  REQUIRE(rig.stage->seen().size() == 1);
  const auto& seen = rig.stage->seen()[0];
  CHECK(seen.upstream == "one");
  CHECK(seen.method == "POST");
  CHECK(seen.target == "/v1/chat/completions");
  CHECK(seen.body.starts_with(R"({"added":1,"model":"m")"));
  CHECK(seen.headers.get("x-one") == "1");
  CHECK(seen.at == rig.first);
}

TEST_CASE("first token, rate and head are exact to the nanosecond") {
  Rig rig;
  testing::Pace pace;
  pace.head = 100ms;
  pace.first_token = 1s;
  pace.tokens_per_second = 50;
  rig.script().answers("a b c d").pace(pace);

  const auto streamed = rig.run(Rig::chat(true));
  CHECK(streamed->head_at == 100ms);
  REQUIRE(streamed->pieces.size() == 5);
  CHECK(streamed->pieces[0].first == 100ms);  // the role
  for (int i = 0; i < 4; ++i) CHECK(streamed->pieces[static_cast<std::size_t>(i) + 1].first == 1s + i * 20ms);
  CHECK(streamed->pieces[4].second.ends_with("data: [DONE]\n\n"));  // what closes comes with the last token
  CHECK(streamed->done_at == 1060ms);

  const TimePoint before = rig.clock.now();
  const auto whole = rig.run(Rig::chat());
  CHECK(whole->head_at == (before - rig.first) + 1060ms);
  CHECK(whole->pieces.size() == 1);
}

TEST_CASE("jitter stays in its bounds and differs between requests") {
  Rig rig;
  testing::Pace pace;
  pace.first_token = 10ms;
  pace.jitter = 5ms;
  rig.script().pace(pace);
  std::vector<Duration> waits;
  for (int i = 0; i < 50; ++i) {
    const TimePoint before = rig.clock.now();
    waits.push_back(rig.run(Rig::chat())->head_at - (before - rig.first));
    CHECK(waits.back() >= 10ms);
    CHECK(waits.back() <= 15ms);
  }
  std::sort(waits.begin(), waits.end());
  CHECK(waits.back() - waits.front() > 2ms);
}

TEST_CASE("pings fill the silence of a stream") {
  Rig rig;
  testing::Pace pace;
  pace.first_token = 35s;
  pace.ping = 10s;
  rig.script().answers("x").pace(pace);
  const auto heard = rig.run(Rig::chat(true));
  REQUIRE(heard->pieces.size() == 5);
  for (std::size_t i = 1; i <= 3; ++i) {
    CHECK(heard->pieces[i].second == ": ping\n\n");
    CHECK(heard->pieces[i].first == static_cast<int>(i) * 10s);
  }
  CHECK(heard->pieces[4].first == 35s);
}

TEST_CASE("a status comes with the dialect's error and its Retry-After") {
  Rig rig;
  for (const int status : {400, 401, 403, 404, 408, 429, 500, 502, 503, 529}) {
    rig.script().fails_with(status);
    const auto heard = rig.run(Rig::chat(true));
    CHECK(heard->head.status == status);
    CHECK_FALSE(Parsed(heard->body).text("/error/message").empty());
    CHECK(heard->end.code == Code::kOk);
  }
  Fault limited = fault(Kind::kStatus);
  limited.status = 429;
  limited.retry_after = 1500ms;
  rig.script().fails(limited);
  CHECK(rig.run(Rig::chat())->head.headers.get("retry-after") == "2");
  rig.script().fails_with(418, "I am a teapot");
  CHECK(rig.run(Rig::chat())->body == "I am a teapot");
  rig.script().fails_with(99);  // no status at all: the plainest failure instead
  CHECK(rig.run(Rig::chat())->head.status == 500);
}

TEST_CASE("an error in a stream comes after exactly so many events, and nothing follows") {
  Rig rig;
  rig.script().answers("a b c d e f");
  for (std::size_t n = 0; n <= 9; ++n) {
    Fault broken = fault(Kind::kErrorInStream);
    broken.after_events = n;
    rig.script().fails(broken);
    const auto list = events(rig.run(Rig::chat(true))->body);
    const std::size_t expected = std::min<std::size_t>(n, 9);  // role, 6 tokens, reason, [DONE]
    REQUIRE(list.size() == expected + 1);
    CHECK(Parsed(list.back()).text("/error/type") == "server_error");
  }
  const auto whole = rig.run(Rig::chat());
  CHECK(whole->head.status == 200);
  CHECK(Parsed(whole->body).text("/error/type") == "server_error");
}

TEST_CASE("a cut, a reset and a stall leave exactly the bytes before them, at every byte") {
  Rig rig;
  rig.script().answers("one two");
  const std::string streamed = rig.run(Rig::chat(true))->body;
  const std::string whole = rig.run(Rig::chat())->body;
  for (const bool stream : {true, false}) {
    const std::size_t size = stream ? streamed.size() : whole.size();
    for (std::size_t at = 0; at <= size + 1; at += at + 8 < size ? 7 : 1) {
      for (const Kind kind : {Kind::kCut, Kind::kReset, Kind::kStall}) {
        Fault broken = fault(kind);
        broken.at_byte = at;
        rig.script().fails(broken);
        const auto heard = rig.run(Rig::chat(stream));
        CHECK(heard->head.status == 200);
        CHECK(heard->body.size() == std::min(at, size));
        if (!stream && at >= size) {
          CHECK(heard->end.code == Code::kOk);  // the declared length was reached
        } else if (kind == Kind::kStall) {
          CHECK(heard->done == 0);
        } else {
          CHECK(heard->end.code == (kind == Kind::kCut ? Code::kUpstreamTruncated : Code::kUpstreamReset));
        }
      }
    }
  }
}

TEST_CASE("a slow head comes after its bytes' worth of steps") {
  Rig rig;
  Fault slow = fault(Kind::kSlowHead);
  slow.step = 100ms;
  rig.script().fails(slow);
  const auto heard = rig.run(Rig::chat());
  CHECK(heard->head_at > 10s);
  CHECK(heard->end.code == Code::kOk);
}

TEST_CASE("garbage, a hang-up and a refusal bring no head") {
  Rig rig;
  rig.script().fails(fault(Kind::kGarbage));
  auto heard = rig.run(Rig::chat());
  CHECK(heard->head.status == 0);
  CHECK(heard->end.code == Code::kUpstreamProtocolError);

  rig.script().fails(fault(Kind::kHangUp));
  heard = rig.run(Rig::chat());
  CHECK(heard->connected == 1);
  CHECK(heard->end.code == Code::kUpstreamReset);
  CHECK(rig.stage->seen().size() == 2);

  rig.script().fails(fault(Kind::kRefuse));
  heard = rig.run(Rig::chat());
  CHECK(heard->connected == 0);
  CHECK(heard->end.code == Code::kUpstreamConnectFailed);
  CHECK(heard->end.sends == 0);
  CHECK(rig.stage->seen().size() == 2);
}

TEST_CASE("HTML stands where JSON belongs") {
  Rig rig;
  rig.script().fails(fault(Kind::kHtml));
  for (const bool stream : {false, true}) {
    const auto heard = rig.run(Rig::chat(stream));
    CHECK(heard->head.status == 200);
    CHECK(heard->head.headers.get("content-type") == "text/html; charset=utf-8");
    CHECK(heard->body.starts_with("<!DOCTYPE html>"));
  }
}

TEST_CASE("a fault in a window of virtual time comes and goes") {
  Rig rig;
  rig.script().fails_with(503).from(10s).until(20s);
  const auto status_at = [&](Duration at) {
    rig.clock.advance(rig.first + at - rig.clock.now());
    return rig.run(Rig::chat())->head.status;
  };
  CHECK(status_at(9s) == 200);
  CHECK(status_at(10s) == 503);
  CHECK(status_at(19s) == 503);
  CHECK(status_at(20s) == 200);
}

TEST_CASE("every piece size gives the same body") {
  Rig reference(5);
  reference.script().generates(12);
  const std::string expected = reference.run(Rig::chat(true))->body;
  for (std::size_t n = 1; n < expected.size() + 2; n += 1 + n / 40) {
    Rig rig(5);
    rig.script().generates(12).piece_bytes(n);
    const auto heard = rig.run(Rig::chat(true));
    REQUIRE(heard->body == expected);
    for (const auto& piece : heard->pieces) REQUIRE(piece.second.size() <= n);
    if (n == 1) REQUIRE(heard->pieces.size() == expected.size());
  }
}

TEST_CASE("very bytes: a body and an event stream of the script's own") {
  Rig rig;
  testing::Pace pace;
  pace.tokens_per_second = 10;
  rig.script().body("application/octet-stream", std::string("\0\1\2", 3)).stream_bytes("data: a\n\n: c\n\ndata: b\r\n\r\ntail").pace(pace);
  const auto whole = rig.run(Rig::post("/any/path", "not json"));
  CHECK(whole->body == std::string("\0\1\2", 3));
  CHECK(whole->head.headers.get("content-type") == "application/octet-stream");
  const auto streamed = rig.run(Rig::chat(true));
  CHECK(streamed->body == "data: a\n\n: c\n\ndata: b\r\n\r\ntail");
  CHECK(streamed->pieces.size() == 4);  // paced event by event
  CHECK(streamed->head.headers.get("content-type") == "text/event-stream; charset=utf-8");
}

TEST_CASE("script headers replace the simulator's and repeat where the script repeats them") {
  Rig rig;
  rig.script().header("X-Request-ID", "mine").header("Set-Cookie", "a=1").header("set-cookie", "b=2").header("Content-Length", "5");
  const auto heard = rig.run(Rig::chat());
  CHECK(heard->head.headers.get("x-request-id") == "mine");
  CHECK(heard->head.headers.count("x-request-id") == 1);
  CHECK(heard->head.headers.count("set-cookie") == 2);
  CHECK(heard->head.headers.get("content-length") == std::to_string(heard->body.size()));
}

TEST_CASE("the caps of an endpoint hold") {
  Rig rig;
  rig.endpoint.max_answer_bytes = 100;
  rig.open();
  CHECK(rig.run(Rig::chat())->end.code == Code::kUpstreamAnswerTooLarge);
  rig.endpoint.max_answer_bytes = 0;
  rig.endpoint.max_head_bytes = 40;
  rig.open();
  const auto heard = rig.run(Rig::chat());
  CHECK(heard->end.code == Code::kUpstreamHeadTooLarge);
  CHECK(heard->head.status == 0);
}

TEST_CASE("the same seed gives the same bytes at the same times, whatever else runs beside") {
  // AVAIL-14, the simulator's half
  const auto trace = [](std::uint64_t seed, bool company) {
    Rig rig(seed);
    testing::Pace pace;
    pace.first_token = 20ms;
    pace.jitter = 30ms;
    pace.tokens_per_second = 80;
    rig.script().generates(25).pace(pace);
    rig.stage->script("other").generates(9).pace(pace);
    engine::Endpoint other;
    other.name = "other";
    auto beside = rig.transport->open(other);
    REQUIRE(beside);
    std::vector<std::unique_ptr<Heard>> sinks;
    std::vector<std::unique_ptr<engine::Transfer>> transfers;
    for (int i = 0; i < 8; ++i) {
      sinks.push_back(rig.listen());
      transfers.push_back(rig.channel->start(Rig::chat(i % 2 == 0), *sinks.back()));
      if (!company) continue;
      sinks.push_back(rig.listen());
      transfers.push_back((*beside)->start(Rig::chat(true), *sinks.back()));
    }
    rig.settle();
    std::vector<std::pair<Duration, std::string>> all;
    for (std::size_t i = 0; i < sinks.size(); i += company ? 2 : 1) {
      all.insert(all.end(), sinks[i]->pieces.begin(), sinks[i]->pieces.end());
    }
    return all;
  };
  const auto once = trace(42, false);
  CHECK(once.size() > 100);
  CHECK(trace(42, false) == once);
  CHECK(trace(42, true) == once);
  CHECK(trace(43, false) != once);
}

TEST_CASE("ten virtual minutes at twenty exchanges a second pass in under a second") {
  Rig rig;
  testing::Pace pace;
  pace.first_token = 200ms;
  pace.tokens_per_second = 100;
  rig.script().generates(20).pace(pace);
  const std::clock_t began = std::clock();  // processor time: other work on the machine does not count
  std::vector<std::unique_ptr<Heard>> sinks;
  std::vector<std::unique_ptr<engine::Transfer>> transfers;
  int ended = 0;
  for (int i = 0; i < 600 * 20; ++i) {
    const TimePoint next = rig.first + i * 50ms;
    for (auto due = rig.loop->next_deadline(); due && *due <= next; due = rig.loop->next_deadline()) {
      rig.clock.advance(*due - rig.clock.now());
      rig.loop->turn(rig.clock.now());
    }
    rig.clock.advance(next - rig.clock.now());
    sinks.push_back(rig.listen());
    sinks.back()->on_done_do = [&] { ++ended; };
    transfers.push_back(rig.channel->start(Rig::chat(i % 10 == 0), *sinks.back()));
  }
  rig.settle();
  CHECK(ended == 12'000);
  const double seconds = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  INFO("600 virtual seconds took " << seconds << " s");
#if !defined(SLUICE_SANITIZED)  // a sanitizer pays several times the price
  CHECK(seconds < 1);
#endif
}
