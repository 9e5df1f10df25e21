// The exchange: its life from begin() to the one on_end, and its deadlines. The order of the phases is here.

#include "gateway/exchange.hpp"

#include <algorithm>
#include <cassert>

#include "gateway/core.hpp"
#include "gateway/exchange_plugins.hpp"
#include "gateway/translation.hpp"

namespace sluice::gateway {

Exchange::Exchange(Engine& engine, std::uint64_t id, ExchangeListener& caller, std::shared_ptr<void> keep_alive)
    : engine_(engine),
      id_(id),
      caller_(&caller),
      keep_alive_(std::move(keep_alive)),
      snapshot_(engine.snapshot()),
      started_(engine.loop().now()),
      dialect_(&dialect::openai()),
      timer_([this] { on_timer(); }) {
  outcome_.id = engine.new_id();
  outcome_.started_at = engine.core().clock().wall();
}

Exchange::~Exchange() {
  engine_.core().give_body_bytes(budget_held_);
  if (counted_) engine_.core().give_exchange();
}

void Exchange::move(Happening what) {
  const State next = next_state(state_, what);
  assert(next != kIllegal);
  if (next != kIllegal) state_ = next;
}

bool Exchange::begin(RequestStart start) {
  if (Status head = receive_head(start); !head) {
    refuse(head.error());
    return false;
  }
  move(Happening::kHeadTaken);
  if (snapshot_->head_chain) authenticate();  // it may wait, while the body comes
  return state_ != State::kEnded;
}

void Exchange::body_whole(Body body) {
  if (state_ != State::kBody) return;
  outcome_.bytes_in = body.size();
  body_ = std::move(body);
  whole_body_ = true;
  body_done();
}

void Exchange::body_done() {
  if (state_ != State::kBody) return;
  move(Happening::kWhole);
  whole_at_ = engine_.loop().now();
  outcome_.receive_time = whole_at_ - started_ - (plugins_ ? plugins_->run.waited() : Duration{});
  if (!plugins_ || plugins_->head_judged) judge_request();
}

void Exchange::refuse(Error error) {
  const bool attempted = std::any_of(outcome_.attempts.begin(), outcome_.attempts.end(), [](const Attempt& one) { return !one.skipped; });
  if (attempted) return tell_failure(std::move(error), {}, 0);
  answer_error(error);
  end(Happening::kRefuse, Ending::kRefused, std::move(error));
}

/// How the caller wants its answer.
dialect::AnswerForm Exchange::answer_form() const noexcept {
  return {.operation = operation(),
          .usage = view_.usage_in_stream,
          .framing = recognised_.framing,
          .model = view_.model,
          .request = document_ ? &*document_ : nullptr};
}

/// What is wrong with its answer, with the upstream's name.
Error Exchange::of_upstream(Error error) const {
  if (plugins_) error = plugins_->unquoted(std::move(error));
  error.message = "upstream '" + upstream().config->name + "': " + error.message;
  return error;
}

/// The attempt under way, or the exchange as a whole, has failed: another attempt follows, or the caller is told.
void Exchange::fail_with(Error error, std::string_view provider_text, int provider_status) {
  mask_secret(error.message);  // it may quote the upstream
  transfer_.reset();
  if (!outcome_.attempts.empty() && attempt().reason.empty()) close_attempt(error.code, error.message);
  if (try_again(error, provider_text, provider_status)) return;
  tell_failure(std::move(error), provider_text, provider_status);
}

void Exchange::tell_failure(Error error, std::string_view provider_text, int provider_status) {
  give_the_rest();
  if (!head_given_) {
    answer_error(error, provider_text, provider_status);
  } else if (as_stream_) {
    give(early_end(error, {provider_request_id_, provider_text, provider_status}, false));
  }
  end(Happening::kFail, Ending::kFailed, std::move(error));
}

void Exchange::cancel() {
  if (state_ == State::kEnded) return;
  transfer_.reset();
  // Who leaves after the stream has said it is over has had everything.
  const bool had_all = (stream_terminal_ || stream_finished_) && !holds_end();
  if (!outcome_.attempts.empty() && attempt().reason.empty()) {
    close_attempt(had_all ? Code::kOk : Code::kCancelled, had_all ? "completed" : "the caller left");
  }
  if (had_all) return end(Happening::kCancel, Ending::kCompleted, std::nullopt);
  end(Happening::kCancel, Ending::kCancelled, make_error(Code::kCancelled, "the caller left"));
}

void Exchange::abandon(Error error) {
  if (state_ == State::kEnded) return;
  fail_with(std::move(error));
}

void Exchange::pause_answer() {
  if (paused_ || state_ == State::kEnded) return;
  paused_ = true;
  settle_pause();
}

void Exchange::resume_answer() {
  if (!paused_ || state_ == State::kEnded) return;
  paused_ = false;
  last_read_ = last_given_ = engine_.loop().now();  // silence that the caller asked for is not the upstream's
  settle_pause();
  if (state_ != State::kEnded) rearm();
}

/// The upstream sends while both want bytes: the caller, and the plugins that look at them first.
void Exchange::settle_pause() {
  const bool pause = paused_ || (plugins_ && plugins_->pauses());
  if (!transfer_ || pause == transfer_paused_) return;
  transfer_paused_ = pause;
  if (pause) return transfer_->pause();
  last_read_ = engine_.loop().now();
  transfer_->resume();
}

/// Whether it is the upstream that is silent.
bool Exchange::waits_for_bytes() const noexcept {
  return state_ == State::kAnswering && idle_limit_.count() != 0 && !paused_ && !(plugins_ && plugins_->busy());
}

void Exchange::end(Happening how, Ending ending, std::optional<Error> error) {
  settle_times();
  move(how);
  engine_.loop().disarm(timer_);
  transfer_.reset();
  if (waiter_ != 0) upstream().state->gate->leave_queue(std::exchange(waiter_, 0));
  place_.release();
  load_.release();
  engine_.core().give_body_bytes(std::exchange(budget_held_, 0));
  if (std::exchange(counted_, false)) engine_.core().give_exchange();
  if (plugins_) {
    plugins_->calls.cancel();
    plugins_->run.account(outcome_);
  }
  close_account(ending, std::move(error));
  const auto keep_alive = std::move(keep_alive_);
  std::exchange(caller_, nullptr)->on_end(outcome_);
  if (plugins_) plugins_->run.finish(outcome_);
  if (const auto& report = engine_.core().options().on_outcome) report(outcome_);
  if (const auto& log = engine_.core().access_log()) {
    log(outcome_, {.method = method_, .path = target_.path, .client_address = client_address_, .mask = *snapshot_->mask});
  }
  tell_event();
  engine_.retire(*this);
}

const CompiledUpstream& Exchange::upstream() const {
  return snapshot_->upstreams[route_->upstreams[decision_.choices[choice_].target]];
}

// One timer for all deadlines, armed for the nearest. Reads push the idle deadline back without touching the heap: the
// timer fires early then, finds nothing due, and is armed again.
void Exchange::rearm() {
  std::optional<TimePoint> nearest = total_deadline_;
  const auto consider = [&nearest](const std::optional<TimePoint>& at) {
    if (at && (!nearest || *at < *nearest)) nearest = at;
  };
  consider(choose_at_);
  consider(queue_deadline_);
  consider(connect_deadline_);
  consider(headers_deadline_);
  consider(first_delta_deadline_);
  if (waits_for_bytes()) consider(last_read_ + idle_limit_);
  consider(ping_due());
  if (plugins_ && !plugins_->timing_out) consider(plugins_->run.next_deadline());
  if (!nearest) return engine_.loop().disarm(timer_);
  if (!timer_.armed() || timer_.deadline() > *nearest) engine_.loop().arm(timer_, *nearest);
}

void Exchange::on_timer() {
  if (state_ == State::kEnded) return;
  const TimePoint now = engine_.loop().now();
  const auto due = [now](const std::optional<TimePoint>& at) { return at && *at <= now; };
  const auto timed_out = [this](Code code, const char* what, Milliseconds limit) {
    fail_with(make_error(code, "upstream '" + upstream().config->name + "': " + what + " within " + std::to_string(limit.count()) + " ms"));
  };
  const bool silent = waits_for_bytes() && last_read_ + idle_limit_ <= now;
  if (stream_terminal_ && !holds_end() && (silent || due(total_deadline_))) {
    // The stream has said it is over: an upstream that does not end its body takes nothing from that.
    transfer_.reset();
    return complete();
  }
  if (due(total_deadline_)) {
    const auto limit = std::chrono::duration_cast<Milliseconds>(*total_deadline_ - started_);
    const std::string waiting = waits_for_token_ ? "; it waited for a token of upstream '" + upstream().config->name + "'" : std::string();
    return fail_with(make_error(Code::kTotalTimeout, "the exchange was not over within its " + std::to_string(limit.count()) + " ms" + waiting));
  }
  if (plugins_) {
    if (!plugins_->timing_out && due(plugins_->run.next_deadline())) time_out_plugins();
    if (state_ < State::kChoosing) return rearm();  // no upstream is chosen yet
  }
  const auto& limits = upstream().config->timeouts;
  if (due(choose_at_)) return choose();
  if (due(queue_deadline_)) {
    Error error = make_error(Code::kQueueTimeout, "no place at upstream '" + upstream().config->name + "' came free within " +
                                                      std::to_string(upstream().config->caps.queue_wait.count()) + " ms");
    error.retry_after = Milliseconds{1000};
    // A place may be on its way here already: it is let go when it comes, since nobody waits for it any more.
    upstream().state->gate->leave_queue(std::exchange(waiter_, 0));
    queue_deadline_.reset();
    move(Happening::kChoose);
    pass_over(std::move(error));
    return choose();
  }
  if (due(connect_deadline_)) return timed_out(Code::kConnectTimeout, "no connection", limits.connect);
  if (due(headers_deadline_)) return timed_out(Code::kHeadersTimeout, "no head of an answer", limits.headers);
  if (due(first_delta_deadline_)) return timed_out(Code::kFirstDeltaTimeout, "no content", limits.first_delta);
  if (silent) return timed_out(Code::kIdleTimeout, "no bytes of the answer", limits.idle);
  if (due(ping_due())) ping();
  if (state_ == State::kEnded) return;  // the caller left while it was told
  rearm();
}

}  // namespace sluice::gateway
