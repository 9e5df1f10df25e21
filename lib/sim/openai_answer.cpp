// The voice of the OpenAI dialect and its whole answers: see openai.hpp. Order and spelling of keys are those of the
// recordings; tests/unit/sim compares.
#include "sim/openai.hpp"

#include <utility>

#include "sim/text.hpp"

namespace sluice::sim {
namespace {

std::string nullable(std::string_view text) { return text.empty() ? "null" : quote(text); }

std::string_view id_prefix(Subject subject) { return subject == Subject::kChat ? "chatcmpl-" : "cmpl-"; }

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
  out.append("{\n  \"id\": \"").append(id_prefix(what.asked.subject)).append(what.name).append("\",\n  \"object\": \"").append(object).append("\",\n  \"created\": ");
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
    out.append(openai_reason(choice.ending)).append("\"\n    }");
  }
  out += "\n  ],\n";
  if (!what.settings->no_usage) {
    out += "  \"usage\": ";
    append_usage(out, what, "\n  ");
    out += ",\n";
  }
  out.append("  \"service_tier\": \"default\",\n  \"system_fingerprint\": \"").append("fp_").append(what.fingerprint).append("\"\n}\n");
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
    out.append(",\n      \"logprobs\": null,\n      \"finish_reason\": \"").append(openai_reason(what.choices[i].ending)).append("\"\n    }");
  }
  out += "\n  ]";
  if (!what.settings->no_usage) {
    out += ",\n  \"usage\": ";
    append_usage(out, what, "\n  ");
  }
  out += "\n}\n";
  return out;
}

std::string embeddings_answer(const Composition& what) {
  std::string out = "{\n  \"object\": \"list\",\n  \"data\": [";
  for (std::size_t i = 0; i < what.asked.inputs.size(); ++i) {
    const auto vector = embed(what.asked.inputs[i], what);
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
  std::string out = "{\n  \"id\": \"modr-" + what.name + "\",\n  \"model\": ";
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

/// Empty param and code are null.
std::string error_answer(std::string_view message, std::string_view type, std::string_view param, std::string_view code) {
  return "{\n  \"error\": {\n    \"message\": " + quote(message) + ",\n    \"type\": " + quote(type) +
         ",\n    \"param\": " + nullable(param) + ",\n    \"code\": " + nullable(code) + "\n  }\n}\n";
}

class OpenAi final : public Voice {
 public:
  Asked read(std::string_view method, std::string_view target, const Body& body) const override {
    return read_openai(method, target, body);
  }
  Manner manner(const Asked&) const override {
    Manner manner;
    manner.call_ids.prefix = "call_";
    return manner;
  }
  void greet(Headers& fields, std::string_view name) const override {
    fields.add_trusted("x-request-id", "req_" + std::string(name));
    fields.add_trusted("openai-version", "2020-10-01");
  }
  std::string whole(const Composition& what) const override { return openai_answer(what); }
  std::unique_ptr<Events> stream(Composition what) const override { return openai_events(std::move(what)); }
  std::string refuse(const Asked&, const Problem& problem) const override {
    return error_answer(problem.message, "invalid_request_error", problem.param, problem.code);
  }
  Problem unknown_model(const std::string& model) const override {
    return {404, "The model `" + model + "` does not exist or you do not have access to it.", {}, "model_not_found"};
  }
  std::string fault(const Asked&, int status, std::int64_t) const override;
};

std::string OpenAi::fault(const Asked&, int status, std::int64_t) const {
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

}  // namespace

const Voice& openai_voice() {
  static const OpenAi voice;
  return voice;
}

std::string_view openai_reason(Ending ending) noexcept {
  switch (ending) {
    case Ending::kLength: return "length";
    case Ending::kToolCalls: return "tool_calls";
    case Ending::kStop:
    case Ending::kRefusal: break;
  }
  return "stop";
}

std::string openai_answer(const Composition& what) {
  switch (what.asked.subject) {
    case Subject::kChat: return chat_answer(what);
    case Subject::kCompletions: return completion_answer(what);
    case Subject::kEmbeddings: return embeddings_answer(what);
    case Subject::kModerations: return moderation_answer(what);
    case Subject::kListModels: return models_answer(what);
    case Subject::kGetModel: return model_object(what.asked.model, "\n") + "\n";
    default: return {};
  }
}

}  // namespace sluice::sim
