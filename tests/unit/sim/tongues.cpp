// See tongues.hpp.
#include "unit/sim/tongues.hpp"

#include "unit/sim/rig.hpp"

namespace sluice::sim {
namespace {

using json::Type;
using json::Value;

std::string text(const Value& value) {
  std::string scratch;
  return value.is(Type::kString) ? std::string(value.text(scratch)) : std::string();
}

std::string text(const Value& object, std::string_view pointer) {
  const auto found = object.at(pointer);
  return found ? text(*found) : std::string();
}

std::optional<std::int64_t> number(const Value& object, std::string_view pointer) {
  const auto found = object.at(pointer);
  return found && *found ? found->integer() : std::nullopt;
}

Value child(const Value& object, std::string_view pointer) {
  const auto found = object.at(pointer);
  return found ? *found : Value{};
}

/// An object without white space between its tokens: some services print theirs over several lines.
std::string compact(const Value& object) {
  std::string out;
  bool quoted = false;
  const std::string_view raw = object.raw();
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (!quoted && (raw[i] == ' ' || raw[i] == '\n')) continue;
    if (raw[i] == '"' && (i == 0 || raw[i - 1] != '\\')) quoted = !quoted;
    out += raw[i];
  }
  return out;
}

/// Sets what is there and keeps what was.
void update(std::optional<std::int64_t>& known, std::optional<std::int64_t> now) {
  if (now) known = now;
}

std::string with_limit(std::string body, std::string_view key, std::uint64_t max_tokens) {
  if (max_tokens > 0) body.append(",\"").append(key).append("\":").append(std::to_string(max_tokens));
  return body;
}

// --- Anthropic ---

engine::WireRequest ask_anthropic(bool stream, std::uint64_t max_tokens) {
  const std::string body = with_limit(R"({"model":"m","messages":[{"role":"user","content":"Say hello, please."}])", "max_tokens",
                                      max_tokens == 0 ? 4096 : max_tokens);
  return Rig::post("/v1/messages", body + (stream ? R"(,"stream":true})" : "}"));
}

void anthropic_stop(const Value& object, Told& told) {
  if (const std::string reason = text(object, "/stop_reason"); !reason.empty()) told.reason = reason;
  told.refusal += text(object, "/stop_details/explanation");
}

void anthropic_usage(const Value& usage, Told& told) {
  if (!usage) return;
  update(told.cached, number(usage, "/cache_read_input_tokens"));
  update(told.output, number(usage, "/output_tokens"));
  const auto fresh = number(usage, "/input_tokens");
  if (fresh) told.input = *fresh + told.cached.value_or(0);
}

Told whole_anthropic(std::string_view body) {
  const Parsed parsed(body);
  const Value root = parsed.document->root();
  Told told;
  const Value content = child(root, "/content");
  for (Value block = content.first(); block; block = block.next()) {
    if (text(block, "/type") == "text") told.text += text(block, "/text");
    else told.calls.push_back({text(block, "/id"), text(block, "/name"), compact(child(block, "/input"))});
  }
  anthropic_stop(root, told);
  anthropic_usage(child(root, "/usage"), told);
  told.error = text(root, "/error/message");
  return told;
}

Told stream_anthropic(std::string_view bytes) {
  Told told;
  std::vector<bool> tools;
  for (const std::string& event : events(bytes)) {
    const Parsed parsed(event);
    const Value root = parsed.document->root();
    const std::string type = text(root, "/type");
    const auto index = static_cast<std::size_t>(number(root, "/index").value_or(0));
    if (type == "message_start") anthropic_usage(child(root, "/message/usage"), told);
    if (type == "content_block_start") {
      CHECK(index == tools.size());
      tools.push_back(text(root, "/content_block/type") == "tool_use");
      if (tools.back()) told.calls.push_back({text(root, "/content_block/id"), text(root, "/content_block/name"), {}});
    }
    if (type == "content_block_delta") {
      REQUIRE(index + 1 == tools.size());
      if (tools[index]) told.calls.back().arguments += text(root, "/delta/partial_json");
      else told.text += text(root, "/delta/text");
    }
    if (type == "message_delta") {
      anthropic_stop(child(root, "/delta"), told);
      anthropic_usage(child(root, "/usage"), told);
    }
    if (type == "message_stop") ++told.ends;
    told.error += text(root, "/error/message");
  }
  for (Told::Call& call : told.calls) {
    call.arguments = compact(Parsed(call.arguments.empty() ? "{}" : call.arguments).document->root());
  }
  return told;
}

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

// --- OpenAI's responses ---

engine::WireRequest ask_responses(bool stream, std::uint64_t max_tokens) {
  const std::string body = with_limit(R"({"model":"m","input":"Say hello, please.")", "max_output_tokens", max_tokens);
  return Rig::post("/v1/responses", body + (stream ? R"(,"stream":true})" : "}"));
}

void hear_response(const Value& root, Told& told) {
  const Value output = child(root, "/output");
  for (Value item = output.first(); item; item = item.next()) {
    if (text(item, "/type") == "message") {
      told.text += text(item, "/content/0/text");
      told.refusal += text(item, "/content/0/refusal");
    } else {
      const std::string arguments = text(item, "/arguments");
      told.calls.push_back({text(item, "/call_id"), text(item, "/name"), arguments.empty() ? "{}" : compact(Parsed(arguments).document->root())});
    }
  }
  told.reason = text(root, "/status") + text(root, "/incomplete_details/reason");
  update(told.input, number(root, "/usage/input_tokens"));
  update(told.cached, number(root, "/usage/input_tokens_details/cached_tokens"));
  update(told.output, number(root, "/usage/output_tokens"));
  told.error += text(root, "/error/message");
}

Told whole_responses(std::string_view body) {
  Told told;
  hear_response(Parsed(body).document->root(), told);
  return told;
}

Told stream_responses(std::string_view bytes) {
  Told told, last;
  std::vector<std::string> arguments;
  for (const std::string& event : events(bytes)) {
    const Parsed parsed(event);
    const Value root = parsed.document->root();
    const std::string type = text(root, "/type");
    const auto index = static_cast<std::size_t>(number(root, "/output_index").value_or(0));
    if (type == "response.output_text.delta") told.text += text(root, "/delta");
    if (type == "response.refusal.delta") told.refusal += text(root, "/delta");
    if (type == "response.output_item.added") {
      CHECK(index == arguments.size());
      arguments.emplace_back();
    }
    if (type == "response.function_call_arguments.delta") arguments.at(index) += text(root, "/delta");
    if (type == "error") told.error += text(root, "/error/message");
    if (type == "response.completed" || type == "response.incomplete") {
      ++told.ends;
      hear_response(child(root, "/response"), last);
    }
  }
  if (told.ends == 0) return told;
  CHECK(last.text == told.text);
  CHECK(last.refusal == told.refusal);
  for (std::size_t i = 0; i < last.calls.size(); ++i) {
    CHECK(compact(Parsed(arguments.at(i).empty() ? "{}" : arguments.at(i)).document->root()) == last.calls[i].arguments);
  }
  last.ends = told.ends;
  last.error = told.error;
  return last;
}

// --- Cohere ---

engine::WireRequest ask_cohere(bool stream, std::uint64_t max_tokens) {
  const std::string body = with_limit(R"({"model":"m","messages":[{"role":"user","content":"Say hello, please."}])", "max_tokens", max_tokens);
  return Rig::post("/v2/chat", body + (stream ? R"(,"stream":true})" : "}"));
}

void cohere_usage(const Value& usage, Told& told) {
  if (!usage) return;
  update(told.input, number(usage, "/tokens/input_tokens"));
  update(told.output, number(usage, "/tokens/output_tokens"));
  update(told.cached, number(usage, "/cached_tokens"));
}

std::string arguments_of(const std::string& text) { return compact(Parsed(text.empty() ? "{}" : text).document->root()); }

Told whole_cohere(std::string_view body) {
  const Parsed parsed(body);
  const Value root = parsed.document->root();
  Told told;
  const Value message = child(root, "/message");
  if (message.is(Type::kString)) {
    told.error = text(message);
    return told;
  }
  const Value content = child(message, "/content");
  for (Value part = content.first(); part; part = part.next()) told.text += text(part, "/text");
  const Value calls = child(message, "/tool_calls");
  for (Value call = calls.first(); call; call = call.next()) {
    told.calls.push_back({text(call, "/id"), text(call, "/function/name"), arguments_of(text(call, "/function/arguments"))});
  }
  told.reason = text(root, "/finish_reason");
  cohere_usage(child(root, "/usage"), told);
  told.error = text(root, "/error");
  return told;
}

Told stream_cohere(std::string_view bytes) {
  Told told;
  for (const std::string& event : events(bytes)) {
    if (event == "[DONE]") continue;
    const Parsed parsed(event);
    const Value root = parsed.document->root();
    const std::string type = text(root, "/type");
    if (type == "content-delta") told.text += text(root, "/delta/message/content/text");
    const Value call = child(root, "/delta/message/tool_calls");
    if (type == "tool-call-start") {
      CHECK(number(root, "/index") == static_cast<std::int64_t>(told.calls.size()));
      told.calls.push_back({text(call, "/id"), text(call, "/function/name"), text(call, "/function/arguments")});
    }
    if (type == "tool-call-delta") told.calls.back().arguments += text(call, "/function/arguments");
    if (type == "message-end") {
      told.error += text(root, "/delta/error");
      told.reason = text(root, "/delta/finish_reason");
      if (told.reason != "ERROR") ++told.ends;
      cohere_usage(child(root, "/delta/usage"), told);
    }
  }
  for (Told::Call& call : told.calls) {
    if (told.ends == 1) call.arguments = arguments_of(call.arguments);
  }
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

}  // namespace

std::vector<std::string> lines(std::string_view bytes) {
  std::vector<std::string> list;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    REQUIRE(end != std::string_view::npos);
    list.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
  }
  return list;
}

const std::vector<Tongue>& tongues() {
  static const std::vector<Tongue> all = {
      {"anthropic", ask_anthropic, whole_anthropic, stream_anthropic, "end_turn", "max_tokens", "tool_use", "refusal"},
      {"gemini", ask_gemini_events, whole_gemini, stream_gemini_events, "STOP", "MAX_TOKENS", "STOP", "SAFETY", true, false},
      {"gemini array", ask_gemini_array, whole_gemini, stream_gemini_array, "STOP", "MAX_TOKENS", "STOP", "SAFETY", true, false},
      {"openai-responses", ask_responses, whole_responses, stream_responses, "completed", "incompletemax_output_tokens", "completed", "completed"},
      {"cohere", ask_cohere, whole_cohere, stream_cohere, "COMPLETE", "MAX_TOKENS", "TOOL_CALL", "COMPLETE", false},
      {"ollama", ask_ollama, whole_ollama, stream_ollama, "stop", "length", "stop", "stop", false, true, false},
  };
  return all;
}

const Tongue& tongue(std::string_view name) {
  for (const Tongue& one : tongues()) {
    if (one.name == name) return one;
  }
  FAIL("there is no tongue '" << name << "'");
  return tongues().front();
}

}  // namespace sluice::sim
