#pragma once
/// What providers report for each token that was estimated: a ratio for each model at each upstream, for input and for output,
/// learned from answers and applied to later estimates. Nearer to now counts more; no clock: a sample is a sample.
/// Knows names and numbers; must not know how anything was estimated.

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/tokens.hpp"

namespace sluice::policy {

/// Thread: any. It locks one of 16 shards for some 100 ns.
/// Memory: at most kMostModels pairs of names of at most kLongestNames bytes, some 400 KB; where a shard is full, the pair
/// that was not looked at for the longest goes.
class TokenRatios {
 public:
  enum class Side : std::uint8_t { kInput, kOutput };

  static constexpr std::size_t kMostModels = 1024;
  static constexpr std::size_t kLongestNames = 256;   ///< upstream and model together; longer ones are not learned
  static constexpr std::uint64_t kLeastTokens = 16;   ///< estimated; less is mostly what a chat puts around it
  static constexpr std::uint64_t kLeastSamples = 8;   ///< before a ratio is applied
  static constexpr std::uint64_t kMemory = 16;        ///< a sample weighs 1/16; the first ones are averaged
  static constexpr std::uint64_t kSettled = 64;       ///< exchanges that are looked at; from then on one of kSeldom is
  static constexpr std::uint64_t kSeldom = 64;        ///< counting a prompt costs as much as forwarding it
  static constexpr double kLowest = 0.5, kHighest = 4;

  /// An answer was billed `reported` tokens where `estimated` were estimated, uncorrected. 0 of either says nothing.
  void learn(Side side, std::string_view upstream, std::string_view model, std::uint64_t estimated, std::uint64_t reported);

  /// True where another sample is worth an estimate that nobody else needs: until enough exchanges have been looked at, and
  /// now and then after that, whether or not a sample came of it. `reported`: what was billed; of few tokens nothing is learned.
  [[nodiscard]] bool wants(Side side, std::string_view upstream, std::string_view model, std::uint64_t reported);

  /// `estimated`, corrected where enough is known; true then. At least 1 of what was at least 1.
  bool correct(Side side, std::string_view upstream, std::string_view model, std::uint64_t& estimated);

  /// Everything that is known, by upstream, then by model.
  [[nodiscard]] std::vector<TokenCorrection> all() const;

 private:
  /// In 1/65536ths: integers, so that the same samples come to the same ratio everywhere.
  struct Ratio {
    std::int64_t value = 0;
    std::uint64_t samples = 0;
    std::uint64_t asked = 0;  // wants()
  };
  struct Known {
    std::uint64_t hash = 0, looked_at = 0;
    std::string upstream, model;
    std::array<Ratio, 2> ratios;
  };
  static constexpr std::size_t kShards = 16;
  struct Shard {
    mutable std::mutex mutex;
    std::uint64_t looks = 0;
    std::vector<Known> known;
  };
  static std::uint64_t hash(std::string_view upstream, std::string_view model) noexcept;
  static Known& place(Shard& shard, std::uint64_t hash, std::string_view upstream, std::string_view model);
  static Known* find(Shard& shard, std::uint64_t hash, std::string_view upstream, std::string_view model) noexcept;

  std::array<Shard, kShards> shards_;
};

}  // namespace sluice::policy
