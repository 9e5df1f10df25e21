// One listening socket.

#include "server/acceptor.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "http/target.hpp"

namespace sluice::server {
namespace {

constexpr int kBacklog = 4096;
constexpr int kAcceptsPerTurn = 64;               // then whoever is connected has a turn
constexpr Milliseconds kWithoutDescriptors{100};  // before accept is tried again

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Result<Address> address_of(const std::string& text) {
  const auto parts = http::parse_host_port(text);
  if (!parts) return tl::unexpected(parts.error());
  const std::string host = parts->host == "localhost" ? "127.0.0.1" : parts->host;
  Address out;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
  if (::inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(parts->port);
    out.size = sizeof *v4;
  } else if (::inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(parts->port);
    out.size = sizeof *v6;
  } else {
    return fail(Code::kInvalidConfiguration, "listen address '" + text + "' is no IP address and port");
  }
  return out;
}

std::string host_text(const sockaddr_storage& storage) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, text.data(), text.size());
  } else {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr, text.data(), text.size());
  }
  return text.data();
}

std::string bound_text(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  if (storage.ss_family == AF_INET) {
    return host_text(storage) + ":" + std::to_string(ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port));
  }
  return "[" + host_text(storage) + "]:" + std::to_string(ntohs(reinterpret_cast<const sockaddr_in6&>(storage).sin6_port));
}

// What a connection is told that is not even read from: no request, so no dialect; OpenAI's shape is the most widely read.
constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 175\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
    R"({"error":{"message":"the listener has as many connections as it may, in all or from this address; reuse one","type":"server_error","param":null,"code":"too_many_connections"}})";
constexpr std::string_view kNotAllowed =
    "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: 176\r\nConnection: close\r\n\r\n"
    R"({"error":{"message":"this listener takes no connections from your address; its allow_addresses says which","type":"permission_error","param":null,"code":"address_not_allowed"}})";

constexpr bool length_is_true(std::string_view answer) {
  constexpr std::string_view kField = "Content-Length: ";
  std::size_t stated = 0;
  for (std::size_t at = answer.find(kField) + kField.size(); answer[at] != '\r'; ++at) stated = stated * 10 + static_cast<std::size_t>(answer[at] - '0');
  return answer.size() - answer.find("\r\n\r\n") - 4 == stated;
}
static_assert(length_is_true(kFull) && length_is_true(kNotAllowed));

}  // namespace

Acceptor::Acceptor(gateway::Core& core, std::size_t index, Serves serves, int fd, std::string address)
    : core_(core), fd_(fd), address_(std::move(address)), census_(std::make_shared<Census>()), again_([this] { open(); }) {
  for (const auto& engine : core.engines()) hubs_.push_back(std::make_unique<Hub>(*engine, index, serves, census_));
}

Acceptor::~Acceptor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::unique_ptr<Acceptor>> Acceptor::bind(gateway::Core& core, std::size_t index) {
  const std::string address = core.snapshot()->config.gateway.listen[index].address;
  return bind(core, address, index, Serves::kExchanges);
}

Result<std::unique_ptr<Acceptor>> Acceptor::bind_statistics(gateway::Core& core) {
  const std::string address = core.snapshot()->config.gateway.statistics_address;
  return bind(core, address, 0, Serves::kStatistics);
}

Result<std::unique_ptr<Acceptor>> Acceptor::bind(gateway::Core& core, const std::string& text, std::size_t index, Serves serves) {
  const auto address = address_of(text);
  if (!address) return tl::unexpected(address.error());
  const int fd = ::socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(Code::kSystem, "socket for '" + text + "': " + std::strerror(errno));
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address->storage), address->size) != 0 || ::listen(fd, kBacklog) != 0) {
    const int why = errno;
    ::close(fd);
    const Code code = why == EADDRINUSE ? Code::kAddressInUse : Code::kSystem;
    return fail(code, "cannot listen on " + text + ": " + std::strerror(why) +
                          (why == EADDRINUSE ? "; end the program that holds it, or use another port" : ""));
  }
  return std::unique_ptr<Acceptor>(new Acceptor(core, index, serves, fd, bound_text(fd)));
}

void Acceptor::open() {
  if (fd_ >= 0) core_.engines().front()->loop().watch(fd_, engine::kReadable, *this);
}

void Acceptor::stop() {
  if (fd_ < 0) return;
  while (accept_one()) {
  }
  engine::Loop& loop = core_.engines().front()->loop();
  loop.disarm(again_);
  loop.unwatch(fd_);
  ::close(std::exchange(fd_, -1));
}

void Acceptor::on_ready(int, std::uint32_t) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    if (fd_ < 0 || !accept_one()) return;
  }
}

bool Acceptor::accept_one() {
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  const int fd = ::accept4(fd_, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    if (errno == EINTR || errno == ECONNABORTED) return true;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // The socket stays readable and accept keeps failing: look away until descriptors may be back.
      engine::Loop& loop = core_.engines().front()->loop();
      core_.log(LogLevel::kWarning, std::string("accept on ") + address_ + ": " + std::strerror(errno) + "; trying again in 100 ms");
      loop.unwatch(fd_);
      loop.arm_in(again_, kWithoutDescriptors);
    }
    return false;
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!allows(from)) {
    refuse(fd, kNotAllowed);
    return true;
  }
  const auto address = base::Address::of(reinterpret_cast<const sockaddr*>(&from));
  std::string peer = address ? address->text() : std::string();
  if (!census_->enter(peer, here().listen())) {
    refuse(fd, kFull);
    return true;
  }
  give(fd, std::move(peer));
  return true;
}

void Acceptor::give(int fd, std::string peer) {
  std::size_t best = 0;
  const auto load = [this](std::size_t i) {
    const auto& engine = core_.engines()[i];
    return std::pair(engine->connections.load(std::memory_order_relaxed), static_cast<std::int64_t>(engine->open_exchanges()));
  };
  for (std::size_t i = 1; i < hubs_.size(); ++i) {
    if (load(i) < load(best)) best = i;
  }
  gateway::Engine& engine = *core_.engines()[best];
  engine.connections.fetch_add(1, std::memory_order_relaxed);
  Hub* hub = hubs_[best].get();
  hub->counters().accepted.fetch_add(1, std::memory_order_relaxed);
  hub->counters().open.fetch_add(1, std::memory_order_relaxed);
  if (best == 0) return hub->adopt(fd, std::move(peer));
  engine.loop().post([hub, fd, peer = std::move(peer)] { hub->adopt(fd, peer); });
}

bool Acceptor::allows(const sockaddr_storage& peer) const {
  const auto& allowed = here().rules().allow_addresses;
  return allowed.empty() || std::any_of(allowed.begin(), allowed.end(), [&peer](const base::AddressRange& range) {
           return range.contains(reinterpret_cast<const sockaddr*>(&peer));
         });
}

void Acceptor::refuse(int fd, std::string_view answer) {
  here().counters().refused.fetch_add(1, std::memory_order_relaxed);
  // One send into an empty socket buffer; whether the client reads it is its own affair. Who expects TLS could not read it.
  // What it has sent already is taken off: a close that leaves bytes unread is a reset, which could take the answer away.
  if (!here().listen().tls) (void)::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(fd, SHUT_WR);
  std::array<char, 4096> unread;
  for (int i = 0; i < 16 && ::recv(fd, unread.data(), unread.size(), MSG_DONTWAIT) > 0; ++i) {
  }
  ::close(fd);
}

}  // namespace sluice::server
