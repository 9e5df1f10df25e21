// See answer.hpp. Order and spelling of keys are those of the recordings; tests/unit/sim compares.
#include "sim/answer.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <tuple>

#include "sim/text.hpp"

namespace sluice::sim {
namespace {

using Content = Settings::Content;

template <typename Number>
void append_float(std::string& out, Number x) {
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, x).ptr;
  out.append(digits, end);
}

std::string nullable(std::string_view text) { return text.empty() ? "null" : quote(text); }

bool serves(const Settings& settings, std::string_view model) {
  return settings.models.empty() || std::find(settings.models.begin(), settings.models.end(), model) != settings.models.end();
}

Choice compose_choice(const Asked& asked, const Settings& settings, Random& random) {
  Choice choice;
  const bool chat = asked.subject == Subject::kChat;
  if (settings.content == Content::kToolCalls && chat) {
    choice.tools = settings.tools;
    choice.finish = "tool_calls";
    for (testing::ScriptedToolCall& tool : choice.tools) {
      if (tool.id.empty()) tool.id = "call_" + random_name(random, 24);
      choice.tokens += count_tokens(tool.name) + count_tokens(tool.arguments);
    }
    if (!choice.tools.empty()) return choice;
  }
  choice.text = settings.content == Content::kGenerated ? generate_text(random, settings.generated_tokens) : settings.text;
  choice.refusal = settings.content == Content::kRefusal && chat;
  choice.tokens = count_tokens(choice.text);
  if (asked.max_tokens && choice.tokens > *asked.max_tokens) {
    choice.text.resize(first_tokens(choice.text, *asked.max_tokens).size());
    choice.tokens = *asked.max_tokens;
    choice.finish = "length";
  }
  return choice;
}

std::string_view id_prefix(Subject subject) {
  switch (subject) {
    case Subject::kChat: return "chatcmpl-";
    case Subject::kCompletions: return "cmpl-";
    case Subject::kModerations: return "modr-";
    default: return "";
  }
}

/// `line` stands before each line but the first: the indentation of the place the object is put.
void append_usage(std::string& out, const Composition& what, std::string_view line) {
  const bool details = what.asked.subject == Subject::kChat;
  const auto field = [&](std::string_view key, std::uint64_t n, bool last = false) {
    out.append(line).append("  \"").append(key).append("\": ");
    append_number(out, n);
    if (!last) out += ',';
  };
  const auto detail = [&](std::string_view key, std::uint64_t n, bool last = false) {
    out.append(line).append("    \"").append(key).append("\": ");
    append_number(out, n);
    if (!last) out += ',';
  };
  const Counts& counts = what.counts;
  out += '{';
  field("prompt_tokens", counts.input);
  if (what.asked.subject != Subject::kEmbeddings) field("completion_tokens", counts.output);
  field("total_tokens", counts.input + counts.output, !details);
  if (details) {
    out.append(line).append("  \"prompt_tokens_details\": {");
    detail("cached_tokens", counts.cached);
    detail("audio_tokens", 0, true);
    out.append(line).append("  },").append(line).append("  \"completion_tokens_details\": {");
    detail("reasoning_tokens", 0);
    detail("audio_tokens", 0);
    detail("accepted_prediction_tokens", 0);
    detail("rejected_prediction_tokens", 0, true);
    out.append(line).append("  }");
  }
  out.append(line).append("}");
}

void append_head(std::string& out, const Composition& what, std::string_view object) {
  out.append("{\n  \"id\": \"").append(what.id).append("\",\n  \"object\": \"").append(object).append("\",\n  \"created\": ");
  append_number(out, static_cast<std::uint64_t>(what.created));
  out += ",\n  \"model\": ";
  append_quoted(out, what.asked.model);
  out += ",\n";
}

void append_tools(std::string& out, const Choice& choice) {
  out += "        \"tool_calls\": [";
  for (std::size_t i = 0; i < choice.tools.size(); ++i) {
    const auto& tool = choice.tools[i];
    out += i == 0 ? "\n" : ",\n";
    out += "          {\n            \"id\": ";
    append_quoted(out, tool.id);
    out += ",\n            \"type\": \"function\",\n            \"function\": {\n              \"name\": ";
    append_quoted(out, tool.name);
    out += ",\n              \"arguments\": ";
    append_quoted(out, tool.arguments);
    out += "\n            }\n          }";
  }
  out += "\n        ],\n";
}

std::string chat_answer(const Composition& what) {
  std::string out;
  append_head(out, what, "chat.completion");
  out += "  \"choices\": [";
  for (std::size_t i = 0; i < what.choices.size(); ++i) {
    const Choice& choice = what.choices[i];
    out += i == 0 ? "\n" : ",\n";
    out += "    {\n      \"index\": ";
    append_number(out, i);
    out += ",\n      \"message\": {\n        \"role\": \"assistant\",\n        \"content\": ";
    if (choice.refusal || !choice.tools.empty()) out += "null";
    else append_quoted(out, choice.text);
    out += ",\n";
    if (!choice.tools.empty()) append_tools(out, choice);
    out += "        \"refusal\": ";
    if (choice.refusal) append_quoted(out, choice.text);
    else out += "null";
    out += ",\n        \"annotations\": []\n      },\n      \"logprobs\": null,\n      \"finish_reason\": \"";
    out.append(choice.finish).append("\"\n    }");
  }
  out += "\n  ],\n";
  if (!what.settings->no_usage) {
    out += "  \"usage\": ";
    append_usage(out, what, "\n  ");
    out += ",\n";
  }
  out.append("  \"service_tier\": \"default\",\n  \"system_fingerprint\": \"").append(what.fingerprint).append("\"\n}\n");
  return out;
}

std::string completion_answer(const Composition& what) {
  std::string out;
  append_head(out, what, "text_completion");
  out += "  \"choices\": [";
  for (std::size_t i = 0; i < what.choices.size(); ++i) {
    out += i == 0 ? "\n" : ",\n";
    out += "    {\n      \"text\": ";
    append_quoted(out, what.choices[i].text);
    out += ",\n      \"index\": ";
    append_number(out, i);
    out.append(",\n      \"logprobs\": null,\n      \"finish_reason\": \"").append(what.choices[i].finish).append("\"\n    }");
  }
  out += "\n  ]";
  if (!what.settings->no_usage) {
    out += ",\n  \"usage\": ";
    append_usage(out, what, "\n  ");
  }
  out += "\n}\n";
  return out;
}

/// A direction of length one that the text alone decides: equal texts are equal vectors, whoever asks and when.
std::vector<float> embed(std::string_view text, std::size_t dimensions) {
  Random random(stable_hash(text));
  std::vector<float> vector(dimensions);
  double square = 0;
  for (float& x : vector) {
    x = static_cast<float>(random.unit() * 2 - 1);
    square += static_cast<double>(x) * static_cast<double>(x);
  }
  const double length = std::sqrt(square);
  if (length > 0) {
    for (float& x : vector) x = static_cast<float>(static_cast<double>(x) / length);
  }
  return vector;
}

/// The floats as the wire has them: little-endian, 4 bytes each, whatever this machine's order is.
std::string little_endian(const std::vector<float>& vector) {
  std::string bytes;
  bytes.reserve(vector.size() * 4);
  for (const float x : vector) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift & 0xff);
  }
  return bytes;
}

std::string embeddings_answer(const Composition& what) {
  const std::size_t dimensions = what.asked.dimensions != 0 ? what.asked.dimensions : what.settings->dimensions;
  std::string out = "{\n  \"object\": \"list\",\n  \"data\": [";
  for (std::size_t i = 0; i < what.asked.inputs.size(); ++i) {
    const auto vector = embed(what.asked.inputs[i], dimensions);
    out += i == 0 ? "\n" : ",\n";
    out += "    {\n      \"object\": \"embedding\",\n      \"index\": ";
    append_number(out, i);
    out += ",\n      \"embedding\": ";
    if (what.asked.base64) {
      out.append("\"").append(base64(little_endian(vector))).append("\"");
    } else {
      out += '[';
      for (std::size_t k = 0; k < vector.size(); ++k) {
        out += k == 0 ? "\n        " : ",\n        ";
        append_float(out, vector[k]);
      }
      out += "\n      ]";
    }
    out += "\n    }";
  }
  out += "\n  ],\n  \"model\": ";
  append_quoted(out, what.asked.model);
  if (!what.settings->no_usage) {
    out += ",\n  \"usage\": ";
    append_usage(out, what, "\n  ");
  }
  out += "\n}\n";
  return out;
}

constexpr std::string_view kCategories[] = {
    "sexual", "hate", "harassment", "self-harm", "sexual/minors", "hate/threatening", "violence/graphic",
    "self-harm/intent", "self-harm/instructions", "harassment/threatening", "violence", "illicit", "illicit/violent"};
constexpr std::size_t kTextCategories = 11;  // the text-only models know no illicit ones

std::string moderation_answer(const Composition& what) {
  const bool omni = !what.asked.model.starts_with("text-moderation");
  const std::size_t categories = omni ? std::size(kCategories) : kTextCategories;
  std::string out = "{\n  \"id\": \"" + what.id + "\",\n  \"model\": ";
  append_quoted(out, what.asked.model);
  out += ",\n  \"results\": [";
  for (std::size_t i = 0; i < what.asked.inputs.size(); ++i) {
    const std::string& input = what.asked.inputs[i];
    std::string flags, scores, types;
    bool flagged = false;
    for (std::size_t c = 0; c < categories; ++c) {
      const std::string name(kCategories[c]);
      const bool hit = input.find("[" + name + "]") != std::string::npos;
      flagged = flagged || hit;
      const std::string key = (c == 0 ? "\n        \"" : ",\n        \"") + name + "\": ";
      flags += key + (hit ? "true" : "false");
      scores += key;
      // Small, and in exponent form more often than not, as real ones are.
      append_float(scores, hit ? 0.99 : static_cast<double>(stable_hash(name + input) % 9000 + 1000) * 1e-9);
      types += key + "[\n          \"text\"\n        ]";
    }
    out += i == 0 ? "\n" : ",\n";
    out.append("    {\n      \"flagged\": ").append(flagged ? "true" : "false");
    out.append(",\n      \"categories\": {").append(flags).append("\n      },\n      \"category_scores\": {").append(scores).append("\n      }");
    if (omni) out.append(",\n      \"category_applied_input_types\": {").append(types).append("\n      }");
    out += "\n    }";
  }
  out += "\n  ]\n}\n";
  return out;
}

constexpr std::int64_t kModelCreated = 1'700'000'000;  // a date models were made at; the same for all

std::string model_object(std::string_view name, std::string_view line) {
  std::string out = "{";
  out.append(line).append("  \"id\": ").append(quote(name)).append(",");
  out.append(line).append("  \"object\": \"model\",").append(line).append("  \"created\": ");
  append_number(out, static_cast<std::uint64_t>(kModelCreated));
  out.append(",").append(line).append("  \"owned_by\": \"simulator\"").append(line).append("}");
  return out;
}

std::string models_answer(const Composition& what) {
  std::string out = "{\n  \"object\": \"list\",\n  \"data\": [";
  const std::vector<std::string> any = {"simulator"};
  const auto& names = what.settings->models.empty() ? any : what.settings->models;
  for (std::size_t i = 0; i < names.size(); ++i) out.append(i == 0 ? "\n    " : ",\n    ").append(model_object(names[i], "\n    "));
  return out + "\n  ]\n}\n";
}

}  // namespace

Composition compose(Asked asked, std::shared_ptr<const Settings> settings, Random& random, std::int64_t created) {
  Composition what;
  if (!asked.problem && !asked.model.empty() && !serves(*settings, asked.model)) {
    asked.problem = Problem{404, "The model `" + asked.model + "` does not exist or you do not have access to it.", {}, "model_not_found"};
  }
  what.created = created;
  what.id = std::string(id_prefix(asked.subject)) + random_name(random, 29);
  what.fingerprint = "fp_" + random_name(random, 10);
  if (!asked.problem && (asked.subject == Subject::kChat || asked.subject == Subject::kCompletions)) {
    what.choices.reserve(asked.choices);
    for (std::uint32_t i = 0; i < asked.choices; ++i) {
      what.choices.push_back(compose_choice(asked, *settings, random));
      what.counts.output += what.choices.back().tokens;
    }
  }
  what.counts.input = asked.prompt_tokens;
  if (settings->usage) std::tie(what.counts.input, what.counts.output) = *settings->usage;
  if (asked.subject == Subject::kEmbeddings) what.counts.output = 0;
  what.counts.cached = std::min(settings->cached, what.counts.input);
  what.asked = std::move(asked);
  what.settings = std::move(settings);
  return what;
}

std::string whole_answer(const Composition& what) {
  if (what.asked.problem) {
    const Problem& problem = *what.asked.problem;
    return error_answer(problem.message, "invalid_request_error", problem.param, problem.code);
  }
  switch (what.asked.subject) {
    case Subject::kChat: return chat_answer(what);
    case Subject::kCompletions: return completion_answer(what);
    case Subject::kEmbeddings: return embeddings_answer(what);
    case Subject::kModerations: return moderation_answer(what);
    case Subject::kListModels: return models_answer(what);
    case Subject::kGetModel: return model_object(what.asked.model, "\n") + "\n";
    case Subject::kHealth:
    case Subject::kNothing: break;
  }
  return {};
}

std::string error_answer(std::string_view message, std::string_view type, std::string_view param, std::string_view code) {
  return "{\n  \"error\": {\n    \"message\": " + quote(message) + ",\n    \"type\": " + quote(type) +
         ",\n    \"param\": " + nullable(param) + ",\n    \"code\": " + nullable(code) + "\n  }\n}\n";
}

std::string status_answer(int status) {
  switch (status) {
    case 401: return error_answer("Incorrect API key provided: sim-***. The simulator was told to say so.", "invalid_request_error", {}, "invalid_api_key");
    case 403: return error_answer("You are not allowed to sample from this model.", "invalid_request_error", {}, {});
    case 404: return error_answer("The model does not exist or you do not have access to it.", "invalid_request_error", {}, "model_not_found");
    case 429: return error_answer("Rate limit reached for requests. Please try again later.", "requests", {}, "rate_limit_exceeded");
    case 503: return error_answer("The engine is currently overloaded, please try again later.", "server_error", {}, "service_unavailable");
    default: break;
  }
  if (status >= 500) return error_answer("The server had an error while processing your request. Sorry about that!", "server_error", {}, {});
  return error_answer("The request was refused by the simulator.", "invalid_request_error", {}, {});
}

}  // namespace sluice::sim
