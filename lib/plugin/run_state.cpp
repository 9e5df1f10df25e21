// The life of a run: sessions opened, waited for and told the end; what comes by mail; and how it ends in the middle of
// itself. What a verdict is worth, and which hook comes next, is elsewhere.

#include "plugin/run_state.hpp"

#include <algorithm>

namespace sluice::plugin {

/// The host is inside call(): what is answered now is heard later.
class RunState::Calling {
 public:
  explicit Calling(RunState& run) noexcept : run_(run), outer_(std::exchange(run.calling_, true)) {}
  ~Calling() { run_.calling_ = outer_; }
  Calling(const Calling&) = delete;
  Calling& operator=(const Calling&) = delete;

 private:
  RunState& run_;
  const bool outer_;
};

RunState::~RunState() {
  // First: a session that goes may let a Resumer go, whose message shall find nobody.
  if (anchor_ != nullptr) anchor_->run = nullptr;
}

void RunState::release() noexcept {
  host_ = nullptr;
  stop();
  orphaned_ = true;
  if (frames_ == 0) unwind();
}

void RunState::unwind() noexcept {
  if (const auto outcome = std::move(put_off_)) tell_the_end(*outcome);
  if (orphaned_) delete this;
}

void RunState::stop() noexcept {
  if (stopped_) return;
  if (host_ != nullptr) waited_ = waited();
  suspended_.clear();
  deadline_.reset();
  stopped_ = true;
}

void RunState::account(Outcome& outcome) {
  if (std::exchange(accounted_, true)) return;
  if (!stopped_) record_leftovers();
  stop();
  outcome.plugin_time += waited_;
  std::vector<PluginVerdict> verdicts = ledger_.take();
  outcome.verdicts.insert(outcome.verdicts.end(), std::make_move_iterator(verdicts.begin()), std::make_move_iterator(verdicts.end()));
}

/// What was found outside of any hook, or by one that was never judged.
void RunState::record_leftovers() {
  for (Seat& seat : seats_) {
    if (seat.context == nullptr || (seat.context->found_.empty() && seat.context->fault_ == nullptr)) continue;
    (void)rule(*seat.context, weigh(*seat.context, Verdict::go_on()), false);
  }
}

void RunState::finish(const Outcome& outcome) {
  const Frame frame(*this);
  stop();
  if (std::exchange(finished_, true)) return;
  if (inside_ == 0) return tell_the_end(outcome);
  put_off_ = std::make_unique<const Outcome>(outcome);  // the hook that is on the stack comes first: hooks never overlap
}

void RunState::tell_the_end(const Outcome& outcome) noexcept {
  for (Seat& seat : seats_) {
    if (seat.session != nullptr) seat.session->on_finish(outcome);
    if (seat.observer != nullptr) seat.observer->on_finish(outcome);
  }
}

Duration RunState::waited() const noexcept {
  return suspended_.empty() ? waited_ : waited_ + (host_->now() - since_);
}

const std::shared_ptr<Post>& RunState::post() {
  if (post_ == nullptr) post_ = host_->post();
  return post_;
}

const std::shared_ptr<Anchor>& RunState::anchor() {
  if (anchor_ == nullptr) anchor_ = std::make_shared<Anchor>(Anchor{this});
  return anchor_;
}

Ruling RunState::open_sessions(std::size_t upto) {
  seats_.reserve(chain_->size());
  while (seats_.size() < upto) {
    const auto index = static_cast<std::uint32_t>(seats_.size());
    const Chain::Entry& entry = (*chain_)[index];
    Seat& seat = seats_.emplace_back();
    if (entry.observer != nullptr) {
      show(index, stage_, [&] { seat.observer = entry.observer->open(SealedView(view())); });
      if (stopped_) return wait();
      continue;
    }
    if (foreign([&] { seat.session = entry.plugin->open(view()); })) {
      if (stopped_) return wait();
      continue;
    }
    if (stopped_) return wait();
    Context& context = begin(index, stage_);
    note_thrown(context, "open");
    if (Ruling ruling = rule(context, weigh(context, Verdict::go_on()), false); ruling.kind != Ruling::Kind::kGoOn) return ruling;
  }
  return {};
}

Context& RunState::begin(std::uint32_t index, Stage stage) {
  Seat& seat = seats_[index];
  if (seat.context == nullptr) seat.context = std::make_unique<Context>(*this, index);
  Context& context = *seat.context;
  context.stage_ = stage;
  context.at_ = Context::At::kInside;
  context.number_ = ++hooks_;
  return context;
}

void RunState::note_thrown(Context& context, std::string_view where) {
  const std::string hook = where == "open" ? "open" : "on_" + std::string(where);
  context.set_fault(own_failure(context, "threw in " + hook));
  context.thrown_ = thrown_;
}

void RunState::suspend(Context& context) {
  context.at_ = Context::At::kSuspended;
  context.began_ = host_->now();
  if (suspended_.empty()) since_ = context.began_;
  suspended_.push_back(context.seat_);
  const auto timeout = context.entry().timeout;
  if (timeout.count() == 0) return;
  context.deadline_ = context.began_ + timeout;
  if (deadline_ && *deadline_ <= *context.deadline_) return;
  deadline_ = context.deadline_;
  host_->deadline_changed();
}

void RunState::end_suspension(std::uint32_t seat) noexcept {
  const auto there = std::find(suspended_.begin(), suspended_.end(), seat);
  if (there == suspended_.end()) return;
  const Duration all = waited();
  suspended_.erase(there);
  if (suspended_.empty()) waited_ = all;
  deadline_.reset();
  for (const std::uint32_t other : suspended_) {
    const auto& at = seats_[other].context->deadline_;
    if (at && (!deadline_ || *at < *deadline_)) deadline_ = at;
  }
}

Context* RunState::suspended_at(Suspension where) noexcept {
  Context* const context = seats_[where.seat].context.get();
  return context != nullptr && context->at_ == Context::At::kSuspended && context->number_ == where.number ? context : nullptr;
}

/// The verdict of a hook that had suspended is in: the stage goes on from there, and tells the host what comes of it.
void RunState::settle(Context& context, Verdict verdict) {
  context.took_ = host_->now() - context.began_;
  context.at_ = Context::At::kSettled;
  end_suspension(context.seat_);
  const bool of_request = context.stage_ == Stage::kRequest || context.stage_ == Stage::kAuthenticate;
  if (!of_request) {
    const Stage stage = context.stage_;
    const Ruling ruling = settle_walk(queue_.front(), context, std::move(verdict));
    if (ruling.kind == Ruling::Kind::kGoOn) {
      (void)move_on(nullptr);
    } else {
      stop();
      host_->on_ruling(stage, ruling);
    }
    return;
  }
  context.verdict_ = weigh(context, std::move(verdict));
  const Ruling ruling = advance_request();
  if (ruling.kind != Ruling::Kind::kWait) host_->on_ruling(stage_, ruling);
}

void RunState::resumed(Suspension where, const Verdict& verdict, const std::function<void()>& edit) {
  const Frame frame(*this);
  if (stopped_) return;
  Context* const context = suspended_at(where);
  if (context == nullptr) return count(Count::kIgnoredResume, where.seat);
  if (edit) {
    if (!foreign(edit) && !stopped_) note_thrown(*context, hook_name(context->stage_));
    if (stopped_) return;
  }
  settle(*context, verdict);
}

void RunState::let_go(Suspension where) {
  const Frame frame(*this);
  Context* const context = stopped_ ? nullptr : suspended_at(where);
  if (context == nullptr) return;  // it was taken for nothing, which is allowed
  settle(*context, Verdict::fail(own_failure(*context, "suspended and let its Resumer go unused")));
}

void RunState::on_time(TimePoint now) {
  const Frame frame(*this);
  while (!stopped_ && deadline_ && *deadline_ <= now) {
    Context* due = nullptr;  // of those that are, the first of the chain: what comes of it is the same on every run
    for (const std::uint32_t seat : suspended_) {
      Context* const context = seats_[seat].context.get();
      if (context->deadline_ && *context->deadline_ <= now && (due == nullptr || seat < due->seat_)) due = context;
    }
    if (due == nullptr) return;
    Error error = make_error(Code::kPluginTimeout, "plugin '" + std::string(due->entry().name) + "' did not answer within " +
                                                       std::to_string(due->entry().timeout.count()) + " ms in on_" +
                                                       std::string(hook_name(due->stage_)));
    settle(*due, Verdict::fail(std::move(error)));
  }
}

void RunState::call(std::uint32_t seat, std::string_view upstream, Request request, CallBounds bounds, Done done) {
  (void)post();  // asked for while there is a host: an answer that comes inside this call needs it
  const Calling calling(*this);
  host_->call(entry(seat).name, upstream, std::move(request), bounds,
              [anchor = anchor(), seat, done = std::make_shared<Done>(std::move(done))](Result<CallAnswer> answer) {
                if (anchor->run != nullptr) anchor->run->answered(seat, done, std::move(answer));
              });
}

void RunState::answered(std::uint32_t seat, const std::shared_ptr<Done>& done, Result<CallAnswer> answer) {
  const Frame frame(*this);
  if (stopped_) return;
  if (calling_) {
    auto kept = std::make_shared<Result<CallAnswer>>(std::move(answer));
    return post_->post([anchor = anchor_, seat, done, kept] {
      if (anchor->run != nullptr) anchor->run->answered(seat, done, std::move(*kept));
    });
  }
  const Done tell = std::exchange(*done, nullptr);  // once
  if (!tell || foreign([&] { tell(std::move(answer)); }) || stopped_) return;
  // It threw. Where its hook waits for it, nobody else will come; otherwise the next hook fails with it.
  Context& context = *seats_[seat].context;
  context.set_fault(own_failure(context, "threw when its call was answered"));
  context.thrown_ = thrown_;
  if (context.at_ == Context::At::kSuspended) settle(context, Verdict::go_on());
}

}  // namespace sluice::plugin
