// A new configuration in a running gateway; secrets; what is said about mistakes.

#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "integration/rig.hpp"

using namespace sluice;
using namespace sluice::test;
namespace fs = std::filesystem;

namespace {

Config parsed(const std::string& text, std::uint32_t threads) {
  auto config = Config::parse(text);
  INFO((config ? std::string() : config.error().message));
  REQUIRE(config);
  config->gateway.threads = threads;
  config->gateway.listen.push_back({});
  return std::move(*config);
}

std::string chat(std::string_view text = "x") { return post("/v1/chat/completions", chat_body("m", text)); }

/// A file that is gone afterwards.
class SecretFile {
 public:
  explicit SecretFile(const std::string& text) {
    std::string name = (fs::temp_directory_path() / "sluice-secret-XXXXXX").string();
    const int fd = ::mkstemp(name.data());
    REQUIRE(fd >= 0);
    ::close(fd);
    path_ = name;
    write(text);
  }
  ~SecretFile() { fs::remove(path_); }
  void write(const std::string& text) const { std::ofstream(path_, std::ios::trunc) << text; }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("a reload that would need another address is refused by name, and changes nothing") {
  Backend a("a"), b("b");
  const std::string both = a.entry() + "," + b.entry();
  Live live(document(both, route_to("a")));
  auto config = parsed(document(both, route_to("b")), 1);
  SECTION("another address") {
    config.gateway.listen.front().address = "127.0.0.2:0";
    const Status refused = live.gateway().reload(std::move(config));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message ==
          "/gateway/listen/0/address: is 127.0.0.1:0 and would be 127.0.0.2:0; it is fixed while a gateway runs");
  }
  SECTION("one more") {
    config.gateway.listen.push_back({});
    CHECK(live.gateway().reload(std::move(config)).error().message ==
          "/gateway/listen/1/address: is unset and would be 127.0.0.1:0; it is fixed while a gateway runs");
  }
  CHECK(served_by(ask(live, chat())) == "a");
}

TEST_CASE("what else a listener may is what the new configuration says") {
  Backend a("a");
  Live live(document(a.entry(), route_to("a")));
  RawClient before(live.port());
  before.send(chat());
  CHECK(before.answer().status == 200);
  auto config = parsed(document(a.entry(), route_to("a")), 1);
  SECTION("who may connect") {
    config.gateway.listen.front().allow_addresses = {"10.0.0.0/8"};
    REQUIRE(live.gateway().reload(std::move(config)));
    CHECK(ask(live, chat()).status == 403);
  }
  SECTION("how many") {
    config.gateway.listen.front().max_connections = 1;
    REQUIRE(live.gateway().reload(std::move(config)));
    CHECK(ask(live, chat()).status == 503);
  }
  before.send(chat());
  CHECK(before.answer().status == 200);
}

TEST_CASE("reloads under load lose no request, and connections to upstreams that stay are kept") {  // OPS-02
  const auto threads = GENERATE(1u, 4u);
  Backend a("a"), b("b");
  const std::string both = a.entry() + "," + b.entry();
  const std::string to_a = document(both, route_to("a")), to_b = document(both, route_to("b"));
  Live live(to_a, threads);
  std::atomic<bool> stop{false};
  std::atomic<int> good{0}, bad{0};
  std::vector<std::thread> clients;
  std::vector<std::unique_ptr<RawClient>> sockets;
  for (int i = 0; i < 4; ++i) sockets.push_back(std::make_unique<RawClient>(live.port()));
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&, i] {
      while (!stop) {
        // One connection each, all the time: it survives as well.
        if (!sockets[static_cast<std::size_t>(i)]->try_send(chat())) { ++bad; return; }
        const WireAnswer answer = sockets[static_cast<std::size_t>(i)]->answer();
        const std::string who = served_by(answer);
        if (answer.status == 200 && (who == "a" || who == "b")) ++good;
        else ++bad;
        if (answer.status == 0) return;
      }
    });
  }
  const auto settled = [&](int n) { return eventually([&, until = good + n] { return good >= until || bad > 0; }); };
  for (int i = 0; i < 30; ++i) {
    CHECK(live.gateway().reload(parsed(i % 2 == 0 ? to_b : to_a, threads)));
    CHECK(settled(4));
  }
  stop = true;
  for (std::thread& client : clients) client.join();
  CHECK(bad == 0);
  CHECK(good > 100);
  // After the last reload every new request sees it.
  for (int i = 0; i < 8; ++i) CHECK(served_by(ask(live, chat())) == "a");
  // A client may have read its answer a moment before the account is closed.
  CHECK(eventually([&] { return live.gateway().statistics().exchanges_open == 0; }));
  const auto statistics = live.gateway().statistics();
  CHECK(statistics.failed == 0);
  CHECK(statistics.refused == 0);
  CHECK(statistics.completed == static_cast<std::uint64_t>(good) + 8);
  // At most one connection for each request that can be in flight on each engine, however often was reloaded.
  CHECK(a->opened() <= 4 * threads);
  CHECK(b->opened() <= 4 * threads);
}

TEST_CASE("an exchange keeps the configuration it began with") {  // OPS-02 OPS-04
  const auto threads = GENERATE(1u, 4u);
  Backend old("old"), fresh("fresh");
  old->on_request([](const RawRequest&) { return Reply::nothing().then_wait("go").then(std::string("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ") + std::to_string(chat_answer("old").size()) + "\r\n\r\n" + chat_answer("old")); });
  Live live(document(old.entry(), R"({"name":"removed","upstreams":[{"name":"old"}],"response_headers":{"set":{"X-From":"before"}}})", R"(,"consumers":[{"name":"gone","keys":[{"sha256":")" + sha256("k") + "\"}]}]"), threads);
  RawClient waiting(live.port());
  waiting.send(post("/v1/chat/completions", chat_body("m"), "X-Api-Key: k\r\n"));
  REQUIRE(old->wait_for([&] { return old->request_count() == 1; }));
  REQUIRE(live.gateway().reload(parsed(document(fresh.entry(), R"({"name":"new","upstreams":[{"name":"fresh"}],"response_headers":{"set":{"X-From":"after"}}})"), threads)));
  const WireAnswer meanwhile = ask(live, chat());
  CHECK(served_by(meanwhile) == "fresh");
  CHECK(meanwhile.field("x-from") == "after");
  CHECK(live.outcomes().wait(1).at(0).route == "new");
  const std::string dumped = live.gateway().dump();
  CHECK(dumped.find("\"fresh\"") != std::string::npos);
  CHECK(dumped.find("\"removed\"") == std::string::npos);
  CHECK(live.gateway().explain(Request::post("/v1/chat/completions", chat_body("m"))).json.find("\"new\"") != std::string::npos);
  old->open("go");
  const WireAnswer answer = waiting.answer();
  CHECK(served_by(answer) == "old");
  CHECK(answer.field("x-from") == "before");
  const auto outcomes = live.outcomes().wait(2);
  CHECK(outcomes[1].route == "removed");
  CHECK(outcomes[1].consumer == "gone");
  // The removed upstream's state goes with its last exchange: nothing stays connected to it.
  CHECK(old->wait_for([&] { return old->closed() == old->opened(); }));
  CHECK_FALSE(problems(document(fresh.entry(), R"({"name":"r","upstreams":[{"name":"old"}]})")).empty());
  CHECK_FALSE(problems(document(fresh.entry(), route_to("fresh", R"(,"admit":["gone"])"))).empty());
}

TEST_CASE("a bad document is refused as a whole, and the old one goes on") {  // OPS-03
  const auto threads = GENERATE(1u, 4u);
  Backend a("a"), b("b");
  Live live(document(a.entry(), route_to("a")), threads);
  Config config = parsed(document(a.entry() + "," + b.entry(), route_to("b")), threads);
  config.routes[0].upstreams[0].upstream = "nobody";
  const Status dangling = live.gateway().reload(config);
  REQUIRE_FALSE(dangling);
  CHECK(dangling.error().code == Code::kInvalidConfiguration);
  CHECK(dangling.error().message.find("nobody") != std::string::npos);
  config = parsed(document(a.entry() + "," + b.entry(), route_to("b")), threads);
  config.upstreams[1].credential = Secret::env("SLUICE_TEST_NO_SUCH_VARIABLE");
  config.upstreams[1].allow_plaintext_credential = true;
  const Status missing = live.gateway().reload(config);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == Code::kSecretMissing);
  CHECK(missing.error().message.find("SLUICE_TEST_NO_SUCH_VARIABLE") != std::string::npos);
  config = parsed(document(a.entry() + "," + b.entry(), route_to("b")), threads + 1);
  CHECK_FALSE(live.gateway().reload(config));
  CHECK(served_by(ask(live, chat())) == "a");
  CHECK(live.gateway().dump().find("\"b\"") == std::string::npos);
}

TEST_CASE("a secret is shown nowhere, and a new one in its file is used after a reload") {  // OPS-07
  const auto threads = GENERATE(1u, 4u);
  const SecretFile file("first-secret-0123456789\n"), key("consumer-secret-0123456789");
  Backend a("a");
  const std::string text = document(a.entry(R"(,"allow_plaintext_credential":true,"credential":{"file":")" + file.path() + "\"}"), route_to("a"),
                                    R"(,"consumers":[{"name":"app","keys":[{"file":")" + key.path() + "\"}]}]");
  Live live(text, threads);
  const auto asks = [&](const std::string& with) { return ask(live, post("/v1/chat/completions", chat_body("m"), "X-Api-Key: " + with + "\r\n")).status; };
  CHECK(asks("consumer-secret-0123456789") == 200);
  CHECK(a->requests().back().header("authorization") == "Bearer first-secret-0123456789");
  file.write("second-secret-9876543210\n");
  key.write("consumer-secret-9876543210");
  CHECK(asks("consumer-secret-0123456789") == 200);  // not before it is reloaded
  CHECK(a->requests().back().header("authorization") == "Bearer first-secret-0123456789");
  const std::size_t connections = a->opened();
  REQUIRE(live.gateway().reload(parsed(text, threads)));
  CHECK(asks("consumer-secret-9876543210") == 200);
  CHECK(a->requests().back().header("authorization") == "Bearer second-secret-9876543210");
  CHECK(asks("consumer-secret-0123456789") == 401);
  if (threads == 1) CHECK(a->opened() == connections);  // the same reference: the same upstream
  CallOptions options;
  options.consumer = "app";
  const Explanation told = live.gateway().explain(Request::post("/v1/chat/completions", chat_body("m")), options);
  for (const std::string& shown : {live.gateway().dump(), told.text, told.json}) {
    CHECK_FALSE(shown.empty());
    for (const char* secret : {"first-secret", "second-secret", "consumer-secret"}) CHECK(shown.find(secret) == std::string::npos);
  }
  Config literal = parsed(text, threads);
  literal.upstreams[0].credential = Secret::literal("literal-secret-0001");
  CHECK(literal.dump().find("literal-secret") == std::string::npos);
  CHECK(literal.dump().find("***") != std::string::npos);
  literal.routes[0].upstreams[0].upstream = "nobody";
  CHECK(live.gateway().reload(literal).error().message.find("literal-secret") == std::string::npos);
  fs::remove(file.path());
  const Status gone = live.gateway().reload(parsed(text, threads));
  REQUIRE_FALSE(gone);
  CHECK(gone.error().message.find(file.path()) != std::string::npos);
  CHECK(asks("consumer-secret-9876543210") == 200);
}

TEST_CASE("every mistake of a document is told at once, each where it is") {  // OPS-01
  const std::string said = problems(R"({"version":1,"gatway":{},"upstreams":[{"name":"a","url":"http://h/v1","timeouts":{"conect_ms":1}},{"name":"a","url":7}],)"
                                    R"("routes":[{"name":"r","upstreams":[{"name":"aa"}]},{"name":"s","match":{"path":"/x","path_prefix":"/x"},"upstreams":[{"name":"a"}]}]})");
  for (const char* part : {"/gatway", "gateway", "/upstreams/0/timeouts/conect_ms", "connect_ms", "/upstreams/1/url"}) {
    INFO(part << " in\n" << said);
    CHECK(said.find(part) != std::string::npos);
  }
  const std::string whole = problems(R"({"version":1,"upstreams":[{"name":"alpha","url":"http://h/v1"},{"name":"alpha","url":"http://h/v1"}],)"
                                     R"("routes":[{"name":"r","upstreams":[{"name":"alhpa"}]},{"name":"s","upstreams":[{"name":"alpha"}]},{"name":"t","operation":"opaque","models":{"allow":["x"]},"upstreams":[{"name":"alpha"}]}]})");
  for (const char* part : {"/upstreams/1", "/routes/0/upstreams/0", "alpha", "/routes/2"}) {
    INFO(part << " in\n" << whole);
    CHECK(whole.find(part) != std::string::npos);
  }
}
