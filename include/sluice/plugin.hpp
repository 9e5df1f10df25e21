#pragma once
/// Plugins: code that looks at exchanges on their way, and may stop, change or answer them.
/// A plugin runs where a plugin list of the configuration names it (`plugins` of the gateway and of routes); it comes there by
/// OpenOptions::plugins or Gateway::Builder::plugin. docs/plugins.md is the page on them, with worked examples.
///
/// A Plugin is made once and shared by all exchanges; for each exchange it opens one PluginSession, whose hooks run on
/// the exchange's engine thread and never overlap. A hook must not block: what has to wait returns Verdict::suspend()
/// and is resumed, from any thread.
///
///   class RedactNames : public sluice::Plugin {
///     std::string_view name() const noexcept override { return "redact-names"; }
///     sluice::Phase phase() const noexcept override { return sluice::Phase::kTransform; }
///     sluice::Wants wants() const noexcept override { return sluice::kWantsDeltaEdits; }
///     std::unique_ptr<sluice::PluginSession> open(const sluice::ExchangeView&) const override;
///   };

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/body.hpp"
#include "sluice/clock.hpp"
#include "sluice/error.hpp"
#include "sluice/message.hpp"
#include "sluice/outcome.hpp"
#include "sluice/plugin_mode.hpp"
#include "sluice/request_shape.hpp"

namespace [[gnu::visibility("default")]] sluice {

/// When a plugin runs: phases in this order, plugins of one phase in the order they are listed.
enum class Phase : std::uint8_t {
  kAuthenticate,  ///< between head and body: on_request sees the head alone. For the gateway's list: no route is known yet
  kGuard,         ///< judges
  kTransform,     ///< changes
  kRoute,         ///< narrows, orders or names the upstreams of this exchange
  kObserve,       ///< sees what the caller sees, changes nothing: Observer, not Plugin
};
[[nodiscard]] std::string_view to_string(Phase phase) noexcept;

/// What a plugin asks for; bits, read once per route. What nobody on a route wants is neither called nor decoded there:
/// where no bit of the answer is wanted, answers pass as bytes.
using Wants = std::uint32_t;
inline constexpr Wants kWantsNothing = 0;
inline constexpr Wants kWantsRequest = 1;         ///< on_request
inline constexpr Wants kWantsPrompt = 2 | 1;      ///< on_request, with the decoded texts of the prompt
inline constexpr Wants kWantsTools = 4 | 1;       ///< on_request, with the names of tools offered, forced and called
inline constexpr Wants kWantsRequestEdits = 8 | 1;///< on_request, and may change the request: such a plugin runs alone
inline constexpr Wants kWantsAttempts = 16;       ///< on_attempt
inline constexpr Wants kWantsHead = 32;           ///< on_head
inline constexpr Wants kWantsDeltas = 64;         ///< on_delta and on_answer_end, with decoded text
inline constexpr Wants kWantsDeltaEdits = 128 | 64;///< on_delta and on_answer_end, and may change, hold and add text
inline constexpr Wants kWantsFinish = 256;        ///< on_finish alone is reason enough to open a session
inline constexpr Wants kWantsShape = 512 | 1;     ///< on_request, with the shape of the request

/// One message's text in a prompt. Lifetime: the hook.
struct PromptPart {
  enum class Role : std::uint8_t { kSystem, kUser, kAssistant, kTool } role = Role::kUser;
  bool last_user = false;       ///< belongs to the user's last message
  std::string_view text = {};   ///< decoded
};

/// What can be read of an exchange. Views live as long as the hook they are read in. Thread: the exchange's.
class ExchangeView {
 public:
  [[nodiscard]] virtual std::string_view id() const noexcept = 0;
  [[nodiscard]] virtual std::string_view operation() const noexcept = 0;  ///< `chat`, `embeddings`, `opaque` ...
  [[nodiscard]] virtual std::string_view dialect() const noexcept = 0;    ///< the caller's
  [[nodiscard]] virtual std::string_view consumer() const noexcept = 0;   ///< empty: anonymous
  [[nodiscard]] virtual std::string_view tenant() const noexcept = 0;
  [[nodiscard]] virtual std::string_view route() const noexcept = 0;      ///< empty in phase kAuthenticate
  [[nodiscard]] virtual std::string_view method() const noexcept = 0;
  [[nodiscard]] virtual std::string_view path() const noexcept = 0;
  /// Of the request; what proves who calls is left out, but for those of phase kAuthenticate.
  [[nodiscard]] virtual const Headers& headers() const noexcept = 0;
  [[nodiscard]] virtual std::string_view model() const noexcept = 0;      ///< as asked for
  [[nodiscard]] virtual bool stream() const noexcept = 0;
  [[nodiscard]] virtual std::string_view body() const noexcept = 0;       ///< of the request, its present version
  [[nodiscard]] virtual std::span<const PromptPart> prompt() const = 0;                   ///< with kWantsPrompt
  [[nodiscard]] virtual std::span<const std::string_view> tools_offered() const = 0;      ///< with kWantsTools
  [[nodiscard]] virtual std::string_view tool_forced() const noexcept = 0;                ///< with kWantsTools
  [[nodiscard]] virtual std::span<const std::string_view> tools_called() const = 0;       ///< with kWantsTools
  [[nodiscard]] virtual const RequestShape& shape() const = 0;                            ///< with kWantsShape
  /// Tokens of the prompt's texts: by the model's own vocabulary where the configuration has it, estimated otherwise and
  /// beyond the first 32 KB (docs/tokens.md says how well). Computed when first asked for.
  [[nodiscard]] virtual std::uint64_t estimated_input_tokens() const = 0;
  [[nodiscard]] virtual TimePoint now() const noexcept = 0;
  [[nodiscard]] virtual std::optional<TimePoint> deadline() const noexcept = 0;

 protected:
  ~ExchangeView() = default;
};

/// An answer a plugin gives instead of an upstream's.
struct PluginReply {
  int status = 200;          ///< from 400 on, `text` is told as an error of the caller's dialect
  /// What the model would have said; told in the caller's dialect, streamed where a stream was asked for. Where the operation
  /// has no such text (embeddings, opaque), it is the body.
  std::string text = {};
  Headers headers = {};      ///< beside those the gateway writes; they win over its content-type
};

/// What a hook decides.
class Verdict {
 public:
  enum class Kind : std::uint8_t {
    kContinue,  ///< go on
    kSuspend,   ///< wait for the Resumer taken in this hook; without one taken: kPluginError
    kReply,     ///< the caller gets this; no attempt is made. In on_request only; elsewhere it counts as kPluginError
    /// The caller gets this error. With code kPluginError or kPluginTimeout it is the plugin's own failure, which its fail
    /// mode may forgive; with any other code it is a judgement, which nothing forgives. Before the commit it is told as its
    /// status (403 where it names none) and no other upstream is tried; after it a judgement is the dialect's content_filter
    /// end, and an own failure an error in the stream.
    kFail,
  };
  [[nodiscard]] static Verdict go_on() { return Verdict(Kind::kContinue); }
  [[nodiscard]] static Verdict suspend() { return Verdict(Kind::kSuspend); }
  [[nodiscard]] static Verdict reply(PluginReply reply);
  [[nodiscard]] static Verdict fail(Error error);

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] const PluginReply& reply() const { return *static_cast<const PluginReply*>(what_.get()); }   ///< kReply only
  [[nodiscard]] const Error& error() const { return *static_cast<const Error*>(what_.get()); }   ///< kFail only

 private:
  explicit Verdict(Kind kind, std::shared_ptr<const void> what = nullptr) : kind_(kind), what_(std::move(what)) {}
  Kind kind_;
  std::shared_ptr<const void> what_;  // one pointer for both: a verdict is passed for every delta
};

/// Ends a suspension: call resume once, from any thread, even before the hook has returned. A second call is ignored and
/// counted. The last copy destroyed unused resumes with kPluginError. Harmless after the exchange or the gateway ended.
class Resumer {
 public:
  class State;
  Resumer() = default;
  explicit Resumer(std::shared_ptr<State> state) : state_(std::move(state)) {}
  /// `edit` runs first, on the exchange's thread, while what the suspended hook was handed (its context, its delta) is
  /// still good; it is where a plugin that waited makes its changes, and it does not run where the verdict comes too late:
  ///
  ///   resumer.resume(Verdict::go_on(), [&delta, text] { delta.text = text; });
  ///
  /// kSuspend is no way to end a suspension: it counts as kPluginError.
  void resume(Verdict verdict, std::function<void()> edit = {}) const;

 private:
  std::shared_ptr<State> state_;
};

/// Bounds of a call a plugin makes.
struct CallBounds {
  std::chrono::milliseconds timeout{5'000};      ///< the exchange's own deadline holds too
  std::size_t answer_bytes = 1u << 20;           ///< a longer answer is kUpstreamAnswerTooLarge
};

/// What came back from a call, whatever its status.
struct CallAnswer {
  int status = 0;
  Headers headers = {};
  std::string body = {};
};

/// What every hook can do beside reading. Lifetime: until the hook's verdict is in, which is when it returns or, where it
/// suspends, when it is resumed; a Resumer and a call outlive it. Thread: the exchange's.
class HookContext {
 public:
  [[nodiscard]] virtual const ExchangeView& exchange() const noexcept = 0;
  /// For Verdict::suspend(). One for each hook: asked again, it gives the same one.
  [[nodiscard]] virtual Resumer resumer() = 0;
  /// Sends a request to one of the gateway's upstreams, on this loop; `done` is called once, on the exchange's thread,
  /// not inside this call, and not at all once the exchange has ended. It may come when the hook has long been timed out:
  /// what it changes, it changes by Resumer::resume. Path and query of the request are sent behind the
  /// upstream's base path; its credential is added. Booked in the exchange's ledger.
  /// Errors come through `done`: no such upstream (kPluginError), what the engine met, kTotalTimeout.
  virtual void call(std::string_view upstream, Request request, CallBounds bounds,
                    std::function<void(Result<CallAnswer>)> done) = 0;
  virtual void report(Detection detection) = 0;

 protected:
  ~HookContext() = default;
};

/// One upstream of the route, as a kRoute plugin names it.
struct RouteChoice {
  std::string upstream;
  std::string model = {};       ///< empty: as the route's entry says
};

/// on_request: reading, and for plugins that asked for it changing. The changes of a hook that goes on make a new version
/// of the request, which the next plugin sees; those of one that errs, or only observes, are dropped together.
class RequestContext : public HookContext {
 public:
  // With kWantsRequestEdits; elsewhere they do nothing, and the hook counts as failed with kPluginError.

  /// Errors: kInvalidHeader; kInvalidParameter for fields that are the gateway's own (framing, credentials).
  virtual Status set_header(std::string_view name, std::string_view value) = 0;
  virtual void remove_header(std::string_view name) = 0;
  /// Replaces the whole body. Errors: kInvalidJson where the operation needs JSON and it is none.
  virtual Status set_body(std::string body) = 0;
  /// Splices one value, every other byte kept. Errors: kInvalidParameter for a pointer that leads nowhere, kInvalidJson.
  virtual Status set_json(std::string_view pointer, std::string_view json) = 0;
  virtual Status remove_json(std::string_view pointer) = 0;
  /// Replaces the text of prompt()[part], every other byte kept.
  virtual Status set_prompt_text(std::size_t part, std::string_view text) = 0;

  // In phase kRoute.

  /// The upstreams that may serve this exchange, in order of preference. Errors: kPluginError where one is not of the
  /// route; the hook has failed with it then, whatever it returns.
  virtual Status choose(std::vector<RouteChoice> choices) = 0;

 protected:
  ~RequestContext() = default;
};

/// on_attempt: one try at one upstream is about to be sent. Header changes hold for this attempt alone.
class AttemptContext : public HookContext {
 public:
  [[nodiscard]] virtual std::string_view upstream() const noexcept = 0;
  [[nodiscard]] virtual std::string_view model() const noexcept = 0;
  [[nodiscard]] virtual std::uint32_t number() const noexcept = 0;        ///< 1, 2, ...
  /// With kWantsRequestEdits. Errors: as RequestContext::set_header.
  virtual Status set_header(std::string_view name, std::string_view value) = 0;

 protected:
  ~AttemptContext() = default;
};

/// on_head: the answer's head, before the caller gets it.
class HeadContext : public HookContext {
 public:
  [[nodiscard]] virtual int status() const noexcept = 0;
  [[nodiscard]] virtual const Headers& headers() const noexcept = 0;   ///< with what this hook has changed
  /// Errors: kInvalidHeader; kInvalidParameter for fields that are the gateway's own (framing).
  virtual Status set_header(std::string_view name, std::string_view value) = 0;
  virtual void remove_header(std::string_view name) = 0;

 protected:
  ~HeadContext() = default;
};

/// What a delta adds to.
enum class Channel : std::uint8_t { kText, kReasoning, kToolArguments, kRefusal };
[[nodiscard]] std::string_view to_string(Channel channel) noexcept;

/// One increment of an answer, decoded. An answer that is not streamed comes as one delta for each text in it.
struct Delta {
  std::uint32_t choice = 0;
  Channel channel = Channel::kText;
  std::uint32_t tool_index = 0;        ///< kToolArguments: which call of the choice, from 0
  std::string tool_name = {};          ///< kToolArguments: on the first delta of a call
  /// With kWantsDeltaEdits it may be changed; emptied, it is held back. A change by anybody else, or of another member,
  /// does nothing; of the text, the hook counts as failed with kPluginError.
  std::string text = {};
};

/// on_delta: beside it, what every hook can do.
class DeltaContext : public HookContext {
 protected:
  ~DeltaContext() = default;
};

/// on_answer_end: after the last delta of the answer, before its end is told.
class AnswerEndContext : public HookContext {
 public:
  /// Adds text that was held back; with kWantsDeltaEdits. The plugins behind this one see it in on_delta, before their own
  /// on_answer_end.
  virtual void emit(Delta delta) = 0;

 protected:
  ~AnswerEndContext() = default;
};

/// One plugin's part in one exchange. Every hook defaults to going on; write only the one that changes something. An
/// answer that fails before it reached the caller may be followed by another one: who keeps something of an answer asks
/// for kWantsAttempts too, and forgets it when on_attempt comes again.
class PluginSession {
 public:
  virtual ~PluginSession() = default;
  [[nodiscard]] virtual Verdict on_request(RequestContext&) { return Verdict::go_on(); }
  [[nodiscard]] virtual Verdict on_attempt(AttemptContext&) { return Verdict::go_on(); }
  [[nodiscard]] virtual Verdict on_head(HeadContext&) { return Verdict::go_on(); }
  [[nodiscard]] virtual Verdict on_delta(DeltaContext&, Delta&) { return Verdict::go_on(); }
  [[nodiscard]] virtual Verdict on_answer_end(AnswerEndContext&) { return Verdict::go_on(); }
  /// Once, last, for every session that was opened, also when the caller has left.
  virtual void on_finish(const Outcome&) noexcept {}
};

/// What sees and changes nothing: the hooks of phase kObserve get everything const and decide nothing.
class ObserverSession {
 public:
  virtual ~ObserverSession() = default;
  virtual void on_request(const ExchangeView&) {}
  virtual void on_head(const ExchangeView&, int /*status*/, const Headers&) {}
  virtual void on_delta(const ExchangeView&, const Delta&) {}
  virtual void on_finish(const Outcome&) noexcept {}
};

/// Thread: immutable once made; open() from any engine thread, concurrently.
class Plugin {
 public:
  virtual ~Plugin() = default;
  /// Unique in a chain; what a configuration, an error and the telemetry event call it. Lifetime: the plugin's.
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  [[nodiscard]] virtual Phase phase() const noexcept { return Phase::kGuard; }
  [[nodiscard]] virtual Wants wants() const noexcept = 0;
  /// A session for one exchange, or null: this one is none of the plugin's business. Before the first on_request of any
  /// plugin. What it throws counts as on_request's failure.
  [[nodiscard]] virtual std::unique_ptr<PluginSession> open(const ExchangeView& exchange) const = 0;
};

/// The same for observers. What one throws is counted and never ends an exchange.
class Observer {
 public:
  virtual ~Observer() = default;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  [[nodiscard]] virtual Wants wants() const noexcept = 0;   ///< the bits that edit, and kWantsAttempts, are refused at load
  /// As Plugin::open, but body, prompt and tools are empty in this view: guards and transforms have not seen them yet, and
  /// an observer sees what they leave.
  [[nodiscard]] virtual std::unique_ptr<ObserverSession> open(const ExchangeView& exchange) const = 0;
};

}  // namespace sluice
