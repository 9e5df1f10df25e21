// Phase 4, forward: which upstream gets the request, a place there, and what follows a failed attempt: the same upstream
// again after a pause, another one, or the end. Knows attempts as a whole; must not know what is on the wire.

#include <utility>

#include "gateway/core.hpp"
#include "gateway/exchange.hpp"
#include "gateway/exchange_plugins.hpp"
#include "gateway/translation.hpp"
#include "policy/retry_after.hpp"

namespace sluice::gateway {

/// Nobody here looks into its bytes or chooses for it: the upstream's own business, and sent once.
bool Exchange::passes_as_it_is() const { return opaque_ || route_->security; }

void Exchange::forward() {
  retries_.emplace(route_->config->retry, route_->config->failover, whole_at_, total_deadline_);
  for (const policy::Choice& choice : decision_.choices) {
    const auto member = static_cast<std::uint32_t>(choice.target);
    retries_->add(member, route_->balancer->can_serve(member));
  }
  route_->retry_budget->exchange_began(whole_at_);
  move(Happening::kChoose);
  choose();
}

/// Chooses an upstream among those that are left, and goes on once there is a place.
void Exchange::choose() {
  choose_at_.reset();
  if (std::exchange(same_again_, false)) {
    load_ = route_->balancer->enter(decision_.choices[choice_].target);
    because_ = {};
    if (ask_for_place()) return;
  }
  for (;;) {
    auto picked = pick();
    if (!picked) return nobody_left();
    choice_ = picked->candidate;
    load_ = std::move(picked->load);
    because_ = picked->because;
    if (ask_for_place()) return;
  }
}

/// By the route's strategy, or in the order that a plugin of phase route has named.
std::optional<policy::Pick> Exchange::pick() {
  const auto candidates = retries_->candidates();
  if (!plugins_ || !plugins_->chose) return route_->balancer->pick(candidates, engine_.random(), engine_.loop().now());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!candidates[i].excluded) return policy::Pick{.candidate = i, .load = route_->balancer->enter(candidates[i].member), .because = {}};
  }
  return std::nullopt;
}

/// False: there is none, nor room to wait for one; or it cannot take the request.
bool Exchange::ask_for_place() {
  chosen_at_ = engine_.loop().now();
  token_.reset();  // of another upstream, perhaps
  waited_for_token_ = false;
  const auto& gate = upstream().state->gate;
  Engine* engine = &engine_;
  const auto entry = gate->enter(
      place_,
      [engine, id = id_, turn = ++queue_turn_](policy::Place place) {
        // Any thread: the place travels to the exchange, or is given back where nobody waits for it any more.
        auto held = std::make_shared<policy::Place>(std::move(place));
        engine->loop().post([engine, id, turn, held] {
          if (Exchange* exchange = engine->find(id)) exchange->on_place(turn, std::move(*held));
        });
      },
      waiter_);
  switch (entry) {
    case policy::Gate::Entry::kEntered: return start_attempt();
    case policy::Gate::Entry::kFull: {
      Error error = make_error(Code::kQueueFull, "upstream '" + upstream().config->name + "' has " +
                                                     std::to_string(upstream().config->caps.in_flight) +
                                                     " exchanges in flight and its queue is full; try again shortly");
      error.retry_after = Milliseconds{1000};
      pass_over(std::move(error));
      return false;
    }
    case policy::Gate::Entry::kWaiting: {
      move(Happening::kQueue);
      const Milliseconds wait = upstream().config->caps.queue_wait;
      if (wait.count() != 0) queue_deadline_ = chosen_at_ + wait;
      rearm();
      return true;
    }
  }
  return false;
}

void Exchange::on_place(std::uint32_t turn, policy::Place place) {
  if (state_ != State::kQueued || turn != queue_turn_) return;  // `place` goes back by itself
  waiter_ = 0;
  queue_deadline_.reset();
  place_ = std::move(place);
  if (start_attempt()) return;
  move(Happening::kChoose);
  choose();
}

/// The chosen upstream has no room: it is entered into the ledger as passed over, and no candidate any more.
void Exchange::pass_over(Error refusal) {
  const TimePoint now = engine_.loop().now();
  Attempt& ledger = outcome_.attempts.emplace_back();
  ledger.upstream = upstream().config->name;
  ledger.model = decision_.choices[choice_].model;
  ledger.skipped = true;
  ledger.code = refusal.code;
  ledger.reason = refusal.message;
  ledger.started = chosen_at_ - started_;
  ledger.queued = now - chosen_at_;
  outcome_.queue_time += ledger.queued;
  load_.release();
  retries_->exclude(choice_);
  refusal_ = std::move(refusal);
}

/// Nobody can be asked (any more): the caller gets the failure there was, or the reason why nobody was asked at all.
void Exchange::nobody_left() {
  if (!failed_ && view_.operation == chat::Operation::kCountTokens && refusal_ && refusal_->code == Code::kUnsupportedOperation) return answer_count();
  if (failed_) {
    Failed failed = std::move(*failed_);
    return tell_failure(std::move(failed.error), failed.provider_text, failed.provider_status);
  }
  refuse(refusal_ ? std::move(*refusal_) : nobody_may_serve());
}

Error Exchange::nobody_may_serve() const {
  return make_error(Code::kNoBackendAvailable, "every upstream of route '" + outcome_.route + "' that serves this request has weight 0");
}

/// Why the model policy allows this upstream and, where there was a choice, why it was chosen.
std::string Exchange::why_chosen() const {
  std::string why = decision_.choices[choice_].why;
  const bool alone = because_.by == policy::ChosenBecause::By::kOnly && because_.tier == because_.lowest_tier;
  return alone ? why : why + "; " + because_.describe();
}

/// True while a failure of the attempt under way would not have to be the end: its answer is held back for so long.
bool Exchange::may_follow() const {
  return !committed_ && !passes_as_it_is() && upstream().config->repeatable && retries_->sends_left() > 1;
}

/// After a failed attempt. True: another follows, and what came of this one is forgotten.
bool Exchange::try_again(const Error& error, std::string_view provider_text, int provider_status) {
  if (committed_ || outcome_.attempts.empty() || attempt().skipped || passes_as_it_is()) return false;
  const auto kind = no_token_ ? std::optional(FailureKind::kConnection) : policy::classify(error.code, provider_status);
  if (!kind) return false;
  spent_ = route_->config->retry.attempts > 1;
  if (!upstream().config->repeatable && sent_) return false;  // it may have been carried out
  const TimePoint now = engine_.loop().now();
  policy::Failure failure{.kind = *kind, .sends = attempt().sends};
  failure.asked = no_token_ ? error.retry_after : policy::asked_wait(provider_status, error_head_, error_body_, engine_.core().clock().wall());
  const policy::NextStep step = retries_->failed(choice_, failure, now, engine_.random());
  if (step.kind == policy::NextStep::Kind::kGiveUp) return false;
  if (!route_->retry_budget->take(route_->config->retry.budget_percent, now)) {
    attempt().reason += "; the route has spent its retry budget";
    return false;
  }
  failed_ = Failed{error, std::string(provider_text), provider_status};
  reset_attempt();
  move(Happening::kChoose);
  same_again_ = step.kind == policy::NextStep::Kind::kAgain;
  if (same_again_) choice_ = step.candidate;
  wait_ = same_again_ ? step.wait : Duration::zero();  // another upstream is not waited for
  if (wait_ > Duration::zero()) {
    choose_at_ = now + wait_;
    rearm();
    return true;
  }
  // Not from inside a callback of the transfer that has just failed.
  choose_soon();
  return true;
}

void Exchange::choose_soon() {
  rearm();
  engine_.loop().defer([engine = &engine_, id = id_] {
    Exchange* exchange = engine->find(id);
    if (exchange != nullptr && exchange->state_ == State::kChoosing) exchange->choose();
  });
}

/// As before the first attempt, but for what the caller was given already: pings, and the head in front of them.
void Exchange::reset_attempt() {
  if (plugins_) plugins_->forget_answer();
  transfer_.reset();
  channel_.reset();
  place_.release();
  load_.release();
  connect_deadline_.reset();
  headers_deadline_.reset();
  first_delta_deadline_.reset();
  mode_ = Mode::kBytes;
  head_ = {};
  tap_.reset();
  events_.reset();
  translation_.reset();
  error_head_.clear();
  error_body_.clear();
  provider_request_id_.clear();
  run_ = {};
  patched_.clear();
  held_.clear();
  if (notes_) notes_->forget_answer();
  outcome_.deltas = 0;  // none of them was given
  outcome_.first_delta = {};
  no_token_ = another_token_ = false;
  stream_finished_ = stream_terminal_ = has_content_ = asked_for_usage_ = sent_ = false;
}

}  // namespace sluice::gateway
