#pragma once
/// One exchange: a client's request, from its first byte to the one terminal event. It lives on one engine thread.
/// The exchange alone knows the order of the phases; each phase is a file and calls no other:
///   identify.cpp and receive.cpp (1)  route.cpp (2)  before.cpp (3)  forward.cpp, credential.cpp and attempt.cpp (4)  after.cpp and stream.cpp (5)  emit.cpp, telemetry.cpp (6)
/// where its route has plugins, ruling.cpp between them and answer_plugins.cpp in (5); where the upstream speaks another dialect,
/// translate.cpp in (4) and (5).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/peer_certificate.hpp"
#include "dialect/dialect.hpp"
#include "engine/loop.hpp"
#include "engine/transport.hpp"
#include "gateway/event_notes.hpp"
#include "gateway/exchange_states.hpp"
#include "gateway/snapshot.hpp"
#include "http/event_reader.hpp"
#include "http/target.hpp"
#include "json/document.hpp"
#include "policy/balance.hpp"
#include "policy/gate.hpp"
#include "policy/model_policy.hpp"
#include "plugin/run.hpp"
#include "policy/retry.hpp"
#include "sluice/gateway.hpp"

namespace sluice::gateway {

class Engine;
class ExchangePlugins;
class ExchangeReader;
class RequestDraft;
class Translation;
struct DecodedEvent;

/// What a caller brings: the head of a request, judged by a strict parser or by the API boundary.
struct RequestStart {
  std::string method;
  std::string target;
  Headers headers;
  bool has_body = false;
  std::optional<std::uint64_t> declared_length;
  std::string_view fixed_dialect;               ///< of the listener; empty = by path and headers
  std::optional<std::string> consumer;          ///< in-process: named by the caller, no key is looked at
  std::optional<Milliseconds> deadline;         ///< shortens the total timeout
  std::string client_address;                   ///< as the listener judged it; empty = in process
  const auth::PeerCertificate* certificate = nullptr;  ///< of the connection, verified; for begin() only
};

class Exchange final : private engine::TransferSink {
 public:
  Exchange(Engine& engine, std::uint64_t id, ExchangeListener& caller, std::shared_ptr<void> keep_alive);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Engine thread only, from here on. After on_end none of these does anything.

  /// Phase 1, head. True: the body may come (if there is one). False: it was answered; the caller skips the body.
  bool begin(RequestStart start);
  /// Body bytes as they come off the wire. False: it was answered meanwhile; the rest is to be skipped.
  bool body_bytes(std::string_view bytes);
  /// The request is whole: phases 1 (body), 2, 3, and the start of 4.
  void body_done();
  /// The whole body at once, instead of body_bytes.
  void body_whole(Body body);
  /// The caller has left; still one on_end comes, inside this call.
  void cancel();
  /// Ends it with an error of the gateway's own (drain deadline, listener timeouts).
  void abandon(Error error);
  /// The caller cannot take more now / can again. Pauses the upstream, nobody else's.
  void pause_answer();
  void resume_answer();

  /// What `start` and `body` would do, in words; nothing is sent and no caller is told. Instead of begin().
  [[nodiscard]] Explanation explain(RequestStart start, Body body);

  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  /// The number a submitter holds; 0 for a listener's exchanges.
  [[nodiscard]] std::uint64_t ticket() const noexcept { return ticket_; }
  void set_ticket(std::uint64_t ticket) noexcept { ticket_ = ticket; }
  [[nodiscard]] bool ended() const noexcept { return state_ == State::kEnded; }
  /// For callers in this process that want text, not bytes.
  [[nodiscard]] const dialect::Dialect* dialect() const noexcept { return dialect_; }

 private:
  friend class ExchangePlugins;  // its host side
  friend class ExchangeReader;   // what they read
  friend class RequestDraft;     // what they change

  // Phase 1: who calls, in which dialect, what for.
  Status receive_head(RequestStart& start);
  Status identify(const RequestStart& start);
  Status identify_caller(const RequestStart& start);
  Status identify_by_key(const auth::Presented& presented);
  Status identify_signed();
  Status verify_signature() const;
  Status recognise_operation();
  Status admit_body(const RequestStart& start);
  Status receive_body();
  Status decode_body();
  Status inspect(const json::Document& document, std::uint32_t wants, chat::RequestView& view) const;
  // Phase 2: which route, which upstreams.
  Status route();
  Status choose_route(policy::Found& found);
  Status decide_model();
  [[nodiscard]] Error no_route_error() const;
  // Phase 3: what happens before anything is sent.
  Status before();
  Status edit_body(const BodyEdits& edits);
  // Where plugins are asked, and what follows (ruling.cpp).
  [[nodiscard]] ExchangePlugins& plugins();
  [[nodiscard]] chat::Operation operation() const noexcept;
  [[nodiscard]] std::uint32_t plugin_wants() const noexcept;
  void authenticate();
  void judge_request();
  void time_out_plugins();
  Status read_for_plugins();
  void ask_attempt(engine::WireRequest wire);
  void on_ruling(plugin::Stage stage, const plugin::Ruling& ruling);
  void plugin_fails(Error error, std::string_view plugin);
  void answer_reply(const PluginReply& reply);
  // Phase 4: which upstream, and again after a failure (forward.cpp); one attempt there (attempt.cpp).
  void forward();
  void choose();
  [[nodiscard]] std::optional<policy::Pick> pick();
  bool ask_for_place();
  void on_place(std::uint32_t turn, policy::Place place);
  void pass_over(Error refusal);
  void nobody_left();
  [[nodiscard]] Error nobody_may_serve() const;
  [[nodiscard]] std::string why_chosen() const;
  Status foresee();
  [[nodiscard]] bool passes_as_it_is() const;
  [[nodiscard]] bool may_follow() const;
  bool try_again(const Error& error, std::string_view provider_text, int provider_status);
  void choose_soon();
  void reset_attempt();
  bool start_attempt();
  void send_attempt(engine::WireRequest wire);
  void open_attempt();
  [[nodiscard]] Result<engine::WireRequest> encode_attempt();
  [[nodiscard]] std::string model_of_attempt() const;
  [[nodiscard]] std::string attempt_target() const;
  void close_attempt(Code code, std::string reason);
  [[nodiscard]] Duration upstream_took() const;
  // What it shows the upstream (credential.cpp).
  bool hold_token();
  void on_token(std::uint32_t turn, Result<TokenCache::Held> result);
  void fail_token(Error why);
  void judge_token(const ResponseHead& head);
  bool try_new_token();
  // Phases 4 and 5, between two dialects (translate.cpp).
  [[nodiscard]] const dialect::Dialect& upstream_dialect() const;
  [[nodiscard]] bool translates() const;
  [[nodiscard]] bool writes_anew();
  Status read_canonical();
  [[nodiscard]] dialect::Sending sending() const;
  Status translate_request(engine::WireRequest& wire);
  [[nodiscard]] Usage count_locally() const;
  void answer_count();
  void tell_losses();
  [[nodiscard]] std::string losses_in_words() const;
  void open_translation(std::optional<http::Framing> framing, const chat::Usage& usage);
  [[nodiscard]] bool reframes() const noexcept;
  [[nodiscard]] dialect::TapVerdict judge(const http::StreamEvent& event);
  [[nodiscard]] std::unique_ptr<http::EventReader> reader_of(http::Framing framing) const;
  void translate_bytes(std::string_view bytes);
  void take_translated(std::string_view told);
  void fail_translated(Error error);
  bool end_translation();
  // Phase 5: the answer. TransferSink.
  void on_connected() override;
  void on_head(ResponseHead&& head) override;
  void on_bytes(std::string_view bytes) override;
  void on_done(const engine::TransferEnd& end) override;
  void open_answer(ResponseHead&& head);
  void open_body(const Headers& headers);
  [[nodiscard]] std::optional<http::Framing> framing_told(std::string_view type, std::optional<http::Framing> by_type) const;
  void take_bytes(std::string_view bytes);
  void whole_bytes(std::string_view bytes);
  void open_reading_along(const Headers& headers);
  void read_along(std::string_view bytes);
  [[nodiscard]] bool guards_read_answer() const noexcept;
  void stream_bytes(std::string_view bytes);
  void take_events(std::string_view bytes);
  bool stream_event(const http::StreamEvent& event);
  bool give_end();
  void fail_in_stream(const http::StreamEvent& event, Error error);
  void fail_in_stream(Error error, std::string_view provider_text, std::string words);
  void forget_request();
  void end_stream();
  void relay_error_body();
  void give_error_body(std::string_view body);
  void relay_error(std::string_view body);
  void end_whole();
  void complete();
  void commit();
  void mask_secret(std::string& text) const;
  void release_head();
  void give(std::string_view bytes);
  void append_run(std::string_view bytes);
  void patch(std::string_view before, std::string_view middle, std::string_view behind);
  void flush_run();
  void give_the_rest();
  [[nodiscard]] std::optional<TimePoint> ping_due() const;
  void ping();
  // The same, where plugins look at it (answer_plugins.cpp).
  [[nodiscard]] bool head_waits() const noexcept;
  [[nodiscard]] bool holds_end() const noexcept;
  [[nodiscard]] bool decodes() const noexcept;
  void ask_head();
  void head_judged();
  void catch_up();
  bool keeps_end(const engine::TransferEnd& end);
  bool decode_event(const http::StreamEvent& event);
  [[nodiscard]] plugin::Ruling ask_delta(const dialect::AnswerText& text);
  void note_said(const DecodedEvent& event);
  void count_said();
  /// The first content of the answer has come.
  void content_began();
  bool release(DecodedEvent& event);
  void give_event(const DecodedEvent& event);
  void on_plugin_delta(Delta& delta, plugin::Change change);
  void finish_stream();
  bool ask_end_if_over();
  void ask_end();
  void add_text(const Delta& delta);
  void answer_judged();
  [[nodiscard]] std::string early_end(const Error& error, const dialect::ErrorContext& context, bool filtered);
  [[nodiscard]] dialect::AnswerForm answer_form() const noexcept;
  void gather_whole(std::string_view bytes);
  void decode_whole();
  void give_whole();
  // Phase 6: the account.
  void end(Happening how, Ending ending, std::optional<Error> error);
  void answer_error(const Error& error, std::string_view provider_text = {}, int provider_status = 0);
  void close_account(Ending ending, std::optional<Error> error);
  // Its event (telemetry.cpp).
  void open_notes();
  void pass_trace(Headers& to) const;
  void note_request();
  [[nodiscard]] const chat::tokens::Bpe* vocabulary() const noexcept;
  void estimate_usage();
  void learn_tokens();
  void settle_times();
  void close_notes(Ending ending);
  void tell_event();

  void refuse(Error error);
  [[nodiscard]] Error of_upstream(Error error) const;
  void fail_with(Error error, std::string_view provider_text = {}, int provider_status = 0);
  void tell_failure(Error error, std::string_view provider_text, int provider_status);
  void move(Happening what);
  void rearm();
  void on_timer();
  void settle_pause();
  [[nodiscard]] bool waits_for_bytes() const noexcept;
  [[nodiscard]] const CompiledUpstream& upstream() const;
  [[nodiscard]] Attempt& attempt() { return outcome_.attempts.back(); }

  Engine& engine_;
  const std::uint64_t id_;
  std::uint64_t ticket_ = 0;
  ExchangeListener* caller_;
  std::shared_ptr<void> keep_alive_;
  std::shared_ptr<const Snapshot> snapshot_;
  State state_ = State::kHead;
  const TimePoint started_;

  // Phase 1.
  std::string method_;
  http::Target target_;
  Headers headers_;
  std::string host_;
  std::string client_address_;
  const dialect::Dialect* dialect_ = nullptr;  // of the caller; never null once begin() ran
  dialect::Recognised recognised_;
  bool known_operation_ = false;
  bool opaque_ = false;                        // decided on the head: the body is not looked into
  bool whole_body_ = false;
  std::optional<std::size_t> consumer_;
  std::shared_ptr<const auth::sigv4::SigningKeys> signed_by_;  // who claims to have signed it; proven once the body is whole
  std::string signed_target_;                  // as it came
  bool basic_ = false;                         // it came with user and key: a refusal asks for these again
  std::string gathered_;
  std::uint64_t budget_held_ = 0;
  bool counted_ = false;                       // holds a place among the gateway's exchanges
  Body body_;
  std::optional<json::Document> document_;
  chat::RequestView view_;

  // Phase 2.
  const CompiledRoute* route_ = nullptr;
  policy::Captures captures_;
  policy::Decision decision_;

  // Phase 4.
  struct Failed {
    Error error;
    std::string provider_text;
    int provider_status = 0;
  };
  std::size_t choice_ = 0;                     // of decision_.choices: where the attempt goes, or went
  std::optional<policy::Retries> retries_;
  policy::ChosenBecause because_;
  policy::Load load_;
  std::optional<TimePoint> choose_at_;         // the end of the pause before the next attempt
  Duration wait_{};                            // that pause
  bool same_again_ = false;                    // behind it: the same upstream, not another
  std::optional<Failed> failed_;               // what the caller is told if nobody is left to try
  std::optional<Error> refusal_;               // why nobody could be asked at all
  bool spent_ = false;                         // an attempt failed in a way that is tried again: the caller need not
  bool sent_ = false;                          // the attempt's connection stands: its request is on its way
  TimePoint whole_at_{}, chosen_at_{};
  policy::Place place_;
  policy::Gate::Waiter waiter_ = 0;
  std::uint32_t queue_turn_ = 0;               // counts the queues it stood in: a place of an earlier one is no place now
  TokenCache::Held token_;                     // of the attempt, where its upstream wants one
  std::uint32_t token_turn_ = 0;               // likewise
  bool waits_for_token_ = false, waited_for_token_ = false;
  bool no_token_ = false;                      // the attempt has failed for want of one
  bool another_token_ = false;                 // the upstream did not take this one; the next may do
  std::optional<std::size_t> renewed_at_;      // the choice where that was tried
  std::shared_ptr<engine::Channel> channel_;
  std::unique_ptr<engine::Transfer> transfer_;
  bool asked_for_usage_ = false;
  bool written_anew_ = false;                  // the request is not the caller's bytes
  std::string sent_model_;                     // as it is named to the upstream
  std::unique_ptr<chat::Request> canonical_;   // where an upstream speaks another dialect; null until one is asked
  chat::LossReport losses_;                    // of the attempt's translation
  std::unique_ptr<Translation> translation_;   // of its answer; null where the caller reads it as it comes
  bool paused_ = false;                        // the caller cannot take more now
  bool transfer_paused_ = false;               // what was said to the transfer last
  TimePoint attempt_started_{};

  // Phase 5. Until the first content nothing of an answer is given, so that another attempt can take its place.
  static constexpr std::size_t kHeldBytes = 64 * 1024;
  enum class Mode : std::uint8_t { kWhole, kStream, kErrorBody, kBytes };
  Mode mode_ = Mode::kBytes;
  ResponseHead head_;
  bool head_given_ = false;
  bool committed_ = false;                     // something of this attempt's answer was given: there is no other
  std::string held_;                           // what came before that, in order; at most kHeldBytes
  std::unique_ptr<dialect::AnswerTap> tap_;
  std::unique_ptr<http::EventReader> events_;
  Headers error_head_;                         // of an answer with an error status, as it came
  std::string error_body_;                     // and its body, or the event of a stream that held an error
  std::string provider_request_id_;            // as the upstream's answer names it
  std::string_view run_;                       // contiguous bytes of the piece at hand, to be given on as they are
  std::string patched_;                        // what is given on instead, once an event of the piece was changed
  bool as_stream_ = false;                     // the head the caller got is that of a stream
  bool stream_finished_ = false, stream_terminal_ = false;
  bool has_content_ = false;

  // Deadlines; empty = off.
  std::optional<TimePoint> queue_deadline_, connect_deadline_, headers_deadline_, first_delta_deadline_, total_deadline_;
  Duration idle_limit_{};
  TimePoint last_read_{};
  TimePoint last_given_{};                     // to the caller of a stream: its silence is counted from here
  std::optional<Milliseconds> own_deadline_;
  engine::Timer timer_;

  // Phase 6.
  std::unique_ptr<EventNotes> notes_;          // null where nobody asks for events or content
  Outcome outcome_;

  std::unique_ptr<ExchangePlugins> plugins_;   // null: the route has none
};

}  // namespace sluice::gateway
