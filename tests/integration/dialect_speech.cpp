// The dialects by name.

#include "integration/dialect_speech.hpp"

#include <algorithm>

#include "integration/speech_reading.hpp"

namespace sluice::test {

using namespace speaking;

std::string canonical_json(std::string_view json) {
  const auto document = parsed(json);
  return document ? spelled(document->root()) : "!" + std::string(json);
}

const std::vector<Speech>& speeches() {
  static const std::vector<Speech> all{
      {"openai", ask_openai, hear_openai, "stop", "length", "tool_calls"},
      {"anthropic", ask_anthropic, hear_anthropic, "end_turn", "max_tokens", "tool_use"},
      {"gemini", ask_gemini, hear_gemini, "STOP", "MAX_TOKENS", "STOP"},
      {"openai-responses", ask_responses, hear_responses, "completed", "incomplete", "completed"},
      {"cohere", ask_cohere, hear_cohere, "COMPLETE", "MAX_TOKENS", "TOOL_CALL"},
      {"ollama", ask_ollama, hear_ollama, "stop", "length", "stop"},
      {"bedrock", ask_bedrock, hear_bedrock, "end_turn", "max_tokens", "tool_use"},
  };
  return all;
}

const Speech& speech(std::string_view name) {
  const auto& all = speeches();
  return *std::find_if(all.begin(), all.end(), [name](const Speech& one) { return one.name == name; });
}

}  // namespace sluice::test
