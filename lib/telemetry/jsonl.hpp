#pragma once
/// Lines on their way to a file, without anybody waiting for the disk. Knows a bounded queue and the one thread that
/// empties it, or the host program that does; must not know what a line says.
///
///   engines: write() ---> queue (bytes) ---> writer thread, or drain() ---> JsonlFile ---> disk
///              |            |
///              +- full: dropped and counted

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "sluice/clock.hpp"
#include "sluice/error.hpp"
#include "sluice/fork_mark.hpp"
#include "sluice/telemetry.hpp"
#include "telemetry/disk.hpp"

namespace sluice::telemetry {

/// Who carries lines from the queue to the disk.
enum class Writing : std::uint8_t {
  kThread,  ///< a thread of the sink, which blocks all signals and is called sluice-events
  kHost,    ///< nobody but drain(): for host-driven gateways, which have no hidden threads
};

/// What a disk refuses stays in the queue and is tried again, ever more rarely, by the writer; the queue then fills,
/// and lines that find no room are dropped, so that a dead disk costs memory (at most twice queue_bytes) and no time.
/// Nothing is synced. A child of fork writes nothing and waits for nothing.
class JsonlSink {
 public:
  /// How long a first line waits for others: a busy gateway wakes its writer twenty times a second, not at each line.
  static constexpr Duration kGathering = std::chrono::milliseconds(50);

  /// Starts the thread, where there is to be one; opens nothing yet. Errors: kSystem where no thread can be had.
  /// Lifetime: `disk` outlives it, and a writer that close() gave up on.
  [[nodiscard]] static Result<std::unique_ptr<JsonlSink>> open(EventFile file, Writing writing,
                                                               Disk& disk = system_disk(),
                                                               Duration gathering = kGathering);
  JsonlSink(const JsonlSink&) = delete;
  JsonlSink& operator=(const JsonlSink&) = delete;
  /// Waits for nobody: a thread writes what is queued, once, and goes by itself. close() is the way to know.
  ~JsonlSink();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// New bounds of size, number and queue, for the same path, from the next line on. Thread: any.
  void set_bounds(const EventFile& file) noexcept;

  /// Queues a line, given without its line break. False where it was dropped. Thread: any, concurrently. Cost: a lock
  /// that is never held over a system call but the writer's waking, and a copy.
  bool write(std::string_view line) noexcept;
  /// Carries lines to the disk: at least one, then as many as `budget_bytes` allows. Gives the bytes carried; 0 where
  /// there are none, or the disk refuses and `now` is too early to ask it again. For kHost; one thread at a time.
  std::size_t drain(std::size_t budget_bytes, TimePoint now);
  /// True where drain() has something to do.
  [[nodiscard]] bool pending() const;

  /// Waits until every line queued before has been given to the system, at most until `deadline`; a dead disk is asked
  /// once more. kHost: waits for nothing and writes them itself, `deadline` being now. False where lines were left.
  /// Thread: any but an engine's; kHost: the one that drains.
  [[nodiscard]] bool flush(TimePoint deadline);
  /// Takes no more lines, writes what is queued, as flush does, and ends the thread; what is left then is dropped and
  /// counted. Where the disk hangs in a write, the thread is left to itself. Idempotent. Thread: as flush.
  void close(TimePoint deadline);

  /// Thread: any.
  [[nodiscard]] EventFileStatistics statistics() const;

 private:
  struct State;
  JsonlSink(std::shared_ptr<State> state, std::string path);
  static void run(State& state) noexcept;

  std::string path_;
  ForkMark mark_;
  std::shared_ptr<State> state_;  // the thread's, too
  std::thread thread_;
};

}  // namespace sluice::telemetry
