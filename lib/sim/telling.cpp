// See telling.hpp.
#include "sim/telling.hpp"

#include <algorithm>
#include <string>

#include "sim/text.hpp"

namespace sluice::sim {
namespace {

using Kind = testing::Fault::Kind;

constexpr std::string_view kHtmlPage =
    "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n"
    "<body><center><h1>502 Bad Gateway</h1></center><hr><center>simulator</center></body></html>\n";

}  // namespace

std::unique_ptr<Telling> Telling::begin(testing::Script::Impl& script, const Incoming& request) {
  Cue cue = script.cue(request.at);
  std::unique_ptr<Telling> telling(new Telling);
  telling->settings_ = cue.settings;
  const Settings& settings = *cue.settings;
  const Kind kind = cue.fault ? cue.fault->fault.kind : Kind::kNone;
  if (kind == Kind::kRefuse || kind == Kind::kHangUp || kind == Kind::kGarbage) {
    telling->opening_ = kind == Kind::kRefuse ? Opening::kRefused : kind == Kind::kHangUp ? Opening::kHungUp : Opening::kGarbage;
    telling->over_ = true;
    return telling;
  }

  telling->piece_bytes_ = settings.piece_bytes;
  telling->first_at_ = settings.pace.first_token;
  if (settings.pace.jitter.count() > 0) {
    const Duration jitter = settings.pace.jitter;
    telling->first_at_ += Duration(static_cast<std::int64_t>(cue.random.below(static_cast<std::uint64_t>(jitter.count()) + 1)));
  }
  telling->first_at_ = std::max<Duration>(telling->first_at_, settings.pace.head);

  telling->voice_ = &voice_of(request.target);
  const Voice& voice = *telling->voice_;
  voice.greet(telling->headers_, random_name(cue.random, 32));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(request.wall.time_since_epoch()).count();
  Asked asked = voice.read(request.method, request.target, request.body);
  if (!asked.problem && !asked.model.empty() && !serves(settings, asked.model)) asked.problem = voice.unknown_model(asked.model);
  telling->manner_ = voice.manner(asked);
  if (kind == Kind::kStatus) {
    telling->tell_status(*cue.fault, asked);
  } else {
    telling->open(cue.fault ? &cue.fault->fault : nullptr,
                  compose(std::move(asked), cue.settings, telling->manner_.call_ids, cue.random, seconds));
  }
  if (telling->status_ >= 400) voice.greet_error(telling->headers_, telling->status_);
  telling->add_script_headers();
  return telling;
}

// They replace fields of the simulator's own; two of the script's with one name both stand. Framing is not a script's to say.
void Telling::add_script_headers() {
  const auto& fields = settings_->headers;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::string& name = fields[i].first;
    if (same_name(name, "content-length") || same_name(name, "transfer-encoding") || same_name(name, "connection")) continue;
    const bool first = std::none_of(fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(i),
                                    [&](const auto& earlier) { return same_name(earlier.first, name); });
    if (first) headers_.remove(name);
    headers_.add_trusted(name, fields[i].second);
  }
}

Closing Telling::closing() const noexcept {
  return length_ && told_ >= *length_ ? Closing::kComplete : closing_;
}

void Telling::tell_status(const FaultRule& rule, const Asked& asked) {
  // What is no final status would be no answer; a script that says so gets the plainest failure.
  status_ = rule.fault.status >= 200 && rule.fault.status <= 599 ? rule.fault.status : 500;
  const std::int64_t seconds = std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::seconds>(rule.fault.retry_after).count());
  if (seconds > 0) headers_.add_trusted("retry-after", std::to_string(seconds));
  whole_at_ = first_at_;
  tell_whole(manner_.error_type, rule.body.empty() ? voice_->fault(asked, status_, seconds) : rule.body);
}

void Telling::tell_whole(std::string_view content_type, std::string bytes) {
  // 204 and 304 have no body and declare none.
  if (status_ == 204 || status_ == 304) bytes.clear();
  else headers_.add_trusted("content-type", content_type);
  head_at_ = whole_at_;
  whole_ = std::move(bytes);
  if (status_ != 204 && status_ != 304) {
    length_ = whole_.size();
    headers_.add_trusted("content-length", std::to_string(whole_.size()));
  } else {
    length_ = 0;
  }
}

void Telling::open(const testing::Fault* fault, Composition what) {
  const Kind kind = fault != nullptr ? fault->kind : Kind::kNone;
  const bool streamed = what.asked.stream && !what.asked.problem;
  if (kind == Kind::kHtml) {
    whole_at_ = first_at_;
    tell_whole("text/html; charset=utf-8", std::string(kHtmlPage));
    return;
  }
  if (streamed && (settings_->stream_bytes || !settings_->body)) {
    head_at_ = settings_->pace.head;
    headers_.add_trusted("content-type", manner_.stream_type);
    if (manner_.framing == Framing::kEventStream) headers_.add_trusted("cache-control", "no-cache");
    by_event_ = settings_->stream_bytes.has_value();
    if (by_event_) whole_ = *settings_->stream_bytes;
    events_ = voice_->stream(std::move(what));
    if (kind == Kind::kErrorInStream) error_after_ = fault->after_events;
  } else {
    std::uint64_t steps = 0;  // choices are written side by side
    for (const Choice& choice : what.choices) steps = std::max(steps, choice.tokens);
    whole_at_ = token_at(steps == 0 ? 0 : steps - 1);
    if (kind == Kind::kErrorInStream) {
      tell_whole(manner_.error_type, voice_->fault(what.asked, 500, 0));
    } else if (settings_->body) {
      tell_whole(settings_->body->first, settings_->body->second);
    } else if (what.asked.problem) {
      status_ = what.asked.problem->status;
      tell_whole(manner_.error_type, voice_->refuse(what.asked, *what.asked.problem));
    } else {
      tell_whole(manner_.whole_type, voice_->whole(what));
    }
  }
  if (kind == Kind::kCut || kind == Kind::kReset || kind == Kind::kStall) {
    limit_ = fault->at_byte;
    closing_ = kind == Kind::kCut ? Closing::kCut : kind == Kind::kReset ? Closing::kReset : Closing::kSilence;
  }
  if (kind == Kind::kSlowHead) head_step_ = fault->step;
  over_ = limit_ == 0;
}

Duration Telling::token_at(std::uint64_t token) const {
  const double rate = settings_->pace.tokens_per_second;
  if (rate <= 0) return first_at_;
  return first_at_ + Duration(static_cast<std::int64_t>(static_cast<double>(token) / rate * 1e9));
}

// Pings aside.
std::optional<Duration> Telling::undisturbed_next_at() const {
  if (events_ && !by_event_) {
    const auto event = events_->peek();
    if (!event) return error_after_ ? std::optional(told_at_) : std::nullopt;
    return event->with_head ? head_at_ : std::max(told_at_, token_at(event->token));
  }
  if (whole_told_ == whole_.size()) return error_after_ ? std::optional(told_at_) : std::nullopt;
  return by_event_ ? std::max(told_at_, token_at(events_told_)) : whole_at_;
}

std::optional<Duration> Telling::next_at() const {
  if (over_) return std::nullopt;
  const auto next = undisturbed_next_at();
  if (!next) return next;
  const Duration ping = settings_->pace.ping;
  if (ping.count() > 0 && !length_ && !manner_.ping.empty()) return std::min(*next, std::max(told_at_, head_at_) + ping);
  return next;
}

void Telling::next(std::string& out) {
  const auto content_at = undisturbed_next_at();
  const auto at = next_at();
  if (!at) return;
  const std::size_t begin = out.size();
  const bool spent = by_event_ ? whole_told_ == whole_.size() : events_ && !events_->peek();
  if (*at < *content_at) {
    out += manner_.ping;
  } else if (error_after_ && (events_told_ == *error_after_ || spent)) {
    events_->break_off(out, events_told_, spent);
    over_ = true;
  } else if (by_event_) {
    const std::size_t size = event_size(manner_.framing, std::string_view(whole_).substr(whole_told_));
    out.append(whole_, whole_told_, size);
    whole_told_ += size;
    ++events_told_;
  } else if (events_) {
    events_->take(out);
    ++events_told_;
  } else if (out.empty()) {
    out = std::move(whole_);
    whole_.clear();
    whole_told_ = 0;
    over_ = true;
  } else {
    out += whole_;
    whole_told_ = whole_.size();
    over_ = true;
  }
  told_at_ = *at;
  told_ += out.size() - begin;
  if (told_ >= limit_) {
    out.resize(out.size() - static_cast<std::size_t>(told_ - limit_));
    told_ = limit_;
    over_ = true;
  }
}

}  // namespace sluice::sim
