// What is asked before an attempt is made: on the head who authenticates, on the whole request guards, transforms and
// routers, and then the observers are shown what is left. Neighbours of one phase that only read start together and are
// judged in chain order, so that the answer does not depend on who is the faster; who changes something runs alone.

#include <cassert>

#include "plugin/run_state.hpp"

namespace sluice::plugin {

Ruling RunState::authenticate(const std::shared_ptr<const Chain>& chain) {
  const Frame frame(*this);
  if (stopped_) return wait();
  chain_ = chain;
  stage_ = Stage::kAuthenticate;
  authenticated_ = true;
  judged_ = started_ = 0;
  end_ = chain->at(Stage::kAuthenticate).size();
  Ruling opened = open_sessions(chain->authenticating());
  if (opened.kind == Ruling::Kind::kFail) stop();
  return opened.kind == Ruling::Kind::kGoOn ? advance_request() : opened;
}

Ruling RunState::request(const std::shared_ptr<const Chain>& chain) {
  const Frame frame(*this);
  if (stopped_) return wait();
  assert(seats_.empty() || seats_.size() == chain->authenticating());
  chain_ = chain;
  stage_ = Stage::kRequest;
  const auto asked = chain->at(Stage::kRequest);
  judged_ = started_ = authenticated_ ? chain->at(Stage::kAuthenticate).size() : 0;
  end_ = asked.size();
  Ruling opened = open_sessions(chain->size());
  if (opened.kind == Ruling::Kind::kFail) stop();
  return opened.kind == Ruling::Kind::kGoOn ? advance_request() : opened;
}

/// Judges who has begun, in chain order, and starts who may begin, as far as it goes.
Ruling RunState::advance_request() {
  const auto asked = chain_->at(Stage::kRequest);
  for (;;) {
    for (; judged_ < started_; ++judged_) {
      Context* const context = seats_[asked[judged_]].context.get();
      if (context == nullptr || context->at_ == Context::At::kOutside) continue;  // an observer, or no session
      if (context->at_ == Context::At::kSuspended) return wait();
      Ruling ruling = judge_request(*context);
      if (stopped_) return wait();
      if (ruling.kind == Ruling::Kind::kGoOn) continue;
      overrule_rest(asked);
      if (ruling.kind == Ruling::Kind::kFail) stop();
      return ruling;
    }
    if (started_ == end_) return {};
    start_group();
    if (stopped_) return wait();
  }
}

/// Starts the next one, and with it those behind it that may run beside it.
void RunState::start_group() {
  const auto asked = chain_->at(Stage::kRequest);
  const Chain::Entry& first = entry(asked[started_]);
  do {
    if (!start(asked[started_++]) || stopped_) return;
  } while (started_ < end_ && entry(asked[started_]).phase == first.phase && !first.runs_alone() && !entry(asked[started_]).runs_alone());
}

/// False: what it says decides, unless one before it does; nobody behind it need begin.
bool RunState::start(std::uint32_t index) {
  Seat& seat = seats_[index];
  if (seat.observer != nullptr) show(index, stage_, [&] { seat.observer->on_request(view()); });
  if (seat.session == nullptr) return true;
  Context& context = begin(index, stage_);
  Verdict verdict = ask(context, [&] { return seat.session->on_request(context); });
  if (stopped_) return false;
  if (verdict.kind() == Verdict::Kind::kSuspend && context.taken_) {
    suspend(context);
    return true;
  }
  context.verdict_ = weigh(context, std::move(verdict));
  context.at_ = Context::At::kSettled;
  return !decides(context, context.verdict_);
}

/// Its verdict is weighed already; what it changed becomes the request where it may.
Ruling RunState::judge_request(Context& context) {
  Verdict verdict = std::move(context.verdict_);
  bool edited = verdict.kind() == Verdict::Kind::kContinue && context.draft_ != nullptr;
  if (edited && context.entry().mode == PluginMode::kEnforce) {
    const Status published = context.draft_->publish();
    if (!published) {
      edited = false;
      verdict = Verdict::fail(own_failure(context, "left no valid request: " + published.error().message));
    }
  }
  return rule(context, verdict, edited);
}

/// Somebody before them has decided: those whose verdicts are in are heard for the account, the others not any more.
void RunState::overrule_rest(std::span<const std::uint32_t> asked) {
  for (; judged_ < started_; ++judged_) {
    Context* const context = seats_[asked[judged_]].context.get();
    if (context == nullptr || context->at_ == Context::At::kOutside) continue;
    if (context->at_ == Context::At::kSuspended) {
      end_suspension(context->seat_);
      context->close();
    } else {
      (void)rule(*context, context->verdict_, false);
    }
  }
}

}  // namespace sluice::plugin
