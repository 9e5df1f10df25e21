// OpenAI's clients: chat completions and responses.

#include <set>
#include <utility>

#include "integration/speech_reading.hpp"

namespace sluice::test::speaking {

// openai

Request ask_openai(const Ask& ask) {
  std::string body = R"({"model":)" + quoted(ask.model) + R"(,"messages":[)";
  if (!ask.system.empty()) body += R"({"role":"system","content":)" + quoted(ask.system) + "},";
  if (ask.image) {
    body += R"({"role":"user","content":[{"type":"text","text":)" + quoted(ask.user) +
            R"(},{"type":"image_url","image_url":{"url":"data:image/png;base64,)" + std::string(kPng) + "\"}}]}";
  } else {
    body += R"({"role":"user","content":)" + quoted(ask.user) + "}";
  }
  if (ask.history) {
    body += R"(,{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Rome\"}"}},)"
            R"({"id":"call_2","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Oslo\"}"}}]},)"
            R"({"role":"tool","tool_call_id":"call_1","content":"sunny in Rome"},{"role":"tool","tool_call_id":"call_2","content":"snow in Oslo"})";
  }
  body += "]";
  if (ask.tools || ask.history) body += "," + openai_tools();
  if (ask.max_tokens) body += R"(,"max_tokens":)" + std::to_string(*ask.max_tokens);
  if (ask.stream) body += R"(,"stream":true,"stream_options":{"include_usage":true})";
  return json_post("/v1/chat/completions", body + "}");
}

Heard hear_openai(std::string_view body, bool stream) {
  Heard out;
  if (!stream) {
    const auto document = parsed(body);
    if (!document) return out;
    const Value root = document->root();
    out.text = text(root, "/choices/0/message/content");
    out.thinking = text(root, "/choices/0/message/reasoning_content");
    for (Value call = at(root, "/choices/0/message/tool_calls").first(); call; call = call.next()) {
      out.calls.push_back({text(call, "/id"), text(call, "/function/name"), canonical_json(text(call, "/function/arguments"))});
    }
    out.finish = text(root, "/choices/0/finish_reason");
    out.input = number(root, "/usage/prompt_tokens");
    out.output = number(root, "/usage/completion_tokens");
    out.ended = text(root, "/object") == "chat.completion";
    return out;
  }
  std::vector<SpokenCall> calls;
  for (const Line& event : sse(body)) {
    ++out.events;
    if (event.data == "[DONE]") {
      out.ended = true;
      continue;
    }
    if (out.ended) out.mistake = "an event behind [DONE]";
    const auto document = parsed(event.data);
    if (!document) return out.mistake = "no JSON", out;
    const Value root = document->root();
    if (number(root, "/usage/prompt_tokens")) {
      out.input = number(root, "/usage/prompt_tokens");
      out.output = number(root, "/usage/completion_tokens");
    }
    out.text += text(root, "/choices/0/delta/content");
    out.thinking += text(root, "/choices/0/delta/reasoning_content");
    for (Value call = at(root, "/choices/0/delta/tool_calls").first(); call; call = call.next()) {
      const auto index = static_cast<std::size_t>(number(call, "/index").value_or(-1));
      if (index > calls.size()) return out.mistake = "a tool call's index leaves one out", out;
      if (index == calls.size()) calls.push_back({text(call, "/id"), text(call, "/function/name"), {}});
      calls[index].arguments += text(call, "/function/arguments");
    }
    if (const std::string finish = text(root, "/choices/0/finish_reason"); !finish.empty()) {
      if (!out.finish.empty()) out.mistake = "two finish reasons";
      out.finish = finish;
    }
  }
  for (SpokenCall& call : calls) call.arguments = canonical_json(call.arguments);
  out.calls = std::move(calls);
  return out;
}

// openai-responses

Request ask_responses(const Ask& ask) {
  std::string body = R"({"model":)" + quoted(ask.model);
  if (!ask.system.empty()) body += R"(,"instructions":)" + quoted(ask.system);
  body += R"(,"input":[{"role":"user","content":[{"type":"input_text","text":)" + quoted(ask.user) + "}";
  if (ask.image) body += R"(,{"type":"input_image","image_url":"data:image/png;base64,)" + std::string(kPng) + "\"}";
  body += "]}";
  if (ask.history) {
    body += R"(,{"type":"function_call","call_id":"call_1","name":"weather","arguments":"{\"city\":\"Rome\"}"},)"
            R"({"type":"function_call","call_id":"call_2","name":"weather","arguments":"{\"city\":\"Oslo\"}"},)"
            R"({"type":"function_call_output","call_id":"call_1","output":"sunny in Rome"},{"type":"function_call_output","call_id":"call_2","output":"snow in Oslo"})";
  }
  body += "]";
  if (ask.tools || ask.history) {
    body += R"(,"tools":[{"type":"function","name":"weather","description":"w","parameters":)" + std::string(kWeatherSchema) +
            R"(,"strict":false},{"type":"function","name":"clock","parameters":)" + std::string(kClockSchema) + R"(,"strict":false}])";
  }
  if (ask.max_tokens) body += R"(,"max_output_tokens":)" + std::to_string(*ask.max_tokens);
  if (ask.stream) body += R"(,"stream":true)";
  return json_post("/v1/responses", body + "}");
}

static void hear_response(Heard& out, const Value& response) {
  out.text.clear();
  out.thinking.clear();
  out.calls.clear();
  for (Value item = at(response, "/output").first(); item; item = item.next()) {
    const std::string type = text(item, "/type");
    if (type == "message") {
      for (Value part = at(item, "/content").first(); part; part = part.next()) out.text += text(part, "/text");
    } else if (type == "function_call") {
      out.calls.push_back({text(item, "/call_id"), text(item, "/name"), canonical_json(text(item, "/arguments"))});
    } else if (type == "reasoning") {
      for (Value part = at(item, "/summary").first(); part; part = part.next()) out.thinking += text(part, "/text");
      for (Value part = at(item, "/content").first(); part; part = part.next()) out.thinking += text(part, "/text");
    }
  }
  out.finish = text(response, "/status");
  out.input = number(response, "/usage/input_tokens");
  out.output = number(response, "/usage/output_tokens");
}

Heard hear_responses(std::string_view body, bool stream) {
  Heard out;
  if (!stream) {
    const auto document = parsed(body);
    if (!document) return out;
    hear_response(out, document->root());
    out.ended = text(document->root(), "/object") == "response";
    return out;
  }
  std::string said;
  std::int64_t last = -1;
  std::set<std::int64_t> open;                                 // items, by output_index
  std::set<std::pair<std::int64_t, std::string>> open_parts;  // by that and their own index
  for (const Line& event : sse(body)) {
    const auto document = parsed(event.data);
    if (!document) return out.mistake = "no JSON", out;
    const Value root = document->root();
    const std::string type = text(root, "/type");
    const std::int64_t output = number(root, "/output_index").value_or(-1);
    const auto part = std::pair(output, std::to_string(number(root, "/content_index").value_or(-1)) + "/" + std::to_string(number(root, "/summary_index").value_or(-1)));
    if (type.ends_with("part.added") && (!open.contains(output) || !open_parts.insert(part).second)) out.mistake = "a part without its item, or twice";
    if (type.ends_with("part.done") && open_parts.erase(part) == 0) out.mistake = "the end of no part";
    if (type == "response.output_item.added" && !open.insert(output).second) out.mistake = "an item twice";
    if (type == "response.output_item.done" && open.erase(output) == 0) out.mistake = "the end of no item";
    if ((type == "response.completed" || type == "response.incomplete") && !(open.empty() && open_parts.empty())) out.mistake = "an item or a part is still open";
    if (type != event.name) out.mistake = "an event's name is not its type: " + type;
    const std::int64_t numbered = number(root, "/sequence_number").value_or(-1);
    out.gaps = out.gaps || numbered != static_cast<std::int64_t>(out.events);
    if (numbered <= std::exchange(last, numbered)) out.mistake = "a sequence_number does not rise";
    ++out.events;
    if (out.ended) out.mistake = "something behind the terminal event";
    if (type == "response.output_text.delta") said += text(root, "/delta");
    if (type == "response.completed" || type == "response.incomplete" || type == "response.failed") {
      hear_response(out, at(root, "/response"));
      out.ended = true;
      if (out.text != said) out.mistake = "the deltas do not say what the terminal event says";
    }
  }
  if (!out.ended) out.text = said;
  return out;
}

}  // namespace sluice::test::speaking
