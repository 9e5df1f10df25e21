#pragma once
/// The command line of sluiced, taken apart. Knows words; must not know what the commands do.

#include <span>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "sluice/gateway.hpp"

namespace sluiced {

enum class Command { kServe, kCheck, kExplain, kDump, kSchema, kInit, kNewKey, kVersion, kHelp };

enum class LogFormat { kText, kJson };

struct LogOptions {
  LogFormat format = LogFormat::kText;
  sluice::LogLevel level = sluice::LogLevel::kInfo;
  bool access = false;  ///< a line for each exchange that is over
};

struct Options {
  Command command = Command::kServe;
  std::string config;   ///< path; empty for the commands that need none
  std::string request;  ///< path, for kExplain
  std::string name;     ///< of a consumer, for kNewKey
  bool json = false;
  LogOptions log = {};  ///< for kServe
};

/// `arguments` without the program's name. Errors: one sentence that says what is wrong with the command line.
[[nodiscard]] tl::expected<Options, std::string> parse_options(std::span<const std::string_view> arguments);

/// What --help prints.
extern const std::string_view kHelp;

}  // namespace sluiced
