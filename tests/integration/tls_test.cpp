// The listener under TLS: handshakes, names, resumption, certificates of both sides, and what a reload does to them.

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "integration/rig.hpp"
#include "support/tls_client.hpp"

using namespace sluice;
using namespace sluice::test;
using testing::TestCertificates;

namespace {

/// A listener's `tls`; `more` begins with a comma and adds members to it.
std::string tls_with(const std::string& certificates, const std::string& more = {}) {
  return R"("tls":{"certificates":[)" + certificates + "]" + more + "}";
}

std::string pair(const std::string& certificate, const std::string& key, const std::string& more = {}) {
  return R"({"certificate":")" + certificate + R"(","key":")" + key + "\"" + more + "}";
}

std::string tls_of(const TestCertificates& made, const std::string& more = {}) {
  return tls_with(pair(made.server_certificate(), made.server_key()), more);
}

std::string listening(const Backend& backend, const std::string& tls) {
  return document(backend.entry(), route_to(backend.name()), R"(,"gateway":{"listen":[{"address":"127.0.0.1:0",)" + tls + "}]}");
}

TlsClient::Options trusting(const TestCertificates& made) {
  TlsClient::Options options;
  options.ca_file = made.ca_file();
  return options;
}

std::string chat(std::string_view text = "hello") { return post("/v1/chat/completions", chat_body("m", text)); }

int asked(RawClient& client) {
  client.send(chat());
  return client.answer().status;
}

std::string refusal(const std::string& text) {
  auto config = Config::parse(text);
  INFO((config ? std::string() : config.error().message));
  REQUIRE(config);
  const auto gateway = Gateway::open(std::move(*config));
  return gateway ? std::string() : gateway.error().message;
}

void copy(const std::string& from, const std::string& to) {
  std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
}

}  // namespace

TEST_CASE("requests and answers of every size come through TLS unharmed") {
  const auto threads = GENERATE(1u, 4u);
  const TestCertificates made;
  Backend backend("a");
  const std::string long_answer = chat_answer(std::string(3'000'000, 'm'));
  std::string received;
  std::mutex mutex;
  backend->on_request([&](const RawRequest& request) {
    const std::lock_guard lock(mutex);
    received = request.body;
    return json_reply(request.body.size() > 1000 ? long_answer : chat_answer("a"));
  });
  Live live(listening(backend, tls_of(made)), threads);
  TlsClient client(live.port(), trusting(made));
  INFO(client.failure());
  REQUIRE(client.shaken());
  CHECK(client.version() == TLS1_3_VERSION);
  CHECK(client.protocol() == "http/1.1");
  for (int i = 0; i < 3; ++i) CHECK(asked(client) == 200);
  const std::string text(2'000'000, 'q');
  client.send(chat(text));
  const WireAnswer answer = client.answer();
  CHECK(answer.status == 200);
  CHECK(answer.body == long_answer);
  CHECK(received == chat_body("m", text));
  CHECK(asked(client) == 200);
  CHECK(live.gateway().statistics().connections.tls_handshakes == 1);
}

TEST_CASE("requests that are pipelined into one record are all answered, in order") {
  const TestCertificates made;
  Backend a("a"), b("b");
  const std::string by_model = R"({"name":"a","match":{"model":"a"},"upstreams":[{"name":"a"}]},{"name":"b","upstreams":[{"name":"b"}]})";
  Live live(document(a.entry() + "," + b.entry(), by_model, R"(,"gateway":{"listen":[{"address":"127.0.0.1:0",)" + tls_of(made) + "}]}"));
  TlsClient client(live.port(), trusting(made));
  std::string all;
  for (int i = 0; i < 20; ++i) all += post("/v1/chat/completions", chat_body(i % 2 == 0 ? "a" : "b"));
  client.send(all);
  for (int i = 0; i < 20; ++i) CHECK(served_by(client.answer()) == (i % 2 == 0 ? "a" : "b"));
}

TEST_CASE("a handshake that comes byte by byte is one like any other") {
  const TestCertificates made;
  Backend backend("a");
  Live live(listening(backend, tls_of(made)));
  auto options = trusting(made);
  options.byte_by_byte = true;
  options.newest = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  TlsClient client(live.port(), options);
  INFO(client.failure());
  REQUIRE(client.shaken());
  CHECK(client.version() == options.newest);
  CHECK(asked(client) == 200);
}

TEST_CASE("a request that comes in one segment with the end of the handshake is answered") {
  const TestCertificates made;
  Backend backend("a");
  Live live(listening(backend, tls_of(made)));
  auto options = trusting(made);
  options.corked = true;
  TlsClient client(live.port(), options);
  REQUIRE(client.shaken());
  CHECK(asked(client) == 200);
}

TEST_CASE("each name is answered with its certificate, and every other with the first") {
  const TestCertificates made;
  const auto stated = made.issue("stated", {.names = "DNS:api.example.com,DNS:*.wild.example.com"});
  const auto given = made.issue("given", {.names = "DNS:else.example.com"});
  Backend backend("a");
  Live live(listening(backend, tls_with(pair(made.server_certificate(), made.server_key()) + "," + pair(stated.certificate, stated.key) + "," +
                                        pair(given.certificate, given.key, R"(,"names":["*.given.example.com","Given.example.com"])"))));
  const auto shown = [&](const std::string& name) {
    auto options = trusting(made);
    options.server_name = name;
    options.verify_name = false;
    TlsClient client(live.port(), options);
    return client.server_names();
  };
  const std::string first = "IP Address:127.0.0.1, DNS:localhost", second = "DNS:api.example.com, DNS:*.wild.example.com", third = "DNS:else.example.com";
  CHECK(shown("localhost") == first);
  CHECK(shown("api.example.com") == second);
  CHECK(shown("API.Example.COM") == second);
  CHECK(shown("a.wild.example.com") == second);
  CHECK(shown("b.a.wild.example.com") == first);
  CHECK(shown("wild.example.com") == first);
  CHECK(shown("given.example.com") == third);
  CHECK(shown("x.given.example.com") == third);
  CHECK(shown("else.example.com") == first);
  CHECK(shown("") == first);
}

TEST_CASE("what is too old, or speaks another protocol, is refused in the handshake") {
  const TestCertificates made;
  Backend backend("a");
  Live live(listening(backend, tls_of(made)));
  auto options = trusting(made);
  SECTION("TLS 1.1") {
    options.oldest = options.newest = TLS1_1_VERSION;
    CHECK_FALSE(TlsClient(live.port(), options).shaken());
  }
  SECTION("HTTP/2 alone") {
    options.protocols = {"h2"};
    TlsClient client(live.port(), options);
    CHECK_FALSE(client.shaken());
    CHECK(client.failure().find("no application protocol") != std::string::npos);
  }
  SECTION("HTTP/2 or HTTP/1.1 is HTTP/1.1") {
    options.protocols = {"h2", "http/1.1"};
    TlsClient client(live.port(), options);
    CHECK(client.protocol() == "http/1.1");
    CHECK(asked(client) == 200);
  }
  SECTION("no protocol named is HTTP/1.1") {
    options.protocols = {};
    TlsClient client(live.port(), options);
    CHECK(asked(client) == 200);
  }
  SECTION("TLS 1.2 where 1.3 is the oldest") {
    Live strict(listening(backend, tls_of(made, R"(,"min_version":"1.3")")));
    options.newest = TLS1_2_VERSION;
    CHECK_FALSE(TlsClient(strict.port(), options).shaken());
    CHECK(strict.gateway().statistics().connections.tls_failures == 1);
  }
}

TEST_CASE("who speaks HTTP in the clear to a TLS port is told, and who speaks nothing known is cut") {
  const TestCertificates made;
  Backend backend("a");
  Live live(listening(backend, tls_of(made)));
  RawClient plain(live.port());
  plain.send(chat());
  const WireAnswer answer = plain.answer();
  CHECK(answer.status == 400);
  CHECK(answer.body == "this port speaks TLS: ask again with https:// there\n");
  RawClient noise(live.port());
  noise.send(std::string(100, '\xff'));
  CHECK(noise.closed());
  TlsClient good(live.port(), trusting(made));
  CHECK(asked(good) == 200);
  CHECK(live.gateway().statistics().connections.tls_failures == 2);
}

TEST_CASE("who does not finish a handshake is let go, and holds nobody up meanwhile") {
  const auto threads = GENERATE(1u, 4u);
  const TestCertificates made;
  Backend backend("a");
  Live live(listening(backend, tls_of(made, R"(,"handshake_timeout_ms":300)")), threads);
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 50; ++i) {
    silent.push_back(std::make_unique<RawClient>(live.port()));
    if (i % 2 == 0) silent.back()->send("\x16\x03\x01");
  }
  TlsClient client(live.port(), trusting(made));
  CHECK(asked(client) == 200);
  for (const auto& one : silent) CHECK(one->closed());
  CHECK(asked(client) == 200);
  CHECK(eventually([&] { return live.gateway().statistics().connections.tls_failures == 50; }));
}

TEST_CASE("a storm of handshakes is served to the last one") {
  const auto threads = GENERATE(1u, 4u);
  const TestCertificates made;
  Backend backend("a");
  Live live(listening(backend, tls_of(made)), threads);
  constexpr int kClients = 8, kEach = 10;
  std::atomic<int> good{0};
  auto options = trusting(made);
  options.later = true;
  std::vector<std::unique_ptr<TlsClient>> connected;
  for (int i = 0; i < kClients * kEach; ++i) connected.push_back(std::make_unique<TlsClient>(live.port(), options));
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      for (int k = 0; k < kEach; ++k) {
        TlsClient& client = *connected[static_cast<std::size_t>(i * kEach + k)];
        if (client.shake() && client.try_send(chat()) && client.answer().status == 200) ++good;
      }
    });
  }
  for (std::thread& one : clients) one.join();
  CHECK(good == kClients * kEach);
  CHECK(live.gateway().statistics().connections.tls_handshakes == kClients * kEach);
}

TEST_CASE("a session is resumed, also over a reload that changes no certificate") {
  const TestCertificates made;
  Backend backend("a");
  const std::string text = listening(backend, tls_of(made));
  Live live(text);
  auto options = trusting(made);
  options.newest = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto visit = [&] {
    TlsClient client(live.port(), options);
    CHECK(asked(client) == 200);
    if (client.ticket()) options.ticket = client.ticket();  // TLS 1.2 gives one with the first handshake alone
    return client.resumed();
  };
  CHECK_FALSE(visit());
  CHECK(visit());
  const auto reload = [&] {
    auto config = Config::parse(text);
    config->gateway.threads = 1;
    const Status status = live.gateway().reload(std::move(*config));
    INFO((status ? std::string() : status.error().message));
    CHECK(status);
  };
  reload();
  CHECK(visit());
  const auto next = made.issue("next", {.names = "DNS:localhost"});
  copy(next.certificate, made.server_certificate());
  copy(next.key, made.server_key());
  reload();
  CHECK_FALSE(visit());
}

TEST_CASE("a reload shows the new certificate to who comes, and leaves who is there alone") {  // OPS-11
  const auto threads = GENERATE(1u, 4u);
  const TestCertificates made;
  Backend backend("a");
  const std::string text = listening(backend, tls_of(made));
  Live live(text, threads);
  TlsClient before(live.port(), trusting(made));
  CHECK(asked(before) == 200);
  const auto reload = [&] {
    auto config = Config::parse(text);
    config->gateway.threads = threads;
    return live.gateway().reload(std::move(*config));
  };
  SECTION("a good one") {
    const auto next = made.issue("next", {.names = "DNS:localhost,DNS:next.example.com"});
    copy(next.certificate, made.server_certificate());
    copy(next.key, made.server_key());
    REQUIRE(reload());
    TlsClient after(live.port(), trusting(made));
    CHECK(after.server_names() == "DNS:localhost, DNS:next.example.com");
    CHECK(asked(after) == 200);
  }
  SECTION("a key that does not belong to it: refused, and the old one stays") {
    const auto next = made.issue("next", {.names = "DNS:localhost"});
    copy(next.certificate, made.server_certificate());
    const Status refused = reload();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("/gateway/listen/0/tls/certificates/0/key") != std::string::npos);
    TlsClient after(live.port(), trusting(made));
    CHECK(after.server_names() == "IP Address:127.0.0.1, DNS:localhost");
  }
  CHECK(asked(before) == 200);
}

TEST_CASE("a client certificate that is required and not good ends the handshake") {  // SEC-38
  const TestCertificates made, others;
  Backend backend("a");
  Live live(listening(backend, tls_of(made, R"(,"clients":{"ca_file":")" + made.ca_file() + R"("})")));
  auto options = trusting(made);
  options.newest = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto served = [&] {
    TlsClient client(live.port(), options);
    return client.shaken() && client.try_send(chat()) && client.answer().status == 200;
  };
  SECTION("none") { CHECK_FALSE(served()); }
  SECTION("expired") {
    const auto old = made.issue("old", {.names = "DNS:old.example.com", .expired = true});
    options.certificate = old.certificate;
    options.key = old.key;
    CHECK_FALSE(served());
  }
  SECTION("of another authority") {
    options.certificate = others.client_certificate();
    options.key = others.client_key();
    CHECK_FALSE(served());
  }
  SECTION("a good one, and again when it is resumed") {
    options.certificate = made.client_certificate();
    options.key = made.client_key();
    CHECK(served());
    TlsClient first(live.port(), options);
    CHECK(asked(first) == 200);
    options.ticket = first.ticket();
    TlsClient second(live.port(), options);
    CHECK(asked(second) == 200);
    CHECK(second.resumed());
  }
}

TEST_CASE("a client certificate names its consumer, and one of nobody is 401") {  // SEC-38
  const auto threads = GENERATE(1u, 4u);
  const TestCertificates made;
  const auto named = made.issue("named", {.names = "DNS:app.example.com"}), printed = made.issue("printed", {}), unknown = made.issue("unknown", {.names = "DNS:x.example.com"});
  Backend backend("a");
  const std::string consumers = R"(,"consumers":[{"name":"by-name","certificates":[{"san":"app.example.com"}]},{"name":"by-print","certificates":[{"sha256":")" +
                                printed.sha256 + R"("}]}])";
  Live live(document(backend.entry(), route_to("a"),
                     R"(,"gateway":{"listen":[{"address":"127.0.0.1:0",)" + tls_of(made, R"(,"clients":{"ca_file":")" + made.ca_file() + R"("})") + "}]}" + consumers),
            threads);
  const auto visit = [&](const TestCertificates::Pair& pair) {
    auto options = trusting(made);
    options.certificate = pair.certificate;
    options.key = pair.key;
    TlsClient client(live.port(), options);
    return asked(client);
  };
  CHECK(visit(named) == 200);
  CHECK(visit(printed) == 200);
  CHECK(visit(unknown) == 401);
  const auto outcomes = live.outcomes().wait(3);
  REQUIRE(outcomes.size() == 3);
  CHECK(outcomes[0].consumer == "by-name");
  CHECK(outcomes[1].consumer == "by-print");
  CHECK(outcomes[2].consumer.empty());
}

TEST_CASE("a client certificate that is merely wanted may be absent, and not be bad") {
  const TestCertificates made, others;
  Backend backend("a");
  Live live(listening(backend, tls_of(made, R"(,"clients":{"required":false,"ca_file":")" + made.ca_file() + R"("})")));
  auto options = trusting(made);
  TlsClient without(live.port(), options);
  CHECK(asked(without) == 200);
  options.certificate = others.client_certificate();
  options.key = others.client_key();
  TlsClient bad(live.port(), options);
  CHECK_FALSE((bad.shaken() && bad.try_send(chat()) && bad.answer().status == 200));
}

TEST_CASE("what cannot be served with is refused at load, with its place") {
  const TestCertificates made;
  Backend backend("a");
  const auto with = [&](const std::string& certificate, const std::string& key) { return refusal(listening(backend, tls_with(pair(certificate, key)))); };
  const std::string place = "/gateway/listen/0/tls/certificates/0";
  CHECK(with(made.directory() + "/none.pem", made.server_key()) ==
        place + "/certificate: cannot open '" + made.directory() + "/none.pem': No such file or directory");
  CHECK(with(made.server_key(), made.server_key()) == place + "/certificate: '" + made.server_key() + "' holds no certificate in PEM form");
  CHECK(with(made.server_certificate(), made.server_certificate()) ==
        place + "/key: '" + made.server_certificate() + "' holds no private key in PEM form");
  CHECK(with(made.server_certificate(), made.client_key()) ==
        place + "/key: the key in '" + made.client_key() + "' is not the one of the certificate in '" + made.server_certificate() + "'");
  CHECK(refusal(listening(backend, tls_of(made, R"(,"clients":{"ca_file":")" + made.server_key() + R"("})"))) ==
        "/gateway/listen/0/tls/clients/ca_file: '" + made.server_key() + "' holds no certificate in PEM form");
}

TEST_CASE("an answer that its client does not read holds no more memory than a bound, and no signal comes of its end") {
  const TestCertificates made;
  Backend backend("a");
  backend->on_request([](const RawRequest&) { return json_reply(chat_answer(std::string(8'000'000, 'm'))); });
  Live live(listening(backend, tls_of(made)));
  struct sigaction before {};
  ::sigaction(SIGPIPE, nullptr, &before);
  std::signal(SIGPIPE, SIG_DFL);  // it would end this process
  {
    TlsClient client(live.port(), trusting(made));
    client.send(chat());
    client.until("HTTP/1.1 200");
    client.reset();
  }
  const auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  TlsClient next(live.port(), trusting(made));
  next.send(chat());
  CHECK(next.answer().status == 200);
  ::sigaction(SIGPIPE, &before, nullptr);
}

TEST_CASE("a drain lets a stream end under TLS, and says its end in order") {
  const auto threads = GENERATE(1u, 4u);
  const TestCertificates made;
  Backend backend("a");
  Live live(listening(backend, tls_of(made)), threads);
  TlsClient client(live.port(), trusting(made));
  client.send(chat());
  CHECK(client.answer().status == 200);
  CHECK(live.server().drain(Milliseconds(5000)));
  CHECK(client.receive().empty());
  CHECK(client.ended_in_order());
}
