// Reads what routing and policy need from a request of the Responses API, in one walk over the root's members; texts and
// tools only where a route looks at them. Strict about what it reads (unique, of the right type, in range), lenient about
// the rest.

#include "dialect/responses_inspect.hpp"

#include <array>

#include "dialect/openai_inspect.hpp"
#include "dialect/responses.hpp"

namespace sluice::dialect::responses_parts {
namespace {

using json::Type;
using json::Value;
using openai_parts::duplicate;
using openai_parts::name_of;
using openai_parts::wrong;

/// The root members somebody acts on. Each may stand there once.
enum Field : std::uint32_t {
  kModel, kInput, kInstructions, kStream, kMaxOutputTokens, kTools, kToolChoice, kPrompt, kModelAlias, kModelCase, kUnknown,
};
constexpr std::array<std::string_view, 8> kNames{"model", "input", "instructions", "stream", "max_output_tokens", "tools", "tool_choice", "prompt"};

Field field_of(std::string_view key) noexcept {
  for (std::uint32_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == key) return static_cast<Field>(i);
  }
  if (openai_parts::same_letters(key, "model")) return kModelCase;
  return openai_parts::is_model_alias(key) ? kModelAlias : kUnknown;
}

/// The members of an item that are looked at.
struct Item {
  Value type, role, content, output, name;
};

class Inspector {
 public:
  Inspector(Operation operation, std::uint32_t wants, chat::RequestView& view) : operation_(operation), wants_(wants), view_(view) {}

  Status run(const Value& root) {
    view_.operation = operation_;
    if (!root.is(Type::kObject)) {
      return fail(Code::kInvalidRequest, "the body is " + std::string(openai_parts::type_name(root)) + "; it must be a JSON object");
    }
    for (Value member = root.first(); member; member = member.next()) {
      const Field field = field_of(name_of(member, scratch_));
      if (field == kUnknown) continue;
      if (fields_[field] && field != kModelAlias && field != kModelCase) return duplicate(member);
      fields_[field] = member;
    }
    if (auto status = openai_parts::take_model(fields_[kModel], fields_[kModelAlias], fields_[kModelCase], view_); !status) return status;
    if (auto status = generation(); !status) return status;
    if ((wants_ & chat::kWantPrompt) != 0) {
      if (auto status = prompt(); !status) return status;
    }
    if ((wants_ & chat::kWantTools) != 0) {
      if (auto status = tools(); !status) return status;
    }
    if ((wants_ & chat::kWantShape) == 0) return {};
    return measure({fields_[kInstructions], fields_[kInput], fields_[kTools], fields_[kPrompt]}, view_);
  }

 private:
  Status generation() {
    if (const Value value = fields_[kStream]; value && !value.is(Type::kNull)) {
      const auto flag = value.boolean();
      if (!flag) return wrong("stream", value, "true or false");
      view_.stream = *flag;
    }
    view_.usage_in_stream = view_.stream;  // it always has it
    if (const Value value = fields_[kMaxOutputTokens]; value && !value.is(Type::kNull)) {
      const auto n = value.integer();
      if (!n || *n < 0) {
        return fail(Code::kInvalidParameter, "max_output_tokens is " + openai_parts::shown(value) + "; it must be an integer, 0 or more",
                    "max_output_tokens");
      }
      view_.max_output_tokens = static_cast<std::uint64_t>(*n);
    }
    const Value input = fields_[kInput];
    if (input && !input.is(Type::kNull) && !input.is(Type::kString) && !input.is(Type::kArray)) {
      return wrong("input", input, "a string or an array of items");
    }
    return {};
  }

  void add(chat::Role who, const Value& text) {
    view_.prompt.push_back({who, false, openai_parts::text_of(text, view_), text});
  }

  Status prompt() {
    if (const Value value = fields_[kInstructions]; value.is(Type::kString)) {
      add(chat::Role::kSystem, value);
    } else if (value.is(Type::kArray)) {
      if (auto status = content(chat::Role::kSystem, value); !status) return status;
    }
    if (auto status = variables(); !status) return status;
    const Value input = fields_[kInput];
    std::size_t from = 0, to = 0;  // the texts of the last user message
    if (input.is(Type::kString)) {
      from = view_.prompt.size();
      add(chat::Role::kUser, input);
      to = view_.prompt.size();
    }
    for (Value value = input.is(Type::kArray) ? input.first() : Value{}; value; value = value.next()) {
      Item item;
      if (auto status = pick(value, item); !status) return status;
      const std::size_t before = view_.prompt.size();
      const chat::Role who = role_of(item);
      if (auto status = content(who, item.content); !status) return status;
      // What a tool gave back, whichever tool it was.
      if (auto status = content(chat::Role::kTool, item.output); !status) return status;
      if (who != chat::Role::kUser || !item.content) continue;
      from = before;
      to = view_.prompt.size();
    }
    for (std::size_t i = from; i < to; ++i) view_.prompt[i].last_user = true;
    return {};
  }

  /// What is put into a prompt the server keeps: strings, or parts with a text.
  Status variables() {
    const Value prompt = fields_[kPrompt];
    if (!prompt.is(Type::kObject)) return {};
    const auto values = prompt.find("variables");
    if (!values) return tl::unexpected(values.error());
    for (Value value = values->is(Type::kObject) ? values->first() : Value{}; value; value = value.next()) {
      if (auto status = content(chat::Role::kUser, value); !status) return status;
    }
    return {};
  }

  /// A string, a part, or a list of either. Any part with a `text` member counts: what a server might read as text must not
  /// slip past a rule on text.
  Status content(chat::Role who, const Value& value) {
    if (value.is(Type::kString)) add(who, value);
    if (value.is(Type::kObject)) return part(who, value);
    for (Value item = value.is(Type::kArray) ? value.first() : Value{}; item; item = item.next()) {
      if (item.is(Type::kString)) add(who, item);
      if (!item.is(Type::kObject)) continue;
      if (auto status = part(who, item); !status) return status;
    }
    return {};
  }

  Status part(chat::Role who, const Value& object) {
    const auto text = object.find("text");
    if (!text) return tl::unexpected(text.error());
    if (text->is(Type::kString)) add(who, *text);
    return {};
  }

  /// Absent ones stay absent. Errors: kDuplicateKey.
  Status pick(const Value& object, Item& item) {
    for (Value member = object.is(Type::kObject) ? object.first() : Value{}; member; member = member.next()) {
      const std::string_view key = name_of(member, scratch_);
      Value* const wanted = key == "type" ? &item.type : key == "role" ? &item.role : key == "content" ? &item.content
                            : key == "output" ? &item.output : key == "name" ? &item.name : nullptr;
      if (wanted == nullptr) continue;
      if (*wanted) return duplicate(member);
      *wanted = member;
    }
    return {};
  }

  static bool is(const Value& value, std::string_view word) { return value.is(Type::kString) && value.equals(word); }

  static chat::Role role_of(const Item& item) {
    if (is(item.role, "system") || is(item.role, "developer")) return chat::Role::kSystem;
    if (is(item.role, "assistant") || is(item.type, "reasoning")) return chat::Role::kAssistant;
    return chat::Role::kUser;
  }

  Status tools() {
    if (auto status = offered(fields_[kTools], 0); !status) return status;
    if (const Value choice = fields_[kToolChoice]; choice.is(Type::kObject)) {
      Item item;
      if (auto status = pick(choice, item); !status) return status;
      const bool typed = item.type.is(Type::kString) && !is(item.type, "function") && !is(item.type, "custom") && !is(item.type, "allowed_tools");
      if (item.name.is(Type::kString)) {
        view_.tool_forced = openai_parts::text_of(item.name, view_);
      } else if (typed) {
        view_.tool_forced = openai_parts::text_of(item.type, view_);
      }
    }
    return calls();
  }

  /// Tools by name; a server's own goes by its type. Those of a namespace are offered too.
  Status offered(const Value& list, int depth) {
    for (Value tool = list.is(Type::kArray) ? list.first() : Value{}; tool; tool = tool.next()) {
      Item item;
      if (auto status = pick(tool, item); !status) return status;
      const Value name = item.name.is(Type::kString) ? item.name : item.type;
      if (name.is(Type::kString)) view_.tools_offered.push_back(openai_parts::text_of(name, view_));
      if (!tool.is(Type::kObject) || depth != 0) continue;
      const auto inner = tool.find("tools");
      if (!inner) return tl::unexpected(inner.error());
      if (auto status = offered(*inner, depth + 1); !status) return status;
    }
    return {};
  }

  /// The calls of the last turn of the assistant: a run of its items.
  Status calls() {
    const Value input = fields_[kInput];
    bool open = false;
    for (Value value = input.is(Type::kArray) ? input.first() : Value{}; value; value = value.next()) {
      Item item;
      if (auto status = pick(value, item); !status) return status;
      const bool call = is(item.type, "function_call") || is(item.type, "custom_tool_call");
      const bool assistant = call || is(item.type, "reasoning") || is(item.role, "assistant");
      if (assistant && !open) view_.tools_called.clear();
      open = assistant;
      if (call && item.name.is(Type::kString)) view_.tools_called.push_back(openai_parts::text_of(item.name, view_));
    }
    return {};
  }

  Operation operation_;
  std::uint32_t wants_;
  chat::RequestView& view_;
  Value fields_[kUnknown];
  std::string scratch_;
};

}  // namespace

Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view) {
  if (!serves(operation)) {
    view.operation = operation;
    return {};
  }
  if ((wants & chat::kWantShape) != 0) view.shape.json_depth = document.depth();
  return Inspector(operation, wants, view).run(document.root());
}

}  // namespace sluice::dialect::responses_parts
