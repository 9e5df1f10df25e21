// A host that tests its own failover in virtual time, and the same run twice.

#include "rig.hpp"

using namespace capi_test;

namespace {

void fault(sluice_script_t* script, std::int32_t kind, std::int32_t status, std::int64_t from_ns, std::int64_t until_ns) {
  sluice_fault_t made{};
  made.struct_size = sizeof made;
  made.kind = kind;
  made.status = status;
  made.from_ns = from_ns;
  made.until_ns = until_ns;
  good([&](auto err) { return sluice_script_fault(script, &made, err); });
}

/// What one run of an outage looks like from outside, ids included.
std::string rehearsal(std::uint64_t seed) {
  Rig rig(kConfig, {}, seed);
  fault(rig.script("a"), SLUICE_FAULT_STATUS, 503, 0, 90'000'000'000);
  std::string told;
  for (int i = 0; i < 4; ++i) {
    for (const Seen& seen : rig.run(chat())) told += std::to_string(seen.event.kind) + std::to_string(seen.event.status) + seen.data;
    rig.advance(40'000'000'000);
  }
  sluice_seen_info_t seen{};
  seen.struct_size = sizeof seen;
  for (std::size_t i = 0; i < sluice_simulation_seen_count(rig.simulation); ++i) {
    good([&](auto err) { return sluice_simulation_seen(rig.simulation, i, &seen, err); });
    told += std::string(view(seen.upstream)) + "@" + std::to_string(seen.at_ns) + " ";
  }
  return told;
}

}  // namespace

// ABI-14
TEST_CASE("an outage of two minutes passes in milliseconds, and the ledger tells of both upstreams") {
  Rig rig;
  fault(rig.script("a"), SLUICE_FAULT_STATUS, 503, 0, 120'000'000'000);
  const sluice_call_t call = submit(rig.gateway, rig.queue.queue, chat());
  rig.settle();
  sluice_event_t events[16];
  std::size_t count = 0;
  good([&](auto err) { return sluice_queue_poll(rig.queue.queue, events, sizeof events[0], 16, 0, &count, err); });
  REQUIRE(count > 0);
  CHECK(events[count - 1].status == 200);
  sluice_outcome_t* outcome = nullptr;
  good([&](auto err) { return sluice_call_take_outcome(rig.queue.queue, call, &outcome, err); });
  sluice_outcome_info_t info{};
  info.struct_size = sizeof info;
  good([&](auto err) { return sluice_outcome_info(outcome, &info, err); });
  REQUIRE(info.attempt_count >= 2);
  sluice_attempt_info_t first{}, last{};
  first.struct_size = last.struct_size = sizeof first;
  good([&](auto err) { return sluice_outcome_attempt(outcome, 0, &first, err); });
  good([&](auto err) { return sluice_outcome_attempt(outcome, info.attempt_count - 1, &last, err); });
  CHECK(view(first.upstream) == "a");
  CHECK(first.status == 503);
  CHECK(view(last.upstream) == "b");
  CHECK(last.status == 200);
  sluice_outcome_free(outcome);

  rig.advance(130'000'000'000);
  CHECK(sluice_simulation_now_ns(rig.simulation) >= 130'000'000'000);
  sluice_simulation_forget_seen(rig.simulation);
  CHECK(rig.run(chat()).back().event.status == 200);
  sluice_seen_info_t seen{};
  seen.struct_size = sizeof seen;
  good([&](auto err) { return sluice_simulation_seen(rig.simulation, 0, &seen, err); });
  CHECK(view(seen.upstream) == "a");
  CHECK(view(seen.target) == "/v1/chat/completions");
}

// ABI-14
TEST_CASE("the same seed gives the same run, byte for byte, and another seed another one") {
  CHECK(rehearsal(7) == rehearsal(7));
  CHECK(rehearsal(7) != rehearsal(8));
}

TEST_CASE("time moves by steps, and a gateway of another simulation is refused") {
  Rig rig, other;
  good([&](auto err) {
    sluice_pace_t pace{};
    pace.struct_size = sizeof pace;
    pace.first_token_us = 500'000;
    return sluice_script_pace(rig.script("a"), &pace, err);
  });
  submit(rig.gateway, rig.queue.queue, chat());
  std::int32_t happened = 1;
  int steps = 0;
  while (rig.queue.drain().empty() && steps < 100) {
    good([&](auto err) { return sluice_simulation_step(rig.simulation, rig.gateway, &happened, err); });
    REQUIRE(happened == 1);
    ++steps;
  }
  CHECK(sluice_simulation_now_ns(rig.simulation) == 500'000'000);
  CHECK(bad([&](auto err) { return sluice_simulation_step(other.simulation, rig.gateway, &happened, err); }) == SLUICE_CODE_INVALID_PARAMETER);
  CHECK(bad([&](auto err) { return sluice_simulation_advance(rig.simulation, rig.gateway, -1, err); }) == SLUICE_CODE_INVALID_PARAMETER);
}

TEST_CASE("a simulation may go before the gateway that uses it") {
  Rig rig;
  sluice_simulation_free(rig.simulation);
  rig.simulation = nullptr;
  submit(rig.gateway, rig.queue.queue, chat());
  for (int i = 0; i < 10; ++i) good([&](auto err) { return sluice_gateway_drive(rig.gateway, 0, nullptr, err); });
  CHECK(rig.queue.drain().size() == 3);
}

TEST_CASE("a script says what it was told: bytes, streams, refusals, usage, fields") {
  Rig rig;
  sluice_script_t* script = rig.script("a");
  CHECK(rig.script("a") == script);
  good([&](auto err) { return sluice_script_usage(script, 11, 22, err); });
  good([&](auto err) { return sluice_script_header(script, "x-up", 4, "1", 1, err); });
  const auto plain = rig.run(chat());
  CHECK(body_of(plain).find("\"prompt_tokens\": 11") != std::string::npos);
  good([&](auto err) { return sluice_script_refuse(script, "I will not.", SLUICE_NUL_TERMINATED, err); });
  sluice_request_t request = chat();
  request.answer = SLUICE_ANSWER_DELTAS;
  CHECK(text_of(rig.run(request), SLUICE_CHANNEL_REFUSAL) == "I will not.");
  const std::string stream = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"raw\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
  good([&](auto err) { return sluice_script_stream(script, stream.data(), stream.size(), err); });
  CHECK(body_of(rig.run(chat(kStream))) == stream);
  good([&](auto err) { return sluice_script_body(script, "application/json", SLUICE_NUL_TERMINATED, "{}", 2, err); });
  CHECK(body_of(rig.run(chat())) == "{}");
}
