#pragma once
/// What a host program needs to test its own gateway: a clock it moves, and upstreams that are scripted.
/// Target sluice::testing. No test framework in it.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/clock.hpp"
#include "sluice/error.hpp"
#include "sluice/gateway.hpp"
#include "sluice/message.hpp"
#include "sluice/outcome.hpp"

namespace sluice {
namespace [[gnu::visibility("default")]] testing {

/// Time that passes only when told. Thread: any.
class ManualClock final : public Clock {
 public:
  ManualClock();
  ~ManualClock() override;
  [[nodiscard]] TimePoint now() const noexcept override;
  [[nodiscard]] WallTime wall() const noexcept override;
  [[nodiscard]] bool is_manual() const noexcept override { return true; }
  void advance(Duration by);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// What goes wrong with an answer, and when.
struct Fault {
  enum class Kind : std::uint8_t {
    kNone,
    kStatus,          ///< `status` with an error body in the dialect's shape
    kErrorInStream,   ///< 200, `after_events` events, then an error event
    kCut,             ///< the connection ends at body byte `at_byte` (server: clean FIN; chunked bodies are truncated)
    kReset,           ///< the same with a reset
    kStall,           ///< nothing more comes after body byte `at_byte`
    kSlowHead,        ///< the head comes one byte every `step`
    kGarbage,         ///< bytes that are no HTTP answer
    kHtml,            ///< 200 with an HTML page where JSON belongs
    kRefuse,          ///< the connection is refused
  } kind = Kind::kNone;
  int status = 500;
  std::size_t at_byte = 0;
  std::size_t after_events = 0;
  std::chrono::milliseconds step{0};
};

/// How fast an upstream answers. All 0 = at once.
struct Pace {
  std::chrono::microseconds first_token{0};
  std::chrono::microseconds jitter{0};       ///< uniform 0..jitter on top of first_token, from the seed
  double tokens_per_second = 0;              ///< 0 = no wait between tokens
};

/// One tool call an answer makes.
struct ScriptedToolCall {
  std::string id, name, arguments;
};

/// What one upstream answers. Methods chain; the last word counts.
class Script {
 public:
  Script& answers(std::string text);              ///< this text, in words as tokens
  Script& generates(std::size_t tokens);          ///< seeded text of exactly so many tokens
  Script& calls(std::vector<ScriptedToolCall> tools);
  Script& refuses(std::string text);              ///< a refusal
  Script& pace(Pace pace);
  Script& usage(std::uint64_t input, std::uint64_t output);   ///< instead of the exact count
  Script& no_usage();
  Script& embeds(std::size_t dimensions);
  Script& header(std::string name, std::string value);        ///< on every answer
  Script& body(std::string content_type, std::string bytes);  ///< these very bytes, whatever was asked
  Script& stream_bytes(std::string bytes);                    ///< this very event stream
  Script& piece_bytes(std::size_t n);             ///< the body leaves in pieces of n bytes; 1 = split at every byte
  Script& fails_with(int status, std::string body = {});
  Script& fails(Fault fault);
  /// Limits the fault set last to requests that arrive inside [from, until) of the clock's first moment.
  Script& from(Duration at);
  Script& until(Duration at);
  /// Limits the fault set last to the first n requests.
  Script& times(std::uint32_t n);

  struct Impl;
  Script();
  ~Script();
  [[nodiscard]] Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// A request as the simulated upstream saw it.
struct SeenRequest {
  std::string upstream, method, target, body;
  Headers headers;
  TimePoint at{};
};

class Run;

/// Upstreams without a network, in virtual time: hand transport() to Gateway::open, then run requests.
/// Thread: one.
class Simulation {
 public:
  Simulation(ManualClock& clock, std::uint64_t seed);
  ~Simulation();

  /// The script of the upstream called `name`; made when first asked for.
  Script& upstream(const std::string& name);
  [[nodiscard]] TransportFactory* transport();
  [[nodiscard]] const std::vector<SeenRequest>& seen() const;
  void forget_seen();

  /// Sends a request, then moves the gateway and the clock until it has ended.
  [[nodiscard]] Run run(Gateway& gateway, Request request, CallOptions options = {});
  /// Moves the gateway and the clock until nothing is left to happen, or `limit` of virtual time has passed.
  void settle(Gateway& gateway, Duration limit = std::chrono::hours(1));
  /// Moves to the next moment at which anything happens. False where nothing is left.
  bool step(Gateway& gateway);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One finished run.
class Run {
 public:
  Run() = default;
  [[nodiscard]] const Outcome& outcome() const { return outcome_; }
  [[nodiscard]] int status() const { return head_.status; }
  [[nodiscard]] const Headers& headers() const { return head_.headers; }
  [[nodiscard]] const std::string& body() const { return body_; }

 private:
  friend class Simulation;
  ResponseHead head_;
  std::string body_;
  Outcome outcome_;
};

/// The same scripts behind a real loopback socket, on a thread of its own.
class SimServer {
 public:
  /// Errors: kSystem. Port 0 = any free one.
  [[nodiscard]] static Result<SimServer> start(std::uint64_t seed, std::uint16_t port = 0);
  SimServer(SimServer&&) noexcept;
  SimServer& operator=(SimServer&&) noexcept;
  ~SimServer();

  /// Changes the script; takes effect for the requests that come after. Thread: any.
  void configure(const std::function<void(Script&)>& change);
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string url() const;                     ///< `http://127.0.0.1:PORT/v1`
  [[nodiscard]] std::vector<SeenRequest> seen() const;       ///< Thread: any.
  [[nodiscard]] std::size_t open_connections() const;        ///< Thread: any.
  [[nodiscard]] std::size_t connections_accepted() const;    ///< Thread: any.
  /// Waits until `done` holds for what was seen so far; false after `limit`. For tests that must not poll.
  bool wait_for(const std::function<bool(const SimServer&)>& done, std::chrono::milliseconds limit);

 private:
  struct Impl;
  explicit SimServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace testing
}  // namespace sluice
