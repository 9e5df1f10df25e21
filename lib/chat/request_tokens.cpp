// The sum over a request's texts.

#include "chat/request_tokens.hpp"

namespace sluice::chat {
namespace {

// Around each message, and for each tool: roles and separators. OpenAI's cookbook counts 3 or 4 for a message.
constexpr std::uint64_t kAround = 4;

std::uint64_t sum(const std::vector<Part>& parts, const tokens::Tokenizer& tokenizer) noexcept {
  std::uint64_t total = 0;
  for (const Part& part : parts) {
    if (const auto* text = part.as<Text>()) total += tokens::estimate(text->text, tokenizer);
    if (const auto* thinking = part.as<Thinking>()) total += tokens::estimate(thinking->text, tokenizer);
    if (const auto* refusal = part.as<Refusal>()) total += tokens::estimate(refusal->text, tokenizer);
    if (const auto* call = part.as<ToolCall>()) {
      total += kAround + tokens::estimate(call->name, tokenizer) + tokens::estimate(call->arguments, tokenizer);
    }
    if (const auto* result = part.as<ToolResult>()) total += kAround + sum(result->parts, tokenizer);
  }
  return total;
}

}  // namespace

std::uint64_t estimate_tokens(const Request& request, const tokens::Tokenizer& tokenizer) noexcept {
  const ChatInput* chat = request.chat();
  if (chat == nullptr) return 0;
  std::uint64_t total = 0;
  for (const Turn& turn : chat->turns) total += kAround + sum(turn.parts, tokenizer);
  for (const Tool& tool : chat->tools) {
    total += kAround + tokens::estimate(tool.name, tokenizer) + tokens::estimate(tool.description, tokenizer) +
             tokens::estimate(tool.parameters, tokenizer) + tokens::estimate(tool.native, tokenizer);
  }
  return total;
}

}  // namespace sluice::chat
