// Phase 5, streams: event by event on their way to the caller, each given on at once; the bytes of the piece at hand leave in
// one write. Until the first content everything is held back, so that another attempt can take this one's place. It knows
// events; it must not know what their data says beyond what the tap tells.

#include "gateway/core.hpp"
#include "gateway/exchange.hpp"
#include "gateway/exchange_plugins.hpp"
#include "gateway/translation.hpp"
#include "http/sse.hpp"

namespace sluice::gateway {
namespace {

constexpr std::size_t kErrorEventBytes = 64 * 1024;  // of an event that tells an error; what is longer is cut

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

void Exchange::stream_bytes(std::string_view bytes) {
  events_->feed(bytes);
  if (plugins_) plugins_->in_piece = true;
  take_events(bytes);
  if (plugins_) plugins_->in_piece = false;
}

void Exchange::take_events(std::string_view bytes) {
  http::StreamEvent event;
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
bool Exchange::stream_event(const http::StreamEvent& event) {
  if (decodes()) return decode_event(event);
  if (event.has_data) {
    const dialect::TapVerdict verdict = judge(event);
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
      content_began();
    }
    if (verdict.action == dialect::TapAction::kWithhold) return true;
    if (verdict.action == dialect::TapAction::kReplace) {
      // The framing stays as it came; only what stands in the data line is another.
      const bool sealed = recognised_.framing == http::Framing::kAwsEvents;  // lengths and checksums are part of it
      if (const std::size_t at = offset_in(event.raw, event.data); at != std::string_view::npos && !event.has_position && !sealed) {
        patch(event.raw.substr(0, at), verdict.replacement, event.raw.substr(at + event.data.size()));
      } else {
        std::string framed;
        http::append_event(framed, recognised_.framing, verdict.replacement, event.name);
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
void Exchange::fail_in_stream(const http::StreamEvent& event, Error error) {
  error_body_.assign(event.data.substr(0, kErrorEventBytes));
  std::string words;
  if (!translation_ && dialect_->is_error_body(event.data)) http::append_without_position(words, event.raw);
  const std::string text = error.message;
  fail_in_stream(std::move(error), text, std::move(words));
}

/// `words`: the event as it is told on; empty where the caller's dialect has to say it.
void Exchange::fail_in_stream(Error error, std::string_view provider_text, std::string words) {
  mask_secret(error.message);
  std::string text(provider_text);
  mask_secret(text);
  const int status = head_.status;
  transfer_.reset();
  close_attempt(error.code, "error in the stream: " + error.message);
  if (try_again(error, text, status)) return;
  if (words.empty() || !(head_given_ || has_content_)) return tell_failure(std::move(error), text, status);
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

void Exchange::end_stream() {
  if (translation_ && !end_translation()) return;
  // The field leaves the last blank line out. A caller that reads by the book would lose that event, so the line is put
  // in; what ends inside its JSON is no event at all.
  bool broken_off = false;
  http::StreamEvent event;
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
  if (reframes() && stream_finished_ && !stream_terminal_ && !broken_off && !give_end()) return;
  if (stream_terminal_ || ((stream_finished_ || route_->security) && !broken_off)) return finish_stream();
  fail_with(make_error(Code::kUpstreamTruncated, "upstream '" + upstream().config->name + "' ended the stream before it was finished"));
}

/// The end a caller's dialect has for streams, where frames of another's had none. False: the exchange has ended.
bool Exchange::give_end() {
  if (!dialect_->ends_anywhere()) return true;
  std::string end;
  dialect_->delta_encoder(answer_form())->end(end);
  const auto reader = http::make_event_reader(recognised_.framing, end.size());
  reader->feed(end);
  http::StreamEvent event;
  for (;;) {
    const auto more = reader->next(event);
    if (!more || !*more) return true;
    if (!stream_event(event)) return false;
    flush_run();
  }
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
