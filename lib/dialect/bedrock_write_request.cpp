// The canonical model into requests of the Bedrock dialect, members in the order the service model lists them.

#include <algorithm>

#include "dialect/bedrock.hpp"
#include "dialect/bedrock_blocks.hpp"
#include "dialect/bedrock_conversation.hpp"
#include "dialect/bedrock_model_fields.hpp"
#include "dialect/bedrock_tools.hpp"
#include "dialect/lost_extras.hpp"
#include "dialect/providers.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::bedrock_parts {
namespace {

using chat::LossSeverity;
using Format = chat::ResponseFormat;

constexpr std::string_view kJsonOnly = "Answer with one JSON object and nothing else.";

bool starts_below(const chat::Extra& extra, std::string_view prefix) noexcept { return extra.dialect == kName && extra.key.starts_with(prefix); }

/// Extras whose key begins with `prefix`, without it.
void put_extras_below(json::Writer& writer, const chat::Extras& extras, std::string_view prefix) {
  for (const chat::Extra& extra : extras) {
    if (starts_below(extra, prefix)) writer.key(std::string_view(extra.key).substr(prefix.size())).raw(extra.json);
  }
}
bool any_below(const chat::Extras& extras, std::string_view prefix) {
  return std::any_of(extras.begin(), extras.end(), [&](const chat::Extra& extra) { return starts_below(extra, prefix); });
}

void write_messages(json::Writer& writer, const Conversation& conversation, chat::LossReport& loss) {
  writer.key("messages").begin_array();
  for (const ArrangedMessage& message : conversation.messages) {
    writer.begin_object().field("role", message.role).key("content").begin_array();
    for (const auto& block : message.blocks) write_part(writer, *block.part, Place::kMessage, block.path, loss);
    writer.end_array().end_object();
  }
  writer.end_array();
}

void write_system(json::Writer& writer, const Conversation& conversation, bool json_only, chat::LossReport& loss) {
  // What leaves nothing behind leaves no member behind either.
  std::string blocks;
  bool any = json_only;
  {
    json::Writer list(blocks);
    list.begin_array();
    for (const auto& block : conversation.system) any = write_part(list, *block.part, Place::kSystem, block.path, loss) || any;
    if (json_only) list.begin_object().field("text", kJsonOnly).end_object();
    list.end_array();
  }
  if (any) writer.key("system").raw(blocks);
}

/// `nova`: what a field of the model's own says beside Converse has its place here.
void write_inference(json::Writer& writer, const chat::Request& request, bool thinking, bool nova, chat::LossReport& loss) {
  constexpr std::string_view kPrefix = "inferenceConfig.";
  const chat::Sampling& s = request.sampling;
  const double wished = s.temperature.value_or(0);
  if (wished > 1) loss.add("temperature", "bedrock takes 0 to 1: 1 stands for it", LossSeverity::kNote);
  // Said in this dialect, both are the caller's own doing.
  const bool own = chat::find_extra(request.extras, kName, "additionalModelRequestFields") != nullptr;
  const bool drop = s.temperature && wished < 1 && thinking && !own;
  if (drop) loss.add("temperature", "a model that thinks takes none", LossSeverity::kCosmetic);
  const bool temperature = s.temperature.has_value() && !drop;
  const bool top_k = nova && s.top_k;
  if (!s.max_output_tokens && !temperature && !s.top_p && !top_k && !s.stop && !any_below(request.extras, kPrefix)) return;
  writer.key("inferenceConfig").begin_object();
  if (s.max_output_tokens) writer.key("maxTokens").unsigned_integer(*s.max_output_tokens);
  if (temperature) writer.key("temperature").number(std::min(wished, 1.0));
  if (s.top_p) writer.key("topP").number(*s.top_p);
  if (top_k) writer.key("topK").integer(*s.top_k);
  if (s.stop) {
    writer.key("stopSequences").begin_array();
    for (const std::string& word : *s.stop) {
      if (!word.empty()) writer.string(word);
    }
    writer.end_array();
  }
  put_extras_below(writer, request.extras, kPrefix);
  writer.end_object();
}

void write_output(json::Writer& writer, const chat::Request& request, chat::LossReport& loss) {
  constexpr std::string_view kPrefix = "outputConfig.";
  const auto& format = request.chat()->response_format;
  const bool schema = format && format->kind == Format::Kind::kJsonSchema;
  if (format && format->kind == Format::Kind::kOther) {
    loss.add("response_format", "bedrock knows text and JSON by schema", LossSeverity::kSemantic);
  }
  if (!schema && !any_below(request.extras, kPrefix)) return;
  writer.key("outputConfig").begin_object();
  if (schema) {
    writer.key("textFormat").begin_object().field("type", "json_schema").key("structure").begin_object().key("jsonSchema").begin_object();
    writer.field("schema", format->schema.empty() ? std::string_view("{}") : std::string_view(format->schema));
    if (!format->name.empty()) writer.field("name", format->name);
    if (!format->description.empty()) writer.field("description", format->description);
    writer.end_object().end_object().end_object();
  }
  put_extras_below(writer, request.extras, kPrefix);
  writer.end_object();
}

/// Source: RequestMetadataKeyString and RequestMetadataValueString of the service model.
bool fits_metadata(std::string_view text, std::size_t least) noexcept {
  constexpr std::size_t kLongest = 256;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view(" \t\n\r:_@$#=/+,-.").find(c) != std::string_view::npos;
  };
  return text.size() >= least && text.size() <= kLongest && std::all_of(text.begin(), text.end(), allowed);
}

void write_metadata(json::Writer& writer, const chat::Request& request, chat::LossReport& loss) {
  constexpr std::size_t kMost = 16;
  std::size_t written = 0;
  for (const auto& [key, value] : request.metadata) {
    if (written == kMost || !fits_metadata(key, 1) || !fits_metadata(value, 0)) {
      loss.add("metadata." + key, "bedrock takes 16 short entries of plain characters", LossSeverity::kCosmetic);
      continue;
    }
    if (written++ == 0) writer.key("requestMetadata").begin_object();
    writer.field(key, value);
  }
  if (written != 0) writer.end_object();
}

void write_tier(json::Writer& writer, const std::string& tier, chat::LossReport& loss) {
  if (tier.empty() || tier == "auto") return;
  if (tier != "priority" && tier != "default" && tier != "flex" && tier != "reserved") {
    loss.add("service_tier", "bedrock has no tier '" + tier + "'", LossSeverity::kCosmetic);
    return;
  }
  writer.key("serviceTier").begin_object().field("type", tier).end_object();
}

/// What Converse has no place for, whatever the model.
void report(const chat::Request& request, chat::LossReport& loss) {
  const chat::Sampling& s = request.sampling;
  const auto lost = [&loss](bool said, std::string field, std::string reason, LossSeverity severity = LossSeverity::kCosmetic) {
    if (said) loss.add(std::move(field), std::move(reason), severity);
  };
  lost(s.min_p.has_value(), "min_p", "bedrock has no min-p");
  lost(s.frequency_penalty.value_or(0) != 0, "frequency_penalty", "bedrock has no penalties");
  lost(s.presence_penalty.value_or(0) != 0, "presence_penalty", "bedrock has no penalties");
  lost(s.repetition_penalty.value_or(1) != 1, "repetition_penalty", "bedrock has no penalties");
  lost(s.seed.has_value(), "seed", "bedrock has no seed");
  lost(!s.logit_bias.empty(), "logit_bias", "bedrock has no logit bias");
  lost(s.choices.value_or(1) > 1, "n", "bedrock gives one answer", LossSeverity::kSemantic);
  lost(s.logprobs.value_or(false), "logprobs", "bedrock has no logprobs", LossSeverity::kSemantic);
  lost(!request.user.empty(), "user", "bedrock has no tag for users");
  lost(request.store.value_or(false), "store", "bedrock stores no answers");
  const chat::ChatInput& chat = *request.chat();
  lost(!chat.verbosity.empty(), "verbosity", "bedrock has no verbosity");
  lost(chat.prediction.has_value(), "prediction", "bedrock takes no predicted text");
  const bool spoken = std::find(chat.modalities.begin(), chat.modalities.end(), "audio") != chat.modalities.end();
  lost(spoken || chat.audio.has_value(), "modalities", "bedrock does not speak its answers", LossSeverity::kSemantic);
}

void write_root_extras(json::Writer& writer, const chat::Request& request, chat::LossReport& loss) {
  for (const chat::Extra& extra : request.extras) {
    if (extra.dialect != kName) {
      loss.add(extra.key, why_lost(extra), LossSeverity::kCosmetic);
    } else if (extra.key != "additionalModelRequestFields" && extra.key.find('.') == std::string::npos) {
      writer.key(extra.key).raw(extra.json);
    }
  }
}

/// Nova's own body has no place for what Converse says beside the conversation; the model's own members stand at its root.
void write_nova(json::Writer& writer, const chat::Request& request, chat::LossReport& loss) {
  const auto lost = [&loss](bool said, std::string field, LossSeverity severity) {
    if (said) loss.add(std::move(field), "a body of nova's own has no place for it; provider \"bedrock\" has", severity);
  };
  const chat::ChatInput& chat = *request.chat();
  lost(!request.metadata.empty(), "metadata", LossSeverity::kCosmetic);
  lost(!request.service_tier.empty() && request.service_tier != "auto", "service_tier", LossSeverity::kCosmetic);
  const bool schema = chat.response_format && (chat.response_format->kind == Format::Kind::kJsonSchema || chat.response_format->kind == Format::Kind::kOther);
  lost(schema, "response_format", LossSeverity::kSemantic);
  if (chat.reasoning) write_nova_reasoning(writer, *chat.reasoning, loss);
  for (const chat::Extra& extra : request.extras) {
    if (extra.dialect != kName) {
      loss.add(extra.key, why_lost(extra), LossSeverity::kCosmetic);
    } else if (!extra.key.starts_with("inferenceConfig.")) {
      lost(true, extra.key, LossSeverity::kSemantic);
    }
  }
}

}  // namespace

std::string encode_request(const chat::Request& request, const Sending& sending, chat::LossReport& loss) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  const chat::ChatInput* const chat = request.chat();
  if (chat == nullptr) {
    loss.add("", "bedrock's Converse holds conversations alone", LossSeverity::kSemantic);
    writer.end_object();
    return out;
  }
  const bool counts = request.operation == Operation::kCountTokens;
  if (counts) {
    writer.key("input").begin_object();
    if (const std::string* own = chat::find_extra(request.extras, kName, "input.invokeModel")) {
      writer.key("invokeModel").raw(*own).end_object().end_object();
      return out;
    }
    writer.key("converse").begin_object();
  }
  const Family family = family_of(sending.model.empty() ? std::string_view(request.model) : sending.model);
  const bool json_only = chat->response_format && chat->response_format->kind == Format::Kind::kJsonObject;
  if (json_only) loss.add("response_format", "bedrock has JSON by schema alone: the model is told in words", LossSeverity::kNote);
  const bool nova = (sending.quirks & kNovaBody) != 0;
  if (nova) writer.field("schemaVersion", "messages-v1");
  Conversation conversation;
  arrange(*chat, conversation, loss);
  write_messages(writer, conversation, loss);
  write_system(writer, conversation, json_only, loss);
  if (!counts) write_inference(writer, request, thinking_budget(request, family).has_value(), nova, loss);
  write_tool_config(writer, *chat, conversation, loss);
  if (nova) {
    write_nova(writer, request, loss);
    report(request, loss);
    writer.end_object();
    return out;
  }
  write_model_fields(writer, request, family, loss);
  if (counts) {
    writer.end_object().end_object().end_object();
    return out;
  }
  write_metadata(writer, request, loss);
  write_tier(writer, request.service_tier, loss);
  write_output(writer, request, loss);
  write_root_extras(writer, request, loss);
  report(request, loss);
  writer.end_object();
  return out;
}

}  // namespace sluice::dialect::bedrock_parts
