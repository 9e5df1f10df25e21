#pragma once
// A blocking client of one loopback connection, for looking at bytes. Every wait has a limit.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::sim {

class Client {
 public:
  /// `connected()` is false where the connection is refused.
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { leave(); }

  [[nodiscard]] bool connected() const { return connected_; }
  void leave() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  enum class End { kFin, kReset, kSilence };

  /// One read into received(); false at an end.
  bool more() {
    char buffer[65536];
    const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got > 0) {
      received_.append(buffer, static_cast<std::size_t>(got));
      ++reads_;
      return true;
    }
    end_ = got == 0 ? End::kFin : errno == ECONNRESET ? End::kReset : End::kSilence;
    return false;
  }
  End until_end() {
    while (more()) {
    }
    return end_;
  }
  bool until(std::string_view text) {
    while (received_.find(text) == std::string::npos) {
      if (!more()) return false;
    }
    return true;
  }
  /// Reads one whole answer and takes it out of what was received. Empty where it ends early.
  struct Answer {
    int status = 0;
    std::string head, body;
    bool chunked = false;
    std::size_t chunks = 0;
  };
  std::optional<Answer> answer() {
    if (!until("\r\n\r\n")) return std::nullopt;
    Answer made;
    const std::size_t head = received_.find("\r\n\r\n") + 4;
    made.head = received_.substr(0, head);
    made.status = std::stoi(made.head.substr(9, 3));
    received_.erase(0, head);
    made.chunked = made.head.find("transfer-encoding: chunked") != std::string::npos;
    if (!made.chunked) {
      const std::size_t at = made.head.find("content-length: ");
      const std::size_t size = at == std::string::npos ? 0 : std::stoul(made.head.substr(at + 16));
      while (received_.size() < size) {
        if (!more()) return std::nullopt;
      }
      made.body = received_.substr(0, size);
      received_.erase(0, size);
      return made;
    }
    for (;;) {
      if (!until("\r\n")) return std::nullopt;
      const std::size_t line = received_.find("\r\n");
      const std::size_t size = std::stoul(received_.substr(0, line), nullptr, 16);
      while (received_.size() < line + 2 + size + 2) {
        if (!more()) return std::nullopt;
      }
      made.body += received_.substr(line + 2, size);
      received_.erase(0, line + 2 + size + 2);
      if (size == 0) return made;
      ++made.chunks;
    }
  }

  [[nodiscard]] const std::string& received() const { return received_; }
  [[nodiscard]] std::size_t reads() const { return reads_; }

  static std::string post(std::string_view path, std::string_view body, std::string_view fields = "") {
    std::string text = "POST ";
    text.append(path).append(" HTTP/1.1\r\nHost: sim\r\n").append(fields);
    text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n").append(body);
    return text;
  }
  static std::string chat(bool stream) {
    return post("/v1/chat/completions", stream ? R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]})"
                                               : R"({"model":"m","messages":[{"role":"user","content":"hi"}]})");
  }

 private:
  int fd_;
  bool connected_ = false;
  End end_ = End::kFin;
  std::string received_;
  std::size_t reads_ = 0;
};

/// What a chunked body says, up to where it breaks off.
inline std::string dechunked(std::string_view bytes) {
  std::string body;
  while (!bytes.empty()) {
    const std::size_t line = bytes.find("\r\n");
    if (line == std::string_view::npos) break;
    const std::size_t size = std::stoul(std::string(bytes.substr(0, line)), nullptr, 16);
    bytes.remove_prefix(line + 2);
    body += bytes.substr(0, size);
    bytes.remove_prefix(std::min(bytes.size(), size + 2));
  }
  return body;
}

}  // namespace sluice::sim
