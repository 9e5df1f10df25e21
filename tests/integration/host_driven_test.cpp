// A gateway without threads, driven by its host over a real network, by epoll's descriptor or by poll(2) alone.

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "integration/rig.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

struct Follower final : ExchangeListener {
  void on_head(const ResponseHead& head) override { status = head.status; }
  void on_bytes(std::string_view bytes) override { body += bytes; }
  void on_end(const Outcome& ended) override {
    outcome = ended;
    ++ends;
    thread = ::syscall(SYS_gettid);
  }
  int status = 0, ends = 0;
  long thread = 0;
  std::string body;
  Outcome outcome;
};

std::size_t threads_here() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator()));
}

/// What a host's own loop does: wait until the descriptor or the clock says that something is due, then drive.
void drive_until(Gateway& gateway, const std::function<bool()>& done) {
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!done()) {
    REQUIRE(std::chrono::steady_clock::now() < patience);
    if (gateway.fd() < 0) {
      (void)gateway.drive(Milliseconds{100});
      continue;
    }
    pollfd ready{gateway.fd(), POLLIN, 0};
    (void)::poll(&ready, 1, 1000);
    (void)gateway.drive(Milliseconds{0});
  }
}

}  // namespace

TEST_CASE("a host drives a gateway by its descriptor, or by poll where there is none") {
  const bool portable = GENERATE(false, true);
  Backend a("a");
  a->on_request([](const RawRequest& request) {
    if (request.body.find("wait") != std::string::npos) return Reply::nothing().then_stall();
    return json_reply(chat_answer("a"));
  });
  auto config = Config::parse(document(a.entry(R"(,"timeouts":{"headers_ms":40})"), route_to("a")));
  REQUIRE(config);
  config->gateway.threads = 0;
  OpenOptions options;
  options.portable_loop = portable;
  const std::size_t threads_before = threads_here();
  auto gateway = Gateway::open(*config, options);
  REQUIRE(gateway);
  CHECK((gateway->fd() < 0) == portable);
  std::vector<std::shared_ptr<Follower>> followers;
  for (int i = 0; i < 8; ++i) {
    followers.push_back(std::make_shared<Follower>());
    REQUIRE(gateway->submit(Request::post("/v1/chat/completions", chat_body("m")), followers.back()));
  }
  CHECK(followers[0]->ends == 0);  // nothing happens before it is driven
  drive_until(*gateway, [&] { return std::all_of(followers.begin(), followers.end(), [](const auto& one) { return one->ends != 0; }); });
  for (const auto& one : followers) {
    CHECK(one->ends == 1);
    CHECK(one->status == 200);
    CHECK(one->body == chat_answer("a"));
    CHECK(one->thread == ::syscall(SYS_gettid));
  }
  CHECK(threads_here() == threads_before);

  // A timer alone wakes it: nothing comes over the network here.
  const auto late = std::make_shared<Follower>();
  REQUIRE(gateway->submit(Request::post("/v1/chat/completions", chat_body("m", "wait")), late));
  drive_until(*gateway, [&] { return late->ends != 0; });
  CHECK(late->outcome.error->code == Code::kHeadersTimeout);

  // Waiting calls drive by themselves.
  const auto answer = gateway->send(Request::post("/v1/chat/completions", chat_body("m"))).get();
  REQUIRE(answer);
  CHECK(answer->body == chat_answer("a"));
  CHECK(gateway->close());
}

TEST_CASE("the listener runs on a driven loop too, and on the portable one") {
  const bool portable = GENERATE(false, true);
  Backend a("a");
  auto config = Config::parse(document(a.entry(), route_to("a")));
  REQUIRE(config);
  config->gateway.threads = 0;
  config->gateway.listen.push_back({});
  OpenOptions options;
  options.portable_loop = portable;
  auto gateway = Gateway::open(*config, options);
  REQUIRE(gateway);
  auto server = Server::start(*gateway);
  REQUIRE(server);
  const std::string& address = server->addresses().at(0);
  RawClient client(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  client.send(post("/v1/chat/completions", chat_body("m")));
  pollfd answered{client.fd(), POLLIN, 0};
  drive_until(*gateway, [&] { return ::poll(&answered, 1, 0) == 1; });
  const WireAnswer answer = client.answer();
  CHECK(answer.status == 200);
  CHECK(answer.body == chat_answer("a"));
}

TEST_CASE("the portable loop serves with threads of its own") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  OpenOptions options;
  options.portable_loop = true;
  Live live(document(a.entry(), route_to("a")), threads, std::move(options));
  for (int i = 0; i < 8; ++i) CHECK(ask(live, post("/v1/chat/completions", chat_body("m"))).status == 200);
  CHECK(live.gateway().fd() == -1);
}
