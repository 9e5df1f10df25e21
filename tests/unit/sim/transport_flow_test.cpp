// The in-process transport as its sink drives it: back-pressure, cancel, and calls from inside calls.
#include <catch2/catch.hpp>

#include <memory>
#include <string>

#include "sim/transport.hpp"
#include "unit/sim/rig.hpp"

using namespace sluice;
using namespace sluice::sim;
using namespace std::chrono_literals;

TEST_CASE("nothing comes while a transfer is paused, and all of it after resume") {
  Rig rig;
  testing::Pace pace;
  pace.tokens_per_second = 1;
  rig.script().generates(30).pace(pace);
  auto heard = rig.listen();
  const auto transfer = rig.channel->start(Rig::chat(true), *heard);
  for (int i = 0; i < 5; ++i) rig.step();
  transfer->pause();
  const std::string before = heard->body;
  CHECK_FALSE(rig.loop->next_deadline());
  rig.clock.advance(1h);
  rig.turn();
  CHECK(heard->body == before);
  transfer->resume();
  CHECK(heard->body == before);  // not inside resume
  rig.settle();
  CHECK(heard->done == 1);
  CHECK(heard->body.ends_with("data: [DONE]\n\n"));
}

TEST_CASE("a pause from inside the sink lets at most one read through") {
  // STREAM-10: the simulator keeps to the 64 KiB of the transport's contract
  Rig rig;
  rig.script().body("text/plain", std::string(1'000'000, 'x'));
  auto heard = rig.listen();
  std::unique_ptr<engine::Transfer> transfer;
  int calls = 0;
  heard->on_bytes_do = [&] {
    ++calls;
    transfer->pause();
  };
  transfer = rig.channel->start(Rig::chat(), *heard);
  rig.turn();
  CHECK(calls == 1);
  CHECK(heard->body.size() <= 64 * 1024);
  while (heard->done == 0) {
    const std::size_t before = heard->body.size();
    transfer->resume();
    rig.turn();
    CHECK(heard->body.size() - before <= 64 * 1024);
  }
  CHECK(heard->body.size() == 1'000'000);
}

TEST_CASE("resume inside the sink goes on without falling over itself") {
  Rig rig;
  rig.script().body("text/plain", std::string(200'000, 'x'));
  auto heard = rig.listen();
  std::unique_ptr<engine::Transfer> transfer;
  heard->on_bytes_do = [&] {
    transfer->pause();
    transfer->resume();
  };
  transfer = rig.channel->start(Rig::chat(), *heard);
  rig.settle();
  CHECK(heard->done == 1);
  CHECK(heard->body.size() == 200'000);
}

TEST_CASE("destroying a transfer at any point ends it: no call, no timer") {
  // STREAM-08, the transport's half
  testing::Pace pace;
  pace.first_token = 5ms;
  pace.tokens_per_second = 100;
  for (int steps = 0; steps < 14; ++steps) {
    Rig rig;
    rig.script().generates(10).pace(pace);
    auto heard = rig.listen();
    auto transfer = rig.channel->start(Rig::chat(true), *heard);
    for (int i = 0; i < steps; ++i) rig.step();
    const std::string before = heard->body;
    const int done = heard->done;
    transfer.reset();
    CHECK_FALSE(rig.loop->next_deadline());
    rig.clock.advance(1h);
    rig.turn();
    CHECK(heard->body == before);
    CHECK(heard->done == done);
  }
}

TEST_CASE("a sink may destroy its transfer from inside any call") {
  for (int where = 0; where < 3; ++where) {
    Rig rig;
    auto heard = rig.listen();
    std::unique_ptr<engine::Transfer> transfer;
    const auto drop = [&] { transfer.reset(); };
    (where == 0 ? heard->on_head_do : where == 1 ? heard->on_bytes_do : heard->on_done_do) = drop;
    transfer = rig.channel->start(Rig::chat(true), *heard);
    rig.settle();
    CHECK(transfer == nullptr);
    CHECK(heard->done == (where == 2 ? 1 : 0));
    CHECK_FALSE(rig.loop->next_deadline());
  }
}

TEST_CASE("a transfer outlives its channel and its transport") {
  Rig rig;
  auto heard = rig.listen();
  const auto transfer = rig.channel->start(Rig::chat(), *heard);
  rig.channel.reset();
  rig.transport.reset();
  rig.settle();
  CHECK(heard->end.code == Code::kOk);
}
