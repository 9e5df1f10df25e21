// How large a Responses request is, counted in one walk over its items. A count must not be escaped by a spelling: what is
// malformed counts as the most that an upstream could take it for, or is refused where nothing could be counted.

#include <algorithm>
#include <array>

#include "dialect/inline_media.hpp"
#include "dialect/openai_inspect.hpp"
#include "dialect/responses_inspect.hpp"
#include "dialect/string_size.hpp"

namespace sluice::dialect::responses_parts {
namespace {

using json::Type;
using json::Value;

constexpr std::string_view kTextTypes[] = {"input_text", "output_text", "text", "refusal", "summary_text", "reasoning_text"};
/// Items that hold neither text of the prompt nor media. Other calls of a server's own tools end in `_call`.
constexpr std::string_view kBareItems[] = {"reasoning", "item_reference", "compaction", "mcp_list_tools", "mcp_approval_request",
                                           "mcp_approval_response"};

/// A member of a part that holds or names a medium.
struct MediaField {
  std::string_view name, form;
};
constexpr std::array kMediaFields = {
    MediaField{"image_url", "image/*"},
    MediaField{"file_data", ""},
    MediaField{"file_url", ""},
    MediaField{"video_url", "video/*"},
};

class Measurer {
 public:
  explicit Measurer(chat::RequestView& view) : view_(view), shape_(view.shape) {}

  Status run(const Measured& fields) {
    if (fields.instructions && !fields.instructions.is(Type::kNull)) {
      ++shape_.messages;
      if (auto status = content(fields.instructions); !status) return status;
    }
    if (fields.prompt.is(Type::kObject)) {
      const auto variables = fields.prompt.find("variables");
      if (!variables) return tl::unexpected(variables.error());
      for (Value value = variables->is(Type::kObject) ? variables->first() : Value{}; value; value = value.next()) {
        if (auto status = part(value); !status) return status;
      }
    }
    if (fields.input.is(Type::kString)) {
      ++shape_.messages;
      if (auto status = content(fields.input); !status) return status;
    }
    for (Value one = fields.input.is(Type::kArray) ? fields.input.first() : Value{}; one; one = one.next()) {
      ++shape_.messages;
      if (auto status = item(one); !status) return status;
    }
    const Value tools = fields.tools;
    if (!tools || tools.is(Type::kNull)) return {};
    if (!tools.is(Type::kArray)) return openai_parts::wrong("tools", tools, "an array");
    shape_.tools = static_cast<std::uint32_t>(tools.size());
    return {};
  }

 private:
  Status item(const Value& value) {
    if (!value.is(Type::kObject)) return part(value);
    std::array<Value, 3> found;
    if (auto status = pick(value, {"type", "content", "output"}, found); !status) return status;
    const auto& [type, said, output] = found;
    if (type.is(Type::kString) && type.equals("reasoning")) return {};
    if (auto status = content(said); !status) return status;
    if (auto status = content(output); !status) return status;
    if (!said && !output && !is_bare(type)) unknown(value);
    return {};
  }

  static bool is_bare(const Value& type) {
    if (!type.is(Type::kString)) return false;
    if (std::any_of(std::begin(kBareItems), std::end(kBareItems), [&](std::string_view bare) { return type.equals(bare); })) return true;
    std::string scratch;
    const std::string_view name = type.text(scratch);
    return name.ends_with("_call") && name != "image_generation_call";  // which holds the image
  }

  Status content(const Value& value) {
    if (!value || value.is(Type::kNull)) return {};
    if (!value.is(Type::kArray)) return part(value);
    for (Value one = value.first(); one; one = one.next()) {
      if (auto status = part(one); !status) return status;
    }
    return {};
  }

  /// A text, an object, or what a lenient server would take for a text.
  Status part(const Value& value) {
    ++shape_.parts;
    if (value.is(Type::kString)) text(value);
    return value.is(Type::kObject) ? described(value) : Status{};
  }

  Status described(const Value& object) {
    std::array<Value, 4 + kMediaFields.size()> found;
    std::array<std::string_view, 4 + kMediaFields.size()> names = {"type", "text", "file_id", "input_audio"};
    for (std::size_t i = 0; i < kMediaFields.size(); ++i) names[4 + i] = kMediaFields[i].name;
    if (auto status = pick(object, names, found); !status) return status;
    const Value &type = found[0], &said = found[1], &id = found[2], &audio = found[3];
    if (said.is(Type::kString)) text(said);
    bool media = false;
    for (std::size_t i = 0; i < kMediaFields.size(); ++i) {
      const Value& value = found[4 + i];
      if (!value || value.is(Type::kNull)) continue;
      media = true;
      if (value.is(Type::kString)) {
        shape_.attachments.push_back(read_medium(value, kMediaFields[i].form, view_.arena));
      } else {
        unknown(value);
      }
    }
    if (audio && !audio.is(Type::kNull)) {
      media = true;
      const auto data = audio.is(Type::kObject) ? audio.find("data") : Result<Value>(Value{});
      if (!data) return tl::unexpected(data.error());
      data->is(Type::kString) ? shape_.attachments.push_back(read_medium(*data, "audio/*", view_.arena)) : unknown(audio);
    }
    if (!media && id.is(Type::kString)) {
      media = true;
      const bool image = type.is(Type::kString) && type.equals("input_image");
      shape_.attachments.push_back({.media_type = image ? "image/*" : ""});
    }
    if (!media && !is_text(type, said)) unknown(object);
    return {};
  }

  static bool is_text(const Value& type, const Value& said) {
    if (!type.is(Type::kString)) return said.is(Type::kString);
    return std::any_of(std::begin(kTextTypes), std::end(kTextTypes), [&](std::string_view known) { return type.equals(known); });
  }

  /// A form nobody knows: all of it may be a medium.
  void unknown(const Value& value) { shape_.attachments.push_back({.media_type = {}, .bytes = value.length(), .is_inline = true}); }
  void text(const Value& string) { shape_.characters += code_points(string.raw_string()); }

  /// Members of an object in one walk; absent ones stay absent.
  template <std::size_t N>
  Status pick(const Value& object, const std::array<std::string_view, N>& names, std::array<Value, N>& found) {
    for (Value member = object.first(); member; member = member.next()) {
      const auto name = std::find(names.begin(), names.end(), openai_parts::name_of(member, scratch_));
      if (name == names.end()) continue;
      Value& wanted = found[static_cast<std::size_t>(name - names.begin())];
      if (wanted) return openai_parts::duplicate(member);
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

}  // namespace sluice::dialect::responses_parts
