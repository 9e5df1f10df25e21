// The providers, a row each: those whose OpenAI-compatible surface the `openai` dialect serves as it is, and those that speak
// one of their own.
// A URL is what the operation's suffix (`/chat/completions`) is put behind; it was seen to work in recorded traffic, or
// is the default of the provider's own server.

#include "dialect/providers.hpp"

#include <array>

namespace sluice::dialect {
namespace {

using enum AuthStyle;

constexpr std::array kProviders{
    Provider{"openai", "OpenAI", "openai", "https://api.openai.com/v1", kBearer, kNoQuirk, "x-request-id"},
    // Any server that speaks the dialect: the configuration names it.
    Provider{"openai-compatible", "OpenAI-compatible", "openai", "", kBearer, kNoQuirk, "x-request-id"},

    // Hosted.
    Provider{"cerebras", "Cerebras", "openai", "https://api.cerebras.ai/v1", kBearer, kNoQuirk, "x-request-id"},
    Provider{"cohere", "Cohere", "cohere", "https://api.cohere.com/v2", kBearer, kNoQuirk, "x-debug-trace-id"},
    Provider{"deepseek", "DeepSeek", "openai", "https://api.deepseek.com/v1", kBearer, kNoQuirk, "x-ds-trace-id"},
    Provider{"fireworks", "Fireworks", "openai", "https://api.fireworks.ai/inference/v1", kBearer, kNoQuirk, "x-request-id"},
    Provider{"groq", "Groq", "openai", "https://api.groq.com/openai/v1", kBearer, kNoQuirk, "x-request-id"},
    Provider{"jina", "Jina", "jina", "https://api.jina.ai/v1", kBearer, kNoQuirk, "x-request-id"},
    // Refuses what it does not know with 422 extra_forbidden, stream_options among it; the last chunk of its streams
    // always states usage, so nothing is lost by not asking.
    Provider{"mistral", "Mistral", "openai", "https://api.mistral.ai/v1", kBearer, kRefusesStreamOptions,
             "mistral-correlation-id"},
    Provider{"openrouter", "OpenRouter", "openai", "https://openrouter.ai/api/v1", kBearer, kNoQuirk, "x-request-id"},
    // No /v1 in its paths.
    Provider{"perplexity", "Perplexity", "openai", "https://api.perplexity.ai", kBearer, kNoQuirk, "x-request-id"},
    Provider{"sambanova", "SambaNova", "openai", "https://api.sambanova.ai/v1", kBearer, kNoQuirk, "x-request-id"},
    Provider{"together", "Together", "openai", "https://api.together.xyz/v1", kBearer, kNoQuirk, "x-amzn-trace-id"},
    Provider{"venice", "Venice", "openai", "https://api.venice.ai/api/v1", kBearer, kNoQuirk, "x-request-id"},
    Provider{"voyage", "Voyage", "voyage", "https://api.voyageai.com/v1", kBearer, kNoQuirk, "x-request-id"},
    Provider{"xai", "xAI", "openai", "https://api.x.ai/v1", kBearer, kNoQuirk, "x-request-id"},

    // Self-hosted: the servers' own default ports, on this machine. A key is sent where the configuration has one.
    Provider{"llamacpp", "llama.cpp", "openai", "http://127.0.0.1:8080/v1", kBearer, kNoQuirk, "x-request-id"},
    Provider{"ollama", "Ollama", "openai", "http://127.0.0.1:11434/v1", kBearer, kNoQuirk, "x-request-id"},
    // The same server in its own dialect; a key is for those that stand behind a proxy, or for ollama.com.
    Provider{"ollama-native", "Ollama (native)", "ollama", "http://127.0.0.1:11434", kBearer, kNoQuirk, "x-request-id"},
    Provider{"vllm", "vLLM", "openai", "http://127.0.0.1:8000/v1", kBearer, kNoQuirk, "x-request-id"},

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

std::span<const Provider> providers() noexcept { return kProviders; }

}  // namespace sluice::dialect
