// Attempts, heads, deltas and the end of an answer, each on its walk along the plugins that asked for it: what one leaves is
// what the next one sees, and observers come last. While a plugin is waited for, what comes later queues behind it.

#include <algorithm>

#include "plugin/run_state.hpp"

namespace sluice::plugin {
namespace {

constexpr std::size_t kHeldBytes = 64 * 1024;  // of deltas that wait, before the upstream is paused

bool is_empty(const Delta& delta) noexcept { return delta.text.empty() && delta.tool_name.empty(); }

}  // namespace

/// The queue is being moved; what comes in meanwhile goes to its end.
class RunState::Pumping {
 public:
  explicit Pumping(RunState& run) noexcept : run_(run), outer_(std::exchange(run.pumping_, true)) {}
  ~Pumping() { run_.pumping_ = outer_; }
  Pumping(const Pumping&) = delete;
  Pumping& operator=(const Pumping&) = delete;

 private:
  RunState& run_;
  const bool outer_;
};

Ruling RunState::attempt(std::string_view upstream, std::string_view model, std::uint32_t number, Headers& headers) {
  const Frame frame(*this);
  if (stopped_) return wait();
  give_up_answer();
  if (stopped_) return wait();
  if (chain_->at(Stage::kAttempt).empty()) return {};
  attempted_ = {std::string(upstream), std::string(model), number, &headers};
  return enter(Stage::kAttempt);
}

Ruling RunState::head(int status, Headers& headers) {
  const Frame frame(*this);
  if (stopped_) return wait();
  status_ = status;
  head_ = &headers;
  return enter(Stage::kHead);
}

Ruling RunState::answer_end() {
  const Frame frame(*this);
  return stopped_ ? wait() : enter(Stage::kAnswerEnd);
}

Ruling RunState::enter(Stage stage) {
  const bool behind_others = pumping_ || !queue_.empty();
  if (!behind_others && chain_->at(stage).empty()) return {};
  Held& own = queue_.emplace_back();
  own.stage = stage;
  return behind_others ? wait() : move_on(&own);
}

Ruling RunState::delta(Delta& delta) {
  const Frame frame(*this);
  if (stopped_) return wait();
  Walk walk{.stage = Stage::kDelta, .delta = &delta};
  if (pumping_ || !queue_.empty()) {
    hold(std::move(delta), walk);
    return wait();
  }
  Ruling ruling = advance(walk);
  if (stopped_ && ruling.kind == Ruling::Kind::kWait) return ruling;
  if (ruling.kind == Ruling::Kind::kWait) hold(std::move(delta), walk);
  if (ruling.kind == Ruling::Kind::kFail) stop();
  ruling.change = walk.change;
  return ruling;
}

/// Moves the queue as far as it goes. `own` is the walk that the exchange is told of by what this returns; of every other
/// one it is told by its Host.
Ruling RunState::move_on(const Held* own) {
  Ruling ruling = pump(own);
  if (ruling.kind == Ruling::Kind::kGoOn) let_upstream_go_on();
  return stopped_ && ruling.kind == Ruling::Kind::kGoOn ? wait() : ruling;
}

Ruling RunState::pump(const Held* own) {
  const Pumping pumping(*this);
  while (!queue_.empty()) {
    Held& first = queue_.front();
    const Stage stage = first.stage;
    Ruling ruling = advance(first);
    if (ruling.kind == Ruling::Kind::kWait) return ruling;
    if (ruling.kind == Ruling::Kind::kFail) {
      stop();
      if (own == nullptr) host_->on_ruling(stage, ruling);
      return ruling;
    }
    if (&first != &queue_.front() || !through(first)) continue;  // it has put something before itself, or goes one by one
    std::list<Held> done;
    done.splice(done.begin(), queue_, queue_.begin());
    held_bytes_ -= first.bytes;
    if (stage == Stage::kDelta) {
      host_->on_delta(first.kept, first.change);
    } else if (&first != own) {
      host_->on_ruling(stage, {});
    }
    if (stopped_) return wait();
  }
  return {};
}

bool RunState::through(const Walk& walk) const noexcept { return walk.at >= chain_->at(walk.stage).size(); }

/// Takes a walk along its plugins, as far as it goes; that of the end one plugin at a time, for what one adds goes first.
Ruling RunState::advance(Walk& walk) {
  const auto asked = chain_->at(walk.stage);
  while (walk.at < asked.size()) {
    if (walk.stage == Stage::kDelta && is_empty(*walk.delta)) {  // nothing is left that anybody could look at
      walk.at = asked.size();
      break;
    }
    const std::uint32_t index = asked[walk.at];
    Seat& seat = seats_[index];
    if (seat.session == nullptr) {
      if (seat.observer != nullptr) show_observer(index, walk);
      if (stopped_) return wait();
      ++walk.at;
      continue;
    }
    Context& context = begin(index, walk.stage);
    Verdict verdict = call_hook(seat, context, walk);
    if (stopped_) return wait();
    if (verdict.kind() == Verdict::Kind::kSuspend && context.taken_) {
      suspend(context);
      return wait();
    }
    Ruling ruling = settle_walk(walk, context, std::move(verdict));
    if (ruling.kind != Ruling::Kind::kGoOn || walk.stage == Stage::kAnswerEnd) return ruling;
  }
  return {};
}

Verdict RunState::call_hook(Seat& seat, Context& context, const Walk& walk) {
  return ask(context, [&]() -> Verdict {
    switch (walk.stage) {
      case Stage::kAttempt: return seat.session->on_attempt(context);
      case Stage::kHead: return seat.session->on_head(context);
      case Stage::kDelta:
        scratch_ = *walk.delta;  // into memory it has: nothing is allocated once it is as long as a delta is
        return seat.session->on_delta(context, scratch_);
      default: return seat.session->on_answer_end(context);
    }
  });
}

void RunState::show_observer(std::uint32_t index, const Walk& walk) {
  ObserverSession& observer = *seats_[index].observer;
  if (walk.stage == Stage::kHead) show(index, walk.stage, [&] { observer.on_head(view(), status_, headers_of(Stage::kHead)); });
  if (walk.stage == Stage::kDelta) show(index, walk.stage, [&] { observer.on_delta(view(), *walk.delta); });
}

/// The verdict of the hook a walk stands at is in.
Ruling RunState::settle_walk(Walk& walk, Context& context, Verdict verdict) {
  bool edited = false;
  if (walk.stage == Stage::kDelta && scratch_.text != walk.delta->text) {
    edited = context.entry().has(kWantsDeltaEdits);
    if (!edited) context.set_fault(own_failure(context, "changes deltas, and has not asked for kWantsDeltaEdits"));
  }
  if (!edited && verdict.kind() == Verdict::Kind::kContinue && context.quiet()) {  // the common case, in no time
    context.at_ = Context::At::kOutside;
    if (context.taken_) context.close();
    ++walk.at;
    return {};
  }
  verdict = weigh(context, std::move(verdict));
  edited = verdict.kind() == Verdict::Kind::kContinue && (edited || context.headers_ != nullptr || !context.emitted_.empty());
  if (edited && context.entry().mode == PluginMode::kEnforce) carry_out(walk, context);
  Ruling ruling = rule(context, verdict, edited);
  if (ruling.kind == Ruling::Kind::kGoOn) ++walk.at;
  return ruling;
}

void RunState::carry_out(Walk& walk, Context& context) {
  switch (walk.stage) {
    case Stage::kAttempt: *attempted_.headers = std::move(*context.headers_); break;
    case Stage::kHead: *head_ = std::move(*context.headers_); break;
    case Stage::kDelta:
      walk.delta->text.swap(scratch_.text);
      if (walk.change == Change::kNone) walk.change = Change::kEdited;
      break;
    default: insert_emitted(context); break;
  }
}

/// What a plugin adds at the end goes along those behind it, before they are told the end.
void RunState::insert_emitted(Context& context) {
  const auto asked = chain_->at(Stage::kDelta);
  const auto behind = static_cast<std::size_t>(std::upper_bound(asked.begin(), asked.end(), context.seat_) - asked.begin());
  const auto before = queue_.begin();  // the walk of the end
  for (Delta& delta : context.emitted_) {
    Held& held = *queue_.emplace(before);
    held.stage = Stage::kDelta;
    held.at = behind;
    held.kept = std::move(delta);
    held.delta = &held.kept;
    held.change = Change::kAdded;
  }
}

/// Keeps a delta that waits, or waits behind others.
void RunState::hold(Delta&& delta, const Walk& walk) {
  Held& held = queue_.emplace_back();
  static_cast<Walk&>(held) = walk;
  held.kept = std::move(delta);
  held.delta = &held.kept;
  held.bytes = sizeof(Held) + held.kept.text.size() + held.kept.tool_name.size();
  held_bytes_ += held.bytes;
  if (upstream_paused_ || held_bytes_ < kHeldBytes) return;
  upstream_paused_ = true;
  host_->pause_upstream();
}

/// Another attempt begins: what the last one left waiting reaches nobody.
void RunState::give_up_answer() {
  while (!suspended_.empty()) {
    const std::uint32_t seat = suspended_.back();
    end_suspension(seat);
    seats_[seat].context->close();
  }
  queue_.clear();
  held_bytes_ = 0;
  let_upstream_go_on();
}

void RunState::let_upstream_go_on() {
  if (std::exchange(upstream_paused_, false)) host_->resume_upstream();
}

}  // namespace sluice::plugin
