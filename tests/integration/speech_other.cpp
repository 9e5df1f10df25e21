// Gemini's, Ollama's and Bedrock's clients.

#include "integration/speech_reading.hpp"

namespace sluice::test::speaking {

// gemini

Request ask_gemini(const Ask& ask) {
  std::string body = R"({"contents":[{"role":"user","parts":[{"text":)" + quoted(ask.user) + "}";
  if (ask.image) body += R"(,{"inlineData":{"mimeType":"image/png","data":)" + quoted(kPng) + "}}";
  body += "]}";
  if (ask.history) {
    body += R"(,{"role":"model","parts":[{"functionCall":{"name":"weather","args":{"city":"Rome"}}},{"functionCall":{"name":"weather","args":{"city":"Oslo"}}}]},)"
            R"({"role":"user","parts":[{"functionResponse":{"name":"weather","response":{"result":"sunny in Rome"}}},)"
            R"({"functionResponse":{"name":"weather","response":{"result":"snow in Oslo"}}}]})";
  }
  body += "]";
  if (!ask.system.empty()) body += R"(,"systemInstruction":{"parts":[{"text":)" + quoted(ask.system) + "}]}";
  if (ask.tools || ask.history) {
    body += R"(,"tools":[{"functionDeclarations":[{"name":"weather","description":"w","parameters":)" + std::string(kWeatherSchema) +
            R"(},{"name":"clock","parameters":)" + std::string(kClockSchema) + "}]}]";
  }
  if (ask.max_tokens) body += R"(,"generationConfig":{"maxOutputTokens":)" + std::to_string(*ask.max_tokens) + "}";
  return json_post("/v1beta/models/" + ask.model + (ask.stream ? ":streamGenerateContent?alt=sse" : ":generateContent"), body + "}");
}

static void hear_gemini_part(Heard& out, const Value& root) {
  for (Value part = at(root, "/candidates/0/content/parts").first(); part; part = part.next()) {
    const Value thought = at(part, "/thought");
    (thought.is(Type::kBool) && *thought.boolean() ? out.thinking : out.text) += text(part, "/text");
    if (at(part, "/functionCall")) {
      const Value args = at(part, "/functionCall/args");
      out.calls.push_back({text(part, "/functionCall/id"), text(part, "/functionCall/name"), args ? spelled(args) : "{}"});
    }
  }
  if (const std::string finish = text(root, "/candidates/0/finishReason"); !finish.empty()) out.finish = finish;
  if (number(root, "/usageMetadata/promptTokenCount")) out.input = number(root, "/usageMetadata/promptTokenCount");
  const auto said = number(root, "/usageMetadata/candidatesTokenCount"), thought = number(root, "/usageMetadata/thoughtsTokenCount");
  if (said || thought) out.output = said.value_or(0) + thought.value_or(0);
}

Heard hear_gemini(std::string_view body, bool stream) {
  Heard out;
  if (!stream) {
    const auto document = parsed(body);
    if (!document) return out;
    hear_gemini_part(out, document->root());
    out.ended = !out.finish.empty();
    return out;
  }
  for (const Line& event : sse(body)) {
    ++out.events;
    const auto document = parsed(event.data);
    if (!document) return out.mistake = "no JSON", out;
    hear_gemini_part(out, document->root());
  }
  out.ended = !out.finish.empty();  // the dialect has no other end
  return out;
}

// ollama

Request ask_ollama(const Ask& ask) {
  std::string body = R"({"model":)" + quoted(ask.model) + R"(,"messages":[)";
  if (!ask.system.empty()) body += R"({"role":"system","content":)" + quoted(ask.system) + "},";
  body += R"({"role":"user","content":)" + quoted(ask.user);
  if (ask.image) body += R"(,"images":[)" + quoted(kPng) + "]";
  body += "}";
  if (ask.history) {
    body += R"(,{"role":"assistant","content":"","tool_calls":[{"function":{"name":"weather","arguments":{"city":"Rome"}}},{"function":{"name":"weather","arguments":{"city":"Oslo"}}}]},)"
            R"({"role":"tool","tool_name":"weather","content":"sunny in Rome"},{"role":"tool","tool_name":"weather","content":"snow in Oslo"})";
  }
  body += "]";
  if (ask.tools || ask.history) body += "," + openai_tools();
  if (ask.max_tokens) body += R"(,"options":{"num_predict":)" + std::to_string(*ask.max_tokens) + "}";
  body += ask.stream ? "" : R"(,"stream":false)";
  return json_post("/api/chat", body + "}");
}

Heard hear_ollama(std::string_view body, bool stream) {
  Heard out;
  while (!body.empty()) {
    const std::size_t end = stream ? std::min(body.find('\n'), body.size()) : body.size();
    const std::string_view line = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (line.empty()) continue;
    ++out.events;
    const auto document = parsed(line);
    if (!document) return out.mistake = "no JSON", out;
    if (out.ended) out.mistake = "something behind the last line";
    const Value root = document->root();
    out.text += text(root, "/message/content");
    out.thinking += text(root, "/message/thinking");
    for (Value call = at(root, "/message/tool_calls").first(); call; call = call.next()) {
      out.calls.push_back({text(call, "/id"), text(call, "/function/name"), spelled(at(call, "/function/arguments"))});
    }
    const Value done = at(root, "/done");
    if (!done.is(Type::kBool)) out.mistake = "a line does not say whether it is the last";
    if (done.is(Type::kBool) && *done.boolean()) {
      out.ended = true;
      out.finish = text(root, "/done_reason");
      out.input = number(root, "/prompt_eval_count");
      out.output = number(root, "/eval_count");
    }
  }
  if (!stream && out.events != 1) out.mistake = "not one object";
  return out;
}

// bedrock

Request ask_bedrock(const Ask& ask) {
  std::string body = R"({"messages":[{"role":"user","content":[{"text":)" + quoted(ask.user) + "}";
  if (ask.image) body += R"(,{"image":{"format":"png","source":{"bytes":)" + quoted(kPng) + "}}}";
  body += "]}";
  if (ask.history) {
    body += R"(,{"role":"assistant","content":[{"toolUse":{"toolUseId":"call_1","name":"weather","input":{"city":"Rome"}}},)"
            R"({"toolUse":{"toolUseId":"call_2","name":"weather","input":{"city":"Oslo"}}}]},{"role":"user","content":[)"
            R"({"toolResult":{"toolUseId":"call_1","content":[{"text":"sunny in Rome"}]}},{"toolResult":{"toolUseId":"call_2","content":[{"text":"snow in Oslo"}]}}]})";
  }
  body += "]";
  if (!ask.system.empty()) body += R"(,"system":[{"text":)" + quoted(ask.system) + "}]";
  if (ask.tools || ask.history) {
    body += R"(,"toolConfig":{"tools":[{"toolSpec":{"name":"weather","description":"w","inputSchema":{"json":)" + std::string(kWeatherSchema) +
            R"(}}},{"toolSpec":{"name":"clock","inputSchema":{"json":)" + std::string(kClockSchema) + "}}}]}";
  }
  if (ask.max_tokens) body += R"(,"inferenceConfig":{"maxTokens":)" + std::to_string(*ask.max_tokens) + "}";
  return json_post("/model/" + ask.model + (ask.stream ? "/converse-stream" : "/converse"), body + "}");
}

static std::uint32_t u32(std::string_view bytes, std::size_t from) {
  std::uint32_t n = 0;
  for (std::size_t i = 0; i < 4; ++i) n = n << 8 | static_cast<unsigned char>(bytes[from + i]);
  return n;
}

Heard hear_bedrock(std::string_view body, bool stream) {
  Heard out;
  const auto hear_usage = [&out](const Value& usage) {
    out.input = number(usage, "/inputTokens");
    out.output = number(usage, "/outputTokens");
  };
  if (!stream) {
    const auto document = parsed(body);
    if (!document) return out;
    const Value root = document->root();
    for (Value block = at(root, "/output/message/content").first(); block; block = block.next()) {
      out.text += text(block, "/text");
      out.thinking += text(block, "/reasoningContent/reasoningText/text");
      if (at(block, "/toolUse")) out.calls.push_back({text(block, "/toolUse/toolUseId"), text(block, "/toolUse/name"), spelled(at(block, "/toolUse/input"))});
    }
    out.finish = text(root, "/stopReason");
    hear_usage(at(root, "/usage"));
    out.ended = !out.finish.empty();
    return out;
  }
  bool stopped = false;
  while (body.size() >= 16) {
    const std::size_t total = u32(body, 0), headers = u32(body, 4);
    if (total > body.size() || headers + 16 > total) return out.mistake = "a frame is broken", out;
    const std::string_view head = body.substr(12, headers), payload = body.substr(12 + headers, total - headers - 16);
    body.remove_prefix(total);
    ++out.events;
    const auto document = parsed(payload);
    if (!document) return out.mistake = "no JSON", out;
    const Value root = document->root();
    const auto is = [head](std::string_view name) { return head.find(name) != std::string_view::npos; };
    if (is("contentBlockStart") && at(root, "/start/toolUse")) {
      out.calls.push_back({text(root, "/start/toolUse/toolUseId"), text(root, "/start/toolUse/name"), {}});
    } else if (is("contentBlockDelta")) {
      out.text += text(root, "/delta/text");
      out.thinking += text(root, "/delta/reasoningContent/text");
      if (at(root, "/delta/toolUse")) {
        if (out.calls.empty()) return out.mistake = "arguments of no call", out;
        out.calls.back().arguments += text(root, "/delta/toolUse/input");
      }
    } else if (is("messageStop")) {
      stopped = true;
      out.finish = text(root, "/stopReason");
    } else if (is("metadata")) {
      if (!stopped) out.mistake = "metadata before messageStop";
      hear_usage(at(root, "/usage"));
      out.ended = true;
    }
  }
  if (!body.empty()) out.mistake = "half a frame at the end";
  for (SpokenCall& call : out.calls) call.arguments = call.arguments.empty() ? "{}" : canonical_json(call.arguments);
  return out;
}

}  // namespace sluice::test::speaking
