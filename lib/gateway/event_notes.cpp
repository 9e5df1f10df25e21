// Notes for the event of one exchange: texts are gathered where they are asked for, and otherwise only counted.

#include "gateway/event_notes.hpp"

#include <algorithm>
#include <utility>

#include "auth/api_key.hpp"
#include "chat/tokens.hpp"
#include "telemetry/content.hpp"

namespace sluice::gateway {
namespace {

using dialect::Operation;

/// What is gathered of one answer at most. Redactors see whole texts or none: what is longer is withheld.
constexpr std::size_t kGathered = 2 << 20;
/// So much of a prompt is counted, by classes in some 100 us, by a vocabulary in some 1,500; the rest is taken to be like it.
constexpr std::size_t kCounted = 32 * 1024;
/// What a chat puts around each message beside its text: 3 and the role, by OpenAI's published rule.
constexpr std::uint64_t kFrameTokens = 4;
/// And before the answer.
constexpr std::uint64_t kAnswerTokens = 3;

bool has_texts(Operation operation) noexcept {
  return operation == Operation::kChat || operation == Operation::kCompletions;
}

bool instructs_apart(std::string_view dialect) noexcept {
  return dialect == "anthropic" || dialect == "gemini" || dialect == "bedrock" || dialect == "openai-responses";
}

std::string role_of(const chat::Turn& turn) {
  switch (turn.role) {
    case chat::Role::kSystem: return turn.developer ? "developer" : "system";
    case chat::Role::kUser: return "user";
    case chat::Role::kAssistant: return "assistant";
    case chat::Role::kTool: return "tool";
  }
  return {};
}

/// The text of a turn; a tool's is what its results say.
std::string text_of(const chat::Turn& turn) {
  std::string text = turn.text();
  for (const chat::Part& part : turn.parts) {
    const auto* result = part.as<chat::ToolResult>();
    for (std::size_t i = 0; result != nullptr && i < result->parts.size(); ++i) {
      if (const auto* said = result->parts[i].as<chat::Text>()) text += said->text;
    }
  }
  return text;
}

std::vector<Content::Message> messages_of(chat::Request& request) {
  std::vector<Content::Message> messages;
  const auto add_prompts = [&messages](std::vector<chat::Prompt>& prompts) {
    for (chat::Prompt& prompt : prompts) {
      if (auto* text = std::get_if<std::string>(&prompt)) messages.push_back({{}, std::move(*text)});
    }
  };
  if (const chat::ChatInput* chat = request.chat()) {
    for (const chat::Turn& turn : chat->turns) messages.push_back({role_of(turn), text_of(turn)});
  } else if (auto* completion = std::get_if<chat::CompletionInput>(&request.input)) {
    add_prompts(completion->prompts);
  } else if (auto* embedding = std::get_if<chat::EmbeddingInput>(&request.input)) {
    add_prompts(embedding->inputs);
  } else if (auto* moderation = std::get_if<chat::ModerationInput>(&request.input)) {
    for (chat::Part& part : moderation->inputs) {
      if (auto* text = part.as<chat::Text>()) messages.push_back({{}, std::move(text->text)});
    }
  }
  return messages;
}

}  // namespace

void EventNotes::note_key(const Headers& headers, std::string_view query) {
  if (const auto presented = auth::presented_key(headers, query); presented && *presented) key_ = (*presented)->key();
}

void EventNotes::keep_prompt(const dialect::Dialect& dialect, const json::Document& document, Operation operation,
                             const telemetry::SecretMask& mask) {
  if (!options_.prompt || std::exchange(kept_prompt_, true)) return;
  auto request = dialect.decode_request(document, operation);
  if (!request) return;  // what cannot be read as a conversation holds none
  content_ = Content{.prompt = messages_of(*request)};
  TelemetryOptions part = options_;
  part.answer = part.tool_calls = false;
  withheld_ = !keep(content_, part, mask);
}

/// The caller's own key is a secret, too, and no configuration need hold it.
bool EventNotes::keep(std::optional<Content>& content, const TelemetryOptions& part, const telemetry::SecretMask& mask) const {
  if (key_.empty() || mask.finds(key_)) return telemetry::keep_content(content, part, redactors_, mask);
  const telemetry::SecretMask own(std::span(&key_, 1));
  std::vector<Redactor> all(redactors_.begin(), redactors_.end());
  all.emplace_back([&own](std::string& text) { (void)own.apply(text); });
  return telemetry::keep_content(content, part, all, mask);
}

void EventNotes::count_prompt(const dialect::Dialect& dialect, const json::Document& document, Operation operation,
                              const chat::tokens::Bpe* vocabulary) {
  if (prompt_) return;
  chat::RequestView view;
  if (!dialect.inspect(document, operation, chat::kWantPrompt | chat::kWantShape, view)) return;
  CountedPrompt& prompt = prompt_.emplace();
  vocabulary_ = vocabulary;
  prompt.text_alone = view.shape.tools == 0 && view.shape.attachments.empty();
  chat::TokenClassCounter counter;
  std::uint64_t left = kCounted;
  for (const chat::PromptText& text : view.prompt) {
    const std::string_view counted = text.text.substr(0, left);
    left -= counted.size();
    if (vocabulary != nullptr) {
      if (!counted.empty()) prompt.texts.emplace_back(counted);
    } else {
      counter.feed(counted);
      counter.end_text();
    }
    prompt.bytes += text.text.size();
    prompt.messages += operation == Operation::kChat ? 1 : 0;
  }
  if (vocabulary != nullptr && operation == Operation::kChat) {
    // Where a dialect has its instructions beside its messages, they become one more at the latest in the model's own form.
    const bool apart = instructs_apart(dialect.name()) && std::any_of(view.prompt.begin(), view.prompt.end(), [](const chat::PromptText& text) {
                         return text.role == chat::Role::kSystem;
                       });
    prompt.messages = view.shape.messages + (apart ? 1 : 0);
    prompt.text_alone = prompt.text_alone && !apart;
  }
  prompt.classes = counter.counted();
}

void EventNotes::answer_begins(const dialect::Dialect& dialect, Operation operation, bool streaming,
                               const chat::tokens::Bpe* vocabulary) {
  dialect_ = &dialect;
  vocabulary_ = vocabulary;
  operation_ = operation;
  decoder_ = streaming && has_texts(operation) ? dialect.delta_decoder({operation}) : nullptr;
}

void EventNotes::answer_event(std::string_view name, std::string_view data, TimePoint now) {
  delta_times_.add(now);
  if (!decoder_) return;
  deltas_.clear();
  if (!decoder_->on_event(name, data, deltas_)) return;
  for (const chat::Delta& delta : deltas_) take(delta);
}

void EventNotes::answer_bytes(std::string_view bytes) {
  if (!has_texts(operation_) || too_long_) return;
  too_long_ = body_.size() + bytes.size() > kGathered;
  if (too_long_) body_ = {};
  else body_.append(bytes);
}

void EventNotes::forget_answer() {
  dialect_ = nullptr;
  decoder_.reset();
  delta_times_ = {};
  said_ = {};
  said_text_.clear();
  said_text_alone_ = true;
  body_.clear();
  answer_.clear();
  tool_calls_.clear();
  call_places_.clear();
  gathered_ = 0;
  too_long_ = false;
}

/// Counts a text, and keeps it where there is a place for it.
void EventNotes::gather(std::string* into, std::string_view text) {
  said_.feed(text);
  if (vocabulary_ != nullptr) said_text_ += text.substr(0, kCounted - said_text_.size());
  if (into == nullptr || too_long_) return;
  gathered_ += text.size();
  too_long_ = gathered_ > kGathered;
  if (!too_long_) return void(into->append(text));
  answer_ = {};
  tool_calls_ = {};
  call_places_ = {};
}

void EventNotes::take(const chat::Delta& delta) {
  const bool other = delta.as<chat::ThinkingDelta>() || delta.as<chat::AudioDelta>() || delta.as<chat::ToolCallStart>();
  if (delta.choice != 0 || other) said_text_alone_ = false;
  if (const auto* text = delta.as<chat::TextDelta>()) {
    gather(options_.answer && delta.choice == 0 ? &answer_ : nullptr, text->text);
  } else if (const auto* thinking = delta.as<chat::ThinkingDelta>()) {
    gather(nullptr, thinking->text);
  } else if (const auto* refusal = delta.as<chat::RefusalDelta>()) {
    gather(nullptr, refusal->text);
  } else if (const auto* audio = delta.as<chat::AudioDelta>()) {
    gather(nullptr, audio->transcript);
  } else if (const auto* call = delta.as<chat::ToolCallStart>()) {
    const bool kept = options_.tool_calls && !too_long_;
    if (kept) {
      tool_calls_.push_back({call->id, {}, {}});
      call_places_.emplace_back(delta.choice, call->index);
    }
    gather(kept ? &tool_calls_.back().name : nullptr, call->name);
  } else if (const auto* more = delta.as<chat::ToolCallDelta>()) {
    const auto place = std::find(call_places_.begin(), call_places_.end(), std::pair(delta.choice, more->index));
    const bool kept = place != call_places_.end();
    gather(kept ? &tool_calls_[static_cast<std::size_t>(place - call_places_.begin())].arguments : nullptr, more->arguments);
  }
}

void EventNotes::answer_ends() {
  if (dialect_ == nullptr || body_.empty()) return;
  const auto message = dialect_->decode_answer(std::exchange(body_, {}), {operation_});
  if (!message) return;
  for (const chat::Delta& delta : chat::to_deltas(*message)) {
    take(delta);
    said_.end_text();
  }
}

Usage EventNotes::estimate_by_vocabulary() const {
  Usage usage;
  bool exact = true;
  if (prompt_ && prompt_->bytes != 0) {
    chat::tokens::BoundedCount texts(*vocabulary_, kCounted);
    std::uint64_t unseen = prompt_->bytes;
    for (const std::string& text : prompt_->texts) {
      texts.add(text);
      unseen -= text.size();
    }
    texts.add_unseen(unseen);
    const chat::tokens::Count count = texts.counted();
    exact = count.exact && prompt_->text_alone;
    usage.input_tokens = count.tokens + (prompt_->messages == 0 ? 0 : prompt_->messages * kFrameTokens + kAnswerTokens);
  }
  if (const std::uint64_t bytes = said_.counted().bytes; bytes != 0) {
    chat::tokens::BoundedCount text(*vocabulary_, kCounted);
    text.add(said_text_);
    text.add_unseen(bytes - std::min<std::uint64_t>(bytes, said_text_.size()));
    const chat::tokens::Count count = text.counted();
    exact = exact && count.exact && said_text_alone_;
    usage.output_tokens = count.tokens;
  }
  usage.estimated = usage.input_tokens || usage.output_tokens;
  usage.estimated_by = exact ? EstimatedBy::kTokenizer : EstimatedBy::kTokenizerPartly;
  return usage;
}

Usage EventNotes::estimate(std::string_view model) const {
  if (vocabulary_ != nullptr) return estimate_by_vocabulary();
  Usage usage;
  const chat::tokens::Tokenizer tokenizer = chat::tokens::tokenizer_of(model);
  if (prompt_ && prompt_->bytes != 0) {
    std::uint64_t tokens = chat::tokens::estimate(prompt_->classes, tokenizer);
    const std::uint64_t counted = prompt_->classes.bytes;
    if (counted != 0 && counted < prompt_->bytes) tokens = tokens * prompt_->bytes / counted;
    usage.input_tokens = tokens + prompt_->messages * kFrameTokens;
  }
  if (said_.counted().bytes != 0) usage.output_tokens = chat::tokens::estimate(said_.counted(), tokenizer);
  usage.estimated = usage.input_tokens || usage.output_tokens;
  return usage;
}

std::optional<Content> EventNotes::take_content(const telemetry::SecretMask& mask) {
  if (!wants_answer()) return std::move(content_);
  std::optional<Content> said = Content{.answer = std::move(answer_), .tool_calls = std::move(tool_calls_)};
  TelemetryOptions part = options_;
  part.prompt = false;
  if (withheld_ || !keep(said, part, mask)) return Content{.truncated = true};
  said->truncated = said->truncated || too_long_;
  if (content_) {
    said->prompt = std::move(content_->prompt);
    said->truncated = said->truncated || content_->truncated;
  }
  return said;
}

}  // namespace sluice::gateway
