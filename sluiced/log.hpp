#pragma once
/// The daemon's log: what is written at all, and in which form. Knows the level, the format and the wall clock; must not know
/// who reads it. Nobody who logs waits: log_writer.hpp has the thread that does.

#include <string>
#include <string_view>

#include "gateway/core.hpp"
#include "log_writer.hpp"
#include "options.hpp"

namespace sluiced {

/// Make it once the process' signals are blocked. Thread: any, concurrently.
class Log {
 public:
  explicit Log(const LogOptions& options);

  /// Writes `text`, a line for each of its lines, where `level` is asked for.
  void add(sluice::LogLevel level, std::string_view text);
  /// Writes the line of an exchange, whatever the level: it was asked for by name.
  void add_access(const sluice::Outcome& outcome, const sluice::gateway::AskedFor& asked);
  /// Waits until what was taken before is written, a second at most.
  void flush() { writer_.flush(); }
  /// The last words, behind all others: `sluiced: MESSAGE`, or its lines as JSON. Gives kInvalid.
  [[nodiscard]] int end_with(const std::string& message);

 private:
  const LogOptions options_;
  LogWriter writer_;
};

}  // namespace sluiced
