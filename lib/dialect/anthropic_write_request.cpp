// The canonical model into requests of the Anthropic dialect, members in the order Anthropic's own documents list them.

#include <algorithm>

#include "dialect/anthropic.hpp"
#include "dialect/anthropic_blocks.hpp"
#include "dialect/anthropic_conversation.hpp"
#include "dialect/anthropic_reasoning.hpp"
#include "dialect/anthropic_tools.hpp"
#include "dialect/lost_extras.hpp"
#include "dialect/providers.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using chat::LossSeverity;
using Format = chat::ResponseFormat::Kind;

/// Anthropic's servers want a bound for every answer; other dialects have none where the caller sets none.
constexpr std::uint64_t kDefaultMaxTokens = 4096;
constexpr std::string_view kConfig = "output_config.";

bool has_own(const chat::Request& request, std::string_view key) { return chat::find_extra(request.extras, kName, key) != nullptr; }

/// What stands in for a format the model has no switch for.
std::string instruction_for(const chat::ResponseFormat& format) {
  if (format.kind == Format::kJsonObject) return "Answer with one JSON object and nothing else: no code fence, no words around it.";
  std::string text = "Answer with one JSON value and nothing else: no code fence, no words around it. It must fit this JSON Schema";
  if (!format.description.empty()) text.append(" (").append(format.description).append(")");
  return text.append(":\n").append(format.schema.empty() ? std::string_view("{}") : std::string_view(format.schema));
}

class RequestWriter {
 public:
  RequestWriter(const chat::Request& request, const Sending& sending, chat::LossReport& loss, std::string& out)
      : request_(request), chat_(*request.chat()), sending_(sending), loss_(loss), writer_(out),
        model_(sending.model.empty() ? std::string_view(request.model) : sending.model),
        counting_(request.operation == Operation::kCountTokens) {}

  void run() {
    arrange(chat_, conversation_, loss_);
    const bool forced = chat_.tool_choice && (chat_.tool_choice->kind == chat::ToolChoice::Kind::kRequired ||
                                              chat_.tool_choice->kind == chat::ToolChoice::Kind::kNamed);
    if (!has_own(request_, "thinking") && !has_own(request_, "output_config.effort")) plan_ = plan_thinking(request_, model_, forced, loss_);
    writer_.begin_object();
    if (const std::string_view version = version_in_body(sending_.quirks); !version.empty()) {
      writer_.field("anthropic_version", version);
    } else if (!model_.empty()) {
      writer_.field("model", model_);
    }
    if (!counting_) max_tokens();
    format();  // may add to the system prompt
    system();
    messages();
    (void)write_tools(writer_, chat_, loss_);
    thinking();
    output_config();
    if (!counting_) sampling();
    if (!counting_ && (sending_.quirks & kInvoked) == 0) stream();
    if (!request_.user.empty()) writer_.key("metadata").begin_object().field("user_id", request_.user).end_object();
    service_tier();
    others();
    extras();
    writer_.end_object();
  }

 private:
  void max_tokens() {
    std::uint64_t most = request_.sampling.max_output_tokens.value_or(0);
    if (!request_.sampling.max_output_tokens) {
      // What is thought counts, too.
      most = kDefaultMaxTokens + static_cast<std::uint64_t>(plan_.budget);
      loss_.add("max_tokens", "anthropic wants a bound: " + std::to_string(most) + " is sent", LossSeverity::kNote);
    }
    writer_.key("max_tokens").unsigned_integer(most);
  }

  /// Decides how the format is asked for.
  void format() {
    const auto& format = chat_.response_format;
    if (!format || format->kind == Format::kText) return;
    if (format->kind == Format::kOther) {
      if (chat::find_extra(format->extras, kName, "") == nullptr) {
        loss_.add("response_format", "anthropic knows JSON Schemas alone", LossSeverity::kSemantic);
      }
      return;
    }
    // A schema that is not strict may say what Anthropic's strict ones must not.
    native_format_ = format->kind == Format::kJsonSchema && !format->schema.empty() && format->strict == std::optional(true) &&
                     traits_of(model_).formats;
    if (native_format_) return;
    instruction_ = instruction_for(*format);
    loss_.add("response_format", "asked for by an instruction: anthropic's formats are strict schemas", LossSeverity::kNote);
  }

  void system() {
    const auto& blocks = conversation_.system;
    if (blocks.empty() && instruction_.empty()) return;
    writer_.key("system");
    if (blocks.empty()) {
      writer_.string(instruction_);
      return;
    }
    const auto plain = [](const ArrangedMessage::Block& block) {
      const auto* text = block.part->as<chat::Text>();
      return !text->cache && text->extras.empty();
    };
    if (conversation_.system_is_text && blocks.size() == 1 && instruction_.empty() && plain(blocks.front())) {
      writer_.string(blocks.front().part->as<chat::Text>()->text);
      return;
    }
    writer_.begin_array();
    for (const auto& block : blocks) write_block(writer_, *block.part, Place::kUser, block.path, loss_);
    if (!instruction_.empty()) writer_.begin_object().field("type", "text").field("text", instruction_).end_object();
    writer_.end_array();
  }

  void messages() {
    writer_.key("messages").begin_array();
    for (const ArrangedMessage& message : conversation_.messages) {
      writer_.begin_object().field("role", message.role).key("content");
      const auto* only = message.blocks.size() == 1 && message.first != nullptr && message.first->form != chat::ContentForm::kParts
                             ? message.blocks[0].part->as<chat::Text>() : nullptr;
      if (only != nullptr && !only->cache && only->extras.empty() && only->citations.empty()) {
        writer_.string(only->text);
      } else {
        writer_.begin_array();
        for (const auto& block : message.blocks) {
          write_block(writer_, *block.part, message.role == "assistant" ? Place::kAssistant : Place::kUser, block.path, loss_);
        }
        writer_.end_array();
      }
      if (message.first != nullptr) {
        for (const chat::Extra& extra : message.first->extras) {
          if (extra.dialect != kName) {
            write_extras(writer_, {extra}, message.blocks.front().path, loss_);
          } else if (extra.key != "role") {
            writer_.key(extra.key).raw(extra.json);
          }
        }
      }
      writer_.end_object();
    }
    writer_.end_array();
  }

  void thinking() {
    if (has_own(request_, "thinking")) return;  // with the extras
    using Kind = ThinkingPlan::Kind;
    const auto& reasoning = chat_.reasoning;
    // Beside an effort that is Anthropic's own, thinking is what was said of it.
    const bool own_effort = has_own(request_, "output_config.effort");
    Kind kind = plan_.kind;
    std::int64_t budget = plan_.budget;
    if (own_effort && reasoning && reasoning->enabled) {
      budget = reasoning->budget_tokens.value_or(0);
      kind = !*reasoning->enabled ? Kind::kDisabled : budget > 0 ? Kind::kEnabled : Kind::kAdaptive;
    }
    if (kind == Kind::kUnsaid) return;
    writer_.key("thinking").begin_object();
    writer_.field("type", kind == Kind::kDisabled ? "disabled" : kind == Kind::kEnabled ? "enabled" : "adaptive");
    if (kind == Kind::kEnabled) writer_.key("budget_tokens").integer(budget);
    writer_.end_object();
  }

  void output_config() {
    const auto& format = chat_.response_format;
    const bool old_format = format && chat::find_extra(format->extras, kName, "output_format") != nullptr;
    if (old_format) writer_.key("output_format").raw(*chat::find_extra(format->extras, kName, "output_format"));
    const std::string* own_format = format ? chat::find_extra(format->extras, kName, "") : nullptr;
    const bool has_format = !old_format && (native_format_ || own_format != nullptr);
    const bool more = std::any_of(request_.extras.begin(), request_.extras.end(), [](const chat::Extra& extra) {
      return extra.dialect == kName && extra.key.starts_with(kConfig);
    });
    if (!has_format && !more && plan_.effort.empty()) return;
    writer_.key("output_config").begin_object();
    if (!plan_.effort.empty()) writer_.field("effort", plan_.effort);
    if (has_format && own_format != nullptr) {
      writer_.key("format").raw(*own_format);
    } else if (has_format) {
      writer_.key("format").begin_object().field("type", "json_schema").key("schema").raw(format->schema).end_object();
    }
    for (const chat::Extra& extra : request_.extras) {
      if (extra.dialect == kName && extra.key.starts_with(kConfig)) writer_.key(std::string_view(extra.key).substr(kConfig.size())).raw(extra.json);
    }
    writer_.end_object();
  }

  void sampling() {
    const chat::Sampling& s = request_.sampling;
    stop();
    const auto drop = [this](bool said, std::string_view field, std::string_view reason) {
      if (said) loss_.add(std::string(field), std::string(reason), LossSeverity::kCosmetic);
    };
    const bool thinks = plan_.ours && plan_.kind != ThinkingPlan::Kind::kUnsaid;
    if (thinks) {
      drop(s.temperature.has_value(), "temperature", "anthropic's models think at a temperature of their own");
      drop(s.top_k.has_value(), "top_k", "anthropic's models think with candidates of their own");
    } else {
      if (s.temperature && *s.temperature > 1) loss_.add("temperature", "anthropic's temperatures end at 1", LossSeverity::kNote);
      if (s.temperature) writer_.key("temperature").number(std::min(*s.temperature, 1.0));
      if (s.top_k) writer_.key("top_k").integer(*s.top_k);
    }
    if (s.top_p) writer_.key("top_p").number(*s.top_p);
    drop(s.min_p.has_value(), "min_p", "anthropic has no least probability");
    drop(s.frequency_penalty.has_value(), "frequency_penalty", "anthropic has no penalties");
    drop(s.presence_penalty.has_value(), "presence_penalty", "anthropic has no penalties");
    drop(s.repetition_penalty.has_value(), "repetition_penalty", "anthropic has no penalties");
    drop(s.seed.has_value(), "seed", "anthropic has no seed");
    drop(!s.logit_bias.empty(), "logit_bias", "anthropic has no logit bias");
    if (s.choices.value_or(1) > 1) loss_.add("n", "anthropic gives one answer", LossSeverity::kSemantic);
    if (s.logprobs.value_or(false)) loss_.add("logprobs", "anthropic states no probabilities", LossSeverity::kSemantic);
  }

  void stop() {
    if (!request_.sampling.stop) return;
    bool open = false;
    for (const std::string& word : *request_.sampling.stop) {
      if (word.find_first_not_of(" \t\r\n") == std::string::npos) {
        loss_.add("stop", "anthropic refuses stop sequences of blanks alone", LossSeverity::kCosmetic);
        continue;
      }
      if (!open) writer_.key("stop_sequences").begin_array();
      open = true;
      writer_.string(word);
    }
    if (open) writer_.end_array();
  }

  void stream() {
    const bool streams = request_.stream || sending_.streaming;
    if (streams || request_.stream_said) writer_.key("stream").boolean(streams);
  }

  void service_tier() {
    const std::string& tier = request_.service_tier;
    if (tier.empty()) return;
    if (tier == "auto" || tier == "default") {
      writer_.field("service_tier", tier == "auto" ? "auto" : "standard_only");
    } else {
      loss_.add("service_tier", "anthropic knows no tier '" + tier + "'", LossSeverity::kCosmetic);
    }
  }

  void others() {
    if (!request_.metadata.empty()) loss_.add("metadata", "anthropic keeps no metadata but the user's id", LossSeverity::kCosmetic);
    if (request_.store.value_or(false)) loss_.add("store", "anthropic does not store answers", LossSeverity::kCosmetic);
    if (!chat_.verbosity.empty()) loss_.add("verbosity", "anthropic has no verbosity", LossSeverity::kCosmetic);
    if (chat_.prediction) loss_.add("prediction", "anthropic takes no predictions", LossSeverity::kCosmetic);
    const bool spoken = std::find(chat_.modalities.begin(), chat_.modalities.end(), "audio") != chat_.modalities.end();
    if (spoken || chat_.audio) loss_.add("audio", "anthropic does not speak", LossSeverity::kSemantic);
  }

  void extras() {
    for (const chat::Extra& extra : request_.extras) {
      if (extra.dialect != kName) {
        loss_.add(extra.key, why_lost(extra), severity_of_lost(extra));
      } else if (!extra.key.starts_with(kConfig) && !(extra.key == "anthropic_version" && !version_in_body(sending_.quirks).empty())) {
        writer_.key(extra.key).raw(extra.json);
      }
    }
  }

  const chat::Request& request_;
  const chat::ChatInput& chat_;
  const Sending& sending_;
  chat::LossReport& loss_;
  json::Writer writer_;
  std::string_view model_;
  bool counting_, native_format_ = false;
  Conversation conversation_;
  ThinkingPlan plan_;
  std::string instruction_;
};

}  // namespace

std::string encode_request(const chat::Request& request, const Sending& sending, chat::LossReport& loss) {
  std::string out;
  if (request.operation == Operation::kListModels || request.operation == Operation::kGetModel) return out;
  if (request.chat() == nullptr) {
    loss.add("input", "anthropic has no such operation", LossSeverity::kSemantic);
    return "{}";
  }
  RequestWriter(request, sending, loss, out).run();
  return out;
}

}  // namespace sluice::dialect::anthropic_parts
