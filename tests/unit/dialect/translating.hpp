#pragma once
/// What tests of a dialect's translations share: streams taken apart and put together, at any split, in any framing.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/event_reader.hpp"
#include "unit/dialect/wire.hpp"

namespace sluice::test {

using Events = std::vector<std::pair<std::string, std::string>>;  ///< name and data

/// The events of a stream that comes in pieces of `size` bytes.
inline Events events_of(std::string_view stream, http::Framing framing, std::size_t size = static_cast<std::size_t>(-1)) {
  const auto reader = http::make_event_reader(framing, 1u << 20);
  Events out;
  http::StreamEvent event;
  const auto take = [&] {
    if (event.has_data) out.emplace_back(event.name, event.data);
  };
  for (std::size_t at = 0; at < stream.size(); at += std::min(size, stream.size())) {
    reader->feed(stream.substr(at, size));
    while (*reader->next(event)) take();
  }
  if (reader->finish(event)) take();
  return out;
}

inline std::vector<chat::Delta> decoded(const dialect::Dialect& dialect, const Events& events, const dialect::Asked& asked = {}) {
  const auto decoder = dialect.delta_decoder(asked);
  std::vector<chat::Delta> out;
  for (const auto& [name, data] : events) {
    INFO(data);
    REQUIRE(decoder->on_event(name, data, out));
  }
  CHECK(decoder->on_end());
  return out;
}

inline std::string encoded(const dialect::Dialect& dialect, const std::vector<chat::Delta>& deltas, const dialect::AnswerForm& form = {}) {
  const auto encoder = dialect.delta_encoder(form);
  std::string out;
  bool failed = false;
  for (const chat::Delta& delta : deltas) {
    encoder->encode(delta, out);
    failed = failed || delta.as<chat::ErrorDelta>() != nullptr;
  }
  if (!failed) encoder->end(out);
  return out;
}

inline chat::Message gathered(const std::vector<chat::Delta>& deltas) {
  chat::Gatherer gatherer;
  for (const chat::Delta& delta : deltas) gatherer.add(delta);
  return gatherer.take();
}

inline chat::Request request_of(const dialect::Dialect& dialect, std::string_view body, chat::Operation operation = chat::Operation::kChat) {
  auto request = dialect.decode_request(parsed(body), operation);
  INFO(body);
  if (!request) FAIL(request.error().message);
  return *std::move(request);
}

/// A request of one dialect as another sends it.
inline std::string translated(const dialect::Dialect& from, const dialect::Dialect& to, std::string_view body, chat::LossReport& loss,
                              chat::Operation operation = chat::Operation::kChat) {
  const chat::Request request = request_of(from, body, operation);
  return to.encode_request(request, {.operation = operation, .model = request.model, .streaming = request.stream}, loss);
}

/// `seed (cosmetic)`, one a line.
inline std::string losses_of(const chat::LossReport& loss) {
  std::string out;
  for (const chat::Loss& one : loss.entries()) out.append(one.field).append(" (").append(to_string(one.severity)).append(")\n");
  return out;
}

inline std::vector<chat::ToolCall> calls_of(const chat::Message& message) {
  std::vector<chat::ToolCall> calls;
  for (const chat::Choice& choice : message.choices) {
    for (const chat::Part& part : choice.turn.parts) {
      if (const auto* call = part.as<chat::ToolCall>()) calls.push_back(*call);
    }
  }
  return calls;
}

inline std::string thinking_of(const chat::Message& message) {
  std::string out;
  for (const chat::Choice& choice : message.choices) {
    for (const chat::Part& part : choice.turn.parts) {
      if (const auto* thinking = part.as<chat::Thinking>()) out += thinking->text;
    }
  }
  return out;
}

}  // namespace sluice::test
