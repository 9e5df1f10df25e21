// SimServer: see sluice/simulator.hpp. A listening socket, its connections, and what a test may ask about them; HTTP is
// connection.cpp's.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "engine/loop.hpp"
#include "sim/connection.hpp"
#include "sim/script.hpp"
#include "sluice/simulator.hpp"

namespace sluice::testing {
namespace {

constexpr std::size_t kMostSeen = 10'000;
constexpr int kBacklog = 4096;
constexpr int kAcceptsPerTurn = 256;
/// Where descriptors have run out, or the port cannot be had again yet.
constexpr std::chrono::milliseconds kTryAgain{20};

/// A socket that listens on the loopback address. -1 with errno otherwise.
int listen_on(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && ::listen(fd, kBacklog) == 0) return fd;
  const int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

std::uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.sin_port);
}

}  // namespace

struct SimServer::Impl final : sim::ConnectionOwner, engine::IoHandler {
  Impl(std::unique_ptr<engine::Loop> made, std::uint64_t seed, int fd)
      : loop(std::move(made)), first(system_clock().now()), port(port_of(fd)), listener(fd) {
    script.impl().seed(seed);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  ~Impl() {
    if (thread.joinable()) {
      loop->stop();
      thread.join();
    }
    if (listener >= 0) ::close(listener);
  }

  void start() {
    // Signals are the host program's: none is taken here.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread = std::thread([this] {
      loop->watch(listener, engine::kReadable, *this);
      loop->run();
    });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  // --- any thread ---

  /// Runs `task` on the server's thread and waits for it.
  void call(const std::function<void()>& task) {
    std::mutex done_mutex;
    std::condition_variable done_changed;
    bool done = false;
    loop->post([&] {
      task();
      const std::lock_guard lock(done_mutex);
      done = true;
      done_changed.notify_one();
    });
    std::unique_lock lock(done_mutex);
    done_changed.wait(lock, [&] { return done; });
  }

  /// Something was counted or written down.
  void changed() {
    version.fetch_add(1);
    if (waiters.load() == 0) return;
    const std::lock_guard lock(mutex);
    moved.notify_all();
  }

  // --- the server's thread ---

  void on_ready(int, std::uint32_t) override {
    for (int i = 0; i < kAcceptsPerTurn && listener >= 0; ++i) {
      const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
      if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
      if (fd < 0) return rest();
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (connections.size() <= static_cast<std::size_t>(fd)) connections.resize(static_cast<std::size_t>(fd) + 1);
      connections[static_cast<std::size_t>(fd)] = std::make_unique<sim::Connection>(*loop, *this, fd);
      open.fetch_add(1);
      accepted.fetch_add(1);
      changed();
    }
  }

  /// No descriptor is left: an accept that fails at once would turn the loop without end.
  void rest() {
    loop->unwatch(listener);
    loop->arm_in(resume_accepting, kTryAgain);
  }

  std::unique_ptr<sim::Telling> answer(const sim::RequestReader& request) override {
    const TimePoint now = loop->now();
    const Duration at = now - first;
    auto telling = sim::Telling::begin(script.impl(), {request.method(), request.target(), Body::copy(request.body()), at, system_clock().wall()});
    // The fault it met may have been the last before one that refuses connections.
    look_at_listener();
    if (telling->opening() == sim::Opening::kRefused) return telling;  // shows nobody a request
    if (recording.load(std::memory_order_relaxed)) {
      SeenRequest seen_now;
      seen_now.method = request.method();
      seen_now.target = request.target();
      seen_now.body = request.body();
      seen_now.headers = request.headers();
      seen_now.at = now;
      const std::lock_guard lock(mutex);
      if (seen.size() == kMostSeen) seen.pop_front();
      seen.push_back(std::move(seen_now));
    }
    requests.fetch_add(1);
    changed();
    return telling;
  }

  void closed(sim::Connection& connection, bool left) override {
    auto& slot = connections[static_cast<std::size_t>(connection.fd())];
    if (gone.empty()) loop->defer([this] { bury(); });
    gone.push_back(std::move(slot));
    open.fetch_sub(1);
    if (left) abandoned.fetch_add(1);
    changed();
  }

  /// Destroys what was closed in this turn; only then are the descriptors closed and may be given out again.
  void bury() { gone.clear(); }

  /// Listens, or refuses connections, as the script says now; looks again when it may say otherwise.
  void look_at_listener() {
    const Duration at = loop->refresh_now() - first;
    const bool refuses = script.impl().refuses_connections(at);
    if (refuses && listener >= 0) {
      loop->unwatch(listener);
      ::close(listener);
      listener = -1;
      // A server that is not there keeps no idle connections either.
      for (auto& connection : connections) {
        if (connection && connection->idle()) connection->close(true);
      }
    } else if (!refuses && listener < 0) {
      listener = listen_on(port);
      if (listener < 0) return loop->arm_in(look_again, kTryAgain);
      loop->watch(listener, engine::kReadable, *this);
    }
    if (const auto next = script.impl().next_change(at)) loop->arm(look_again, first + *next);
  }

  // Any thread.
  const std::unique_ptr<engine::Loop> loop;
  const TimePoint first;
  const std::uint16_t port;
  Script script;
  std::mutex configuring;                 // one change at a time
  std::atomic<bool> recording{true};
  std::atomic<std::size_t> requests{0}, abandoned{0}, open{0}, accepted{0};
  std::atomic<std::uint64_t> version{0};
  std::atomic<int> waiters{0};
  mutable std::mutex mutex;               // of seen, and for waiting
  std::condition_variable moved;
  std::deque<SeenRequest> seen;

  // The server's thread only, once it runs.
  int listener = -1;
  std::vector<std::unique_ptr<sim::Connection>> connections;  // by descriptor
  std::vector<std::unique_ptr<sim::Connection>> gone;
  engine::Timer look_again{[this] { look_at_listener(); }};
  engine::Timer resume_accepting{[this] {
    if (listener >= 0) loop->watch(listener, engine::kReadable, *this);
  }};
  std::thread thread;
};

SimServer::SimServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SimServer::SimServer(SimServer&&) noexcept = default;
SimServer& SimServer::operator=(SimServer&&) noexcept = default;
SimServer::~SimServer() = default;

Result<SimServer> SimServer::start(std::uint64_t seed, std::uint16_t port) {
  const int fd = listen_on(port);
  if (fd < 0) {
    const Code code = errno == EADDRINUSE ? Code::kAddressInUse : Code::kSystem;
    return fail(code, "the simulated server cannot listen on 127.0.0.1:" + std::to_string(port) + ": " + std::strerror(errno));
  }
  auto loop = engine::Loop::create(engine::Backend::kEpoll, system_clock());
  if (!loop) {
    ::close(fd);
    return tl::unexpected(loop.error());
  }
  auto impl = std::make_unique<Impl>(std::move(*loop), seed, fd);
  try {
    impl->start();
  } catch (const std::system_error& error) {
    return fail(Code::kSystem, std::string("the simulated server gets no thread: ") + error.what());
  }
  return SimServer(std::move(impl));
}

void SimServer::configure(const std::function<void(Script&)>& change) {
  const std::lock_guard one(impl_->configuring);
  {
    const std::lock_guard step(impl_->script.impl().mutex);
    change(impl_->script);
  }
  impl_->call([impl = impl_.get()] { impl->look_at_listener(); });
}

void SimServer::record(bool on) { impl_->recording.store(on, std::memory_order_relaxed); }

std::uint16_t SimServer::port() const { return impl_->port; }
std::string SimServer::url() const { return "http://127.0.0.1:" + std::to_string(impl_->port) + "/v1"; }
std::size_t SimServer::requests() const { return impl_->requests.load(); }
std::size_t SimServer::abandoned() const { return impl_->abandoned.load(); }
std::size_t SimServer::open_connections() const { return impl_->open.load(); }
std::size_t SimServer::connections_accepted() const { return impl_->accepted.load(); }

std::vector<SeenRequest> SimServer::seen() const {
  const std::lock_guard lock(impl_->mutex);
  return {impl_->seen.begin(), impl_->seen.end()};
}

bool SimServer::wait_for(const std::function<bool(const SimServer&)>& done, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  impl_->waiters.fetch_add(1);
  bool held = false;
  for (;;) {
    const std::uint64_t version = impl_->version.load();
    held = done(*this);
    if (held) break;
    std::unique_lock lock(impl_->mutex);
    if (!impl_->moved.wait_until(lock, deadline, [&] { return impl_->version.load() != version; })) break;
  }
  impl_->waiters.fetch_sub(1);
  return held;
}

}  // namespace sluice::testing
