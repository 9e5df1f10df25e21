#pragma once
/// One file of lines: appended whole, rotated by size, opened again when a dead disk lives. Knows the disk and when to
/// try it again; must not know threads, queues or what a line says. Never reads a clock: callers pass now.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/clock.hpp"
#include "sluice/telemetry.hpp"
#include "telemetry/disk.hpp"

namespace sluice::telemetry {

/// Thread: one at a time.
class JsonlFile {
 public:
  static constexpr Duration kFirstPause = std::chrono::milliseconds(100);  ///< after a failure; doubled after the next
  static constexpr Duration kLongestPause = std::chrono::seconds(10);
  static constexpr Duration kFullPause = std::chrono::milliseconds(10);    ///< while a FIFO is full

  /// `disk` outlives it. Opens nothing before the first line.
  JsonlFile(EventFile file, Disk& disk) : settings_(std::move(file)), disk_(disk) {}
  JsonlFile(const JsonlFile&) = delete;
  JsonlFile& operator=(const JsonlFile&) = delete;
  ~JsonlFile() { close(); }

  void set_bounds(std::uint64_t rotate_bytes, std::uint32_t keep) noexcept;

  /// Appends lines, each with its line break, as many as the disk takes now; gives how many bytes of the front are done
  /// with. Where these are not all, retry_at() says when to come again, and the next call begins with the same line.
  /// What was written of a line that did not fit is cut off again; a FIFO gets the rest of it first.
  [[nodiscard]] std::size_t append(std::string_view lines, TimePoint now);
  /// When the disk may be asked again. Empty: at once.
  [[nodiscard]] std::optional<TimePoint> retry_at() const noexcept { return retry_at_; }
  /// Lets the next append try at once.
  void retry_now() noexcept { retry_at_.reset(); }
  /// True where the last refusal was more than a FIFO that is full for a moment.
  [[nodiscard]] bool dead() const noexcept { return dead_; }

  /// Why the disk takes nothing, as a sentence; empty while it works.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  [[nodiscard]] std::uint64_t written() const noexcept { return written_; }      ///< lines
  [[nodiscard]] std::uint64_t rotations() const noexcept { return rotations_; }

 private:
  [[nodiscard]] bool ready(TimePoint now);
  [[nodiscard]] int open();
  [[nodiscard]] int mend();
  [[nodiscard]] int rotate();
  [[nodiscard]] std::string rotated(std::uint32_t n) const;
  /// What of `lines` belongs into this file before the next rotation.
  [[nodiscard]] std::string_view fitting(std::string_view lines) const noexcept;
  /// Writes until everything is written or the disk refuses; how much, beyond what was begun before.
  [[nodiscard]] int write_all(std::string_view bytes, std::size_t& written);
  void refuse(int why, TimePoint now);
  void close() noexcept;

  EventFile settings_;
  Disk& disk_;
  DiskFile file_;
  std::uint64_t size_ = 0;           // of whole lines
  std::uint64_t rotate_at_ = 0;      // 0 = never
  std::size_t begun_ = 0;            // bytes of the next line that a FIFO has already
  std::uint64_t written_ = 0, rotations_ = 0;
  std::optional<TimePoint> retry_at_;
  Duration pause_ = kFirstPause;
  bool dead_ = false;
  std::string error_;
};

}  // namespace sluice::telemetry
