// Going down in good order, and what the probes say meanwhile.

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "integration/rig.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

const std::string kFirst = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n";
const std::string kRest = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/// Whether somebody listens there.
bool accepts(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  ::close(fd);
  return connected;
}

std::string streamed() { return post("/v1/chat/completions", chat_body("m", "x", true)); }

}  // namespace

TEST_CASE("what is in flight finishes while nothing new is taken") {  // OPS-05 OPS-06
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  a->on_request([](const RawRequest&) { return Reply::chunked("Content-Type: text/event-stream\r\n").chunk(kFirst).then_wait("go").chunk(kRest).end_chunks(); });
  Live live(document(a.entry(), route_to("a")), threads);
  CHECK(ask(live, get("/readyz")).status == 200);
  RawClient probes(live.port()), other(live.port()), running(live.port());
  probes.send(get("/readyz"));
  CHECK(probes.answer().status == 200);
  other.send(get("/healthz"));
  CHECK(other.answer().status == 200);
  running.send(streamed());
  (void)running.until("\"Hi\"");
  std::jthread drain([&] { (void)live.server().drain(Milliseconds{30'000}); });
  // Not ready at once, alive all the same; the answer is the last of its connection.
  WireAnswer ready;
  REQUIRE(eventually([&] {
    probes.send(get("/readyz"));
    ready = probes.answer();
    return ready.status != 200;
  }));
  CHECK(ready.status == 503);
  CHECK(ready.field("connection") == "close");
  other.send(get("/healthz"));
  CHECK(other.answer().status == 200);
  CHECK(eventually([&] { return !accepts(live.port()); }));
  a->open("go");
  const WireAnswer answer = running.answer();
  CHECK(answer.complete);
  CHECK(answer.body == kFirst + kRest);
  drain.join();
  const Outcome outcome = live.outcomes().wait(1)[0];
  CHECK(outcome.ending == Ending::kCompleted);
  CHECK(live.gateway().statistics().exchanges_open == 0);
}

TEST_CASE("what is not over at the deadline is cut with an error the client can read") {  // OPS-05
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  a->on_request([](const RawRequest& request) {
    if (request.body.find("\"stream\":true") == std::string::npos) return Reply::nothing().then_stall();
    return Reply::chunked("Content-Type: text/event-stream\r\n").chunk(kFirst).then_stall();
  });
  Live live(document(a.entry(), route_to("a")), threads);
  RawClient streaming(live.port()), whole(live.port());
  streaming.send(streamed());
  (void)streaming.until("\"Hi\"");
  whole.send(post("/v1/chat/completions", chat_body("m")));
  REQUIRE(a->wait_for([&] { return a->request_count() == 2; }));
  CHECK(live.server().drain(Milliseconds{50}));
  const WireAnswer cut = streaming.answer();
  CHECK(cut.status == 200);
  CHECK(cut.body.substr(0, kFirst.size()) == kFirst);
  CHECK(cut.body.find("data: {\"error\":") != std::string::npos);
  CHECK(cut.body.find("shutting_down") != std::string::npos);
  CHECK(cut.body.find("[DONE]") == std::string::npos);
  const WireAnswer refused = whole.answer();
  CHECK(refused.status == 503);
  CHECK(error_code(refused.body) == "shutting_down");
  CHECK(whole.closed());
  for (const Outcome& outcome : live.outcomes().wait(2)) {
    CHECK(outcome.ending == Ending::kFailed);
    CHECK(outcome.error->code == Code::kShuttingDown);
  }
}

TEST_CASE("after a drain nobody is listening any more") {  // OPS-05
  Backend a("a");
  Live live(document(a.entry(), route_to("a")));
  RawClient idle(live.port());
  idle.send(get("/healthz"));
  CHECK(idle.answer().status == 200);
  CHECK(live.server().drain(Milliseconds{1000}));
  CHECK(idle.closed());
  // Callers in the process are told the same.
  const auto answer = live.gateway().send(Request::post("/v1/chat/completions", chat_body("m"))).get();
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Code::kShuttingDown);
}

TEST_CASE("a gateway whose upstreams are all down is alive and ready") {  // OPS-06
  std::uint16_t nobody = 0;
  { nobody = FaultServer().port(); }
  Live live(document(R"({"name":"a","url":"http://127.0.0.1:)" + std::to_string(nobody) + "/v1\"}", route_to("a")));
  CHECK(ask(live, post("/v1/chat/completions", chat_body("m"))).status == 502);
  CHECK(ask(live, get("/healthz")).status == 200);
  CHECK(ask(live, get("/readyz")).status == 200);
  // Without a valid configuration there is no gateway, and so nothing that could be ready.
  CHECK_FALSE(Gateway::open_json(R"({"version":1,"routes":[{"name":"r","upstreams":[{"name":"nobody"}]}]})"));
}
