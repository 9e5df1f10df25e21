#pragma once
/// What tests of the Bedrock dialect share: requests and answers through the canonical model, streams as names and data.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/dialect/wire.hpp"

namespace sluice::test {

using dialect::bedrock;
using dialect::openai;

inline const std::string kClaude = "anthropic.claude-sonnet-4-20250514-v1:0";

/// A request as the canonical model has it.
inline chat::Request decoded(const dialect::Dialect& spoken, std::string_view body, chat::Operation operation = chat::Operation::kChat) {
  auto request = spoken.decode_request(parsed(body), operation);
  INFO(body);
  if (!request) FAIL(request.error().message);
  return *std::move(request);
}

/// Of the OpenAI dialect into one of Converse.
struct ToBedrock {
  explicit ToBedrock(std::string_view body, const std::string& model = kClaude)
      : text(bedrock().encode_request(decoded(openai(), body), {.operation = chat::Operation::kChat, .model = model}, loss)), document(parsed(text)) {}
  chat::LossReport loss;
  std::string text;
  json::Document document;

  /// In one spelling; `null` where nothing stands there.
  [[nodiscard]] std::string at(std::string_view pointer) const {
    const auto value = document.root().at(pointer);
    return value && *value ? canonical(*value) : "null";
  }
  /// How grave the loss of a field is, or nothing.
  [[nodiscard]] std::optional<chat::LossSeverity> lost(std::string_view field) const {
    for (const chat::Loss& one : loss.entries()) {
      if (one.field == field) return one.severity;
    }
    return std::nullopt;
  }
};

struct NamedData {
  std::string name, data;
  friend bool operator==(const NamedData&, const NamedData&) = default;
  friend std::ostream& operator<<(std::ostream& out, const NamedData& event) { return out << event.name << ' ' << event.data; }
};

/// What stands in frames.
inline std::vector<NamedData> unframed(std::string_view stream) {
  const auto reader = http::make_event_reader(http::Framing::kAwsEvents, 1 << 20);
  std::vector<NamedData> out;
  http::StreamEvent event;
  reader->feed(stream);
  while (true) {
    const auto more = reader->next(event);
    REQUIRE(more);
    if (!*more) break;
    out.push_back({std::string(event.name), std::string(event.data)});
  }
  CHECK(reader->held() == 0);
  return out;
}

inline std::vector<chat::Delta> read_stream(const dialect::Dialect& spoken, const std::vector<NamedData>& events) {
  const auto decoder = spoken.delta_decoder({});
  std::vector<chat::Delta> out;
  for (const NamedData& event : events) {
    INFO(event);
    REQUIRE(decoder->on_event(event.name, event.data, out));
  }
  return out;
}

inline std::vector<NamedData> written_stream(const std::vector<chat::Delta>& deltas) {
  const auto encoder = bedrock().delta_encoder({.framing = http::Framing::kAwsEvents});
  std::string out;
  for (const chat::Delta& delta : deltas) encoder->encode(delta, out);
  encoder->end(out);
  return unframed(out);
}

}  // namespace sluice::test
