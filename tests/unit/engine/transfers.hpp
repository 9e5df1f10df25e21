#pragma once
/// What the tests of the transport share: a loop with the real transport on it, and a sink that remembers.

#include <catch2/catch.hpp>
#include <dirent.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/curl_transport.hpp"
#include "engine/loop.hpp"
#include "engine/transport.hpp"
#include "support/fault_server.hpp"

namespace sluice::testing {

/// Remembers a transfer. What a test wants to do in the middle of it goes into the functions.
class Recorder final : public engine::TransferSink {
 public:
  void on_connected() override {
    ++connected;
    if (when_connected) when_connected();
  }
  void on_head(ResponseHead&& given) override {
    ++heads;
    head = std::move(given);
    if (when_head) when_head();
  }
  void on_bytes(std::string_view bytes) override {
    body += bytes;
    largest = std::max(largest, bytes.size());
    if (when_bytes) when_bytes();
  }
  void on_done(const engine::TransferEnd& given) override {
    ++ends;
    end = given;
    if (when_done) when_done();
  }
  [[nodiscard]] bool done() const { return ends > 0; }

  int connected = 0, heads = 0, ends = 0;
  ResponseHead head;
  std::string body;
  std::size_t largest = 0;
  engine::TransferEnd end;
  std::function<void()> when_connected, when_head, when_bytes, when_done;
  std::unique_ptr<engine::Transfer> transfer;   // a place for the test to keep it
};

class TransportRig {
 public:
  explicit TransportRig(std::shared_ptr<engine::ConnectionBudgets> shared = nullptr, std::unique_ptr<engine::Resolver> resolver = nullptr,
                        engine::Backend backend = engine::Backend::kEpoll)
      : budgets(shared ? std::move(shared) : engine::make_connection_budgets()) {
    loop = engine::Loop::create(backend, system_clock()).value();  // throws: a rig may live on any thread, REQUIRE may not
    transport = engine::make_curl_transport(*loop, budgets, std::move(resolver)).value();
  }

  [[nodiscard]] std::unique_ptr<engine::Channel> open(const engine::Endpoint& endpoint) {
    return std::move(transport->open(endpoint).value());
  }

  /// Turns the loop until `done` holds. False after `limit`.
  bool until(const std::function<bool()>& done, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    const TimePoint deadline = loop->refresh_now() + limit;
    while (!done()) {
      if (loop->refresh_now() >= deadline) return false;
      loop->turn(std::min(deadline, loop->now() + std::chrono::milliseconds(20)));
    }
    return true;
  }
  /// Turns the loop as long as there is something to do at once.
  void settle() {
    while (loop->turn(loop->now()) > 0) {
    }
  }

  std::shared_ptr<engine::ConnectionBudgets> budgets;
  std::unique_ptr<engine::Loop> loop;
  std::unique_ptr<engine::Transport> transport;
};

inline engine::Endpoint endpoint_of(const FaultServer& server) {
  engine::Endpoint endpoint;
  endpoint.name = "up";
  endpoint.host = "127.0.0.1";
  endpoint.port = server.port();
  endpoint.authority = server.authority();
  return endpoint;
}

inline engine::WireRequest get(std::string target = "/") {
  engine::WireRequest request;
  request.method = "GET";
  request.target = std::move(target);
  return request;
}

inline engine::WireRequest post(std::string body, std::string target = "/v1/chat/completions") {
  engine::WireRequest request;
  request.method = "POST";
  request.target = std::move(target);
  request.has_body = true;
  request.body = base::EditedBody(Body::copy(body));
  REQUIRE(request.headers.add("content-type", "application/json"));
  return request;
}

/// Open descriptors of this process, less the one that counts them.
inline std::size_t open_descriptors() {
  DIR* const directory = ::opendir("/proc/self/fd");
  std::size_t count = 0;
  while (const dirent* entry = ::readdir(directory)) count += entry->d_name[0] != '.' ? 1 : 0;
  ::closedir(directory);
  return count - 1;
}

}  // namespace sluice::testing
