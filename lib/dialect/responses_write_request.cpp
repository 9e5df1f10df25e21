// The canonical model into requests of the Responses API.

#include <algorithm>

#include "dialect/effort.hpp"
#include "dialect/responses.hpp"
#include "dialect/responses_items.hpp"
#include "dialect/responses_tools.hpp"

namespace sluice::dialect::responses_parts {
namespace {

using chat::LossSeverity;

constexpr std::uint64_t kFewestTokens = 16;  // of max_output_tokens, by OpenAI's document

void put(json::Writer& writer, std::string_view key, const std::optional<double>& n) {
  if (n) writer.key(key).number(*n);
}
void put(json::Writer& writer, std::string_view key, const std::optional<bool>& b) {
  if (b) writer.key(key).boolean(*b);
}
void put(json::Writer& writer, std::string_view key, const std::string& text) {
  if (!text.empty()) writer.field(key, text);
}

class RequestWriter {
 public:
  RequestWriter(const chat::Request& request, const Sending& sending, chat::LossReport& loss, std::string& out)
      : request_(request), sending_(sending), loss_(loss), writer_(out) {}

  void run() {
    const chat::ChatInput& chat = *request_.chat();
    writer_.begin_object();
    put(writer_, "model", request_.model.empty() ? std::string(sending_.model) : request_.model);
    write_input(chat);
    write_tools(chat);
    write_text(chat);
    write_reasoning(chat);
    if (request_.operation == Operation::kChat) write_sampling();
    lose_chat(chat);
    write_extras();
    writer_.end_object();
  }

 private:
  void lose(std::string field, std::string reason, LossSeverity severity) { loss_.add(std::move(field), std::move(reason), severity); }

  void write_input(const chat::ChatInput& chat) {
    std::size_t at = 0;
    if (!chat.turns.empty() && chat::find_extra(chat.turns[0].extras, kName, key::kInstructions) != nullptr) {
      writer_.field("instructions", chat.turns[0].text());
      at = 1;
    }
    if (at == chat.turns.size()) return;  // a prompt the server keeps says it all
    writer_.key("input").begin_array();
    std::set<std::string> custom;
    for (; at < chat.turns.size(); ++at) write_turn(writer_, chat.turns[at], "messages[" + std::to_string(at) + "]", custom, loss_);
    writer_.end_array();
  }

  void write_tools(const chat::ChatInput& chat) {
    bool open = false;
    for (const chat::Tool& tool : chat.tools) {
      if (!can_write(tool)) {
        lose("tools." + tool.name, "a tool run by " + tool.native_dialect + " alone", LossSeverity::kSemantic);
        continue;
      }
      if (!open) writer_.key("tools").begin_array();
      open = true;
      write_tool(writer_, tool, loss_);
    }
    if (open) writer_.end_array();
    if (chat.tool_choice) {
      if (chat.tool_choice->kind == chat::ToolChoice::Kind::kNamed && chat::find_extra(chat.tool_choice->extras, kName, "") == nullptr &&
          !chat.tool_choice->tools.empty() && chat.tool_choice->tools[0].kind == chat::ToolKind::kProvider) {
        lose("tool_choice", "a tool of another provider's own", LossSeverity::kSemantic);
      } else {
        writer_.key("tool_choice");
        write_tool_choice(writer_, *chat.tool_choice);
      }
    }
    put(writer_, "parallel_tool_calls", chat.parallel_tool_calls);
  }

  /// Members that stand below `prefix`, without it.
  bool has_below(std::string_view prefix) const {
    return std::any_of(request_.extras.begin(), request_.extras.end(),
                       [&](const chat::Extra& extra) { return extra.dialect == kName && extra.key.starts_with(prefix); });
  }
  void put_below(std::string_view prefix) {
    for (const chat::Extra& extra : request_.extras) {
      if (extra.dialect == kName && extra.key.starts_with(prefix)) {
        writer_.key(std::string_view(extra.key).substr(prefix.size())).raw(extra.json);
      }
    }
  }

  void write_text(const chat::ChatInput& chat) {
    std::string format;
    {
      json::Writer inner(format);
      if (chat.response_format && !write_format(inner, *chat.response_format, loss_)) format.clear();
    }
    if (format.empty() && chat.verbosity.empty() && !has_below("text.")) return;
    writer_.key("text").begin_object();
    if (!format.empty()) writer_.key("format").raw(format);
    put(writer_, "verbosity", chat.verbosity);
    put_below("text.");
    writer_.end_object();
  }

  void write_reasoning(const chat::ChatInput& chat) {
    if (!chat.reasoning) return;
    writer_.key("reasoning").begin_object();
    if (const std::string_view effort = effort_of(*chat.reasoning, kName, loss_); !effort.empty()) writer_.field("effort", effort);
    put(writer_, "summary", chat.reasoning->summary);
    put_below("reasoning.");
    writer_.end_object();
  }

  /// OpenAI's servers refuse fewer than 16.
  void write_limit(std::uint64_t tokens) {
    if (tokens < kFewestTokens) loss_.add("max_tokens", "openai's responses have room for 16 tokens at least", LossSeverity::kCosmetic);
    writer_.key("max_output_tokens").unsigned_integer(std::max(tokens, kFewestTokens));
  }

  void write_sampling() {
    const chat::Sampling& s = request_.sampling;
    if (s.max_output_tokens) write_limit(*s.max_output_tokens);
    put(writer_, "temperature", s.temperature);
    put(writer_, "top_p", s.top_p);
    if (s.top_logprobs) writer_.key("top_logprobs").unsigned_integer(*s.top_logprobs);
    if (s.logprobs.value_or(false) && chat::find_extra(request_.extras, kName, "include") == nullptr) {
      writer_.key("include").begin_array().string("message.output_text.logprobs").end_array();
    }
    // Open Responses has both; OpenAI's own document has neither, though its servers echo them.
    put(writer_, "presence_penalty", s.presence_penalty);
    put(writer_, "frequency_penalty", s.frequency_penalty);
    if (request_.stream || request_.stream_said) writer_.key("stream").boolean(request_.stream);
    if (has_below("stream_options.")) {
      writer_.key("stream_options").begin_object();
      put_below("stream_options.");
      writer_.end_object();
    }
    put(writer_, "service_tier", request_.service_tier);
    put(writer_, "user", request_.user);
    // The API stores what does not say otherwise; chat does not.
    if (request_.store || !keeps_state()) writer_.key("store").boolean(request_.store.value_or(false));
    if (!request_.metadata.empty()) {
      writer_.key("metadata").begin_object();
      for (const auto& [key, value] : request_.metadata) writer_.field(key, value);
      writer_.end_object();
    }
    lose_sampling();
  }

  /// True where the request goes on from what the server keeps, or will be fetched from there.
  [[nodiscard]] bool keeps_state() const {
    return std::any_of(request_.extras.begin(), request_.extras.end(), [](const chat::Extra& extra) {
      return extra.dialect == kName && (extra.key == "previous_response_id" || extra.key == "conversation" || extra.key == "background");
    });
  }

  void lose_sampling() {
    const chat::Sampling& s = request_.sampling;
    const auto no = [this](bool said, std::string_view field, LossSeverity severity) {
      if (said) lose(std::string(field), "openai-responses has no " + std::string(field), severity);
    };
    no(s.choices.value_or(1) > 1, "n", LossSeverity::kSemantic);
    no(s.stop && !s.stop->empty(), "stop", LossSeverity::kSemantic);
    no(s.min_p.has_value(), "min_p", LossSeverity::kCosmetic);
    no(s.top_k.has_value(), "top_k", LossSeverity::kCosmetic);
    no(s.repetition_penalty.has_value(), "repetition_penalty", LossSeverity::kCosmetic);
    no(s.seed.has_value(), "seed", LossSeverity::kCosmetic);
    no(!s.logit_bias.empty(), "logit_bias", LossSeverity::kCosmetic);
  }

  void lose_chat(const chat::ChatInput& chat) {
    const bool spoken = chat.audio || std::find(chat.modalities.begin(), chat.modalities.end(), "audio") != chat.modalities.end();
    if (spoken) lose("audio", "openai-responses has no spoken answers", LossSeverity::kSemantic);
    if (chat.prediction) lose("prediction", "openai-responses has no predicted outputs", LossSeverity::kCosmetic);
  }

  void write_extras() {
    // The same in both of OpenAI's dialects.
    constexpr std::string_view kShared[] = {"prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "safety_identifier", "moderation"};
    for (const chat::Extra& extra : request_.extras) {
      const bool shared = extra.dialect == "openai" && std::find(std::begin(kShared), std::end(kShared), extra.key) != std::end(kShared);
      if (extra.dialect != kName && !shared) {
        // Search was asked for: an answer without it is one to something else.
        const bool grave = extra.key == "web_search_options";
        lose(extra.key, "known to the " + extra.dialect + " dialect alone", grave ? LossSeverity::kSemantic : LossSeverity::kCosmetic);
      } else if (!extra.key.starts_with("text.") && !extra.key.starts_with("reasoning.") && !extra.key.starts_with("stream_options.")) {
        writer_.key(extra.key).raw(extra.json);
      }
    }
  }

  const chat::Request& request_;
  const Sending& sending_;
  chat::LossReport& loss_;
  json::Writer writer_;
};

}  // namespace

std::string encode_request(const chat::Request& request, const Sending& sending, chat::LossReport& loss) {
  std::string out;
  if (request.chat() == nullptr) return out;
  RequestWriter(request, sending, loss, out).run();
  return out;
}

}  // namespace sluice::dialect::responses_parts
