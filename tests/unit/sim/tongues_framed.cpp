// Tongues with framings of their own: Gemini, Ollama, Bedrock. See tongues.hpp.
#include "unit/sim/tongue_reading.hpp"
#include "unit/sim/tongues.hpp"

namespace sluice::sim {
namespace {

// --- Gemini: events, and one array ---

engine::WireRequest ask_gemini(std::string_view operation, std::uint64_t max_tokens) {
  std::string body = R"({"contents":[{"role":"user","parts":[{"text":"Say hello, please."}]}])";
  if (max_tokens > 0) body += R"(,"generationConfig":{"maxOutputTokens":)" + std::to_string(max_tokens) + "}";
  return Rig::post("/v1beta/models/m:" + std::string(operation), body + "}");
}

engine::WireRequest ask_gemini_events(bool stream, std::uint64_t max_tokens) {
  return ask_gemini(stream ? "streamGenerateContent?alt=sse" : "generateContent", max_tokens);
}

engine::WireRequest ask_gemini_array(bool stream, std::uint64_t max_tokens) {
  return ask_gemini(stream ? "streamGenerateContent" : "generateContent", max_tokens);
}

void hear_gemini(const Value& root, Told& told) {
  const Value candidates = child(root, "/candidates");
  for (Value candidate = candidates.first(); candidate; candidate = candidate.next()) {
    const Value parts = child(candidate, "/content/parts");
    for (Value part = parts.first(); part; part = part.next()) {
      told.text += text(part, "/text");
      const Value call = child(part, "/functionCall");
      if (call) told.calls.push_back({text(call, "/id"), text(call, "/name"), compact(child(call, "/args"))});
    }
    if (const std::string reason = text(candidate, "/finishReason"); !reason.empty()) {
      told.reason = reason;
      ++told.ends;
    }
    told.refusal += text(candidate, "/finishMessage");
  }
  update(told.input, number(root, "/usageMetadata/promptTokenCount"));
  update(told.cached, number(root, "/usageMetadata/cachedContentTokenCount"));
  update(told.output, number(root, "/usageMetadata/candidatesTokenCount"));
  if (child(root, "/usageMetadata")) CHECK(number(root, "/usageMetadata/totalTokenCount") == told.input.value_or(0) + told.output.value_or(0));
  told.error += text(root, "/error/message");
}

Told whole_gemini(std::string_view body) {
  const Parsed parsed(body);
  Told told;
  if (parsed.document->root().is(Type::kArray)) {
    CHECK(parsed.document->root().size() == 1);
    hear_gemini(parsed.document->root().first(), told);
  } else {
    hear_gemini(parsed.document->root(), told);
  }
  told.ends = 0;
  return told;
}

Told stream_gemini_events(std::string_view bytes) {
  Told told;
  for (const std::string& event : events(bytes)) hear_gemini(Parsed(event).document->root(), told);
  return told;
}

Told stream_gemini_array(std::string_view bytes) {
  const Parsed parsed(bytes);
  REQUIRE(parsed.document->root().is(Type::kArray));
  Told told;
  for (Value element = parsed.document->root().first(); element; element = element.next()) hear_gemini(element, told);
  return told;
}

// --- Ollama ---

engine::WireRequest ask_ollama(bool stream, std::uint64_t max_tokens) {
  std::string body = R"({"model":"m","messages":[{"role":"user","content":"Say hello, please."}])";
  if (max_tokens > 0) body += R"(,"options":{"num_predict":)" + std::to_string(max_tokens) + "}";
  return Rig::post("/api/chat", body + (stream ? "}" : R"(,"stream":false})"));
}

void hear_ollama(const Value& root, Told& told) {
  told.text += text(root, "/message/content");
  const Value calls = child(root, "/message/tool_calls");
  for (Value call = calls.first(); call; call = call.next()) {
    CHECK(number(call, "/function/index") == static_cast<std::int64_t>(told.calls.size()));
    told.calls.push_back({text(call, "/id"), text(call, "/function/name"), compact(child(call, "/function/arguments"))});
  }
  if (child(root, "/done").boolean().value_or(false)) ++told.ends;
  told.reason += text(root, "/done_reason");
  update(told.input, number(root, "/prompt_eval_count"));
  update(told.output, number(root, "/eval_count"));
  told.error += text(root, "/error");
}

Told whole_ollama(std::string_view body) {
  Told told;
  hear_ollama(Parsed(body).document->root(), told);
  told.ends = 0;
  return told;
}

Told stream_ollama(std::string_view bytes) {
  Told told;
  for (const std::string& line : lines(bytes)) hear_ollama(Parsed(line).document->root(), told);
  return told;
}

// --- Bedrock ---

engine::WireRequest ask_bedrock(bool stream, std::uint64_t max_tokens) {
  std::string body = R"({"messages":[{"role":"user","content":[{"text":"Say hello, please."}]}])";
  if (max_tokens > 0) body += R"(,"inferenceConfig":{"maxTokens":)" + std::to_string(max_tokens) + "}";
  return Rig::post(stream ? "/model/m/converse-stream" : "/model/m/converse", body + "}");
}

void bedrock_usage(const Value& usage, Told& told) {
  if (!usage) return;
  told.cached = number(usage, "/cacheReadInputTokens").value_or(0);
  told.input = number(usage, "/inputTokens").value_or(0) + *told.cached;
  told.output = number(usage, "/outputTokens");
  CHECK(number(usage, "/totalTokens") == *told.input + told.output.value_or(0));
}

Told whole_bedrock(std::string_view body) {
  const Parsed parsed(body);
  const Value root = parsed.document->root();
  Told told;
  const Value content = child(root, "/output/message/content");
  for (Value block = content.first(); block; block = block.next()) {
    told.text += text(block, "/text");
    const Value use = child(block, "/toolUse");
    if (use) told.calls.push_back({text(use, "/toolUseId"), text(use, "/name"), compact(child(use, "/input"))});
  }
  told.reason = text(root, "/stopReason");
  bedrock_usage(child(root, "/usage"), told);
  told.error = text(root, "/message");
  return told;
}

Told stream_bedrock(std::string_view bytes) {
  Told told;
  std::int64_t closed = 0;
  for (const Frame& frame : frames(bytes)) {
    const Parsed parsed(frame.payload);
    const Value root = parsed.document->root();
    if (frame.message == "exception") told.error += text(root, "/message");
    if (frame.event == "contentBlockStart") {
      CHECK(number(root, "/contentBlockIndex") == static_cast<std::int64_t>(told.calls.size()));
      told.calls.push_back({text(root, "/start/toolUse/toolUseId"), text(root, "/start/toolUse/name"), {}});
    }
    if (frame.event == "contentBlockDelta") {
      told.text += text(root, "/delta/text");
      if (child(root, "/delta/toolUse")) told.calls.back().arguments += text(root, "/delta/toolUse/input");
    }
    if (frame.event == "contentBlockStop") CHECK(number(root, "/contentBlockIndex") == closed++);
    if (frame.event == "messageStop") CHECK(closed >= static_cast<std::int64_t>(told.calls.empty() && !told.text.empty() ? 1 : told.calls.size()));
    if (frame.event == "messageStop") told.reason = text(root, "/stopReason");
    if (frame.event == "metadata") {
      ++told.ends;
      bedrock_usage(child(root, "/usage"), told);
    }
  }
  for (Told::Call& call : told.calls) {
    if (told.ends == 1) call.arguments = arguments_of(call.arguments);
  }
  return told;
}

}  // namespace

std::vector<Tongue> tongues_of_other_framings() {
  return {
      {"gemini", ask_gemini_events, whole_gemini, stream_gemini_events, "STOP", "MAX_TOKENS", "STOP", "SAFETY", true, false},
      {"gemini array", ask_gemini_array, whole_gemini, stream_gemini_array, "STOP", "MAX_TOKENS", "STOP", "SAFETY", true, false},
      {"ollama", ask_ollama, whole_ollama, stream_ollama, "stop", "length", "stop", "stop", false, true, false},
      {"bedrock", ask_bedrock, whole_bedrock, stream_bedrock, "end_turn", "max_tokens", "tool_use", "content_filtered", false},
  };
}

}  // namespace sluice::sim
