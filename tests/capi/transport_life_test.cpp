// Lives of transports: tables, freeing and finalizing, forks, gateways that close, and many threads at once.

#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "host_rig.hpp"

using namespace capi_test;

// ABI-07
TEST_CASE("a table that is none is refused, NULL too, and what was given with it is finalized once") {
  static std::atomic<int> finalized;
  finalized = 0;
  sluice_transport_functions_t table{};
  table.struct_size = sizeof table;
  table.start = [](void*, sluice_transfer_t, const sluice_wire_t*) {};
  table.finalize = [](void*) { ++finalized; };
  constexpr auto kInvalid = SLUICE_CODE_INVALID_PARAMETER;
  auto* transport = reinterpret_cast<sluice_transport_t*>(8);
  const auto refused = [&] { return bad([&](auto err) { return sluice_transport_new(&table, &transport, err); }); };
  for (const std::size_t size : {std::size_t{0}, sizeof table - 1, static_cast<std::size_t>(-1)}) {
    table.struct_size = size;
    CHECK(refused() == kInvalid);
    CHECK(transport == nullptr);
  }
  CHECK(finalized == 0);  // nobody knows where it stands
  table.struct_size = sizeof table;
  table.start = nullptr;
  CHECK(refused() == kInvalid);
  CHECK(finalized == 1);
  table.start = [](void*, sluice_transfer_t, const sluice_wire_t*) {};
  CHECK(bad([&](auto err) { return sluice_transport_new(&table, nullptr, err); }) == kInvalid);
  CHECK(finalized == 2);
  CHECK(bad([&](auto err) { return sluice_transport_new(nullptr, &transport, err); }) == kInvalid);
  good([&](auto err) { return sluice_transport_new(&table, &transport, err); });
  CHECK(finalized == 2);
  sluice_transport_free(transport);
  CHECK(finalized == 3);
  sluice_transport_free(nullptr);
  CHECK(bad([&](auto err) { return sluice_transfer_connected(nullptr, 1, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_transfer_head(nullptr, 1, 200, nullptr, 0, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_transfer_bytes(nullptr, 1, "", 0, nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_transfer_end(nullptr, 1, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_transfer_fail(nullptr, 1, SLUICE_CODE_UPSTREAM_RESET, "", 0, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_wire_info(nullptr, nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_options_set_transport(nullptr, nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_options_set_clock(nullptr, nullptr, err); }) == kInvalid);
}

TEST_CASE("a gateway has one network and one time: the other is refused by name") {
  Host host;
  sluice_options_t* options = nullptr;
  sluice_simulation_t *simulation = nullptr, *other = nullptr;
  good([&](auto err) { return sluice_simulation_new(1, &simulation, err); });
  good([&](auto err) { return sluice_simulation_new(2, &other, err); });
  const auto says = [](const char* what, auto&& call) {
    sluice_error_t* err = nullptr;
    CHECK(call(&err) == SLUICE_CODE_INVALID_PARAMETER);
    CHECK(has(std::string(view(sluice_error_message(err))), what));
    sluice_error_free(err);
  };
  good([&](auto err) { return sluice_options_new(&options, err); });
  good([&](auto err) { return sluice_options_set_json(options, kHosted, SLUICE_NUL_TERMINATED, err); });
  good([&](auto err) { return sluice_options_set_transport(options, host.transport, err); });
  says("sluice_options_set_transport", [&](auto err) { return sluice_options_set_simulation(options, simulation, err); });
  good([&](auto err) { return sluice_options_set_clock(options, simulation, err); });
  sluice_gateway_t* gateway = nullptr;
  good([&](auto err) { return sluice_gateway_open(options, &gateway, err); });
  CHECK(bad([&](auto err) { return sluice_simulation_advance(other, gateway, 0, err); }) == SLUICE_CODE_INVALID_PARAMETER);
  sluice_gateway_free(gateway);
  sluice_options_free(options);

  good([&](auto err) { return sluice_options_new(&options, err); });
  good([&](auto err) { return sluice_options_set_json(options, kHosted, SLUICE_NUL_TERMINATED, err); });
  good([&](auto err) { return sluice_options_set_simulation(options, simulation, err); });
  says("sluice_options_set_simulation", [&](auto err) { return sluice_options_set_transport(options, host.transport, err); });
  says("sluice_options_set_simulation", [&](auto err) { return sluice_options_set_clock(options, other, err); });
  sluice_options_free(options);

  good([&](auto err) { return sluice_options_new(&options, err); });
  good([&](auto err) { return sluice_options_set_json(options, kHosted, SLUICE_NUL_TERMINATED, err); });
  good([&](auto err) { return sluice_options_set_clock(options, simulation, err); });
  CHECK(bad([&](auto err) { return sluice_gateway_open(options, &gateway, err); }) == SLUICE_CODE_INVALID_CONFIGURATION);
  sluice_options_free(options);
  sluice_simulation_free(simulation);
  sluice_simulation_free(other);
}

// ABI-06
TEST_CASE("a gateway closes while the host has not answered: it is told once, and finalized when its transport is freed") {
  const auto threads = GENERATE(0u, 1u, 4u);
  auto host = std::make_unique<Host>();
  {
    Hosted hosted(*host, threads, false);
    for (int i = 0; i < 8; ++i) submit(hosted.gateway, hosted.queue.queue, chat());
    while (host->asked().size() < 8) {
      if (threads == 0) good([&](auto err) { return sluice_gateway_drive(hosted.gateway, 0, nullptr, err); });
      else std::this_thread::yield();
    }
    good([&](auto err) { return sluice_gateway_close(hosted.gateway, err); });
    CHECK(ends(hosted.queue.drain()) == 8);
    CHECK(host->cancelled().size() == 8);
  }
  CHECK(host->cancelled().size() == 8);
  host->whole(host->asked()[0].transfer);  // nothing
  CHECK(host->finalized == 0);
  sluice_transport_free(host->transport);
  CHECK(host->finalized == 1);
  host->transport = nullptr;
}

TEST_CASE("a transport may be freed before its gateways: what is open ends, what comes is not sent, and nobody is called") {
  Host host;
  Hosted hosted(host, 0, true, R"({"version": 1, "upstreams": [{"name": "a", "url": "http://a.example/v1"}],
    "routes": [{"name": "chat", "upstreams": [{"name": "a"}], "retry": {"attempts": 1}}]})");
  submit(hosted.gateway, hosted.queue.queue, chat());
  hosted.now();
  REQUIRE(host.asked().size() == 1);
  sluice_transport_free(host.transport);
  host.transport = nullptr;
  CHECK(host.finalized == 1);
  hosted.now();
  CHECK(last_of(hosted.queue.queue).code == SLUICE_CODE_UPSTREAM_RESET);
  submit(hosted.gateway, hosted.queue.queue, chat());
  hosted.now();
  CHECK(last_of(hosted.queue.queue).code == SLUICE_CODE_UPSTREAM_CONNECT_FAILED);
  CHECK(host.asked().size() == 1);
  CHECK(host.cancelled().empty());
  CHECK(host.finalized == 1);
}

// ABI-05
TEST_CASE("a transport is not answered through, nor freed, in a child of fork") {
  Host host;
  Hosted hosted(host);
  submit(hosted.gateway, hosted.queue.queue, chat());
  hosted.now();
  const sluice_transfer_t transfer = host.asked().at(0).transfer;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(20);
    sluice_transport_t* const to = host.transport;
    bool good = sluice_transfer_connected(to, transfer, nullptr) == SLUICE_CODE_FORKED;
    good = good && sluice_transfer_head(to, transfer, 200, nullptr, 0, nullptr) == SLUICE_CODE_FORKED;
    good = good && sluice_transfer_bytes(to, transfer, "", 0, nullptr, nullptr) == SLUICE_CODE_FORKED;
    good = good && sluice_transfer_end(to, transfer, nullptr) == SLUICE_CODE_FORKED;
    good = good && sluice_transfer_fail(to, transfer, SLUICE_CODE_UPSTREAM_RESET, "", 0, nullptr) == SLUICE_CODE_FORKED;
    sluice_transport_free(to);
    ::_exit(good && host.finalized == 0 && host.cancelled().empty() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  host.whole(transfer);
  hosted.now();
  CHECK(last_of(hosted.queue.queue).code == SLUICE_OK);
}

// ABI-15
TEST_CASE("inside a function of the host whatever would wait is refused") {
  sluice_gateway_t* gateway = nullptr;
  int refusals = 0;
  Host host([&](Host& self, const Asked& asked) {
    refusals += sluice_gateway_close(gateway, nullptr) == SLUICE_CODE_WOULD_DEADLOCK ? 1 : 0;
    refusals += sluice_gateway_drive(gateway, 0, nullptr, nullptr) == SLUICE_CODE_WOULD_DEADLOCK ? 1 : 0;
    refusals += sluice_gateway_reload_json(gateway, kHosted, SLUICE_NUL_TERMINATED, nullptr) == SLUICE_CODE_WOULD_DEADLOCK ? 1 : 0;
    self.whole(asked.transfer);
  });
  Hosted hosted(host);
  gateway = hosted.gateway;
  submit(hosted.gateway, hosted.queue.queue, chat());
  hosted.now();
  CHECK(last_of(hosted.queue.queue).code == SLUICE_OK);
  CHECK(refusals == 3);
}

TEST_CASE("one transport serves several gateways, whose transfers never share a number") {
  Host host([](Host& self, const Asked& asked) { self.whole(asked.transfer); });
  Hosted one(host, 1, false), two(host, 4, false);
  for (int i = 0; i < 20; ++i) {
    submit(one.gateway, one.queue.queue, chat());
    submit(two.gateway, two.queue.queue, chat());
  }
  one.queue.until_ended(20);
  two.queue.until_ended(20);
  std::map<sluice_transfer_t, int> numbers;
  for (const Asked& asked : host.asked()) ++numbers[asked.transfer];
  CHECK(numbers.size() == 40);
}

TEST_CASE("many threads answer many streams at once, and cancel some, and every call has its one end") {
  const auto threads = GENERATE(1u, 4u);
  constexpr std::size_t kCalls = 64;
  Host host;
  Hosted hosted(host, threads, false);
  std::vector<sluice_call_t> calls;
  for (std::size_t i = 0; i < kCalls; ++i) {
    sluice_request_t request = chat(kStream);
    if (i % 4 == 0) request.credit = 20;
    calls.push_back(submit(hosted.gateway, hosted.queue.queue, request, i));
  }
  while (host.asked().size() < kCalls) std::this_thread::yield();
  const auto asked = host.asked();
  std::vector<std::thread> answering;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 3; ++t) {
    // All of them speak of all transfers: whoever comes second says nothing, or is refused for the order.
    answering.emplace_back([&] {
      for (const Asked& one : asked) {
        sluice_transport_t* const to = host.transport;
        const sluice_header_t type{"content-type", SLUICE_NUL_TERMINATED, "text/event-stream", SLUICE_NUL_TERMINATED};
        const auto fits = [&](sluice_code_t code) { wrong += code == SLUICE_OK || code == SLUICE_CODE_INVALID_PARAMETER ? 0 : 1; };
        fits(sluice_transfer_connected(to, one.transfer, nullptr));
        fits(sluice_transfer_head(to, one.transfer, 200, &type, 1, nullptr));
        fits(sluice_transfer_bytes(to, one.transfer, kEvents.data(), kEvents.size(), nullptr, nullptr));
        fits(sluice_transfer_end(to, one.transfer, nullptr));
      }
    });
  }
  for (std::size_t i = 0; i < kCalls; i += 3) good([&](auto err) { return sluice_call_cancel(hosted.gateway, calls[i], err); });
  for (std::size_t i = 0; i < kCalls; i += 4) good([&](auto err) { return sluice_call_credit(hosted.gateway, calls[i], 1 << 20, err); });
  const auto events = hosted.queue.until_ended(kCalls);
  for (std::thread& one : answering) one.join();
  CHECK(ends(events) == kCalls);
  CHECK(wrong == 0);
  CHECK(hosted.queue.drain().empty());
}
