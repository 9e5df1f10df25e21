// What plugins said, line by line.

#include "plugin/ledger.hpp"

#include <algorithm>

namespace sluice::plugin {
namespace {

int gravity(std::string_view verdict) noexcept {
  constexpr std::string_view kOrder[] = {"continue", "edit", "reply", "error", "fail"};
  return static_cast<int>(std::find(std::begin(kOrder), std::end(kOrder), verdict) - std::begin(kOrder));
}

}  // namespace

PluginVerdict* Ledger::line_of_deltas(std::uint32_t seat) noexcept {
  for (const auto& [whose, line] : deltas_) {
    if (whose == seat) return &verdicts_[line];
  }
  return nullptr;
}

std::size_t Ledger::add(Said said) {
  PluginVerdict* line = said.stage == Stage::kDelta ? line_of_deltas(said.seat) : nullptr;
  if (line == nullptr) {
    if (said.verdict == "continue" && said.detections.empty()) return 0;
    if (verdicts_.size() >= kMostVerdicts && !said.decides) return 1 + said.detections.size();
    if (said.stage == Stage::kDelta) deltas_.emplace_back(said.seat, verdicts_.size());
    line = &verdicts_.emplace_back();
    line->plugin = said.entry.name;
    line->hook = hook_name(said.stage);
    line->observed = said.entry.mode == PluginMode::kObserve || said.entry.observer != nullptr;
  }
  if (line->verdict.empty() || gravity(said.verdict) > gravity(line->verdict)) {
    line->verdict = said.verdict;
    if (said.error != nullptr) {
      line->code = said.error->code;
      line->message = said.error->message;
      if (!said.thrown.empty()) line->message.append(": ").append(said.thrown);
    }
  }
  line->failed_open = line->failed_open || said.failed_open;
  line->took = said.took;
  const std::size_t room = kMostDetections - std::min(kMostDetections, line->detections.size());
  const std::size_t taken = std::min(room, said.detections.size());
  line->detections.insert(line->detections.end(), std::make_move_iterator(said.detections.begin()),
                          std::make_move_iterator(said.detections.begin() + static_cast<std::ptrdiff_t>(taken)));
  return said.detections.size() - taken;
}

}  // namespace sluice::plugin
