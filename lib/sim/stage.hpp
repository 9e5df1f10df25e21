#pragma once
/// All scripted upstreams of one simulation: a script per upstream name, and what they were asked. Shared by the engines.
/// Knows scripts and requests; must not know loops or transfers.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sim/telling.hpp"
#include "sluice/simulator.hpp"

namespace sluice::sim {

class Stage {
 public:
  /// `first` is the clock's first moment: limits of faults count from it. Recording keeps every request for ever.
  Stage(std::uint64_t seed, TimePoint first, bool record) : seed_(seed), first_(first), record_(record) {}

  /// The script of `upstream`, made when first asked for, with chance of its own: what one upstream is asked changes
  /// nothing at another. Lifetime: the stage's. Thread: any.
  [[nodiscard]] testing::Script& script(const std::string& upstream);
  /// A request arrives at `now`. Thread: any.
  [[nodiscard]] std::unique_ptr<Telling> begin(const std::string& upstream, testing::SeenRequest request, TimePoint now, WallTime wall);

  /// Thread: one, and none of the engines' in between.
  [[nodiscard]] const std::vector<testing::SeenRequest>& seen() const noexcept { return seen_; }
  void forget_seen();

 private:
  const std::uint64_t seed_;
  const TimePoint first_;
  const bool record_;

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<testing::Script>, std::less<>> scripts_;
  std::vector<testing::SeenRequest> seen_;
};

}  // namespace sluice::sim
