#pragma once
/// What the inspection of a request does in every dialect: root members found once each, the model judged, texts gathered
/// and counted, media and tools counted. Strict about what it reads (unique, of the right type), lenient about the rest.
/// Knows what policy looks at; which member says it, a dialect knows.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "chat/request_view.hpp"
#include "json/document.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect {

class RequestWalk {
 public:
  RequestWalk(chat::Operation operation, std::uint32_t wants, chat::RequestView& view) : wants_(wants), view_(view) {
    view.operation = operation;
  }

  /// The root members named, each into its place in `found`; absent ones stay absent. `model`, wherever it is named, is read.
  /// Errors: kInvalidRequest where the root is no object; kDuplicateKey; kInvalidModel for a model that is no printable
  /// string or is named under a second spelling.
  [[nodiscard]] Status root(const json::Document& document, std::span<const std::string_view> names, std::span<json::Value> found);
  /// The members of any object, likewise; one that is no object has none. Errors: kDuplicateKey.
  [[nodiscard]] Status members(const json::Value& object, std::span<const std::string_view> names, std::span<json::Value> found);

  /// A member that is true or false. Errors: kInvalidParameter. Absent and null change nothing.
  [[nodiscard]] static Status flag(const json::Value& value, std::string_view name, bool& out);
  /// A member that is an integer, 0 or more. Errors: kInvalidParameter. Absent and null change nothing.
  [[nodiscard]] static Status count(const json::Value& value, std::string_view name, std::optional<std::uint64_t>& out);

  [[nodiscard]] bool wants_texts() const noexcept { return (wants_ & (chat::kWantPrompt | chat::kWantShape)) != 0; }
  [[nodiscard]] bool wants_tools() const noexcept { return (wants_ & (chat::kWantTools | chat::kWantShape)) != 0; }
  [[nodiscard]] static chat::Role role_of(const json::Value& role);

  /// A message begins; behind the last one, end_messages().
  void message(chat::Role role);
  void end_messages();
  /// A part of it: a text, a medium, or something nobody knows.
  void part() noexcept { ++view_.shape.parts; }
  /// One of the inputs of an embedding or a ranking; all of them are the user's last word.
  void input(const json::Value& string);
  /// A string that a server reads as text.
  void text(chat::Role role, const json::Value& string);
  /// Every string inside a value that a server may show to the model, whatever its shape.
  void texts_within(chat::Role role, const json::Value& value);
  /// A string that holds or names a medium; `form` is the type its member means (`image/*`).
  void medium(const json::Value& string, std::string_view form);
  /// A part of a form nobody knows: all of it may be a medium.
  void unknown(const json::Value& value);

  /// The tools offered, OpenAI's way: `{"type":"function","function":{"name"}}`; a flat `name` counts as well.
  [[nodiscard]] Status tools(const json::Value& list);
  /// The calls of a message; those of the last assistant's message count.
  [[nodiscard]] Status calls(const json::Value& list);
  /// The name inside a tool or a call; empty where it has none. Errors: kDuplicateKey.
  [[nodiscard]] Result<std::string_view> tool_name(const json::Value& tool);

  /// The decoded text: a view of the body, or of the view's arena.
  [[nodiscard]] std::string_view text_of(const json::Value& string);
  [[nodiscard]] chat::RequestView& view() noexcept { return view_; }

 private:
  [[nodiscard]] Status model(const json::Value& value);

  std::uint32_t wants_;
  chat::RequestView& view_;
  chat::Role role_ = chat::Role::kUser;
  std::size_t began_ = 0, user_from_ = 0, user_to_ = 0;  // texts of this message, and of the last one of the user
  std::string scratch_;
};


}  // namespace sluice::dialect
