// The canonical model into requests of the OpenAI dialect, members in the order OpenAI's own documents list them.

#include "dialect/effort.hpp"
#include "dialect/lost_extras.hpp"
#include "dialect/openai.hpp"
#include "dialect/openai_turn.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::openai_parts {
namespace {

using chat::LossSeverity;

void put(json::Writer& writer, std::string_view key, const std::optional<double>& n) {
  if (n) writer.key(key).number(*n);
}
void put(json::Writer& writer, std::string_view key, const std::optional<bool>& b) {
  if (b) writer.key(key).boolean(*b);
}
void put(json::Writer& writer, std::string_view key, const std::optional<std::int64_t>& n) {
  if (n) writer.key(key).integer(*n);
}
void put(json::Writer& writer, std::string_view key, const std::optional<std::uint64_t>& n) {
  if (n) writer.key(key).unsigned_integer(*n);
}
void put(json::Writer& writer, std::string_view key, const std::optional<std::uint32_t>& n) {
  if (n) writer.key(key).unsigned_integer(*n);
}
void put(json::Writer& writer, std::string_view key, const std::string& text) {
  if (!text.empty()) writer.field(key, text);
}

/// Extras whose key begins with `prefix`, without it.
void put_extras_below(json::Writer& writer, const chat::Extras& extras, std::string_view prefix) {
  for (const chat::Extra& extra : extras) {
    if (extra.dialect == kName && extra.key.starts_with(prefix)) {
      writer.key(std::string_view(extra.key).substr(prefix.size())).raw(extra.json);
    }
  }
}

void write_function_body(json::Writer& writer, const chat::Tool& tool) {
  writer.begin_object().field("name", tool.name);
  put(writer, "description", tool.description);
  if (!tool.parameters.empty()) writer.key("parameters").raw(tool.parameters);
  if (!tool.format.empty()) writer.key("format").raw(tool.format);
  put(writer, "strict", tool.strict);
  put_extras_below(writer, tool.extras, "function.");
  writer.end_object();
}

bool can_write(const chat::Tool& tool) { return tool.kind != chat::ToolKind::kProvider || tool.native_dialect == kName; }

void write_tool(json::Writer& writer, const chat::Tool& tool) {
  if (tool.kind == chat::ToolKind::kProvider) {
    writer.raw(tool.native);
    return;
  }
  const std::string_view type = tool.kind == chat::ToolKind::kCustom ? "custom" : "function";
  writer.begin_object().field("type", type).key(type);
  write_function_body(writer, tool);
  if (tool.cache) {
    writer.key("cache_control").begin_object().field("type", tool.cache->type);
    put(writer, "ttl", tool.cache->ttl);
    writer.end_object();
  }
  for (const chat::Extra& extra : tool.extras) {
    if (extra.dialect == kName && !extra.key.starts_with("function.")) writer.key(extra.key).raw(extra.json);
  }
  writer.end_object();
}

void write_reference(json::Writer& writer, const chat::ToolReference& reference) {
  const std::string_view type = reference.kind == chat::ToolKind::kCustom ? "custom" : "function";
  writer.begin_object().field("type", type).key(type).begin_object().field("name", reference.name).end_object().end_object();
}

void write_tool_choice(json::Writer& writer, const chat::ToolChoice& choice, bool legacy) {
  using Kind = chat::ToolChoice::Kind;
  writer.key(legacy ? "function_call" : "tool_choice");
  if (const std::string* own = chat::find_extra(choice.extras, kName, "")) {
    writer.raw(*own);
    return;
  }
  switch (choice.kind) {
    case Kind::kAuto: writer.string("auto"); return;
    case Kind::kNone: writer.string("none"); return;
    case Kind::kRequired: writer.string("required"); return;
    case Kind::kNamed:
      if (choice.tools.empty()) {
        writer.string("required");
      } else if (legacy) {
        writer.begin_object().field("name", choice.tools[0].name).end_object();
      } else {
        write_reference(writer, choice.tools[0]);
      }
      return;
    case Kind::kAllowed:
      writer.begin_object().field("type", "allowed_tools").key("allowed_tools").begin_object();
      writer.field("mode", choice.required ? "required" : "auto").key("tools").begin_array();
      for (const chat::ToolReference& reference : choice.tools) write_reference(writer, reference);
      writer.end_array().end_object().end_object();
      return;
  }
}

void write_response_format(json::Writer& writer, const chat::ResponseFormat& format, chat::LossReport& loss) {
  using Kind = chat::ResponseFormat::Kind;
  const std::string* own = chat::find_extra(format.extras, kName, "");
  if (format.kind == Kind::kOther && own == nullptr) {
    loss.add("response_format", "openai knows text, json_object and json_schema", LossSeverity::kSemantic);
    return;
  }
  writer.key("response_format");
  switch (format.kind) {
    case Kind::kText: writer.begin_object().field("type", "text").end_object(); return;
    case Kind::kJsonObject: writer.begin_object().field("type", "json_object").end_object(); return;
    case Kind::kOther: writer.raw(*own); return;
    case Kind::kJsonSchema:
      writer.begin_object().field("type", "json_schema").key("json_schema").begin_object();
      // OpenAI requires a name; other dialects have none.
      writer.field("name", format.name.empty() ? std::string_view("answer") : std::string_view(format.name));
      put(writer, "description", format.description);
      if (!format.schema.empty()) writer.key("schema").raw(format.schema);
      put(writer, "strict", format.strict);
      write_extras(writer, format.extras, "response_format", loss);
      writer.end_object().end_object();
      return;
  }
}

void write_chat(json::Writer& writer, const chat::ChatInput& chat, chat::LossReport& loss) {
  writer.key("messages").begin_array();
  for (std::size_t i = 0; i < chat.turns.size(); ++i) write_turn(writer, chat.turns[i], "messages[" + std::to_string(i) + "]", loss);
  writer.end_array();
  bool open = false;
  for (const chat::Tool& tool : chat.tools) {
    if (!can_write(tool)) {
      loss.add("tools." + tool.name, "a tool run by " + tool.native_dialect + " alone", LossSeverity::kSemantic);
      continue;
    }
    if (!open) writer.key(chat.legacy_functions ? "functions" : "tools").begin_array();
    open = true;
    chat.legacy_functions ? write_function_body(writer, tool) : write_tool(writer, tool);
  }
  if (open) writer.end_array();
  if (chat.tool_choice) write_tool_choice(writer, *chat.tool_choice, chat.legacy_functions);
  put(writer, "parallel_tool_calls", chat.parallel_tool_calls);
  if (chat.response_format) write_response_format(writer, *chat.response_format, loss);
  if (chat.reasoning) {
    if (const std::string_view effort = effort_of(*chat.reasoning, kName, loss); !effort.empty()) writer.field("reasoning_effort", effort);
    if (!chat.reasoning->summary.empty()) {
      loss.add("reasoning.summary", "openai chat does not summarise reasoning", LossSeverity::kCosmetic);
    }
  }
  put(writer, "verbosity", chat.verbosity);
  if (!chat.modalities.empty()) {
    writer.key("modalities").begin_array();
    for (const std::string& modality : chat.modalities) writer.string(modality);
    writer.end_array();
  }
  if (chat.audio) {
    writer.key("audio");
    if (const std::string* own = chat::find_extra(chat.audio->extras, kName, "")) {
      writer.raw(*own);
    } else {
      writer.begin_object().field("voice", chat.audio->voice).field("format", chat.audio->format).end_object();
    }
  }
  if (chat.prediction) {
    writer.key("prediction").begin_object().field("type", "content").key("content");
    const auto& parts = *chat.prediction;
    if (parts.size() == 1 && parts[0].as<chat::Text>()) {
      writer.string(parts[0].as<chat::Text>()->text);
    } else {
      writer.begin_array();
      for (const chat::Part& part : parts) write_part(writer, part, "prediction.content", loss);
      writer.end_array();
    }
    writer.end_object();
  }
}

void write_prompts(json::Writer& writer, std::string_view key, const std::vector<chat::Prompt>& prompts, bool single) {
  const auto write_one = [&writer](const chat::Prompt& prompt) {
    if (const auto* text = std::get_if<std::string>(&prompt)) {
      writer.string(*text);
      return;
    }
    writer.begin_array();
    for (const std::int64_t id : std::get<std::vector<std::int64_t>>(prompt)) writer.integer(id);
    writer.end_array();
  };
  writer.key(key);
  if (single && prompts.size() == 1) {
    write_one(prompts[0]);
    return;
  }
  writer.begin_array();
  for (const chat::Prompt& prompt : prompts) write_one(prompt);
  writer.end_array();
}

void write_moderation(json::Writer& writer, const chat::ModerationInput& moderation, chat::LossReport& loss) {
  writer.key("input");
  const auto* only = moderation.inputs.size() == 1 ? moderation.inputs[0].as<chat::Text>() : nullptr;
  if (moderation.form == chat::ContentForm::kText && only != nullptr) {
    writer.string(only->text);
    return;
  }
  bool typed = moderation.form == chat::ContentForm::kParts;
  for (const chat::Part& part : moderation.inputs) typed = typed || part.as<chat::Text>() == nullptr;
  writer.begin_array();
  for (std::size_t i = 0; i < moderation.inputs.size(); ++i) {
    const chat::Part& part = moderation.inputs[i];
    typed ? static_cast<void>(write_part(writer, part, "input[" + std::to_string(i) + "]", loss))
          : static_cast<void>(writer.string(part.as<chat::Text>()->text));
  }
  writer.end_array();
}

void write_sampling(json::Writer& writer, const chat::Request& request) {
  const chat::Sampling& s = request.sampling;
  const bool completions = request.operation == Operation::kCompletions;
  put(writer, s.max_tokens_is_legacy || completions ? "max_tokens" : "max_completion_tokens", s.max_output_tokens);
  put(writer, "temperature", s.temperature);
  put(writer, "top_p", s.top_p);
  // The next three are no part of OpenAI's own, but common to the servers of its dialect.
  put(writer, "top_k", s.top_k);
  put(writer, "min_p", s.min_p);
  put(writer, "repetition_penalty", s.repetition_penalty);
  put(writer, "n", s.choices);
  if (s.stop) {
    writer.key("stop");
    if (s.stop_is_text && s.stop->size() == 1) {
      writer.string(s.stop->front());
    } else {
      writer.begin_array();
      for (const std::string& word : *s.stop) writer.string(word);
      writer.end_array();
    }
  }
  put(writer, "presence_penalty", s.presence_penalty);
  put(writer, "frequency_penalty", s.frequency_penalty);
  if (!s.logit_bias.empty()) {
    writer.key("logit_bias").begin_object();
    for (const auto& [token, bias] : s.logit_bias) writer.key(token).number(bias);
    writer.end_object();
  }
  if (completions) {
    if (s.logprobs.value_or(false)) writer.key("logprobs").unsigned_integer(s.top_logprobs.value_or(0));
  } else {
    put(writer, "logprobs", s.logprobs);
    put(writer, "top_logprobs", s.top_logprobs);
  }
  put(writer, "seed", s.seed);
}

void write_stream(json::Writer& writer, const chat::Request& request) {
  if (request.stream || request.stream_said) writer.key("stream").boolean(request.stream);
  constexpr std::string_view kPrefix = "stream_options.";
  bool more = false;
  for (const chat::Extra& extra : request.extras) more = more || (extra.dialect == kName && extra.key.starts_with(kPrefix));
  if (!request.usage_in_stream && !more) return;
  writer.key("stream_options").begin_object();
  put(writer, "include_usage", request.usage_in_stream);
  put_extras_below(writer, request.extras, kPrefix);
  writer.end_object();
}

std::string write_request(const chat::Request& request, chat::LossReport& loss) {
  std::string out;
  if (request.operation == Operation::kListModels || request.operation == Operation::kGetModel) return out;
  json::Writer writer(out);
  writer.begin_object();
  put(writer, "model", request.model);
  if (const auto* chat = request.chat()) {
    write_chat(writer, *chat, loss);
  } else if (const auto* completion = std::get_if<chat::CompletionInput>(&request.input)) {
    write_prompts(writer, "prompt", completion->prompts, completion->single);
    put(writer, "suffix", completion->suffix);
    put(writer, "echo", completion->echo);
    put(writer, "best_of", completion->best_of);
  } else if (const auto* embedding = std::get_if<chat::EmbeddingInput>(&request.input)) {
    if (!embedding->inputs.empty()) write_prompts(writer, "input", embedding->inputs, embedding->single);
    put(writer, "encoding_format", embedding->encoding);
    put(writer, "dimensions", embedding->dimensions);
    put(writer, "input_type", embedding->input_type);
  } else if (const auto* moderation = std::get_if<chat::ModerationInput>(&request.input)) {
    write_moderation(writer, *moderation, loss);
  }
  write_sampling(writer, request);
  write_stream(writer, request);
  put(writer, "service_tier", request.service_tier);
  put(writer, "user", request.user);
  put(writer, "store", request.store);
  if (!request.metadata.empty()) {
    writer.key("metadata").begin_object();
    for (const auto& [key, value] : request.metadata) writer.field(key, value);
    writer.end_object();
  }
  for (const chat::Extra& extra : request.extras) {
    if (extra.dialect != kName) {
      if (extra.key.empty()) continue;  // how the request came, which is nobody else's
      loss.add(extra.key, why_lost(extra), severity_of_lost(extra));
    } else if (!extra.key.starts_with("stream_options.")) {
      writer.key(extra.key).raw(extra.json);
    }
  }
  writer.end_object();
  return out;
}

}  // namespace

std::string encode_request(const chat::Request& request, const Sending& sending, chat::LossReport& loss) {
  if (has_quirks(sending.quirks)) return write_request(with_quirks(request, sending.quirks, loss), loss);
  return write_request(request, loss);
}

}  // namespace sluice::dialect::openai_parts
