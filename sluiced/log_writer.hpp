#pragma once
/// The daemon's log on its way to stderr. Engine threads hand lines over and go on: a pipe that nobody reads costs lines, which
/// are counted, and never time. Knows a bounded buffer and the one thread that empties it; must not know what a line says.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace sluiced {

/// Lines stay whole and in their order. Make it once the process' signals are blocked: its thread inherits that.
class LogWriter {
 public:
  /// Gives the line, its break included, that stands where so many were dropped. Thread: whoever adds the next one.
  using Dropped = std::function<std::string(std::uint64_t lines)>;

  /// `fd` stays open and is the caller's.
  LogWriter(int fd, Dropped dropped);
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  /// Writes what is left, as long as somebody reads it.
  ~LogWriter();

  /// Takes a line, its break included. `now`: it does not wait for others, as all others do for a moment. Thread: any.
  void add(std::string_view line, bool now);
  /// Waits until what was taken before is written, a second at most. Thread: any.
  void flush();

 private:
  void work();
  void write_out(std::string_view lines);

  const int fd_;
  const bool pipe_;
  const Dropped told_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::string lines_;
  std::uint64_t taken_ = 0, written_ = 0;  // bytes
  std::uint64_t dropped_ = 0;              // lines, since the last that found room
  bool hurried_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace sluiced
