// Reads what routing and policy need from a request, in one walk over the root's members; texts and tools only where a route
// looks at them. Strict about what it reads (unique, of the right type, in range), lenient about the rest.

#include <algorithm>

#include "dialect/anthropic.hpp"
#include "dialect/anthropic_inspect.hpp"
#include "dialect/openai_inspect.hpp"  // how a field is found wrong is told the same way in every dialect
#include "sluice/headers.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using json::Type;
using json::Value;
using openai_parts::duplicate;
using openai_parts::name_of;
using openai_parts::shown;
using openai_parts::type_name;
using openai_parts::wrong;

/// The root members somebody acts on. Each may stand there once.
enum Field : std::uint32_t { kModel, kMessages, kSystem, kMaxTokens, kStream, kTools, kToolChoice, kModelCase, kUnknown };

Field field_of(std::string_view key) noexcept {
  if (key == "model") return kModel;
  if (key == "messages") return kMessages;
  if (key == "system") return kSystem;
  if (key == "max_tokens") return kMaxTokens;
  if (key == "stream") return kStream;
  if (key == "tools") return kTools;
  if (key == "tool_choice") return kToolChoice;
  // Servers that decode without regard to case (Go's do) would take `Model` for the model.
  return same_name(key, "model") ? kModelCase : kUnknown;
}

class Inspector {
 public:
  Inspector(std::uint32_t wants, chat::RequestView& view) : wants_(wants), view_(view) {}

  Status run(const Value& root) {
    if (!root.is(Type::kObject)) {
      return fail(Code::kInvalidRequest, "the body is " + std::string(type_name(root)) + "; it must be a JSON object");
    }
    for (Value member = root.first(); member; member = member.next()) {
      const Field field = field_of(name_of(member, scratch_));
      if (field == kUnknown) continue;
      if (fields_[field] && field != kModelCase) return duplicate(member);
      fields_[field] = member;
    }
    if (auto status = model(); !status) return status;
    if (auto status = generation(); !status) return status;
    if (!fields_[kMessages].is(Type::kArray)) return wrong("messages", fields_[kMessages], "an array of messages");
    const Value system = fields_[kSystem];
    if (system && !system.is(Type::kNull) && !system.is(Type::kString) && !system.is(Type::kArray)) {
      return wrong("system", system, "a string or an array of blocks");
    }
    if ((wants_ & chat::kWantPrompt) != 0) {
      if (auto status = prompt(); !status) return status;
    }
    if ((wants_ & chat::kWantTools) != 0) {
      if (auto status = tools(); !status) return status;
    }
    if ((wants_ & chat::kWantShape) == 0) return {};
    return measure({.system = fields_[kSystem], .messages = fields_[kMessages], .tools = fields_[kTools]}, view_);
  }

 private:
  Status model() {
    const Value value = fields_[kModel];
    if (fields_[kModelCase]) {
      return fail(Code::kInvalidModel, "'" + std::string(fields_[kModelCase].key(scratch_)) +
                  "' is spelled like a second 'model'; name the model once, as 'model'", "model");
    }
    if (!value) return {};
    if (!value.is(Type::kString)) {
      return fail(Code::kInvalidModel, "model is " + std::string(type_name(value)) + "; it must be a string", "model");
    }
    const std::string_view name = text_of(value);
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (std::any_of(name.begin(), name.end(), control)) {
      return fail(Code::kInvalidModel, "model holds a control character; it must be printable text", "model");
    }
    view_.model_present = true;
    view_.model_value = value;
    view_.model = name;
    return {};
  }

  Status generation() {
    if (const Value value = fields_[kStream]; value && !value.is(Type::kNull)) {
      const auto flag = value.boolean();
      if (!flag) return wrong("stream", value, "true or false");
      view_.stream = *flag;
      view_.usage_in_stream = *flag;  // this dialect's streams always state it
    }
    if (const Value value = fields_[kMaxTokens]; value && !value.is(Type::kNull)) {
      const auto n = value.integer();
      if (!n || *n < 0) {
        return fail(Code::kInvalidParameter, "max_tokens is " + shown(value) + "; it must be an integer, 0 or more", "max_tokens");
      }
      view_.max_output_tokens = static_cast<std::uint64_t>(*n);
    }
    return {};
  }

  Status prompt() {
    if (auto status = content(chat::Role::kSystem, fields_[kSystem]); !status) return status;
    std::size_t from = 0, to = 0;  // the texts of the last message in which a user says something
    for (Value message = fields_[kMessages].first(); message; message = message.next()) {
      Value role, said;
      if (auto status = pick(message, "role", role, "content", said); !status) return status;
      const chat::Role who = role_of(role);
      const std::size_t before = view_.prompt.size();
      if (auto status = content(who, said); !status) return status;
      const auto begin = view_.prompt.begin() + static_cast<std::ptrdiff_t>(before);
      // What a tool gave back stands in a user's message and is not what the user says.
      if (!std::any_of(begin, view_.prompt.end(), [](const chat::PromptText& text) { return text.role == chat::Role::kUser; })) continue;
      from = before;
      to = view_.prompt.size();
    }
    for (std::size_t i = from; i < to; ++i) view_.prompt[i].last_user = view_.prompt[i].role == chat::Role::kUser;
    return {};
  }

  /// A string, a block, or a list of either.
  Status content(chat::Role who, const Value& value, int depth = 0) {
    if (value.is(Type::kString)) {
      add(who, value);
    } else if (value.is(Type::kObject)) {
      return block(who, value, depth);
    } else if (value.is(Type::kArray)) {
      for (Value item = value.first(); item; item = item.next()) {
        if (auto status = content(who, item, depth); !status) return status;
      }
    }
    return {};
  }

  /// Any block with a text counts, and what stands inside of results, documents and search results: what a server might read as
  /// text must not slip past a rule on text.
  Status block(chat::Role who, const Value& object, int depth) {
    constexpr int kDeepest = 6;
    if (depth > kDeepest) return {};
    Value type, text, inner, source, data, title, context;
    for (Value member = object.first(); member; member = member.next()) {
      const std::string_view key = name_of(member, scratch_);
      Value* const wanted = key == "type" ? &type : key == "text" ? &text : key == "content" ? &inner : key == "source" ? &source
                          : key == "data" ? &data : key == "title" ? &title : key == "context" ? &context : nullptr;
      if (wanted == nullptr) continue;
      if (*wanted) return duplicate(member);
      *wanted = member;
    }
    const auto is = [&type](std::string_view name) { return type.is(Type::kString) && type.equals(name); };
    if (is("tool_result")) who = chat::Role::kTool;
    for (const Value& said : {title, context, text}) {
      if (said.is(Type::kString)) add(who, said);
    }
    if (is("text") && depth > 0 && data.is(Type::kString)) add(who, data);  // the source of a document
    if (auto status = content(who, inner, depth + 1); !status) return status;
    return source.is(Type::kObject) ? block(who, source, depth + 1) : Status{};
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

  static chat::Role role_of(const Value& role) {
    if (role.is(Type::kString) && role.equals("assistant")) return chat::Role::kAssistant;
    if (role.is(Type::kString) && role.equals("system")) return chat::Role::kSystem;
    return chat::Role::kUser;
  }

  Status tools() {
    for (Value tool = fields_[kTools].is(Type::kArray) ? fields_[kTools].first() : Value{}; tool; tool = tool.next()) {
      // One that is run by Anthropic's servers may go by its type alone.
      Value name, type;
      if (auto status = pick(tool, "name", name, "type", type); !status) return status;
      if (name.is(Type::kString)) {
        view_.tools_offered.push_back(text_of(name));
      } else if (type.is(Type::kString)) {
        view_.tools_offered.push_back(text_of(type));
      }
    }
    Value name, unused, last;
    if (auto status = pick(fields_[kToolChoice], "name", name, {}, unused); !status) return status;
    if (name.is(Type::kString)) view_.tool_forced = text_of(name);
    for (Value message = fields_[kMessages].first(); message; message = message.next()) {
      Value role, content;
      if (auto status = pick(message, "role", role, "content", content); !status) return status;
      if (role_of(role) == chat::Role::kAssistant) last = content;
    }
    for (Value item = last.is(Type::kArray) ? last.first() : Value{}; item; item = item.next()) {
      Value type, called;
      if (auto status = pick(item, "type", type, "name", called); !status) return status;
      std::string scratch;
      if (called.is(Type::kString) && type.is(Type::kString) && type.text(scratch).ends_with("tool_use")) {
        view_.tools_called.push_back(text_of(called));
      }
    }
    return {};
  }

  void add(chat::Role who, const Value& text) { view_.prompt.push_back({who, false, text_of(text), text}); }

  /// The decoded text: a view of the body, or of the view's arena.
  std::string_view text_of(const Value& string) {
    if (!string.has_escapes()) return string.raw_string();
    std::string& kept = view_.arena.emplace_back();
    return string.text(kept);
  }

  std::uint32_t wants_;
  chat::RequestView& view_;
  Value fields_[kUnknown];
  std::string scratch_;
};

}  // namespace

Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view) {
  view.operation = operation;
  if ((wants & chat::kWantShape) != 0) view.shape.json_depth = document.depth();
  if (operation != Operation::kChat && operation != Operation::kCountTokens) return {};
  return Inspector(wants, view).run(document.root());
}

}  // namespace sluice::dialect::anthropic_parts
