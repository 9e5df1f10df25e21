// Bedrock's InvokeModel on the wire: Anthropic's messages, OpenAI's chats and Nova's messages in frames of AWS, the families
// that take prompts, vectors and rankings. Frames are the simulator's, which has no line in common with the reader of frames;
// their base64 is OpenSSL's.

#include <catch2/catch.hpp>

#include <openssl/evp.h>

#include <map>

#include "integration/dialect_speech.hpp"
#include "integration/rig.hpp"
#include "sim/aws_frame.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

std::string base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}
std::string chunk(std::string_view event) {
  return sim::aws_frame({{":event-type", "chunk"}, {":content-type", "application/json"}, {":message-type", "event"}},
                        R"({"bytes":")" + base64(event) + R"(","p":"abcdef"})");
}
std::string exception(std::string_view type, std::string_view words) {
  return sim::aws_frame({{":exception-type", type}, {":content-type", "application/json"}, {":message-type", "exception"}},
                        R"({"message":")" + std::string(words) + "\"}");
}

/// Chunks of these events, and `more` behind them, cut into pieces that end nowhere in particular.
Reply frames(const std::vector<std::string>& events, const std::string& more = {}, bool whole = true) {
  std::string bytes;
  for (const std::string& event : events) bytes += chunk(event);
  bytes += more;
  Reply reply = Reply::chunked("Content-Type: application/vnd.amazon.eventstream\r\n");
  for (std::size_t at = 0; at < bytes.size(); at += 37) reply.chunk(bytes.substr(at, 37));
  if (whole) {
    reply.end_chunks();
  } else {
    reply.then_close();
  }
  return reply;
}

const std::vector<std::string> kMessages{
    R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":7,"output_tokens":1}}})",
    R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})",
    R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}})",
    R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"lo"}})",
    R"({"type":"content_block_stop","index":0})",
    R"({"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":3}})",
    R"({"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":7,"outputTokenCount":3}})"};
const std::vector<std::string> kChunks{
    R"({"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-oss","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]})",
    R"({"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-oss","choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]})",
    R"({"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-oss","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})",
    R"({"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-oss","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}})"};
const std::vector<std::string> kNova{
    R"({"messageStart":{"role":"assistant"}})", R"({"contentBlockDelta":{"delta":{"text":"Hel"},"contentBlockIndex":0}})",
    R"({"contentBlockDelta":{"delta":{"text":"lo"},"contentBlockIndex":0}})", R"({"contentBlockStop":{"contentBlockIndex":0}})",
    R"({"messageStop":{"stopReason":"end_turn"}})",
    R"({"metadata":{"usage":{"inputTokens":7,"outputTokens":3},"metrics":{},"trace":{}},"amazon-bedrock-invocationMetrics":{"inputTokenCount":7,"outputTokenCount":3}})"};

std::string upstream(const FaultServer& server, const std::string& provider, const std::string& more = {}) {
  return R"({"name":"u","provider":")" + provider + R"(","url":"http://)" + server.authority() + "\"" + more + "}";
}

/// How a client asks, as bytes.
std::string asked(const Speech& caller, std::string model, bool stream) {
  const Request request = caller.ask({.model = std::move(model), .stream = stream});
  std::string fields;
  for (const HeaderField field : request.headers) {
    if (!same_name(field.name, "content-type")) fields.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  return post(request.target, request.body.view(), fields);
}

void check_hello(const Heard& heard, const std::string& finish) {
  CHECK(heard.mistake == "");
  CHECK(heard.text == "Hello");
  CHECK(heard.finish == finish);
  CHECK(heard.input == 7);
  CHECK(heard.output == 3);
  CHECK(heard.ended);
}

const std::string kOnce = R"(,"retry":{"attempts":1})";

}  // namespace

// DIAL-25
TEST_CASE("Anthropic's messages go through InvokeModel for whoever asks, in the framing the caller knows") {
  const auto threads = GENERATE(1u, 4u);
  const std::string name = GENERATE(as<std::string>(), "anthropic", "openai", "bedrock", "gemini");
  const Speech& caller = speech(name);
  FaultServer server;
  Live live(document(upstream(server, "bedrock-anthropic"), route_to("u", kOnce)), threads);
  server.on_request([](const RawRequest&) { return frames(kMessages); });
  const WireAnswer streamed = ask(live, asked(caller, "anthropic.claude-v1:0", true));
  CHECK(streamed.status == 200);
  check_hello(caller.hear(streamed.body, true), std::string(caller.stop));
  RawRequest seen = server.requests().back();
  CHECK(seen.target == "/model/anthropic.claude-v1%3A0/invoke-with-response-stream");
  CHECK(seen.body.find(R"("anthropic_version":"bedrock-2023-05-31")") != std::string::npos);
  CHECK(seen.body.find(R"("model")") == std::string::npos);
  CHECK(seen.body.find(R"("stream")") == std::string::npos);
  server.on_request([](const RawRequest&) { return json_reply(R"({"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":7,"output_tokens":3}})"); });
  check_hello(caller.hear(ask(live, asked(caller, "anthropic.claude-v1:0", false)).body, false), std::string(caller.stop));
  CHECK(server.requests().back().target == "/model/anthropic.claude-v1%3A0/invoke");
}

TEST_CASE("a caller of Anthropic's gets its events byte for byte, named, without the frames around them") {
  FaultServer server;
  Live live(document(upstream(server, "bedrock-anthropic"), route_to("u", kOnce)));
  server.on_request([](const RawRequest&) { return frames(kMessages); });
  const WireAnswer streamed = ask(live, asked(speech("anthropic"), "m", true));
  CHECK(streamed.field("content-type") == "text/event-stream");
  CHECK(streamed.body.find("event: content_block_delta\ndata: " + kMessages[2] + "\n\n") != std::string::npos);
  CHECK(streamed.body.find("event: message_stop\ndata: " + kMessages[6] + "\n\n") != std::string::npos);
}

TEST_CASE("OpenAI's chats go through InvokeModel, and their stream ends as OpenAI's clients expect it") {
  const auto threads = GENERATE(1u, 4u);
  const std::string name = GENERATE(as<std::string>(), "openai", "anthropic");
  const Speech& caller = speech(name);
  FaultServer server;
  Live live(document(upstream(server, "bedrock-openai"), route_to("u", kOnce)), threads);
  server.on_request([](const RawRequest&) { return frames(kChunks); });
  check_hello(caller.hear(ask(live, asked(caller, "openai.gpt-oss-20b-1:0", true)).body, true), std::string(caller.stop));
  CHECK(server.requests().back().target == "/model/openai.gpt-oss-20b-1%3A0/invoke-with-response-stream");
  CHECK(server.requests().back().body.find(R"("include_usage":true)") != std::string::npos);
  server.on_request([](const RawRequest&) { return json_reply(R"({"id":"c1","object":"chat.completion","created":1,"model":"gpt-oss","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}})"); });
  check_hello(caller.hear(ask(live, asked(caller, "openai.gpt-oss-20b-1:0", false)).body, false), std::string(caller.stop));
  CHECK(server.requests().back().target == "/model/openai.gpt-oss-20b-1%3A0/invoke");
  const WireAnswer vectors = ask(live, post("/v1/embeddings", R"({"model":"m","input":"a"})"));
  CHECK(vectors.status == 400);
  CHECK(error_code(vectors.body) == "unsupported_operation");
}

TEST_CASE("Nova's own body is Converse's without what Converse adds, and its events get their frames back") {
  const auto threads = GENERATE(1u, 4u);
  const std::string name = GENERATE(as<std::string>(), "bedrock", "openai");
  const Speech& caller = speech(name);
  FaultServer server;
  Live live(document(upstream(server, "bedrock-nova"), route_to("u", kOnce)), threads);
  server.on_request([](const RawRequest&) { return frames(kNova); });
  check_hello(caller.hear(ask(live, asked(caller, "amazon.nova-micro-v1:0", true)).body, true), std::string(caller.stop));
  const RawRequest seen = server.requests().back();
  CHECK(seen.target == "/model/amazon.nova-micro-v1%3A0/invoke-with-response-stream");
  CHECK(canonical_json(seen.body) == canonical_json(R"({"schemaVersion":"messages-v1","messages":[{"role":"user","content":[{"text":"Hello"}]}],"inferenceConfig":{"maxTokens":64}})"));
  server.on_request([](const RawRequest&) { return json_reply(R"({"output":{"message":{"content":[{"text":"Hello"}],"role":"assistant"}},"stopReason":"end_turn","usage":{"inputTokens":7,"outputTokens":3,"totalTokens":10}})"); });
  check_hello(caller.hear(ask(live, asked(caller, "amazon.nova-micro-v1:0", false)).body, false), std::string(caller.stop));
}

TEST_CASE("what Nova's own body has no place for is told by name, and what changes the answer is refused") {
  FaultServer server;
  server.on_request([](const RawRequest&) { return json_reply(R"({"output":{"message":{"content":[{"text":"Hello"}],"role":"assistant"}},"stopReason":"end_turn","usage":{"inputTokens":7,"outputTokens":3,"totalTokens":10}})"); });
  Live live(document(upstream(server, "bedrock-nova"), route_to("u", R"(,"expose_losses":true)")));
  const std::string turn = R"("messages":[{"role":"user","content":"Hello"}])";
  const WireAnswer steered = ask(live, post("/v1/chat/completions", R"({"model":"m","top_k":5,"reasoning_effort":"low","metadata":{"a":"b"},)" + turn + "}"));
  CHECK(steered.status == 200);
  CHECK(steered.field("x-sluice-losses").value_or("").find("metadata (cosmetic)") != std::string::npos);
  CHECK(canonical_json(server.requests().back().body) ==
        canonical_json(R"({"schemaVersion":"messages-v1","messages":[{"role":"user","content":[{"text":"Hello"}]}],"inferenceConfig":{"topK":5},"reasoningConfig":{"type":"enabled","maxReasoningEffort":"low"}})"));
  const WireAnswer bound = ask(live, post("/v1/chat/completions", R"({"model":"m","response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"type":"object"}}},)" + turn + "}"));
  CHECK(bound.status == 400);
  CHECK(error_code(bound.body) == "unsupported_parameter");
  const WireAnswer guarded = ask(live, post("/model/m/converse", R"({"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1"},"messages":[{"role":"user","content":[{"text":"Hello"}]}]})"));
  CHECK(guarded.status == 400);
  CHECK(guarded.body.find("guardrailConfig") != std::string::npos);
}

TEST_CASE("families that take prompts are spoken whole and streamed, their tokens read off the answer's head where it says none") {
  struct Family {
    std::string provider, request, whole, head;
    std::vector<std::string> events;
  };
  const std::string metrics = R"(,"amazon-bedrock-invocationMetrics":{"inputTokenCount":7,"outputTokenCount":3,"invocationLatency":1,"firstByteLatency":1}})";
  const std::string in_head = "x-amzn-bedrock-input-token-count: 7\r\nx-amzn-bedrock-output-token-count: 3\r\n";
  const auto family = GENERATE_COPY(values<Family>({
      {"bedrock-amazon", R"({"inputText":"Hi","textGenerationConfig":{"maxTokenCount":64,"stopSequences":["|"]}})",
       R"({"inputTextTokenCount":7,"results":[{"tokenCount":3,"outputText":"Hello","completionReason":"LENGTH"}]})", "",
       {R"({"outputText":"Hel","index":0,"totalOutputTextTokenCount":null,"completionReason":null,"inputTextTokenCount":7})",
        R"({"outputText":"lo","index":0,"totalOutputTextTokenCount":3,"completionReason":"LENGTH","inputTextTokenCount":null)" + metrics}},
      {"bedrock-cohere", R"({"message":"Hi","max_tokens":64,"stop_sequences":["|"]})",
       R"({"response_id":"r","text":"Hello","generation_id":"g","chat_history":[],"finish_reason":"MAX_TOKENS"})", in_head,
       {R"({"is_finished":false,"event_type":"text-generation","text":"Hel"})", R"({"is_finished":false,"event_type":"text-generation","text":"lo"})",
        R"({"is_finished":true,"event_type":"stream-end","finish_reason":"MAX_TOKENS","response":{"text":"Hello"})" + metrics}},
      {"bedrock-mistral", R"({"prompt":"Hi","max_tokens":64,"stop":["|"]})", R"({"outputs":[{"text":"Hello","stop_reason":"length"}]})", in_head,
       {R"({"outputs":[{"text":"Hel","stop_reason":null}]})", R"({"outputs":[{"text":"lo","stop_reason":"length"}])" + metrics}},
      {"bedrock-anthropic-text", R"({"prompt":"\n\nHuman: Hi\n\nAssistant:","max_tokens_to_sample":64,"stop_sequences":["|"]})",
       R"({"completion":"Hello","stop_reason":"max_tokens","stop":null})", in_head,
       {R"({"completion":"Hel","stop_reason":null,"stop":null})", R"({"completion":"lo","stop_reason":"max_tokens","stop":null)" + metrics}},
      {"bedrock-deepseek", R"({"prompt":"<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜><think>\n","max_tokens":64,"stop":["|"]})",
       R"({"choices":[{"text":"Hello","stop_reason":"length"}]})", in_head,
       {R"({"choices":[{"text":"Hel","stop_reason":null}]})", R"({"choices":[{"text":"lo","stop_reason":"length"}])" + metrics}},
  }));
  const auto threads = GENERATE(1u, 4u);
  INFO(family.provider);
  FaultServer server;
  Live live(document(upstream(server, family.provider), route_to("u", kOnce)), threads);
  const auto talk = [](bool stream) {
    return post("/v1/chat/completions", R"({"model":"m:0","max_tokens":64,"stop":["|"],"stream":)" + std::string(stream ? R"(true,"stream_options":{"include_usage":true})" : "false") + R"(,"messages":[{"role":"user","content":"Hi"}]})");
  };
  server.on_request([&](const RawRequest&) { return Reply::status(200, family.whole, "Content-Type: application/json\r\n" + family.head); });
  check_hello(speech("openai").hear(ask(live, talk(false)).body, false), "length");
  CHECK(server.requests().back().target == "/model/m%3A0/invoke");
  CHECK(canonical_json(server.requests().back().body) == canonical_json(family.request));
  server.on_request([&](const RawRequest&) { return frames(family.events); });
  check_hello(speech("openai").hear(ask(live, talk(true)).body, true), "length");
  CHECK(server.requests().back().target == "/model/m%3A0/invoke-with-response-stream");
  const Outcome outcome = live.outcomes().wait(2).back();
  CHECK(outcome.usage.input_tokens == 7u);
  CHECK(outcome.usage.output_tokens == 3u);
}

TEST_CASE("images and tools have no place in prompts of Anthropic's older texts and of DeepSeek-R1: they are refused") {
  const std::string provider = GENERATE(as<std::string>(), "bedrock-anthropic-text", "bedrock-deepseek");
  FaultServer server;
  server.on_request([](const RawRequest&) { return json_reply("{}", 500); });
  Live live(document(upstream(server, provider), route_to("u")));
  for (const std::string body : {R"({"model":"m","tools":[{"type":"function","function":{"name":"f"}}],"messages":[{"role":"user","content":"Hi"}]})",
                                 R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}]})"}) {
    const WireAnswer refused = ask(live, post("/v1/chat/completions", body));
    CHECK(refused.status == 400);
    CHECK(error_code(refused.body) == "unsupported_parameter");
  }
  CHECK(server.requests().empty());
}

TEST_CASE("Llama has no place for stop words: they are refused, not passed over") {
  FaultServer server;
  server.on_request([](const RawRequest&) { return json_reply(R"({"generation":"Hello","prompt_token_count":7,"generation_token_count":3,"stop_reason":"stop"})"); });
  Live live(document(upstream(server, "bedrock-llama"), route_to("u")));
  const auto talk = [&](const std::string& more) { return ask(live, post("/v1/chat/completions", R"({"model":"m","max_tokens":64)" + more + R"(,"messages":[{"role":"user","content":"Hi"}]})")); };
  check_hello(speech("openai").hear(talk("").body, false), "stop");
  CHECK(canonical_json(server.requests().back().body) == canonical_json(R"({"prompt":"Hi","max_gen_len":64})"));
  const WireAnswer refused = talk(R"(,"stop":["|"])");
  CHECK(refused.status == 400);
  CHECK(error_code(refused.body) == "unsupported_parameter");
  CHECK(refused.body.find("stop") != std::string::npos);
}

TEST_CASE("an exception in the stream is the error it stands for, in the caller's words, whatever the family speaks") {
  const std::string provider = GENERATE(as<std::string>(), "bedrock-anthropic", "bedrock-openai", "bedrock-nova", "bedrock-mistral");
  const std::map<std::string, std::vector<std::string>> events{{"bedrock-anthropic", kMessages}, {"bedrock-openai", kChunks}, {"bedrock-nova", kNova},
                                                               {"bedrock-mistral", {R"({"outputs":[{"text":"Hel","stop_reason":null}]})", R"({"outputs":[{"text":"lo","stop_reason":null}]})"}}};
  const std::string name = GENERATE(as<std::string>(), "openai", "anthropic", "bedrock");
  const Speech& caller = speech(name);
  INFO(provider << " for " << name);
  FaultServer server;
  Live live(document(upstream(server, provider), route_to("u", kOnce)));
  const std::vector<std::string> begun(events.at(provider).begin(), events.at(provider).begin() + (provider == "bedrock-anthropic" ? 3 : 2));
  server.on_request([&](const RawRequest&) { return frames(begun, exception("modelStreamErrorException", "the model stumbled")); });
  const WireAnswer late = ask(live, asked(caller, "m", true));
  CHECK(late.status == 200);
  CHECK(late.body.find("the model stumbled") != std::string::npos);
  CHECK_FALSE(caller.hear(late.body, true).ended);
  server.on_request([&](const RawRequest&) { return frames({}, exception("throttlingException", "too many")); });
  const WireAnswer early = ask(live, asked(caller, "m", true));
  CHECK(early.status == 429);
  CHECK(early.body.find("too many") != std::string::npos);
  server.on_request([&](const RawRequest&) { return frames(begun, {}, false); });
  CHECK_FALSE(caller.hear(ask(live, asked(caller, "m", true)).body, true).ended);
  server.on_request([&](const RawRequest&) { return frames(begun); });
  CHECK_FALSE(caller.hear(ask(live, asked(caller, "m", true)).body, true).ended);
}

TEST_CASE("a refused call is told with Bedrock's status and words") {
  FaultServer server;
  Live live(document(upstream(server, "bedrock-anthropic"), route_to("u", kOnce)));
  server.on_request([](const RawRequest&) { return Reply::status(403, R"({"message":"The security token included in the request is expired"})", "Content-Type: application/json\r\nx-amzn-errortype: ExpiredTokenException\r\n"); });
  for (const std::string_view name : {"anthropic", "openai"}) {
    const WireAnswer refused = ask(live, asked(speech(name), "m", true));
    CHECK(refused.status == 403);
    CHECK(refused.body.find("security token included in the request is expired") != std::string::npos);
  }
}

TEST_CASE("vectors and rankings go through InvokeModel, one text at a time where the model takes one") {
  FaultServer server;
  const auto embed = [](Live& live, const std::string& input, const std::string& more = {}) {
    return ask(live, post("/v1/embeddings", R"({"model":"m","input":)" + input + more + "}"));
  };
  Live titan(document(upstream(server, "bedrock-amazon"), route_to("u")));
  server.on_request([](const RawRequest&) { return json_reply(R"({"embedding":[0.5,-1],"embeddingsByType":{"float":[0.5,-1]},"inputTextTokenCount":4})"); });
  for (const std::string input : {R"("a")", R"(["a"])"}) {
    const WireAnswer one = embed(titan, input, R"(,"dimensions":256)");
    CHECK(one.body.find(R"("embedding":[0.5,-1])") != std::string::npos);
    CHECK(one.body.find(R"("prompt_tokens":4)") != std::string::npos);
    CHECK(canonical_json(server.requests().back().body) == canonical_json(R"({"inputText":"a","dimensions":256})"));
  }
  const WireAnswer two = embed(titan, R"(["a","b"])");
  CHECK(two.status == 400);
  CHECK(two.body.find("one text at a time") != std::string::npos);
  Live nova(document(upstream(server, "bedrock-nova-embeddings"), route_to("u")));
  server.on_request([](const RawRequest&) { return json_reply(R"({"embeddings":[{"embeddingType":"TEXT","embedding":[0.25]}]})"); });
  CHECK(embed(nova, R"("a")").body.find(R"("embedding":[0.25])") != std::string::npos);
  Live cohere(document(upstream(server, "bedrock-cohere"), route_to("u")));
  server.on_request([](const RawRequest&) { return Reply::status(200, R"({"id":"i","embeddings":{"float":[[1],[2]]},"response_type":"embeddings_by_type","texts":["a","b"]})", "Content-Type: application/json\r\nx-amzn-bedrock-input-token-count: 5\r\n"); });
  const WireAnswer both = embed(cohere, R"(["a","b"])");
  CHECK(both.body.find(R"("embedding":[2])") != std::string::npos);
  CHECK(both.body.find(R"("prompt_tokens":5)") != std::string::npos);
  CHECK(both.body.find(R"("total_tokens":5)") != std::string::npos);
  CHECK(canonical_json(server.requests().back().body) == canonical_json(R"({"texts":["a","b"],"input_type":"search_document","embedding_types":["float"]})"));
  server.on_request([](const RawRequest&) { return json_reply(R"({"results":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":0.1}]})"); });
  for (Live* live : {&cohere, &titan}) {
    const WireAnswer ranked = ask(*live, post("/v2/rerank", R"({"model":"m","query":"q","documents":["a","b"],"top_n":1})"));
    CHECK(ranked.body.find(R"("results":[{"index":1,"relevance_score":0.9}])") != std::string::npos);
    const bool versioned = live == &cohere;
    CHECK(canonical_json(server.requests().back().body) == canonical_json(std::string(R"({)") + (versioned ? R"("api_version":2,)" : "") + R"("query":"q","documents":["a","b"],"top_n":1})"));
  }
}

TEST_CASE("requests of every family are signed where the upstream has keys") {
  FaultServer server;
  ::setenv("SLUICE_TEST_INVOKE_ID", "AKIDEXAMPLE", 1);
  ::setenv("SLUICE_TEST_INVOKE_SECRET", "wJalrXUtnFEMI/K7MDENG", 1);
  const std::string keys = R"(,"aws":{"region":"us-east-1","access_key_id":{"env":"SLUICE_TEST_INVOKE_ID"},"secret_access_key":{"env":"SLUICE_TEST_INVOKE_SECRET"}})";
  const std::string provider = GENERATE(as<std::string>(), "bedrock-anthropic", "bedrock-llama", "bedrock-nova");
  server.on_request([](const RawRequest&) { return json_reply("{}", 500); });
  Live live(document(upstream(server, provider, keys), route_to("u", kOnce)));
  (void)ask(live, asked(speech("openai"), "m", false));
  CHECK(server.requests().back().header("authorization").value_or("").starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"));
}
