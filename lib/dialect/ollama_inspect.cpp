// Reads what routing and policy need from a request of Ollama's.

#include <array>

#include "dialect/ollama.hpp"
#include "dialect/openai_inspect.hpp"
#include "dialect/request_walk.hpp"

namespace sluice::dialect::ollama_parts {
namespace {

using chat::Role;
using json::Type;
using json::Value;

/// The root members somebody acts on, in the order of their names below.
enum Field : std::size_t { kMessages, kPrompt, kSystem, kSuffix, kTemplate, kImages, kStream, kOptions, kTools, kInput, kDimensions, kFields };
constexpr std::array<std::string_view, kFields> kNames{"messages", "prompt",  "system", "suffix", "template",  "images",
                                                       "stream",   "options", "tools",  "input",  "dimensions"};

void images(RequestWalk& walk, const Value& list) {
  for (Value image = list.is(Type::kArray) ? list.first() : Value{}; image; image = image.next()) {
    walk.part();
    walk.medium(image, "image/*");
  }
}

void said(RequestWalk& walk, Role who, const Value& content) {
  if (!content || content.is(Type::kNull)) return;
  walk.part();
  walk.texts_within(who, content);
}

Status messages(RequestWalk& walk, const Value& list) {
  static constexpr std::array<std::string_view, 5> kMessage{"role", "content", "images", "thinking", "tool_calls"};
  for (Value message = list.first(); message; message = message.next()) {
    std::array<Value, kMessage.size()> found;
    if (auto status = walk.members(message, kMessage, found); !status) return status;
    const Role who = RequestWalk::role_of(found[0]);
    walk.message(who);
    said(walk, who, found[1]);
    images(walk, found[2]);
    walk.text(who, found[3]);
    if (auto status = walk.calls(found[4]); !status) return status;
  }
  walk.end_messages();
  return {};
}

/// A prompt is a conversation of one word of the user's, perhaps behind a system's.
void prompt(RequestWalk& walk, const std::array<Value, kFields>& found) {
  for (const Field field : {kSystem, kTemplate}) {
    if (!found[field].is(Type::kString)) continue;
    walk.message(Role::kSystem);
    said(walk, Role::kSystem, found[field]);
  }
  walk.message(Role::kUser);
  said(walk, Role::kUser, found[kPrompt]);
  said(walk, Role::kUser, found[kSuffix]);
  images(walk, found[kImages]);
  walk.end_messages();
}

Status options(RequestWalk& walk, const Value& value) {
  static constexpr std::array<std::string_view, 1> kOption{"num_predict"};
  std::array<Value, 1> found;
  if (auto status = walk.members(value, kOption, found); !status) return status;
  // -1 is as many as it takes, -2 as many as there is room for: neither is a bound.
  if (found[0] && found[0].integer().value_or(0) < 0) return {};
  return RequestWalk::count(found[0], "options.num_predict", walk.view().max_output_tokens);
}

}  // namespace

Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view) {
  RequestWalk walk(operation, wants, view);
  if (operation == Operation::kOpaque) return {};
  std::array<Value, kFields> found;
  if (auto status = walk.root(document, kNames, found); !status) return status;
  if (operation == Operation::kChat) {
    view.stream = true;
    if (auto status = RequestWalk::flag(found[kStream], "stream", view.stream); !status) return status;
    if (auto status = options(walk, found[kOptions]); !status) return status;
    if (found[kMessages] && !found[kMessages].is(Type::kArray)) return openai_parts::wrong("messages", found[kMessages], "an array of messages");
    if (auto status = walk.tools(found[kTools]); !status) return status;
    if (!walk.wants_texts() && !walk.wants_tools()) return {};
    if (found[kMessages]) return messages(walk, found[kMessages]);
    prompt(walk, found);
    return {};
  }
  if (operation != Operation::kEmbeddings) return {};
  std::optional<std::uint64_t> dimensions;
  if (auto status = RequestWalk::count(found[kDimensions], "dimensions", dimensions); !status) return status;
  view.shape.dimensions = dimensions.value_or(0);
  if (!walk.wants_texts()) return {};
  if (!found[kInput].is(Type::kArray)) {
    if (found[kInput].is(Type::kString)) walk.input(found[kInput]);
    return {};
  }
  for (Value text = found[kInput].first(); text; text = text.next()) walk.input(text);
  return {};
}

}  // namespace sluice::dialect::ollama_parts
