// What a caller may get wrong: codes that are those of C++, NULL, tables that are none, text that is none.

#include <cstring>
#include <thread>

#include "rig.hpp"
#include "sluice/error.hpp"
#include "sluice/gateway.hpp"
#include "sluice/outcome.hpp"
#include "sluice/plugin.hpp"
#include "sluice/simulator.hpp"

using namespace capi_test;

// What crosses the boundary as a number means the same on both sides.
static_assert(sizeof(sluice_event_t) == 64 && alignof(sluice_event_t) == 8);
static_assert(SLUICE_CODE_INVALID_REQUEST == static_cast<int>(sluice::Code::kInvalidRequest));
static_assert(SLUICE_ORIGIN_UPSTREAM == static_cast<int>(sluice::Origin::kUpstream));
static_assert(SLUICE_ENDING_COMPLETED == static_cast<int>(sluice::Ending::kCompleted));
static_assert(SLUICE_ENDING_REFUSED == static_cast<int>(sluice::Ending::kRefused));
static_assert(SLUICE_ENDING_FAILED == static_cast<int>(sluice::Ending::kFailed));
static_assert(SLUICE_ENDING_CANCELLED == static_cast<int>(sluice::Ending::kCancelled));
static_assert(SLUICE_CHANNEL_TEXT == static_cast<int>(sluice::Channel::kText));
static_assert(SLUICE_CHANNEL_REASONING == static_cast<int>(sluice::Channel::kReasoning));
static_assert(SLUICE_CHANNEL_TOOL_ARGUMENTS == static_cast<int>(sluice::Channel::kToolArguments));
static_assert(SLUICE_CHANNEL_REFUSAL == static_cast<int>(sluice::Channel::kRefusal));
static_assert(SLUICE_LOG_ERROR == static_cast<int>(sluice::LogLevel::kError));
static_assert(SLUICE_PHASE_AUTHENTICATE == static_cast<int>(sluice::Phase::kAuthenticate));
static_assert(SLUICE_PHASE_ROUTE == static_cast<int>(sluice::Phase::kRoute));
static_assert(SLUICE_WANTS_REQUEST == sluice::kWantsRequest && SLUICE_WANTS_PROMPT == sluice::kWantsPrompt);
static_assert(SLUICE_WANTS_REQUEST_EDITS == sluice::kWantsRequestEdits && SLUICE_WANTS_ATTEMPTS == sluice::kWantsAttempts);
static_assert(SLUICE_WANTS_HEAD == sluice::kWantsHead && SLUICE_WANTS_DELTAS == sluice::kWantsDeltas);
static_assert(SLUICE_WANTS_DELTA_EDITS == sluice::kWantsDeltaEdits && SLUICE_WANTS_FINISH == sluice::kWantsFinish);
static_assert(SLUICE_ROLE_TOOL == static_cast<int>(sluice::PromptPart::Role::kTool));
static_assert(SLUICE_FAULT_STATUS == static_cast<int>(sluice::testing::Fault::Kind::kStatus));
static_assert(SLUICE_FAULT_HANG_UP == static_cast<int>(sluice::testing::Fault::Kind::kHangUp));

TEST_CASE("every code of the library has its name in C, and no other number has one") {
  std::size_t named = 0;
  for (std::int32_t code = -1; code < 1000; ++code) named += sluice_code_name(code).size != 0 ? 1 : 0;
  CHECK(named == sluice::all_codes().size());
  CHECK(view(sluice_code_name(SLUICE_CODE_ANSWER_TOO_LARGE)) == "answer_too_large");
  CHECK(view(sluice_code_name(SLUICE_CODE_FORKED)) == "forked");
}

TEST_CASE("the version of the library is that of its headers") {
  const std::string headers = std::to_string(SLUICE_VERSION_MAJOR) + "." + std::to_string(SLUICE_VERSION_MINOR) + "." + std::to_string(SLUICE_VERSION_PATCH);
  CHECK(view(sluice_version()) == headers);
}

// ABI-07
TEST_CASE("NULL where a handle or a place for a value belongs is refused, and to be freed is nothing") {
  Queue queue;
  sluice_gateway_t* gateway = open();
  const sluice_request_t request = chat();
  sluice_event_t event;
  std::size_t count = 0;
  constexpr auto kInvalid = SLUICE_CODE_INVALID_PARAMETER;
  CHECK(bad([&](auto err) { return sluice_submit(nullptr, queue.queue, &request, 1, nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_submit(gateway, nullptr, &request, 1, nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_submit(gateway, queue.queue, nullptr, 1, nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_queue_new(nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_queue_poll(nullptr, &event, sizeof event, 1, 0, &count, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_queue_poll(queue.queue, nullptr, sizeof event, 1, 0, &count, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_queue_poll(queue.queue, &event, sizeof event, 1, 0, nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_queue_poll(queue.queue, &event, 48, 1, 0, &count, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_queue_fd(queue.queue, nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_queue_wake(nullptr, err); }) == kInvalid);
  sluice_gateway_t* none = gateway;
  CHECK(bad([&](auto err) { return sluice_gateway_open(nullptr, &none, err); }) == kInvalid);
  CHECK(none == nullptr);
  CHECK(bad([&](auto err) { return sluice_gateway_open_json(kConfig, SLUICE_NUL_TERMINATED, nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_gateway_reload_json(gateway, nullptr, 3, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_gateway_dump(gateway, nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_gateway_statistics(gateway, nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_gateway_close(nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_gateway_fd(gateway, nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_call_take_outcome(queue.queue, 1, nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_options_new(nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_options_set_json(nullptr, "", 0, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_simulation_new(1, nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_simulation_advance(nullptr, gateway, 0, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_script_answer(nullptr, "", 0, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_hook_info(nullptr, nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_resumer_resume(nullptr, nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_options_add_credential(nullptr, "a", 1, nullptr, nullptr, nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_grant_give(nullptr, "a", 1, 0, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_grant_refuse(nullptr, "a", 1, 0, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_outcome_info(nullptr, nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_server_start(nullptr, nullptr, err); }) == kInvalid);
  CHECK(sluice_submit(nullptr, nullptr, nullptr, 0, nullptr, nullptr) == kInvalid);  // nobody has to ask for the error
  sluice_error_free(nullptr);
  sluice_buffer_free(nullptr);
  sluice_options_free(nullptr);
  sluice_gateway_free(nullptr);
  sluice_queue_free(nullptr);
  sluice_queue_release(nullptr);
  sluice_outcome_free(nullptr);
  sluice_server_free(nullptr);
  sluice_simulation_free(nullptr);
  sluice_resumer_free(nullptr);
  sluice_grant_free(nullptr);
  sluice_after_fork_child(nullptr);
  CHECK(sluice_error_code(nullptr) == SLUICE_OK);
  CHECK(view(sluice_error_message(nullptr)).empty());
  CHECK(view(sluice_grant_upstream(nullptr)).empty());
  CHECK(sluice_server_address_count(nullptr) == 0);
  CHECK(view(sluice_hook_header(nullptr, "a", 1)).empty());
  CHECK(sluice_hook_reply(nullptr, 200, "", 0) == SLUICE_FAIL);
  sluice_gateway_free(gateway);
}

// ABI-07
TEST_CASE("a table says how large it is: smaller ones are refused, later ones where they ask for what is not known") {
  Rig rig;
  struct Later {
    sluice_request_t known;
    std::uint64_t added;
  } later{};
  later.known = chat();
  later.known.struct_size = sizeof later;
  const auto send = [&](auto err) { return sluice_submit(rig.gateway, rig.queue.queue, &later.known, 1, nullptr, err); };
  good(send);
  later.added = 1;
  CHECK(bad(send) == SLUICE_CODE_INVALID_PARAMETER);
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, sizeof(sluice_request_t) - 1, static_cast<std::size_t>(-1)}) {
    later.known.struct_size = size;
    CHECK(bad(send) == SLUICE_CODE_INVALID_PARAMETER);
  }
  sluice_statistics_info_t info;
  std::memset(&info, 0xAA, sizeof info);
  info.struct_size = 16;
  CHECK(bad([&](auto err) { return sluice_gateway_statistics(rig.gateway, &info, err); }) == SLUICE_CODE_INVALID_PARAMETER);
  struct LaterInfo {
    sluice_statistics_info_t known;
    std::uint64_t added;
  } larger;
  std::memset(&larger, 0xAA, sizeof larger);
  larger.known.struct_size = sizeof larger;
  good([&](auto err) { return sluice_gateway_statistics(rig.gateway, &larger.known, err); });
  CHECK(larger.known.struct_size == sizeof larger);
  CHECK(larger.added == 0);
}

// ABI-07
TEST_CASE("text that is no UTF-8 is refused, and so is what no header may hold") {
  Rig rig;
  for (const char* broken : {"\xFF", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "a\x80", "\xE2\x82"}) {
    sluice_request_t request = chat();
    request.consumer = broken;
    request.consumer_size = SLUICE_NUL_TERMINATED;
    CHECK(bad([&](auto err) { return sluice_submit(rig.gateway, rig.queue.queue, &request, 1, nullptr, err); }) == SLUICE_CODE_INVALID_PARAMETER);
  }
  for (const char* value : {"a\r\nb: c", "a\nb", "\x01"}) {
    const sluice_header_t field{"x-a", SLUICE_NUL_TERMINATED, value, SLUICE_NUL_TERMINATED};
    sluice_request_t request = chat();
    request.headers = &field;
    request.header_count = 1;
    CHECK(bad([&](auto err) { return sluice_submit(rig.gateway, rig.queue.queue, &request, 1, nullptr, err); }) == SLUICE_CODE_INVALID_HEADER);
  }
  const sluice_header_t nul{"x-a", 3, "a\0b", 3};
  sluice_request_t request = chat();
  request.headers = &nul;
  request.header_count = 1;
  CHECK(bad([&](auto err) { return sluice_submit(rig.gateway, rig.queue.queue, &request, 1, nullptr, err); }) == SLUICE_CODE_INVALID_HEADER);
  CHECK(rig.queue.drain().empty());
}

TEST_CASE("a request whose members mean nothing is refused") {
  Rig rig;
  const auto send = [&](const sluice_request_t& request) {
    return bad([&](auto err) { return sluice_submit(rig.gateway, rig.queue.queue, &request, 1, nullptr, err); });
  };
  sluice_request_t request = chat();
  request.answer = 7;
  CHECK(send(request) == SLUICE_CODE_INVALID_PARAMETER);
  request = chat();
  request.flags = 2;
  CHECK(send(request) == SLUICE_CODE_INVALID_PARAMETER);
  request = chat();
  request.deadline_ms = -1;
  CHECK(send(request) == SLUICE_CODE_INVALID_PARAMETER);
  request = chat();
  request.body = nullptr;
  CHECK(send(request) == SLUICE_CODE_INVALID_PARAMETER);
  request = chat();
  request.header_count = 1;
  CHECK(send(request) == SLUICE_CODE_INVALID_PARAMETER);
}

TEST_CASE("a configuration is judged with every mistake in it") {
  sluice_error_t* err = nullptr;
  CHECK(sluice_config_check(R"({"version": 1, "upstreams": [{"name": "a", "provider": "simulater"}], "rutes": []})", SLUICE_NUL_TERMINATED, &err) ==
        SLUICE_CODE_INVALID_CONFIGURATION);
  const std::string message(view(sluice_error_message(err)));
  CHECK(message.find("/rutes") != std::string::npos);
  CHECK(sluice_error_origin(err) >= SLUICE_ORIGIN_CALLER);
  CHECK(sluice_error_retry_after_ms(err) == -1);
  sluice_error_free(err);
  good([&](auto e) { return sluice_config_check(kConfig, SLUICE_NUL_TERMINATED, e); });
  CHECK(view(sluice_config_schema()).find("\"$schema\"") != std::string_view::npos);
}

// ABI-07, ABI-08
TEST_CASE("errors belong to calls, not to threads, and gateways do not meet") {
  Rig one, two(kConfig, {}, 9);
  good([&](auto err) { return sluice_script_answer(one.script("a"), "one", SLUICE_NUL_TERMINATED, err); });
  good([&](auto err) { return sluice_script_answer(two.script("a"), "two", SLUICE_NUL_TERMINATED, err); });
  sluice_error_t* first = nullptr;
  sluice_error_t* second = nullptr;
  (void)sluice_queue_new(nullptr, &first);
  (void)sluice_options_set_json(nullptr, "", 0, &second);
  CHECK(view(sluice_error_message(first)) == "queue is NULL");
  CHECK(view(sluice_error_message(second)) == "options is NULL");
  sluice_error_free(first);
  sluice_error_free(second);
  const sluice_call_t call = submit(one.gateway, one.queue.queue, chat());
  good([&](auto err) { return sluice_call_cancel(two.gateway, call, err); });  // a number of another gateway
  one.settle();
  CHECK(body_of(one.queue.drain()).find("one") != std::string::npos);
  CHECK(body_of(two.run(chat())).find("two") != std::string::npos);
}
