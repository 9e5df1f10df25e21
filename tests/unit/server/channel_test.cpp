// A channel on one end of a pair of sockets, OpenSSL's own client on the other, both in this thread.

#include "server/channel.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "engine/loop.hpp"
#include "support/fault_server.hpp"

using namespace sluice;
using server::Channel;
using State = Channel::State;

namespace {

std::shared_ptr<const auth::ServerTls> tls_of(const testing::TestCertificates& made) {
  ListenTls options;
  options.certificates = {{.certificate = made.server_certificate(), .key = made.server_key()}};
  auto tls = auth::ServerTls::load(options, "/tls", nullptr);
  REQUIRE(tls);
  return *std::move(tls);
}

std::pair<int, int> sockets() {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
  return {ends[0], ends[1]};
}

/// OpenSSL's client on `fd`, which stays the test's.
struct Client {
  explicit Client(int fd) : context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free), session(SSL_new(context.get()), &SSL_free) {
    SSL_set_fd(session.get(), fd);
    SSL_set_connect_state(session.get());
  }
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context;
  std::unique_ptr<SSL, decltype(&SSL_free)> session;
};

/// Both sides, turn by turn.
void shake(Channel& channel, Client& client) {
  State state = State::kAgain;
  for (int turns = 0; turns < 20 && (state == State::kAgain || SSL_is_init_finished(client.session.get()) == 0); ++turns) {
    (void)SSL_do_handshake(client.session.get());
    if (state == State::kAgain) state = channel.handshake();
  }
  REQUIRE(state == State::kDone);
}

Channel::Moved send(Channel& channel, std::string_view text) {
  const iovec part{const_cast<char*>(text.data()), text.size()};
  return channel.send({&part, 1});
}

}  // namespace

TEST_CASE("a handshake waits for the client, then bytes go both ways") {
  const testing::TestCertificates made;
  const auto [here, there] = sockets();
  Channel channel(here, tls_of(made));
  CHECK(channel.secure());
  CHECK(channel.handshake() == State::kAgain);
  CHECK(channel.interest() == engine::kReadable);
  Client client(there);
  shake(channel, client);
  CHECK(channel.interest() == engine::kNothing);
  CHECK_FALSE(channel.peer_certificate());
  CHECK(SSL_write(client.session.get(), "ask", 3) == 3);
  std::array<char, 16> space{};
  const Channel::Moved got = channel.receive(space);
  CHECK(got.state == State::kDone);
  CHECK(std::string_view(space.data(), got.bytes) == "ask");
  CHECK(channel.receive(space).state == State::kAgain);
  CHECK(channel.interest() == engine::kNothing);  // reading is its owner's to want
  CHECK(send(channel, "answer").bytes == 6);
  CHECK(SSL_read(client.session.get(), space.data(), static_cast<int>(space.size())) == 6);
  ::close(there);
}

TEST_CASE("what the space given cannot hold is told of by buffered, not by the descriptor") {
  const testing::TestCertificates made;
  const auto [here, there] = sockets();
  Channel channel(here, tls_of(made));
  Client client(there);
  shake(channel, client);
  CHECK(SSL_write(client.session.get(), "0123456789", 10) == 10);
  std::array<char, 4> space{};
  std::string all;
  for (int i = 0; i < 3; ++i) {
    const Channel::Moved got = channel.receive(space);
    all.append(space.data(), got.bytes);
    CHECK(channel.buffered() == (i < 2));
  }
  CHECK(all == "0123456789");
  ::close(there);
}

TEST_CASE("a client that is gone is an end, not a signal") {
  const testing::TestCertificates made;
  struct sigaction before {};
  ::sigaction(SIGPIPE, nullptr, &before);
  ::signal(SIGPIPE, SIG_DFL);  // it would end this process
  const bool secure = GENERATE(false, true);
  {
    const auto [here, there] = sockets();
    Channel channel(here, secure ? tls_of(made) : nullptr);
    if (secure) {
      Client client(there);
      shake(channel, client);
    }
    ::close(there);
    CHECK(send(channel, "too late").state == State::kClosed);
    channel.finish();
  }
  ::sigaction(SIGPIPE, &before, nullptr);
}

TEST_CASE("what the client does not take now is taken when it is offered again, from anywhere") {
  const testing::TestCertificates made;
  const auto [here, there] = sockets();
  Channel channel(here, tls_of(made));
  Client client(there);
  shake(channel, client);
  std::string text(4'000'000, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
  std::string read;
  std::array<char, 16384> space{};
  bool refused = false;
  for (std::size_t sent = 0; sent < text.size();) {
    const std::string moved_elsewhere = text.substr(sent);
    const Channel::Moved moved = send(channel, moved_elsewhere);
    REQUIRE(moved.state != State::kClosed);
    sent += moved.bytes;
    if (moved.state == State::kDone) continue;
    refused = true;
    for (int n; (n = SSL_read(client.session.get(), space.data(), static_cast<int>(space.size()))) > 0;) read.append(space.data(), static_cast<std::size_t>(n));
  }
  for (int n; (n = SSL_read(client.session.get(), space.data(), static_cast<int>(space.size()))) > 0;) read.append(space.data(), static_cast<std::size_t>(n));
  CHECK(refused);
  CHECK((read == text));
  ::close(there);
}

TEST_CASE("HTTP in the clear is known for what it is") {
  const testing::TestCertificates made;
  const auto [here, there] = sockets();
  Channel channel(here, tls_of(made));
  const std::string_view plain = "GET / HTTP/1.1\r\n\r\n";
  REQUIRE(::send(there, plain.data(), plain.size(), 0) == static_cast<ssize_t>(plain.size()));
  CHECK(channel.handshake() == State::kClosed);
  CHECK(channel.spoke_plainly());
  ::close(there);
}
