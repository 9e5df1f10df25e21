// The providers, a row each: those whose surface one of the dialects serves as it is.
// A URL is what the operation's suffix (`/chat/completions`) is put behind; it was seen to work in recorded traffic, or
// is the default of the provider's own server.

#include "dialect/providers.hpp"

#include <array>
#include <charconv>

#include "dialect/bedrock.hpp"
#include "dialect/rest.hpp"
#include "http/target.hpp"

namespace sluice::dialect {
namespace {

using enum AuthStyle;

/// Seen to be served beside chat in recorded traffic, or stated by the server's own documents (Groq, Ollama, vLLM).
constexpr std::string_view kResponses = "openai-responses";
constexpr std::string_view kBedrock = "https://bedrock-runtime.{region}.amazonaws.com", kAmazonId = "x-amzn-requestid";

constexpr std::array kProviders{
    Provider{"openai", "OpenAI", "openai", "https://api.openai.com/v1", kBearer, kOwnMembersOnly, "x-request-id", kResponses},
    // Any server that speaks the dialect: the configuration names it.
    Provider{"openai-compatible", "OpenAI-compatible", "openai", "", kBearer, kMaxTokens, "x-request-id", {},
             kEntraGrant | kServiceAccountGrant},

    // The classic surface: one deployment a path, and the version of the API in the query. The newer one under /openai/v1 is
    // provider openai-compatible's.
    Provider{"azure", "Azure OpenAI", "openai", "", kApiKeyHeader, kDeployments | kOwnMembersOnly, "apim-request-id", {}, kEntraGrant},

    // Anthropic's own, and its models on Azure, whose resource the configuration names (https://NAME.services.ai.azure.com/anthropic/v1).
    Provider{"anthropic", "Anthropic", "anthropic", "https://api.anthropic.com/v1", kXApiKeyHeader, kNoQuirk, "request-id"},
    Provider{"azure-anthropic", "Anthropic on Azure", "anthropic", "", kXApiKeyHeader, kNoQuirk, "apim-request-id", {}, kEntraGrant},

    // Azure AI Content Safety, whose resource the configuration names (https://NAME.cognitiveservices.azure.com).
    Provider{"azure-content-safety", "Azure AI Content Safety", kRest, "", kSubscriptionKeyHeader, kNoQuirk, "apim-request-id"},

    // Hosted.
    // With an API key of Bedrock's own, or signed (Upstream::aws). Converse first; then InvokeModel, which takes what a family of
    // models was made to take: Anthropic's messages, OpenAI's chats (gpt-oss, DeepSeek, Qwen, Jamba), Nova's messages, and what
    // rest_surfaces.cpp says. Recorded so, but for Nova's vectors and DeepSeek-R1 (AWS' documents).
    Provider{"bedrock", "AWS Bedrock", "bedrock", kBedrock, kBearer, kNoQuirk, kAmazonId, {}, kSigned},
    Provider{"bedrock-amazon", "Titan on AWS Bedrock", kRest, kBedrock, kBearer, kInvoked, kAmazonId, {}, kSigned},
    Provider{"bedrock-anthropic", "Anthropic on AWS Bedrock", "anthropic", kBedrock, kBearer, kInvoked, kAmazonId, {}, kSigned},
    Provider{"bedrock-anthropic-text", "Anthropic's older texts on AWS Bedrock", kRest, kBedrock, kBearer, kInvoked, kAmazonId, {}, kSigned},
    Provider{"bedrock-cohere", "Cohere on AWS Bedrock", kRest, kBedrock, kBearer, kInvoked, kAmazonId, {}, kSigned},
    Provider{"bedrock-deepseek", "DeepSeek-R1 on AWS Bedrock", kRest, kBedrock, kBearer, kInvoked, kAmazonId, {}, kSigned},
    Provider{"bedrock-llama", "Llama on AWS Bedrock", kRest, kBedrock, kBearer, kInvoked, kAmazonId, {}, kSigned},
    Provider{"bedrock-mistral", "Mistral on AWS Bedrock", kRest, kBedrock, kBearer, kInvoked, kAmazonId, {}, kSigned},
    Provider{"bedrock-nova", "Nova on AWS Bedrock", "bedrock", kBedrock, kBearer, kInvoked | kNovaBody, kAmazonId, {}, kSigned},
    Provider{"bedrock-nova-embeddings", "Nova's vectors on AWS Bedrock", kRest, kBedrock, kBearer, kInvoked, kAmazonId, {}, kSigned},
    Provider{"bedrock-openai", "OpenAI's dialect on AWS Bedrock", "openai", kBedrock, kBearer, kInvoked | kMaxTokens | kOwnMembersOnly, kAmazonId, {},
             kSigned},
    Provider{"cerebras", "Cerebras", "openai", "https://api.cerebras.ai/v1", kBearer, kNoQuirk, "x-request-id"},
    Provider{"cohere", "Cohere", "cohere", "https://api.cohere.com/v2", kBearer, kNoQuirk, "x-debug-trace-id"},
    Provider{"deepseek", "DeepSeek", "openai", "https://api.deepseek.com/v1", kBearer, kMaxTokens, "x-ds-trace-id", kResponses},
    Provider{"fireworks", "Fireworks", "openai", "https://api.fireworks.ai/inference/v1", kBearer, kMaxTokens, "x-request-id"},
    Provider{"gemini", "Gemini", "gemini", "https://generativelanguage.googleapis.com/v1beta", kGoogApiKeyHeader, kNoQuirk, ""},
    Provider{"groq", "Groq", "openai", "https://api.groq.com/openai/v1", kBearer, kOwnMembersOnly, "x-request-id", kResponses},
    // Models as `name:provider`; who hosts one answers in the same dialect, with words of its own where something is wrong.
    Provider{"huggingface", "Hugging Face", "openai", "https://router.huggingface.co/v1", kBearer, kMaxTokens, "x-request-id"},
    Provider{"jina", "Jina", "jina", "https://api.jina.ai/v1", kBearer, kNoQuirk, "x-request-id"},
    // Refuses what it does not know with 422 extra_forbidden, stream_options among it; the last chunk of its streams
    // always states usage, so nothing is lost by not asking. Ids: ^[a-zA-Z0-9]{9}$.
    Provider{"mistral", "Mistral", "openai", "https://api.mistral.ai/v1", kBearer,
             kRefusesStreamOptions | kMaxTokens | kShortToolIds | kRandomSeed | kKnownFieldsOnly | kNoDeveloperRole | kOwnMembersOnly,
             "mistral-correlation-id"},
    Provider{"openrouter", "OpenRouter", "openai", "https://openrouter.ai/api/v1", kBearer, kNoQuirk,
             "x-request-id", kResponses},
    // No /v1 in its paths.
    Provider{"perplexity", "Perplexity", "openai", "https://api.perplexity.ai", kBearer, kMaxTokens, "x-request-id"},
    Provider{"sambanova", "SambaNova", "openai", "https://api.sambanova.ai/v1", kBearer, kNoQuirk, "x-request-id"},
    Provider{"together", "Together", "openai", "https://api.together.xyz/v1", kBearer, kMaxTokens, "x-amzn-trace-id"},
    Provider{"venice", "Venice", "openai", "https://api.venice.ai/api/v1", kBearer, kNoQuirk, "x-request-id"},
    // Project and location stand in the path: https://{location}-aiplatform.googleapis.com/v1/projects/{project}/locations/
    // {location}/publishers/google.
    Provider{"vertex", "Vertex AI", "gemini", "", kBearer, kEmbedsByPredict | kCountsAtRoot, "", {}, kServiceAccountGrant},
    // Its Anthropic models, behind .../publishers/anthropic.
    Provider{"vertex-anthropic", "Anthropic on Vertex AI", "anthropic", "", kBearer, kBodyForVertex, "request-id", {}, kServiceAccountGrant},
    Provider{"voyage", "Voyage", "voyage", "https://api.voyageai.com/v1", kBearer, kNoQuirk, "x-request-id"},
    Provider{"xai", "xAI", "openai", "https://api.x.ai/v1", kBearer, kNoQuirk, "x-request-id", kResponses},

    // Self-hosted: the servers' own default ports, on this machine. A key is sent where the configuration has one.
    Provider{"llamacpp", "llama.cpp", "openai", "http://127.0.0.1:8080/v1", kBearer, kMaxTokens, "x-request-id", kResponses},
    Provider{"ollama", "Ollama", "openai", "http://127.0.0.1:11434/v1", kBearer, kMaxTokens, "x-request-id", kResponses},
    // The same server in its own dialect; a key is for those that stand behind a proxy, or for ollama.com.
    Provider{"ollama-native", "Ollama (native)", "ollama", "http://127.0.0.1:11434", kBearer, kNoQuirk, "x-request-id"},
    // Protocol version 2 of KServe, and what Triton has beside it; the newer of TGI's surfaces is OpenAI's. The configuration
    // brings the chat template of the model.
    Provider{"kserve", "KServe v2", kRest, "", kBearer, kNoQuirk, "x-request-id"},
    Provider{"tei", "TEI", kRest, "http://127.0.0.1:3000", kBearer, kNoQuirk, "x-request-id"},
    Provider{"tgi", "TGI", "openai", "http://127.0.0.1:3000/v1", kBearer, kMaxTokens, "x-request-id"},
    Provider{"tgi-native", "TGI (native)", kRest, "http://127.0.0.1:3000", kBearer, kNoQuirk, "x-request-id"},
    Provider{"triton", "Triton (vLLM)", kRest, "http://127.0.0.1:8000", kBearer, kNoQuirk, "x-request-id"},
    Provider{"triton-tensorrt", "Triton (TensorRT-LLM)", kRest, "http://127.0.0.1:8000", kBearer, kNoQuirk, "x-request-id"},
    Provider{"vllm", "vLLM", "openai", "http://127.0.0.1:8000/v1", kBearer, kNoQuirk, "x-request-id", kResponses},

    // Any server: the configuration says how it is spoken to (Upstream::rest).
    Provider{"custom", "Custom REST", kRest, "", kBearer, kNoQuirk, "x-request-id"},

    // Answers in process, without a network; the URL only names it in logs and events.
    Provider{"simulator", "Simulator", "openai", "http://simulator.invalid/v1", kNone, kNoQuirk, "x-request-id"},
};

}  // namespace

const Provider* find_provider(std::string_view name) noexcept {
  for (const Provider& provider : kProviders) {
    if (provider.name == name) return &provider;
  }
  return nullptr;
}

std::string base_url(const Provider& provider, std::string_view region) {
  constexpr std::string_view kRegion = "{region}";
  std::string url(provider.url);
  const std::size_t at = url.find(kRegion);
  if (at == std::string::npos) return url;
  return region.empty() ? std::string() : url.replace(at, kRegion.size(), region);
}

std::string invoke_target(const Sending& sending) {
  if (sending.operation != Operation::kChat) return {};
  return "/model/" + http::percent_encode(sending.model) + (sending.streaming ? "/invoke-with-response-stream" : "/invoke");
}

Error exception_error(std::string_view type, std::string_view data) { return bedrock_parts::exception_error(type, data); }

chat::Usage usage_in_head(const Headers& headers) {
  const auto count = [&headers](std::string_view name) -> std::optional<std::uint64_t> {
    const std::string_view text = headers.get(name).value_or("");
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(n) : std::nullopt;
  };
  chat::Usage out;
  out.input_tokens = count("x-amzn-bedrock-input-token-count");
  out.output_tokens = count("x-amzn-bedrock-output-token-count");
  return out;
}

std::span<const Provider> providers() noexcept { return kProviders; }

}  // namespace sluice::dialect
