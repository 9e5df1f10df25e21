#pragma once
/// A dialect as the simulated upstream speaks it: reads the request, words whole answers, streams and errors. Each is a
/// pair of files of its own, with templates after what the real service was recorded to say, and shares nothing with the
/// dialect layer, which it helps to test. Knows no time, no pace, no connection.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sim/composition.hpp"
#include "sim/events.hpp"
#include "sluice/body.hpp"
#include "sluice/headers.hpp"

namespace sluice::sim {

/// How the events of a stream are told apart.
enum class Framing : std::uint8_t {
  kEventStream,  ///< an empty line ends each
  kLines,        ///< one JSON object a line
  kArray,        ///< the elements of one JSON array
  kFrames,       ///< AWS' frames, whose first four bytes are their length
};

/// What goes around the words of one request's answer.
struct Manner {
  std::string_view whole_type = "application/json";
  std::string_view stream_type = "text/event-stream; charset=utf-8";
  std::string_view error_type = "application/json";
  Framing framing = Framing::kEventStream;
  std::string_view ping = ": ping\n\n";  ///< what fills a silence; empty = this framing has nothing for it
  CallIds call_ids;
};

/// Stateless. Thread: any.
class Voice {
 public:
  virtual ~Voice() = default;

  /// What a request asks for; one that makes no sense has a problem.
  [[nodiscard]] virtual Asked read(std::string_view method, std::string_view target, const Body& body) const = 0;
  [[nodiscard]] virtual Manner manner(const Asked& asked) const = 0;

  /// Fields every answer has. `name` is 32 characters that no other answer has.
  virtual void greet(Headers& fields, std::string_view name) const = 0;
  /// Fields only errors have.
  virtual void greet_error(Headers&, int) const {}

  /// The body of an answer that is not streamed. Precondition: no problem.
  [[nodiscard]] virtual std::string whole(const Composition& what) const = 0;
  [[nodiscard]] virtual std::unique_ptr<Events> stream(Composition what) const = 0;

  /// The body that says `problem`; `asked` may have no more than it.
  [[nodiscard]] virtual std::string refuse(const Asked& asked, const Problem& problem) const = 0;
  [[nodiscard]] virtual Problem unknown_model(const std::string& model) const = 0;
  /// The error this status usually comes with; `retry_after` in seconds, for dialects that say it in the body, 0 = not said.
  [[nodiscard]] virtual std::string fault(const Asked& asked, int status, std::int64_t retry_after) const = 0;
};

/// Who answers this request: a server of many dialects tells them by path. What is nobody else's is OpenAI's.
[[nodiscard]] const Voice& voice_of(std::string_view target);

/// How far the first event of a stream reaches, with what ends it; everything where none does.
[[nodiscard]] std::size_t event_size(Framing framing, std::string_view stream) noexcept;

}  // namespace sluice::sim
