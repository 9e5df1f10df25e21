#pragma once
/// The plugins of one exchange at work: opens their sessions, runs their hooks in order, waits for those that suspend,
/// and tells the exchange what comes out. Knows plugins and time as it is told; must not know wires, dialects or upstreams.
///
/// How an exchange uses it. It is the Host, holds a Run as a member, and feeds one function with everything that is ruled:
///
///   begin()          on_ruling(Stage::kAuthenticate, plugins_.authenticate(snapshot_->chain));   // then the body may come
///   body_done()      receive_body(), route(), then
///                    on_ruling(Stage::kRequest, plugins_.request(route_->chain));                // then forward()
///   start_attempt()  on_ruling(Stage::kAttempt, plugins_.attempt(to.name, model, n, wire_.headers));   // then it is sent
///   open_answer()    on_ruling(Stage::kHead, plugins_.head(head_.status, head_.headers));        // then it is given;
///                    kWait: bytes that nobody wants decoded are the exchange's own to keep, or their upstream's to pause
///   stream_event()   where route_->chain->wants(kWantsDeltas), and nowhere else, the event is decoded; for each delta
///                      const Ruling ruling = plugins_.delta(delta);
///                      ruling.kind == Ruling::Kind::kGoOn ? give(delta, ruling.change) : on_ruling(Stage::kDelta, ruling);
///                    kWait: the run has it, and on_delta() gives it back, one for each, in order. While plugins_.waiting(),
///                    events without a delta are kept too, behind those that have one.
///   end_stream()     on_ruling(Stage::kAnswerEnd, plugins_.answer_end());    // text that was held back comes by on_delta()
///   rearm()          consider(plugins_.next_deadline());          on_timer()    plugins_.on_time(now);
///   end()            plugins_.account(outcome_);  caller_->on_end(outcome_);  plugins_.finish(outcome_);
///
///   void Exchange::on_ruling(Stage stage, const Ruling& ruling) {   // of the Host too: where a stage had to wait
///     switch (ruling.kind) {
///       case Ruling::Kind::kWait: return;                           // it comes here again
///       case Ruling::Kind::kReply: return answer(ruling.verdict.reply(), ruling.plugin);
///       case Ruling::Kind::kFail: return plugin_fails(ruling.verdict.error(), ruling.plugin);
///       case Ruling::Kind::kGoOn: break;
///     }
///     ... what comes after `stage`
///   }

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mailbox.hpp"
#include "plugin/chain.hpp"
#include "sluice/outcome.hpp"
#include "sluice/plugin.hpp"

namespace sluice::plugin {

/// The way onto one exchange's thread. Outlives exchange, engine and gateway, for Resumers do. Thread: any.
class Post {
 public:
  virtual ~Post() = default;
  /// Runs `task` on that thread, soon, not inside this call and not inside a hook; or drops it, where the thread is no
  /// more. Dropped or done, a task is destroyed under no lock of the post's: what it holds may post again.
  virtual void post(base::Task task) = 0;
};

/// The request as one hook changes it: a version to be, made by the host on the first change. It is published where the
/// hook goes on and is in force, and destroyed unpublished otherwise; its destructor must not need the host.
class RequestDraft {
 public:
  virtual ~RequestDraft() = default;
  [[nodiscard]] virtual const ExchangeView& view() const noexcept = 0;   ///< with the changes so far

  // As RequestContext says; `choose` alone for kRoute plugins that did not ask for kWantsRequestEdits.

  [[nodiscard]] virtual Status set_header(std::string_view name, std::string_view value) = 0;
  virtual void remove_header(std::string_view name) = 0;
  [[nodiscard]] virtual Status set_body(std::string body) = 0;
  [[nodiscard]] virtual Status set_json(std::string_view pointer, std::string_view json) = 0;
  [[nodiscard]] virtual Status remove_json(std::string_view pointer) = 0;
  [[nodiscard]] virtual Status set_prompt_text(std::size_t part, std::string_view text) = 0;
  [[nodiscard]] virtual Status choose(std::vector<RouteChoice> choices) = 0;

  /// This version is the request from now on; the view of the host shows it. Errors: what makes it no request any more;
  /// the hook has failed then, and the version before stays.
  [[nodiscard]] virtual Status publish() = 0;
};

/// What became of a delta on its way through the plugins.
enum class Change : std::uint8_t {
  kNone,    ///< it is as it came
  kEdited,  ///< its text is another; empty: it is held back
  kAdded,   ///< a plugin adds it: it belongs to no delta that came
};

/// What the plugins of a stage have come to, together.
struct Ruling {
  enum class Kind : std::uint8_t {
    kGoOn,
    /// A plugin is waited for: Host::on_ruling says the rest, for a delta Host::on_delta. Also where the run was stopped
    /// meanwhile; nothing follows then.
    kWait,
    kReply,  ///< kAuthenticate and kRequest only. Deltas of the reply may be sent through the run like those of an answer
    kFail,   ///< nothing runs any more but finish(). Whether it is before or after the commit, the host knows
  };
  Kind kind = Kind::kGoOn;
  Change change = Change::kNone;           ///< kDelta only
  std::string_view plugin = {};            ///< who replies or fails. Lifetime: the chain's
  Verdict verdict = Verdict::go_on();      ///< kReply: reply(); kFail: error()
};

/// What is counted beside the verdicts.
enum class Count : std::uint8_t {
  kError,         ///< a plugin erred, threw or broke a rule
  kTimeout,       ///< a plugin did not answer in time
  kFailedOpen,    ///< of these two: the exchange went on all the same
  kIgnoredResume, ///< a Resumer was used again, or too late, or although its hook had not suspended
  kUnrecorded,    ///< a verdict or a detection that the full ledger did not take
};

/// What a run asks of its exchange. Everything is called on the exchange's thread. Inside on_ruling, on_delta and
/// resume_upstream the exchange may do what it likes: call the next stage, end, destroy the run.
class Host {
 public:
  [[nodiscard]] virtual const ExchangeView& view() const noexcept = 0;
  [[nodiscard]] virtual TimePoint now() const noexcept = 0;
  /// Asked once, by the first hook that takes a Resumer or makes a call.
  [[nodiscard]] virtual std::shared_ptr<Post> post() = 0;
  [[nodiscard]] virtual std::unique_ptr<RequestDraft> draft(std::string_view plugin) = 0;
  /// Whether a header field is the gateway's own at `stage` (kAttempt, kHead): framing, credentials. Plugins leave it alone.
  [[nodiscard]] virtual bool owns_header(Stage stage, std::string_view name) const noexcept = 0;
  /// Sends a plugin's request, as HookContext::call says, books it, and cancels it with the exchange. `done` may be called
  /// inside: the plugin hears of it later all the same. After stop() it does nothing.
  virtual void call(std::string_view plugin, std::string_view upstream, Request request, CallBounds bounds,
                    std::function<void(Result<CallAnswer>)> done) = 0;
  /// The deltas that wait for a plugin are 64 KiB: no more of them, please. Always before resume_upstream.
  virtual void pause_upstream() = 0;
  /// None of them waits any more. The last thing a run does before it returns: deltas may come inside this call.
  virtual void resume_upstream() = 0;
  virtual void count(Count what, std::string_view plugin) noexcept = 0;
  /// next_deadline() is another: sooner, or there at all. A timer is armed here and nothing else is done.
  virtual void deadline_changed() = 0;

  /// A stage that had to wait is through, or a delta that waited has ended the exchange (kFail).
  virtual void on_ruling(Stage stage, const Ruling& ruling) = 0;
  /// A delta that had to wait, or was added. May be moved from.
  virtual void on_delta(Delta& delta, Change change) = 0;

 protected:
  ~Host() = default;
};

class RunState;

/// One for each exchange. It may be stopped or destroyed at any moment, inside a hook and inside any call to its host too:
/// its insides live on until the last of their own frames has returned, and touch nobody then. A host that destroys itself
/// inside a hook must leave its view standing until that hook has returned.
/// Thread: the exchange's. A stage begins when the one before is through; none is called inside a hook.
class Run {
 public:
  /// `host` is borrowed. Cost: nothing, and so it stays until a chain comes in that somebody is in.
  explicit Run(Host& host) noexcept : host_(host) {}
  /// Without finish(): no session hears of the end.
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// On the head: opens the sessions of phase kAuthenticate and asks them. `chain` is the gateway's.
  [[nodiscard]] Ruling authenticate(const std::shared_ptr<const Chain>& chain);
  /// On the whole request: opens the other sessions and asks guards, transforms and routers, each phase after the one
  /// before it; then shows the last version to the observers. `chain` is the route's. Where authenticate() was not called,
  /// it begins with those.
  [[nodiscard]] Ruling request(const std::shared_ptr<const Chain>& chain);
  /// Before each attempt. What an earlier attempt left waiting is given up. `headers` is borrowed until the ruling, and
  /// changed in it.
  [[nodiscard]] Ruling attempt(std::string_view upstream, std::string_view model, std::uint32_t number, Headers& headers);
  /// Before the caller gets a head. `headers` as above. While it waits, deltas may come and are kept.
  [[nodiscard]] Ruling head(int status, Headers& headers);
  /// One delta, changed in place where the ruling is kGoOn; where it is kWait the run has moved it away.
  /// Cost: no allocation where no plugin waits, and nothing is added or held.
  [[nodiscard]] Ruling delta(Delta& delta);
  /// After the last delta. May call Host::on_delta, also inside.
  [[nodiscard]] Ruling answer_end();

  /// Whether a plugin is waited for.
  [[nodiscard]] bool waiting() const noexcept;
  /// The next moment on_time() is due; empty = none.
  [[nodiscard]] std::optional<TimePoint> next_deadline() const noexcept;
  /// Times out who has been waited for long enough.
  void on_time(TimePoint now);

  /// The exchange is over: no hook runs any more but on_finish. Resumers and calls do nothing from here on.
  void stop() noexcept;
  /// Stops, and writes verdicts and plugin_time into `outcome`; once.
  void account(Outcome& outcome);
  /// How long plugins have kept the exchange waiting so far; moments in which several did count once.
  [[nodiscard]] Duration waited() const noexcept;
  /// Stops, and calls on_finish of every session that was opened, in order; once. Inside a hook: when that has returned.
  void finish(const Outcome& outcome);

 private:
  RunState& state();
  Host& host_;
  RunState* state_ = nullptr;  // owned; not a unique_ptr, for it may outlive this
};

}  // namespace sluice::plugin
