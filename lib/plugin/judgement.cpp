// What a verdict is worth: the rules every hook is held to, then its plugin's fail mode, then observe mode. In one place,
// so that no hook can be judged by other rules.

#include "plugin/run_state.hpp"

namespace sluice::plugin {
namespace {

bool is_own_failure(const Verdict& verdict) noexcept {
  return verdict.kind() == Verdict::Kind::kFail &&
         (verdict.error().code == Code::kPluginError || verdict.error().code == Code::kPluginTimeout);
}

std::string_view word_of(const Verdict& weighed, bool edited) noexcept {
  if (weighed.kind() == Verdict::Kind::kReply) return "reply";
  if (weighed.kind() == Verdict::Kind::kFail) return is_own_failure(weighed) ? "error" : "fail";
  return edited ? "edit" : "continue";
}

}  // namespace

Error RunState::own_failure(const Context& context, std::string_view what) const {
  return make_error(Code::kPluginError, "plugin '" + std::string(context.entry().name) + "' " + std::string(what));
}

/// The verdict as it counts: kContinue, kReply or kFail, with the faults of its hook in it. A judgement stands against a
/// fault of the same hook: it was going to stop the exchange anyway, and nothing may forgive it.
Verdict RunState::weigh(const Context& context, Verdict verdict) const {
  if (context.fault_ != nullptr && (verdict.kind() != Verdict::Kind::kFail || is_own_failure(verdict))) {
    return Verdict::fail(*context.fault_);
  }
  const bool of_request = context.stage_ == Stage::kRequest || context.stage_ == Stage::kAuthenticate;
  switch (verdict.kind()) {
    case Verdict::Kind::kContinue: break;
    case Verdict::Kind::kSuspend:
      return Verdict::fail(own_failure(context, context.at_ == Context::At::kSettled ? "was resumed with suspend(), which ends no suspension"
                                                                                     : "suspended without having taken a Resumer"));
    case Verdict::Kind::kReply:
      if (of_request) break;
      return Verdict::fail(own_failure(context, "replied in on_" + std::string(hook_name(context.stage_)) + "; only on_request can"));
    case Verdict::Kind::kFail:
      if (verdict.error().code != Code::kOk) break;
      return Verdict::fail(own_failure(context, "failed with an error whose code is ok"));
  }
  return verdict;
}

/// Whether it ends the stage: the rest of the chain has nothing to say then.
bool RunState::decides(const Context& context, const Verdict& weighed) const noexcept {
  const Chain::Entry& entry = context.entry();
  if (weighed.kind() == Verdict::Kind::kContinue || entry.mode == PluginMode::kObserve) return false;
  return !(is_own_failure(weighed) && entry.on_error == FailMode::kOpen);
}

/// Writes down what a hook came to, closes it, and says what is to be done.
Ruling RunState::rule(Context& context, const Verdict& weighed, bool edited) {
  const Chain::Entry& entry = context.entry();
  const bool failure = is_own_failure(weighed);
  const bool decided = decides(context, weighed);
  const bool opened = failure && !decided && entry.mode == PluginMode::kEnforce;
  if (failure) count(weighed.error().code == Code::kPluginTimeout ? Count::kTimeout : Count::kError, context.seat_);
  if (opened) count(Count::kFailedOpen, context.seat_);
  const bool of_delta = context.stage_ == Stage::kDelta;
  if (of_delta) context.deltas_took_ += context.took_;
  const std::size_t lost = ledger_.add({.entry = entry,
                                        .seat = context.seat_,
                                        .stage = context.stage_,
                                        .verdict = word_of(weighed, edited),
                                        .failed_open = opened,
                                        .decides = decided,
                                        .error = weighed.kind() == Verdict::Kind::kFail ? &weighed.error() : nullptr,
                                        .thrown = context.thrown_,
                                        .took = of_delta ? context.deltas_took_ : context.took_,
                                        .detections = std::move(context.found_)});
  for (std::size_t i = 0; i < lost; ++i) count(Count::kUnrecorded, context.seat_);
  context.close();
  if (!decided) return {};
  return {.kind = weighed.kind() == Verdict::Kind::kReply ? Ruling::Kind::kReply : Ruling::Kind::kFail, .plugin = entry.name, .verdict = weighed};
}

}  // namespace sluice::plugin
