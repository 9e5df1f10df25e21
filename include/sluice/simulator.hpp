#pragma once
/// The simulated upstream: what it answers (Script), how fast (Pace), what goes wrong (Fault), and the same behind a real
/// loopback socket (SimServer). Knows dialects by templates of its own and tells by a request's path which is spoken; must
/// not know gateways: testing.hpp brings the two together.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/clock.hpp"
#include "sluice/error.hpp"
#include "sluice/headers.hpp"

namespace sluice {
namespace [[gnu::visibility("default")]] testing {

/// Time that passes only when told. Its first moment is the same in every run, so that dates in answers are too.
/// Thread: any.
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
    kErrorInStream,   ///< 200, `after_events` events, then an error event and the end; not streamed: 200 with an error body
    kCut,             ///< the connection ends at body byte `at_byte` (server: clean FIN; chunked bodies are truncated)
    kReset,           ///< the same with a reset
    kStall,           ///< nothing more comes after body byte `at_byte`
    kSlowHead,        ///< the head comes one byte every `step`
    kGarbage,         ///< bytes that are no HTTP answer
    kHtml,            ///< 200 with an HTML page where JSON belongs
    kRefuse,          ///< the connection is refused; where counted by times(), a server accepts and resets it
    kHangUp,          ///< the connection ends before the first byte of the head
  } kind = Kind::kNone;
  int status = 500;
  std::size_t at_byte = 0;
  std::size_t after_events = 0;
  std::chrono::milliseconds step{0};
  std::chrono::milliseconds retry_after{0};  ///< kStatus: told in `Retry-After`, in whole seconds rounded up; 0 = not told
};

/// How fast an upstream answers. All 0 = at once. Every moment counts from the arrival of the request.
struct Pace {
  std::chrono::microseconds first_token{0};  ///< until the first content; answers that are not streamed begin then at the soonest
  std::chrono::microseconds jitter{0};       ///< uniform 0..jitter on top of first_token, from the seed
  double tokens_per_second = 0;              ///< 0 = no wait between tokens
  std::chrono::microseconds head{0};         ///< until the head (and role event) of a streamed answer
  std::chrono::microseconds ping{0};         ///< a comment, or what else the dialect has, in every silence of a stream this long; 0 = none
};

/// One tool call an answer makes. An empty id is filled in.
struct ScriptedToolCall {
  std::string id = {}, name = {}, arguments = {};
};

/// What one upstream answers. Methods chain; the last word counts.
///
/// Of a request it reads: path and method, model, prompt texts (for the count), whether it streams, how many choices, the
/// most tokens (an answer is cut there and says so); of OpenAI's also stream_options.include_usage, for embeddings
/// dimensions and formats. What a dialect has no word for is said as it can be: a refusal as a text. One token is one word or one punctuation mark, with the blanks before it; a prompt counts its texts
/// the same way. A moderation flags each category whose name the input holds in brackets: `[violence]`.
/// Thread: any; a change takes effect for requests that come after.
class Script {
 public:
  Script& answers(std::string text);              ///< this text, in words as tokens
  Script& generates(std::size_t tokens);          ///< seeded text of exactly so many tokens
  Script& calls(std::vector<ScriptedToolCall> tools);
  Script& refuses(std::string text);              ///< a refusal
  Script& pace(Pace pace);
  Script& usage(std::uint64_t input, std::uint64_t output);   ///< instead of the exact count
  Script& cached(std::uint64_t input);            ///< so much of the input came from a cache, says the usage
  Script& no_usage();
  Script& embeds(std::size_t dimensions);         ///< where the request does not say; 16 unless told
  Script& models(std::vector<std::string> names); ///< others are answered 404; empty = any name is served
  Script& header(std::string name, std::string value);        ///< on every answer; what no header may hold is dropped
  Script& body(std::string content_type, std::string bytes);  ///< these very bytes, whatever was asked
  Script& stream_bytes(std::string bytes);                    ///< this very event stream, for requests that stream
  Script& piece_bytes(std::size_t n);             ///< the body leaves in pieces of n bytes; 1 = split at every byte; 0 = off
  Script& fails_with(int status, std::string body = {});
  /// Sets a fault. Several may stand: the first that still applies to a request is taken. A fault without limits is
  /// forgotten when the next one is set; kind kNone forgets them all.
  Script& fails(Fault fault);
  /// Limits the fault set last to requests that arrive inside [from, until) of the clock's first moment.
  Script& from(Duration at);
  Script& until(Duration at);
  /// Limits the fault set last to the first n requests that meet it.
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

/// The same scripts behind a real loopback socket, on a thread of its own. HTTP/1.1: keep-alive, Content-Length and
/// chunked requests; no TLS, no pipelining in parallel (requests of one connection are answered one after the other).
class SimServer {
 public:
  /// Errors: kSystem, kAddressInUse. Port 0 = any free one.
  [[nodiscard]] static Result<SimServer> start(std::uint64_t seed, std::uint16_t port = 0);
  SimServer(SimServer&&) noexcept;
  SimServer& operator=(SimServer&&) noexcept;
  ~SimServer();

  /// Changes the script, as one step; takes effect for the requests that come after. Thread: any.
  void configure(const std::function<void(Script&)>& change);
  /// Off: seen() gets nothing new, which saves copies under load. Thread: any.
  void record(bool on);
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string url() const;                     ///< `http://127.0.0.1:PORT/v1`
  [[nodiscard]] std::vector<SeenRequest> seen() const;       ///< The last 10,000. Thread: any.
  [[nodiscard]] std::size_t requests() const;                ///< Whole requests so far. Thread: any.
  [[nodiscard]] std::size_t abandoned() const;               ///< Answers whose client left before the end. Thread: any.
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
