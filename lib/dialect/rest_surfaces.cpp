// Surfaces of servers that speak no dialect of a provider's: a row of data each, as a configuration would say it.
// Sources: TGI's OpenAPI document; Triton's and KServe's descriptions of protocol version 2 and of the generate extension;
// the READMEs of Triton's back ends; TEI's and Azure AI Content Safety's API references.

#include <array>
#include <map>
#include <string>
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

// InvokeModel, by family. An answer's tokens stand in its head, where the answer has no place for them; a stream's, in its last event.

constexpr const char* kInvokePath = "/model/{model}/invoke";
constexpr const char* kInvokeStreamPath = "/model/{model}/invoke-with-response-stream";

/// The same on every stream, whoever made the model. Frames tell themselves by their content type.
RestStream invoke_stream(RestAnswer event) {
  event.input_tokens = "/amazon-bedrock-invocationMetrics/inputTokenCount";
  event.output_tokens = "/amazon-bedrock-invocationMetrics/outputTokenCount";
  return {.path = kInvokeStreamPath, .event = std::move(event)};
}

/// Rankings are Cohere's shape, whoever makes them.
RestAnswer ranking() { return {.list = "/results", .index = "/index", .score = "/relevance_score"}; }

constexpr const char* kTitanText = R"({
  "inputText": {"$from": "/prompt"},
  "textGenerationConfig": {
    "maxTokenCount": {"$from": "/max_tokens"},
    "temperature": {"$from": "/temperature"},
    "topP": {"$from": "/top_p"},
    "stopSequences": {"$from": "/stop"}
  }
})";

RestOptions bedrock_amazon() {
  const RestOperation text{.path = kInvokePath,
                           .request = kTitanText,
                           .answer = {.text = "/results/0/outputText", .finish = "/results/0/completionReason",
                                      .input_tokens = "/inputTextTokenCount", .output_tokens = "/results/0/tokenCount"},
                           .words = {{"FINISH", "stop"}, {"LENGTH", "length"}, {"STOP_CRITERIA_MET", "stop"}, {"CONTENT_FILTERED", "content_filter"}},
                           .stream = invoke_stream({.text = "/outputText", .finish = "/completionReason"})};
  RestOptions out{.chat = text, .completions = text};
  out.embeddings = RestOperation{.path = kInvokePath,
                                 .request = R"({"inputText": {"$from": "/one_input"}, "dimensions": {"$from": "/dimensions"}})",
                                 .answer = {.input_tokens = "/inputTextTokenCount", .list = "/embedding"}};
  out.rerank = RestOperation{.path = kInvokePath,
                             .request = R"({"query": {"$from": "/query"}, "documents": {"$from": "/documents"}, "top_n": {"$from": "/top_n"}})",
                             .answer = ranking()};
  return out;
}

/// Chats are Command R's, of which the conversation is one message by the model's template; completions are those of the
/// older Command. Vectors by type, so that both versions of Embed answer in one shape.
RestOptions bedrock_cohere() {
  const std::map<std::string, std::string> words{{"COMPLETE", "stop"}, {"STOP_SEQUENCE", "stop"}, {"MAX_TOKENS", "length"},
                                                 {"ERROR_TOXIC", "content_filter"}};
  RestOptions out;
  out.chat = RestOperation{.path = kInvokePath,
                           .request = R"({
  "message": {"$from": "/prompt"},
  "max_tokens": {"$from": "/max_tokens"},
  "temperature": {"$from": "/temperature"},
  "p": {"$from": "/top_p"},
  "k": {"$from": "/top_k"},
  "frequency_penalty": {"$from": "/frequency_penalty"},
  "presence_penalty": {"$from": "/presence_penalty"},
  "seed": {"$from": "/seed"},
  "stop_sequences": {"$from": "/stop"}
})",
                           .answer = {.text = "/text", .finish = "/finish_reason", .id = "/response_id"},
                           .words = words,
                           .stream = invoke_stream({.text = "/text", .finish = "/finish_reason"})};
  out.completions = RestOperation{.path = kInvokePath,
                                  .request = R"({
  "prompt": {"$from": "/prompt"},
  "max_tokens": {"$from": "/max_tokens"},
  "temperature": {"$from": "/temperature"},
  "p": {"$from": "/top_p"},
  "k": {"$from": "/top_k"},
  "stop_sequences": {"$from": "/stop"},
  "stream": {"$from": "/stream"}
})",
                                  .answer = {.text = "/generations/0/text", .finish = "/generations/0/finish_reason", .id = "/id"},
                                  .words = words,
                                  .stream = invoke_stream({.text = "/text", .finish = "/finish_reason"})};
  out.embeddings = RestOperation{.path = kInvokePath,
                                 .request = R"({
  "texts": {"$from": "/inputs"},
  "input_type": {"$from": "/input_type", "default": "search_document"},
  "output_dimension": {"$from": "/dimensions"},
  "embedding_types": ["float"]
})",
                                 .answer = {.id = "/id", .list = "/embeddings/float"}};
  out.rerank = RestOperation{.path = kInvokePath,
                             .request = R"({
  "api_version": 2,
  "query": {"$from": "/query"},
  "documents": {"$from": "/documents"},
  "top_n": {"$from": "/top_n"}
})",
                             .answer = ranking()};
  return out;
}

RestOptions bedrock_llama() {
  const RestOperation text{.path = kInvokePath,
                           .request = R"({
  "prompt": {"$from": "/prompt"},
  "max_gen_len": {"$from": "/max_tokens"},
  "temperature": {"$from": "/temperature"},
  "top_p": {"$from": "/top_p"}
})",
                           .answer = {.text = "/generation", .finish = "/stop_reason", .input_tokens = "/prompt_token_count",
                                      .output_tokens = "/generation_token_count"},
                           .stream = invoke_stream({.text = "/generation", .finish = "/stop_reason"})};
  return {.chat = text, .completions = text};
}

/// A family that takes prompts, and whose events read as its whole answers do.
RestOptions bedrock_prompts(const char* request, const RestAnswer& answer, std::map<std::string, std::string> words = {}) {
  const RestOperation text{.path = kInvokePath, .request = request, .answer = answer, .words = std::move(words), .stream = invoke_stream(answer)};
  return {.chat = text, .completions = text};
}

RestOptions bedrock_mistral() {
  return bedrock_prompts(R"({
  "prompt": {"$from": "/prompt"},
  "max_tokens": {"$from": "/max_tokens"},
  "temperature": {"$from": "/temperature"},
  "top_p": {"$from": "/top_p"},
  "top_k": {"$from": "/top_k"},
  "stop": {"$from": "/stop"}
})",
                         {.text = "/outputs/0/text", .finish = "/outputs/0/stop_reason"});
}

/// Anthropic's texts before it had messages. The form of the prompt is the server's own, which refuses others, so it stands here: a
/// system text before the first turn, and no blank behind the last word. A bound is wanted; this is the highest it takes.
RestOptions bedrock_anthropic_text() {
  RestOptions out = bedrock_prompts(R"({
  "prompt": {"$from": "/prompt"},
  "max_tokens_to_sample": {"$from": "/max_tokens", "default": 4096},
  "temperature": {"$from": "/temperature"},
  "top_p": {"$from": "/top_p"},
  "top_k": {"$from": "/top_k"},
  "stop_sequences": {"$from": "/stop"}
})",
                                    {.text = "/completion", .finish = "/stop_reason"}, {{"stop_sequence", "stop"}, {"max_tokens", "length"}});
  out.prompt = RestPrompt{.system = {.prefix = "\n\n"}, .user = {.prefix = "\n\nHuman: "}, .assistant = {.prefix = "\n\nAssistant: "},
                          .answer = "\n\nAssistant:"};
  return out;
}

/// DeepSeek-R1 is one model, so its template stands here: it begins to think where the prompt ends. Its thoughts and its answer
/// are one text, with `</think>` between them.
RestOptions bedrock_deepseek() {
  RestOptions out = bedrock_prompts(R"({
  "prompt": {"$from": "/prompt"},
  "max_tokens": {"$from": "/max_tokens"},
  "temperature": {"$from": "/temperature"},
  "top_p": {"$from": "/top_p"},
  "stop": {"$from": "/stop"}
})",
                                    {.text = "/choices/0/text", .finish = "/choices/0/stop_reason"});
  out.prompt = RestPrompt{.begin = "<｜begin▁of▁sentence｜>", .user = {.prefix = "<｜User｜>"},
                          .assistant = {.prefix = "<｜Assistant｜>", .suffix = "<｜end▁of▁sentence｜>"},
                          .answer = "<｜Assistant｜><think>\n"};
  return out;
}

RestOptions bedrock_nova_embeddings() {
  RestOptions out;
  out.embeddings = RestOperation{.path = kInvokePath,
                                 .request = R"({
  "taskType": "SINGLE_EMBEDDING",
  "singleEmbeddingParams": {
    "embeddingPurpose": "GENERIC_INDEX",
    "embeddingDimension": {"$from": "/dimensions"},
    "text": {"truncationMode": "NONE", "value": {"$from": "/one_input"}}
  }
})",
                                 .answer = {.list = "/embeddings", .vector = "/embedding"}};
  return out;
}

using Row = std::pair<std::string_view, RestOptions>;

const std::array<Row, 13>& rows() {
  static const std::array<Row, 13> all{
      Row{"tgi-native", {.chat = tgi(kTgiChat), .completions = tgi(kTgiRequest)}},
      Row{"triton", {.chat = triton(kTritonVllm), .completions = triton(kTritonVllm)}},
      Row{"triton-tensorrt", {.chat = triton(kTritonTensorRt), .completions = triton(kTritonTensorRt)}},
      Row{"kserve", {.chat = kserve(), .completions = kserve()}},
      Row{"tei", tei()},
      Row{"azure-content-safety", content_safety()},
      Row{"bedrock-amazon", bedrock_amazon()},
      Row{"bedrock-anthropic-text", bedrock_anthropic_text()},
      Row{"bedrock-cohere", bedrock_cohere()},
      Row{"bedrock-deepseek", bedrock_deepseek()},
      Row{"bedrock-llama", bedrock_llama()},
      Row{"bedrock-mistral", bedrock_mistral()},
      Row{"bedrock-nova-embeddings", bedrock_nova_embeddings()},
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
