// Lives: opening, closing, forking, driving, reloading, and what may not be done inside a callback.

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>

#include "rig.hpp"

using namespace capi_test;

namespace {

constexpr const char* kSlow = R"({
  "version": 1,
  "upstreams": [{"name": "a", "provider": "simulator", "simulator": {"first_token_ms": 600000}}],
  "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "a"}]}]
})";

std::size_t threads_of_this_process() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) ++count;
  return count;
}

/// What a process has open to the network, does with signals, and hands to its children.
struct Surroundings {
  Surroundings() {
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;  // the one this is read with
      if (std::filesystem::read_symlink(entry, gone).string().starts_with("socket:")) ++sockets;
    }
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    for (int signal = 1; signal < 32; ++signal) {
      struct sigaction action {};
      ::sigaction(signal, nullptr, &action);
      handlers.push_back(reinterpret_cast<std::uintptr_t>(action.sa_sigaction));
      blocked += sigismember(&mask, signal) == 1 ? '1' : '0';
    }
    for (char** variable = environ; *variable != nullptr; ++variable) environment.emplace_back(*variable);
  }
  std::size_t sockets = 0;
  std::vector<std::uintptr_t> handlers;
  std::string blocked;
  std::vector<std::string> environment;
  friend bool operator==(const Surroundings&, const Surroundings&) = default;
};

std::size_t ends(const std::vector<Seen>& events) {
  std::size_t count = 0;
  for (const Seen& seen : events) count += seen.event.kind == SLUICE_EVENT_END ? 1 : 0;
  return count;
}

/// Runs `check` in a child of fork; true where it says so.
template <typename Check>
bool in_child(Check&& check) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(20);
    ::_exit(check() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

// ABI-06, ABI-15
TEST_CASE("close ends live calls before it returns, and the queue still drains") {
  sluice_gateway_t* gateway = open(kSlow);
  Queue queue;
  for (int i = 0; i < 50; ++i) submit(gateway, queue.queue, chat(kStream));
  good([&](auto err) { return sluice_gateway_close(gateway, err); });
  const auto events = queue.drain();
  CHECK(ends(events) == 50);
  const sluice_request_t request = chat();
  CHECK(bad([&](auto err) { return sluice_submit(gateway, queue.queue, &request, 1, nullptr, err); }) == SLUICE_CODE_CLOSED);
  good([&](auto err) { return sluice_gateway_close(gateway, err); });
  sluice_gateway_free(gateway);
}

// ABI-06
TEST_CASE("finalizers run once, before close returns") {
  static std::atomic<int> finalized;
  finalized = 0;
  sluice_options_t* options = nullptr;
  good([&](auto err) { return sluice_options_new(&options, err); });
  good([&](auto err) { return sluice_options_set_json(options, kConfig, SLUICE_NUL_TERMINATED, err); });
  const auto count = [](void* user) { *static_cast<std::atomic<int>*>(user) += 1; };
  good([&](auto err) { return sluice_options_set_log(options, [](void*, int32_t, const char*, size_t) {}, &finalized, count, err); });
  sluice_plugin_t plugin{};
  plugin.struct_size = sizeof plugin;
  plugin.name = "p";
  plugin.name_size = 1;
  plugin.phase = SLUICE_PHASE_GUARD;
  plugin.wants = SLUICE_WANTS_REQUEST;
  plugin.user = &finalized;
  plugin.finalize = count;
  good([&](auto err) { return sluice_options_add_plugin(options, &plugin, err); });
  CHECK(bad([&](auto err) { return sluice_options_add_plugin(options, &plugin, err); }) == SLUICE_CODE_INVALID_PARAMETER);
  CHECK(finalized == 1);  // that of the second, which was not taken
  CHECK(bad([&](auto err) { return sluice_options_set_log(options, nullptr, &finalized, count, err); }) == SLUICE_CODE_INVALID_PARAMETER);
  CHECK(finalized == 2);
  sluice_gateway_t* gateway = nullptr;
  good([&](auto err) { return sluice_gateway_open(options, &gateway, err); });
  sluice_options_free(options);
  CHECK(finalized == 2);
  Queue queue;
  submit(gateway, queue.queue, chat());
  queue.until_ended(1);
  good([&](auto err) { return sluice_gateway_close(gateway, err); });
  CHECK(finalized == 4);
  sluice_gateway_free(gateway);
  CHECK(finalized == 4);
}

// ABI-05
TEST_CASE("in a child of fork every call is refused at once, and the parent goes on") {
  sluice_gateway_t* gateway = open(kSlow);
  Queue queue;
  for (int i = 0; i < 10; ++i) submit(gateway, queue.queue, chat(kStream));
  sluice_event_t event;
  std::size_t count = 0;
  CHECK(in_child([&] {
    const sluice_request_t request = chat();
    sluice_statistics_info_t info{};
    info.struct_size = sizeof info;
    sluice_buffer_t text{};
    int fd = 0;
    bool good = sluice_submit(gateway, queue.queue, &request, 1, nullptr, nullptr) == SLUICE_CODE_FORKED;
    good = good && sluice_call_cancel(gateway, 1, nullptr) == SLUICE_CODE_FORKED;
    good = good && sluice_call_credit(gateway, 1, 1, nullptr) == SLUICE_CODE_FORKED;
    good = good && sluice_call_body(gateway, 1, "", 0, 1, nullptr) == SLUICE_CODE_FORKED;
    good = good && sluice_gateway_reload_json(gateway, kConfig, SLUICE_NUL_TERMINATED, nullptr) == SLUICE_CODE_FORKED;
    good = good && sluice_gateway_statistics(gateway, &info, nullptr) == SLUICE_CODE_FORKED;
    good = good && sluice_gateway_dump(gateway, &text, nullptr) == SLUICE_CODE_FORKED;
    good = good && sluice_gateway_explain(gateway, &request, nullptr, nullptr, nullptr, nullptr) == SLUICE_CODE_FORKED;
    good = good && sluice_gateway_fd(gateway, &fd, nullptr) == SLUICE_CODE_FORKED;
    good = good && sluice_gateway_drive(gateway, 0, nullptr, nullptr) == SLUICE_CODE_FORKED;
    good = good && sluice_gateway_close(gateway, nullptr) == SLUICE_CODE_FORKED;
    good = good && sluice_queue_poll(queue.queue, &event, sizeof event, 1, -1, &count, nullptr) == SLUICE_CODE_FORKED;
    good = good && sluice_queue_wake(queue.queue, nullptr) == SLUICE_CODE_FORKED;
    good = good && sluice_queue_fd(queue.queue, &fd, nullptr) == SLUICE_CODE_FORKED;
    sluice_after_fork_child(gateway);
    sluice_gateway_free(gateway);
    sluice_queue_free(queue.queue);
    return good;
  }));
  good([&](auto err) { return sluice_gateway_close(gateway, err); });
  CHECK(ends(queue.drain()) == 10);
  sluice_gateway_free(gateway);
}

#ifndef __SANITIZE_THREAD__  // which lets no child of a process with threads make one

/// Waits until every other thread of this process sleeps. A sanitizer's allocator, unlike glibc's, is not taken across
/// fork(): a child born while another thread is inside it never gets memory again.
void until_others_sleep() {
  const auto asleep = [](const std::filesystem::path& task) {
    if (task.filename() == std::to_string(::gettid())) return true;
    std::ifstream file(task / "stat");
    std::string line;
    std::getline(file, line);
    const std::size_t name_end = line.rfind(") ");
    return name_end != std::string::npos && line.compare(name_end + 2, 1, "S") == 0;
  };
  for (bool busy = true; busy; std::this_thread::yield()) {
    busy = false;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) busy = busy || !asleep(entry.path());
  }
}

// ABI-05
TEST_CASE("a child that opens a gateway of its own is served, whatever its parent had open") {
  sluice_gateway_t* gateway = open();
  {
    Queue served;
    submit(gateway, served.queue, chat());
    served.until_ended(1);
  }
  until_others_sleep();
  CHECK(in_child([&] {
    sluice_after_fork_child(gateway);
    sluice_gateway_t* own = nullptr;
    sluice_queue_t* queue = nullptr;
    const sluice_request_t request = chat();
    if (sluice_gateway_open_json(kConfig, SLUICE_NUL_TERMINATED, &own, nullptr) != SLUICE_OK) return false;
    if (sluice_queue_new(&queue, nullptr) != SLUICE_OK) return false;
    if (sluice_submit(own, queue, &request, 1, nullptr, nullptr) != SLUICE_OK) return false;
    for (;;) {
      sluice_event_t event{};
      std::size_t count = 0;
      if (sluice_queue_poll(queue, &event, sizeof event, 1, 10'000, &count, nullptr) != SLUICE_OK || count == 0) return false;
      if (event.kind == SLUICE_EVENT_END) return event.status == 200;
    }
  }));
  Queue queue;
  submit(gateway, queue.queue, chat());
  CHECK(queue.until_ended(1).back().event.status == 200);
  sluice_gateway_free(gateway);
}

#endif

// ABI-10
TEST_CASE("without threads none is made: one descriptor and drive are enough") {
  const std::size_t before = threads_of_this_process();
  sluice_options_t* options = nullptr;
  good([&](auto err) { return sluice_options_new(&options, err); });
  good([&](auto err) { return sluice_options_set_json(options, kConfig, SLUICE_NUL_TERMINATED, err); });
  good([&](auto err) { return sluice_options_set_threads(options, 0, err); });
  sluice_gateway_t* gateway = nullptr;
  good([&](auto err) { return sluice_gateway_open(options, &gateway, err); });
  sluice_options_free(options);
  Queue queue;
  submit(gateway, queue.queue, chat(kStream));
  int fd = -1;
  good([&](auto err) { return sluice_gateway_fd(gateway, &fd, err); });
  REQUIRE(fd >= 0);
  std::size_t ended = 0;
  for (int turns = 0; ended == 0 && turns < 1000; ++turns) {
    pollfd watched{fd, POLLIN, 0};
    REQUIRE(::poll(&watched, 1, 10'000) == 1);
    good([&](auto err) { return sluice_gateway_drive(gateway, 0, nullptr, err); });
    ended += ends(queue.drain());
  }
  CHECK(ended == 1);
  CHECK(threads_of_this_process() == before);
  std::int64_t due = 0;
  good([&](auto err) { return sluice_gateway_next_deadline_ns(gateway, &due, err); });
  CHECK(due >= -1);
  sluice_gateway_free(gateway);
}

// ABI-10
TEST_CASE("opening a gateway touches no network, no signal and no variable") {
  const auto threads = GENERATE(0u, 2u);
  sluice_options_t* options = nullptr;
  good([&](auto err) { return sluice_options_new(&options, err); });
  good([&](auto err) {
    return sluice_options_set_json(options, R"({"version": 1, "upstreams": [{"name": "a", "url": "http://127.0.0.1:9/v1"}],
      "routes": [{"name": "r", "upstreams": [{"name": "a"}]}]})", SLUICE_NUL_TERMINATED, err);
  });
  good([&](auto err) { return sluice_options_set_threads(options, threads, err); });
  sigset_t none;  // whatever a gateway of another test has left
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  const Surroundings before;
  sluice_gateway_t* gateway = nullptr;
  good([&](auto err) { return sluice_gateway_open(options, &gateway, err); });
  const Surroundings open;
  CHECK(open == before);
  sluice_options_free(options);
  sluice_gateway_free(gateway);
  const Surroundings closed;
  CHECK(closed == before);
}

TEST_CASE("a gateway with threads is not to be driven and has no descriptor") {
  sluice_gateway_t* gateway = open();
  CHECK(bad([&](auto err) { return sluice_gateway_drive(gateway, 0, nullptr, err); }) == SLUICE_CODE_UNSUPPORTED_OPERATION);
  int fd = 0;
  good([&](auto err) { return sluice_gateway_fd(gateway, &fd, err); });
  CHECK(fd == -1);
  sluice_gateway_free(gateway);
}

// ABI-15
TEST_CASE("inside a callback whatever would wait is refused") {
  struct Host {
    sluice_gateway_t* gateway = nullptr;
    sluice_queue_t* queue = nullptr;
    std::atomic<int> refusals{0}, asked{0};
  } host;
  sluice_plugin_t plugin{};
  plugin.struct_size = sizeof plugin;
  plugin.name = "p";
  plugin.name_size = 1;
  plugin.phase = SLUICE_PHASE_GUARD;
  plugin.wants = SLUICE_WANTS_REQUEST;
  plugin.user = &host;
  plugin.on_request = [](void* user, sluice_hook_t*) -> int32_t {
    Host& at = *static_cast<Host*>(user);
    sluice_event_t event;
    std::size_t count = 0;
    at.asked = 1;
    const auto note = [&](sluice_code_t code) { at.refusals += code == SLUICE_CODE_WOULD_DEADLOCK ? 1 : 0; };
    note(sluice_gateway_close(at.gateway, nullptr));
    note(sluice_gateway_reload_json(at.gateway, kConfig, SLUICE_NUL_TERMINATED, nullptr));
    note(sluice_queue_poll(at.queue, &event, sizeof event, 1, -1, &count, nullptr));
    sluice_gateway_free(at.gateway);  // does nothing
    return SLUICE_CONTINUE;
  };
  sluice_options_t* options = nullptr;
  good([&](auto err) { return sluice_options_new(&options, err); });
  good([&](auto err) { return sluice_options_set_json(options, kConfig, SLUICE_NUL_TERMINATED, err); });
  good([&](auto err) { return sluice_options_add_plugin(options, &plugin, err); });
  good([&](auto err) { return sluice_gateway_open(options, &host.gateway, err); });
  sluice_options_free(options);
  Queue queue, other;
  host.queue = other.queue;
  submit(host.gateway, queue.queue, chat());
  CHECK(queue.until_ended(1).back().event.status == 200);
  CHECK(host.asked == 1);
  CHECK(host.refusals == 3);
  sluice_gateway_free(host.gateway);
}

TEST_CASE("a reload takes effect for the calls after it, and a wrong one changes nothing") {
  Rig rig;
  CHECK(rig.run(chat()).back().event.status == 200);
  CHECK(bad([&](auto err) { return sluice_gateway_reload_json(rig.gateway, "{\"version\": 1, \"rutes\": []}", SLUICE_NUL_TERMINATED, err); }) ==
        SLUICE_CODE_INVALID_CONFIGURATION);
  CHECK(rig.run(chat()).back().event.status == 200);
  good([&](auto err) {
    return sluice_gateway_reload_json(rig.gateway, R"({"version": 1, "upstreams": [{"name": "a", "provider": "simulator"}],
      "routes": [{"name": "other", "match": {"path": "/v1/embeddings"}, "upstreams": [{"name": "a"}]}]})", SLUICE_NUL_TERMINATED, err);
  });
  CHECK(rig.run(chat()).back().event.status == 404);
  sluice_buffer_t json{};
  good([&](auto err) { return sluice_gateway_dump(rig.gateway, &json, err); });
  CHECK(std::string_view(json.data, json.size).find("\"other\"") != std::string_view::npos);
  sluice_buffer_free(&json);
  CHECK(json.data == nullptr);
}

TEST_CASE("explain says where a request would go, and sends nothing") {
  Rig rig;
  const sluice_request_t request = chat();
  std::int32_t status = 0;
  sluice_buffer_t text{}, json{};
  good([&](auto err) { return sluice_gateway_explain(rig.gateway, &request, &status, &text, &json, err); });
  CHECK(status == 200);
  CHECK(std::string_view(text.data, text.size).find("chat") != std::string_view::npos);
  CHECK(json.size != 0);
  CHECK(sluice_simulation_seen_count(rig.simulation) == 0);
  sluice_buffer_free(&text);
  sluice_buffer_free(&json);
}

TEST_CASE("statistics count what ended, and how") {
  Rig rig;
  rig.run(chat());
  sluice_request_t nowhere = chat();
  nowhere.target = "/nowhere";
  rig.run(nowhere);
  sluice_statistics_info_t info{};
  info.struct_size = sizeof info;
  good([&](auto err) { return sluice_gateway_statistics(rig.gateway, &info, err); });
  CHECK(info.exchanges_started == 2);
  CHECK(info.exchanges_open == 0);
  CHECK(info.completed == 1);
  CHECK(info.refused == 1);
  CHECK(info.engines == 1);
}

TEST_CASE("a listener serves the gateway, and ends with it") {
  sluice_gateway_t* gateway = open(R"({"version": 1, "gateway": {"listen": [{"address": "127.0.0.1:0"}]},
    "upstreams": [{"name": "a", "provider": "simulator"}],
    "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "a"}]}]})");
  sluice_server_t* server = nullptr;
  good([&](auto err) { return sluice_server_start(gateway, &server, err); });
  REQUIRE(sluice_server_address_count(server) == 1);
  CHECK(view(sluice_server_address(server, 0)).substr(0, 10) == "127.0.0.1:");
  CHECK(view(sluice_server_address(server, 1)).empty());
  SECTION("drained") {
    good([&](auto err) { return sluice_server_drain(server, 1000, err); });
    sluice_server_free(server);
    sluice_gateway_free(gateway);
  }
  SECTION("freed after its gateway") {
    sluice_gateway_free(gateway);
    sluice_server_free(server);
  }
}

TEST_CASE("a queue may be freed while calls run: these end, unheard") {
  Rig rig;
  good([&](auto err) { return sluice_script_generate(rig.script("a"), 1000, err); });
  good([&](auto err) {
    sluice_pace_t pace{};
    pace.struct_size = sizeof pace;
    pace.tokens_per_second = 100;
    return sluice_script_pace(rig.script("a"), &pace, err);
  });
  auto* own = new Queue;
  submit(rig.gateway, own->queue, chat(kStream));
  delete own;
  rig.settle();
  sluice_statistics_info_t info{};
  info.struct_size = sizeof info;
  good([&](auto err) { return sluice_gateway_statistics(rig.gateway, &info, err); });
  CHECK(info.exchanges_open == 0);
  CHECK(info.cancelled == 1);
}
