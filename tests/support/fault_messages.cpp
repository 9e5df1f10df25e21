// What the fault server reads and what it says: requests parsed as little as framing needs, replies step by step. Opens no
// socket.

#include "support/fault_server.hpp"

#include <cstdio>
#include <utility>

namespace sluice::testing {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return out;
}

std::string hex(std::size_t n) {
  char room[32];
  std::snprintf(room, sizeof room, "%zx", n);
  return room;
}

}  // namespace

bool RawRequest::take(std::string& input, RawRequest& request) {
  const std::size_t end = input.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  request.head = input.substr(0, end + 4);
  const std::size_t first = request.head.find(' '), second = request.head.find(' ', first + 1);
  request.method = request.head.substr(0, first);
  if (second != std::string::npos) request.target = request.head.substr(first + 1, second - first - 1);
  std::size_t at = end + 4;
  if (const auto coding = request.header("transfer-encoding"); coding && lower(*coding) == "chunked") {
    for (;;) {
      const std::size_t line = input.find("\r\n", at);
      if (line == std::string::npos) return false;
      const std::size_t size = std::strtoul(input.c_str() + at, nullptr, 16);
      if (size == 0) {
        // Trailers, if there are any, end as heads do.
        const std::size_t last = input.find("\r\n\r\n", line);
        if (last == std::string::npos) return false;
        at = last + 4;
        break;
      }
      if (input.size() < line + 2 + size + 2) return false;
      request.body.append(input, line + 2, size);
      at = line + 2 + size + 2;
    }
  } else if (const auto length = request.header("content-length")) {
    const std::size_t size = std::strtoul(length->c_str(), nullptr, 10);
    if (input.size() - at < size) return false;
    request.body = input.substr(at, size);
    at += size;
  }
  input.erase(0, at);
  return true;
}

std::optional<std::string> RawRequest::header(std::string_view name) const {
  const std::string wanted = "\r\n" + lower(name) + ":";
  const std::size_t at = lower(head).find(wanted);
  if (at == std::string::npos) return std::nullopt;
  const std::size_t begin = at + wanted.size(), end = head.find("\r\n", begin);
  std::string value = head.substr(begin, end - begin);
  value.erase(0, value.find_first_not_of(" \t"));
  value.erase(value.find_last_not_of(" \t") + 1);
  return value;
}

Reply Reply::raw(std::string bytes) { return Reply().then(std::move(bytes)); }
Reply Reply::ok(std::string body, std::string extra) { return status(200, std::move(body), std::move(extra)); }
Reply Reply::status(int status, std::string body, std::string extra) {
  return raw("HTTP/1.1 " + std::to_string(status) + " S\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + extra + "\r\n" + body);
}
Reply Reply::chunked(std::string extra) { return raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + extra + "\r\n"); }
Reply& Reply::then(std::string bytes) { return steps_.push_back({Step::Kind::kBytes, std::move(bytes)}), *this; }
Reply& Reply::chunk(std::string_view data) { return then(hex(data.size()) + "\r\n" + std::string(data) + "\r\n"); }
Reply& Reply::in_pieces(std::size_t bytes) { return piece_ = bytes, *this; }
Reply& Reply::repeat(std::string bytes, std::size_t times) { return steps_.push_back({Step::Kind::kRepeat, std::move(bytes), times}), *this; }
Reply& Reply::then_wait(std::string gate) { return steps_.push_back({Step::Kind::kWait, std::move(gate)}), *this; }
Reply& Reply::then_stall() { return steps_.push_back({Step::Kind::kStall, {}}), *this; }
Reply& Reply::then_close() { return steps_.push_back({Step::Kind::kClose, {}}), *this; }
Reply& Reply::then_reset() { return steps_.push_back({Step::Kind::kReset, {}}), *this; }
Reply& Reply::then_half_close() { return steps_.push_back({Step::Kind::kHalfClose, {}}), *this; }
Reply& Reply::then_tunnel(std::uint16_t port) { return steps_.push_back({Step::Kind::kTunnel, {}, port}), *this; }

}  // namespace sluice::testing
