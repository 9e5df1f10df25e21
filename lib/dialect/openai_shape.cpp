// How large a request is, counted in one walk over its messages or inputs. A count must not be escaped by a spelling: what
// is malformed counts as the most that an upstream could take it for, or is refused where nothing could be counted.

#include <algorithm>
#include <array>
#include <limits>

#include "dialect/inline_media.hpp"
#include "dialect/openai_inspect.hpp"
#include "dialect/string_size.hpp"

namespace sluice::dialect::openai_parts {
namespace {

using chat::Operation;
using json::Type;
using json::Value;

/// A member of a content part that holds or names a medium.
struct MediaField {
  std::string_view name;
  std::string_view inner;  // the member of its object that says where the medium is
  std::string_view form;   // the media type it means
};
// video_url and audio_url are no fields of OpenAI's; servers that follow its dialect take them.
constexpr std::array kMediaFields = {
    MediaField{"image_url", "url", "image/*"},   MediaField{"input_audio", "data", "audio/*"}, MediaField{"file", "file_data", ""},
    MediaField{"video_url", "url", "video/*"},   MediaField{"audio_url", "url", "audio/*"},
};

constexpr std::string_view kTextTypes[] = {"text", "refusal", "input_text", "output_text", "thinking", "reasoning"};

class Measurer {
 public:
  explicit Measurer(chat::RequestView& view) : view_(view), shape_(view.shape) {}

  Status run(Operation operation, const Measured& fields) {
    switch (operation) {
      case Operation::kChat:
        if (auto status = messages(fields.messages); !status) return status;
        if (auto status = tools("tools", fields.tools); !status) return status;
        return tools("functions", fields.functions);
      case Operation::kCompletions:
        if (auto status = inputs("prompt", fields.prompt); !status) return status;
        if (!fields.suffix.is(Type::kString)) return inputs("suffix", fields.suffix);
        return text(fields.suffix), Status{};
      case Operation::kEmbeddings:
        if (auto status = inputs("input", fields.input); !status) return status;
        return dimensions(fields.dimensions);
      case Operation::kModerations: return inputs("input", fields.input);
      default: return {};
    }
  }

 private:
  Status messages(const Value& list) {
    for (Value message = list.first(); message; message = message.next()) {
      ++shape_.messages;
      std::array<Value, 1> found;
      if (auto status = pick(message, {"content"}, found); !status) return status;
      if (auto status = content(found[0]); !status) return status;
    }
    return {};
  }

  Status content(const Value& value) {
    if (!value || value.is(Type::kNull)) return {};
    if (!value.is(Type::kArray)) return part(value);
    for (Value item = value.first(); item; item = item.next()) {
      if (auto status = part(item); !status) return status;
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
    std::array<Value, 2 + kMediaFields.size()> found;
    std::array<std::string_view, 2 + kMediaFields.size()> names = {"type", "text"};
    for (std::size_t i = 0; i < kMediaFields.size(); ++i) names[2 + i] = kMediaFields[i].name;
    if (auto status = pick(object, names, found); !status) return status;
    const Value &type = found[0], &said = found[1];
    if (said.is(Type::kString)) text(said);
    bool media = false;
    for (std::size_t i = 0; i < kMediaFields.size(); ++i) {
      const Value& value = found[2 + i];
      if (!value || value.is(Type::kNull)) continue;
      media = true;
      if (auto status = medium(kMediaFields[i], value); !status) return status;
    }
    if (!media && !is_text(type, said)) unknown(object);
    return {};
  }

  static bool is_text(const Value& type, const Value& said) {
    if (!type.is(Type::kString)) return said.is(Type::kString);
    return std::any_of(std::begin(kTextTypes), std::end(kTextTypes), [&](std::string_view known) { return type.equals(known); });
  }

  Status medium(const MediaField& field, const Value& value) {
    if (value.is(Type::kString)) {
      shape_.attachments.push_back(read_medium(value, field.form, view_.arena));
      return {};
    }
    std::array<Value, 3> found;
    if (auto status = pick(value, {field.inner, "format", "file_id"}, found); !status) return status;
    const auto& [where, format, id] = found;
    if (where.is(Type::kString)) {
      const std::string_view form = field.name == "input_audio" ? audio_type(format) : field.form;
      shape_.attachments.push_back(read_medium(where, form, view_.arena));
    } else if (id.is(Type::kString)) {
      shape_.attachments.push_back({.media_type = field.form});
    } else {
      unknown(value);
    }
    return {};
  }

  /// `wav`, `mp3` as media types.
  std::string_view audio_type(const Value& format) {
    if (!format.is(Type::kString)) return "audio/*";
    if (format.equals("wav")) return "audio/wav";
    if (format.equals("mp3")) return "audio/mpeg";
    constexpr std::size_t kLongest = 64;
    if (format.raw_string().size() > kLongest) return {};
    std::string scratch;
    std::string& kept = view_.arena.emplace_back("audio/");
    return media_type(kept.append(format.text(scratch)), view_.arena);
  }

  /// A form nobody knows: all of it may be a medium.
  void unknown(const Value& value) { shape_.attachments.push_back({.media_type = {}, .bytes = value.length(), .is_inline = true}); }

  Status tools(std::string_view name, const Value& list) {
    if (!list || list.is(Type::kNull)) return {};
    if (!list.is(Type::kArray)) return wrong(name, list, "an array");
    shape_.tools += static_cast<std::uint32_t>(list.size());
    return {};
  }

  /// One text, one list of tokens, or a list of these. Numbers beside other things are a list of tokens of their own.
  Status inputs(std::string_view name, const Value& value) {
    if (!value || value.is(Type::kNull)) return {};
    if (value.is(Type::kString)) return input(value);
    if (!value.is(Type::kArray)) return wrong(name, value, "a string or an array");
    std::uint64_t tokens = 0;
    for (Value item = value.first(); item; item = item.next()) {
      if (item.is(Type::kNumber)) {
        ++tokens;
      } else if (auto status = input(item); !status) {
        return status;
      }
    }
    if (tokens != 0) {
      ++shape_.inputs;
      shape_.largest_input_tokens = std::max(shape_.largest_input_tokens, tokens);
    }
    return {};
  }

  Status input(const Value& value) {
    ++shape_.inputs;
    const std::uint64_t before = shape_.characters;
    if (value.is(Type::kString)) {
      text(value);
    } else if (value.is(Type::kObject)) {
      if (auto status = described(value); !status) return status;
    } else if (value.is(Type::kArray)) {
      std::uint64_t tokens = 0;
      for (Value item = value.first(); item; item = item.next()) {
        ++tokens;
        if (item.is(Type::kString)) text(item);
      }
      shape_.largest_input_tokens = std::max(shape_.largest_input_tokens, tokens);
    }
    shape_.largest_input_characters = std::max(shape_.largest_input_characters, shape_.characters - before);
    return {};
  }

  Status dimensions(const Value& value) {
    if (!value || value.is(Type::kNull)) return {};
    const auto n = value.integer();
    if (!n || *n < 0) {
      return fail(Code::kInvalidParameter, "dimensions is " + shown(value) + "; it must be an integer, 0 or more", "dimensions");
    }
    shape_.dimensions = static_cast<std::uint64_t>(*n);
    return {};
  }

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

Status measure(Operation operation, const Measured& fields, chat::RequestView& view) { return Measurer(view).run(operation, fields); }

}  // namespace sluice::dialect::openai_parts
