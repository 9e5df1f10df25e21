// Phase 6, the event: what an exchange leaves of itself, its place in a trace, and the secrets that stay out of both.
// It knows the account and the notes beside it; it must not know where the lines go.

#include <algorithm>

#include "gateway/core.hpp"
#include "gateway/exchange.hpp"
#include "gateway/exchange_plugins.hpp"
#include "telemetry/event.hpp"
#include "telemetry/key_id.hpp"

namespace sluice::gateway {
namespace {

constexpr std::size_t kKeptLine = 64 * 1024;  // of an engine's buffer between two events

/// Every text of the account that a caller or an upstream has chosen.
void mask_texts(Outcome& outcome, const telemetry::SecretMask& mask) {
  if (outcome.error) {
    (void)mask.apply(outcome.error->message);
    (void)mask.apply(outcome.error->param);
  }
  for (std::string* text : {&outcome.requested_model, &outcome.served_model, &outcome.model_note, &outcome.finish_reason}) {
    (void)mask.apply(*text);
  }
  for (Attempt& attempt : outcome.attempts) {
    (void)mask.apply(attempt.reason);
    (void)mask.apply(attempt.model);
    (void)mask.apply(attempt.chosen_because);
  }
}

}  // namespace

/// Without anybody who listens there are no notes, and an exchange pays for none.
void Exchange::open_notes() {
  const TelemetryOptions& options = snapshot_->config.telemetry;
  const bool told = !engine_.events()->empty();
  if (!told && !options.prompt && !options.answer && !options.tool_calls) return;
  notes_ = std::make_unique<EventNotes>(options, engine_.core().options().redactors);
  if (told) notes_->join_trace(headers_, engine_.random());
}

/// The trace, as an upstream is told of it. Where no event tells of the exchange it is no span of any: the caller's fields go
/// on as they are, if they can be read and are trusted.
void Exchange::pass_trace(Headers& to) const {
  const telemetry::Trace* trace = notes_ ? notes_->trace() : nullptr;
  if (trace == nullptr && !to.contains("traceparent") && !to.contains("tracestate")) return;
  if (trace == nullptr && snapshot_->config.telemetry.trust_traceparent && to.count("traceparent") == 1 &&
      telemetry::parse_traceparent(*to.get("traceparent"))) {
    return;
  }
  to.remove("traceparent");
  to.remove("tracestate");
  if (trace == nullptr) return;
  to.add_trusted("traceparent", telemetry::traceparent(*trace));
  if (!trace->state.empty()) to.add_trusted("tracestate", trace->state);
}

/// The request is about to be let go of.
void Exchange::note_request() {
  if (!document_) return;
  notes_->keep_prompt(*dialect_, *document_, view_.operation, *snapshot_->mask);
  notes_->count_prompt(*dialect_, *document_, view_.operation, vocabulary());
}

/// What cuts text as the model of this attempt does; null where nobody knows.
const chat::tokens::Bpe* Exchange::vocabulary() const noexcept { return snapshot_->vocabularies->of(sent_model_); }

/// The upstream has not said what was read and written.
void Exchange::estimate_usage() {
  Usage usage = notes_->estimate(outcome_.served_model);
  if (!usage.estimated) return;
  if (usage.estimated_by == EstimatedBy::kWeights && snapshot_->config.gateway.tokens.learn && !outcome_.attempts.empty()) {
    policy::TokenRatios& ratios = engine_.core().token_ratios();
    const auto correct = [&](policy::TokenRatios::Side side, std::optional<std::uint64_t>& tokens) {
      if (tokens && ratios.correct(side, attempt().upstream, attempt().model, *tokens)) usage.estimated_by = EstimatedBy::kCorrected;
    };
    correct(policy::TokenRatios::Side::kInput, usage.input_tokens);
    correct(policy::TokenRatios::Side::kOutput, usage.output_tokens);
  }
  outcome_.usage = usage;
}

/// It has said so: how far the estimate would have been off is remembered. What a stream was counted for anyway costs
/// nothing more; a whole answer is counted while the ratio settles, and seldom after that.
void Exchange::learn_tokens() {
  if (!snapshot_->config.gateway.tokens.learn || outcome_.attempts.empty() || vocabulary() != nullptr) return;
  using Side = policy::TokenRatios::Side;
  policy::TokenRatios& ratios = engine_.core().token_ratios();
  const std::string& upstream = attempt().upstream;
  const std::string& model = attempt().model;
  const Usage& told = outcome_.usage;
  if (told.input_tokens && document_ && !notes_->has_prompt() && ratios.wants(Side::kInput, upstream, model, *told.input_tokens)) {
    notes_->count_prompt(*dialect_, *document_, view_.operation, nullptr);
  }
  // Thinking is billed and seldom shown; and what plugins change is not what was billed.
  const bool may_be_told = told.output_tokens && told.reasoning_tokens.value_or(0) == 0 && !decodes();
  if (may_be_told && ratios.wants(Side::kOutput, upstream, model, *told.output_tokens)) notes_->answer_ends();
  const Usage estimate = notes_->estimate(outcome_.served_model);
  if (told.input_tokens && estimate.input_tokens && notes_->prompt_is_text()) {
    ratios.learn(Side::kInput, upstream, model, *estimate.input_tokens, *told.input_tokens);
  }
  if (may_be_told && estimate.output_tokens && notes_->answer_is_text()) {
    ratios.learn(Side::kOutput, upstream, model, *estimate.output_tokens, *told.output_tokens);
  }
}

/// Whatever the exchange was waiting for when it ended is what took the time up to here.
void Exchange::settle_times() {
  const TimePoint now = engine_.loop().now();
  switch (state_) {
    case State::kHead:
    case State::kBody: outcome_.receive_time = now - started_ - (plugins_ ? plugins_->run.waited() : Duration{}); break;
    case State::kJudging: break;  // plugins, who tell it themselves
    case State::kChoosing:
      outcome_.wait_time += choose_at_ ? now - (*choose_at_ - wait_) : wait_;
      break;
    case State::kQueued:
      outcome_.queue_time += now - chosen_at_;
      outcome_.wait_time += wait_;
      break;
    case State::kPreparing:
      outcome_.queue_time += now - chosen_at_ - plugins_->waited_since_attempt();
      outcome_.wait_time += wait_;
      break;
    case State::kSending:
    case State::kAnswering:
    case State::kEnded: break;
  }
}

void Exchange::close_notes(Ending ending) {
  if (document_) notes_->keep_prompt(*dialect_, *document_, view_.operation, *snapshot_->mask);
  // An answer that failed before it said anything is billed by nobody.
  const bool billed = tap_ && mode_ != Mode::kBytes && (has_content_ || ending == Ending::kCompleted || ending == Ending::kCancelled);
  const bool uncounted = billed && !outcome_.usage.input_tokens && !outcome_.usage.output_tokens;
  if (uncounted || notes_->wants_answer()) notes_->answer_ends();
  if (uncounted) {
    if (document_) notes_->count_prompt(*dialect_, *document_, view_.operation, vocabulary());
    estimate_usage();
  } else if (billed && ending == Ending::kCompleted) {
    learn_tokens();
  }
  outcome_.inter_delta_p50 = notes_->delta_times().percentile(50);
  outcome_.inter_delta_p99 = notes_->delta_times().percentile(99);
  outcome_.content = notes_->take_content(*snapshot_->mask);
  // A key that no configuration holds is masked where somebody may have echoed it.
  const bool trouble = outcome_.error || std::any_of(outcome_.attempts.begin(), outcome_.attempts.end(),
                                                     [](const Attempt& one) { return one.code != Code::kOk; });
  if (const std::string key(notes_->key()); trouble && !key.empty() && !snapshot_->mask->finds(key)) {
    mask_texts(outcome_, telemetry::SecretMask(std::span(&key, 1)));
  }
}

/// Takes the secrets of the configuration out of `text`, wherever they stand or begin to: providers echo keys in their errors,
/// and an excerpt may end within one.
void Exchange::mask_secret(std::string& text) const {
  (void)snapshot_->mask->apply(text);
  if (token_) (void)token_->mask->apply(text);
}

void Exchange::tell_event() {
  const std::shared_ptr<telemetry::EventSinks> sinks = engine_.events();  // a callback may replace them
  if (sinks->empty()) return;
  std::string key_id;
  if (notes_ && !notes_->key().empty()) key_id = telemetry::key_id(notes_->key(), engine_.core().key_salt());
  std::string& line = engine_.event_line();
  line.clear();
  telemetry::write_event(outcome_,
                         {.gateway = snapshot_->config.gateway.name,
                          .key_id = key_id,
                          .client_address = client_address_,
                          .trace = notes_ ? notes_->trace() : nullptr,
                          .mask = snapshot_->mask.get()},
                         line);
  sinks->write(line);
  if (line.capacity() > kKeptLine) line = {};
}

}  // namespace sluice::gateway
