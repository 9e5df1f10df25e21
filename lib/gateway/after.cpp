// Phase 5, after: the upstream's answer on its way to the caller. Bytes pass untouched; a tap reads usage and finish
// reason, and takes out again what the gateway alone had asked for. It knows answers; it must not know how they were
// asked for, beyond that.

#include "dialect/provider_words.hpp"
#include "dialect/providers.hpp"
#include "gateway/core.hpp"
#include "gateway/exchange.hpp"
#include "gateway/exchange_plugins.hpp"
#include "gateway/header_policy.hpp"
#include "gateway/translation.hpp"
#include "http/reframing_reader.hpp"

namespace sluice::gateway {
namespace {

constexpr std::size_t kErrorBodyBytes = 64 * 1024;  // of a provider's error answer; what is longer is cut

bool is_redirect(int status) noexcept {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

void Exchange::on_connected() {
  sent_ = true;
  connect_deadline_.reset();
  const auto& limits = upstream().config->timeouts;
  const TimePoint now = engine_.loop().now();
  if (limits.headers.count() != 0) headers_deadline_ = now + limits.headers;
  if (view_.stream && limits.first_delta.count() != 0 && !opaque_) first_delta_deadline_ = now + limits.first_delta;
  rearm();
}

void Exchange::on_head(ResponseHead&& head) {
  move(Happening::kAnswerHead);
  connect_deadline_.reset();
  headers_deadline_.reset();
  last_read_ = last_given_ = engine_.loop().now();
  idle_limit_ = upstream().config->timeouts.idle;
  attempt().status = head.status;
  attempt().first_byte = last_read_ - attempt_started_;
  judge_token(head);
  if (is_redirect(head.status)) {
    return fail_with(make_error(Code::kUpstreamRedirect, "upstream '" + upstream().config->name + "' answered " + std::to_string(head.status) +
                                                             ", a redirect, which is never followed; put the final URL into its url"),
                     {}, head.status);
  }
  open_answer(std::move(head));
  rearm();
}

void Exchange::open_answer(ResponseHead&& head) {
  const bool as_it_is = passes_as_it_is();
  const bool ok = head.status >= 200 && head.status < 300;
  if ((as_it_is && !(ok && guards_read_answer())) || head.status == 204 || method_ == "HEAD") {
    mode_ = Mode::kBytes;
    first_delta_deadline_.reset();
    if (ok) open_reading_along(head.headers);
  } else if (!ok) {
    mode_ = Mode::kErrorBody;
    error_head_ = head.headers;
    first_delta_deadline_.reset();
  } else {
    open_body(head.headers);
  }
  if (head_given_ && mode_ == Mode::kWhole) {
    return fail_with(make_error(Code::kUpstreamInvalidAnswer, "upstream '" + upstream().config->name +
                                                                  "' answered whole where a stream had been begun"), {}, head.status);
  }
  if (mode_ == Mode::kStream || mode_ == Mode::kWhole) {
    const bool unasked = asked_for_usage_ || (translation_ && !view_.usage_in_stream);
    tap_ = dialect_->tap({view_.operation, mode_ == Mode::kStream, unasked});
    if (notes_) notes_->answer_begins(*dialect_, view_.operation, mode_ == Mode::kStream, vocabulary());
  }

  head_.status = head.status;
  head_.headers.reserve(head.headers.size() + 2, head.headers.bytes() + 64);
  pass_down(head.headers, as_it_is, (mode_ == Mode::kWhole || mode_ == Mode::kBytes) && !translation_, head_.headers);
  if (translation_ || (mode_ == Mode::kStream && reframes())) {
    (void)head_.headers.set("content-type", mode_ == Mode::kStream ? http::content_type_of(recognised_.framing) : "application/json");
  }
  if (mode_ == Mode::kErrorBody) {
    Headers told;
    for (const HeaderField field : head_.headers) {
      std::string value(field.value);
      mask_secret(value);
      told.add_trusted(field.name, value);
    }
    head_.headers = std::move(told);
  }
  provider_request_id_ = head.headers.get(upstream().provider->request_id_header).value_or("");
  if (!head_.headers.contains("x-request-id")) head_.headers.add_trusted("x-request-id", outcome_.id);
  if (route_->config->expose_target) {
    head_.headers.add_trusted("x-sluice-provider", upstream().provider->name);
    if (!attempt().model.empty()) (void)head_.headers.add("x-sluice-model", attempt().model);
  }
  if (route_->config->expose_losses && !losses_.empty()) head_.headers.add_trusted("x-sluice-losses", losses_in_words());
  (void)apply(route_->config->response_headers, head_.headers);  // judged when the configuration was loaded
  if (plugins_ && mode_ != Mode::kErrorBody) return ask_head();  // that of an error, once it is known to be the caller's
  if (mode_ == Mode::kBytes) commit();
}

/// How a stream is framed whose content type does not tell. Server-sent events always tell; JSON where text was due is whole:
/// an error, as a rule.
std::optional<http::Framing> Exchange::framing_told(std::string_view type, std::optional<http::Framing> by_type) const {
  const auto own = upstream_dialect().stream_framing(view_.operation);
  if (!own || *own == http::Framing::kSse) return by_type;
  const bool json = same_name(type.substr(0, type.find_first_of("; ")), "application/json");
  if (*own == http::Framing::kRaw) return json ? std::nullopt : own;
  return own;
}

/// The answer to what was asked: a stream, or whole, as the caller's dialect has it.
void Exchange::open_body(const Headers& headers) {
  const std::string_view type = headers.get("content-type").value_or("");
  std::optional<http::Framing> framing;
  if (http::Framing told{}; http::is_stream_type(type, told)) framing = told;
  if (translates()) {
    if (view_.stream) framing = framing_told(type, framing);
    const bool in_head = (upstream().provider->quirks & dialect::kInvoked) != 0;
    open_translation(framing, in_head ? dialect::usage_in_head(headers) : chat::Usage{});
    framing = recognised_.framing;
  } else {
    if (!framing && view_.stream && recognised_.framing == http::Framing::kJsonArray) framing = recognised_.framing;
    mode_ = framing ? Mode::kStream : Mode::kWhole;
  }
  if (mode_ == Mode::kStream) {
    outcome_.streamed = true;
    events_ = reader_of(*framing);
  } else {
    first_delta_deadline_.reset();
  }
}

/// The caller's dialect in frames that the caller does not expect.
bool Exchange::reframes() const noexcept {
  return !translation_ && !passes_as_it_is() && (upstream().provider->quirks & dialect::kInvoked) != 0;
}

/// What the caller's dialect makes of an event; of an exception it has no name for, what AWS means by it.
dialect::TapVerdict Exchange::judge(const http::StreamEvent& event) {
  if (!event.name.starts_with('!') || !reframes()) return tap_->on_event(event.name, event.data);
  dialect::TapVerdict out;
  out.error = dialect::exception_error(event.name.substr(1), event.data);
  return out;
}

/// Reads an answer's stream; where it is the caller's dialect in frames of AWS', as the caller has it framed.
std::unique_ptr<http::EventReader> Exchange::reader_of(http::Framing framing) const {
  auto reader = http::make_event_reader(framing, snapshot_->config.gateway.limits.event_bytes);
  if (!reframes()) return reader;
  const dialect::Dialect& spoken = *dialect_;
  return std::make_unique<http::ReframingReader>(std::move(reader), recognised_.framing,
                                                 [&spoken](std::string_view data) { return spoken.framed(data); });
}

/// An upstream that routes itself is not in charge of what may be said: where a guard reads answers, they are decoded.
bool Exchange::guards_read_answer() const noexcept {
  return route_->security && !opaque_ && plugins_ && route_->chain->wants(kWantsDeltas);
}

/// An answer that passes as it is from an upstream that routes itself is read along for the account, where its dialect is known.
void Exchange::open_reading_along(const Headers& headers) {
  if (!route_->security || route_->config->operation == RouteOperation::kOpaque || !known_operation_ || !recognised_.method_ok) return;
  if (headers.contains("content-encoding")) return;
  http::Framing framing{};
  const bool stream = http::is_stream_type(headers.get("content-type").value_or(""), framing);
  tap_ = dialect_->tap({recognised_.operation, stream, false});
  outcome_.streamed = stream;
  if (stream) events_ = http::make_event_reader(framing, snapshot_->config.gateway.limits.event_bytes);
}

/// Changes nothing and fails nothing: an answer that cannot be read is one that is not accounted.
void Exchange::read_along(std::string_view bytes) {
  if (!tap_) return;
  if (!events_) {
    if (!tap_->on_bytes(bytes)) tap_.reset();
    return;
  }
  events_->feed(bytes);
  http::StreamEvent event;
  for (;;) {
    const auto more = events_->next(event);
    if (!more) return tap_.reset();
    if (!*more) return;
    if (!event.has_data || !tap_->on_event(event.name, event.data).content) continue;
    ++outcome_.deltas;
    if (!std::exchange(has_content_, true)) content_began();
  }
}

void Exchange::on_bytes(std::string_view bytes) {
  last_read_ = engine_.loop().now();
  attempt().bytes_received += bytes.size();
  if (head_waits()) {
    plugins_->kept.append(bytes);
    return;
  }
  take_bytes(bytes);
}

void Exchange::take_bytes(std::string_view bytes) {
  if (translation_) return translate_bytes(bytes);
  switch (mode_) {
    case Mode::kStream: return stream_bytes(bytes);
    case Mode::kErrorBody:
      error_body_.append(bytes.substr(0, kErrorBodyBytes - std::min(error_body_.size(), kErrorBodyBytes)));
      return;
    case Mode::kWhole: return whole_bytes(bytes);
    case Mode::kBytes:
      read_along(bytes);
      commit();
      return give(bytes);
  }
}

void Exchange::whole_bytes(std::string_view bytes) {
  if (notes_ && !decodes()) notes_->answer_bytes(bytes);  // as plugins leave it, where they look at it
  if (Status fits = tap_->on_bytes(bytes); !fits) return fail_with(of_upstream(fits.error()), {}, head_.status);
  if (decodes()) return gather_whole(bytes);
  if (!committed_ && held_.size() + bytes.size() <= kHeldBytes && may_follow()) {
    held_.append(bytes);
    return;
  }
  commit();
  give(bytes);
}

/// From here on there is no other attempt: what was held back goes out, and a stream that may stay open for minutes need
/// not hold its request.
void Exchange::commit() {
  if (committed_) return;
  committed_ = true;
  if (mode_ == Mode::kStream && !decodes()) forget_request();  // who reads deltas may look back at what was asked
  release_head();
  give(std::exchange(held_, {}));
}

void Exchange::forget_request() {
  if (notes_) note_request();
  const chat::Operation operation = view_.operation;
  view_ = {};
  view_.operation = operation;
  document_.reset();
  canonical_.reset();
  body_ = {};
  headers_ = {};
  if (plugins_) plugins_->reader.forget();
  engine_.core().give_body_bytes(std::exchange(budget_held_, 0));
}

void Exchange::on_done(const engine::TransferEnd& done) {
  if (keeps_end(done)) return;
  Attempt& ledger = attempt();
  if (done.sends > 1 && ledger.sends == 0) engine_.counters().replayed.fetch_add(done.sends - 1, std::memory_order_relaxed);
  ledger.sends = done.sends;
  ledger.reused_connection = done.reused_connection;
  ledger.resolve = done.resolve;
  ledger.connect = done.connect;
  ledger.bytes_sent = done.bytes_sent;
  if (done.code != Code::kOk) {
    // The stream had said it was over; or it had given its finish reason, and then the connection was closed, not broken.
    const bool closed = done.code == Code::kUpstreamTruncated;
    const bool finished = stream_finished_ || (translation_ && translation_->finished());
    if (mode_ == Mode::kStream && (stream_terminal_ || (finished && closed))) return end_stream();
    if (mode_ == Mode::kErrorBody && state_ == State::kAnswering) return relay_error_body();
    return fail_with(make_error(done.code, "upstream '" + upstream().config->name + "': " + done.detail));
  }
  switch (mode_) {
    case Mode::kStream: return end_stream();
    case Mode::kErrorBody: return relay_error_body();
    case Mode::kWhole: return end_whole();
    case Mode::kBytes:
      if (tap_ && !events_) (void)tap_->on_end();  // read along: what it lacks is not accounted, and no failure
      return complete();
  }
}

/// The upstream's answer is whole.
void Exchange::complete() {
  commit();
  close_attempt(Code::kOk, "completed");
  end(Happening::kFinish, Ending::kCompleted, std::nullopt);
}

void Exchange::end_whole() {
  if (translation_ && !end_translation()) return;
  if (Status whole = tap_->on_end(); !whole) return fail_with(of_upstream(whole.error()), {}, head_.status);
  if (const std::optional<Error>& embedded = tap_->error(); embedded && !committed_ && !passes_as_it_is()) {
    // An error that calls itself a success: told as what it is.
    const std::string text = embedded->message;
    return fail_with(*embedded, text, head_.status);
  }
  if (decodes()) return decode_whole();
  complete();
}

/// A provider's error, in the caller's dialect: as it is where it has that shape already, otherwise its text in ours.
void Exchange::relay_error_body() {
  mask_secret(error_body_);
  close_attempt(Code::kUpstreamStatus, "status " + std::to_string(head_.status));
  if (try_new_token()) return;
  Error error = make_error(Code::kUpstreamStatus, "upstream '" + upstream().config->name + "' answered " + std::to_string(head_.status));
  error.http_status = head_.status;
  const std::string text = dialect::error_text(error_body_);
  if (try_again(error, text, head_.status)) return;
  if (head_given_) return tell_failure(std::move(error), text, head_.status);  // pings went out: the status is told already
  if (spent_) (void)head_.headers.set("x-should-retry", "false");
  if (!translates() && dialect_->is_error_body(error_body_)) {
    head_.headers.remove("content-length");
    head_.headers.add_trusted("content-length", std::to_string(error_body_.size()));
    return relay_error(error_body_);
  }
  const std::string body = dialect_->encode_error(error, {provider_request_id_, text, head_.status});
  (void)head_.headers.set("content-type", dialect_->error_content_type());
  (void)head_.headers.set("content-length", std::to_string(body.size()));
  relay_error(body);
}

void Exchange::give_error_body(std::string_view body) {
  release_head();
  give(body);
  end(Happening::kFinish, Ending::kCompleted, std::nullopt);
}

void Exchange::release_head() {
  if (head_given_) return;
  head_given_ = true;
  as_stream_ = mode_ == Mode::kStream;
  outcome_.status = head_.status;
  caller_->on_head(head_);
}

void Exchange::give(std::string_view bytes) {
  if (bytes.empty() || caller_ == nullptr) return;
  last_given_ = engine_.loop().now();
  outcome_.bytes_out += bytes.size();
  caller_->on_bytes(bytes);
}

}  // namespace sluice::gateway
