// Load of new TLS connections: so many full handshakes a second, each connection closed at once, no session resumed.
//
//   bench_handshakes --port P --ca FILE --rate N --seconds S [--workers W]
//
// Prints one line of JSON: {"handshakes": n, "failures": n, "seconds": s, "per_second": r, "p50": us, "p99": us}. The rate is
// a ceiling: workers wait for their turn on the clock, and a server that is slower than it is seen in `per_second`.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::uint16_t port = 0;
  const char* ca = nullptr;
  double rate = 1000, seconds = 5;
  int workers = 8;
};

bool shake(SSL_CTX* context, std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const linger now{1, 0};  // thousands of ports in TIME_WAIT would be what is measured
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool good = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  if (good) {
    const std::unique_ptr<SSL, decltype(&SSL_free)> session(SSL_new(context), &SSL_free);
    SSL_set_fd(session.get(), fd);
    good = SSL_connect(session.get()) == 1;
  }
  ::close(fd);
  return good;
}

double quantile(std::vector<double>& sorted, double q) {
  return sorted.empty() ? 0 : sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(q * static_cast<double>(sorted.size())))];
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--port") == 0) options.port = static_cast<std::uint16_t>(std::atoi(argv[i + 1]));
    if (std::strcmp(argv[i], "--ca") == 0) options.ca = argv[i + 1];
    if (std::strcmp(argv[i], "--rate") == 0) options.rate = std::atof(argv[i + 1]);
    if (std::strcmp(argv[i], "--seconds") == 0) options.seconds = std::atof(argv[i + 1]);
    if (std::strcmp(argv[i], "--workers") == 0) options.workers = std::atoi(argv[i + 1]);
  }
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  if (options.port == 0 || options.ca == nullptr || SSL_CTX_load_verify_locations(context.get(), options.ca, nullptr) != 1) {
    std::fprintf(stderr, "usage: bench_handshakes --port P --ca FILE --rate N --seconds S [--workers W]\n");
    return 2;
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  std::atomic<std::uint64_t> next{0}, failures{0};
  std::mutex mutex;
  std::vector<double> took;
  const Clock::time_point began = Clock::now();
  const auto all = static_cast<std::uint64_t>(options.rate * options.seconds);
  std::vector<std::thread> workers;
  for (int i = 0; i < options.workers; ++i) {
    workers.emplace_back([&] {
      std::vector<double> mine;
      for (std::uint64_t number = next++; number < all; number = next++) {
        std::this_thread::sleep_until(began + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(static_cast<double>(number) / options.rate)));
        const Clock::time_point start = Clock::now();
        if (start - began > std::chrono::duration<double>(options.seconds)) break;
        if (!shake(context.get(), options.port)) ++failures;
        mine.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
      }
      const std::lock_guard lock(mutex);
      took.insert(took.end(), mine.begin(), mine.end());
    });
  }
  for (std::thread& one : workers) one.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
  std::sort(took.begin(), took.end());
  std::printf("{\"handshakes\":%zu,\"failures\":%llu,\"seconds\":%.3f,\"per_second\":%.1f,\"p50\":%.1f,\"p99\":%.1f}\n", took.size(),
              static_cast<unsigned long long>(failures.load()), seconds, static_cast<double>(took.size()) / seconds, quantile(took, 0.5),
              quantile(took, 0.99));
}
