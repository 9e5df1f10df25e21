#pragma once
/// One answer as it is told: a head, then bytes with the moment each is due, then an end. Where words (voice.hpp), pace
/// and fault meet. Knows no loop and no socket: whoever moves the bytes asks what is due and when.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sim/script.hpp"
#include "sim/voice.hpp"
#include "sluice/headers.hpp"

namespace sluice::sim {

/// A request as it arrives, wherever from. Lifetime: the call.
struct Incoming {
  std::string_view method, target;
  Body body;
  Duration at{};      ///< since the clock's first moment
  WallTime wall{};    ///< the civil time, for dates in the answer
};

/// What happens instead of a head, if anything does.
enum class Opening : std::uint8_t { kHead, kRefused, kHungUp, kGarbage };
/// What happens after the last byte.
enum class Closing : std::uint8_t { kComplete, kCut, kReset, kSilence };

/// All durations count from the arrival of the request.
class Telling {
 public:
  /// Takes the script's cue for this request; counted faults are used up by it. Thread: any.
  [[nodiscard]] static std::unique_ptr<Telling> begin(testing::Script::Impl& script, const Incoming& request);

  [[nodiscard]] Opening opening() const noexcept { return opening_; }
  [[nodiscard]] int status() const noexcept { return status_; }
  /// End-to-end fields; Content-Length among them where the length is known.
  [[nodiscard]] const Headers& headers() const noexcept { return headers_; }
  /// The length the head declares; empty where the body is an open-ended stream.
  [[nodiscard]] std::optional<std::uint64_t> length() const noexcept { return length_; }
  [[nodiscard]] Duration head_at() const noexcept { return head_at_; }
  /// Above 0: the head comes byte by byte, so far apart.
  [[nodiscard]] Duration head_step() const noexcept { return head_step_; }
  /// 0 = whatever is due leaves together.
  [[nodiscard]] std::size_t piece_bytes() const noexcept { return piece_bytes_; }

  /// Tokens come one by one: each event is worth a send of its own.
  [[nodiscard]] bool paced() const noexcept { return settings_->pace.tokens_per_second > 0; }

  /// When the next bytes of the body are due; empty = there are none.
  [[nodiscard]] std::optional<Duration> next_at() const;
  /// Appends these bytes. Precondition: next_at().
  void next(std::string& out);
  [[nodiscard]] Closing closing() const noexcept;

 private:
  Telling() = default;
  void open(const testing::Fault* fault, Composition what);
  void tell_whole(std::string_view content_type, std::string bytes);
  void tell_status(const FaultRule& rule, const Asked& asked);
  void add_script_headers();
  [[nodiscard]] std::optional<Duration> undisturbed_next_at() const;
  [[nodiscard]] Duration token_at(std::uint64_t token) const;

  std::shared_ptr<const Settings> settings_;
  const Voice* voice_ = nullptr;
  Manner manner_;
  Opening opening_ = Opening::kHead;
  Closing closing_ = Closing::kComplete;
  int status_ = 200;
  Headers headers_;
  std::optional<std::uint64_t> length_;
  Duration head_at_{}, head_step_{}, first_at_{}, whole_at_{}, told_at_{};
  std::size_t piece_bytes_ = 0;

  std::unique_ptr<Events> events_;    // of a stream
  std::string whole_;                 // a body that is known as a whole
  std::size_t whole_told_ = 0;        // bytes of it
  bool by_event_ = false;             // it is a stream of the script's own, and events_ only know how to break off
  std::uint64_t events_told_ = 0;

  std::optional<std::uint64_t> error_after_;  // events
  std::uint64_t limit_ = UINT64_MAX;          // bytes
  std::uint64_t told_ = 0;
  bool over_ = false;
};

}  // namespace sluice::sim
