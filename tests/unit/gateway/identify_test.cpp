// Who calls: keys with an end, HTTP Basic and client certificates, as an exchange is told of them by its listener.

#include <catch2/catch.hpp>

#include <memory>

#include "base/base64.hpp"
#include "gateway/core.hpp"
#include "gateway/engine.hpp"
#include "gateway/exchange.hpp"

using namespace sluice;

namespace {

struct Caller final : ExchangeListener {
  void on_head(const ResponseHead& told) override { head = told; }
  void on_bytes(std::string_view bytes) override { body += bytes; }
  void on_end(const Outcome& ended) override { outcome = ended; }
  ResponseHead head;
  std::string body;
  Outcome outcome;
};

auth::PeerCertificate certificate(std::vector<std::string> names, std::uint8_t byte = 0) {
  auth::PeerCertificate out{.names = std::move(names)};
  out.sha256.fill(byte);
  return out;
}

/// The machine's clock, but for the civil time: that is what a test says.
class Calendar final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const noexcept override { return system_clock().now(); }
  [[nodiscard]] WallTime wall() const noexcept override { return date_; }
  void turn_to(WallTime date) { date_ = date; }

 private:
  WallTime date_{std::chrono::sys_days(std::chrono::year{2026} / 1 / 1)};
};

/// A gateway without threads, and what one request comes to in it.
class Door {
 public:
  Door() {
    Config config;
    config.gateway.threads = 0;
    config.upstreams = {{.name = "a", .provider = "simulator"}};
    config.routes = {{.name = "r", .upstreams = {{.upstream = "a"}}}};
    config.consumers.resize(2);
    config.consumers[0].name = "app";
    config.consumers[0].keys = {{.value = Secret::literal("key-app-1111")},
                                {.value = Secret::literal("key-app-2222"), .expires = "2027-01-31T01:00:00+01:00"}};
    config.consumers[0].certificates = {{.san = "app.example.com"}};
    config.consumers[1].name = "batch";
    config.consumers[1].keys = {{.value = Secret::literal("key-batch-3333")}};
    config.consumers[1].certificates = {{.sha256 = std::string(64, 'b')}};
    auto opened = Gateway::open(std::move(config), {.clock = &calendar_});
    INFO((opened ? std::string() : opened.error().message));
    REQUIRE(opened);
    gateway_ = std::make_unique<Gateway>(std::move(*opened));
  }

  /// `200 app`, or the status and the code of the refusal.
  std::string ask(Headers fields, const auth::PeerCertificate* shown = nullptr) {
    caller_ = Caller();
    gateway::RequestStart start;
    start.method = "GET";
    start.target = "/v1/models";
    start.headers = std::move(fields);
    start.certificate = shown;
    gateway::Exchange& exchange = gateway_->core().host_engine().open(caller_);
    if (!exchange.begin(std::move(start))) {
      return std::to_string(caller_.head.status) + " " + std::string(to_string(caller_.outcome.error->code));
    }
    exchange.cancel();
    return "200 " + caller_.outcome.consumer;
  }
  [[nodiscard]] const std::string& body() const { return caller_.body; }
  [[nodiscard]] std::string challenge() const { return std::string(caller_.head.headers.get("www-authenticate").value_or("")); }
  Calendar& calendar() { return calendar_; }

 private:
  Calendar calendar_;
  std::unique_ptr<Gateway> gateway_;
  Caller caller_;
};

std::string basic(std::string_view pair) { return "Basic " + base::base64_encode(pair); }

}  // namespace

TEST_CASE("each key of a consumer is the consumer's, and one that ends is so up to its end") {
  Door door;
  const Headers lasting = {{"x-api-key", "key-app-1111"}}, ending = {{"x-api-key", "key-app-2222"}};
  const WallTime end = WallTime(std::chrono::sys_days(std::chrono::year{2027} / 1 / 31));
  door.calendar().turn_to(end - Milliseconds{1});
  CHECK(door.ask(lasting) == "200 app");
  CHECK(door.ask(ending) == "200 app");
  door.calendar().turn_to(end);
  CHECK(door.ask(ending) == "401 unauthorized");
  CHECK(door.body().find("has expired: it was good until 2027-01-31T00:00:00Z") != std::string::npos);
  CHECK(door.body().find("app") == std::string::npos);
  CHECK(door.body().find("2222") == std::string::npos);
  CHECK(door.challenge() == "Bearer");
  CHECK(door.ask(lasting) == "200 app");
}

TEST_CASE("an expired key of Basic is told of to its own user alone") {  // SEC-37
  Door door;
  door.calendar().turn_to(WallTime(std::chrono::sys_days(std::chrono::year{2030} / 1 / 1)));
  CHECK(door.ask({{"authorization", basic("app:key-app-2222")}}) == "401 unauthorized");
  CHECK(door.body().find("expired") != std::string::npos);
  CHECK(door.challenge().starts_with("Basic realm="));
  CHECK(door.ask({{"authorization", basic("batch:key-app-2222")}}) == "401 unauthorized");
  CHECK(door.body().find("expired") == std::string::npos);
}

TEST_CASE("Basic names a consumer and shows one of its keys; anything else is 401 and asks for both") {  // SEC-37
  Door door;
  CHECK(door.ask({{"authorization", basic("app:key-app-1111")}}) == "200 app");
  CHECK(door.ask({{"authorization", basic("batch:key-batch-3333")}}) == "200 batch");
  std::string same;
  for (const std::string& pair : {std::string("app:key-app-9999"), std::string("nobody:key-app-1111"), std::string("batch:key-app-1111"), std::string("APP:key-app-1111"),
                                  std::string(":key-app-1111"), std::string("app:key-app-1111 ")}) {
    INFO(pair);
    CHECK(door.ask({{"authorization", basic(pair)}}) == "401 unauthorized");
    CHECK(door.challenge() == R"(Basic realm="sluice", charset="UTF-8")");
    CHECK(door.body().find("key-") == std::string::npos);
    if (same.empty()) same = door.body();
    CHECK(door.body() == same);  // a wrong user and a wrong key are told alike
  }
  for (const std::string& value : {std::string("Basic key-app-1111"), std::string("Basic !"), basic("key-app-1111"), basic("app:")}) {
    INFO(value);
    CHECK(door.ask({{"authorization", value}}) == "401 unauthorized");
    CHECK(door.challenge().starts_with("Basic realm="));
  }
  CHECK(door.ask({{"authorization", basic("app:key-app-1111")}, {"x-api-key", "key-batch-3333"}}) == "400 ambiguous_credentials");
  CHECK(door.ask({}) == "401 unauthorized");
  CHECK(door.challenge() == "Bearer");
}

TEST_CASE("a certificate's name or fingerprint names the consumer, without a key") {  // SEC-38
  Door door;
  const auto named = certificate({"other", "app.example.com"}), printed = certificate({}, 0xbb);
  CHECK(door.ask({}, &named) == "200 app");
  CHECK(door.ask({}, &printed) == "200 batch");
}

TEST_CASE("a certificate that is valid and nobody's is 401 that says how to mend it, and beside a key it does no harm") {  // SEC-38
  Door door;
  const auto stranger = certificate({"stranger.example.com"}, 0xcd);
  CHECK(door.ask({}, &stranger) == "401 unauthorized");
  CHECK(door.body().find("cdcdcdcd") != std::string::npos);
  CHECK(door.body().find("certificates") != std::string::npos);
  CHECK(door.ask({{"x-api-key", "key-app-1111"}}, &stranger) == "200 app");
}

TEST_CASE("a key and a certificate of two consumers are as two keys; of one they are one") {  // SEC-38, SEC-23
  Door door;
  const auto app = certificate({"app.example.com"}), both = certificate({"app.example.com"}, 0xbb);
  CHECK(door.ask({{"x-api-key", "key-app-1111"}}, &app) == "200 app");
  CHECK(door.ask({{"authorization", basic("app:key-app-1111")}}, &app) == "200 app");
  CHECK(door.ask({{"x-api-key", "key-batch-3333"}}, &app) == "400 ambiguous_credentials");
  CHECK(door.ask({{"authorization", basic("batch:key-batch-3333")}}, &app) == "400 ambiguous_credentials");
  CHECK(door.ask({}, &both) == "400 ambiguous_credentials");
}

TEST_CASE("a good certificate does not hide a wrong key") {  // SEC-38
  Door door;
  const auto app = certificate({"app.example.com"});
  CHECK(door.ask({{"x-api-key", "key-nobody"}}, &app) == "401 unauthorized");
  CHECK(door.ask({{"authorization", "Basic !"}}, &app) == "401 unauthorized");
}
