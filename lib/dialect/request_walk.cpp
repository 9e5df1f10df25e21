// Requests, looked at: the steps that every dialect's inspection is made of.

#include "dialect/request_walk.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "dialect/inline_media.hpp"
#include "dialect/openai_inspect.hpp"
#include "dialect/string_size.hpp"

namespace sluice::dialect {
namespace {

using json::Type;
using json::Value;
using openai_parts::duplicate;
using openai_parts::name_of;
using openai_parts::shown;
using openai_parts::type_name;
using openai_parts::wrong;

bool same_letters(std::string_view a, std::string_view lower) noexcept {
  return a.size() == lower.size() && std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y;
  });
}

constexpr std::string_view kModel = "model";

bool is_model_alias(std::string_view key) noexcept { return same_letters(key, "modelid") || same_letters(key, "model_id"); }

}  // namespace

Status RequestWalk::root(const json::Document& document, std::span<const std::string_view> names, std::span<Value> found) {
  const Value root = document.root();
  if ((wants_ & chat::kWantShape) != 0) view_.shape.json_depth = document.depth();
  if (!root.is(Type::kObject)) {
    return fail(Code::kInvalidRequest, "the body is " + std::string(type_name(root)) + "; it must be a JSON object");
  }
  if (auto status = members(root, names, found); !status) return status;
  Value model_value, alias;
  for (Value member = root.first(); member; member = member.next()) {
    const std::string_view key = name_of(member, scratch_);
    if (key == kModel) {
      if (model_value) return duplicate(member);
      model_value = member;
    } else if (same_letters(key, kModel)) {
      return fail(Code::kInvalidModel, "'" + std::string(key) + "' is spelled like a second 'model'; name the model once, as 'model'",
                  std::string(kModel));
    } else if (is_model_alias(key)) {
      alias = member;
    }
  }
  if (model_value && alias) {
    const std::string name(name_of(alias, scratch_));
    return fail(Code::kInvalidModel, "'" + name + "' stands beside 'model'; name the model once, as 'model'", name);
  }
  return model(model_value);
}

Status RequestWalk::model(const Value& value) {
  if (!value) return {};
  if (!value.is(Type::kString)) {
    return fail(Code::kInvalidModel, "model is " + std::string(type_name(value)) + "; it must be a string", std::string(kModel));
  }
  const std::string_view name = text_of(value);
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(name.begin(), name.end(), control)) {
    return fail(Code::kInvalidModel, "model holds a control character; it must be printable text", std::string(kModel));
  }
  view_.model_present = true;
  view_.model_value = value;
  view_.model = name;
  return {};
}

Status RequestWalk::members(const Value& object, std::span<const std::string_view> names, std::span<Value> found) {
  if (!object.is(Type::kObject)) return {};
  for (Value member = object.first(); member; member = member.next()) {
    const std::string_view key = name_of(member, scratch_);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (key == names[i]) {
        if (found[i]) return duplicate(member);
        found[i] = member;
      } else if (same_letters(key, names[i])) {
        // Servers that decode without regard to case (Go's do) would take it for that member.
        return fail(Code::kInvalidParameter, "'" + std::string(key) + "' is spelled like '" + std::string(names[i]) + "'; spell it so",
                    std::string(key));
      }
    }
  }
  return {};
}

Status RequestWalk::flag(const Value& value, std::string_view name, bool& out) {
  if (!value || value.is(Type::kNull)) return {};
  const auto said = value.boolean();
  if (!said) return wrong(name, value, "true or false");
  out = *said;
  return {};
}

Status RequestWalk::count(const Value& value, std::string_view name, std::optional<std::uint64_t>& out) {
  if (!value || value.is(Type::kNull)) return {};
  const auto n = value.integer();
  if (!n || *n < 0) {
    return fail(Code::kInvalidParameter, std::string(name) + " is " + shown(value) + "; it must be an integer, 0 or more", std::string(name));
  }
  out = static_cast<std::uint64_t>(*n);
  return {};
}

chat::Role RequestWalk::role_of(const Value& role) {
  if (!role.is(Type::kString)) return chat::Role::kUser;
  if (role.equals("system") || role.equals("developer")) return chat::Role::kSystem;
  if (role.equals("assistant")) return chat::Role::kAssistant;
  if (role.equals("tool")) return chat::Role::kTool;
  return chat::Role::kUser;
}

void RequestWalk::message(chat::Role role) {
  ++view_.shape.messages;
  if (role_ == chat::Role::kUser && view_.shape.messages > 1) {
    user_from_ = began_;
    user_to_ = view_.prompt.size();
  }
  role_ = role;
  began_ = view_.prompt.size();
  // What was called before another answer is no longer the last word.
  if (role == chat::Role::kAssistant) view_.tools_called.clear();
}

void RequestWalk::end_messages() {
  if (role_ == chat::Role::kUser && view_.shape.messages > 0) {
    user_from_ = began_;
    user_to_ = view_.prompt.size();
  }
  for (std::size_t i = user_from_; i < user_to_; ++i) view_.prompt[i].last_user = true;
}

void RequestWalk::input(const Value& string) {
  RequestShape& shape = view_.shape;
  ++shape.inputs;
  const std::uint64_t before = shape.characters;
  text(chat::Role::kUser, string);
  shape.largest_input_characters = std::max(shape.largest_input_characters, shape.characters - before);
  if (!view_.prompt.empty()) view_.prompt.back().last_user = true;
}

void RequestWalk::text(chat::Role role, const Value& string) {
  if (!string.is(Type::kString)) return;
  if ((wants_ & chat::kWantShape) != 0) view_.shape.characters += code_points(string.raw_string());
  if ((wants_ & chat::kWantPrompt) != 0) view_.prompt.push_back({role, false, text_of(string), string});
}

void RequestWalk::texts_within(chat::Role role, const Value& value) {
  // Not recursive: how deep a body nests is the configuration's to say.
  std::vector<Value> open{value};
  while (!open.empty()) {
    const Value at = open.back();
    open.pop_back();
    if (at.is(Type::kString)) {
      text(role, at);
    } else if (at.is(Type::kArray) || at.is(Type::kObject)) {
      const std::size_t below = open.size();
      for (Value child = at.first(); child; child = child.next()) {
        if (child.is(Type::kString) || child.is(Type::kArray) || child.is(Type::kObject)) open.push_back(child);
      }
      std::reverse(open.begin() + static_cast<std::ptrdiff_t>(below), open.end());
    }
  }
}

void RequestWalk::medium(const Value& string, std::string_view form) {
  if ((wants_ & chat::kWantShape) == 0) return;
  string.is(Type::kString) ? view_.shape.attachments.push_back(read_medium(string, form, view_.arena)) : unknown(string);
}

void RequestWalk::unknown(const Value& value) {
  if ((wants_ & chat::kWantShape) == 0) return;
  view_.shape.attachments.push_back({.media_type = {}, .bytes = value.length(), .is_inline = true});
}

Status RequestWalk::tools(const Value& list) {
  if (!list || list.is(Type::kNull) || !wants_tools()) return {};
  if (!list.is(Type::kArray)) return wrong("tools", list, "an array");
  view_.shape.tools += static_cast<std::uint32_t>(list.size());
  if ((wants_ & chat::kWantTools) == 0) return {};
  for (Value tool = list.first(); tool; tool = tool.next()) {
    auto name = tool_name(tool);
    if (!name) return tl::unexpected(name.error());
    if (!name->empty()) view_.tools_offered.push_back(*name);
  }
  return {};
}

Status RequestWalk::calls(const Value& list) {
  if ((wants_ & chat::kWantTools) == 0 || role_ != chat::Role::kAssistant || !list.is(Type::kArray)) return {};
  for (Value call = list.first(); call; call = call.next()) {
    auto name = tool_name(call);
    if (!name) return tl::unexpected(name.error());
    if (!name->empty()) view_.tools_called.push_back(*name);
  }
  return {};
}

Result<std::string_view> RequestWalk::tool_name(const Value& tool) {
  static constexpr std::array<std::string_view, 2> kNames{"name", "function"};
  std::array<Value, kNames.size()> found;
  if (auto status = members(tool, kNames, found); !status) return tl::unexpected(status.error());
  if (found[1].is(Type::kObject)) {
    std::array<Value, 1> inner;
    if (auto status = members(found[1], std::span(kNames).first(1), inner); !status) return tl::unexpected(status.error());
    found[0] = inner[0];
  }
  return found[0].is(Type::kString) ? text_of(found[0]) : std::string_view{};
}

std::string_view RequestWalk::text_of(const Value& string) {
  if (!string.has_escapes()) return string.raw_string();
  std::string& kept = view_.arena.emplace_back();
  return string.text(kept);
}

}  // namespace sluice::dialect
