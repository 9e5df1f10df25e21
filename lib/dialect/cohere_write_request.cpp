// The canonical model into requests of the Cohere dialect. What Cohere cannot be asked for goes on the loss report.

#include "dialect/cohere.hpp"
#include "dialect/cohere_turn.hpp"
#include "dialect/function_tool.hpp"
#include "dialect/writing.hpp"
#include "json/document.hpp"

namespace sluice::dialect::cohere_parts {
namespace {

using chat::LossSeverity;
using writing::put;

void write_tools(json::Writer& writer, const chat::ChatInput& chat, const chat::Extras& extras, chat::LossReport& loss) {
  bool open = false, strict = false;
  for (const chat::Tool& tool : chat.tools) {
    if (tool.kind != chat::ToolKind::kFunction) {
      loss.add("tools." + tool.name, "cohere calls functions alone", LossSeverity::kSemantic);
      continue;
    }
    if (!is_left(tool, chat.tool_choice ? &*chat.tool_choice : nullptr)) continue;
    if (!open) writer.key("tools").begin_array();
    open = true;
    strict = strict || tool.strict.value_or(false);
    write_function_tool(writer, tool, kName);
    if (tool.cache) loss.add("tools." + tool.name + ".cache_control", "cohere caches by itself", LossSeverity::kCosmetic);
  }
  if (open) writer.end_array();
  if (strict && chat::find_extra(extras, kName, "strict_tools") == nullptr) {
    writer.key("strict_tools").boolean(true);
    loss.add("tools.strict", "cohere is strict with all tools or none: with all", LossSeverity::kNote);
  }
}

void write_tool_choice(json::Writer& writer, const chat::ToolChoice& choice, chat::LossReport& loss) {
  using Kind = chat::ToolChoice::Kind;
  switch (choice.kind) {
    case Kind::kAuto: return;  // what happens where nothing is said
    case Kind::kNone: writer.field("tool_choice", "NONE"); return;
    case Kind::kRequired: writer.field("tool_choice", "REQUIRED"); return;
    case Kind::kNamed:
      writer.field("tool_choice", "REQUIRED");
      loss.add("tool_choice", "cohere forces some tool, not which: the others were left out", LossSeverity::kNote);
      return;
    case Kind::kAllowed:
      if (choice.required) writer.field("tool_choice", "REQUIRED");
      loss.add("tool_choice", "cohere has no list of allowed tools: the others were left out", LossSeverity::kNote);
      return;
  }
}

void write_response_format(json::Writer& writer, const chat::ResponseFormat& format, chat::LossReport& loss) {
  using Kind = chat::ResponseFormat::Kind;
  if (const std::string* own = chat::find_extra(format.extras, kName, "")) {
    writer.key("response_format").raw(*own);
    return;
  }
  switch (format.kind) {
    case Kind::kText: writer.key("response_format").begin_object().field("type", "text").end_object(); return;
    case Kind::kJsonObject: writer.key("response_format").begin_object().field("type", "json_object").end_object(); return;
    case Kind::kJsonSchema:
      writer.key("response_format").begin_object().field("type", "json_object");
      if (!format.schema.empty()) writer.key("json_schema").raw(format.schema);
      writer.end_object();
      if (!format.name.empty() || !format.description.empty()) {
        loss.add("response_format.json_schema.name", "cohere does not name schemas", LossSeverity::kNote);
      }
      return;
    case Kind::kOther: loss.add("response_format", "cohere knows text and json_object", LossSeverity::kSemantic); return;
  }
}

void write_thinking(json::Writer& writer, const chat::Reasoning& reasoning, chat::LossReport& loss) {
  const bool told = reasoning.enabled || reasoning.budget_tokens || !reasoning.effort.empty();
  if (!reasoning.summary.empty()) loss.add("reasoning.summary", "cohere does not summarise reasoning", LossSeverity::kCosmetic);
  if (!told) return;
  const bool on = reasoning.enabled.value_or(reasoning.effort != "none");
  writer.key("thinking").begin_object().field("type", on ? "enabled" : "disabled");
  if (on) put(writer, "token_budget", reasoning.budget_tokens);
  writer.end_object();
  if (!reasoning.effort.empty()) loss.add("reasoning_effort", "cohere has a switch in place of efforts", LossSeverity::kNote);
}

void write_chat(json::Writer& writer, const chat::Request& request, const chat::ChatInput& chat, chat::LossReport& loss) {
  writer.key("messages").begin_array();
  CallIds ids;
  for (std::size_t i = 0; i < chat.turns.size(); ++i) write_turn(writer, chat.turns[i], "messages[" + std::to_string(i) + "]", ids, loss);
  writer.end_array();
  write_tools(writer, chat, request.extras, loss);
  if (chat.tool_choice) write_tool_choice(writer, *chat.tool_choice, loss);
  if (chat.response_format) write_response_format(writer, *chat.response_format, loss);
  if (chat.reasoning && chat::find_extra(request.extras, kName, "thinking") == nullptr) write_thinking(writer, *chat.reasoning, loss);
  const auto lose = [&loss](std::string_view field, std::string_view reason, LossSeverity severity) {
    loss.add(std::string(field), std::string(reason), severity);
  };
  if (chat.parallel_tool_calls == false) {
    lose("parallel_tool_calls", "cohere cannot be kept from calling several tools at once", LossSeverity::kCosmetic);
  }
  if (!chat.verbosity.empty()) lose("verbosity", "cohere has no verbosity", LossSeverity::kCosmetic);
  for (const std::string& modality : chat.modalities) {
    if (modality != "text") lose("modalities", "cohere answers in text alone", LossSeverity::kSemantic);
  }
  if (chat.audio && chat.modalities.empty()) lose("audio", "cohere answers in text alone", LossSeverity::kSemantic);
  if (chat.prediction) lose("prediction", "cohere takes no prediction", LossSeverity::kCosmetic);
}

/// Cohere's temperature ends at 1, where OpenAI's goes to 2; its penalties go from 0 to 1.
void put_within(json::Writer& writer, std::string_view key, std::string_view field, std::optional<double> n, double least, double most,
                chat::LossReport& loss) {
  if (!n) return;
  if (*n < least || *n > most) {
    loss.add(std::string(field), "cohere takes " + std::to_string(static_cast<int>(least)) + " to " + std::to_string(static_cast<int>(most)) +
             ": the nearest was sent", LossSeverity::kNote);
    n = *n < least ? least : most;
  }
  put(writer, key, n);
}

void write_sampling(json::Writer& writer, const chat::Request& request, chat::LossReport& loss) {
  const chat::Sampling& s = request.sampling;
  put(writer, "max_tokens", s.max_output_tokens);
  put_within(writer, "temperature", "temperature", s.temperature, 0, 1, loss);
  put(writer, "p", s.top_p);
  put(writer, "k", s.top_k);
  put_within(writer, "frequency_penalty", "frequency_penalty", s.frequency_penalty, 0, 1, loss);
  put_within(writer, "presence_penalty", "presence_penalty", s.presence_penalty, 0, 1, loss);
  put(writer, "seed", s.seed);
  if (s.stop) {
    writer.key("stop_sequences").begin_array();
    for (const std::string& word : *s.stop) writer.string(word);
    writer.end_array();
  }
  put(writer, "logprobs", s.logprobs);
  if (s.top_logprobs.value_or(0) > 0) loss.add("top_logprobs", "cohere tells the probability of what was said alone", LossSeverity::kSemantic);
  if (s.choices.value_or(1) > 1) loss.add("n", "cohere gives one answer", LossSeverity::kSemantic);
  if (s.min_p) loss.add("min_p", "cohere has no min_p", LossSeverity::kCosmetic);
  if (s.repetition_penalty) loss.add("repetition_penalty", "cohere has no repetition penalty", LossSeverity::kCosmetic);
  if (!s.logit_bias.empty()) loss.add("logit_bias", "cohere has no logit bias", LossSeverity::kCosmetic);
}

void write_embedding(json::Writer& writer, const chat::EmbeddingInput& embedding, const chat::Extras& extras, chat::LossReport& loss) {
  if (!embedding.inputs.empty()) {
    writer.key("texts").begin_array();
    for (const chat::Prompt& prompt : embedding.inputs) {
      const auto* text = std::get_if<std::string>(&prompt);
      if (text == nullptr) loss.add("input", "cohere takes texts, not token ids", LossSeverity::kSemantic);
      writer.string(text == nullptr ? std::string_view() : std::string_view(*text));
    }
    writer.end_array();
  }
  const std::string& type = embedding.input_type;
  if (type.empty()) loss.add("input_type", "cohere must be told what the vectors are for: search_document", LossSeverity::kNote);
  writer.field("input_type", type.empty() || type == "document" ? "search_document" : type == "query" ? "search_query" : std::string_view(type));
  if (chat::find_extra(extras, kName, "embedding_types") == nullptr) {
    writer.key("embedding_types").begin_array().string(embedding.encoding.empty() ? "float" : std::string_view(embedding.encoding)).end_array();
  }
  put(writer, "output_dimension", embedding.dimensions);
}

/// A document's text: Cohere ranks texts, others also objects with a text in them.
void write_document(json::Writer& writer, const std::string& document, chat::LossReport& loss) {
  const auto parsed = json::Document::parse(Body::copy(document));
  if (!parsed || !parsed->root().is(json::Type::kObject)) {
    writer.raw(document);
    return;
  }
  const auto text = parsed->root().find("text");
  std::string scratch;
  writer.string(text && text->is(json::Type::kString) ? text->text(scratch) : std::string_view(document));
  loss.add("documents", "cohere ranks texts: the text of each object was sent", LossSeverity::kNote);
}

void write_rerank(json::Writer& writer, const chat::RerankInput& rerank, chat::LossReport& loss) {
  writer.field("query", rerank.query).key("documents").begin_array();
  for (const std::string& document : rerank.documents) write_document(writer, document, loss);
  writer.end_array();
  put(writer, "top_n", rerank.top_n);
  put(writer, "max_tokens_per_doc", rerank.max_tokens_per_document);
  if (rerank.return_documents == true) loss.add("return_documents", "cohere does not repeat documents: the gateway puts them in", LossSeverity::kNote);
  if (rerank.truncate == false) loss.add("truncation", "cohere cuts long documents, always", LossSeverity::kCosmetic);
}

}  // namespace

std::string encode_request(const chat::Request& request, const Sending&, chat::LossReport& loss) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  put(writer, "model", request.model);
  if (const auto* chat = request.chat()) {
    write_chat(writer, request, *chat, loss);
    write_sampling(writer, request, loss);
    if (request.stream || request.stream_said) writer.key("stream").boolean(request.stream);
  } else if (const auto* embedding = std::get_if<chat::EmbeddingInput>(&request.input)) {
    write_embedding(writer, *embedding, request.extras, loss);
  } else if (const auto* rerank = std::get_if<chat::RerankInput>(&request.input)) {
    write_rerank(writer, *rerank, loss);
  } else {
    loss.add("", "cohere has no " + std::string(chat::to_string(request.operation)), LossSeverity::kSemantic);
  }
  if (!request.service_tier.empty()) loss.add("service_tier", "cohere has no service tiers", LossSeverity::kCosmetic);
  if (!request.user.empty()) loss.add("user", "cohere is not told of users", LossSeverity::kCosmetic);
  if (request.store) loss.add("store", "cohere does not store answers", LossSeverity::kCosmetic);
  if (!request.metadata.empty()) loss.add("metadata", "cohere has no metadata", LossSeverity::kCosmetic);
  writing::put_extras(writer, request.extras, kName, "", loss);
  writer.end_object();
  return out;
}

}  // namespace sluice::dialect::cohere_parts
