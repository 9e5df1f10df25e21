// The canonical model into requests of Ollama's dialect. What Ollama cannot be asked for goes on the loss report.

#include "dialect/function_tool.hpp"
#include "dialect/ollama.hpp"
#include "dialect/ollama_turn.hpp"
#include "dialect/writing.hpp"

namespace sluice::dialect::ollama_parts {
namespace {

using chat::LossSeverity;
using writing::put;

constexpr std::string_view kOption = "options.";

void write_options(json::Writer& writer, const chat::Request& request) {
  const chat::Sampling& s = request.sampling;
  std::string options;
  {
    json::Writer inner(options);
    inner.begin_object();
    put(inner, "num_predict", s.max_output_tokens);
    put(inner, "temperature", s.temperature);
    put(inner, "top_p", s.top_p);
    put(inner, "top_k", s.top_k);
    put(inner, "min_p", s.min_p);
    put(inner, "seed", s.seed);
    put(inner, "repeat_penalty", s.repetition_penalty);
    put(inner, "presence_penalty", s.presence_penalty);
    put(inner, "frequency_penalty", s.frequency_penalty);
    if (s.stop) {
      inner.key("stop").begin_array();
      for (const std::string& word : *s.stop) inner.string(word);
      inner.end_array();
    }
    for (const chat::Extra& extra : request.extras) {
      if (extra.dialect == kName && extra.key.starts_with(kOption)) inner.key(extra.key.substr(kOption.size())).raw(extra.json);
    }
    inner.end_object();
  }
  if (options != "{}") writer.key("options").raw(options);
}

void lose_sampling(const chat::Sampling& s, chat::LossReport& loss) {
  if (s.choices.value_or(1) > 1) loss.add("n", "ollama gives one answer", LossSeverity::kSemantic);
  if (!s.logit_bias.empty()) loss.add("logit_bias", "ollama has no logit bias", LossSeverity::kCosmetic);
}

void write_format(json::Writer& writer, const chat::ResponseFormat& format, chat::LossReport& loss) {
  using Kind = chat::ResponseFormat::Kind;
  switch (format.kind) {
    case Kind::kText: return;  // what happens where nothing is said
    case Kind::kJsonObject: writer.field("format", "json"); return;
    case Kind::kJsonSchema:
      if (format.schema.empty()) {
        writer.field("format", "json");
      } else {
        writer.key("format").raw(format.schema);
      }
      if (!format.name.empty()) loss.add("response_format.json_schema.name", "ollama does not name schemas", LossSeverity::kNote);
      return;
    case Kind::kOther: loss.add("response_format", "ollama knows json and schemas", LossSeverity::kSemantic); return;
  }
}

/// A switch, or one of three words and `max`.
void write_think(json::Writer& writer, const chat::Reasoning& reasoning, chat::LossReport& loss) {
  if (!reasoning.summary.empty()) loss.add("reasoning.summary", "ollama does not summarise reasoning", LossSeverity::kCosmetic);
  const std::string& effort = reasoning.effort;
  if (effort == "low" || effort == "medium" || effort == "high" || effort == "max") {
    writer.field("think", effort);
  } else if (!effort.empty()) {
    loss.add("reasoning_effort", "ollama knows low, medium, high, max and none: the nearest was sent", LossSeverity::kNote);
    if (effort == "none") {
      writer.key("think").boolean(false);
    } else {
      writer.field("think", effort == "minimal" ? "low" : effort == "xhigh" ? "max" : "medium");
    }
  } else if (reasoning.enabled) {
    writer.key("think").boolean(*reasoning.enabled);
  } else if (reasoning.budget_tokens) {
    writer.key("think").boolean(*reasoning.budget_tokens > 0);
  }
  if (reasoning.budget_tokens) loss.add("reasoning.budget_tokens", "ollama has a switch in place of budgets", LossSeverity::kNote);
}

void write_tools(json::Writer& writer, const chat::ChatInput& chat, chat::LossReport& loss) {
  using Kind = chat::ToolChoice::Kind;
  const chat::ToolChoice* choice = chat.tool_choice ? &*chat.tool_choice : nullptr;
  if (choice != nullptr) {
    const bool forced = choice->kind == Kind::kRequired || choice->kind == Kind::kNamed || (choice->kind == Kind::kAllowed && choice->required);
    if (forced) loss.add("tool_choice", "ollama cannot be made to call a tool", LossSeverity::kSemantic);
    if (choice->kind == Kind::kAllowed && !choice->required) {
      loss.add("tool_choice", "ollama has no list of allowed tools: the others were left out", LossSeverity::kNote);
    }
    if (choice->kind == Kind::kNone && !chat.tools.empty()) {
      loss.add("tool_choice", "ollama has no tool choice: the tools were left out", LossSeverity::kNote);
      return;
    }
  }
  bool open = false;
  for (const chat::Tool& tool : chat.tools) {
    if (tool.kind != chat::ToolKind::kFunction) {
      loss.add("tools." + tool.name, "ollama calls functions alone", LossSeverity::kSemantic);
      continue;
    }
    if (!is_left(tool, choice)) continue;
    if (!open) writer.key("tools").begin_array();
    open = true;
    write_function_tool(writer, tool, kName);
    if (tool.strict) loss.add("tools.strict", "ollama is not strict with tools", LossSeverity::kCosmetic);
    if (tool.cache) loss.add("tools." + tool.name + ".cache_control", "ollama caches by itself", LossSeverity::kCosmetic);
  }
  if (open) writer.end_array();
}

/// /api/generate, for a request that came as one.
void write_prompt(json::Writer& writer, const chat::ChatInput& chat, chat::LossReport& loss) {
  for (std::size_t i = 0; i < chat.turns.size(); ++i) {
    const chat::Turn& turn = chat.turns[i];
    const bool says = turn.role == chat::Role::kSystem || (!turn.parts.empty() && turn.parts[0].as<chat::Text>());
    if (says) writer.field(turn.role == chat::Role::kSystem ? "system" : "prompt", turn.text());
    const std::vector<std::string> images = images_of(turn, "messages[" + std::to_string(i) + "]", loss);
    if (images.empty()) continue;
    writer.key("images").begin_array();
    for (const std::string& image : images) writer.string(image);
    writer.end_array();
  }
}

void write_chat(json::Writer& writer, const chat::Request& request, const chat::ChatInput& chat, chat::LossReport& loss) {
  if (chat::find_extra(request.extras, kName, "") != nullptr) {
    write_prompt(writer, chat, loss);
  } else {
    writer.key("messages").begin_array();
    CallIds ids;
    for (std::size_t i = 0; i < chat.turns.size(); ++i) write_turn(writer, chat.turns[i], "messages[" + std::to_string(i) + "]", ids, loss);
    writer.end_array();
  }
  write_tools(writer, chat, loss);
  if (chat.response_format) write_format(writer, *chat.response_format, loss);
  if (chat.reasoning) write_think(writer, *chat.reasoning, loss);
  put(writer, "logprobs", request.sampling.logprobs);
  put(writer, "top_logprobs", request.sampling.top_logprobs);
  if (request.stream_said || !request.stream) writer.key("stream").boolean(request.stream);
  lose_sampling(request.sampling, loss);
  if (chat.parallel_tool_calls == false) {
    loss.add("parallel_tool_calls", "ollama cannot be kept from calling several tools at once", LossSeverity::kCosmetic);
  }
  if (!chat.verbosity.empty()) loss.add("verbosity", "ollama has no verbosity", LossSeverity::kCosmetic);
  for (const std::string& modality : chat.modalities) {
    if (modality != "text") loss.add("modalities", "ollama answers in text alone", LossSeverity::kSemantic);
  }
  if (chat.audio && chat.modalities.empty()) loss.add("audio", "ollama answers in text alone", LossSeverity::kSemantic);
  if (chat.prediction) loss.add("prediction", "ollama takes no prediction", LossSeverity::kCosmetic);
}

void write_embedding(json::Writer& writer, const chat::EmbeddingInput& embedding, chat::LossReport& loss) {
  writer.key("input");
  if (!embedding.single) writer.begin_array();
  for (const chat::Prompt& prompt : embedding.inputs) {
    const auto* text = std::get_if<std::string>(&prompt);
    if (text == nullptr) loss.add("input", "ollama takes texts, not token ids", LossSeverity::kSemantic);
    writer.string(text == nullptr ? std::string_view() : std::string_view(*text));
  }
  if (!embedding.single) writer.end_array();
  put(writer, "dimensions", embedding.dimensions);
  if (!embedding.input_type.empty()) loss.add("input_type", "ollama is not told what vectors are for", LossSeverity::kCosmetic);
  if (embedding.encoding == "base64") loss.add("encoding_format", "ollama answers in numbers", LossSeverity::kNote);
}

}  // namespace

std::string encode_request(const chat::Request& request, chat::LossReport& loss) {
  std::string out;
  if (request.operation == Operation::kListModels) return out;
  json::Writer writer(out);
  writer.begin_object();
  put(writer, "model", request.model);
  if (const auto* chat = request.chat()) {
    write_chat(writer, request, *chat, loss);
  } else if (const auto* embedding = std::get_if<chat::EmbeddingInput>(&request.input); embedding != nullptr && !embedding->inputs.empty()) {
    write_embedding(writer, *embedding, loss);
  } else if (embedding == nullptr) {
    loss.add("", "ollama has no " + std::string(chat::to_string(request.operation)), LossSeverity::kSemantic);
  }
  write_options(writer, request);
  if (!request.service_tier.empty()) loss.add("service_tier", "ollama has no service tiers", LossSeverity::kCosmetic);
  if (!request.user.empty()) loss.add("user", "ollama is not told of users", LossSeverity::kCosmetic);
  if (request.store) loss.add("store", "ollama does not store answers", LossSeverity::kCosmetic);
  if (!request.metadata.empty()) loss.add("metadata", "ollama has no metadata", LossSeverity::kCosmetic);
  chat::Extras rest;
  for (const chat::Extra& extra : request.extras) {
    if (extra.dialect != kName || !extra.key.starts_with(kOption)) rest.push_back(extra);
  }
  writing::put_extras(writer, rest, kName, "", loss);
  writer.end_object();
  return out;
}

}  // namespace sluice::dialect::ollama_parts
