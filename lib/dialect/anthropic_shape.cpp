// How large a request is, counted in one walk over its messages. A count must not be escaped by a spelling: what is malformed
// counts as the most that an upstream could take it for.

#include <algorithm>
#include <array>

#include "dialect/anthropic_inspect.hpp"
#include "dialect/inline_media.hpp"
#include "dialect/openai_inspect.hpp"
#include "dialect/string_size.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using json::Type;
using json::Value;
using openai_parts::duplicate;
using openai_parts::name_of;
using openai_parts::wrong;

/// Blocks that hold what the model, a tool or a server said; what they hold beside texts and blocks is no medium.
bool is_said(const Value& type) {
  if (!type.is(Type::kString)) return false;
  std::string scratch;
  const std::string_view name = type.text(scratch);
  return name == "text" || name == "thinking" || name == "redacted_thinking" || name.ends_with("tool_use") ||
         name.ends_with("tool_result") || name == "search_result" || name == "tool_reference";
}

class Measurer {
 public:
  explicit Measurer(chat::RequestView& view) : view_(view), shape_(view.shape) {}

  Status run(const Measured& fields) {
    if (auto status = content(fields.system, false); !status) return status;
    for (Value message = fields.messages.first(); message; message = message.next()) {
      ++shape_.messages;
      std::array<Value, 1> found;
      if (auto status = pick(message, {"content"}, found); !status) return status;
      if (auto status = content(found[0], true); !status) return status;
    }
    const Value& tools = fields.tools;
    if (!tools || tools.is(Type::kNull)) return {};
    if (!tools.is(Type::kArray)) return wrong("tools", tools, "an array");
    shape_.tools += static_cast<std::uint32_t>(tools.size());
    return {};
  }

 private:
  /// `counts`: its blocks are parts of a message, not of another block.
  Status content(const Value& value, bool counts, int depth = 0) {
    if (!value || value.is(Type::kNull)) return {};
    if (!value.is(Type::kArray)) return part(value, counts, depth);
    for (Value item = value.first(); item; item = item.next()) {
      if (auto status = part(item, counts, depth); !status) return status;
    }
    return {};
  }

  Status part(const Value& value, bool counts, int depth) {
    if (counts) ++shape_.parts;
    if (value.is(Type::kString)) text(value);
    return value.is(Type::kObject) ? block(value, depth) : Status{};
  }

  Status block(const Value& object, int depth) {
    constexpr int kDeepest = 6;
    std::array<Value, 4> found;
    if (auto status = pick(object, {"type", "text", "content", "source"}, found); !status) return status;
    const auto& [type, said, inner, source] = found;
    if (depth > kDeepest) return unknown(object), Status{};
    if (said.is(Type::kString)) text(said);
    if (source.is(Type::kObject)) return medium(type, source, depth);
    if (inner) return content(inner, false, depth + 1);
    if (!is_said(type) && !said.is(Type::kString)) unknown(object);
    return {};
  }

  /// The source of an image or a document.
  Status medium(const Value& type, const Value& source, int depth) {
    std::array<Value, 6> found;
    if (auto status = pick(source, {"type", "data", "url", "media_type", "content", "file_id"}, found); !status) return status;
    const auto& [kind, data, url, media, inner, file] = found;
    const std::string_view form = type.is(Type::kString) && type.equals("image") ? "image/*" : "";
    if (kind.is(Type::kString) && kind.equals("text") && data.is(Type::kString)) {
      text(data);
    } else if (inner) {
      return content(inner, false, depth + 1);
    } else if (data.is(Type::kString)) {
      std::string_view said = form;
      if (media.is(Type::kString)) {
        std::string& kept = view_.arena.emplace_back();
        said = media_type(media.text(kept), view_.arena);
      }
      shape_.attachments.push_back({.media_type = said, .bytes = base64_bytes(data.raw_string()), .is_inline = true});
    } else if (url.is(Type::kString)) {
      shape_.attachments.push_back(read_medium(url, form, view_.arena));
    } else if (file.is(Type::kString)) {
      shape_.attachments.push_back({.media_type = form});
    } else {
      unknown(source);
    }
    return {};
  }

  /// A form nobody knows: all of it may be a medium.
  void unknown(const Value& value) { shape_.attachments.push_back({.media_type = {}, .bytes = value.length(), .is_inline = true}); }

  void text(const Value& string) { shape_.characters += code_points(string.raw_string()); }

  /// Members of an object in one walk; absent ones stay absent, and an array or a scalar has none.
  template <std::size_t N>
  Status pick(const Value& object, const std::array<std::string_view, N>& names, std::array<Value, N>& found) {
    if (!object.is(Type::kObject)) return {};
    for (Value member = object.first(); member; member = member.next()) {
      const auto name = std::find(names.begin(), names.end(), name_of(member, scratch_));
      if (name == names.end()) continue;
      Value& wanted = found[static_cast<std::size_t>(name - names.begin())];
      if (wanted) return duplicate(member);
      wanted = member;
    }
    return {};
  }

  chat::RequestView& view_;
  RequestShape& shape_;
  std::string scratch_;
};

}  // namespace

Status measure(const Measured& fields, chat::RequestView& view) { return Measurer(view).run(fields); }

}  // namespace sluice::dialect::anthropic_parts
