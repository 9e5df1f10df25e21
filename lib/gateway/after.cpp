// Phase 5, after: the upstream's answer on its way to the caller. Bytes pass untouched; a tap reads usage and finish
// reason, and takes out again what the gateway alone had asked for. It knows answers; it must not know how they were
// asked for, beyond that.

#include <cstring>

#include "dialect/provider_words.hpp"
#include "gateway/core.hpp"
#include "gateway/exchange.hpp"
#include "gateway/exchange_plugins.hpp"
#include "gateway/header_policy.hpp"

namespace sluice::gateway {
namespace {

constexpr std::size_t kErrorBodyBytes = 64 * 1024;  // of a provider's error answer; what is longer is cut
constexpr std::size_t kHeldBytes = 64 * 1024;       // of an answer that another attempt could still replace

bool is_redirect(int status) noexcept {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool is_event_stream(const Headers& headers) {
  const std::string_view type = headers.get("content-type").value_or("");
  constexpr std::string_view kType = "text/event-stream";
  return type.size() >= kType.size() && same_name(type.substr(0, kType.size()), kType) &&
         (type.size() == kType.size() || type[kType.size()] == ';' || type[kType.size()] == ' ');
}

// How long an upstream may take to end its body once the stream has said it is over: time for the last chunk, so that the
// connection can be kept, but not so long that a caller who waits for the end would notice.
constexpr Milliseconds kAfterTerminal{1'000};
constexpr std::size_t kKeptBytes = 4 * 1024;        // of a buffer between two pieces of a stream: many streams lie idle

/// The data of an event that lacks its blank line was whole all the same.
bool is_whole(std::string_view data) {
  return data.substr(0, 6) == "[DONE]" || json::Document::parse(Body::copy(data)).has_value();
}

/// Where `part` stands inside `whole`, if it is a view of it.
std::size_t offset_in(std::string_view whole, std::string_view part) noexcept {
  if (part.data() < whole.data() || part.data() + part.size() > whole.data() + whole.size()) return std::string_view::npos;
  return static_cast<std::size_t>(part.data() - whole.data());
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
  if (as_it_is || head.status == 204 || method_ == "HEAD") {
    mode_ = Mode::kBytes;
    first_delta_deadline_.reset();
  } else if (!ok) {
    mode_ = Mode::kErrorBody;
    error_head_ = head.headers;
    first_delta_deadline_.reset();
  } else if (is_event_stream(head.headers)) {
    mode_ = Mode::kStream;
    outcome_.streamed = true;
    events_.emplace(snapshot_->config.gateway.limits.event_bytes);
  } else {
    mode_ = Mode::kWhole;
    first_delta_deadline_.reset();
  }
  if (head_given_ && mode_ == Mode::kWhole) {
    return fail_with(make_error(Code::kUpstreamInvalidAnswer, "upstream '" + upstream().config->name +
                                                                  "' answered whole where a stream had been begun"), {}, head.status);
  }
  if (mode_ == Mode::kStream || mode_ == Mode::kWhole) {
    tap_ = upstream().dialect->tap({view_.operation, mode_ == Mode::kStream, asked_for_usage_});
    if (notes_) notes_->answer_begins(*upstream().dialect, view_.operation, mode_ == Mode::kStream);
  }

  head_.status = head.status;
  head_.headers.reserve(head.headers.size() + 2, head.headers.bytes() + 64);
  pass_down(head.headers, as_it_is, mode_ == Mode::kWhole || mode_ == Mode::kBytes, head_.headers);
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
  (void)apply(route_->config->response_headers, head_.headers);  // judged when the configuration was loaded
  if (plugins_ && mode_ != Mode::kErrorBody) return ask_head();  // that of an error, once it is known to be the caller's
  if (mode_ == Mode::kBytes) commit();
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
  switch (mode_) {
    case Mode::kStream: return stream_bytes(bytes);
    case Mode::kErrorBody:
      error_body_.append(bytes.substr(0, kErrorBodyBytes - std::min(error_body_.size(), kErrorBodyBytes)));
      return;
    case Mode::kWhole:
      if (notes_ && !decodes()) notes_->answer_bytes(bytes);  // as plugins leave it, where they look at it
      if (Status fits = tap_->on_bytes(bytes); !fits) return fail_with(of_upstream(fits.error()), {}, head_.status);
      if (decodes()) return gather_whole(bytes);
      if (!committed_ && held_.size() + bytes.size() <= kHeldBytes && may_follow()) {
        held_.append(bytes);
        return;
      }
      [[fallthrough]];
    case Mode::kBytes:
      commit();
      return give(bytes);
  }
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

void Exchange::stream_bytes(std::string_view bytes) {
  events_->feed(bytes);
  if (plugins_) plugins_->in_piece = true;
  take_events(bytes);
  if (plugins_) plugins_->in_piece = false;
}

void Exchange::take_events(std::string_view bytes) {
  http::SseEvent event;
  for (;;) {
    const auto more = events_->next(event);
    if (!more) return fail_with(more.error());
    if (!*more) break;
    const bool in_this_piece = event.raw.data() >= bytes.data() && event.raw.data() < bytes.data() + bytes.size();
    if (!stream_event(event)) return;
    if (!in_this_piece) flush_run();  // gathered over pieces: it lives in the reader's buffer, until its next call
  }
  flush_run();
}

/// One event of the stream. False: the exchange has ended.
bool Exchange::stream_event(const http::SseEvent& event) {
  if (decodes()) return decode_event(event);
  if (event.has_data) {
    const dialect::TapVerdict verdict = tap_->on_event(event.name, event.data);
    if (verdict.error && !stream_terminal_) {
      fail_in_stream(event, *verdict.error);
      return false;
    }
    stream_terminal_ = stream_terminal_ || verdict.terminal;
    stream_finished_ = stream_finished_ || verdict.finished;
    if (verdict.terminal) {
      idle_limit_ = kAfterTerminal;
      rearm();
    }
    if (verdict.content) ++outcome_.deltas;
    if (verdict.content && notes_) notes_->answer_event(event.name, event.data, engine_.loop().now());
    if (verdict.content && !has_content_) {
      has_content_ = true;
      first_delta_deadline_.reset();
      outcome_.first_delta = engine_.loop().now() - started_;
    }
    if (verdict.action == dialect::TapAction::kWithhold) return true;
    if (verdict.action == dialect::TapAction::kReplace) {
      // The framing stays as it came; only what stands in the data line is another.
      if (const std::size_t at = offset_in(event.raw, event.data); at != std::string_view::npos && !event.has_position) {
        patch(event.raw.substr(0, at), verdict.replacement, event.raw.substr(at + event.data.size()));
      } else {
        std::string framed;
        http::append_event(framed, verdict.replacement, event.name);
        patch(framed, {}, {});
      }
      return true;
    }
  }
  if (event.has_position) {
    // `id` and `retry` steer a browser's reconnection to the upstream, which the caller does not talk to.
    std::string without;
    http::append_without_position(without, event.raw);
    patch(without, {}, {});
    return true;
  }
  append_run(event.raw);
  return true;
}

/// An event that tells an error: another attempt follows, or the caller is told, in the provider's own words where these
/// have a shape the caller reads.
void Exchange::fail_in_stream(const http::SseEvent& event, Error error) {
  mask_secret(error.message);
  error_body_.assign(event.data.substr(0, kErrorBodyBytes));
  const bool readable = dialect_ == upstream().dialect && dialect_->is_error_body(event.data);
  std::string words;
  if (readable) http::append_without_position(words, event.raw);
  const std::string text = error.message;
  const int status = head_.status;
  transfer_.reset();
  close_attempt(error.code, "error in the stream: " + error.message);
  if (try_again(error, text, status)) return;
  if (!readable || !(head_given_ || has_content_)) return tell_failure(std::move(error), text, status);
  give_the_rest();
  mask_secret(words);
  give(words);
  end(Happening::kFail, Ending::kFailed, std::move(error));
}

/// Bytes to be given on. While they are one contiguous part of the piece at hand, nothing is copied.
void Exchange::append_run(std::string_view bytes) {
  if (patched_.empty() && (run_.empty() || run_.data() + run_.size() == bytes.data())) {
    run_ = run_.empty() ? bytes : std::string_view{run_.data(), run_.size() + bytes.size()};
    return;
  }
  patch(bytes, {}, {});
}

/// Bytes that stand nowhere in one piece: from here on the piece is gathered, to leave in one write all the same.
void Exchange::patch(std::string_view before, std::string_view middle, std::string_view behind) {
  patched_.append(std::exchange(run_, {}));
  patched_.append(before).append(middle).append(behind);
}

void Exchange::forget_request() {
  if (notes_) note_request();
  const chat::Operation operation = view_.operation;
  view_ = {};
  view_.operation = operation;
  document_.reset();
  body_ = {};
  headers_ = {};
  if (plugins_) plugins_->reader.forget();
  engine_.core().give_body_bytes(std::exchange(budget_held_, 0));
}

void Exchange::end_stream() {
  // The field leaves the last blank line out. A caller that reads by the book would lose that event, so the line is put
  // in; what ends inside its JSON is no event at all.
  bool broken_off = false;
  http::SseEvent event;
  for (int lines = 0; lines < 2 && events_->held() != 0; ++lines) {
    events_->feed("\n");
    const auto more = events_->next(event);
    if (!more) return fail_with(more.error());
    if (!*more || !event.has_data) continue;
    broken_off = !is_whole(event.data);
    if (broken_off) break;
    if (!stream_event(event)) return;
    flush_run();
  }
  if (stream_terminal_ || (stream_finished_ && !broken_off)) return finish_stream();
  fail_with(make_error(Code::kUpstreamTruncated, "upstream '" + upstream().config->name + "' ended the stream before it was finished"));
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
    if (mode_ == Mode::kStream && (stream_terminal_ || (stream_finished_ && closed))) return end_stream();
    if (mode_ == Mode::kErrorBody && state_ == State::kAnswering) return relay_error_body();
    return fail_with(make_error(done.code, "upstream '" + upstream().config->name + "': " + done.detail));
  }
  switch (mode_) {
    case Mode::kStream: return end_stream();
    case Mode::kErrorBody: return relay_error_body();
    case Mode::kWhole: return end_whole();
    case Mode::kBytes: return complete();
  }
}

/// The upstream's answer is whole.
void Exchange::complete() {
  commit();
  close_attempt(Code::kOk, "completed");
  end(Happening::kFinish, Ending::kCompleted, std::nullopt);
}

void Exchange::end_whole() {
  if (Status whole = tap_->on_end(); !whole) return fail_with(of_upstream(whole.error()), {}, head_.status);
  if (const std::optional<Error>& embedded = tap_->error(); embedded && !committed_) {
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
  Error error = make_error(Code::kUpstreamStatus, "upstream '" + upstream().config->name + "' answered " + std::to_string(head_.status));
  error.http_status = head_.status;
  const std::string text = dialect::error_text(error_body_);
  if (try_again(error, text, head_.status)) return;
  if (head_given_) return tell_failure(std::move(error), text, head_.status);  // pings went out: the status is told already
  if (spent_) (void)head_.headers.set("x-should-retry", "false");
  if (dialect_ == upstream().dialect && dialect_->is_error_body(error_body_)) {
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

/// Nothing takes this attempt's place any more: what came in front of its failure is the caller's.
void Exchange::give_the_rest() {
  if (has_content_ || committed_) flush_run();
}

/// When the caller of an open stream has been left in silence for as long as its route lets it; empty = never.
std::optional<TimePoint> Exchange::ping_due() const {
  const Milliseconds interval = route_ == nullptr ? Milliseconds{0} : route_->config->stream_keep_alive;
  const bool open = state_ == State::kAnswering && mode_ == Mode::kStream && (!stream_terminal_ || holds_end()) && !paused_ && !head_waits();
  return open && interval.count() != 0 ? std::optional(last_given_ + interval) : std::nullopt;
}

/// Between two events only: what is given on of a stream is whole events.
void Exchange::ping() {
  release_head();
  give(dialect_->stream_ping(recognised_.framing));
}

void Exchange::give(std::string_view bytes) {
  if (bytes.empty() || caller_ == nullptr) return;
  last_given_ = engine_.loop().now();
  outcome_.bytes_out += bytes.size();
  caller_->on_bytes(bytes);
}

/// Gives on what the piece at hand has come to, or holds it back while it holds nothing a reader would see and another
/// attempt could still take this one's place.
void Exchange::flush_run() {
  if (run_.empty() && patched_.empty()) return;
  if (!committed_ && !has_content_ && held_.size() + patched_.size() + run_.size() <= kHeldBytes && may_follow()) {
    held_.append(patched_).append(std::exchange(run_, {}));
    return patched_.clear();
  }
  if (!held_.empty()) {  // in one write, with what it was held back for
    held_.append(std::exchange(patched_, {})).append(std::exchange(run_, {}));
    return commit();
  }
  commit();
  if (patched_.empty()) return give(std::exchange(run_, {}));
  patched_.append(std::exchange(run_, {}));
  give(patched_);
  patched_.clear();
  if (patched_.capacity() > kKeptBytes) patched_ = {};
}

}  // namespace sluice::gateway
