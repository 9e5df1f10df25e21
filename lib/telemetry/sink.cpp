// Everybody who gets a line.

#include "telemetry/sink.hpp"

#include <algorithm>
#include <utility>

namespace sluice::telemetry {

Result<std::shared_ptr<EventSinks>> EventSinks::open(const TelemetryOptions& options, EventCallback callback,
                                                     Writing writing, const EventSinks* previous, Disk& disk) {
  std::shared_ptr<EventSinks> sinks(new EventSinks);
  sinks->callback_ = std::move(callback);
  const auto known = [](const EventSinks& among, const std::string& path) -> std::shared_ptr<JsonlSink> {
    for (const auto& sink : among.files_) {
      if (sink->path() == path) return sink;
    }
    return nullptr;
  };
  for (const EventFile& file : options.files) {
    if (file.path.empty()) return fail(Code::kInvalidConfiguration, "a file of events has no path; name one");
    if (known(*sinks, file.path)) {
      return fail(Code::kInvalidConfiguration, "events go to '" + file.path + "' twice; name each file once");
    }
    if (auto kept = previous != nullptr ? known(*previous, file.path) : nullptr) {
      sinks->files_.push_back(std::move(kept));
      continue;
    }
    auto opened = JsonlSink::open(file, writing, disk);
    if (!opened) return tl::unexpected(opened.error());
    sinks->files_.push_back(std::move(*opened));
  }
  // Nothing can be refused any more: those that are kept take over their new bounds.
  for (std::size_t i = 0; i < options.files.size(); ++i) sinks->files_[i]->set_bounds(options.files[i]);
  if (previous != nullptr) sinks->callback_errors_ = previous->callback_errors_.load(std::memory_order_relaxed);
  return sinks;
}

void EventSinks::write(std::string_view line) noexcept {
  if (callback_) {
    try {
      callback_(line);
    } catch (...) {
      callback_errors_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  for (const auto& file : files_) (void)file->write(line);
}

std::size_t EventSinks::drain(std::size_t budget_bytes, TimePoint now) {
  std::size_t sum = 0;
  for (const auto& file : files_) {
    if (sum != 0 && sum >= budget_bytes) break;
    sum += file->drain(budget_bytes - std::min(sum, budget_bytes), now);
  }
  return sum;
}

bool EventSinks::pending() const {
  return std::any_of(files_.begin(), files_.end(), [](const auto& file) { return file->pending(); });
}

bool EventSinks::flush(TimePoint deadline) {
  bool all = true;
  for (const auto& file : files_) all = file->flush(deadline) && all;
  return all;
}

void EventSinks::close(TimePoint deadline) {
  for (const auto& file : files_) file->close(deadline);
}

void EventSinks::close_all_but(const EventSinks& next, TimePoint deadline) {
  for (const auto& file : files_) {
    const auto kept = std::find(next.files_.begin(), next.files_.end(), file);
    if (kept == next.files_.end()) file->close(deadline);
  }
}

EventStatistics EventSinks::statistics() const {
  EventStatistics all{.callback_errors = callback_errors_.load(std::memory_order_relaxed)};
  for (const auto& file : files_) all.files.push_back(file->statistics());
  return all;
}

}  // namespace sluice::telemetry
