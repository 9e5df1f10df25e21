#pragma once
/// What the plugins of one exchange have said, as its account tells it. Bounded: an answer of a million deltas makes one
/// line for each plugin. Knows entries of a chain and their words; must not decide anything.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/chain.hpp"
#include "sluice/outcome.hpp"

namespace sluice::plugin {

class Ledger {
 public:
  static constexpr std::size_t kMostVerdicts = 64;
  static constexpr std::size_t kMostDetections = 64;  // of one verdict

  /// What one hook of `entry` came to.
  struct Said {
    const Chain::Entry& entry;
    std::uint32_t seat;                  // which of the chain's entries that is
    Stage stage;
    std::string_view verdict;            // as PluginVerdict::verdict
    bool failed_open = false;
    bool decides = false;                // it ends the exchange, or answers it: never left out
    const Error* error = nullptr;
    std::string_view thrown = {};        // what an exception said: for the account, never for the caller
    Duration took{};                     // for a delta: of all of them so far
    std::vector<Detection> detections = {};
  };
  /// Writes it down; one that says nothing is passed over, and deltas of one plugin are one line, which tells the gravest
  /// verdict. How much had no room.
  std::size_t add(Said said);
  [[nodiscard]] std::vector<PluginVerdict> take() noexcept { return std::exchange(verdicts_, {}); }

 private:
  [[nodiscard]] PluginVerdict* line_of_deltas(std::uint32_t seat) noexcept;

  std::vector<PluginVerdict> verdicts_;
  std::vector<std::pair<std::uint32_t, std::size_t>> deltas_;  // seat -> its line among verdicts_
};

}  // namespace sluice::plugin
