// Ratios as they are learned, kept and forgotten.

#include "policy/token_ratios.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <tuple>

namespace sluice::policy {
namespace {

constexpr std::int64_t kOne = 1 << 16;
constexpr auto kLow = static_cast<std::int64_t>(TokenRatios::kLowest * kOne);
constexpr auto kHigh = static_cast<std::int64_t>(TokenRatios::kHighest * kOne);
constexpr std::uint64_t kMostTokens = std::uint64_t{1} << 40;  // above it a number is a mistake

constexpr double as_number(std::int64_t ratio) { return static_cast<double>(ratio) / kOne; }

}  // namespace

std::uint64_t TokenRatios::hash(std::string_view upstream, std::string_view model) noexcept {
  const std::hash<std::string_view> of;
  return of(upstream) * 0x9e37'79b9'7f4a'7c15 + of(model);
}

TokenRatios::Known* TokenRatios::find(Shard& shard, std::uint64_t hash, std::string_view upstream, std::string_view model) noexcept {
  for (Known& known : shard.known) {
    if (known.hash != hash || known.upstream != upstream || known.model != model) continue;
    known.looked_at = ++shard.looks;
    return &known;
  }
  return nullptr;
}

/// Its place; the one that was not looked at for the longest gives way where there is none.
TokenRatios::Known& TokenRatios::place(Shard& shard, std::uint64_t hash, std::string_view upstream, std::string_view model) {
  if (Known* known = find(shard, hash, upstream, model)) return *known;
  Known* place = nullptr;
  if (shard.known.size() < kMostModels / kShards) {
    place = &shard.known.emplace_back();
  } else {
    place = &*std::min_element(shard.known.begin(), shard.known.end(), [](const Known& a, const Known& b) { return a.looked_at < b.looked_at; });
  }
  *place = {hash, ++shard.looks, std::string(upstream), std::string(model), {}};
  return *place;
}

void TokenRatios::learn(Side side, std::string_view upstream, std::string_view model, std::uint64_t estimated, std::uint64_t reported) {
  if (estimated < kLeastTokens || reported == 0 || std::max(estimated, reported) > kMostTokens) return;
  if (upstream.size() + model.size() > kLongestNames) return;
  const std::int64_t sample =
      std::clamp(static_cast<std::int64_t>(reported * static_cast<std::uint64_t>(kOne) / estimated), kLow, kHigh);
  const std::uint64_t h = hash(upstream, model);
  Shard& shard = shards_[h % kShards];
  const std::lock_guard lock(shard.mutex);
  Ratio& ratio = place(shard, h, upstream, model).ratios[static_cast<std::size_t>(side)];
  ++ratio.samples;
  ratio.value += (sample - ratio.value) / static_cast<std::int64_t>(std::min(ratio.samples, kMemory));
}

bool TokenRatios::wants(Side side, std::string_view upstream, std::string_view model, std::uint64_t reported) {
  if (reported < kLeastTokens || upstream.size() + model.size() > kLongestNames) return false;
  const std::uint64_t h = hash(upstream, model);
  Shard& shard = shards_[h % kShards];
  const std::lock_guard lock(shard.mutex);
  const std::uint64_t asked = ++place(shard, h, upstream, model).ratios[static_cast<std::size_t>(side)].asked;
  return asked <= kSettled || asked % kSeldom == 0;
}

bool TokenRatios::correct(Side side, std::string_view upstream, std::string_view model, std::uint64_t& estimated) {
  if (estimated == 0 || estimated > kMostTokens) return false;
  const std::uint64_t h = hash(upstream, model);
  Shard& shard = shards_[h % kShards];
  const std::lock_guard lock(shard.mutex);
  const Known* known = find(shard, h, upstream, model);
  if (known == nullptr) return false;
  const Ratio& ratio = known->ratios[static_cast<std::size_t>(side)];
  if (ratio.samples < kLeastSamples) return false;
  estimated = std::max<std::uint64_t>(1, (estimated * static_cast<std::uint64_t>(ratio.value) + kOne / 2) / kOne);
  return true;
}

std::vector<TokenCorrection> TokenRatios::all() const {
  std::vector<TokenCorrection> out;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    for (const Known& known : shard.known) {
      const auto& [input, output] = known.ratios;
      if (input.samples == 0 && output.samples == 0) continue;
      out.push_back({known.upstream, known.model, input.samples == 0 ? 1 : as_number(input.value),
                     output.samples == 0 ? 1 : as_number(output.value), input.samples, output.samples});
    }
  }
  std::sort(out.begin(), out.end(), [](const TokenCorrection& a, const TokenCorrection& b) {
    return std::tie(a.upstream, a.model) < std::tie(b.upstream, b.model);
  });
  return out;
}

}  // namespace sluice::policy
