#pragma once
/// Answers as HTTP/1.1 bytes: status line, fields, framing. Writes into a channel as far as it takes them and keeps the
/// rest. Knows framing; must not know what an answer means.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "server/channel.hpp"
#include "sluice/clock.hpp"
#include "sluice/message.hpp"

namespace sluice::server {

/// How the body of an answer is delimited.
enum class Framing : std::uint8_t { kNone, kLength, kChunked, kUntilClose };

/// One connection's way out. Engine thread only.
class Responder {
 public:
  /// Tells the request's version and method, which decide the framing; before each answer.
  void begin(bool http10, bool head_request) noexcept;
  /// Buffers status line and fields; nothing is written yet, so that the first body bytes share its segment.
  /// `close`: this answer is the last of its connection.
  void head(const ResponseHead& head, bool close, WallTime now);
  /// An interim answer (100 Continue); buffered.
  void interim(std::string_view status_line);

  enum class Written : std::uint8_t { kAll, kSome, kBroken };
  /// Writes what is buffered and then `bytes`, framed. What the channel does not take is kept.
  [[nodiscard]] Written body(Channel& channel, std::string_view bytes);
  /// The end of the answer: the last chunk where there are chunks. Writes what is buffered.
  [[nodiscard]] Written finish(Channel& channel);
  /// Writes what is kept.
  [[nodiscard]] Written flush(Channel& channel);

  [[nodiscard]] std::size_t kept() const noexcept { return out_.size() - sent_; }
  /// Bytes the socket has taken since this was last asked.
  [[nodiscard]] std::uint64_t take_sent() noexcept { return std::exchange(taken_, 0); }
  [[nodiscard]] Framing framing() const noexcept { return framing_; }
  /// Of a body with a stated length: what has not been given yet.
  [[nodiscard]] std::uint64_t missing() const noexcept { return missing_; }

 private:
  [[nodiscard]] Written send(Channel& channel, std::string_view bytes);
  std::string out_;
  std::size_t sent_ = 0;
  std::uint64_t taken_ = 0;
  Framing framing_ = Framing::kNone;
  std::uint64_t missing_ = 0;
  bool http10_ = false, head_request_ = false;
};

}  // namespace sluice::server
