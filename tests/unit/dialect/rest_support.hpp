#pragma once
/// What tests of custom surfaces share: surfaces made on the spot, requests of OpenAI's written by them.

#include <memory>
#include <string>
#include <string_view>

#include "dialect/rest.hpp"
#include "unit/dialect/translating.hpp"

namespace sluice::test {

inline std::shared_ptr<const dialect::Dialect> surface(const RestOptions& options) {
  auto made = dialect::make_rest_dialect("mine", options);
  if (!made) FAIL(made.error().message);
  return *std::move(made);
}

/// The surface of a provider's row.
inline std::shared_ptr<const dialect::Dialect> row(std::string_view provider, std::optional<RestPrompt> prompt = std::nullopt) {
  RestOptions own;
  own.prompt = std::move(prompt);
  return surface(dialect::surface_of(provider, own));
}

/// A chat surface whose requests are `request` and whose text stands at /text.
inline RestOptions chats(std::string request) {
  RestOptions out;
  out.chat = RestOperation{.path = "/chat", .request = std::move(request), .answer = {.text = "/text"}};
  return out;
}

/// ChatML, which many models were taught.
inline RestPrompt chatml() {
  return {.begin = {},
          .system = {"<|im_start|>system\n", "<|im_end|>\n"},
          .user = {"<|im_start|>user\n", "<|im_end|>\n"},
          .assistant = {"<|im_start|>assistant\n", "<|im_end|>\n"},
          .answer = "<|im_start|>assistant\n"};
}

/// A request of OpenAI's as the surface sends it.
inline std::string sent(const dialect::Dialect& to, std::string_view body, chat::LossReport& loss,
                        chat::Operation operation = chat::Operation::kChat) {
  return translated(dialect::openai(), to, body, loss, operation);
}
inline std::string sent(const dialect::Dialect& to, std::string_view body, chat::Operation operation = chat::Operation::kChat) {
  chat::LossReport loss;
  std::string out = sent(to, body, loss, operation);
  CHECK(losses_of(loss) == "");
  return out;
}

inline chat::Message read_answer(const dialect::Dialect& from, std::string_view body, const dialect::Asked& asked = {}) {
  auto message = from.decode_answer(body, asked);
  INFO(body);
  if (!message) FAIL(message.error().message);
  return *std::move(message);
}

/// What a stream says, its end included.
inline Result<std::vector<chat::Delta>> read_stream(const dialect::Dialect& from, std::string_view stream, http::Framing framing,
                                                    std::size_t size = static_cast<std::size_t>(-1)) {
  const auto decoder = from.delta_decoder({});
  std::vector<chat::Delta> out;
  for (const auto& [name, data] : events_of(stream, framing, size)) {
    if (Status read = decoder->on_event(name, data, out); !read) return tl::unexpected(read.error());
  }
  decoder->conclude(out);
  if (Status ended = decoder->on_end(); !ended) return tl::unexpected(ended.error());
  return out;
}

}  // namespace sluice::test
