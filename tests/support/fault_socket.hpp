#pragma once
/// Listening sockets of the fault server: bound to port 0, of either family.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

namespace sluice::testing {

[[noreturn]] inline void broken(const char* what) { throw std::runtime_error(std::string("fault server: ") + what + ": " + std::strerror(errno)); }

inline int listen_on(const std::string& address) {
  const bool v6 = address.find(':') != std::string::npos;
  const int fd = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) broken("socket");
  sockaddr_in v4_address{};
  sockaddr_in6 v6_address{};
  v4_address.sin_family = AF_INET;
  v6_address.sin6_family = AF_INET6;
  ::inet_pton(AF_INET, address.c_str(), &v4_address.sin_addr);
  ::inet_pton(AF_INET6, address.c_str(), &v6_address.sin6_addr);
  const auto* bound = v6 ? reinterpret_cast<const sockaddr*>(&v6_address) : reinterpret_cast<const sockaddr*>(&v4_address);
  if (::bind(fd, bound, v6 ? sizeof v6_address : sizeof v4_address) != 0) broken("bind");
  if (::listen(fd, 4096) != 0) broken("listen");
  return fd;
}

inline std::uint16_t port_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

}  // namespace sluice::testing
