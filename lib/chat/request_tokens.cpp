// The sum over a request's texts.

#include "chat/request_tokens.hpp"

namespace sluice::chat {
namespace {

// Around each message, and for each tool: roles and separators. OpenAI's cookbook counts 3 or 4 for a message.
constexpr std::uint64_t kAround = 4;
// What it counts exactly.
constexpr std::uint64_t kBeforeMessage = 3, kForName = 1, kBeforeAnswer = 3;

/// What stands around the texts of a request, and whether there is more in it than texts.
struct Frame {
  std::uint64_t tokens = 0;
  bool texts_alone = true;
};

template <typename Add> void add_parts(const std::vector<Part>& parts, Add& add, Frame& frame) {
  for (const Part& part : parts) {
    if (const auto* text = part.as<Text>()) {
      add(text->text);
      continue;
    }
    frame.texts_alone = false;
    if (const auto* thinking = part.as<Thinking>()) add(thinking->text);
    if (const auto* refusal = part.as<Refusal>()) add(refusal->text);
    if (const auto* call = part.as<ToolCall>()) {
      frame.tokens += kAround;
      add(call->name);
      add(call->arguments);
    }
    if (const auto* result = part.as<ToolResult>()) {
      frame.tokens += kAround;
      add_parts(result->parts, add, frame);
    }
  }
}

template <typename Add> void add_tools(const std::vector<Tool>& tools, Add& add, Frame& frame) {
  for (const Tool& tool : tools) {
    frame.texts_alone = false;
    frame.tokens += kAround;
    for (const std::string* text : {&tool.name, &tool.description, &tool.parameters, &tool.native}) add(*text);
  }
}

std::string_view role_word(const Turn& turn) noexcept {
  switch (turn.role) {
    case Role::kSystem: return turn.developer ? "developer" : "system";
    case Role::kUser: return "user";
    case Role::kAssistant: return "assistant";
    case Role::kTool: return "tool";
  }
  return "user";
}

}  // namespace

std::uint64_t estimate_tokens(const Request& request, const tokens::Tokenizer& tokenizer) noexcept {
  const ChatInput* chat = request.chat();
  if (chat == nullptr) return 0;
  Frame frame;
  std::uint64_t total = 0;
  const auto add = [&](std::string_view text) { total += tokens::estimate(text, tokenizer); };
  for (const Turn& turn : chat->turns) {
    frame.tokens += kAround;
    add_parts(turn.parts, add, frame);
  }
  add_tools(chat->tools, add, frame);
  return total + frame.tokens;
}

tokens::Count count_tokens(const Request& request, const tokens::Bpe& bpe, std::size_t bound) {
  const ChatInput* chat = request.chat();
  if (chat == nullptr || (chat->turns.empty() && chat->tools.empty())) return {};
  Frame frame;
  tokens::BoundedCount texts(bpe, bound);
  const auto add = [&texts](std::string_view text) { texts.add(text); };
  for (const Turn& turn : chat->turns) {
    frame.tokens += kBeforeMessage;
    add(role_word(turn));
    if (!turn.name.empty()) {
      frame.tokens += kForName;
      add(turn.name);
    }
    add_parts(turn.parts, add, frame);
  }
  add_tools(chat->tools, add, frame);
  tokens::Count count = texts.counted();
  count.tokens += frame.tokens + kBeforeAnswer;
  count.exact = count.exact && frame.texts_alone && !chat->response_format && !chat->prediction;
  return count;
}

}  // namespace sluice::chat
