#pragma once
/// The OpenAI dialect, taken apart: one source file per concern, gathered by the class in openai.cpp. Private to the room.
/// Source: OpenAI's OpenAPI document 2.3.0; where servers that follow it depart from it, the place says so.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dialect/dialect.hpp"
#include "dialect/provider_words.hpp"

namespace sluice::dialect::openai_parts {

/// The name under which members only this dialect understands are kept (chat::Extra).
inline constexpr std::string_view kName = "openai";

// openai_paths.cpp
[[nodiscard]] std::optional<Recognised> recognise(std::string_view method, std::string_view path);
/// Where the operation's requests go, behind the base URL: `/chat/completions`.
[[nodiscard]] std::string suffix_of(Operation operation, std::string_view model);
/// The same with the deployment in the path, and the version of the API in the query.
[[nodiscard]] std::string deployment_target(Operation operation, std::string_view model);
[[nodiscard]] bool serves(Operation operation) noexcept;

// openai_inspect.cpp
[[nodiscard]] Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view);

// openai_edits.cpp
[[nodiscard]] Result<bool> ask_for_usage(base::EditedBody& body, const json::Document& document, const chat::RequestView& view);
[[nodiscard]] Status set_model(base::EditedBody& body, const json::Document& document, const chat::RequestView& view,
                               std::string_view model);

// openai_usage.cpp
/// The counts of one `usage` object, normalised. Absent and null counts stay unknown.
[[nodiscard]] chat::Usage read_usage(const json::Value& usage);
/// The same from its JSON text; nothing known where that is no object.
[[nodiscard]] chat::Usage parse_usage(std::string_view usage_json);
/// True where `raw` is usage in this dialect's own words, which a caller may get as it stands.
[[nodiscard]] bool is_own_usage(std::string_view raw);
/// The usage object a caller of this dialect gets: the provider's own where it is at hand, else one made of `usage`.
[[nodiscard]] std::string write_usage(const chat::Usage& usage, Operation operation);

// openai_tap.cpp
[[nodiscard]] std::unique_ptr<AnswerTap> make_tap(const TapOptions& options);

// openai_edit_stream.cpp, openai_edit_whole.cpp
[[nodiscard]] std::unique_ptr<AnswerEditor> make_stream_editor(Operation operation);
[[nodiscard]] std::unique_ptr<AnswerEditor> make_whole_editor(Operation operation);

// openai_errors.cpp
/// OpenAI's word for the kind of failure; clients tell retryable ones by status, people read this. Literals.
[[nodiscard]] std::string_view error_type(int status) noexcept;
/// The provider's own words for errors the provider made; the gateway's for all others. Lifetime: the arguments.
[[nodiscard]] std::string_view error_words(const Error& error, std::string_view provider_text) noexcept;
[[nodiscard]] std::string encode_error(const Error& error, const ErrorContext& context);
[[nodiscard]] bool is_error_body(std::string_view body);

// openai_finish.cpp
/// Any provider's finish reason in this dialect's words; what is not known is kStop.
[[nodiscard]] chat::FinishReason finish_reason(std::string_view native) noexcept;

// openai_read_request.cpp, openai_read_tools.cpp, openai_write_request.cpp
[[nodiscard]] Result<chat::Request> decode_request(const json::Document& document, Operation operation);
[[nodiscard]] std::string encode_request(const chat::Request& request, const Sending& sending, chat::LossReport& loss);

// openai_quirks.cpp
/// True where servers with these quirks want requests changed.
[[nodiscard]] bool has_quirks(std::uint32_t quirks) noexcept;
/// The request as such a server takes it.
[[nodiscard]] chat::Request with_quirks(chat::Request request, std::uint32_t quirks, chat::LossReport& loss);

// openai_read_answer.cpp, openai_write_answer.cpp
[[nodiscard]] Result<chat::Message> decode_answer(std::string_view body, Operation operation);
/// `model` stands for the name of an answer that has none.
/// How much a `usage` must say: OpenAI's clients want what was read; Voyage's know the total alone.
enum class UsageForm : std::uint8_t { kInputToo, kTotalAlone };
[[nodiscard]] std::string encode_answer(const chat::Message& answer, Operation operation, chat::LossReport& loss, std::string_view model = {},
                                        UsageForm usage = UsageForm::kInputToo);

// openai_read_stream.cpp, openai_write_stream.cpp
[[nodiscard]] std::unique_ptr<DeltaDecoder> make_delta_decoder(Operation operation);
[[nodiscard]] std::unique_ptr<DeltaEncoder> make_delta_encoder(Operation operation, bool usage, std::string_view model = {});
[[nodiscard]] std::string event_text(std::string_view data);

}  // namespace sluice::dialect::openai_parts
