#pragma once
/// The gateway: engine threads, upstreams, routes and consumers, and every exchange in flight.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/clock.hpp"
#include "sluice/config.hpp"
#include "sluice/error.hpp"
#include "sluice/host_credential.hpp"
#include "sluice/message.hpp"
#include "sluice/outcome.hpp"
#include "sluice/telemetry.hpp"
#include "sluice/tokens.hpp"

namespace [[gnu::visibility("default")]] sluice {

class Call;
class Stream;
class TransportFactory;
class Server;
class Plugin;
class Observer;
enum class Channel : std::uint8_t;
namespace gateway {
class Core;
}

/// A whole answer and its account.
struct Answer {
  int status = 0;
  Headers headers;
  std::string body;
  Outcome outcome;
};

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

/// Things a host program hands in. Everything has a default.
struct OpenOptions {
  const Clock* clock = nullptr;              ///< borrowed, outlives the gateway; manual clocks need threads = 0
  std::uint64_t seed = 0;                    ///< of ids and of every chance; 0 = from the system
  /// Replaces the network. Borrowed, outlives the gateway.
  TransportFactory* transport = nullptr;
  /// Wait by poll(2) instead of epoll. fd() is -1 then.
  bool portable_loop = false;
  /// Called with one line at a time, from any engine thread; must not block. Nothing is ever printed by the library.
  std::function<void(LogLevel, std::string_view)> log = {};
  /// Plugins of the host program's own (sluice/plugin.hpp). Each runs where a plugin list of the configuration names it, and
  /// nowhere else. They hold over reloads; none may be called as a built-in one is.
  std::vector<std::shared_ptr<const Plugin>> plugins = {};
  std::vector<std::shared_ptr<const Observer>> observers = {};
  /// Called once for each exchange, last, on its engine thread; must not block.
  std::function<void(const Outcome&)> on_outcome = {};
  /// Gets the event of each exchange, behind on_outcome (docs/telemetry.md). Beside it: the files of Config::telemetry.
  EventCallback on_event = {};
  /// See every text that Config::telemetry asks to be kept, in this order, before anybody gets it.
  std::vector<Redactor> redactors = {};
  /// Credentials that this program brings while the gateway runs, each for one upstream.
  std::vector<HostCredential> credentials = {};
};

/// One increment of an answer's text, for callers that asked for deltas. Lifetime: the call it came with.
struct AnswerDelta {
  std::uint32_t choice = 0;
  Channel channel{};
  std::uint32_t tool_index = 0;      ///< tool arguments: of which call of the choice, from 0
  std::string_view tool_name = {};   ///< on the first delta of a call, whose text may be empty
  std::string_view text = {};
};

/// How a caller follows an exchange. All calls come on the exchange's engine thread (host-driven: inside drive()),
/// never overlap, and end with exactly one on_end. A refusal and a failure come as an answer too: head, an error body in
/// the caller's dialect, and an outcome that holds the Error.
class ExchangeListener {
 public:
  virtual ~ExchangeListener() = default;
  /// Once, before all others, where submit() has taken the request: the id it gives, perhaps before it has returned.
  virtual void on_start(std::uint64_t /*exchange*/) {}
  /// Once, or never where on_end carries an error that no head came before.
  virtual void on_head(const ResponseHead& head) = 0;
  /// Bytes of the answer's body, in order. Lifetime: the call.
  virtual void on_bytes(std::string_view bytes) = 0;
  /// With CallOptions::deltas, instead of on_bytes: what came at once, in order, decoded. What has no text (errors,
  /// embeddings, opaque exchanges) still comes as bytes. Lifetime: the call.
  virtual void on_deltas(std::span<const AnswerDelta> /*deltas*/) {}
  /// Exactly once, last.
  virtual void on_end(const Outcome& outcome) = 0;
};

/// What a caller says beside the request.
struct CallOptions {
  std::string consumer = {};                  ///< names the consumer; no key is looked at then
  std::optional<Milliseconds> deadline = {};  ///< shortens the route's own
  bool deltas = false;                        ///< submit(): the listener gets on_deltas
  bool body_follows = false;                  ///< submit(): the request's body is only its beginning; see send_body
};

/// What --explain prints: which route and upstream a request would take, and why. Nothing is sent.
struct Explanation {
  int status = 0;             ///< 200, or that of the refusal
  std::string text;           ///< for a person
  std::string json;           ///< the same, for a program
};

/// One upstream of the configuration in force.
struct UpstreamStatistics {
  std::string name;
  std::uint64_t in_flight = 0;   ///< attempts, now
  std::uint64_t attempts = 0, failures = 0;  ///< since it was opened; a failure is an attempt that got no answer to pass on
};

/// What listeners have done since the gateway opened; all zero without a Server.
struct ConnectionStatistics {
  std::uint64_t open = 0, accepted = 0, refused = 0;  ///< refused: over a cap, or from an address that may not connect
  std::uint64_t tls_handshakes = 0, tls_failures = 0;
  std::uint64_t bytes_received = 0, bytes_sent = 0;   ///< of HTTP, as plain text
};

struct Statistics {
  std::uint64_t exchanges_started = 0, exchanges_open = 0, completed = 0, refused = 0, failed = 0, cancelled = 0;
  std::uint64_t body_bytes_held = 0;
  std::uint64_t replayed_sends = 0;
  std::uint64_t decoded_answers = 0;          ///< events of streams, and whole answers, that were decoded for plugins
  std::uint64_t plugin_errors = 0;            ///< a plugin erred, threw or broke a rule
  std::uint64_t plugin_timeouts = 0;          ///< a plugin did not answer in time
  std::uint64_t plugins_failed_open = 0;      ///< of these two: the exchange went on all the same
  std::uint64_t ignored_resumes = 0;          ///< a Resumer was used again, or too late
  std::uint64_t unrecorded_verdicts = 0;      ///< verdicts and detections for which an account had no room
  Duration max_loop_lag{};                    ///< the longest a loop was late since it was last asked
  std::vector<std::uint64_t> open_per_engine;
  ConnectionStatistics connections;
  std::vector<UpstreamStatistics> upstreams;  ///< in configuration order
  EventStatistics events;                     ///< of the files that are in force now
  std::vector<TokenCorrection> token_corrections;  ///< by upstream and model, in this order
};

/// A running gateway. Move-only; the destructor closes. It listens on nothing: Server does.
class Gateway {
 public:
  class Builder;

  /// Opens with objects. Errors: kInvalidConfiguration, kSecretMissing. Touches no network. Thread: any.
  [[nodiscard]] static Result<Gateway> open(Config config, OpenOptions options = {});
  /// Opens with a JSON document, or the file that holds it.
  [[nodiscard]] static Result<Gateway> open_json(std::string_view json, OpenOptions options = {});
  [[nodiscard]] static Result<Gateway> open_file(const std::string& path, OpenOptions options = {});

  Gateway(Gateway&&) noexcept;
  Gateway& operator=(Gateway&&) noexcept;
  ~Gateway();

  /// Sends a request and gathers the answer. Thread: any.
  [[nodiscard]] Call send(Request request, CallOptions options = {});
  /// Sends a request; events are pulled by the caller. Thread: any.
  [[nodiscard]] Stream stream(Request request, CallOptions options = {});
  /// Sends a request; `listener` follows it on the engine thread and is kept alive until its on_end has returned.
  /// Gives the id to cancel it with. Errors: kClosed, kOverloaded, kForked; the listener is not called then. Thread: any.
  [[nodiscard]] Result<std::uint64_t> submit(Request request, std::shared_ptr<ExchangeListener> listener,
                                             CallOptions options = {});
  /// Asynchronous; the exchange still ends with its one on_end. Unknown ids are ignored. Thread: any.
  void cancel(std::uint64_t exchange);
  /// Pauses or resumes the upstream of a submitted exchange, nobody else's; from inside on_bytes and on_deltas at once, but for
  /// what is on its way already (64 KiB at most). Unknown ids are ignored. Thread: any.
  void pause(std::uint64_t exchange);
  void resume(std::uint64_t exchange);
  /// The next piece of the body of an exchange submitted with `body_follows`. Unknown ids, and those of exchanges that have been
  /// answered, are ignored. Thread: one at a time for each exchange.
  void send_body(std::uint64_t exchange, std::string bytes, bool last);

  /// Puts a new configuration in force: returns when every engine has switched. Running exchanges keep theirs.
  /// Errors: kInvalidConfiguration (the old one stays in force), kWouldDeadlock on an engine thread. Thread: any.
  Status reload(Config config);

  /// Says what would happen to a request. Thread: any.
  [[nodiscard]] Explanation explain(const Request& request, const CallOptions& options = {}) const;
  [[nodiscard]] Statistics statistics() const;
  /// The configuration in force, as one document with secrets masked.
  [[nodiscard]] std::string dump() const;

  /// Cancels what is open and ends the engines; then waits until the events are in their files, at most 5 s.
  /// Idempotent. Errors: kWouldDeadlock on an engine thread. Thread: any.
  Status close();

  // Host-driven gateways (threads = 0) only; one thread at a time.

  /// Readable when drive() has something to do. -1 where the back end is poll.
  [[nodiscard]] int fd() const;
  /// The next moment drive() is due without any descriptor turning ready; empty = none.
  [[nodiscard]] std::optional<TimePoint> next_deadline() const;
  /// Does what is due and returns; waits at most `wait`. How many events were handled. Carries lines of events to their
  /// files, last of all: a disk that hangs holds up who drives.
  std::size_t drive(Milliseconds wait = Milliseconds{0});

  /// For Server and the bindings.
  [[nodiscard]] gateway::Core& core() const noexcept { return *core_; }

 private:
  explicit Gateway(std::unique_ptr<gateway::Core> core);
  std::unique_ptr<gateway::Core> core_;
};

/// Builds a Config object by object, then opens it.
class Gateway::Builder {
 public:
  Builder& options(GatewayOptions options) { return config_.gateway = std::move(options), *this; }
  Builder& threads(std::uint32_t n) { return config_.gateway.threads = n, *this; }
  Builder& listen(Listen listen) { return config_.gateway.listen.push_back(std::move(listen)), *this; }
  Builder& group(Group group) { return config_.groups.push_back(std::move(group)), *this; }
  Builder& consumer(Consumer consumer) { return config_.consumers.push_back(std::move(consumer)), *this; }
  Builder& upstream(Upstream upstream) { return config_.upstreams.push_back(std::move(upstream)), *this; }
  Builder& route(Route route) { return config_.routes.push_back(std::move(route)), *this; }
  /// Brings a plugin. Where no list names it, it runs on every route, at the end of the gateway's list.
  Builder& plugin(std::shared_ptr<const Plugin> plugin) { return plugins_.push_back(std::move(plugin)), *this; }
  Builder& observer(std::shared_ptr<const Observer> observer) { return observers_.push_back(std::move(observer)), *this; }
  Builder& telemetry(TelemetryOptions options) { return config_.telemetry = std::move(options), *this; }
  [[nodiscard]] const Config& config() const noexcept { return config_; }
  [[nodiscard]] Result<Gateway> open(OpenOptions options = {}) const;

 private:
  Config config_;
  std::vector<std::shared_ptr<const Plugin>> plugins_;
  std::vector<std::shared_ptr<const Observer>> observers_;
};

/// One answer to come. Destroying it unasked cancels the exchange.
class Call {
 public:
  /// Waits for the answer. Errors: what the gateway refused or could not finish; an upstream's own error status is an
  /// Answer, not an Error. kWouldDeadlock on an engine thread. Host-driven: drives the gateway.
  [[nodiscard]] Result<Answer> get();
  void cancel();

  Call(Call&&) noexcept;
  Call& operator=(Call&&) noexcept;
  ~Call();

 private:
  friend class Gateway;
  struct State;
  explicit Call(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

/// One event of a streamed answer. Lifetime: until the next call of Stream::next.
class Event {
 public:
  /// The event as it stood on the wire, without its framing: the `data` of a server-sent event.
  [[nodiscard]] std::string_view data() const noexcept { return data_; }
  /// Text the event adds to the first choice; empty where it adds none.
  [[nodiscard]] std::string_view text() const noexcept { return text_; }

 private:
  friend class Stream;
  std::string data_, text_;
};

/// A streamed answer, pulled. Destroying it cancels what is left. At most 64 KiB wait unread; then the upstream is paused.
class Stream {
 public:
  /// The next event, or nothing: at the end, or when `timeout` passed first (then done() is false).
  [[nodiscard]] std::optional<Event> next(std::chrono::milliseconds timeout);
  [[nodiscard]] bool done() const;
  /// The account; complete once done() is true.
  [[nodiscard]] const Outcome& outcome() const;
  void cancel();

  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  ~Stream();

 private:
  friend class Gateway;
  struct State;
  explicit Stream(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace sluice
