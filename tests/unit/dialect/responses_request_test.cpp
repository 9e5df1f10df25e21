// Requests of the Responses API: into the canonical model, out of it, and to and from chat.

#include <catch2/catch.hpp>

#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::LossSeverity;
using chat::Operation;
using dialect::openai;
using dialect::openai_responses;
using test::canonical;
using test::parsed;

namespace {

chat::Request decoded(std::string_view body, const dialect::Dialect& from = openai_responses()) {
  const auto request = from.decode_request(parsed(body), Operation::kChat);
  if (!request) FAIL(request.error().message);
  return *request;
}

std::string encoded(const chat::Request& request, chat::LossReport& loss, const dialect::Dialect& to) {
  return to.encode_request(request, {.operation = request.operation}, loss);
}

std::string to_chat(std::string_view body, chat::LossReport& loss) { return encoded(decoded(body), loss, openai()); }
std::string from_chat(std::string_view body, chat::LossReport& loss) { return encoded(decoded(body, openai()), loss, openai_responses()); }

/// Both ways in the dialect itself.
std::string again(std::string_view body) {
  chat::LossReport loss;
  std::string out = encoded(decoded(body), loss, openai_responses());
  CHECK(loss.empty());
  return out;
}

std::optional<LossSeverity> severity_of(const chat::LossReport& loss, std::string_view field) {
  for (const chat::Loss& one : loss.entries()) {
    if (one.field == field) return one.severity;
  }
  return std::nullopt;
}

std::string json_at(std::string_view json, std::string_view pointer) {
  const auto document = parsed(json);
  const auto value = document.root().at(pointer);
  return value && *value ? std::string(value->raw()) : std::string();
}

}  // namespace

TEST_CASE("instructions become what the system says first, and stay instructions in their own dialect") {
  constexpr std::string_view body = R"({"model":"m","input":[{"type":"message","role":"user","content":"hi"}],"instructions":"be brief"})";
  chat::LossReport loss;
  CHECK(canonical(json_at(to_chat(body, loss), "/messages")) ==
        canonical(R"([{"role":"system","content":"be brief"},{"role":"user","content":"hi"}])"));
  CHECK(loss.worst() == LossSeverity::kNote);
  CHECK(canonical(again(body)) == canonical(R"({"model":"m","instructions":"be brief","input":[{"type":"message","role":"user","content":"hi"}],"store":false})"));
}

TEST_CASE("one string as input is one message of the user") {
  chat::LossReport loss;
  CHECK(canonical(to_chat(R"({"model":"m","input":"hi"})", loss)) == canonical(R"({"model":"m","messages":[{"role":"user","content":"hi"}]})"));
  CHECK(loss.empty());
}

TEST_CASE("an assistant's items in a row are one message of chat, and results are messages of tools") {
  constexpr std::string_view body = R"({"model":"m","input":[
    {"role":"user","content":"weather?"},
    {"type":"message","role":"assistant","content":[{"type":"output_text","text":"let me see","annotations":[]}]},
    {"type":"function_call","call_id":"a","name":"weather","arguments":"{\"c\":1}"},
    {"type":"function_call","call_id":"b","name":"weather","arguments":"{}"},
    {"type":"function_call_output","call_id":"a","output":"sun"},
    {"type":"function_call_output","call_id":"b","output":[{"type":"input_text","text":"rain"}]}]})";
  chat::LossReport loss;
  CHECK(canonical(json_at(to_chat(body, loss), "/messages")) == canonical(R"([
    {"role":"user","content":"weather?"},
    {"role":"assistant","content":"let me see","tool_calls":[
      {"id":"a","type":"function","function":{"name":"weather","arguments":"{\"c\":1}"}},
      {"id":"b","type":"function","function":{"name":"weather","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"a","content":"sun"},
    {"role":"tool","tool_call_id":"b","content":[{"type":"text","text":"rain"}]}])"));
  CHECK(loss.empty());
}

TEST_CASE("messages of chat become items in the order of their parts") {
  chat::LossReport loss;
  const std::string out = from_chat(R"({"model":"m","messages":[
    {"role":"developer","content":"be brief"},
    {"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}},
      {"type":"file","file":{"file_data":"data:application/pdf;base64,BB","filename":"a.pdf"}}]},
    {"role":"assistant","content":"ok","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":""}},
      {"id":"d","type":"custom","custom":{"name":"g","input":"x"}}]},
    {"role":"tool","tool_call_id":"c","content":"1"},{"role":"tool","tool_call_id":"d","content":"2"}]})", loss);
  CHECK(canonical(json_at(out, "/input")) == canonical(R"([
    {"type":"message","role":"developer","content":"be brief"},
    {"type":"message","role":"user","content":[{"type":"input_text","text":"look"},
      {"type":"input_image","image_url":"data:image/png;base64,AA","detail":"auto"},
      {"type":"input_file","file_data":"data:application/pdf;base64,BB","filename":"a.pdf"}]},
    {"type":"message","role":"assistant","content":"ok"},
    {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
    {"type":"custom_tool_call","call_id":"d","name":"g","input":"x"},
    {"type":"function_call_output","call_id":"c","output":"1"},
    {"type":"custom_tool_call_output","call_id":"d","output":"2"}])"));
  CHECK(loss.empty());
}

// DIAL-15
TEST_CASE("reasoning items come back to the byte in their own dialect, and are left out of chat") {
  constexpr std::string_view item =
      R"({"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"a\u00e9"},{"type":"summary_text","text":"b"}],"encrypted_content":"gAAA+/=\u0041","status":"completed"})";
  const std::string body = R"({"model":"m","input":[)" + std::string(item) + R"(,{"type":"function_call","id":"fc_1","call_id":"a","name":"f","arguments":"{}","status":"completed"}],"store":false})";
  const std::string out = again(body);
  CHECK(json_at(out, "/input/0/encrypted_content") == R"("gAAA+/=\u0041")");
  CHECK(json_at(out, "/input/0/summary") == json_at(body, "/input/0/summary"));
  CHECK(canonical(out) == canonical(body));

  chat::LossReport loss;
  CHECK(to_chat(body, loss).find("gAAA") == std::string::npos);
  CHECK(loss.first_at_least(LossSeverity::kSemantic) == nullptr);
  CHECK(loss.worst() == LossSeverity::kCosmetic);
}

// DIAL-15
TEST_CASE("signed and redacted thinking of another dialect goes through a client and comes back as it was") {
  chat::Message answer;
  chat::Turn& turn = answer.choices.emplace_back().turn;
  turn.parts.push_back({chat::Thinking{"hm", "SIG=="}});
  turn.parts.push_back({chat::Thinking{{}, {}, "RED=="}});
  turn.parts.push_back({chat::Text{"done"}});
  chat::LossReport loss;
  const std::string response = openai_responses().encode_answer(answer, {}, loss);
  const std::string body = R"({"model":"m","input":)" + json_at(response, "/output") + "}";
  const chat::Request request = decoded(body);
  REQUIRE(request.chat()->turns.size() == 1);
  const auto& parts = request.chat()->turns[0].parts;
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].as<chat::Thinking>()->text == "hm");
  CHECK(parts[0].as<chat::Thinking>()->signature == "SIG==");
  CHECK(parts[1].as<chat::Thinking>()->redacted == "RED==");
}

TEST_CASE("a function that does not say whether it is strict is so where its schema allows it") {
  constexpr std::string_view closed = R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false})";
  constexpr std::string_view open = R"({"type":"object","properties":{"a":{"type":"object","properties":{"b":{}}}},"required":["a"],"additionalProperties":false})";
  const std::string body = R"({"model":"m","input":"x","tools":[{"type":"function","name":"f","parameters":)" + std::string(closed) +
                           R"(},{"type":"function","name":"g","parameters":)" + std::string(open) + R"(},{"type":"function","name":"h","parameters":)" +
                           std::string(closed) + R"(,"strict":false}]})";
  chat::LossReport loss;
  const std::string out = to_chat(body, loss);
  CHECK(json_at(out, "/tools/0/function/strict") == "true");
  CHECK(json_at(out, "/tools/1/function/strict") == "false");
  CHECK(json_at(out, "/tools/2/function/strict") == "false");
  // All members have to be required, too.
  CHECK(json_at(to_chat(R"({"model":"m","input":"x","tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{"a":{},"b":{}},
    "required":["a"],"additionalProperties":false}}]})", loss), "/tools/0/function/strict") == "false");
  // Its own dialect still says nothing where nothing was said.
  const std::string own = again(body);
  CHECK(json_at(own, "/tools/0/strict").empty());
  CHECK(json_at(own, "/tools/2/strict") == "false");
}

TEST_CASE("a function of chat that does not say strict says that it is not") {
  chat::LossReport loss;
  const std::string out = from_chat(R"({"model":"m","messages":[{"role":"user","content":"x"}],
    "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}},{"type":"function","function":{"name":"g","strict":true}},
             {"type":"custom","custom":{"name":"c","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"d"}}}}],
    "tool_choice":{"type":"function","function":{"name":"f"}}})", loss);
  CHECK(json_at(out, "/tools/0/strict") == "false");
  CHECK(json_at(out, "/tools/1/strict") == "true");
  CHECK(json_at(out, "/tools/2/format") == R"({"type":"grammar","syntax":"lark","definition":"d"})");
  CHECK(json_at(out, "/tool_choice") == R"({"type":"function","name":"f"})");
  CHECK(loss.empty());
}

TEST_CASE("a grammar is nested for chat, and a choice among allowed tools is flat here") {
  chat::LossReport loss;
  constexpr std::string_view body = R"({"model":"m","input":"x","tools":[{"type":"custom","name":"c","format":{"type":"grammar","syntax":"regex","definition":"d"}}],
    "tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"custom","name":"c"}]}})";
  const std::string out = to_chat(body, loss);
  CHECK(json_at(out, "/tools/0/custom/format") == R"({"type":"grammar","grammar":{"syntax":"regex","definition":"d"}})");
  CHECK(canonical(json_at(out, "/tool_choice")) ==
        canonical(R"({"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"custom","custom":{"name":"c"}}]}})"));
  CHECK(json_at(again(body), "/tool_choice") == R"({"type":"allowed_tools","mode":"required","tools":[{"type":"custom","name":"c"}]})");
}

TEST_CASE("formats, effort and limits have other names in chat") {
  chat::LossReport loss;
  const std::string out = to_chat(R"({"model":"m","input":"x","max_output_tokens":9,"reasoning":{"effort":"low"},"top_logprobs":2,
    "include":["message.output_text.logprobs"],"text":{"verbosity":"high","format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true}}})", loss);
  CHECK(json_at(out, "/max_completion_tokens") == "9");
  CHECK(json_at(out, "/reasoning_effort") == R"("low")");
  CHECK(json_at(out, "/logprobs") == "true");
  CHECK(json_at(out, "/top_logprobs") == "2");
  CHECK(json_at(out, "/verbosity") == R"("high")");
  CHECK(canonical(json_at(out, "/response_format")) ==
        canonical(R"({"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"},"strict":true}})"));
  const std::string back = from_chat(out, loss);
  CHECK(json_at(back, "/max_output_tokens") == "16");  // the least that may be asked for
  CHECK(json_at(back, "/reasoning") == R"({"effort":"low"})");
  CHECK(json_at(back, "/include") == R"(["message.output_text.logprobs"])");
  CHECK(canonical(json_at(back, "/text")) == canonical(R"({"verbosity":"high","format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true}})"));
}

// DIAL-03
TEST_CASE("what a server of the Responses API keeps or runs itself is refused elsewhere, the rest is only noted") {
  chat::LossReport loss;
  (void)to_chat(R"({"model":"m","input":[{"role":"user","content":"x"},{"type":"item_reference","id":"msg_1"}],"previous_response_id":"resp_1","conversation":"conv_1",
    "background":true,"prompt":{"id":"p"},"tools":[{"type":"web_search"}],"store":true,"truncation":"auto","include":["reasoning.encrypted_content"]})", loss);
  CHECK(severity_of(loss, "previous_response_id") == LossSeverity::kSemantic);
  CHECK(severity_of(loss, "conversation") == LossSeverity::kSemantic);
  CHECK(severity_of(loss, "background") == LossSeverity::kSemantic);
  CHECK(severity_of(loss, "prompt") == LossSeverity::kSemantic);
  CHECK(severity_of(loss, "tools.web_search") == LossSeverity::kSemantic);
  CHECK(severity_of(loss, "messages[1].content[0]") == LossSeverity::kSemantic);
  CHECK(severity_of(loss, "truncation") == LossSeverity::kCosmetic);
  CHECK(severity_of(loss, "include") == LossSeverity::kCosmetic);

  chat::LossReport harmless;
  (void)to_chat(R"({"model":"m","input":"x","background":false})", harmless);
  CHECK(harmless.worst() == LossSeverity::kNote);
}

// DIAL-03
TEST_CASE("what the Responses API has no place for is on the report with its weight") {
  chat::LossReport loss;
  const std::string out = from_chat(R"({"model":"m","messages":[{"role":"user","name":"ann","content":"x"}],"n":2,"stop":["a"],"seed":1,"logit_bias":{"1":2},
    "prediction":{"type":"content","content":"y"},"modalities":["text","audio"],"audio":{"voice":"v","format":"wav"},"web_search_options":{},
    "user":"u","metadata":{"k":"v"},"prompt_cache_key":"p","top_k":3,"frequency_penalty":1,"presence_penalty":1})", loss);
  for (const char* field : {"n", "stop", "audio", "web_search_options"}) CHECK(severity_of(loss, field) == LossSeverity::kSemantic);
  for (const char* field : {"seed", "logit_bias", "prediction", "top_k", "messages[0].name"}) CHECK(severity_of(loss, field) == LossSeverity::kCosmetic);
  CHECK(loss.entries().size() == 9);
  CHECK(json_at(out, "/user") == R"("u")");
  CHECK(json_at(out, "/metadata") == R"({"k":"v"})");
  CHECK(json_at(out, "/prompt_cache_key") == R"("p")");
}

TEST_CASE("what comes from chat is not stored, and what goes on from a stored response still is") {
  chat::LossReport loss;
  CHECK(json_at(from_chat(R"({"model":"m","messages":[{"role":"user","content":"x"}]})", loss), "/store") == "false");
  CHECK(json_at(from_chat(R"({"model":"m","messages":[{"role":"user","content":"x"}],"store":true})", loss), "/store") == "true");
  CHECK(json_at(again(R"({"model":"m","input":"x","previous_response_id":"resp_1"})"), "/store").empty());
}

TEST_CASE("OpenAI's older functions get ids by name") {
  chat::LossReport loss;
  const std::string out = from_chat(R"({"model":"m","messages":[{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},
    {"role":"function","name":"f","content":"1"}],"functions":[{"name":"f","parameters":{}}],"function_call":{"name":"f"}})", loss);
  CHECK(json_at(out, "/input/0/call_id") == R"("f")");
  CHECK(json_at(out, "/input/1/call_id") == R"("f")");
  CHECK(json_at(out, "/tools/0/name") == R"("f")");
  CHECK(loss.worst() == LossSeverity::kNote);
}

TEST_CASE("messages in a row keep their ids, and one between calls and their results stays in that turn") {
  constexpr std::string_view body = R"({"model":"m","input":[
    {"type":"message","role":"assistant","id":"msg_1","status":"completed","phase":"commentary","content":[{"type":"output_text","text":"a","annotations":[]}]},
    {"type":"message","role":"assistant","id":"msg_2","content":[{"type":"output_text","text":"b","annotations":[]},{"type":"refusal","refusal":"no"}]},
    {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
    {"type":"message","role":"assistant","id":"msg_3","content":[{"type":"output_text","text":"c","annotations":[]}]},
    {"type":"function_call_output","call_id":"c","output":"1"}],"store":false})";
  CHECK(canonical(again(body)) == canonical(body));
  CHECK(decoded(body).chat()->turns.size() == 3);
}

TEST_CASE("what has no meaning is refused by name") {
  const auto refused = [](std::string_view body) {
    const auto request = openai_responses().decode_request(parsed(body), Operation::kChat);
    REQUIRE_FALSE(request);
    CHECK(request.error().code == Code::kInvalidParameter);
    return request.error().param;
  };
  CHECK(refused(R"({"input":5})") == "input");
  CHECK(refused(R"({"input":[{"role":"tool","content":"x"}]})") == "input[0].role");
  CHECK(refused(R"({"input":[{"role":"user","content":[{"type":"input_text"}]}]})") == "input[0].content[0].text");
  CHECK(refused(R"({"input":[{"type":"function_call_output","call_id":"c","output":1}]})") == "input[0].output");
  CHECK(refused(R"({"input":[{}]})") == "input[0].type");
  CHECK(refused(R"({"input":"x","instructions":[1]})") == "instructions");
  CHECK(refused(R"({"input":"x","tool_choice":"any"})") == "tool_choice");
  CHECK(refused(R"({"input":"x","max_output_tokens":-1})") == "max_output_tokens");
  CHECK(refused(R"({"input":"x","text":{"format":"json"}})") == "text.format");
}

// DIAL-26
TEST_CASE("a request to count tokens is its input alone") {
  const auto request = openai_responses().decode_request(parsed(R"({"model":"m","input":"x","instructions":"y"})"), Operation::kCountTokens);
  REQUIRE(request);
  chat::LossReport loss;
  CHECK(canonical(openai_responses().encode_request(*request, {.operation = Operation::kCountTokens}, loss)) ==
        canonical(R"({"model":"m","instructions":"y","input":[{"type":"message","role":"user","content":"x"}]})"));
}
