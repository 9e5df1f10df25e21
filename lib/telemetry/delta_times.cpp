// Pauses between deltas: kept one by one while they are few, then counted in buckets whose width grows with the pause.

#include "telemetry/delta_times.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

namespace sluice::telemetry {
namespace {

constexpr std::uint32_t kFirst = 7;  // the first octave of the buckets is [2^7, 2^8) us; below lies bucket 0
constexpr std::uint32_t kPerOctave = 4;

/// The middle of bucket `at`, in microseconds: no value of it is further away than an eighth of itself.
std::uint32_t middle(std::uint32_t at) noexcept {
  if (at == 0) return 1u << (kFirst - 1);
  const std::uint32_t octave = (at - 1) / kPerOctave, quarter = (at - 1) % kPerOctave;
  const std::uint32_t width = (1u << (kFirst + octave)) / kPerOctave;
  return (kPerOctave + quarter) * width + width / 2;
}

}  // namespace

static_assert(sizeof(DeltaTimes) <= 152, "one for each open stream");

std::uint32_t DeltaTimes::bucket(std::uint32_t microseconds) noexcept {
  if (microseconds < (1u << kFirst)) return 0;
  const std::uint32_t octave = static_cast<std::uint32_t>(std::bit_width(microseconds)) - 1;
  const std::uint32_t quarter = (microseconds >> (octave - 2)) & 3;
  return std::min(1 + (octave - kFirst) * kPerOctave + quarter, kBuckets - 1);
}

void DeltaTimes::count(std::uint32_t microseconds) noexcept {
  std::uint16_t& n = counts_[bucket(microseconds)];
  if (n == std::numeric_limits<std::uint16_t>::max()) {
    // Rounded up, so that nothing that was seen is forgotten: a rank is then off by at most one in a thousand. Once in
    // 32,768 deltas of about the same pause.
    for (std::uint16_t& other : counts_) other = static_cast<std::uint16_t>((other + 1) / 2);
  }
  ++n;
}

void DeltaTimes::add(TimePoint now) noexcept {
  const TimePoint before = std::exchange(last_, now);
  if (++deltas_ == 1) return;
  constexpr std::int64_t kMax = std::numeric_limits<std::uint32_t>::max();
  const std::int64_t passed = std::chrono::duration_cast<std::chrono::microseconds>(now - before).count();
  const auto pause = static_cast<std::uint32_t>(std::clamp<std::int64_t>(passed, 0, kMax));
  longest_ = std::max(longest_, pause);
  const std::uint64_t pauses = deltas_ - 1;
  if (pauses <= kExact) {
    pauses_[pauses - 1] = pause;
    return;
  }
  if (!counting_) {
    const std::array<std::uint32_t, kExact> kept = pauses_;
    counts_ = {};
    counting_ = true;
    for (const std::uint32_t earlier : kept) count(earlier);
  }
  count(pause);
}

Duration DeltaTimes::percentile(unsigned percent) const noexcept {
  if (deltas_ < 2) return {};
  const auto rank_of = [percent](std::uint64_t n) { return std::max<std::uint64_t>((n * percent + 99) / 100, 1); };
  if (!counting_) {
    std::array<std::uint32_t, kExact> sorted = pauses_;
    const auto end = sorted.begin() + static_cast<std::ptrdiff_t>(deltas_ - 1);
    const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(rank_of(deltas_ - 1) - 1);
    std::nth_element(sorted.begin(), at, end);
    return std::chrono::microseconds(*at);
  }
  std::uint64_t all = 0;
  for (const std::uint16_t n : counts_) all += n;
  std::uint64_t left = rank_of(all);
  std::uint32_t at = 0;
  while (counts_[at] < left) left -= counts_[at++];
  return std::chrono::microseconds(at == kBuckets - 1 ? longest_ : std::min(middle(at), longest_));
}

}  // namespace sluice::telemetry
