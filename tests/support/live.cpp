#include "support/live.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sluice::test {
namespace {

constexpr std::chrono::seconds kPatience{10};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

}  // namespace

void Outcomes::add(const Outcome& outcome) {
  {
    const std::lock_guard lock(mutex_);
    all_.push_back(outcome);
  }
  changed_.notify_all();
}

std::vector<Outcome> Outcomes::wait(std::size_t n) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kPatience, [&] { return all_.size() >= n; });
  return all_;
}

std::size_t Outcomes::count() const {
  const std::lock_guard lock(mutex_);
  return all_.size();
}

Live::Live(const std::string& config, std::uint32_t threads, OpenOptions options) : outcomes_(std::make_shared<Outcomes>()) {
  auto parsed = Config::parse(config);
  INFO((parsed ? std::string() : parsed.error().message));
  REQUIRE(parsed);
  parsed->gateway.threads = threads;
  if (parsed->gateway.listen.empty()) parsed->gateway.listen.push_back({});
  if (!options.on_outcome) {
    options.on_outcome = [outcomes = outcomes_](const Outcome& outcome) { outcomes->add(outcome); };
  }
  auto gateway = Gateway::open(std::move(*parsed), std::move(options));
  INFO((gateway ? std::string() : gateway.error().message));
  REQUIRE(gateway);
  gateway_.emplace(std::move(*gateway));
  auto server = Server::start(*gateway_);
  INFO((server ? std::string() : server.error().message));
  REQUIRE(server);
  server_.emplace(std::move(*server));
  const std::string& address = server_->addresses().front();
  port_ = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

Live::~Live() { server_.reset(); }

std::string Live::url(std::string_view path) const { return "http://127.0.0.1:" + std::to_string(port_) + std::string(path); }

std::optional<std::string> WireAnswer::field(std::string_view name) const {
  std::size_t at = head.find("\r\n");
  while (at != std::string::npos && at + 2 < head.size()) {
    const std::size_t begin = at + 2;
    at = head.find("\r\n", begin);
    const std::string_view line = std::string_view(head).substr(begin, at - begin);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon != name.size()) continue;
    if (!std::equal(name.begin(), name.end(), line.begin(), [](char a, char b) { return lower(a) == lower(b); })) continue;
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    return std::string(value);
  }
  return std::nullopt;
}

RawClient::RawClient() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  REQUIRE(fd_ >= 0);
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval patience{kPatience.count(), 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

RawClient::RawClient(std::uint16_t port, int receive_buffer) : RawClient() {
  if (receive_buffer != 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  connect(port);
}

void RawClient::connect(std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
}

RawClient::~RawClient() { close(); }
RawClient::RawClient(RawClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)), held_(std::move(other.held_)) {}

void RawClient::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void RawClient::reset() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

void RawClient::shut_down() { ::shutdown(fd_, SHUT_WR); }

long RawClient::give(const char* bytes, std::size_t size) { return ::send(fd_, bytes, size, MSG_NOSIGNAL); }
long RawClient::take(char* space, std::size_t size) { return ::recv(fd_, space, size, 0); }

bool RawClient::try_send(std::string_view bytes) {
  while (!bytes.empty()) {
    const long n = give(bytes.data(), bytes.size());
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void RawClient::send(std::string_view bytes) { REQUIRE(try_send(bytes)); }

std::string RawClient::receive(std::size_t most) {
  if (!held_.empty()) {
    std::string out = held_.substr(0, most);
    held_.erase(0, out.size());
    return out;
  }
  std::string out(most, '\0');
  long n;
  do {
    n = take(out.data(), out.size());
  } while (n < 0 && errno == EINTR);
  out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return out;
}

std::string RawClient::until(std::string_view text) {
  while (held_.find(text) == std::string::npos) {
    std::string more = std::exchange(held_, {});
    const std::string next = receive();
    held_ = std::move(more) + next;
    if (next.empty()) break;
  }
  return held_;
}

WireAnswer RawClient::answer(bool to_head_request) {
  WireAnswer out;
  const auto more = [&] {
    std::string before = std::exchange(held_, {});
    const std::string next = receive();
    held_ = std::move(before) + next;
    out.closed = next.empty();
    return !next.empty();
  };
  for (;;) {
    std::size_t end;
    while ((end = held_.find("\r\n\r\n")) == std::string::npos) {
      if (!more()) return out;
    }
    out.head = held_.substr(0, end + 2);
    held_.erase(0, end + 4);
    if (out.head.size() > 12) out.status = std::atoi(out.head.c_str() + 9);
    if (out.status >= 200) break;  // interim answers are passed over
  }
  if (to_head_request || out.status == 204 || out.status == 304) {
    out.complete = true;
    return out;
  }
  if (out.field("transfer-encoding") == "chunked") {
    for (;;) {
      std::size_t line;
      while ((line = held_.find("\r\n")) == std::string::npos) {
        if (!more()) return out;
      }
      std::size_t size = 0;
      std::from_chars(held_.data(), held_.data() + line, size, 16);
      while (held_.size() < line + 2 + size + 2) {
        if (!more()) {
          out.body += held_.substr(line + 2, size);
          return out;
        }
      }
      out.body += held_.substr(line + 2, size);
      held_.erase(0, line + 2 + size + 2);
      if (size == 0) {
        out.complete = true;
        return out;
      }
      ++out.chunks;
    }
  }
  const auto length = out.field("content-length");
  const std::size_t wanted = length ? std::stoul(*length) : static_cast<std::size_t>(-1);
  while (held_.size() < wanted) {
    if (!more()) break;
  }
  out.body = held_.substr(0, wanted);
  held_.erase(0, out.body.size());
  out.complete = length ? out.body.size() == wanted : true;
  return out;
}

bool RawClient::closed() {
  held_.clear();
  for (;;) {
    std::array<char, 4096> sink;
    const ssize_t n = ::recv(fd_, sink.data(), sink.size(), 0);
    if (n == 0) return true;
    if (n < 0) return errno != EAGAIN && errno != EWOULDBLOCK;
  }
}

std::string post(std::string_view target, std::string_view body, std::string_view more_fields) {
  std::string out = "POST " + std::string(target) + " HTTP/1.1\r\nHost: gateway.test\r\nContent-Type: application/json\r\nContent-Length: " +
                    std::to_string(body.size()) + "\r\n";
  out += more_fields;
  out += "\r\n";
  out += body;
  return out;
}

std::string get(std::string_view target, std::string_view more_fields) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: gateway.test\r\n" + std::string(more_fields) + "\r\n";
}

std::string chat_body(std::string_view model, std::string_view text, bool stream) {
  return R"({"model":")" + std::string(model) + R"(","messages":[{"role":"user","content":")" + std::string(text) + "\"}]" +
         (stream ? R"(,"stream":true})" : "}");
}

bool eventually(const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

std::size_t open_descriptors() {
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++n;
  return n;
}

std::size_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::size_t pages = 0, resident = 0;
  in >> pages >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::string fixtures_directory() {
  const char* named = std::getenv("SLUICE_FIXTURES");
  const std::string path = named != nullptr ? std::string(named) : std::string(SLUICE_SOURCE_DIR) + "/../shared/fixtures";
  return std::filesystem::exists(path + "/INDEX.jsonl") ? path : std::string();
}

}  // namespace sluice::test
