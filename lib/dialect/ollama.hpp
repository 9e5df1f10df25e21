#pragma once
/// Ollama's own dialect (/api/chat, /api/generate, /api/embed, /api/tags), taken apart: one source file per concern, gathered
/// by the class in ollama.cpp. Streams are lines of JSON, and what does not say otherwise is streamed. Private to the room.
/// Source: Ollama's OpenAPI document; recorded traffic where it says more.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dialect/dialect.hpp"

namespace sluice::dialect::ollama_parts {

/// The name under which members only this dialect understands are kept (chat::Extra).
inline constexpr std::string_view kName = "ollama";

/// Two requests mean a chat: /api/chat with messages, /api/generate with a prompt. Their answers differ in where a text stands.
enum class Shape : std::uint8_t { kChat, kGenerate };
/// Which of the two a request is; null: kChat.
[[nodiscard]] Shape shape_of(const json::Document* request);

// ollama_paths.cpp
[[nodiscard]] std::optional<Recognised> recognise(std::string_view method, std::string_view path);
/// Where the operation's requests go: `/api/chat`.
[[nodiscard]] std::string_view suffix_of(Operation operation) noexcept;

// ollama_inspect.cpp
[[nodiscard]] Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view);

// ollama_read_request.cpp, ollama_write_request.cpp
[[nodiscard]] Result<chat::Request> decode_request(const json::Document& document, Operation operation);
[[nodiscard]] std::string encode_request(const chat::Request& request, chat::LossReport& loss);

// ollama_answer.cpp
[[nodiscard]] Result<chat::Message> decode_answer(std::string_view body, Operation operation);
[[nodiscard]] std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss);

// ollama_stream.cpp
[[nodiscard]] std::unique_ptr<DeltaDecoder> make_delta_decoder();
[[nodiscard]] std::unique_ptr<DeltaEncoder> make_delta_encoder(const AnswerForm& form);
[[nodiscard]] std::string event_text(std::string_view data);

// ollama_tap.cpp
[[nodiscard]] std::unique_ptr<AnswerTap> make_tap(const TapOptions& options);
[[nodiscard]] std::string encode_error(const Error& error, const ErrorContext& context);
[[nodiscard]] bool is_error_body(std::string_view body);

// ollama_edit.cpp
[[nodiscard]] std::unique_ptr<AnswerEditor> make_editor(bool streaming);

}  // namespace sluice::dialect::ollama_parts
