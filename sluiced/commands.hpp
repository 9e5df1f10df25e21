#pragma once
/// What sluiced does, one function a command. Each gives the exit status: 0 good, 1 invalid or failed.
/// Answers go to stdout, complaints to stderr.

#include <string>

#include "options.hpp"

namespace sluiced {

constexpr int kGood = 0, kInvalid = 1, kUsage = 2;

[[nodiscard]] int run(const Options& options);

[[nodiscard]] int check(const std::string& config, bool json);
[[nodiscard]] int explain(const std::string& config, const std::string& request, bool json);
[[nodiscard]] int dump(const std::string& config);
[[nodiscard]] int new_key(const std::string& name);
/// Serves until SIGTERM or SIGINT, then drains; SIGHUP reloads. Call it once, while the process has one thread only.
[[nodiscard]] int serve(const Options& options);

/// The configuration --init prints: it runs as it is, without a key and without a network.
extern const char* const kStarter;

/// `sluiced: MESSAGE` on stderr; gives kInvalid.
[[nodiscard]] int complain(const std::string& message);

}  // namespace sluiced
