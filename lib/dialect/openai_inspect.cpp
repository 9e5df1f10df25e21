// Reads what routing and policy need from a request, in one walk over the root's members; texts and tools only where a
// route looks at them. Strict about what it reads (unique, of the right type, in range), lenient about the rest.

#include <algorithm>
#include <cctype>
#include <limits>

#include "dialect/openai.hpp"
#include "dialect/openai_inspect.hpp"

namespace sluice::dialect::openai_parts {

using json::Type;
using json::Value;

std::string_view type_name(const Value& value) noexcept {
  switch (value.type()) {
    case Type::kNull: return "null";
    case Type::kBool: return "a boolean";
    case Type::kNumber: return "a number";
    case Type::kString: return "a string";
    case Type::kArray: return "an array";
    case Type::kObject: return "an object";
  }
  return "nothing";
}

std::string_view name_of(const Value& member, std::string& scratch) {
  const std::string_view raw = member.raw_key();
  return raw.find('\\') == std::string_view::npos ? raw : member.key(scratch);
}

tl::unexpected<Error> duplicate(const Value& member) {
  std::string scratch;
  std::string name(member.key(scratch));
  std::string text = "'" + name + "' stands twice at offset " + std::to_string(member.key_offset()) + "; send it once";
  return fail(Code::kDuplicateKey, std::move(text), std::move(name));
}

tl::unexpected<Error> wrong(std::string_view name, const Value& value, std::string_view expected) {
  std::string text = std::string(name) + " is " + (value ? std::string(type_name(value)) : "missing") + "; it must be ";
  return fail(Code::kInvalidParameter, text.append(expected), std::string(name));
}

std::string shown(const Value& value) {
  return value.is(Type::kNumber) ? std::string(value.raw().substr(0, 32)) : std::string(type_name(value));
}

bool same_letters(std::string_view a, std::string_view lower) noexcept {
  return a.size() == lower.size() && std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y;
  });
}

bool is_model_alias(std::string_view key) noexcept { return same_letters(key, "modelid") || same_letters(key, "model_id"); }

std::string_view text_of(const Value& string, chat::RequestView& view) {
  if (!string.has_escapes()) return string.raw_string();
  std::string& kept = view.arena.emplace_back();
  return string.text(kept);
}

Status take_model(const Value& value, const Value& alias, const Value& other_case, chat::RequestView& view) {
  std::string scratch;
  if (other_case) {
    return fail(Code::kInvalidModel, "'" + std::string(other_case.key(scratch)) +
                "' is spelled like a second 'model'; name the model once, as 'model'", "model");
  }
  if (!value) return {};
  if (alias) {
    const std::string name(alias.key(scratch));
    return fail(Code::kInvalidModel, "'" + name + "' stands beside 'model'; name the model once, as 'model'", name);
  }
  if (!value.is(Type::kString)) {
    return fail(Code::kInvalidModel, "model is " + std::string(type_name(value)) + "; it must be a string", "model");
  }
  const std::string_view name = text_of(value, view);
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(name.begin(), name.end(), control)) {
    return fail(Code::kInvalidModel, "model holds a control character; it must be printable text", "model");
  }
  view.model_present = true;
  view.model_value = value;
  view.model = name;
  return {};
}

namespace {

/// The root members somebody acts on. Each may stand there once.
enum Field : std::uint32_t {
  kModel, kModelAlias, kMessages, kMaxTokens, kMaxCompletionTokens, kStream, kTools, kStreamOptions, kToolChoice, kN,
  kResponseFormat, kFunctions, kFunctionCall, kPrompt, kSuffix, kInput, kDimensions, kModelCase, kUnknown,
};

Field field_of(std::string_view key) noexcept {
  switch (key.size()) {
    case 1: return key == "n" ? kN : kUnknown;
    case 5:
      if (key == "model") return kModel;
      if (key == "tools") return kTools;
      if (key == "input") return kInput;
      // Servers that decode without regard to case (Go's do) would take `Model` for the model.
      return same_letters(key, "model") ? kModelCase : kUnknown;
    case 6: return key == "stream" ? kStream : key == "prompt" ? kPrompt : key == "suffix" ? kSuffix : kUnknown;
    case 7: return same_letters(key, "modelid") ? kModelAlias : kUnknown;
    case 8: return key == "messages" ? kMessages : same_letters(key, "model_id") ? kModelAlias : kUnknown;
    case 9: return key == "functions" ? kFunctions : kUnknown;
    case 10: return key == "max_tokens" ? kMaxTokens : key == "dimensions" ? kDimensions : kUnknown;
    case 11: return key == "tool_choice" ? kToolChoice : kUnknown;
    case 13: return key == "function_call" ? kFunctionCall : kUnknown;
    case 14: return key == "stream_options" ? kStreamOptions : kUnknown;
    case 15: return key == "response_format" ? kResponseFormat : kUnknown;
    case 21: return key == "max_completion_tokens" ? kMaxCompletionTokens : kUnknown;
    default: return kUnknown;
  }
}

class Inspector {
 public:
  Inspector(Operation operation, std::uint32_t wants, chat::RequestView& view) : operation_(operation), wants_(wants), view_(view) {}

  Status run(const Value& root) {
    view_.operation = operation_;
    if (!root.is(Type::kObject)) {
      return fail(Code::kInvalidRequest, "the body is " + std::string(type_name(root)) + "; it must be a JSON object");
    }
    for (Value member = root.first(); member; member = member.next()) {
      const Field field = field_of(name_of(member, scratch_));
      if (field == kUnknown) continue;
      // Two spellings of one alias are no duplicate; model() judges either.
      if (fields_[field] && field != kModelAlias && field != kModelCase) return duplicate(member);
      fields_[field] = member;
    }
    if (auto status = model(); !status) return status;
    const bool generates = operation_ == Operation::kChat || operation_ == Operation::kCompletions;
    if (generates) {
      if (auto status = generation(); !status) return status;
    }
    if (operation_ == Operation::kChat) {
      if (!fields_[kMessages].is(Type::kArray)) return wrong("messages", fields_[kMessages], "an array of messages");
    }
    if ((wants_ & chat::kWantPrompt) != 0) {
      if (auto status = prompt(); !status) return status;
    }
    if (operation_ == Operation::kChat && (wants_ & chat::kWantTools) != 0) {
      if (auto status = tools(); !status) return status;
    }
    if ((wants_ & chat::kWantShape) == 0) return {};
    return measure(operation_, {.messages = fields_[kMessages], .tools = fields_[kTools], .functions = fields_[kFunctions], .prompt = fields_[kPrompt],
                                .suffix = fields_[kSuffix], .input = fields_[kInput], .dimensions = fields_[kDimensions]}, view_);
  }

 private:
  Status model() { return take_model(fields_[kModel], fields_[kModelAlias], fields_[kModelCase], view_); }

  Status generation() {
    if (const Value value = fields_[kStream]; value && !value.is(Type::kNull)) {
      const auto flag = value.boolean();
      if (!flag) return wrong("stream", value, "true or false");
      view_.stream = *flag;
    }
    if (const Value value = fields_[kN]; value && !value.is(Type::kNull)) {
      const auto n = value.integer();
      if (!n || *n < 1 || *n > 128) {
        return fail(Code::kInvalidParameter, "n is " + shown(value) + "; it must be an integer from 1 to 128", "n");
      }
      view_.choices = static_cast<std::uint32_t>(*n);
    }
    // Servers differ in which of the two they obey, so the larger one is what may be spent.
    for (const auto& [field, name] : {std::pair{kMaxTokens, "max_tokens"}, std::pair{kMaxCompletionTokens, "max_completion_tokens"}}) {
      const Value value = fields_[field];
      if (!value || value.is(Type::kNull)) continue;
      const auto n = value.integer();
      if (!n || *n < 0) {
        return fail(Code::kInvalidParameter, std::string(name) + " is " + shown(value) + "; it must be an integer, 0 or more", name);
      }
      view_.max_output_tokens = std::max(view_.max_output_tokens.value_or(0), static_cast<std::uint64_t>(*n));
    }
    return stream_options();
  }

  Status stream_options() {
    const Value options = fields_[kStreamOptions];
    if (!options) return {};
    view_.stream_options = options;
    if (options.is(Type::kNull)) return {};
    if (!options.is(Type::kObject)) return wrong("stream_options", options, "an object");
    const auto include = options.find("include_usage");
    if (!include) return tl::unexpected(include.error());
    if (!*include || include->is(Type::kNull)) return {};
    const auto flag = include->boolean();
    if (!flag) return wrong("stream_options.include_usage", *include, "true or false");
    view_.usage_in_stream = *flag;
    return {};
  }

  Status prompt() {
    switch (operation_) {
      case Operation::kChat: return messages();
      case Operation::kCompletions:
        if (auto status = texts(fields_[kPrompt]); !status) return status;
        return texts(fields_[kSuffix]);
      case Operation::kEmbeddings:
      case Operation::kModerations: return texts(fields_[kInput]);
      default: return {};
    }
  }

  /// A string, a list of strings, or a list of parts: all of it what the user says. Token ids are no text.
  Status texts(const Value& value) {
    if (!value) return {};
    if (value.is(Type::kString)) {
      add(chat::Role::kUser, value);
    } else if (value.is(Type::kArray)) {
      for (Value item = value.first(); item && !item.is(Type::kNumber); item = item.next()) {
        if (item.is(Type::kString)) {
          add(chat::Role::kUser, item);
        } else if (item.is(Type::kObject)) {
          if (auto status = part(chat::Role::kUser, item); !status) return status;
        }
      }
    }
    for (chat::PromptText& text : view_.prompt) text.last_user = true;
    return {};
  }

  Status messages() {
    std::size_t from = 0, to = 0;  // the texts of the last user message
    for (Value message = fields_[kMessages].first(); message; message = message.next()) {
      Value role, content;
      if (auto status = pick(message, "role", role, "content", content); !status) return status;
      const chat::Role who = role_of(role);
      const std::size_t before = view_.prompt.size();
      if (content.is(Type::kString)) {
        add(who, content);
      } else if (content.is(Type::kArray)) {
        for (Value item = content.first(); item; item = item.next()) {
          if (item.is(Type::kString)) {
            add(who, item);
          } else if (item.is(Type::kObject)) {
            if (auto status = part(who, item); !status) return status;
          }
        }
      } else if (content.is(Type::kObject)) {
        if (auto status = part(who, content); !status) return status;
      }
      if (who == chat::Role::kUser) {
        from = before;
        to = view_.prompt.size();
      }
    }
    for (std::size_t i = from; i < to; ++i) view_.prompt[i].last_user = true;
    return {};
  }

  /// Two members of an object in one walk; absent ones stay absent. Errors: kDuplicateKey.
  Status pick(const Value& object, std::string_view first_key, Value& first, std::string_view second_key, Value& second) {
    if (!object.is(Type::kObject)) return {};
    for (Value member = object.first(); member; member = member.next()) {
      const std::string_view key = name_of(member, scratch_);
      Value* const wanted = key == first_key ? &first : key == second_key ? &second : nullptr;
      if (wanted == nullptr) continue;
      if (*wanted) return duplicate(member);
      *wanted = member;
    }
    return {};
  }

  /// Any part with a `text` member counts: what a server might read as text must not slip past a rule on text.
  Status part(chat::Role who, const Value& object) {
    const auto text = object.find("text");
    if (!text) return tl::unexpected(text.error());
    if (text->is(Type::kString)) add(who, *text);
    return {};
  }

  static chat::Role role_of(const Value& role) {
    if (!role.is(Type::kString)) return chat::Role::kUser;
    if (role.equals("system") || role.equals("developer")) return chat::Role::kSystem;
    if (role.equals("assistant")) return chat::Role::kAssistant;
    if (role.equals("tool") || role.equals("function")) return chat::Role::kTool;
    return chat::Role::kUser;
  }

  Status tools() {
    for (Value tool = fields_[kTools].is(Type::kArray) ? fields_[kTools].first() : Value{}; tool; tool = tool.next()) {
      auto name = tool_name(tool);
      if (!name) return tl::unexpected(name.error());
      if (!name->empty()) view_.tools_offered.push_back(*name);
    }
    for (Value tool = fields_[kFunctions].is(Type::kArray) ? fields_[kFunctions].first() : Value{}; tool; tool = tool.next()) {
      const auto name = tool.find("name");
      if (!name) return tl::unexpected(name.error());
      if (name->is(Type::kString)) view_.tools_offered.push_back(text_of(*name));
    }
    if (const Value choice = fields_[kToolChoice]; choice.is(Type::kObject)) {
      auto name = tool_name(choice, false);
      if (!name) return tl::unexpected(name.error());
      view_.tool_forced = *name;
    } else if (const Value call = fields_[kFunctionCall]; call.is(Type::kObject)) {
      const auto name = call.find("name");
      if (!name) return tl::unexpected(name.error());
      if (name->is(Type::kString)) view_.tool_forced = text_of(*name);
    }
    return calls();
  }

  /// `{"type":"function","function":{"name"}}`, `{"type":"custom","custom":{"name"}}`, a flat `{"name"}`; a tool of the
  /// provider's own goes by its type (`web_search`), where `or_type` says so.
  Result<std::string_view> tool_name(const Value& tool, bool or_type = true) {
    if (!tool.is(Type::kObject)) return std::string_view{};
    Value type, name;
    for (Value member = tool.first(); member; member = member.next()) {
      const std::string_view key = name_of(member, scratch_);
      if (key == "type") {
        if (type) return duplicate(member);
        type = member;
      } else if (key == "name" || key == "function" || key == "custom") {
        if (name) {
          return fail(Code::kDuplicateKey, "a tool is named twice at offset " + std::to_string(member.key_offset()) + "; name it once",
                      std::string(key));
        }
        name = member;
        if (member.is(Type::kObject)) {
          const auto inner = member.find("name");
          if (!inner) return tl::unexpected(inner.error());
          name = *inner ? *inner : member;
        }
      }
    }
    if (name.is(Type::kString)) return text_of(name);
    if (or_type && type.is(Type::kString)) return text_of(type);
    return std::string_view{};
  }

  /// The calls of the last assistant message.
  Status calls() {
    Value last;
    for (Value message = fields_[kMessages].first(); message; message = message.next()) {
      Value role, unused;
      if (auto status = pick(message, "role", role, {}, unused); !status) return status;
      if (role.is(Type::kString) && role.equals("assistant")) last = message;
    }
    Value list, legacy;
    if (auto status = pick(last, "tool_calls", list, "function_call", legacy); !status) return status;
    for (Value call = list.is(Type::kArray) ? list.first() : Value{}; call; call = call.next()) {
      auto name = tool_name(call, false);
      if (!name) return tl::unexpected(name.error());
      if (!name->empty()) view_.tools_called.push_back(*name);
    }
    if (legacy.is(Type::kObject)) {
      const auto name = legacy.find("name");
      if (!name) return tl::unexpected(name.error());
      if (name->is(Type::kString)) view_.tools_called.push_back(text_of(*name));
    }
    return {};
  }

  void add(chat::Role who, const Value& text) { view_.prompt.push_back({who, false, text_of(text), text}); }

  std::string_view text_of(const Value& string) { return openai_parts::text_of(string, view_); }

  Operation operation_;
  std::uint32_t wants_;
  chat::RequestView& view_;
  Value fields_[kUnknown];
  std::string scratch_;
};

}  // namespace

Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view) {
  if (operation == Operation::kOpaque) {
    view.operation = operation;
    return {};
  }
  if ((wants & chat::kWantShape) != 0) view.shape.json_depth = document.depth();
  return Inspector(operation, wants, view).run(document.root());
}

}  // namespace sluice::dialect::openai_parts
