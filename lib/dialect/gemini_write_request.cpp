// The canonical model into requests of the Gemini dialect. The model and whether the answer is streamed stand in the path.

#include <algorithm>

#include "dialect/gemini.hpp"
#include "dialect/gemini_tools.hpp"
#include "dialect/gemini_turn.hpp"
#include "dialect/lost_extras.hpp"
#include "dialect/providers.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using chat::LossSeverity;

constexpr std::string_view kGeneration = "generationConfig.";
constexpr std::size_t kMaxStops = 5;

void put(json::Writer& writer, std::string_view key, const std::optional<double>& n) {
  if (n) writer.key(key).number(*n);
}
void put(json::Writer& writer, std::string_view key, const std::optional<std::int64_t>& n) {
  if (n) writer.key(key).integer(*n);
}
template <typename Unsigned>
void put_unsigned(json::Writer& writer, std::string_view key, const std::optional<Unsigned>& n) {
  if (n) writer.key(key).unsigned_integer(*n);
}

bool is_below(const chat::Extra& extra, std::string_view prefix) { return extra.dialect == kName && extra.key.starts_with(prefix); }

class RequestWriter {
 public:
  RequestWriter(json::Writer& writer, const chat::Request& request, const Sending& sending, chat::LossReport& loss)
      : writer_(writer), request_(request), sending_(sending), loss_(loss),
        model_(sending.model.empty() ? std::string_view(request.model) : sending.model) {}

  void run() {
    if (const auto* chat = request_.chat()) {
      const bool wrapped = wraps(*chat);
      writer_.begin_object();
      if (wrapped) {
        writer_.key("generateContentRequest").begin_object();
        if (!model_.empty()) writer_.field("model", "models/" + std::string(bare_model(model_)));
      }
      write_chat(*chat);
      if (wrapped) writer_.end_object();
      writer_.end_object();
    } else if (const auto* embedding = std::get_if<chat::EmbeddingInput>(&request_.input)) {
      writer_.begin_object();
      write_embeddings(*embedding);
      writer_.end_object();
    } else {
      loss_.add("", "gemini has no such operation", LossSeverity::kSemantic);
      writer_.begin_object().end_object();
    }
    lose_root();
  }

 private:
  void lost(bool said, std::string field, std::string reason, LossSeverity severity = LossSeverity::kCosmetic) {
    if (said) loss_.add(std::move(field), std::move(reason), severity);
  }

  /// countTokens takes bare contents; whatever else is to be counted goes into a request of its own, but on Vertex AI.
  [[nodiscard]] bool wraps(const chat::ChatInput& chat) const {
    if (request_.operation != Operation::kCountTokens || (sending_.quirks & kCountsAtRoot) != 0) return false;
    if (chat::find_extra(request_.extras, kName, "generateContentRequest") != nullptr) return true;
    const bool system = std::any_of(chat.turns.begin(), chat.turns.end(), [](const chat::Turn& t) { return t.role == chat::Role::kSystem; });
    return system || !chat.tools.empty() || chat.tool_choice || chat.response_format;
  }

  void write_chat(const chat::ChatInput& chat) {
    write_turns(writer_, chat.turns, model_, loss_);
    write_tools(writer_, chat, loss_);
    write_tool_config(writer_, chat, request_.extras, loss_);
    write_generation(chat);
    for (const chat::Extra& extra : request_.extras) {
      if (extra.dialect != kName || extra.key == "generateContentRequest") continue;
      if (!is_below(extra, kGeneration) && !is_below(extra, "toolConfig.")) writer_.key(extra.key).raw(extra.json);
    }
    lost(!chat.verbosity.empty(), "verbosity", "gemini has no such setting");
    lost(chat.prediction.has_value(), "prediction", "gemini takes no predicted answer");
    lost(chat.audio.has_value(), "audio", "gemini speaks with voices of its own", LossSeverity::kSemantic);
  }

  void write_generation(const chat::ChatInput& chat) {
    std::string inside;
    {
      json::Writer writer(inside);
      writer.begin_object();
      write_sampling(writer);
      if (chat.response_format) write_response_format(writer, *chat.response_format, loss_);
      if (chat.reasoning) write_thinking(writer, *chat.reasoning, model_, loss_);
      if (!chat.modalities.empty()) {
        writer.key("responseModalities").begin_array();
        for (std::string word : chat.modalities) {
          for (char& c : word) c = c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
          writer.string(word);
        }
        writer.end_array();
      }
      for (const chat::Extra& extra : request_.extras) {
        if (is_below(extra, kGeneration)) writer.key(std::string_view(extra.key).substr(kGeneration.size())).raw(extra.json);
      }
      writer.end_object();
    }
    if (inside != "{}") writer_.key("generationConfig").raw(inside);
  }

  void write_sampling(json::Writer& writer) {
    const chat::Sampling& s = request_.sampling;
    put(writer, "temperature", s.temperature);
    put(writer, "topP", s.top_p);
    put(writer, "topK", s.top_k);
    put_unsigned(writer, "candidateCount", s.choices);
    put_unsigned(writer, "maxOutputTokens", s.max_output_tokens);
    if (s.stop) {
      writer.key("stopSequences").begin_array();
      for (std::size_t i = 0; i < std::min(s.stop->size(), kMaxStops); ++i) writer.string((*s.stop)[i]);
      writer.end_array();
      lost(s.stop->size() > kMaxStops, "stop", "gemini takes 5 stop sequences at most", LossSeverity::kSemantic);
    }
    put(writer, "seed", s.seed);
    put(writer, "presencePenalty", s.presence_penalty);
    put(writer, "frequencyPenalty", s.frequency_penalty);
    if (s.logprobs) writer.key("responseLogprobs").boolean(*s.logprobs);
    put_unsigned(writer, "logprobs", s.top_logprobs);
    lost(s.min_p.has_value(), "min_p", "gemini has no such setting");
    lost(s.repetition_penalty.has_value(), "repetition_penalty", "gemini has no such setting");
    lost(!s.logit_bias.empty(), "logit_bias", "gemini has no logit bias");
  }

  void write_embeddings(const chat::EmbeddingInput& input) {
    lost(input.encoding == "base64", "encoding_format", "gemini's vectors come as numbers", LossSeverity::kNote);
    const std::string* own = chat::find_extra(request_.extras, kName, "requests");
    if (own != nullptr && (sending_.quirks & kEmbedsByPredict) == 0) {
      writer_.key("requests").raw(*own);
      return;
    }
    const bool predict = (sending_.quirks & kEmbedsByPredict) != 0;
    writer_.key(predict ? "instances" : "requests").begin_array();
    for (std::size_t i = 0; i < input.inputs.size(); ++i) {
      const auto* said = std::get_if<std::string>(&input.inputs[i]);
      if (said == nullptr) {
        lost(true, "input[" + std::to_string(i) + "]", "gemini takes texts, no token ids", LossSeverity::kSemantic);
        continue;
      }
      writer_.begin_object();
      if (predict) {
        writer_.field("content", *said);
        write_task(input, "task_type");
      } else {
        writer_.field("model", "models/" + std::string(bare_model(model_)));
        if (chat::find_extra(request_.extras, kName, "content") == nullptr) {
          writer_.key("content").begin_object().key("parts").begin_array();
          writer_.begin_object().field("text", *said).end_object().end_array().end_object();
        }
        write_task(input, "taskType");
        put(writer_, "outputDimensionality", input.dimensions);
        for (const chat::Extra& extra : request_.extras) {
          if (extra.dialect == kName && extra.key != "taskType" && input.single) writer_.key(extra.key).raw(extra.json);
        }
      }
      writer_.end_object();
    }
    writer_.end_array();
    if (predict && input.dimensions) {
      writer_.key("parameters").begin_object().key("outputDimensionality").integer(*input.dimensions).end_object();
    }
  }

  /// What the vectors are for: the dialect's own word, or one of the two that all have.
  void write_task(const chat::EmbeddingInput& input, std::string_view key) {
    if (const std::string* own = chat::find_extra(request_.extras, kName, "taskType")) {
      writer_.key(key).raw(*own);
      return;
    }
    const std::string& type = input.input_type;
    if (type.empty()) return;
    if (type == "query" || type == "search_query") {
      writer_.field(key, "RETRIEVAL_QUERY");
    } else if (type == "document" || type == "passage" || type == "search_document") {
      writer_.field(key, "RETRIEVAL_DOCUMENT");
    } else if (type == "classification" || type == "clustering") {
      writer_.field(key, type == "clustering" ? "CLUSTERING" : "CLASSIFICATION");
    } else {
      lost(true, "input_type", "gemini has no such task");
    }
  }

  void lose_root() {
    lost(!request_.user.empty(), "user", "gemini is told of no users");
    lost(request_.store.has_value(), "store", "gemini keeps no answers");
    lost(!request_.metadata.empty(), "metadata", "gemini takes no metadata");
    lost(!request_.service_tier.empty(), "service_tier", "tiers of another provider");
    for (const chat::Extra& extra : request_.extras) {
      lost(extra.dialect != kName, extra.key, why_lost(extra));
    }
  }

  json::Writer& writer_;
  const chat::Request& request_;
  const Sending& sending_;
  chat::LossReport& loss_;
  std::string_view model_;
};

}  // namespace

std::string encode_request(const chat::Request& request, const Sending& sending, chat::LossReport& loss) {
  std::string out;
  if (request.operation == Operation::kListModels || request.operation == Operation::kGetModel) return out;
  json::Writer writer(out);
  RequestWriter(writer, request, sending, loss).run();
  return out;
}

}  // namespace sluice::dialect::gemini_parts
