// Clients whose streams are named events: Anthropic's and Cohere's.

#include <utility>

#include "integration/speech_reading.hpp"

namespace sluice::test::speaking {

// anthropic

Request ask_anthropic(const Ask& ask) {
  std::string body = R"({"model":)" + quoted(ask.model) + R"(,"max_tokens":)" + std::to_string(ask.max_tokens.value_or(64));
  if (!ask.system.empty()) body += R"(,"system":)" + quoted(ask.system);
  body += R"(,"messages":[{"role":"user","content":[{"type":"text","text":)" + quoted(ask.user) + "}";
  if (ask.image) body += R"(,{"type":"image","source":{"type":"base64","media_type":"image/png","data":)" + quoted(kPng) + "}}";
  body += "]}";
  if (ask.history) {
    body += R"(,{"role":"assistant","content":[{"type":"tool_use","id":"call_1","name":"weather","input":{"city":"Rome"}},)"
            R"({"type":"tool_use","id":"call_2","name":"weather","input":{"city":"Oslo"}}]},{"role":"user","content":[)"
            R"({"type":"tool_result","tool_use_id":"call_1","content":"sunny in Rome"},{"type":"tool_result","tool_use_id":"call_2","content":[{"type":"text","text":"snow in Oslo"}]}]})";
  }
  body += "]";
  if (ask.tools || ask.history) {
    body += R"(,"tools":[{"name":"weather","description":"w","input_schema":)" + std::string(kWeatherSchema) +
            R"(},{"name":"clock","input_schema":)" + std::string(kClockSchema) + "}]";
  }
  if (ask.stream) body += R"(,"stream":true)";
  Request request = json_post("/v1/messages", body + "}");
  (void)request.headers.set("anthropic-version", "2023-06-01");
  return request;
}

Heard hear_anthropic(std::string_view body, bool stream) {
  Heard out;
  if (!stream) {
    const auto document = parsed(body);
    if (!document) return out;
    const Value root = document->root();
    for (Value block = at(root, "/content").first(); block; block = block.next()) {
      out.text += text(block, "/text");
      out.thinking += text(block, "/thinking");
      if (text(block, "/type") == "tool_use") out.calls.push_back({text(block, "/id"), text(block, "/name"), spelled(at(block, "/input"))});
    }
    out.finish = text(root, "/stop_reason");
    out.input = number(root, "/usage/input_tokens");
    out.output = number(root, "/usage/output_tokens");
    out.ended = text(root, "/type") == "message";
    return out;
  }
  std::int64_t block = -1;
  bool open = false, started = false;
  std::string kind;
  for (const Line& event : sse(body)) {
    ++out.events;
    const auto document = parsed(event.data);
    if (!document) return out.mistake = "no JSON", out;
    const Value root = document->root();
    const std::string type = text(root, "/type");
    if (type != event.name) out.mistake = "an event's name is not its type: " + type;
    if (type == "ping") continue;
    if (!started && type != "message_start" && type != "error") out.mistake = "something before message_start";
    if (out.ended) out.mistake = "something behind message_stop";
    if (type == "message_start") {
      if (started) out.mistake = "two starts";
      started = true;
      out.input = number(root, "/message/usage/input_tokens");
    } else if (type == "content_block_start") {
      if (open || number(root, "/index") != block + 1) out.mistake = "blocks are not one behind the other";
      ++block;
      open = true;
      kind = text(root, "/content_block/type");
      if (kind == "tool_use") out.calls.push_back({text(root, "/content_block/id"), text(root, "/content_block/name"), {}});
    } else if (type == "content_block_delta") {
      if (!open || number(root, "/index") != block) out.mistake = "a delta outside its block";
      out.text += text(root, "/delta/text");
      out.thinking += text(root, "/delta/thinking");
      if (kind == "tool_use") out.calls.back().arguments += text(root, "/delta/partial_json");
    } else if (type == "content_block_stop") {
      if (!open || number(root, "/index") != block) out.mistake = "a stop without its block";
      open = false;
    } else if (type == "message_delta") {
      if (open) out.mistake = "a block is still open";
      if (!out.finish.empty()) out.mistake = "two message_deltas";
      out.finish = text(root, "/delta/stop_reason");
      if (number(root, "/usage/input_tokens")) out.input = number(root, "/usage/input_tokens");
      out.output = number(root, "/usage/output_tokens");
    } else if (type == "message_stop") {
      out.ended = true;
    }
  }
  for (SpokenCall& call : out.calls) call.arguments = call.arguments.empty() ? "{}" : canonical_json(call.arguments);
  return out;
}

// cohere

Request ask_cohere(const Ask& ask) {
  std::string body = R"({"model":)" + quoted(ask.model) + R"(,"messages":[)";
  if (!ask.system.empty()) body += R"({"role":"system","content":)" + quoted(ask.system) + "},";
  if (ask.image) {
    body += R"({"role":"user","content":[{"type":"text","text":)" + quoted(ask.user) +
            R"(},{"type":"image_url","image_url":{"url":"data:image/png;base64,)" + std::string(kPng) + "\"}}]}";
  } else {
    body += R"({"role":"user","content":)" + quoted(ask.user) + "}";
  }
  if (ask.history) {
    body += R"(,{"role":"assistant","tool_plan":"I look.","tool_calls":[{"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Rome\"}"}},)"
            R"({"id":"call_2","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Oslo\"}"}}]},)"
            R"({"role":"tool","tool_call_id":"call_1","content":"sunny in Rome"},{"role":"tool","tool_call_id":"call_2","content":"snow in Oslo"})";
  }
  body += "]";
  if (ask.tools || ask.history) body += "," + openai_tools();
  if (ask.max_tokens) body += R"(,"max_tokens":)" + std::to_string(*ask.max_tokens);
  if (ask.stream) body += R"(,"stream":true)";
  return json_post("/v2/chat", body + "}");
}

Heard hear_cohere(std::string_view body, bool stream) {
  Heard out;
  if (!stream) {
    const auto document = parsed(body);
    if (!document) return out;
    const Value root = document->root();
    for (Value part = at(root, "/message/content").first(); part; part = part.next()) {
      out.text += text(part, "/text");
      out.thinking += text(part, "/thinking");
    }
    for (Value call = at(root, "/message/tool_calls").first(); call; call = call.next()) {
      out.calls.push_back({text(call, "/id"), text(call, "/function/name"), canonical_json(text(call, "/function/arguments"))});
    }
    out.finish = text(root, "/finish_reason");
    out.input = number(root, "/usage/tokens/input_tokens");
    out.output = number(root, "/usage/tokens/output_tokens");
    out.ended = !out.finish.empty();
    return out;
  }
  bool started = false;
  std::string open;  // the kind that has begun and not ended
  for (const Line& event : sse(body)) {
    ++out.events;
    if (event.data == "[DONE]") continue;
    const auto document = parsed(event.data);
    if (!document) return out.mistake = "no JSON", out;
    const Value root = document->root();
    const std::string type = text(root, "/type");
    if (!started && type != "message-start") out.mistake = "something before message-start";
    started = true;
    if (out.ended) out.mistake = "something behind message-end";
    for (const std::string kind : {"content", "tool-call", "citation"}) {
      if (type == kind + "-start" && !std::exchange(open, kind).empty()) out.mistake = "a start inside another";
      if (type == kind + "-end" && std::exchange(open, {}) != kind) out.mistake = "the end of nothing open";
    }
    if (type == "message-end" && !open.empty()) out.mistake = open + " is still open";
    out.text += text(root, "/delta/message/content/text");
    out.thinking += text(root, "/delta/message/content/thinking");
    if (type == "tool-call-start") {
      out.calls.push_back({text(root, "/delta/message/tool_calls/id"), text(root, "/delta/message/tool_calls/function/name"), {}});
    }
    if (type == "tool-call-start" || type == "tool-call-delta") {
      if (out.calls.empty()) return out.mistake = "arguments of no call", out;
      out.calls.back().arguments += text(root, "/delta/message/tool_calls/function/arguments");
    }
    if (type == "message-end") {
      out.finish = text(root, "/delta/finish_reason");
      out.input = number(root, "/delta/usage/tokens/input_tokens");
      out.output = number(root, "/delta/usage/tokens/output_tokens");
      out.ended = true;
    }
  }
  for (SpokenCall& call : out.calls) call.arguments = call.arguments.empty() ? "{}" : canonical_json(call.arguments);
  return out;
}

}  // namespace sluice::test::speaking
