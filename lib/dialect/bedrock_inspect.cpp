// Reads what routing and policy need from a request, in one walk over its blocks. Strict about what it reads (unique, of the
// right type, in range), lenient about the rest. A count must not be escaped by a spelling: a block nobody knows counts as
// the most that it could be.

#include <array>

#include "dialect/bedrock.hpp"
#include "dialect/bedrock_blocks.hpp"
#include "dialect/inline_media.hpp"
#include "dialect/openai_inspect.hpp"
#include "dialect/string_size.hpp"

namespace sluice::dialect::bedrock_parts {
namespace {

using chat::Role;
using json::Type;
using json::Value;
using openai_parts::duplicate;
using openai_parts::name_of;
using openai_parts::shown;
using openai_parts::type_name;
using openai_parts::wrong;

class Inspector {
 public:
  Inspector(std::uint32_t wants, chat::RequestView& view) : view_(view), prompt_((wants & chat::kWantPrompt) != 0),
                                                            tools_((wants & chat::kWantTools) != 0), shape_((wants & chat::kWantShape) != 0) {}

  Status run(const Value& root, bool counts) {
    if (!root.is(Type::kObject)) return fail(Code::kInvalidRequest, "the body is " + std::string(type_name(root)) + "; it must be a JSON object");
    if (!counts) return converse(root);
    std::array<Value, 1> input;
    if (Status status = pick(root, {"input"}, input); !status) return status;
    std::array<Value, 2> found;
    if (Status status = pick(input[0], {"converse", "invokeModel"}, found); !status) return status;
    if (found[0].is(Type::kObject)) return converse(found[0]);
    if (found[1].is(Type::kObject)) return unknown(found[1]);
    return wrong("input", input[0], "an object with 'converse' or 'invokeModel'");
  }

 private:
  Status converse(const Value& root) {
    std::array<Value, 4> found;
    if (Status status = pick(root, {"messages", "system", "inferenceConfig", "toolConfig"}, found); !status) return status;
    const auto& [messages, system, inference, config] = found;
    if (messages && !messages.is(Type::kArray)) return wrong("messages", messages, "an array of messages");
    if (Status status = bound(inference); !status) return status;
    if (Status status = tool_config(config); !status) return status;
    if (prompt_ || shape_) {
      if (Status status = blocks(system, Role::kSystem); !status) return status;
    }
    return conversation(messages);
  }

  Status bound(const Value& inference) {
    std::array<Value, 1> found;
    if (Status status = pick(inference, {"maxTokens"}, found); !status) return status;
    if (!found[0] || found[0].is(Type::kNull)) return {};
    const auto n = found[0].integer();
    if (!n || *n < 0) {
      return fail(Code::kInvalidParameter, "inferenceConfig.maxTokens is " + shown(found[0]) + "; it must be an integer, 0 or more", "inferenceConfig.maxTokens");
    }
    view_.max_output_tokens = static_cast<std::uint64_t>(*n);
    return {};
  }

  Status tool_config(const Value& config) {
    std::array<Value, 2> found;
    if (Status status = pick(config, {"tools", "toolChoice"}, found); !status) return status;
    const auto& [list, choice] = found;
    if (list && !list.is(Type::kNull) && !list.is(Type::kArray)) return wrong("toolConfig.tools", list, "an array of tools");
    for (Value tool = list.is(Type::kArray) ? list.first() : Value{}; tool; tool = tool.next()) {
      std::array<Value, 3> kinds;
      if (Status status = pick(tool, {"toolSpec", "systemTool", "cachePoint"}, kinds); !status) return status;
      if (shape_ && !kinds[2]) ++view_.shape.tools;
      for (const Value& kind : {kinds[0], kinds[1]}) {
        if (Status status = name(kind, tools_ ? &view_.tools_offered : nullptr); !status) return status;
      }
    }
    std::array<Value, 1> forced;
    if (Status status = pick(choice, {"tool"}, forced); !status) return status;
    std::vector<std::string_view> names;
    if (Status status = name(forced[0], &names); !status) return status;
    if (tools_ && !names.empty()) view_.tool_forced = names.front();
    return {};
  }

  /// The `name` of an object, where it has one.
  Status name(const Value& object, std::vector<std::string_view>* names) {
    std::array<Value, 1> found;
    if (Status status = pick(object, {"name"}, found); !status) return status;
    if (names != nullptr && found[0].is(Type::kString)) names->push_back(text_of(found[0]));
    return {};
  }

  Status conversation(const Value& messages) {
    std::size_t from = 0, to = 0;  // the texts of the last message in which the user speaks
    Value last_answer;
    for (Value message = messages.is(Type::kArray) ? messages.first() : Value{}; message; message = message.next()) {
      std::array<Value, 2> found;
      if (Status status = pick(message, {"role", "content"}, found); !status) return status;
      const auto& [role, content] = found;
      Role who = Role::kUser;
      if (role.is(Type::kString) && role.equals("assistant")) who = Role::kAssistant;
      if (role.is(Type::kString) && role.equals("system")) who = Role::kSystem;
      if (who == Role::kAssistant) last_answer = content;
      if (shape_) ++view_.shape.messages;
      if (!prompt_ && !shape_) continue;
      const std::size_t before = view_.prompt.size();
      if (Status status = blocks(content, who); !status) return status;
      bool speaks = false;
      for (std::size_t i = before; i < view_.prompt.size(); ++i) speaks = speaks || view_.prompt[i].role == Role::kUser;
      if (speaks) {
        from = before;
        to = view_.prompt.size();
      }
    }
    for (std::size_t i = from; i < to; ++i) view_.prompt[i].last_user = view_.prompt[i].role == Role::kUser;
    for (Value block = tools_ && last_answer.is(Type::kArray) ? last_answer.first() : Value{}; block; block = block.next()) {
      std::array<Value, 1> use;
      if (Status status = pick(block, {"toolUse"}, use); !status) return status;
      if (Status status = name(use[0], &view_.tools_called); !status) return status;
    }
    return {};
  }

  Status blocks(const Value& list, Role who) {
    if (list.is(Type::kString)) return said(list, who);  // no server of this dialect takes it, a lenient one might
    for (Value block = list.is(Type::kArray) ? list.first() : Value{}; block; block = block.next()) {
      if (Status status = one_block(block, who); !status) return status;
    }
    return {};
  }

  Status one_block(const Value& block, Role who) {
    if (!block.is(Type::kObject)) return unknown(block);
    std::array<Value, kMembers.size()> seen;
    for (Value m = block.first(); m; m = m.next()) {
      const std::string_view key = name_of(m, scratch_);
      std::size_t at = 0;
      while (at < kMembers.size() && kMembers[at] != key) ++at;
      if (at < kMembers.size()) {
        if (seen[at]) return duplicate(m);
        seen[at] = m;
      }
      if (Status status = block_member(at, m, who); !status) return status;
    }
    return {};
  }

  enum Member : std::size_t { kText, kJson, kImage, kDocument, kVideo, kAudio, kToolUse, kToolResult, kReasoning, kCited, kGuard, kSearch, kCachePoint };
  static constexpr std::array<std::string_view, 13> kMembers{"text", "json", "image", "document", "video", "audio", "toolUse", "toolResult",
                                                             "reasoningContent", "citationsContent", "guardContent", "searchResult", "cachePoint"};

  Status block_member(std::size_t which, const Value& value, Role who) {
    // What holds other blocks is counted by these.
    const bool holds = which == kToolResult || which == kGuard || which == kCited || which == kSearch;
    if (shape_ && !holds && which != kToolUse && which != kCachePoint) ++view_.shape.parts;
    switch (which) {
      case kText: return said(value, who);
      case kJson: return json(value);
      case kImage: return medium(value, "image/*", who);
      case kVideo: return medium(value, "video/*", who);
      case kAudio: return medium(value, "audio/*", who);
      case kDocument: return medium(value, {}, who);
      case kToolUse:
      case kCachePoint: return {};
      case kToolResult: return inside(value, "content", Role::kTool);
      case kReasoning: return inside(value, "reasoningText", who);
      case kCited: return inside(value, "content", who);
      case kSearch: return inside(value, "content", who);
      case kGuard: return one_block(value, who);
      default: return unknown(value);
    }
  }

  /// A list of blocks, or an object with a text, in a member.
  Status inside(const Value& object, std::string_view key, Role who) {
    std::array<Value, 1> found;
    if (Status status = pick(object, {key}, found); !status) return status;
    if (!found[0].is(Type::kObject)) return blocks(found[0], who);
    std::array<Value, 1> text;
    if (Status status = pick(found[0], {"text"}, text); !status) return status;
    return said(text[0], who);
  }

  /// A guard's text is an object around one.
  Status said(const Value& value, Role who) {
    if (value.is(Type::kObject)) {
      std::array<Value, 1> inner;
      if (Status status = pick(value, {"text"}, inner); !status) return status;
      return inner[0].is(Type::kString) ? said(inner[0], who) : unknown(value);
    }
    if (!value.is(Type::kString)) return {};
    if (shape_) view_.shape.characters += code_points(value.raw_string());
    if (prompt_) view_.prompt.push_back({who, false, text_of(value), value});
    return {};
  }

  /// JSON in the place of text is text to a model: as it stands, and every string in it.
  Status json(const Value& value) {
    if (shape_) view_.shape.characters += code_points(value.raw());
    return strings(value);
  }
  Status strings(const Value& value) {
    if (!prompt_) return {};
    // Documents nest no deeper than their limit, but a walk in place needs no stack at all.
    const std::size_t end = value.offset() + value.length();
    std::vector<Value> open{value};
    while (!open.empty()) {
      const Value next = open.back();
      open.pop_back();
      if (next.is(Type::kString)) view_.prompt.push_back({Role::kTool, false, text_of(next), next});
      for (Value child = next.is(Type::kArray) || next.is(Type::kObject) ? next.first() : Value{}; child && child.offset() < end; child = child.next()) {
        open.push_back(child);
      }
    }
    return {};
  }

  Status medium(const Value& value, std::string_view form, Role who) {
    std::array<Value, 3> found;
    if (Status status = pick(value, {"format", "source", "context"}, found); !status) return status;
    const auto& [format, source, context] = found;
    if (Status status = said(context, who); !status) return status;
    std::array<Value, 4> places;
    if (Status status = pick(source, {"bytes", "s3Location", "text", "content"}, places); !status) return status;
    const auto& [bytes, elsewhere, text, content] = places;
    if (Status status = said(text, who); !status) return status;
    if (Status status = blocks(content, who); !status) return status;
    if (!shape_) return {};
    const std::string_view type = type_of(format, form);
    if (bytes.is(Type::kString)) {
      view_.shape.attachments.push_back(read_medium(bytes, type, view_.arena));
    } else if (elsewhere.is(Type::kObject)) {
      view_.shape.attachments.push_back({.media_type = type});
    } else if (text.is(Type::kString)) {
      view_.shape.attachments.push_back({.media_type = type, .bytes = text.raw_string().size(), .is_inline = true});
    } else {
      return unknown(value);
    }
    return {};
  }

  /// A word as a media type; `form` where the word is none that is known, with its kind before it where there is one.
  std::string_view type_of(const Value& format, std::string_view form) {
    constexpr std::size_t kLongest = 32;
    if (!format.is(Type::kString) || format.raw_string().size() > kLongest) return form;
    std::string scratch;
    const std::string_view word = format.text(scratch);
    if (const std::string_view known = media_type_of(word); !known.empty()) return known;
    if (form.empty()) return form;
    std::string& made = view_.arena.emplace_back(form.substr(0, form.find('/') + 1));
    return media_type(made.append(word), view_.arena);
  }

  Status unknown(const Value& value) {
    if (shape_) view_.shape.attachments.push_back({.media_type = {}, .bytes = value.length(), .is_inline = true});
    return {};
  }

  /// Members of an object in one walk; absent ones stay absent, and an array or a scalar has none.
  template <std::size_t N>
  Status pick(const Value& object, const std::array<std::string_view, N>& names, std::array<Value, N>& found) {
    if (!object.is(Type::kObject)) return {};
    for (Value member = object.first(); member; member = member.next()) {
      const std::string_view key = name_of(member, scratch_);
      for (std::size_t i = 0; i < N; ++i) {
        if (names[i] != key) continue;
        if (found[i]) return duplicate(member);
        found[i] = member;
      }
    }
    return {};
  }

  /// The decoded text: a view of the body, or of the view's arena.
  std::string_view text_of(const Value& string) {
    if (!string.has_escapes()) return string.raw_string();
    std::string& kept = view_.arena.emplace_back();
    return string.text(kept);
  }

  chat::RequestView& view_;
  const bool prompt_, tools_, shape_;
  std::string scratch_;
};

}  // namespace

Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view) {
  view.operation = operation;
  if (!serves(operation)) return {};
  if ((wants & chat::kWantShape) != 0) view.shape.json_depth = document.depth();
  return Inspector(wants, view).run(document.root(), operation == Operation::kCountTokens);
}

}  // namespace sluice::dialect::bedrock_parts
