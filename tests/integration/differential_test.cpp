// The same bytes to sluice, nginx and HAProxy: what both of them refuse, sluice does not take (SEC-08). Both are started
// here on free ports of the loopback, from configurations written here, in front of a server that counts.

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "integration/rig.hpp"

extern char** environ;

using namespace sluice;
using namespace sluice::test;
using namespace std::string_literals;
namespace fs = std::filesystem;

namespace {

/// Where a program stands, daemons' directory included; empty where it is not installed.
std::string find_program(const std::string& name) {
  for (const char* directory : {"/usr/sbin/", "/usr/bin/", "/usr/local/sbin/", "/usr/local/bin/"}) {
    if (::access((directory + name).c_str(), X_OK) == 0) return directory + name;
  }
  return {};
}

/// A port that was free a moment ago.
std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  ::close(fd);
  return ntohs(address.sin_port);
}

bool accepts(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

/// A program that runs until this goes.
class Daemon {
 public:
  Daemon(const std::vector<std::string>& command, const fs::path& log) {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    for (const int fd : {1, 2}) ::posix_spawn_file_actions_addopen(&files, fd, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    REQUIRE(::posix_spawn(&pid_, arguments[0], &files, nullptr, arguments.data(), environ) == 0);
    ::posix_spawn_file_actions_destroy(&files);
  }
  ~Daemon() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

 private:
  pid_t pid_ = 0;
};

class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "sluice-differential-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] fs::path operator/(const std::string& name) const { return path_ / name; }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path_ / name) << text; }

 private:
  fs::path path_;
};

/// Bodies of the requests a server took out of some bytes, as what stands behind it saw them.
using Taken = std::vector<std::string>;

const std::string kMark = "took:";

/// Offers `bytes` and one good request behind them, which ends the connection and is not counted: a server that has
/// understood the bytes answers it and closes, any other refuses, or waits for more until it has had enough.
Taken offer(std::uint16_t port, const std::string& bytes) {
  RawClient client(port);
  (void)client.try_send(bytes + "GET /sentinel HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  Taken taken;
  for (;;) {
    const WireAnswer answer = client.answer();
    if (answer.status == 200 && answer.body.starts_with(kMark)) taken.push_back(answer.body.substr(kMark.size()));
    if (answer.status == 0 || !answer.complete) return taken;
  }
}

const std::string kBody = R"({"model":"m","messages":[]})";

/// Requests whose body is `kBody` where they are read as meant; most have one thing wrong.
std::vector<std::string> fixed_inputs() {
  const std::string line = "POST /v1/chat/completions HTTP/1.1\r\n", host = "Host: a\r\n", type = "Content-Type: application/json\r\n";
  const std::string length = "Content-Length: " + std::to_string(kBody.size()) + "\r\n";
  const std::string chunks = "1b\r\n" + kBody + "\r\n0\r\n\r\n";
  std::vector<std::string> out{line + host + type + length + "\r\n" + kBody, line + host + type + "Transfer-Encoding: chunked\r\n\r\n" + chunks};
  for (const auto& coding : {",chunked"s, "chunked, chunked"s, "xchunked"s, "chunked\x0b"s, "\x0b"
                             "chunked"s, "identity"s, "chunked;a=b"s, "CHUNKED"s, "gzip, chunked"s, "chunked,"s, ""s}) {
    out.push_back(line + host + type + "Transfer-Encoding: " + coding + "\r\n\r\n" + chunks);
    out.push_back(line + host + type + length + "Transfer-Encoding: " + coding + "\r\n\r\n" + chunks);
  }
  for (const auto* value : {"+27", "0x1b", "27 ", "27,27", "-1", "", "18446744073709551616", "027", "27\x0b", "2 7"}) {
    out.push_back(line + host + type + "Content-Length: " + value + "\r\n\r\n" + kBody);
    out.push_back(line + host + type + length + "Content-Length: " + value + "\r\n\r\n" + kBody);
  }
  for (const auto* size : {"0x1b", "+1b", "1_b", "0000000000000001b", "1b ", " 1b", "1b;a", "1b;a=b", "1b ;a=b", "1b;a\r", "-1b", "g", "", "ffffffffffffffff"}) {
    for (const auto* end : {"\r\n", "\n", "\rX", "\r\r\n"}) {
      out.push_back(line + host + type + "Transfer-Encoding: chunked\r\n\r\n" + size + end + kBody + "\r\n0\r\n\r\n");
      out.push_back(line + host + type + "Transfer-Encoding: chunked\r\n\r\n1b\r\n" + kBody + end + "0\r\n\r\n");
    }
  }
  for (const auto& field : {"X: a\r\n b"s, "X : a"s, "X: a\0"s, "X: a\rb"s, "X: a\nY: b"s, "no colon"s, ": a"s, "X: a\x85"s, "X: \xa0"s, "X\x0b: a"s, "X: \x01"s, "Host: b"s, "X(y: a"s}) {
    out.push_back(line + host + type + field + "\r\n" + length + "\r\n" + kBody);
  }
  for (const auto& other : {"POST /v1/chat/completions HTTP/1.2"s, "POST /v1/chat/completions HTTP/2.0"s, "POST /v1/chat/completions"s, "POST  /v1/chat/completions HTTP/1.1"s,
                            "POST /v1/chat/completions  HTTP/1.1"s, "POST\t/v1/chat/completions HTTP/1.1"s, "POST /v1/chat/completions HTTP/1.1 "s, "POST /v1/chat /completions HTTP/1.1"s,
                            "POST /v1/chat/completions http/1.1"s, "POST /v1/chat/completions\x01 HTTP/1.1"s, "PO ST /v1/chat/completions HTTP/1.1"s, "POST /v1/chat/completions#x HTTP/1.1"s,
                            "POST v1/chat/completions HTTP/1.1"s, "POST /v1/chat/completions\0 HTTP/1.1"s, "CONNECT a:1 HTTP/1.1"s, "TRACE / HTTP/1.1"s}) {
    out.push_back(other + "\r\n" + host + type + length + "\r\n" + kBody);
  }
  for (const auto* other : {"", "Host: \r\n", "Host: a b\r\n", "Host: a/b\r\n", "Host : a\r\n", " Host: a\r\n"}) out.push_back(line + other + type + length + "\r\n" + kBody);
  return out;
}

/// One of the fixed inputs with bytes flipped, dropped, doubled or put in.
std::string mutate(std::string bytes, std::mt19937& random) {
  static const std::string kBytes = "\r\n\t \0\x0b\x85\xa0:;,0\x7f+x"s;
  for (unsigned n = 1 + random() % 3; n > 0 && !bytes.empty(); --n) {
    const std::size_t at = random() % bytes.size();
    switch (random() % 4) {
      case 0: bytes[at] = kBytes[random() % kBytes.size()]; break;
      case 1: bytes.erase(at, 1); break;
      case 2: bytes.insert(at, 1, bytes[at]); break;
      default: bytes.insert(at, 1, kBytes[random() % kBytes.size()]); break;
    }
  }
  return bytes;
}

/// Ends this program as skipped (CMake's SKIP_RETURN_CODE). Where everything is required, that is a failure.
[[noreturn]] void skip(const std::string& why) {
  const char* all = std::getenv("SLUICE_REQUIRE_ALL");
  if (all != nullptr && std::string_view(all) == "1") FAIL("required, but skipped: " << why);
  std::printf("skipped: %s\n", why.c_str());
  std::fflush(stdout);
  std::_Exit(77);
}

}  // namespace

TEST_CASE("what nginx and HAProxy both refuse, sluice does not take") {  // SEC-08
  const std::string nginx = find_program("nginx"), haproxy = find_program("haproxy");
  if (nginx.empty()) skip("nginx is not installed (Debian package nginx-light)");
  if (haproxy.empty()) skip("haproxy is not installed (Debian package haproxy)");

  Backend a("a"), behind_nginx("n"), behind_haproxy("h");
  for (Backend* backend : {&a, &behind_nginx, &behind_haproxy}) {
    (*backend)->on_request([](const RawRequest& request) { return Reply::ok(request.target.ends_with("/sentinel") ? "" : kMark + request.body); });
  }
  Scratch scratch;
  const std::uint16_t nginx_port = free_port(), haproxy_port = free_port();
  const std::string here = (scratch / "").string();
  scratch.write("nginx.conf",
                "daemon off; master_process off; worker_processes 1; pid " + here + "nginx.pid; error_log " + here + "nginx.log;\n"
                "events { worker_connections 256; }\n"
                "http { access_log off; client_header_timeout 1s; client_body_timeout 1s; client_body_temp_path " + here + "b; proxy_temp_path " + here + "p; fastcgi_temp_path " + here + "f; uwsgi_temp_path " + here +
                    "u; scgi_temp_path " + here + "s;\n server { listen 127.0.0.1:" + std::to_string(nginx_port) + "; location / { proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_pass http://" +
                    behind_nginx->authority() + "; } } }\n");
  scratch.write("haproxy.cfg", "global\n  maxconn 256\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 1s\n  timeout server 5s\nfrontend f\n  bind 127.0.0.1:" +
                                   std::to_string(haproxy_port) + "\n  default_backend b\nbackend b\n  server s " + behind_haproxy->authority() + "\n");
  const Daemon one({nginx, "-c", (scratch / "nginx.conf").string(), "-p", here}, scratch / "nginx.out");
  const Daemon two({haproxy, "-db", "-f", (scratch / "haproxy.cfg").string()}, scratch / "haproxy.out");
  REQUIRE(eventually([&] { return accepts(nginx_port) && accepts(haproxy_port); }));
  Live live(document(a.entry(), route_to("a", R"(,"operation":"opaque")"),  // framing is judged, contents are not
                     R"(,"gateway":{"listen":[{"address":"127.0.0.1:0","header_timeout_ms":100,"body_timeout_ms":100,"idle_timeout_ms":1000}]})"));

  std::vector<std::string> inputs = fixed_inputs();
  std::mt19937 random(2616);
  const std::size_t fixed = inputs.size();
  // Half of them from the two that are as they should be: one byte more or less is where readers differ.
  for (int i = 0; i < 1200; ++i) inputs.push_back(mutate(inputs[random() % (i % 2 == 0 ? 2 : fixed)], random));

  std::size_t both_refuse = 0, both_take = 0, we_take = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    CAPTURE(i, inputs[i]);
    const Taken ours = offer(live.port(), inputs[i]);
    if (ours.empty()) continue;  // refusing more than they do is allowed
    ++we_take;
    const Taken by_nginx = offer(nginx_port, inputs[i]), by_haproxy = offer(haproxy_port, inputs[i]);
    const bool refused_by_both = by_nginx.empty() && by_haproxy.empty();
    both_refuse += refused_by_both;
    both_take += !by_nginx.empty() && !by_haproxy.empty();
    CHECK_FALSE(refused_by_both);
    CAPTURE(ours, by_nginx, by_haproxy);
    // What is taken is read as one of them reads it: the same requests with the same bodies.
    CHECK((ours == by_nginx || ours == by_haproxy));
  }
  INFO(inputs.size() << " inputs; sluice takes " << we_take << ", of which both others take " << both_take);
  CHECK(we_take >= 10);
  CHECK(both_take >= 8);
  CHECK(both_refuse == 0);
}
