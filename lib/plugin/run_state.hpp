#pragma once
/// What a Run is made of: the sessions of one exchange, and how far each of them is. Knows the order of hooks; must not know
/// what a hook is for. run_state.cpp has its life and its waiting, judgement.cpp what a verdict is worth, request_stage.cpp
/// and answer_stage.cpp the hooks before and after an attempt is made.
///
/// It is safe to end in the middle of itself. Every way in is a Frame; whoever stops the run from inside one, by ending or
/// destroying the exchange, only marks it; whatever ran a plugin's or the host's code looks at the mark before it touches
/// anything; and the outermost frame does what was put off: on_finish, and the deletion.

#include <array>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugin/context.hpp"
#include "plugin/ledger.hpp"
#include "plugin/resumer.hpp"
#include "plugin/run.hpp"
#include "plugin/sealed_view.hpp"

namespace sluice::plugin {

class RunState {
 public:
  explicit RunState(Host& host) noexcept : host_(&host) {}
  RunState(const RunState&) = delete;
  RunState& operator=(const RunState&) = delete;
  /// The Run goes, and its host with it; this goes too, as soon as it can.
  void release() noexcept;

  // As Run says.

  [[nodiscard]] Ruling authenticate(const std::shared_ptr<const Chain>& chain);
  [[nodiscard]] Ruling request(const std::shared_ptr<const Chain>& chain);
  [[nodiscard]] Ruling attempt(std::string_view upstream, std::string_view model, std::uint32_t number, Headers& headers);
  [[nodiscard]] Ruling head(int status, Headers& headers);
  [[nodiscard]] Ruling delta(Delta& delta);
  [[nodiscard]] Ruling answer_end();
  [[nodiscard]] bool waiting() const noexcept { return !suspended_.empty(); }
  [[nodiscard]] std::optional<TimePoint> next_deadline() const noexcept { return deadline_; }
  void on_time(TimePoint now);
  void stop() noexcept;
  void account(Outcome& outcome);
  [[nodiscard]] Duration waited() const noexcept;
  void finish(const Outcome& outcome);

  // By mail, on the exchange's thread: what Resumers and calls have to say.

  void resumed(Suspension where, const Verdict& verdict, const std::function<void()>& edit);
  void let_go(Suspension where);
  using Done = std::function<void(Result<CallAnswer>)>;
  void answered(std::uint32_t seat, const std::shared_ptr<Done>& done, Result<CallAnswer> answer);

  // What a Context reads of its run, and asks of the host.

  struct Attempted {
    std::string upstream, model;
    std::uint32_t number = 0;
    Headers* headers = nullptr;
  };
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }
  [[nodiscard]] bool gone() const noexcept { return host_ == nullptr; }
  [[nodiscard]] const Chain::Entry& entry(std::uint32_t seat) const noexcept { return (*chain_)[seat]; }
  [[nodiscard]] const ExchangeView& view() const noexcept { return gone() ? gone_ : host_->view(); }
  [[nodiscard]] const Attempted& attempted() const noexcept { return attempted_; }
  [[nodiscard]] int status() const noexcept { return status_; }
  /// What the host lent for the stage it is at: kAttempt or kHead.
  [[nodiscard]] const Headers& headers_of(Stage stage) const noexcept { return stage == Stage::kAttempt ? *attempted_.headers : *head_; }
  [[nodiscard]] const Headers& no_headers() const noexcept { return gone_.headers(); }
  [[nodiscard]] std::unique_ptr<RequestDraft> draft(std::uint32_t seat) { return host_->draft(entry(seat).name); }
  [[nodiscard]] bool owns_header(Stage stage, std::string_view name) const noexcept { return host_->owns_header(stage, name); }
  [[nodiscard]] const std::shared_ptr<Post>& post();
  [[nodiscard]] const std::shared_ptr<Anchor>& anchor();
  void count(Count what, std::uint32_t seat) noexcept { if (!stopped_) host_->count(what, entry(seat).name); }
  void call(std::uint32_t seat, std::string_view upstream, Request request, CallBounds bounds, Done done);

 private:
  /// One entry's part in this exchange; neither session where it had no business here.
  struct Seat {
    std::unique_ptr<PluginSession> session;
    std::unique_ptr<ObserverSession> observer;
    std::unique_ptr<Context> context;  // from the first hook of `session` on
  };
  /// Something on its way along those who are asked at its stage.
  struct Walk {
    Stage stage;
    std::size_t at = 0;                // among those who are asked
    Delta* delta = nullptr;            // kDelta
    Change change = Change::kNone;
  };
  /// A walk that waits, or that others wait behind.
  struct Held : Walk {
    Delta kept;
    std::size_t bytes = 0;
  };
  class Frame;
  class Inside;
  class Calling;
  class Pumping;

  ~RunState();
  [[nodiscard]] static Ruling wait() { return {.kind = Ruling::Kind::kWait}; }
  void unwind() noexcept;

  // Sessions.
  [[nodiscard]] Ruling open_sessions(std::size_t upto);
  [[nodiscard]] Context& begin(std::uint32_t seat, Stage stage);
  void tell_the_end(const Outcome& outcome) noexcept;
  void record_leftovers();

  // A plugin's code.
  template <typename Code>
  [[nodiscard]] bool foreign(Code&& code);
  template <typename Hook>
  [[nodiscard]] Verdict ask(Context& context, Hook&& hook);
  template <typename Hook>
  void show(std::uint32_t seat, Stage stage, Hook&& hook);
  void note_thrown(Context& context, std::string_view where);

  // Waiting.
  void suspend(Context& context);
  void end_suspension(std::uint32_t seat) noexcept;
  [[nodiscard]] Context* suspended_at(Suspension where) noexcept;
  void settle(Context& context, Verdict verdict);

  // Judgement.
  [[nodiscard]] Error own_failure(const Context& context, std::string_view what) const;
  [[nodiscard]] Verdict weigh(const Context& context, Verdict verdict) const;
  [[nodiscard]] bool decides(const Context& context, const Verdict& weighed) const noexcept;
  [[nodiscard]] Ruling rule(Context& context, const Verdict& weighed, bool edited);

  // Request stage.
  [[nodiscard]] Ruling advance_request();
  void start_group();
  [[nodiscard]] bool start(std::uint32_t seat);
  [[nodiscard]] Ruling judge_request(Context& context);
  void overrule_rest(std::span<const std::uint32_t> asked);

  // Answer stage.
  [[nodiscard]] Ruling enter(Stage stage);
  [[nodiscard]] Ruling move_on(const Held* own);
  [[nodiscard]] Ruling pump(const Held* own);
  [[nodiscard]] Ruling advance(Walk& walk);
  [[nodiscard]] Verdict call_hook(Seat& seat, Context& context, const Walk& walk);
  void show_observer(std::uint32_t seat, const Walk& walk);
  [[nodiscard]] Ruling settle_walk(Walk& walk, Context& context, Verdict verdict);
  void carry_out(Walk& walk, Context& context);
  void insert_emitted(Context& context);
  [[nodiscard]] bool through(const Walk& walk) const noexcept;
  void hold(Delta&& delta, const Walk& walk);
  void give_up_answer();
  void let_upstream_go_on();

  Host* host_;                          // null once the Run is gone
  std::shared_ptr<const Chain> chain_;
  std::vector<Seat> seats_;             // as the chain's entries, as far as they were opened
  const SealedView gone_;
  Ledger ledger_;
  std::shared_ptr<Post> post_;
  std::shared_ptr<Anchor> anchor_;
  std::uint64_t hooks_ = 0;             // that were begun
  std::string thrown_;                  // by the last piece of foreign code that threw

  // Its end.
  std::uint32_t frames_ = 0, inside_ = 0;   // on the stack: ways in, and pieces of plugins' code
  bool stopped_ = false, accounted_ = false, finished_ = false, orphaned_ = false, calling_ = false;
  std::unique_ptr<const Outcome> put_off_;  // finish() was called inside a hook

  // Waiting.
  std::vector<std::uint32_t> suspended_;    // seats
  std::optional<TimePoint> deadline_;
  TimePoint since_{};                       // when the first of them began
  Duration waited_{};

  // Request stage: [judged_, started_) have begun, up to end_ are asked.
  Stage stage_ = Stage::kRequest;
  bool authenticated_ = false;
  std::size_t judged_ = 0, started_ = 0, end_ = 0;

  // Answer stage: while one walk waits, it is the first of queue_.
  std::list<Held> queue_;
  std::size_t held_bytes_ = 0;
  bool pumping_ = false, upstream_paused_ = false;
  Delta scratch_;                           // what hooks see of a delta; of what they change, the text is taken over
  Attempted attempted_;
  int status_ = 0;
  Headers* head_ = nullptr;
};

/// A way into the run; the outermost one does what was put off.
class RunState::Frame {
 public:
  explicit Frame(RunState& run) noexcept : run_(run) { ++run_.frames_; }
  ~Frame() {
    if (--run_.frames_ == 0 && (run_.put_off_ != nullptr || run_.orphaned_)) run_.unwind();
  }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

 private:
  RunState& run_;
};

/// A piece of a plugin's code is on the stack.
class RunState::Inside {
 public:
  explicit Inside(RunState& run) noexcept : run_(run) { ++run_.inside_; }
  ~Inside() { --run_.inside_; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  RunState& run_;
};

/// Runs code of a plugin's. False: it threw, and thrown_ says what. The one place where that is caught.
template <typename Code>
bool RunState::foreign(Code&& code) {
  const Inside inside(*this);
  try {
    code();
    return true;
  } catch (const std::exception& thrown) {
    thrown_.assign(std::string_view(thrown.what()).substr(0, 256));
  } catch (...) {
    thrown_.assign("something that is no std::exception");
  }
  return false;
}

/// Runs one hook. What it throws is a fault of its context, which weigh() sees.
template <typename Hook>
Verdict RunState::ask(Context& context, Hook&& hook) {
  Verdict verdict = Verdict::go_on();
  if (!foreign([&] { verdict = hook(); }) && !stopped_) note_thrown(context, hook_name(context.stage_));
  return verdict;
}

/// Runs a hook of an observer's: what it throws is written down, and that is all.
template <typename Hook>
void RunState::show(std::uint32_t seat, Stage stage, Hook&& hook) {
  if (foreign(hook) || stopped_) return;
  count(Count::kError, seat);
  const Error error = make_error(Code::kPluginError, "observer '" + std::string(entry(seat).name) + "' threw in on_" + std::string(hook_name(stage)));
  const std::size_t lost = ledger_.add(
      {.entry = entry(seat), .seat = seat, .stage = stage, .verdict = "error", .failed_open = true, .error = &error, .thrown = thrown_});
  if (lost != 0) count(Count::kUnrecorded, seat);
}

}  // namespace sluice::plugin
