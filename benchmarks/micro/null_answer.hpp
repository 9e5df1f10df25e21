#pragma once
/// What null transports answer: a chat as a whole, and an event of a stream that goes on and on until its last.

#include <string_view>

namespace sluice::bench {

constexpr std::string_view kAnswer =
    R"({"id":"chatcmpl-9f2c61","object":"chat.completion","created":1735689600,"model":"gpt-4o-2024-08-06","choices":[{"index":0,)"
    R"("message":{"role":"assistant","content":"A gateway routes, forwards, accounts and retries.","refusal":null},"logprobs":null,)"
    R"("finish_reason":"stop"}],"usage":{"prompt_tokens":412,"completion_tokens":9,"total_tokens":421},"system_fingerprint":"fp_1"})";
constexpr std::string_view kDelta =
    R"(data: {"id":"chatcmpl-9f2c61","object":"chat.completion.chunk","created":1735689600,"model":"gpt-4o-2024-08-06",)"
    R"("system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":" gateway"},"logprobs":null,"finish_reason":null}]})"
    "\n\n";
constexpr std::string_view kLast =
    R"(data: {"id":"chatcmpl-9f2c61","object":"chat.completion.chunk","created":1735689600,"model":"gpt-4o-2024-08-06",)"
    R"("system_fingerprint":"fp_1","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]})"
    "\n\ndata: [DONE]\n\n";

}  // namespace sluice::bench
