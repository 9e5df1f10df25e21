// What of the log is asked for, on its way to the writer.

#include "log.hpp"

#include <unistd.h>

#include "commands.hpp"
#include "log_lines.hpp"

namespace sluiced {

namespace {

sluice::WallTime now() { return sluice::system_clock().wall(); }

}  // namespace

Log::Log(const LogOptions& options)
    : options_(options),
      writer_(STDERR_FILENO, [format = options.format](std::uint64_t lines) { return dropped_line(format, now(), lines); }) {}

void Log::add(sluice::LogLevel level, std::string_view text) {
  if (level < options_.level) return;
  writer_.add(log_lines(options_.format, now(), level, text), level != sluice::LogLevel::kInfo);
}

void Log::add_access(const sluice::Outcome& outcome, const sluice::gateway::AskedFor& asked) {
  writer_.add(access_line(options_.format, outcome, asked), false);
}

int Log::end_with(const std::string& message) {
  if (options_.format == LogFormat::kText) {
    flush();
    return complain(message);
  }
  writer_.add(log_lines(options_.format, now(), sluice::LogLevel::kError, message), true);
  flush();
  return kInvalid;
}

}  // namespace sluiced
