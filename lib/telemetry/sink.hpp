#pragma once
/// Where the events of one configuration go: the host program's function and the files. Knows who listens; must not
/// know what an event says.

#include <atomic>
#include <memory>
#include <string_view>
#include <vector>

#include "sluice/clock.hpp"
#include "sluice/error.hpp"
#include "sluice/telemetry.hpp"
#include "telemetry/jsonl.hpp"

namespace sluice::telemetry {

/// Shared by the engines, and by two configurations where a file stays the same across a reload.
class EventSinks {
 public:
  /// `previous`, which may be null, are the sinks of the configuration that is replaced: a path that is named again
  /// keeps its queue, its writer and its counts. Errors: kInvalidConfiguration for a path that is empty or stands
  /// twice, kSystem where no thread can be had. Lifetime: `disk` as for JsonlSink::open.
  [[nodiscard]] static Result<std::shared_ptr<EventSinks>> open(const TelemetryOptions& options, EventCallback callback,
                                                                Writing writing, const EventSinks* previous = nullptr,
                                                                Disk& disk = system_disk());

  /// True where nobody listens, so that no event need be written.
  [[nodiscard]] bool empty() const noexcept { return !callback_ && files_.empty(); }
  /// Gives one line, without its line break, to everybody. Thread: any, concurrently; the function is called on it.
  void write(std::string_view line) noexcept;

  /// For all files: JsonlSink's. What drain carries is shared out in the order of the files.
  std::size_t drain(std::size_t budget_bytes, TimePoint now);
  [[nodiscard]] bool pending() const;
  [[nodiscard]] bool flush(TimePoint deadline);
  void close(TimePoint deadline);
  /// Closes, as above, the files that `next` has not taken over.
  void close_all_but(const EventSinks& next, TimePoint deadline);
  [[nodiscard]] EventStatistics statistics() const;

 private:
  EventSinks() = default;

  EventCallback callback_;
  std::vector<std::shared_ptr<JsonlSink>> files_;
  std::atomic<std::uint64_t> callback_errors_{0};
};

}  // namespace sluice::telemetry
