// Tongues whose streams are events with names: Anthropic, OpenAI's responses, Cohere. See tongues.hpp.
#include "unit/sim/tongue_reading.hpp"
#include "unit/sim/tongues.hpp"

namespace sluice::sim {
namespace {

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
  std::size_t closed = 0;
  for (const std::string& event : events(bytes)) {
    const Parsed parsed(event);
    const Value root = parsed.document->root();
    const std::string type = text(root, "/type");
    const auto index = static_cast<std::size_t>(number(root, "/index").value_or(0));
    if (type == "message_start") anthropic_usage(child(root, "/message/usage"), told);
    if (type == "content_block_start") {
      CHECK(index == tools.size());
      CHECK(index == closed);  // one block after the other
      tools.push_back(text(root, "/content_block/type") == "tool_use");
      if (tools.back()) told.calls.push_back({text(root, "/content_block/id"), text(root, "/content_block/name"), {}});
    }
    if (type == "content_block_delta") {
      REQUIRE(index + 1 == tools.size());
      if (tools[index]) told.calls.back().arguments += text(root, "/delta/partial_json");
      else told.text += text(root, "/delta/text");
    }
    if (type == "content_block_stop") CHECK(index == closed++);
    if (type == "message_delta") {
      CHECK(closed == tools.size());
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
  std::vector<std::string> arguments, items;
  for (const std::string& event : events(bytes)) {
    const Parsed parsed(event);
    const Value root = parsed.document->root();
    const std::string type = text(root, "/type");
    const auto index = static_cast<std::size_t>(number(root, "/output_index").value_or(0));
    if (type == "response.output_text.delta") told.text += text(root, "/delta");
    if (type == "response.refusal.delta") told.refusal += text(root, "/delta");
    if (type == "response.output_item.added") {
      CHECK(index == arguments.size());
      CHECK(text(root, "/item/status") == "in_progress");
      arguments.emplace_back();
    }
    if (type == "response.output_item.done") items.push_back(compact(child(root, "/item")));
    if (type == "response.function_call_arguments.delta") arguments.at(index) += text(root, "/delta");
    if (type == "error") told.error += text(root, "/error/message");
    if (type == "response.completed" || type == "response.incomplete") {
      ++told.ends;
      const Value output = child(root, "/response/output");
      CHECK(output.size() == items.size());
      for (std::size_t i = 0; i < items.size(); ++i) CHECK(compact(output.element(i)) == items[i]);
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
  int open = 0;  // parts that were begun and not ended
  for (const std::string& event : events(bytes)) {
    if (event == "[DONE]") continue;
    const Parsed parsed(event);
    const Value root = parsed.document->root();
    const std::string type = text(root, "/type");
    if (type.ends_with("-start") && type != "message-start") CHECK(++open == 1);
    if (type == "content-end" || type == "tool-call-end") CHECK(--open == 0);
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
      if (told.reason != "ERROR") {
        CHECK(open == 0);
        ++told.ends;
      }
      cohere_usage(child(root, "/delta/usage"), told);
    }
  }
  for (Told::Call& call : told.calls) {
    if (told.ends == 1) call.arguments = arguments_of(call.arguments);
  }
  return told;
}

}  // namespace

std::vector<Tongue> tongues_of_named_events() {
  return {
      {"anthropic", ask_anthropic, whole_anthropic, stream_anthropic, "end_turn", "max_tokens", "tool_use", "refusal"},
      {"openai-responses", ask_responses, whole_responses, stream_responses, "completed", "incompletemax_output_tokens", "completed", "completed"},
      {"cohere", ask_cohere, whole_cohere, stream_cohere, "COMPLETE", "MAX_TOKENS", "TOOL_CALL", "COMPLETE", false},
  };
}

}  // namespace sluice::sim
