// Reads what routing and policy need from a request of Cohere's.

#include <array>

#include "dialect/cohere.hpp"
#include "dialect/openai_inspect.hpp"
#include "dialect/request_walk.hpp"

namespace sluice::dialect::cohere_parts {
namespace {

using chat::Role;
using json::Type;
using json::Value;

/// The root members somebody acts on, in the order of their names below.
enum Field : std::size_t {
  kMessages, kStream, kMaxTokens, kTools, kToolChoice, kDocuments, kTexts, kImages, kInputs, kQuery, kDimension, kFields,
};
constexpr std::array<std::string_view, kFields> kNames{"messages", "stream", "max_tokens", "tools",  "tool_choice",     "documents",
                                                       "texts",    "images", "inputs",     "query", "output_dimension"};

/// One typed part of a message or of an embedding's input. Any `text` counts, whatever the type says.
Status part(RequestWalk& walk, Role who, const Value& value) {
  static constexpr std::array<std::string_view, 5> kPart{"text", "thinking", "image_url", "document", "type"};
  walk.part();
  if (value.is(Type::kString)) return walk.text(who, value), Status{};
  if (!value.is(Type::kObject)) return {};
  std::array<Value, kPart.size()> found;
  if (auto status = walk.members(value, kPart, found); !status) return status;
  const auto& [text, thinking, image, document, type] = found;
  walk.text(who, text);
  walk.text(who, thinking);
  walk.texts_within(who, document);
  if (image) {
    static constexpr std::array<std::string_view, 1> kUrl{"url"};
    std::array<Value, 1> url;
    if (auto status = walk.members(image, kUrl, url); !status) return status;
    walk.medium(image.is(Type::kString) ? image : url[0] ? url[0] : image, "image/*");
  }
  if (!text && !thinking && !image && !document) walk.unknown(value);
  return {};
}

Status content(RequestWalk& walk, Role who, const Value& value) {
  if (!value || value.is(Type::kNull)) return {};
  if (!value.is(Type::kArray)) return part(walk, who, value);
  for (Value item = value.first(); item; item = item.next()) {
    if (auto status = part(walk, who, item); !status) return status;
  }
  return {};
}

Status messages(RequestWalk& walk, const Value& list) {
  static constexpr std::array<std::string_view, 4> kMessage{"role", "content", "tool_plan", "tool_calls"};
  for (Value message = list.first(); message; message = message.next()) {
    std::array<Value, kMessage.size()> found;
    if (auto status = walk.members(message, kMessage, found); !status) return status;
    const Role who = RequestWalk::role_of(found[0]);
    walk.message(who);
    if (auto status = content(walk, who, found[1]); !status) return status;
    walk.text(who, found[2]);
    if (auto status = walk.calls(found[3]); !status) return status;
  }
  walk.end_messages();
  return {};
}

/// `texts`, `images`, `inputs`: what is to be embedded.
Status inputs(RequestWalk& walk, const std::array<Value, kFields>& found) {
  for (Value text = found[kTexts].is(Type::kArray) ? found[kTexts].first() : Value{}; text; text = text.next()) walk.input(text);
  for (Value image = found[kImages].is(Type::kArray) ? found[kImages].first() : Value{}; image; image = image.next()) {
    ++walk.view().shape.inputs;
    walk.medium(image, "image/*");
  }
  static constexpr std::array<std::string_view, 1> kContent{"content"};
  for (Value input = found[kInputs].is(Type::kArray) ? found[kInputs].first() : Value{}; input; input = input.next()) {
    ++walk.view().shape.inputs;
    std::array<Value, 1> inner;
    if (auto status = walk.members(input, kContent, inner); !status) return status;
    if (auto status = content(walk, Role::kUser, inner[0]); !status) return status;
  }
  return {};
}

}  // namespace

Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view) {
  RequestWalk walk(operation, wants, view);
  if (operation == Operation::kOpaque) return {};
  std::array<Value, kFields> found;
  if (auto status = walk.root(document, kNames, found); !status) return status;
  if (operation == Operation::kChat) {
    if (auto status = RequestWalk::flag(found[kStream], "stream", view.stream); !status) return status;
    if (auto status = RequestWalk::count(found[kMaxTokens], "max_tokens", view.max_output_tokens); !status) return status;
    if (!found[kMessages].is(Type::kArray)) return openai_parts::wrong("messages", found[kMessages], "an array of messages");
    if (auto status = walk.tools(found[kTools]); !status) return status;
    if (walk.wants_texts() || walk.wants_tools()) {
      // Documents are shown to the model before the conversation.
      walk.texts_within(Role::kTool, found[kDocuments]);
      return messages(walk, found[kMessages]);
    }
    return {};
  }
  std::optional<std::uint64_t> dimensions;
  if (auto status = RequestWalk::count(found[kDimension], "output_dimension", dimensions); !status) return status;
  view.shape.dimensions = dimensions.value_or(0);
  if (!walk.wants_texts()) return {};
  if (operation == Operation::kEmbeddings) {
    if (auto status = inputs(walk, found); !status) return status;
  } else if (operation == Operation::kRerank) {
    walk.input(found[kQuery]);
    for (Value text = found[kDocuments].is(Type::kArray) ? found[kDocuments].first() : Value{}; text; text = text.next()) {
      if (text.is(Type::kString)) {
        walk.input(text);
      } else {
        ++view.shape.inputs;
        walk.texts_within(Role::kUser, text);
      }
    }
  }
  for (chat::PromptText& text : view.prompt) text.last_user = true;
  return {};
}

}  // namespace sluice::dialect::cohere_parts
