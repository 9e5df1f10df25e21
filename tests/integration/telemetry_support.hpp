#pragma once
// What the tests of events share: events gathered and read back, each held against the published schema; a directory for
// files of them.

#include <stdlib.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "integration/rig.hpp"
#include "integration/stream_support.hpp"
#include "unit/telemetry/event_reading.hpp"

namespace sluice::test {

using tests::at;

/// True where the line is JSON and fits docs/schema/event.schema.json.
inline bool fits_schema(const std::string& line) {
  return tests::valid(tests::event_schema().root(), tests::parsed(line).root());
}

/// Every event of a gateway, in the order they came.
class Events {
 public:
  [[nodiscard]] EventCallback callback() {
    return [held = held_](std::string_view line) {
      {
        const std::lock_guard lock(held->mutex);
        held->lines.emplace_back(line);
      }
      held->changed.notify_all();
    };
  }
  /// Waits until there are `n`, at most 10 s; then gives all there are.
  [[nodiscard]] std::vector<std::string> wait(std::size_t n) const {
    std::unique_lock lock(held_->mutex);
    held_->changed.wait_for(lock, std::chrono::seconds(10), [&] { return held_->lines.size() >= n; });
    return held_->lines;
  }
  [[nodiscard]] std::vector<std::string> all() const { return wait(0); }

 private:
  struct Held {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> lines;
  };
  std::shared_ptr<Held> held_ = std::make_shared<Held>();
};

inline OpenOptions telling(Events& events) {
  OpenOptions options;
  options.on_event = events.callback();
  return options;
}

/// A directory of a test's own, with everything in it gone at its end.
class Directory {
 public:
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-events-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// The lines of a file; a torn last one counts as one, so that it is seen.
inline std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// A whole number of an event.
inline std::int64_t number_at(const std::string& line, const std::vector<const char*>& path) {
  const std::string raw = at(line, path);
  return raw.empty() ? -1 : std::stoll(raw);
}

/// Everything went somewhere, and nothing twice (TELE-11).
inline bool times_add_up(const std::string& line) {
  std::int64_t sum = 0;
  for (const char* part : {"receive_us", "plugin_us", "queue_us", "wait_us", "upstream_us", "gateway_us"}) {
    const std::int64_t us = number_at(line, {"times", part});
    if (us < 0) return false;
    sum += us;
  }
  return sum == number_at(line, {"times", "total_us"});
}

}  // namespace sluice::test
