// The loss report: bounded, without repetitions.

#include "chat/loss.hpp"

#include <algorithm>
#include <utility>

namespace sluice::chat {

std::string_view to_string(LossSeverity severity) noexcept {
  switch (severity) {
    case LossSeverity::kNote: return "note";
    case LossSeverity::kCosmetic: return "cosmetic";
    case LossSeverity::kSemantic: return "semantic";
  }
  return "semantic";
}

namespace {

std::uint64_t bit_of(std::string_view field) noexcept {
  if (field.empty()) return 1;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(field[i]); };
  return std::uint64_t{1} << ((field.size() * 7 + at(0) * 5 + at(field.size() / 2) * 3 + at(field.size() - 1)) % 64);
}

}  // namespace

void LossReport::add(std::string field, std::string reason, LossSeverity severity) {
  worst_ = std::max(worst_, severity);
  const std::uint64_t bit = bit_of(field);
  Loss loss{std::move(field), std::move(reason), severity};
  if ((seen_ & bit) != 0 && std::find(entries_.begin(), entries_.end(), loss) != entries_.end()) return;
  seen_ |= bit;
  if (entries_.size() == kMaxEntries) {
    ++beyond_;
    // The gravest must stay visible: a strict route refuses by it.
    const auto lightest = std::min_element(entries_.begin(), entries_.end(),
                                           [](const Loss& a, const Loss& b) { return a.severity < b.severity; });
    if (lightest->severity < loss.severity) *lightest = std::move(loss);
    return;
  }
  if (entries_.empty()) entries_.reserve(24);  // seldom one alone
  entries_.push_back(std::move(loss));
}

LossSeverity LossReport::worst() const noexcept { return worst_; }

const Loss* LossReport::first_at_least(LossSeverity severity) const noexcept {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [severity](const Loss& l) { return l.severity >= severity; });
  return found == entries_.end() ? nullptr : &*found;
}

void LossReport::clear() noexcept {
  entries_.clear();
  seen_ = 0;
  beyond_ = 0;
  worst_ = LossSeverity::kNote;
}

}  // namespace sluice::chat
