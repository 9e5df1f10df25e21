// How large a request is, counted in one walk over its contents. A count must not be escaped by a spelling: what is malformed
// counts as the most that an upstream could take it for, or is refused where nothing could be counted.

#include <algorithm>

#include "dialect/gemini.hpp"
#include "dialect/gemini_inspect.hpp"
#include "dialect/gemini_keys.hpp"
#include "dialect/inline_media.hpp"
#include "dialect/openai_inspect.hpp"
#include "dialect/string_size.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using json::Type;
using json::Value;

constexpr int kMaxDepth = 64;  // of what a tool gave back, as far as its strings are counted one by one

class Measurer {
 public:
  explicit Measurer(chat::RequestView& view) : view_(view), shape_(view.shape) {}

  Status run(const Fields& fields) {
    if (fields.system && !fields.system.is(Type::kNull)) content(fields.system);
    for (Value item = fields.contents.is(Type::kArray) ? fields.contents.first() : Value{}; item; item = item.next()) content(item);
    if (auto status = tools(fields.tools); !status) return status;
    if (fields.content) {
      input(fields.content);
      if (auto status = dimensions(fields.dimensions); !status) return status;
    }
    for (Value item = fields.requests.is(Type::kArray) ? fields.requests.first() : Value{}; item; item = item.next()) {
      input(member(item, "content"));
      if (auto status = dimensions(member(item, "outputDimensionality")); !status) return status;
    }
    return {};
  }

 private:
  void content(const Value& value) {
    ++shape_.messages;
    parts_of(value);
  }

  void parts_of(const Value& value) {
    if (!value.is(Type::kObject)) return part(value);
    const Value parts = member(value, "parts");
    if (!parts.is(Type::kArray)) {
      if (value.first() && !has(value, "role")) part(value);  // what a lenient server would take for a part
      return;
    }
    for (Value item = parts.first(); item; item = item.next()) part(item);
  }

  void part(const Value& value) {
    ++shape_.parts;
    if (value.is(Type::kString)) characters(value);
    if (!value.is(Type::kObject)) return;
    bool known = false;
    std::string scratch;
    for (Value m = value.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (key == "text" && m.is(Type::kString)) {
        characters(m);
        known = true;
      } else if (is_key(key, "inlineData") || is_key(key, "fileData")) {
        medium(m, is_key(key, "inlineData") ? "data" : "fileUri");
        known = true;
      } else if (is_key(key, "functionResponse")) {
        strings(member(m, "response"), 0);
        const Value media = member(m, "parts");
        for (Value inner = media.is(Type::kArray) ? media.first() : Value{}; inner; inner = inner.next()) part(inner);
        known = true;
      } else if (is_key(key, "functionCall") || is_key(key, "executableCode") || is_key(key, "codeExecutionResult")) {
        known = true;
      }
    }
    if (!known && value.first()) unknown(value);
  }

  void medium(const Value& value, std::string_view where) {
    const Value place = member(value, where), type = member(value, "mimeType");
    if (!place.is(Type::kString)) return unknown(value);
    std::string scratch;
    const std::string_view form = type.is(Type::kString) && type.length() < 130 ? media_type(view_.arena.emplace_back(type.text(scratch)), view_.arena)
                                                                                : std::string_view{};
    if (where == "data") {
      // Never a URL: the bytes themselves.
      shape_.attachments.push_back({.media_type = form, .bytes = base64_bytes(place.raw_string()), .is_inline = true});
    } else {
      shape_.attachments.push_back({.media_type = form});
    }
  }

  /// A form nobody knows: all of it may be a medium.
  void unknown(const Value& value) { shape_.attachments.push_back({.media_type = {}, .bytes = value.length(), .is_inline = true}); }

  void strings(const Value& value, int depth) {
    if (value.is(Type::kString)) characters(value);
    if (!value.is(Type::kObject) && !value.is(Type::kArray)) return;
    if (depth > kMaxDepth) {
      shape_.characters += value.length();
      return;
    }
    for (Value inner = value.first(); inner; inner = inner.next()) strings(inner, depth + 1);
  }

  Status tools(const Value& list) {
    if (!list || list.is(Type::kNull)) return {};
    if (!list.is(Type::kArray)) return openai_parts::wrong("tools", list, "an array");
    std::string scratch;
    for (Value tool = list.first(); tool; tool = tool.next()) {
      for (Value m = tool.is(Type::kObject) ? tool.first() : Value{}; m; m = m.next()) {
        const bool functions = is_key(m.key(scratch), "functionDeclarations") && m.is(Type::kArray);
        shape_.tools += functions ? static_cast<std::uint32_t>(m.size()) : 1;
      }
    }
    return {};
  }

  void input(const Value& value) {
    ++shape_.inputs;
    const std::uint64_t before = shape_.characters;
    parts_of(value);
    shape_.largest_input_characters = std::max(shape_.largest_input_characters, shape_.characters - before);
  }

  Status dimensions(const Value& value) {
    if (!value || value.is(Type::kNull)) return {};
    const auto n = value.integer();
    if (!n || *n < 0) {
      return fail(Code::kInvalidParameter, "outputDimensionality is " + openai_parts::shown(value) + "; it must be an integer, 0 or more",
                  "outputDimensionality");
    }
    shape_.dimensions = std::max(shape_.dimensions, static_cast<std::uint64_t>(*n));
    return {};
  }

  void characters(const Value& string) { shape_.characters += code_points(string.raw_string()); }

  chat::RequestView& view_;
  RequestShape& shape_;
};

}  // namespace

Status measure(const Fields& fields, chat::RequestView& view) { return Measurer(view).run(fields); }

}  // namespace sluice::dialect::gemini_parts
