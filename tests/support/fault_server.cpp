// One thread, one epoll, non-blocking sockets. What is read and said is in fault_messages.cpp, certificates are made in
// fault_certificates.cpp.

#include "support/fault_server.hpp"

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>

#include "support/fault_socket.hpp"

namespace sluice::testing {

struct FaultServer::Impl {
  struct Client {
    int fd = -1;
    std::size_t number = 0, served = 0;
    SSL* ssl = nullptr;
    bool handshaken = false;
    std::string input, output;
    int tunnel = -1;                 // the other end's descriptor
    bool busy = false;               // inside a reply
    Reply reply;
    std::size_t step = 0, repeated = 0;
  };
  using Kind = Reply::Step::Kind;

  Options options;
  int listener = -1, epoll = -1, event = -1;
  SSL_CTX* context = nullptr;
  std::map<int, std::unique_ptr<Client>> clients;   // the server's thread only
  std::map<int, int> tunnels;                       // far descriptor -> client's

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  Handler handler;
  std::function<std::optional<Reply>(std::size_t)> connect_handler;
  std::set<std::string> gates;
  std::vector<RawRequest> seen;
  std::size_t requests = 0, opened = 0, closed = 0, peak = 0, reads_closed = 0;
  bool closing_idle = false;
  std::atomic<bool> stopping{false};
  std::thread thread;

  template <typename Change>
  void note(Change change) {
    {
      const std::lock_guard lock(mutex);
      change();
    }
    changed.notify_all();
  }
  void wake() const {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(event, &one, sizeof one));
  }

  void watch(int fd, std::uint32_t events, int operation) const {
    epoll_event entry{};
    entry.events = events;
    entry.data.fd = fd;
    ::epoll_ctl(epoll, operation, fd, &entry);
  }

  void run() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    epoll_event events[128];
    while (!stopping) {
      const int n = ::epoll_wait(epoll, events, 128, -1);
      for (int i = 0; i < n; ++i) {
        const int fd = events[i].data.fd;
        if (fd == listener) {
          accept_all();
        } else if (fd == event) {
          std::uint64_t count = 0;
          static_cast<void>(!::read(event, &count, sizeof count));
          go_on_all();
        } else if (const auto tunnel = tunnels.find(fd); tunnel != tunnels.end()) {
          pipe(fd, tunnel->second, tunnel->second);
        } else if (const auto client = clients.find(fd); client != clients.end()) {
          serve(*client->second, events[i].events);
        }
      }
    }
    while (!clients.empty()) drop(*clients.begin()->second);
  }

  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd < 0) return;
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (options.receive_buffer > 0) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &options.receive_buffer, sizeof options.receive_buffer);
      auto client = std::make_unique<Client>();
      client->fd = fd;
      std::function<std::optional<Reply>(std::size_t)> ask;
      note([&] {
        client->number = ++opened;
        peak = std::max(peak, opened - closed);
        ask = connect_handler;
      });
      if (context != nullptr) {
        client->ssl = SSL_new(context);
        SSL_set_fd(client->ssl, fd);
        SSL_set_accept_state(client->ssl);
      }
      watch(fd, EPOLLIN, EPOLL_CTL_ADD);
      Client& added = *(clients[fd] = std::move(client));
      if (ask) {
        if (auto reply = ask(added.number)) {
          begin(added, std::move(*reply));
          advance(added);
        }
      }
    }
  }

  void drop(Client& client) {
    const int fd = client.fd;
    if (client.tunnel >= 0) {
      tunnels.erase(client.tunnel);
      ::close(client.tunnel);
    }
    if (client.ssl != nullptr) SSL_free(client.ssl);
    ::close(fd);
    clients.erase(fd);
    note([&] { ++closed; });
  }

  void reset(Client& client) {
    const linger at_once{1, 0};
    ::setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (client.ssl != nullptr) SSL_set_quiet_shutdown(client.ssl, 1);
    drop(client);
  }

  void go_on_all() {
    bool idle = false;
    note([&] { idle = std::exchange(closing_idle, false); });
    std::vector<int> fds;
    for (const auto& entry : clients) fds.push_back(entry.first);
    for (const int fd : fds) {
      const auto found = clients.find(fd);
      if (found == clients.end()) continue;
      Client& client = *found->second;
      if (client.busy) {
        advance(client);
      } else if (idle && client.input.empty()) {
        drop(client);
      }
    }
  }

  void pipe(int from, int to, int owner) {
    char bytes[16384];
    const ssize_t n = ::recv(from, bytes, sizeof bytes, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      if (const auto client = clients.find(owner); client != clients.end()) drop(*client->second);
      return;
    }
    for (ssize_t sent = 0; sent < n;) {  // blocking by hand: tunnels carry little
      const ssize_t m = ::send(to, bytes + sent, static_cast<std::size_t>(n - sent), MSG_NOSIGNAL);
      if (m > 0) {
        sent += m;
      } else if (errno != EAGAIN) {
        return;
      }
    }
  }

  // 1: got some, 0: would block, -1: closed or broken.
  int receive(Client& client) {
    char bytes[65536];
    if (client.ssl != nullptr) {
      ERR_clear_error();
      const int n = SSL_read(client.ssl, bytes, sizeof bytes);
      if (n > 0) return client.input.append(bytes, static_cast<std::size_t>(n)), 1;
      const int error = SSL_get_error(client.ssl, n);
      return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
    const ssize_t n = ::recv(client.fd, bytes, sizeof bytes, 0);
    if (n > 0) return client.input.append(bytes, static_cast<std::size_t>(n)), 1;
    return n < 0 && errno == EAGAIN ? 0 : -1;
  }

  void serve(Client& client, std::uint32_t events) {
    if (client.tunnel >= 0) return pipe(client.fd, client.tunnel, client.fd);
    if (client.ssl != nullptr && !client.handshaken) {
      ERR_clear_error();
      const int rc = SSL_do_handshake(client.ssl);
      if (rc != 1) {
        const int error = SSL_get_error(client.ssl, rc);
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) drop(client);
        return;
      }
      client.handshaken = true;
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
      int got = 0;
      while ((got = receive(client)) > 0) {
      }
      if (got < 0) {
        note([&] { ++reads_closed; });
        return drop(client);
      }
    }
    advance(client);
  }

  void begin(Client& client, Reply reply) {
    client.reply = std::move(reply);
    client.step = client.repeated = 0;
    client.busy = true;
  }

  /// Goes as far as it can: finishes replies, takes the next request, and so on.
  void advance(Client& client) {
    for (;;) {
      if (!flush(client)) return;
      if (client.busy) {
        const Progress progress = do_step(client);
        if (progress == Progress::kAgain) continue;
        return;
      }
      RawRequest request;
      if (options.reset_after != 0 && client.input.size() > options.reset_after) {
        reset(client);
        return;
      }
      if (!RawRequest::take(client.input, request)) return arm(client, false);
      Handler handle;
      note([&] {
        request.number = ++requests;
        request.connection = client.number;
        request.on_connection = ++client.served;
        if (client.ssl != nullptr) request.peer_certificate = subject(client.ssl);
        if (options.record) seen.push_back(request);
        handle = handler;
      });
      begin(client, handle ? handle(request) : Reply::ok());
    }
  }

  enum class Progress { kAgain, kWaits, kGone };

  Progress do_step(Client& client) {
    if (client.step == client.reply.steps_.size()) {
      client.busy = false;
      return Progress::kAgain;
    }
    Reply::Step& step = client.reply.steps_[client.step];
    switch (step.kind) {
      case Kind::kBytes:
        client.output = step.bytes;
        break;
      case Kind::kRepeat:
        if (client.repeated < step.count) {
          const std::size_t batch = std::min(step.count - client.repeated, std::max<std::size_t>(65536 / std::max<std::size_t>(step.bytes.size(), 1), 1));
          for (std::size_t i = 0; i < batch; ++i) client.output += step.bytes;
          client.repeated += batch;
          return Progress::kAgain;
        }
        client.repeated = 0;
        break;
      case Kind::kWait: {
        const std::lock_guard lock(mutex);
        if (gates.count(step.bytes) == 0) return arm(client, false), Progress::kWaits;
        break;
      }
      case Kind::kStall: return arm(client, false), Progress::kWaits;
      case Kind::kClose: return drop(client), Progress::kGone;
      case Kind::kReset: return reset(client), Progress::kGone;
      case Kind::kHalfClose: ::shutdown(client.fd, SHUT_WR); break;
      case Kind::kTunnel: {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(step.count));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int far = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::connect(far, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return ::close(far), drop(client), Progress::kGone;
        client.tunnel = far;
        tunnels[far] = client.fd;
        watch(far, EPOLLIN, EPOLL_CTL_ADD);
        ++client.step;
        return Progress::kWaits;
      }
    }
    ++client.step;
    return Progress::kAgain;
  }

  /// True: nothing is left to be written.
  bool flush(Client& client) {
    while (!client.output.empty()) {
      const std::size_t size = client.reply.piece_ == 0 ? client.output.size() : std::min(client.reply.piece_, client.output.size());
      ssize_t n = 0;
      if (client.ssl != nullptr) {
        ERR_clear_error();
        const int rc = SSL_write(client.ssl, client.output.data(), static_cast<int>(size));
        if (rc <= 0) {
          const int error = SSL_get_error(client.ssl, rc);
          if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return arm(client, true), false;
          return drop(client), false;
        }
        n = rc;
      } else {
        n = ::send(client.fd, client.output.data(), size, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) return arm(client, true), false;
        if (n < 0) {
          note([&] { ++reads_closed; });
          return drop(client), false;
        }
      }
      client.output.erase(0, static_cast<std::size_t>(n));
    }
    return true;
  }

  void arm(Client& client, bool writable) const {
    watch(client.fd, EPOLLIN | (writable ? static_cast<std::uint32_t>(EPOLLOUT) : 0u), EPOLL_CTL_MOD);
  }

  static std::string subject(SSL* ssl) {
    X509* const certificate = SSL_get1_peer_certificate(ssl);
    if (certificate == nullptr) return {};
    char text[256];
    X509_NAME_oneline(X509_get_subject_name(certificate), text, sizeof text);
    X509_free(certificate);
    return text;
  }
};

FaultServer::FaultServer(Options options) : impl_(std::make_unique<Impl>()) {
  Impl& impl = *impl_;
  impl.options = std::move(options);
  if (impl.options.tls != nullptr) {
    const TestCertificates& files = *impl.options.tls;
    impl.context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(impl.context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_id_context(impl.context, reinterpret_cast<const unsigned char*>("fault"), 5);
    if (SSL_CTX_use_certificate_chain_file(impl.context, files.server_certificate().c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(impl.context, files.server_key().c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_load_verify_locations(impl.context, files.ca_file().c_str(), nullptr) != 1) {
      throw std::runtime_error("fault server: the certificates do not load");
    }
    if (impl.options.ask_client_certificate) {
      SSL_CTX_set_verify(impl.context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
  }
  impl.listener = listen_on(impl.options.address);
  impl.epoll = ::epoll_create1(EPOLL_CLOEXEC);
  impl.event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (impl.epoll < 0 || impl.event < 0) broken("epoll");
  impl.watch(impl.listener, EPOLLIN, EPOLL_CTL_ADD);
  impl.watch(impl.event, EPOLLIN, EPOLL_CTL_ADD);
  impl.thread = std::thread([&impl] { impl.run(); });
}

FaultServer::~FaultServer() {
  impl_->stopping = true;
  impl_->wake();
  impl_->thread.join();
  for (const int fd : {impl_->listener, impl_->epoll, impl_->event}) ::close(fd);
  if (impl_->context != nullptr) SSL_CTX_free(impl_->context);
}

void FaultServer::on_request(Handler handler) {
  impl_->note([&] { impl_->handler = std::move(handler); });
}
void FaultServer::on_connect(std::function<std::optional<Reply>(std::size_t)> handler) {
  impl_->note([&] { impl_->connect_handler = std::move(handler); });
}
void FaultServer::open(const std::string& gate) {
  impl_->note([&] { impl_->gates.insert(gate); });
  impl_->wake();
}
void FaultServer::close_idle() {
  impl_->note([&] { impl_->closing_idle = true; });
  impl_->wake();
}

std::uint16_t FaultServer::port() const { return port_of(impl_->listener); }
std::string FaultServer::authority() const {
  const std::string& address = impl_->options.address;
  return (address.find(':') == std::string::npos ? address : '[' + address + ']') + ':' + std::to_string(port());
}

std::vector<RawRequest> FaultServer::requests() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->seen;
}
std::size_t FaultServer::request_count() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->requests;
}
std::size_t FaultServer::opened() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->opened;
}
std::size_t FaultServer::closed() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->closed;
}
std::size_t FaultServer::peak() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->peak;
}
std::size_t FaultServer::reads_closed() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->reads_closed;
}

bool FaultServer::wait_for(const std::function<bool()>& done, std::chrono::milliseconds limit) const {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    if (done()) return true;
    std::unique_lock lock(impl_->mutex);
    // The condition asks our own accessors, which lock: so it is asked without the lock, and looked at again soon.
    const auto soon = std::min(deadline, std::chrono::steady_clock::now() + std::chrono::milliseconds(5));
    impl_->changed.wait_until(lock, soon);
    if (std::chrono::steady_clock::now() >= deadline) {
      lock.unlock();
      return done();
    }
  }
}

}  // namespace sluice::testing
