// Starting and ending the two.

#include "integration/reference_proxies.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include "support/live.hpp"

extern char** environ;

namespace sluice::test {
namespace fs = std::filesystem;
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// A port that was free a moment ago: neither of the two can say which one the kernel gave it.
std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  ::close(fd);
  return ntohs(address.sin_port);
}

bool accepts(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

}  // namespace

std::string find_program(const std::string& name) {
  for (const char* directory : {"/usr/sbin/", "/usr/bin/", "/usr/local/sbin/", "/usr/local/bin/"}) {
    if (::access((directory + name).c_str(), X_OK) == 0) return directory + name;
  }
  return {};
}

Scratch::Scratch() {
  std::string name = (fs::temp_directory_path() / "sluice-reference-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

Scratch::~Scratch() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void Scratch::write(const std::string& name, const std::string& text) const { std::ofstream(path_ / name) << text; }

Daemon::Daemon(const std::vector<std::string>& command, const std::string& log) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  for (const int fd : {1, 2}) ::posix_spawn_file_actions_addopen(&files, fd, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int failed = ::posix_spawn(&pid_, arguments[0], &files, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  REQUIRE(failed == 0);
}

Daemon::~Daemon() {
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

ReferenceProxy::ReferenceProxy(const std::vector<std::string>& command, const std::string& log, std::uint16_t port) : daemon_(command, log), port_(port) {
  REQUIRE(eventually([port] { return accepts(port); }));
}

ReferenceProxy ReferenceProxy::nginx(const std::string& program, const Scratch& scratch, const std::string& upstream) {
  const std::uint16_t port = free_port();
  const std::string patience = std::to_string(kPatienceMs) + "ms";
  scratch.write("nginx.conf",
                "daemon off; master_process off; worker_processes 1; pid " + scratch.path("nginx.pid") + "; error_log " + scratch.path("nginx.log") +
                    ";\nevents { worker_connections 1024; }\nhttp { access_log off; client_header_timeout " + patience + "; keepalive_timeout " + patience + "; client_body_timeout " +
                    patience + "; client_body_temp_path " + scratch.path("b") + "; proxy_temp_path " + scratch.path("p") + "; fastcgi_temp_path " +
                    scratch.path("f") + "; uwsgi_temp_path " + scratch.path("u") + "; scgi_temp_path " + scratch.path("s") +
                    ";\n server { listen 127.0.0.1:" + std::to_string(port) +
                    "; location / { proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_pass http://" + upstream + "; } } }\n");
  return {{program, "-c", scratch.path("nginx.conf"), "-p", scratch.path("")}, scratch.path("nginx.out"), port};
}

ReferenceProxy ReferenceProxy::haproxy(const std::string& program, const Scratch& scratch, const std::string& upstream) {
  const std::uint16_t port = free_port();
  const std::string patience = std::to_string(kPatienceMs) + "ms";
  scratch.write("haproxy.cfg", "global\n  maxconn 1024\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client " + patience +
                                   "\n  timeout http-request " + patience + "\n  timeout server 500ms\nfrontend f\n  bind 127.0.0.1:" +
                                   std::to_string(port) + "\n  default_backend b\nbackend b\n  server s " + upstream + "\n");
  return {{program, "-db", "-f", scratch.path("haproxy.cfg")}, scratch.path("haproxy.out"), port};
}

}  // namespace sluice::test
