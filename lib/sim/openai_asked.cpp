// Requests in the OpenAI dialect. See openai.hpp.
#include "sim/openai.hpp"

#include <algorithm>

#include "json/document.hpp"
#include "sim/text.hpp"

namespace sluice::sim {
namespace {

using json::Type;
using json::Value;

constexpr std::uint32_t kMostChoices = 128;  // the API's own bound of n

std::uint64_t tokens_of_call(const Value& function) {
  return tokens_of(member(function, "name")) + tokens_of(member(function, "arguments"));
}

std::uint64_t tokens_of_message(const Value& message) {
  std::uint64_t tokens = tokens_of(member(message, "refusal"));
  const Value content = member(message, "content");
  tokens += tokens_of(content);
  if (content.is(Type::kArray)) {
    for (Value part = content.first(); part; part = part.next()) {
      tokens += tokens_of(member(part, "text")) + tokens_of(member(part, "refusal"));
    }
  }
  const Value calls = member(message, "tool_calls");
  if (calls.is(Type::kArray)) {
    for (Value call = calls.first(); call; call = call.next()) tokens += tokens_of_call(member(call, "function"));
  }
  return tokens;
}

/// A prompt or an input: a text, a list of texts, a list of tokens, a list of lists of tokens. One text each; tokens stand
/// as their numbers, each of which counts for one.
void read_inputs(const Value& value, std::vector<std::string>& inputs, std::uint64_t& tokens) {
  if (value.is(Type::kString)) {
    inputs.push_back(text_of(value));
    tokens += count_tokens(inputs.back());
    return;
  }
  if (!value.is(Type::kArray)) return;
  const Value first = value.first();
  if (!first.is(Type::kNumber)) {
    for (Value element = first; element; element = element.next()) read_inputs(element, inputs, tokens);
    return;
  }
  inputs.emplace_back(value.raw());
  tokens += value.size();
}

void read_moderation_input(const Value& value, Asked& asked) {
  if (!value.is(Type::kArray) || !value.first().is(Type::kObject)) {
    read_inputs(value, asked.inputs, asked.prompt_tokens);
    return;
  }
  std::string all;  // parts of one input
  for (Value part = value.first(); part; part = part.next()) {
    if (!all.empty()) all += ' ';
    all += text_of(member(part, "text"));
  }
  asked.inputs.push_back(std::move(all));
}

void read_generation(const Value& root, Asked& asked) {
  asked.stream = is_true(member(root, "stream"));
  asked.usage_in_stream = is_true(member(member(root, "stream_options"), "include_usage"));
  asked.max_tokens = positive(member(root, "max_completion_tokens"));
  if (!asked.max_tokens) asked.max_tokens = positive(member(root, "max_tokens"));
  const auto n = positive(member(root, "n"));
  asked.choices = n ? static_cast<std::uint32_t>(std::min<std::uint64_t>(*n, kMostChoices)) : 1;
}

bool ends_with(std::string_view path, std::string_view suffix) { return path.size() >= suffix.size() && path.ends_with(suffix); }

std::string named(std::string_view method, std::string_view target) {
  return std::string(method) + " " + std::string(target);
}

Asked read_get(std::string_view path, std::string_view method, std::string_view target) {
  Asked asked;
  const std::size_t models = path.rfind("/models");
  if (ends_with(path, "/models")) {
    asked.subject = Subject::kListModels;
  } else if (models != std::string_view::npos && path.substr(models).starts_with("/models/")) {
    asked.subject = Subject::kGetModel;
    asked.model = path.substr(models + 8);
  } else if (ends_with(path, "/health")) {
    asked.subject = Subject::kHealth;
  } else if (ends_with(path, "/completions") || ends_with(path, "/embeddings") || ends_with(path, "/moderations")) {
    return refused(405, "Not allowed to GET on " + std::string(path) + ".", {}, "method_not_supported");
  } else {
    return refused(404, "Unknown request URL: " + named(method, target) + ". Please check the URL for typos.", {}, "unknown_url");
  }
  return asked;
}

}  // namespace

Asked read_openai(std::string_view method, std::string_view target, const Body& body) {
  const std::string_view path = path_of(target);
  if (method == "GET") return read_get(path, method, target);

  Asked asked;
  if (ends_with(path, "/chat/completions")) asked.subject = Subject::kChat;
  else if (ends_with(path, "/completions")) asked.subject = Subject::kCompletions;
  else if (ends_with(path, "/embeddings")) asked.subject = Subject::kEmbeddings;
  else if (ends_with(path, "/moderations")) asked.subject = Subject::kModerations;
  else return refused(404, "Unknown request URL: " + named(method, target) + ". Please check the URL for typos.", {}, "unknown_url");
  if (method != "POST") return refused(405, "Not allowed to " + named(method, path) + ".", {}, "method_not_supported");

  const auto document = json::Document::parse(body);
  if (!document || !document->root().is(Type::kObject)) {
    return refused(400, "We could not parse the JSON body of your request: it is not a valid JSON object.");
  }
  const Value root = document->root();
  asked.model = text_of(member(root, "model"));

  switch (asked.subject) {
    case Subject::kChat: {
      const Value messages = member(root, "messages");
      if (!messages.is(Type::kArray)) return refused(400, "Missing required parameter: 'messages'.", "messages", "missing_required_parameter");
      for (Value message = messages.first(); message; message = message.next()) asked.prompt_tokens += tokens_of_message(message);
      read_generation(root, asked);
      break;
    }
    case Subject::kCompletions: {
      read_inputs(member(root, "prompt"), asked.inputs, asked.prompt_tokens);
      read_generation(root, asked);
      const std::size_t prompts = std::max<std::size_t>(1, asked.inputs.size());
      asked.choices = static_cast<std::uint32_t>(std::min<std::size_t>(prompts * asked.choices, 4096));
      break;
    }
    case Subject::kEmbeddings: {
      read_inputs(member(root, "input"), asked.inputs, asked.prompt_tokens);
      if (asked.inputs.empty()) return refused(400, "Missing required parameter: 'input'.", "input", "missing_required_parameter");
      asked.dimensions = dimensions_of(member(root, "dimensions"));
      asked.base64 = text_of(member(root, "encoding_format")) == "base64";
      break;
    }
    default:
      read_moderation_input(member(root, "input"), asked);
      if (asked.inputs.empty()) return refused(400, "Missing required parameter: 'input'.", "input", "missing_required_parameter");
      if (asked.model.empty()) asked.model = "omni-moderation-latest";
  }
  if (asked.model.empty()) return refused(400, "you must provide a model parameter");
  return asked;
}

}  // namespace sluice::sim
