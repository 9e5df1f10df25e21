#pragma once
/// The Cohere dialect (version 2: chat, embed, rerank), taken apart: one source file per concern, gathered by the class in
/// cohere.cpp. Private to the room. Source: Cohere's API reference, version 2; recorded traffic where it says more.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dialect/dialect.hpp"

namespace sluice::dialect::cohere_parts {

/// The name under which members only this dialect understands are kept (chat::Extra).
inline constexpr std::string_view kName = "cohere";
/// Thinking that came as `tool_plan`, beside the content (chat::Thinking::field).
inline constexpr std::string_view kToolPlan = "tool_plan";

// cohere_paths.cpp
[[nodiscard]] std::optional<Recognised> recognise(std::string_view method, std::string_view path);
/// Where the operation's requests go, behind a base URL that ends in `/v2`: `/chat`.
[[nodiscard]] std::string_view suffix_of(Operation operation) noexcept;
[[nodiscard]] bool serves(Operation operation) noexcept;

// cohere_inspect.cpp
[[nodiscard]] Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view);

// cohere_read_request.cpp, cohere_write_request.cpp
[[nodiscard]] Result<chat::Request> decode_request(const json::Document& document, Operation operation);
[[nodiscard]] std::string encode_request(const chat::Request& request, const Sending& sending, chat::LossReport& loss);

// cohere_usage.cpp
/// The counts of `usage`, or of the `meta` of embeddings. What is billed stands for what was read only where that is not said.
[[nodiscard]] chat::Usage read_usage(const json::Value& usage);
/// The same from its JSON text; nothing known where that is no object.
[[nodiscard]] chat::Usage parse_usage(std::string_view json);
/// The usage object a caller of this dialect gets.
[[nodiscard]] std::string write_usage(const chat::Usage& usage);
/// True where `raw` is usage in this dialect's own words.
[[nodiscard]] bool is_own_usage(std::string_view raw);
/// Why an answer ended; what is not known is kStop. `ERROR` and `TIMEOUT` are no ends: is_failure().
[[nodiscard]] chat::FinishReason finish_reason(std::string_view native) noexcept;
[[nodiscard]] bool is_failure(std::string_view native) noexcept;
/// The word a caller of this dialect gets: its own where there is one.
[[nodiscard]] std::string_view finish_word(chat::FinishReason reason, std::string_view native) noexcept;

// cohere_errors.cpp
[[nodiscard]] std::string encode_error(const Error& error, const ErrorContext& context);
/// The data of the event that ends a stream which failed, with the usage so far.
[[nodiscard]] std::string failed_end(const Error& error, const ErrorContext& context, const chat::Usage& usage = {});
[[nodiscard]] bool is_error_body(std::string_view body);
/// The Error an answer stands for that ended in `ERROR` or `TIMEOUT`; `holder` may hold words (`error`).
[[nodiscard]] Error failure_of(const json::Value& holder, std::string_view native);

// cohere_read_answer.cpp, cohere_write_answer.cpp
[[nodiscard]] Result<chat::Message> decode_answer(std::string_view body, const Asked& asked);
[[nodiscard]] std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss);

// cohere_read_stream.cpp, cohere_write_stream.cpp
[[nodiscard]] std::unique_ptr<DeltaDecoder> make_delta_decoder();
[[nodiscard]] std::unique_ptr<DeltaEncoder> make_delta_encoder();
[[nodiscard]] std::string event_text(std::string_view data);

// cohere_tap.cpp
[[nodiscard]] std::unique_ptr<AnswerTap> make_tap(const TapOptions& options);

// cohere_edit.cpp
[[nodiscard]] std::unique_ptr<AnswerEditor> make_stream_editor();
[[nodiscard]] std::unique_ptr<AnswerEditor> make_whole_editor();

}  // namespace sluice::dialect::cohere_parts
