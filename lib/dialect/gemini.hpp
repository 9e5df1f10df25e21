#pragma once
/// The Gemini dialect, taken apart: one source file per concern, gathered by the class in gemini.cpp. Private to the room.
/// It is what the Gemini API and Vertex AI's publisher `google` speak: the model and the method stand in the path, the body
/// is the JSON form of a protocol buffer, so that every member may be written `camelCase` or `snake_case`.
/// Source: the APIs' reference (v1beta, v1), recorded traffic of both.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/dialect.hpp"
#include "dialect/provider_words.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::gemini_parts {

/// The name under which members only this dialect understands are kept (chat::Extra).
inline constexpr std::string_view kName = "gemini";

// gemini_paths.cpp
[[nodiscard]] std::optional<Recognised> recognise(std::string_view method, std::string_view path, std::string_view query,
                                                  const Headers& headers);
[[nodiscard]] std::string target_of(const Sending& sending);
[[nodiscard]] bool serves(Operation operation) noexcept;
/// `models/x` is the long form of `x`.
[[nodiscard]] std::string_view bare_model(std::string_view model) noexcept;

// gemini_inspect.cpp
[[nodiscard]] Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view);

// gemini_edits.cpp
[[nodiscard]] Status set_model(base::EditedBody& body, const json::Document& document, std::string_view model);

// gemini_usage.cpp
/// The counts of one `usageMetadata`, normalised: thoughts stand beside the candidates there, tool use beside the prompt.
[[nodiscard]] chat::Usage read_usage(const json::Value& usage);
[[nodiscard]] chat::Usage parse_usage(std::string_view usage_json);
[[nodiscard]] std::string write_usage(const chat::Usage& usage);

// gemini_finish.cpp
/// The word of a finish reason; its number stands for it where a client asked for enumerations as numbers.
[[nodiscard]] std::string finish_word_of(const json::Value& reason);
[[nodiscard]] std::string finish_word_of(std::string_view json);
/// What a finish reason means in an answer with or without calls. `native` is left empty where write_finish() gives it back.
[[nodiscard]] chat::FinishReason finish_reason(std::string_view word, bool calls, std::string& native);
[[nodiscard]] std::string_view finish_word(chat::FinishReason reason, std::string_view native) noexcept;

// gemini_errors.cpp
[[nodiscard]] std::string encode_error(const Error& error, const ErrorContext& context);
[[nodiscard]] bool is_error_body(std::string_view body);

// gemini_tap.cpp
[[nodiscard]] std::unique_ptr<AnswerTap> make_tap(const TapOptions& options);

// gemini_edit_stream.cpp, gemini_edit_whole.cpp
[[nodiscard]] std::unique_ptr<AnswerEditor> make_stream_editor();
[[nodiscard]] std::unique_ptr<AnswerEditor> make_whole_editor();

// gemini_read_request.cpp, gemini_write_request.cpp
[[nodiscard]] Result<chat::Request> decode_request(const json::Document& document, Operation operation);
[[nodiscard]] std::string encode_request(const chat::Request& request, const Sending& sending, chat::LossReport& loss);

// gemini_read_answer.cpp, gemini_write_answer.cpp
[[nodiscard]] Result<chat::Message> decode_answer(std::string_view body, Operation operation);
[[nodiscard]] std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss);

// gemini_read_stream.cpp, gemini_write_stream.cpp
[[nodiscard]] std::unique_ptr<DeltaDecoder> make_delta_decoder();
[[nodiscard]] std::unique_ptr<DeltaEncoder> make_delta_encoder(const AnswerForm& form);
[[nodiscard]] std::string event_text(std::string_view data);

}  // namespace sluice::dialect::gemini_parts
