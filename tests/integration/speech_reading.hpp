#pragma once
// Steps shared by the ears of all dialects: JSON by pointer, events of lines, and what tests put into requests.

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "integration/dialect_speech.hpp"
#include "json/document.hpp"

namespace sluice::test::speaking {

using json::Document;
using json::Type;
using json::Value;

// The smallest PNG there is.
inline constexpr std::string_view kPng = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
inline constexpr std::string_view kWeatherSchema = R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"]})";
inline constexpr std::string_view kClockSchema = R"({"type":"object","properties":{}})";

inline Value at(const Value& root, std::string_view pointer) {
  const auto found = root.at(pointer);
  return found ? *found : Value{};
}
inline std::string text(const Value& value) {
  std::string scratch;
  return value.is(Type::kString) ? std::string(value.text(scratch)) : std::string();
}
inline std::string text(const Value& root, std::string_view pointer) { return text(at(root, pointer)); }
inline std::optional<std::int64_t> number(const Value& root, std::string_view pointer) {
  const Value value = at(root, pointer);
  return value.is(Type::kNumber) ? value.integer() : std::nullopt;
}
inline std::string spelled(const Value& value) {
  std::string scratch;
  switch (value.type()) {
    case Type::kArray: {
      std::string out = "[";
      for (Value item = value.first(); item; item = item.next()) out.append(out.size() > 1 ? "," : "").append(spelled(item));
      return out + "]";
    }
    case Type::kObject: {
      std::map<std::string, std::string> members;
      for (Value item = value.first(); item; item = item.next()) members[std::string(item.key(scratch))] = spelled(item);
      std::string out = "{";
      for (const auto& [key, member] : members) out.append(out.size() > 1 ? ",\"" : "\"").append(key).append("\":").append(member);
      return out + "}";
    }
    default: return std::string(value.raw());
  }
}

/// Events of a stream of lines: name and data.
struct Line {
  std::string name, data;
};
inline std::vector<Line> sse(std::string_view body) {
  std::vector<Line> out;
  Line event;
  bool any = false;
  while (!body.empty()) {
    const std::size_t end = std::min(body.find('\n'), body.size());
    std::string_view line = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("event: ")) event.name = line.substr(7);
    if (line.starts_with("data: ")) event.data += line.substr(6), any = true;
    if (line.empty()) {
      if (any) out.push_back(event);
      event = {};
      any = false;
    }
  }
  return out;
}

inline std::optional<Document> parsed(std::string_view json) {
  auto document = Document::parse(Body::copy(json));
  return document ? std::optional(std::move(*document)) : std::nullopt;
}

inline std::string quoted(std::string_view plain) { return '"' + std::string(plain) + '"'; }  // what tests say needs no escapes

inline Request json_post(std::string target, std::string body) { return Request::post(std::move(target), std::move(body)); }

/// Cohere and Ollama offer tools as OpenAI does.
inline std::string openai_tools() {
  return R"("tools":[{"type":"function","function":{"name":"weather","description":"w","parameters":)" + std::string(kWeatherSchema) +
         R"(}},{"type":"function","function":{"name":"clock","parameters":)" + std::string(kClockSchema) + "}}]";
}

// The dialects, in speech_*.cpp.
Request ask_openai(const Ask& ask);
Heard hear_openai(std::string_view body, bool stream);
Request ask_anthropic(const Ask& ask);
Heard hear_anthropic(std::string_view body, bool stream);
Request ask_gemini(const Ask& ask);
Heard hear_gemini(std::string_view body, bool stream);
Request ask_responses(const Ask& ask);
Heard hear_responses(std::string_view body, bool stream);
Request ask_cohere(const Ask& ask);
Heard hear_cohere(std::string_view body, bool stream);
Request ask_ollama(const Ask& ask);
Heard hear_ollama(std::string_view body, bool stream);
Request ask_bedrock(const Ask& ask);
Heard hear_bedrock(std::string_view body, bool stream);

}  // namespace sluice::test::speaking
