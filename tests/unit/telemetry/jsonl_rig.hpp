#pragma once
/// A sink of lines as the tests use it, and what can be seen of it from outside.

#include <catch2/catch.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "telemetry/jsonl.hpp"
#include "unit/telemetry/broken_disk.hpp"

namespace sluice::tests {

inline TimePoint in(Duration time) { return std::chrono::steady_clock::now() + time; }

/// Ends the writer before the disk goes.
struct Closing {
  void operator()(telemetry::JsonlSink* sink) const {
    sink->close(in(std::chrono::seconds(60)));
    delete sink;
  }
};
using Sink = std::unique_ptr<telemetry::JsonlSink, Closing>;

inline Sink opened(EventFile file, telemetry::Writing writing, telemetry::Disk& disk = telemetry::system_disk(),
                   Duration gathering = telemetry::JsonlSink::kGathering) {
  auto sink = telemetry::JsonlSink::open(std::move(file), writing, disk, gathering);
  REQUIRE(sink);
  return Sink(sink->release());
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    out.push_back(text.substr(at, end - at));
    at = end == std::string::npos ? end : end + 1;
  }
  return out;
}

/// Every thread of this process by its name, with the signals it blocks.
inline std::map<std::string, std::string> threads() {
  std::map<std::string, std::string> out;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream status(task.path() / "status");
    std::string name, blocked, line;
    while (std::getline(status, line)) {
      if (line.starts_with("Name:\t")) name = line.substr(6);
      if (line.starts_with("SigBlk:\t")) blocked = line.substr(8);
    }
    out[name] = blocked;
  }
  return out;
}

inline void wait_for_no_writer() {
  while (threads().contains("sluice-events")) std::this_thread::yield();
}

}  // namespace sluice::tests
