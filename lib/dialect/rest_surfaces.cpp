// Surfaces of servers that speak no dialect of a provider's: a row of data each, as a configuration would say it.
// Sources: TGI's OpenAPI document; Triton's and KServe's descriptions of protocol version 2 and of the generate extension;
// the READMEs of Triton's back ends; TEI's and Azure AI Content Safety's API references.

#include <array>
#include <utility>

#include "dialect/rest.hpp"

namespace sluice::dialect {
namespace {

/// A temperature of 0 is refused: not to sample says the same. So is a top_p of 1, which cuts nothing. The text is asked for
/// without the prompt before it.
constexpr const char* kTgiRequest = R"({
  "inputs": {"$from": "/prompt"},
  "parameters": {
    "max_new_tokens": {"$from": "/max_tokens"},
    "do_sample": {"$if": "/temperature", "above": 0, "then": true, "else": {"$if": "/temperature", "then": false}},
    "temperature": {"$from": "/temperature", "above": 0},
    "top_p": {"$from": "/top_p", "above": 0, "below": 1},
    "top_k": {"$from": "/top_k", "above": 0},
    "repetition_penalty": {"$from": "/repetition_penalty", "above": 0},
    "frequency_penalty": {"$from": "/frequency_penalty"},
    "seed": {"$from": "/seed", "above": -1},
    "stop": {"$from": "/stop"},
    "details": true,
    "return_full_text": false
  }
})";

/// The same, with an answer that can be bound to a schema.
constexpr const char* kTgiChat = R"({
  "inputs": {"$from": "/prompt"},
  "parameters": {
    "max_new_tokens": {"$from": "/max_tokens"},
    "do_sample": {"$if": "/temperature", "above": 0, "then": true, "else": {"$if": "/temperature", "then": false}},
    "temperature": {"$from": "/temperature", "above": 0},
    "top_p": {"$from": "/top_p", "above": 0, "below": 1},
    "top_k": {"$from": "/top_k", "above": 0},
    "repetition_penalty": {"$from": "/repetition_penalty", "above": 0},
    "frequency_penalty": {"$from": "/frequency_penalty"},
    "seed": {"$from": "/seed", "above": -1},
    "stop": {"$from": "/stop"},
    "grammar": {"$if": "/json_schema", "then": {"type": "json", "value": {"$from": "/json_schema"}}},
    "details": true,
    "return_full_text": false
  }
})";

RestOperation tgi(const char* request) {
  return {.path = "/generate",
          .request = request,
          .answer = {.text = "/generated_text", .finish = "/details/finish_reason", .output_tokens = "/details/generated_tokens"},
          .words = {{"eos_token", "stop"}, {"stop_sequence", "stop"}},
          // Events have a token each; those that end a text are no part of it. The last one repeats the text as a whole.
          .stream = RestStream{.path = "/generate_stream",
                               .event = {.text = "/token/text",
                                         .finish = "/details/finish_reason",
                                         .input_tokens = "/details/input_length",
                                         .output_tokens = "/details/generated_tokens"},
                               .skip_if = {.pointer = "/token/special", .equals = "true"},
                               .end_if = {.pointer = "/generated_text"}}};
}

/// Triton has no finish reason and no counts: an answer that is whole has stopped. The end of a stream is that of the answer.
RestOperation triton(const char* request) {
  const RestAnswer answer{.text = "/text_output", .id = "/id", .model = "/model_name"};
  return {.path = "/v2/models/{model}/generate",
          .request = request,
          .answer = answer,
          .stream = RestStream{.path = "/v2/models/{model}/generate_stream", .event = answer}};
}

/// The vLLM back end: what steers it are parameters, and it repeats the prompt unless told not to.
constexpr const char* kTritonVllm = R"({
  "text_input": {"$from": "/prompt"},
  "parameters": {
    "stream": {"$from": "/stream"},
    "max_tokens": {"$from": "/max_tokens"},
    "temperature": {"$from": "/temperature"},
    "top_p": {"$from": "/top_p"},
    "exclude_input_in_output": true
  }
})";

/// The TensorRT-LLM back end: what steers it are tensors. Its ensemble wants a bound on the answer.
constexpr const char* kTritonTensorRt = R"({
  "text_input": {"$from": "/prompt"},
  "max_tokens": {"$from": "/max_tokens", "default": 1024},
  "stop_words": {"$from": "/stop"},
  "temperature": {"$from": "/temperature"},
  "top_p": {"$from": "/top_p"},
  "top_k": {"$from": "/top_k"},
  "stream": {"$from": "/stream"}
})";

/// One output is asked for by name, so that it is the first.
constexpr const char* kInfer = R"({
  "inputs": [{"name": "text_input", "shape": [1], "datatype": "BYTES", "data": [{"$from": "/prompt"}]}],
  "outputs": [{"name": "text_output"}],
  "parameters": {
    "max_tokens": {"$from": "/max_tokens"},
    "temperature": {"$from": "/temperature"},
    "top_p": {"$from": "/top_p"},
    "exclude_input_in_output": true
  }
})";

RestOperation kserve() {
  return {.path = "/v2/models/{model}/infer",
          .request = kInfer,
          .answer = {.text = "/outputs/0/data/0", .id = "/id", .model = "/model_name"}};
}

RestOptions tei() {
  RestOptions out;
  out.embeddings = RestOperation{.path = "/embed", .request = R"({"inputs": {"$from": "/inputs"}})"};
  out.rerank = RestOperation{.path = "/rerank",
                             .request = R"({"query": {"$from": "/query"}, "texts": {"$from": "/documents"}, "truncate": {"$from": "/truncate"}})",
                             .answer = {.index = "/index", .score = "/score"}};
  return out;
}

/// Severities are 0, 2, 4 and 6. What is flagged is medium (4) and above, which is where its own filters begin.
RestOptions content_safety() {
  RestOptions out;
  out.moderations = RestOperation{
      .path = "/contentsafety/text:analyze?api-version=2024-09-01",
      .request = R"({"text": {"$from": "/input"}, "categories": ["Hate", "SelfHarm", "Sexual", "Violence"], "outputType": "FourSeverityLevels"})",
      .answer = {.list = "/categoriesAnalysis", .score = "/severity", .category = "/category", .scale = 6, .flagged_from = 0.5},
      .words = {{"Hate", "hate"}, {"SelfHarm", "self-harm"}, {"Sexual", "sexual"}, {"Violence", "violence"}}};
  return out;
}

using Row = std::pair<std::string_view, RestOptions>;

const std::array<Row, 6>& rows() {
  static const std::array<Row, 6> all{
      Row{"tgi-native", {.chat = tgi(kTgiChat), .completions = tgi(kTgiRequest)}},
      Row{"triton", {.chat = triton(kTritonVllm), .completions = triton(kTritonVllm)}},
      Row{"triton-tensorrt", {.chat = triton(kTritonTensorRt), .completions = triton(kTritonTensorRt)}},
      Row{"kserve", {.chat = kserve(), .completions = kserve()}},
      Row{"tei", tei()},
      Row{"azure-content-safety", content_safety()},
  };
  return all;
}

}  // namespace

const RestOptions* find_surface(std::string_view provider) noexcept {
  for (const Row& row : rows()) {
    if (row.first == provider) return &row.second;
  }
  return nullptr;
}

}  // namespace sluice::dialect
