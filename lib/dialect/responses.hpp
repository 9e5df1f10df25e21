#pragma once
/// OpenAI's Responses dialect, taken apart: one source file per concern, gathered by the class in responses.cpp. Private to
/// the room.
/// Source: OpenAI's OpenAPI document 2.3.0 and the Open Responses document of 2026-04-24; where servers depart from them,
/// the place says so.
///
/// A conversation is a list of items, not of messages. In the canonical model an assistant's items in a row are one turn;
/// what an item says beside its content (its id, its status) hangs on the turn, so that other dialects lose nothing by it.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dialect/dialect.hpp"

namespace sluice::dialect::responses_parts {

/// The name under which members only this dialect understands are kept (chat::Extra).
inline constexpr std::string_view kName = "openai-responses";

// responses_paths.cpp
[[nodiscard]] std::optional<Recognised> recognise(std::string_view method, std::string_view path);
[[nodiscard]] std::string suffix_of(Operation operation);
[[nodiscard]] bool serves(Operation operation) noexcept;

// responses_inspect.cpp, responses_shape.cpp
[[nodiscard]] Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view);

// responses_edits.cpp
[[nodiscard]] Status set_model(base::EditedBody& body, const json::Document& document, const chat::RequestView& view,
                               std::string_view model);

// responses_usage.cpp
/// The counts of one `usage` object; absent and null ones stay unknown.
[[nodiscard]] chat::Usage read_usage(const json::Value& usage);
/// `usage`, whose members the schema requires; empty where nothing is known.
[[nodiscard]] std::string write_usage(const chat::Usage& usage);

// responses_finish.cpp
/// How a response ended, out of `status` and `incomplete_details`.
struct Ending {
  chat::FinishReason reason = chat::FinishReason::kNone;
  std::string native = {};  ///< the server's word, where it differs
};
[[nodiscard]] Ending read_ending(std::string_view status, std::string_view incomplete_reason, bool called);
/// `completed` or `incomplete`, and the reason of the latter; empty for the former. Literals.
struct ResponseStatus {
  std::string_view status, incomplete_reason;
};
[[nodiscard]] ResponseStatus status_of(chat::FinishReason reason) noexcept;

// responses_errors.cpp
[[nodiscard]] std::string encode_error(const Error& error, const ErrorContext& context);
/// The data of an `error` event.
[[nodiscard]] std::string error_event(const Error& error, std::string_view provider_text, std::uint64_t sequence_number);
/// The `error` of a failed response.
void write_failure(std::string& out, const Error& error, std::string_view provider_text);
[[nodiscard]] bool is_error_body(std::string_view body);

// responses_read_request.cpp, responses_write_request.cpp
[[nodiscard]] Result<chat::Request> decode_request(const json::Document& document, Operation operation);
[[nodiscard]] std::string encode_request(const chat::Request& request, const Sending& sending, chat::LossReport& loss);

// responses_read_answer.cpp, responses_write_answer.cpp
[[nodiscard]] Result<chat::Message> decode_answer(std::string_view body, Operation operation);
[[nodiscard]] std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss);

// responses_read_stream.cpp, responses_write_stream.cpp
[[nodiscard]] std::unique_ptr<DeltaDecoder> make_delta_decoder();
[[nodiscard]] std::unique_ptr<DeltaEncoder> make_delta_encoder(const AnswerForm& form);
[[nodiscard]] std::string event_text(std::string_view data);

// responses_tap.cpp
[[nodiscard]] std::unique_ptr<AnswerTap> make_tap(const TapOptions& options);

// responses_edit_stream.cpp, responses_edit_whole.cpp
[[nodiscard]] std::unique_ptr<AnswerEditor> make_stream_editor();
[[nodiscard]] std::unique_ptr<AnswerEditor> make_whole_editor();

}  // namespace sluice::dialect::responses_parts
