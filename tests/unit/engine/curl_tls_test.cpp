// TLS towards upstreams: who is believed, who we say we are, and what a broken peer does to the process.

#include <catch2/catch.hpp>

#include <csignal>

#include "engine/sigpipe.hpp"
#include "transfers.hpp"

using namespace std::chrono_literals;
using namespace sluice::testing;
using sluice::Code;
namespace engine = sluice::engine;

namespace {

const TestCertificates& certificates() {
  static const TestCertificates made;
  return made;
}

FaultServer::Options with_tls(bool ask_client = false) { return {&certificates(), ask_client, "127.0.0.1", 0, true}; }

engine::Endpoint tls_endpoint(const FaultServer& server) {
  auto endpoint = endpoint_of(server);
  endpoint.tls = true;
  endpoint.ca_file = certificates().ca_file();
  return endpoint;
}

engine::TransferEnd end_of(TransportRig& rig, const engine::Endpoint& endpoint, int times = 1) {
  auto channel = rig.open(endpoint);
  engine::TransferEnd end;
  for (int i = 0; i < times; ++i) {
    Recorder sink;
    sink.transfer = channel->start(post("{}"), sink);
    REQUIRE(rig.until([&] { return sink.done(); }));
    end = sink.end;
  }
  return end;
}

}  // namespace

TEST_CASE("a server is believed for its name and its authority, or not at all") {  // SEC-20
  FaultServer server(with_tls());
  TransportRig rig;
  auto endpoint = tls_endpoint(server);
  SECTION("the right ones") {
    const auto end = end_of(rig, endpoint, 3);
    CHECK(end.code == Code::kOk);
    CHECK(end.reused_connection);
    CHECK(server.opened() == 1);
  }
  SECTION("another name") {
    endpoint.host = "otherhost";
    struct Local final : engine::Resolver {
      std::unique_ptr<engine::Lookup> resolve(const std::string&, Callback done) override {
        done(engine::Addresses{{"127.0.0.1"}, sluice::TimePoint::max()});
        return nullptr;
      }
    };
    TransportRig local(nullptr, std::make_unique<Local>());
    const auto end = end_of(local, endpoint);
    CHECK(end.code == Code::kUpstreamTlsFailed);
    CHECK(server.request_count() == 0);
    endpoint.host = "localhost";  // which the certificate does name
    CHECK(end_of(local, endpoint).code == Code::kOk);
  }
  SECTION("an authority nobody here knows") {
    endpoint.ca_file.clear();
    const auto end = end_of(rig, endpoint);
    CHECK(end.code == Code::kUpstreamTlsFailed);
    CHECK(end.sends == 0);
    CHECK(server.request_count() == 0);
  }
  SECTION("another authority of the same name") {
    const TestCertificates stranger;
    endpoint.ca_file = stranger.ca_file();
    CHECK(end_of(rig, endpoint).code == Code::kUpstreamTlsFailed);
  }
  SECTION("a session that one endpoint may resume is none for another") {
    CHECK(end_of(rig, endpoint).code == Code::kOk);
    endpoint.ca_file.clear();
    CHECK(end_of(rig, endpoint).code == Code::kUpstreamTlsFailed);
  }
  SECTION("a server that speaks no TLS") {
    FaultServer plain;
    plain.on_connect([](std::size_t) { return Reply::raw("HTTP/1.1 400 Bad Request\r\n\r\n").then_close(); });
    endpoint.port = plain.port();
    const auto end = end_of(rig, endpoint);
    CHECK(end.code == Code::kUpstreamTlsFailed);
  }
}

TEST_CASE("a client certificate is shown where one is configured") {
  FaultServer server(with_tls(true));
  TransportRig rig;
  auto endpoint = tls_endpoint(server);
  CHECK(end_of(rig, endpoint).code != Code::kOk);
  CHECK(server.request_count() == 0);
  endpoint.certificate_file = certificates().client_certificate();
  endpoint.key_file = certificates().client_key();
  CHECK(end_of(rig, endpoint).code == Code::kOk);
  REQUIRE(server.request_count() == 1);
  CHECK(server.requests()[0].peer_certificate.find("sluice test client") != std::string::npos);
}

TEST_CASE("a proxy is asked for a tunnel, and sees nothing of what goes through it") {
  FaultServer server(with_tls()), proxy;
  const std::uint16_t port = server.port();
  proxy.on_request([port](const RawRequest&) { return Reply::raw("HTTP/1.1 200 Connected\r\nX-Proxy: 1\r\n\r\n").then_tunnel(port); });
  TransportRig rig;
  auto endpoint = tls_endpoint(server);
  endpoint.proxy_host = "127.0.0.1";
  endpoint.proxy_port = proxy.port();
  auto channel = rig.open(endpoint);
  Recorder sink;
  sink.transfer = channel->start(post("{\"secret\":1}"), sink);
  REQUIRE(rig.until([&] { return sink.done(); }));
  CHECK(sink.end.code == Code::kOk);
  CHECK(sink.heads == 1);
  CHECK_FALSE(sink.head.headers.contains("x-proxy"));
  REQUIRE(proxy.request_count() == 1);
  CHECK(proxy.requests()[0].method == "CONNECT");
  CHECK(proxy.requests()[0].target == server.authority());
  CHECK_FALSE(proxy.requests()[0].header("content-type"));
  proxy.on_request([](const RawRequest&) { return Reply::status(407); });
  CHECK(end_of(rig, endpoint).code == Code::kUpstreamConnectFailed);
}

TEST_CASE("a TLS peer that resets while it is written to does not end the process") {  // SEC-39
  struct sigaction before {};
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  REQUIRE(::sigaction(SIGPIPE, &standard, &before) == 0);
  {
    auto options = with_tls();
    options.reset_after = 200'000;
    FaultServer server(options);
    server.on_request([](const RawRequest& request) {
      return request.number % 2 == 1 ? Reply::ok() : Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx").then_reset();
    });
    TransportRig rig;
    auto channel = rig.open(tls_endpoint(server));
    for (int i = 0; i < 40; ++i) {
      Recorder sink;  // small ones are answered, or reset inside the answer; large ones are reset while they are written
      sink.transfer = channel->start(post(std::string(i % 3 == 0 ? 10 : 4'000'000, 'x')), sink);
      REQUIRE(rig.until([&] { return sink.done(); }));
      if (i % 3 != 0) CHECK(sink.end.code != Code::kOk);
    }
  }
  ::sigaction(SIGPIPE, &before, nullptr);
  SUCCEED("the process lives");
}

TEST_CASE("the guard takes back the signal it provoked and no other") {
  struct sigaction before {};
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  REQUIRE(::sigaction(SIGPIPE, &standard, &before) == 0);
  sigset_t mask_before, mask_after;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask_before);
  {
    const engine::SigpipeGuard guard;
    const engine::SigpipeGuard nested;
    ::pthread_kill(::pthread_self(), SIGPIPE);
  }
  pthread_sigmask(SIG_SETMASK, nullptr, &mask_after);
  CHECK(sigismember(&mask_before, SIGPIPE) == sigismember(&mask_after, SIGPIPE));
  sigset_t pending;
  sigpending(&pending);
  CHECK(sigismember(&pending, SIGPIPE) == 0);
  ::sigaction(SIGPIPE, &before, nullptr);
}

TEST_CASE("an endpoint that may use HTTP/2 settles for HTTP/1.1 where the server has nothing else") {
  FaultServer server(with_tls());
  TransportRig rig;
  auto endpoint = tls_endpoint(server);
  endpoint.http2 = true;
  CHECK(end_of(rig, endpoint, 3).code == Code::kOk);
  CHECK(server.opened() == 1);
}
