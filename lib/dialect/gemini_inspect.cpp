// Reads what routing and policy need from a request, in one walk over the root's members; texts and tools only where a route
// looks at them. Strict about what it reads (unique in either spelling, of the right type, in range), lenient about the rest.

#include "dialect/gemini_inspect.hpp"

#include <algorithm>
#include <limits>

#include "dialect/gemini.hpp"
#include "dialect/gemini_keys.hpp"
#include "dialect/openai_inspect.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using json::Type;
using json::Value;
using openai_parts::duplicate;
using openai_parts::name_of;
using openai_parts::shown;
using openai_parts::type_name;
using openai_parts::wrong;

constexpr int kMaxDepth = 64;  // of what a tool gave back, as far as it is read

class Inspector {
 public:
  Inspector(Operation operation, std::uint32_t wants, chat::RequestView& view) : operation_(operation), wants_(wants), view_(view) {}

  Status run(const Value& root) {
    view_.operation = operation_;
    if (!root.is(Type::kObject)) {
      return fail(Code::kInvalidRequest, "the body is " + std::string(type_name(root)) + "; it must be a JSON object");
    }
    if (auto status = gather(root, fields_); !status) return status;
    if (auto status = model(fields_.model); !status) return status;
    if (fields_.inner && operation_ == Operation::kCountTokens) {
      // What is counted stands inside, and nowhere else: nobody looked at the rest.
      if (fields_.contents) {
        return fail(Code::kInvalidParameter, "contents stands beside generateContentRequest; send one of them", "contents");
      }
      const Value inner = fields_.inner;
      fields_ = {};
      if (auto status = gather(inner, fields_); !status) return status;
      if (auto status = model(fields_.model); !status) return status;
    }
    if (operation_ == Operation::kEmbeddings) {
      if (auto status = requests(); !status) return status;
    } else {
      if (!fields_.contents.is(Type::kArray)) return wrong("contents", fields_.contents, "an array of contents");
      if (auto status = generation(); !status) return status;
    }
    if ((wants_ & chat::kWantPrompt) != 0) {
      if (auto status = prompt(); !status) return status;
    }
    if ((wants_ & chat::kWantTools) != 0) {
      if (auto status = tools(); !status) return status;
    }
    if ((wants_ & chat::kWantShape) == 0) return {};
    return measure(fields_, view_);
  }

 private:
  Status gather(const Value& object, Fields& fields) {
    struct Known {
      std::string_view name;
      Value& place;
    };
    const Known known[] = {{"contents", fields.contents},     {"systemInstruction", fields.system},    {"tools", fields.tools},
                           {"toolConfig", fields.tool_config}, {"generationConfig", fields.generation}, {"model", fields.model},
                           {"generateContentRequest", fields.inner}, {"requests", fields.requests},    {"content", fields.content},
                           {"outputDimensionality", fields.dimensions}};
    return pick(object, known);
  }

  template <typename Known>
  Status pick(const Value& object, const Known& known) {
    if (!object.is(Type::kObject)) return {};
    for (Value m = object.first(); m; m = m.next()) {
      const std::string_view key = name_of(m, scratch_);
      for (const auto& [name, place] : known) {
        if (!is_key(key, name)) continue;
        if (place) return duplicate(m);
        place = m;
      }
    }
    return {};
  }

  /// The path names the model; a body that names another one is two requests in one.
  Status model(const Value& value) {
    if (!value || value.is(Type::kNull)) return {};
    if (!value.is(Type::kString)) {
      return fail(Code::kInvalidModel, "model is " + std::string(type_name(value)) + "; it must be a string", "model");
    }
    std::string scratch;
    const std::string_view name = value.text(scratch);
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (std::any_of(name.begin(), name.end(), control)) {
      return fail(Code::kInvalidModel, "model holds a control character; it must be printable text", "model");
    }
    // In full a name has its collections before it: `projects/p/locations/l/publishers/google/models/x`.
    const auto last = [](std::string_view text) {
      const std::size_t at = text.rfind("/models/");
      return bare_model(at == std::string_view::npos ? text : text.substr(at + 1));
    };
    if (!view_.model_present) {
      view_.model_present = true;
      view_.model_value = value;
      view_.model = bare_model(text_of(value));
    } else if (last(name) != last(view_.model)) {
      return fail(Code::kInvalidModel, "the body's model is '" + std::string(name.substr(0, 200)) + "' and the path's '" +
                  std::string(view_.model.substr(0, 200)) + "'; name one", "model");
    }
    return {};
  }

  Status requests() {
    if (!fields_.requests) return {};
    if (!fields_.requests.is(Type::kArray)) return wrong("requests", fields_.requests, "an array of requests");
    for (Value item = fields_.requests.first(); item; item = item.next()) {
      Fields inner;
      if (auto status = gather(item, inner); !status) return status;
      if (auto status = model(inner.model); !status) return status;
    }
    return {};
  }

  Status generation() {
    const Value config = fields_.generation;
    if (!config || config.is(Type::kNull)) return {};
    if (!config.is(Type::kObject)) return wrong("generationConfig", config, "an object");
    struct Known {
      std::string_view name;
      Value& place;
    };
    Value most, candidates;
    const Known known[] = {{"maxOutputTokens", most}, {"candidateCount", candidates}};
    if (auto status = pick(config, known); !status) return status;
    if (most && !most.is(Type::kNull)) {
      const auto n = most.integer();
      if (!n || *n < 0) {
        return fail(Code::kInvalidParameter, "generationConfig.maxOutputTokens is " + shown(most) + "; it must be an integer, 0 or more",
                    "generationConfig.maxOutputTokens");
      }
      view_.max_output_tokens = static_cast<std::uint64_t>(*n);
    }
    if (candidates && !candidates.is(Type::kNull)) {
      const auto n = candidates.integer();
      if (!n || *n < 1 || *n > 128) {
        return fail(Code::kInvalidParameter, "generationConfig.candidateCount is " + shown(candidates) + "; it must be an integer from 1 to 128",
                    "generationConfig.candidateCount");
      }
      view_.choices = static_cast<std::uint32_t>(*n);
    }
    return {};
  }

  Status prompt() {
    if (operation_ == Operation::kEmbeddings) {
      if (auto status = content(fields_.content, chat::Role::kUser); !status) return status;
      for (Value item = fields_.requests.first(); item; item = item.next()) {
        Fields inner;
        if (auto status = gather(item, inner); !status) return status;
        if (auto status = content(inner.content, chat::Role::kUser); !status) return status;
      }
      for (chat::PromptText& text : view_.prompt) text.last_user = true;
      return {};
    }
    if (auto status = content(fields_.system, chat::Role::kSystem); !status) return status;
    std::size_t from = 0, to = 0;  // the texts of the last user turn
    for (Value item = fields_.contents.first(); item; item = item.next()) {
      const std::size_t before = view_.prompt.size();
      const chat::Role who = role_of(item);
      if (auto status = content(item, who); !status) return status;
      const bool said = std::any_of(view_.prompt.begin() + static_cast<std::ptrdiff_t>(before), view_.prompt.end(),
                                    [](const chat::PromptText& t) { return t.role == chat::Role::kUser; });
      if (!said) continue;
      from = before;
      to = view_.prompt.size();
    }
    for (std::size_t i = from; i < to; ++i) view_.prompt[i].last_user = view_.prompt[i].role == chat::Role::kUser;
    return {};
  }

  static chat::Role role_of(const Value& content) {
    return text(content, "role") == "model" ? chat::Role::kAssistant : chat::Role::kUser;
  }

  Status content(const Value& value, chat::Role who) {
    // A content of one string, or of one part, is what a lenient server would take it for.
    if (value.is(Type::kString)) add(who, value);
    struct Known {
      std::string_view name;
      Value& place;
    };
    Value parts, said;
    const Known known[] = {{"parts", parts}, {"text", said}};
    if (auto status = pick(value, known); !status) return status;
    if (said.is(Type::kString)) add(who, said);
    if (!parts.is(Type::kArray)) return part(parts, who);
    for (Value item = parts.first(); item; item = item.next()) {
      if (auto status = part(item, who); !status) return status;
    }
    return {};
  }

  Status part(const Value& value, chat::Role who) {
    if (value.is(Type::kString)) add(who, value);
    struct Known {
      std::string_view name;
      Value& place;
    };
    Value said, response;
    const Known known[] = {{"text", said}, {"functionResponse", response}};
    if (auto status = pick(value, known); !status) return status;
    if (said.is(Type::kString)) add(who, said);
    strings(member(response, "response"), 0);
    return {};
  }

  /// What a tool gave back: every string in it is read by the model.
  void strings(const Value& value, int depth) {
    if (value.is(Type::kString)) add(chat::Role::kTool, value);
    if (depth > kMaxDepth || (!value.is(Type::kObject) && !value.is(Type::kArray))) return;
    for (Value inner = value.first(); inner; inner = inner.next()) strings(inner, depth + 1);
  }

  Status tools() {
    for (Value tool = fields_.tools.is(Type::kArray) ? fields_.tools.first() : Value{}; tool; tool = tool.next()) {
      if (!tool.is(Type::kObject)) continue;
      for (Value m = tool.first(); m; m = m.next()) {
        const std::string_view key = name_of(m, scratch_);
        if (!is_key(key, "functionDeclarations")) {
          // A tool of the provider's own goes by its member.
          view_.tools_offered.push_back(view_.arena.emplace_back(key));
          continue;
        }
        for (Value declaration = m.is(Type::kArray) ? m.first() : Value{}; declaration; declaration = declaration.next()) {
          if (auto status = named(declaration, view_.tools_offered); !status) return status;
        }
      }
    }
    const Value config = member(fields_.tool_config, "functionCallingConfig");
    const Value allowed = member(config, "allowedFunctionNames");
    if (text(config, "mode") == "ANY" && allowed.is(Type::kArray) && allowed.size() == 1 && allowed.first().is(Type::kString)) {
      view_.tool_forced = text_of(allowed.first());
    }
    return calls();
  }

  /// The calls of the model's last turn.
  Status calls() {
    Value last;
    for (Value item = fields_.contents.first(); item; item = item.next()) {
      if (role_of(item) == chat::Role::kAssistant) last = item;
    }
    const Value parts = member(last, "parts");
    for (Value item = parts.is(Type::kArray) ? parts.first() : Value{}; item; item = item.next()) {
      if (auto status = named(member(item, "functionCall"), view_.tools_called); !status) return status;
    }
    return {};
  }

  Status named(const Value& object, std::vector<std::string_view>& names) {
    if (!object.is(Type::kObject)) return {};
    const auto name = object.find("name");
    if (!name) return tl::unexpected(name.error());
    if (name->is(Type::kString)) names.push_back(text_of(*name));
    return {};
  }

  void add(chat::Role who, const Value& string) { view_.prompt.push_back({who, false, text_of(string), string}); }

  /// The decoded text: a view of the body, or of the view's arena.
  std::string_view text_of(const Value& string) {
    if (!string.has_escapes()) return string.raw_string();
    std::string& kept = view_.arena.emplace_back();
    return string.text(kept);
  }

  Operation operation_;
  std::uint32_t wants_;
  chat::RequestView& view_;
  Fields fields_;
  std::string scratch_;
};

}  // namespace

Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view) {
  if (operation == Operation::kOpaque || operation == Operation::kListModels || operation == Operation::kGetModel) {
    view.operation = operation;
    return {};
  }
  if ((wants & chat::kWantShape) != 0) view.shape.json_depth = document.depth();
  return Inspector(operation, wants, view).run(document.root());
}

}  // namespace sluice::dialect::gemini_parts
