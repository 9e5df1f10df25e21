#pragma once
/// What the inspection of a request and its measuring have in common, in this dialect and in Responses: how the model is
/// taken, how a field is found wrong, and how errors say so. Private to the room.

#include <string>
#include <string_view>

#include "chat/request_view.hpp"
#include "json/document.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect::openai_parts {

/// A value's type with its article, as sentences have it. Lifetime: static.
[[nodiscard]] std::string_view type_name(const json::Value& value) noexcept;
/// A value as an error message shows it: numbers as they stand, the rest by type.
[[nodiscard]] std::string shown(const json::Value& value);
/// A member's name, decoded into `scratch` only where it is escaped.
[[nodiscard]] std::string_view name_of(const json::Value& member, std::string& scratch);

/// kDuplicateKey for `member`, the second of its name.
[[nodiscard]] tl::unexpected<Error> duplicate(const json::Value& member);
/// kInvalidParameter: "`name` is a number; it must be `expected`".
[[nodiscard]] tl::unexpected<Error> wrong(std::string_view name, const json::Value& value, std::string_view expected);

/// True where `a` is `lower` but for the case of its letters: servers that decode without regard to case (Go's do) take
/// `Model` for the model.
[[nodiscard]] bool same_letters(std::string_view a, std::string_view lower) noexcept;
/// A second name for the model, which some servers obey.
[[nodiscard]] bool is_model_alias(std::string_view key) noexcept;
/// The decoded text: a view of the body, or of the view's arena.
[[nodiscard]] std::string_view text_of(const json::Value& string, chat::RequestView& view);
/// The model into the view. `alias` and `other_case` are members that say it by another name; absent where there are none.
/// Errors: kInvalidModel.
[[nodiscard]] Status take_model(const json::Value& model, const json::Value& alias, const json::Value& other_case, chat::RequestView& view);

/// The root members a shape is counted in. Absent ones stay absent; none stands twice.
struct Measured {
  json::Value messages = {}, tools = {}, functions = {}, prompt = {}, suffix = {}, input = {}, dimensions = {};
};
/// Fills view.shape, all but its depth (openai_shape.cpp). Texts and media are counted where they stand: nothing of them
/// is copied, and base64 without escapes is not even read.
/// Errors: kInvalidParameter where `tools`, `functions`, `input`, `prompt` or `dimensions` are of no type that can be
/// counted; kDuplicateKey where a message or a part says twice what is counted.
[[nodiscard]] Status measure(chat::Operation operation, const Measured& fields, chat::RequestView& view);

}  // namespace sluice::dialect::openai_parts
