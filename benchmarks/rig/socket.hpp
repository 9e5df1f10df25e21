#pragma once
/// Sockets for the benchmark programs: loopback only, non-blocking, any free port. Knows nothing of sluice, so that what
/// sluice is measured with cannot share its mistakes.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace rig {

/// Ends the program: a benchmark that goes on after a failed system call measures something else.
[[noreturn]] inline void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

inline std::int64_t now_ns() noexcept {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000ll + t.tv_nsec;
}

inline sockaddr_in loopback(std::uint16_t port) noexcept {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline void no_delay(int fd) noexcept {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// Listens on a free port of 127.0.0.1 and prints `listening on http://127.0.0.1:PORT`, one line, flushed.
inline int listen_anywhere() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  sockaddr_in address = loopback(0);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("bind");
  if (listen(fd, 4096) != 0) die("listen");
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) die("getsockname");
  std::printf("listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return fd;
}

/// The next connection, non-blocking, or -1 where there is none now.
inline int accept_one(int listener) {
  const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) no_delay(fd);
  return fd;
}

inline void watch(int epoll, int fd, std::uint32_t events, int operation = EPOLL_CTL_ADD) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (epoll_ctl(epoll, operation, fd, &event) != 0) die("epoll_ctl");
}

/// One HTTP/1.1 request in a buffer: what its head says and how long it is. Enough for requests our own load and the
/// devices under test send; not a parser to put before strangers.
struct RequestFrame {
  std::string_view head = {};  ///< request line and fields, without the empty line
  std::string_view body = {};
  std::size_t size = 0;        ///< 0 = not complete yet
};

/// Finds a field's value by its lower-case name; empty where there is none.
inline std::string_view field(std::string_view head, std::string_view name) noexcept {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at)) {
    at += 2;
    if (head.size() - at <= name.size() || head[at + name.size()] != ':') continue;
    bool same = true;
    for (std::size_t i = 0; i < name.size() && same; ++i) same = (head[at + i] | 0x20) == name[i];
    if (!same) continue;
    std::size_t from = at + name.size() + 1;
    while (from < head.size() && head[from] == ' ') ++from;
    return head.substr(from, head.find("\r\n", from) - from);
  }
  return {};
}

inline RequestFrame frame_of(std::string_view buffer) noexcept {
  const std::size_t end = buffer.find("\r\n\r\n");
  if (end == std::string_view::npos) return {};
  RequestFrame frame{buffer.substr(0, end)};
  if (!field(frame.head, "transfer-encoding").empty()) {  // nothing we compare sends a 2 KB body that way
    std::fprintf(stderr, "a chunked request, which this benchmark does not read\n");
    std::exit(1);
  }
  std::size_t length = 0;
  for (const char digit : field(frame.head, "content-length")) length = length * 10 + static_cast<std::size_t>(digit - '0');
  if (buffer.size() < end + 4 + length) return {};
  frame.body = buffer.substr(end + 4, length);
  frame.size = end + 4 + length;
  return frame;
}

}  // namespace rig
