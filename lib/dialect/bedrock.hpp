#pragma once
/// The Bedrock dialect (Converse and ConverseStream), taken apart: one source file per concern, gathered by the class in
/// bedrock.cpp. Private to the room.
/// Source: the service model of bedrock-runtime, 2023-09-30; what its servers were seen to send beside it is kept.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dialect/dialect.hpp"

namespace sluice::dialect::bedrock_parts {

/// The name under which members only this dialect understands are kept (chat::Extra).
inline constexpr std::string_view kName = "bedrock";
/// What answers of other servers have in place of the metrics that Bedrock's model requires.
inline constexpr std::string_view kNoMetrics = R"({"latencyMs":0})";

// bedrock_paths.cpp
[[nodiscard]] std::optional<Recognised> recognise(std::string_view method, std::string_view path);
/// `/model/{id}/converse-stream`, the id escaped once.
[[nodiscard]] std::string target_of(const Sending& sending);
[[nodiscard]] bool serves(Operation operation) noexcept;

// bedrock_inspect.cpp
[[nodiscard]] Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view);

// bedrock_read_request.cpp, bedrock_write_request.cpp
[[nodiscard]] Result<chat::Request> decode_request(const json::Document& document, Operation operation);
[[nodiscard]] std::string encode_request(const chat::Request& request, const Sending& sending, chat::LossReport& loss);

// bedrock_usage.cpp
/// The counts of one `usage` object, normalised: what was read includes what came from a cache or went into one.
[[nodiscard]] chat::Usage read_usage(const json::Value& usage);
/// Its other members, as `usage.serverToolUsage` and the like.
void keep_usage_extras(const json::Value& usage, chat::Extras& extras);
/// The usage object a caller of this dialect gets, with what was kept of it.
[[nodiscard]] std::string write_usage(const chat::Usage& usage, const chat::Extras& extras);
/// `stopReason` in the model's words, and the other way: the provider's own where it is one of this dialect's.
[[nodiscard]] chat::FinishReason finish_reason(std::string_view native) noexcept;
[[nodiscard]] std::string_view stop_reason(chat::FinishReason reason, std::string_view native) noexcept;

// bedrock_errors.cpp
[[nodiscard]] std::string encode_error(const Error& error, const ErrorContext& context);
/// The error's type as an answer names it: `ThrottlingException`.
[[nodiscard]] std::string error_type(const Error& error);
[[nodiscard]] std::string encode_stream_error(const Error& error, const ErrorContext& context, Framing framing);
[[nodiscard]] bool is_error_body(std::string_view body);
/// The Error an exception of a stream stands for. `type` is its name, `throttlingException`.
[[nodiscard]] Error exception_error(std::string_view type, std::string_view data);

// bedrock_read_answer.cpp, bedrock_write_answer.cpp
[[nodiscard]] Result<chat::Message> decode_answer(std::string_view body, const Asked& asked);
[[nodiscard]] std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss);

// bedrock_read_stream.cpp, bedrock_write_stream.cpp
[[nodiscard]] std::unique_ptr<DeltaDecoder> make_delta_decoder(const Asked& asked);
[[nodiscard]] std::unique_ptr<DeltaEncoder> make_delta_encoder(const AnswerForm& form);
[[nodiscard]] std::string event_text(std::string_view data);
/// An event that SDKs show as an object with one member, in a frame of that name.
[[nodiscard]] http::NamedEvent framed(std::string_view data);

// bedrock_tap.cpp
[[nodiscard]] std::unique_ptr<AnswerTap> make_tap(const TapOptions& options);

// bedrock_edit.cpp
[[nodiscard]] std::unique_ptr<AnswerEditor> make_stream_editor();
[[nodiscard]] std::unique_ptr<AnswerEditor> make_whole_editor();

}  // namespace sluice::dialect::bedrock_parts
