// Reading an exchange.

#include "gateway/exchange_view.hpp"

#include "chat/tokens.hpp"
#include "gateway/core.hpp"
#include "gateway/exchange_plugins.hpp"
#include "gateway/header_policy.hpp"

namespace sluice::gateway {
namespace {

/// So much of a prompt is cut and merged, in some 1,500 us; the rest is taken to be like it.
constexpr std::size_t kCountedBytes = 32 * 1024;

PromptPart::Role role_of(chat::Role role) noexcept {
  switch (role) {
    case chat::Role::kSystem: return PromptPart::Role::kSystem;
    case chat::Role::kUser: return PromptPart::Role::kUser;
    case chat::Role::kAssistant: return PromptPart::Role::kAssistant;
    case chat::Role::kTool: return PromptPart::Role::kTool;
  }
  return PromptPart::Role::kUser;
}

}  // namespace

const Headers& ExchangeReader::fields() const noexcept { return exchange_.headers_; }
const Body& ExchangeReader::text() const noexcept { return exchange_.body_; }
const chat::RequestView& ExchangeReader::request() const noexcept { return exchange_.view_; }
const json::Document* ExchangeReader::document() const noexcept { return exchange_.document_ ? &*exchange_.document_ : nullptr; }

std::string_view ExchangeReader::id() const noexcept { return exchange_.outcome_.id; }
std::string_view ExchangeReader::operation() const noexcept { return to_string(exchange_.operation()); }
std::string_view ExchangeReader::dialect() const noexcept { return exchange_.dialect_->name(); }
std::string_view ExchangeReader::consumer() const noexcept { return exchange_.outcome_.consumer; }
std::string_view ExchangeReader::tenant() const noexcept { return exchange_.outcome_.tenant; }
std::string_view ExchangeReader::route() const noexcept { return exchange_.outcome_.route; }
std::string_view ExchangeReader::method() const noexcept { return exchange_.method_; }
std::string_view ExchangeReader::path() const noexcept { return exchange_.target_.path; }
std::string_view ExchangeReader::model() const noexcept { return request().model; }
bool ExchangeReader::stream() const noexcept { return request().stream; }
std::string_view ExchangeReader::body() const noexcept { return text().view(); }
std::span<const std::string_view> ExchangeReader::tools_offered() const { return request().tools_offered; }
std::string_view ExchangeReader::tool_forced() const noexcept { return request().tool_forced; }
std::span<const std::string_view> ExchangeReader::tools_called() const { return request().tools_called; }
TimePoint ExchangeReader::now() const noexcept { return exchange_.engine_.loop().now(); }
std::optional<TimePoint> ExchangeReader::deadline() const noexcept { return exchange_.total_deadline_; }

const Headers& ExchangeReader::headers() const noexcept {
  // Who authenticates has nothing to go by but what proves who calls; nobody else is shown that.
  if (exchange_.route_ == nullptr) return fields();
  if (!shown_) {
    shown_.emplace();
    for (const HeaderField field : fields()) {
      if (!is_credential(field.name)) shown_->add_trusted(field.name, field.value);
    }
  }
  return *shown_;
}

std::span<const PromptPart> ExchangeReader::prompt() const {
  const std::vector<chat::PromptText>& prompt = request().prompt;  // first: a version to be may make itself
  if (!std::exchange(parts_made_, true)) {
    parts_.reserve(prompt.size());
    for (const chat::PromptText& one : prompt) parts_.push_back({role_of(one.role), one.last_user, one.text});
  }
  return parts_;
}

const RequestShape& ExchangeReader::shape() const { return request().shape; }

std::uint64_t ExchangeReader::estimated_input_tokens() const {
  if (tokens_) return *tokens_;
  const std::vector<policy::Choice>& choices = exchange_.decision_.choices;  // none before the model was decided
  const std::string_view named = choices.empty() || choices.front().model.empty() ? model() : choices.front().model;
  const chat::tokens::Bpe* const vocabulary = exchange_.snapshot_->vocabularies->of(named);
  const chat::tokens::Tokenizer tokenizer = chat::tokens::tokenizer_of(named);
  std::uint64_t sum = 0;
  const auto add = [&](const chat::RequestView& view) {
    if (vocabulary != nullptr) {
      chat::tokens::BoundedCount texts(*vocabulary, kCountedBytes);
      for (const chat::PromptText& one : view.prompt) texts.add(one.text);
      sum = texts.counted().tokens;
      return;
    }
    for (const chat::PromptText& one : view.prompt) sum += chat::tokens::estimate(one.text, tokenizer);
  };
  const json::Document* const document = this->document();  // first: a version to be makes itself here
  if (!request().prompt.empty() || document == nullptr) {
    add(request());
  } else {
    chat::RequestView texts;  // nobody else has asked for them
    if (exchange_.inspect(*document, chat::kWantPrompt, texts)) add(texts);
  }
  if (vocabulary == nullptr && !choices.empty() && exchange_.snapshot_->config.gateway.tokens.learn) {
    const std::string& upstream = exchange_.route_->config->upstreams[choices.front().target].upstream;
    (void)exchange_.engine_.core().token_ratios().correct(policy::TokenRatios::Side::kInput, upstream, named, sum);
  }
  tokens_ = sum;
  return sum;
}

void ExchangeReader::forget() noexcept {
  shown_.reset();
  parts_.clear();
  parts_made_ = false;
  tokens_.reset();
}

}  // namespace sluice::gateway
