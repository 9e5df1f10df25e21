// Callers in the same process: whole answers, streams, listeners, and what an engine thread must not wait for.

#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>

#include "integration/rig.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

/// Follows one exchange and lets the test wait for its end.
class Follower final : public ExchangeListener {
 public:
  explicit Follower(std::function<void()> at_end = {}) : at_end_(std::move(at_end)) {}
  void on_head(const ResponseHead& head) override { status_ = head.status; }
  void on_bytes(std::string_view bytes) override { body_ += bytes; }
  void on_end(const Outcome& outcome) override {
    if (at_end_) at_end_();
    const std::lock_guard lock(mutex_);
    outcome_ = outcome;
    ++ends_;
    ended_.notify_all();
  }
  Outcome wait() {
    std::unique_lock lock(mutex_);
    REQUIRE(ended_.wait_for(lock, std::chrono::seconds(10), [&] { return ends_ != 0; }));
    return outcome_;
  }
  // After wait().
  int status_ = 0, ends_ = 0;
  std::string body_;

 private:
  std::function<void()> at_end_;
  std::mutex mutex_;
  std::condition_variable ended_;
  Outcome outcome_;
};

const std::string kStream =
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"}}]}\n\n"
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"}}]}\n\n"
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
    "data: [DONE]\n\n";

Request chat(bool stream = false) { return Request::post("/v1/chat/completions", chat_body("m", "x", stream)); }

}  // namespace

TEST_CASE("send gives a whole answer, stream its events, submit every step") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  a->on_request([](const RawRequest& request) {
    if (request.body.find("\"stream\":true") == std::string::npos) return json_reply(chat_answer("a"), 200, "X-Request-Id: r-1\r\n");
    return Reply::ok(kStream, "Content-Type: text/event-stream\r\n");
  });
  Live live(document(a.entry(), route_to("a")), threads);
  const auto answer = live.gateway().send(chat()).get();
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->body == chat_answer("a"));
  CHECK(answer->headers.get("x-request-id") == "r-1");
  CHECK(answer->outcome.usage.total_tokens == 4);
  CHECK(answer->outcome.route == "r");

  Stream stream = live.gateway().stream(chat(true));
  std::string text;
  std::size_t events = 0;
  while (auto event = stream.next(std::chrono::seconds(10))) {
    text += event->text();
    ++events;
  }
  CHECK(stream.done());
  CHECK(text == "Hello");
  CHECK(events >= 3);
  CHECK(stream.outcome().ending == Ending::kCompleted);

  auto follower = std::make_shared<Follower>();
  REQUIRE(live.gateway().submit(chat(true), follower));
  CHECK(follower->wait().streamed);
  CHECK(follower->status_ == 200);
  CHECK(follower->body_ == kStream);
  CHECK(follower->ends_ == 1);
}

TEST_CASE("an upstream's own error status is an answer; what the gateway refuses is an error") {
  Backend a("a");
  a->on_request([](const RawRequest&) { return json_reply(R"({"error":{"message":"slow down","type":"rate_limit"}})", 429, "Retry-After: 3\r\n"); });
  Live live(document(a.entry(), route_to("a")));
  const auto answer = live.gateway().send(chat()).get();
  REQUIRE(answer);
  CHECK(answer->status == 429);
  CHECK(answer->headers.get("retry-after") == "3");
  const auto refused = live.gateway().send(Request::get("/nothing")).get();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::kRouteNotFound);
  CHECK(refused.error().http_status == 404);
}

TEST_CASE("a caller in the process names its consumer, or shows a key as everybody does") {  // ROUTE-07
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), R"({"name":"r","admit":["app"],"upstreams":[{"name":"a"}]})",
                     R"(,"consumers":[{"name":"app","keys":[{"sha256":")" + sha256("app-key") + R"("}]},{"name":"unkeyed"}])"),
            threads);
  CallOptions named;
  named.consumer = "app";
  const auto by_name = live.gateway().send(chat(), named).get();
  REQUIRE(by_name);
  CHECK(by_name->outcome.consumer == "app");
  Request keyed = chat();
  REQUIRE(keyed.headers.add("X-Api-Key", "app-key"));
  const auto by_key = live.gateway().send(keyed).get();
  REQUIRE(by_key);
  CHECK(by_key->outcome.consumer == "app");
  CHECK_FALSE(a->requests().back().header("x-api-key"));

  const auto code_of = [&](Request request, CallOptions options = {}) {
    const auto answer = live.gateway().send(std::move(request), std::move(options)).get();
    return answer ? std::pair(Code::kOk, answer->status) : std::pair(answer.error().code, answer.error().http_status);
  };
  CHECK(code_of(chat()) == std::pair(Code::kUnauthorized, 401));
  Request wrong = chat();
  REQUIRE(wrong.headers.add("Authorization", "Bearer wrong"));
  CHECK(code_of(wrong) == std::pair(Code::kUnauthorized, 401));
  CHECK(code_of(chat(), {.consumer = "nobody", .deadline = {}}) == std::pair(Code::kUnauthorized, 401));
  CHECK(code_of(chat(), {.consumer = "unkeyed", .deadline = {}}) == std::pair(Code::kConsumerNotAllowed, 403));
  CHECK(a->request_count() == 2);
}

TEST_CASE("a caller's own deadline ends the exchange, and a cancel does too, once") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  a->on_request([](const RawRequest&) { return Reply::nothing().then_stall(); });
  Live live(document(a.entry(), route_to("a")), threads);
  CallOptions hurried;
  hurried.deadline = Milliseconds{30};
  const auto late = live.gateway().send(chat(), hurried).get();
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Code::kTotalTimeout);
  auto follower = std::make_shared<Follower>();
  const auto ticket = live.gateway().submit(chat(), follower);
  REQUIRE(ticket);
  REQUIRE(a->wait_for([&] { return a->request_count() == 2; }));
  live.gateway().cancel(*ticket);
  live.gateway().cancel(*ticket);
  live.gateway().cancel(123456789);
  CHECK(follower->wait().ending == Ending::kCancelled);
  CHECK(follower->ends_ == 1);
  { const Call dropped = live.gateway().send(chat()); }
  CHECK(live.outcomes().wait(3)[2].ending == Ending::kCancelled);
}

TEST_CASE("what would wait for an engine on its own thread is refused, not deadlocked") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a")), threads);
  std::vector<Code> codes;
  auto follower = std::make_shared<Follower>([&] {
    const auto note = [&codes](const Status& status) { codes.push_back(status ? Code::kOk : status.error().code); };
    note(live.gateway().close());
    note(live.gateway().reload({}));
    note(live.server().drain(Milliseconds{1}));
    const auto answer = live.gateway().send(chat()).get();
    codes.push_back(answer ? Code::kOk : answer.error().code);
  });
  REQUIRE(live.gateway().submit(chat(), follower));
  (void)follower->wait();
  CHECK(codes == std::vector<Code>(4, Code::kWouldDeadlock));
  CHECK(live.gateway().send(chat()).get());
}

TEST_CASE("a closed gateway takes nothing and says so") {
  Backend a("a");
  Live live(document(a.entry(), route_to("a")));
  live.stop_server();
  CHECK(live.gateway().close());
  CHECK(live.gateway().close());
  const auto answer = live.gateway().send(chat()).get();
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Code::kClosed);
  CHECK_FALSE(live.gateway().submit(chat(), std::make_shared<Follower>()));
}
