// Requests between the Anthropic dialect and others: what is carried, what is done in its place, what is told as lost.

#include <catch2/catch.hpp>

#include "dialect/providers.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::LossSeverity;
using chat::Operation;
using dialect::anthropic;
using dialect::openai;
using test::canonical;
using test::parsed;

namespace {

struct Translated {
  std::string json;
  chat::LossReport loss;

  [[nodiscard]] const chat::Loss* lost(std::string_view field) const {
    for (const chat::Loss& loss_of : loss.entries()) {
      if (loss_of.field == field) return &loss_of;
    }
    return nullptr;
  }
  [[nodiscard]] LossSeverity severity(std::string_view field) const {
    const chat::Loss* const found = lost(field);
    INFO(field);
    REQUIRE(found);
    return found->severity;
  }
};

Translated translated(const dialect::Dialect& from, const dialect::Dialect& to, std::string_view body, std::string_view model = {},
                      Operation operation = Operation::kChat, std::uint32_t quirks = 0) {
  const auto document = parsed(body);
  auto request = from.decode_request(document, operation);
  INFO(body);
  if (!request) FAIL(request.error().message);
  Translated out;
  out.json = to.encode_request(*request, {.operation = operation, .model = model, .quirks = quirks}, out.loss);
  (void)parsed(out.json);
  return out;
}
Translated from_openai(std::string_view body, std::string_view model = {}) { return translated(openai(), anthropic(), body, model); }
Translated to_openai(std::string_view body) { return translated(anthropic(), openai(), body); }
/// One member of a request made from an OpenAI chat with these members beside a message.
std::string member(std::string_view members, std::string_view pointer, std::string_view model = "claude-sonnet-4-5") {
  const std::string body = R"({"model":"m","max_tokens":9000,"messages":[{"role":"user","content":"hi"}],)" + std::string(members) + "}";
  const Translated out = from_openai(body, model);
  const auto document = parsed(out.json);
  const auto value = document.root().at(pointer);
  REQUIRE(value);
  return *value ? canonical(*value) : "";
}

}  // namespace

// DIAL-01
TEST_CASE("a conversation with system, parallel calls and their results becomes messages that alternate") {
  const Translated out = from_openai(R"({"model":"m","max_tokens":5,"messages":[
    {"role":"system","content":"Be brief."},
    {"role":"user","content":"Weather?"},
    {"role":"assistant","content":null,"tool_calls":[
      {"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
      {"id":"call_2","type":"function","function":{"name":"g","arguments":""}}]},
    {"role":"tool","tool_call_id":"call_1","content":"sun"},
    {"role":"tool","tool_call_id":"call_2","content":"rain"},
    {"role":"user","content":"And?"}]})", "claude-x");
  CHECK(canonical(out.json) == canonical(R"({"model":"claude-x","max_tokens":5,"system":"Be brief.","messages":[
    {"role":"user","content":"Weather?"},
    {"role":"assistant","content":[{"type":"tool_use","id":"call_1","name":"f","input":{"a":1}},{"type":"tool_use","id":"call_2","name":"g","input":{}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":"sun"},
                              {"type":"tool_result","tool_use_id":"call_2","content":"rain"},{"type":"text","text":"And?"}]}]})"));
  CHECK(out.loss.empty());
}

TEST_CASE("turns that Anthropic's servers refuse are put right, and it is told") {
  struct Row {
    std::string messages, expected, field;
  };
  const auto row = GENERATE(values<Row>({
      // Two of a user make one.
      {R"([{"role":"user","content":"a"},{"role":"user","content":"b"}])",
       R"([{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}])", "messages[1]"},
      // A system turn inside is said as the user's.
      {R"([{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"system","content":"c"},{"role":"user","content":"d"}])",
       R"([{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":[{"type":"text","text":"c"},{"type":"text","text":"d"}]}])",
       "messages[2]"},
      // The user begins.
      {R"([{"role":"assistant","content":"a"},{"role":"user","content":"b"}])",
       R"([{"role":"user","content":[{"type":"text","text":"."}]},{"role":"assistant","content":"a"},{"role":"user","content":"b"}])", "messages[0]"},
      // Empty texts are no blocks, and turns of nothing else no turns.
      {R"([{"role":"user","content":"a"},{"role":"assistant","content":" "},{"role":"user","content":[{"type":"text","text":""},{"type":"text","text":"b"}]}])",
       R"([{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}])", "messages[2].content[1]"},
      // An answer that is begun does not end in blanks.
      {R"([{"role":"user","content":"a"},{"role":"assistant","content":"b \n"}])",
       R"([{"role":"user","content":"a"},{"role":"assistant","content":"b"}])", "messages[1]"},
      // Ids of another alphabet are rewritten, in the call and in its result.
      {R"([{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"f:0","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"f:0","content":"r"}])",
       R"([{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use","id":"f_0_7c26090b","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"f_0_7c26090b","content":"r"}]}])",
       ""},
      // The older functions have no ids: they are given some, and the result finds its call.
      {R"([{"role":"user","content":"a"},{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"r"}])",
       R"([{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1_0","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1_0","content":"r"}]}])",
       ""},
      // What tools gave back goes before what the user said meanwhile.
      {R"([{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"user","content":"b"},{"role":"tool","tool_call_id":"c","content":"r"}])",
       R"([{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"r"},{"type":"text","text":"b"}]}])",
       "messages[3]"},
      // What is no object is put into one.
      {R"([{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\""}}]}])",
       R"([{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{"input":"{\"a\""}}]}])", ""},
  }));
  const Translated out = from_openai(R"({"model":"m","max_tokens":5,"messages":)" + row.messages + "}");
  const auto document = parsed(out.json);
  CHECK(canonical(*document.root().find("messages")) == canonical(row.expected));
  if (!row.field.empty()) CHECK(out.severity(row.field) == LossSeverity::kNote);
}

TEST_CASE("images and files are carried as data, address or Anthropic's own file") {
  const Translated out = from_openai(R"({"model":"m","max_tokens":5,"messages":[{"role":"user","content":[
    {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},
    {"type":"image_url","image_url":{"url":"https://x/y.png","detail":"low"}},
    {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0="}},
    {"type":"file","file":{"filename":"b.txt","file_data":"data:text/plain;base64,aMOp"}}]}]})");
  const auto document = parsed(out.json);
  CHECK(canonical(*document.root().at("/messages/0/content")) == canonical(R"([
    {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},
    {"type":"image","source":{"type":"url","url":"https://x/y.png"}},
    {"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="},"title":"a.pdf"},
    {"type":"document","source":{"type":"text","media_type":"text/plain","data":"h\u00e9"},"title":"b.txt"}])"));
  CHECK(out.severity("messages[0].content[1].detail") == LossSeverity::kCosmetic);
}

// DIAL-03
TEST_CASE("what Anthropic's models cannot be given is told, and forbids sending where it matters") {
  struct Row {
    std::string members, field;
    LossSeverity severity;
  };
  const auto row = GENERATE(values<Row>({
      {R"("n":2)", "n", LossSeverity::kSemantic},
      {R"("logprobs":true)", "logprobs", LossSeverity::kSemantic},
      {R"("modalities":["text","audio"],"audio":{"voice":"v","format":"wav"})", "audio", LossSeverity::kSemantic},
      {R"("tools":[{"type":"web_search"}])", "tools.web_search", LossSeverity::kSemantic},
      {R"("tools":[{"type":"custom","custom":{"name":"c"}}])", "tools.c", LossSeverity::kSemantic},
      {R"("response_format":{"type":"grammar","grammar":"x"})", "response_format", LossSeverity::kSemantic},
      {R"("web_search_options":{})", "web_search_options", LossSeverity::kSemantic},
      {R"("seed":1)", "seed", LossSeverity::kCosmetic},
      {R"("logit_bias":{"1":2})", "logit_bias", LossSeverity::kCosmetic},
      {R"("frequency_penalty":1)", "frequency_penalty", LossSeverity::kCosmetic},
      {R"("presence_penalty":1)", "presence_penalty", LossSeverity::kCosmetic},
      {R"("store":true)", "store", LossSeverity::kCosmetic},
      {R"("metadata":{"a":"b"})", "metadata", LossSeverity::kCosmetic},
      {R"("service_tier":"flex")", "service_tier", LossSeverity::kCosmetic},
      {R"("verbosity":"low")", "verbosity", LossSeverity::kCosmetic},
      {R"("prediction":{"type":"content","content":"x"})", "prediction", LossSeverity::kCosmetic},
      {R"("safety_identifier":"s")", "safety_identifier", LossSeverity::kCosmetic},
      {R"("stop":" ")", "stop", LossSeverity::kCosmetic},
      {R"("temperature":1.5)", "temperature", LossSeverity::kNote},
      {R"("response_format":{"type":"json_object"})", "response_format", LossSeverity::kNote},
  }));
  const Translated out = from_openai(R"({"model":"m","max_tokens":5,"messages":[{"role":"user","content":"hi"}],)" + row.members + "}");
  CHECK(out.severity(row.field) == row.severity);
  CHECK(out.loss.worst() == row.severity);
}

TEST_CASE("content that Anthropic's models cannot be given forbids sending") {
  const auto part = GENERATE(as<std::string>{}, R"({"type":"input_audio","input_audio":{"data":"AA","format":"wav"}})",
                             R"({"type":"file","file":{"file_id":"file-abc"}})", R"({"type":"video_url","video_url":{"url":"u"}})",
                             R"({"type":"file","file":{"filename":"a.docx","file_data":"data:application/msword;base64,AA"}})");
  const Translated out = from_openai(R"({"model":"m","max_tokens":5,"messages":[{"role":"user","content":[{"type":"text","text":"a"},)" + part + "]}]}");
  CHECK(out.severity("messages[0].content[1]") == LossSeverity::kSemantic);
}

TEST_CASE("a bound that no caller set is set and told") {
  const Translated out = from_openai(R"({"model":"m","messages":[{"role":"user","content":"hi"}]})");
  CHECK(canonical(*parsed(out.json).root().find("max_tokens")) == "4096");
  CHECK(out.severity("max_tokens") == LossSeverity::kNote);
  CHECK(out.loss.entries().size() == 1);
}

TEST_CASE("settings have their places") {
  CHECK(member(R"("stop":["a"," ","b"])", "/stop_sequences") == R"(["a","b",])");
  CHECK(member(R"("temperature":0.5)", "/temperature") == "0.5");
  CHECK(member(R"("temperature":2)", "/temperature") == "1");
  CHECK(member(R"("top_p":0.5)", "/top_p") == "0.5");
  CHECK(member(R"("top_k":5)", "/top_k") == "5");
  CHECK(member(R"("user":"u")", "/metadata") == R"({user_id:"u",})");
  CHECK(member(R"("stream":true)", "/stream") == "true");
  CHECK(member(R"("service_tier":"default")", "/service_tier") == R"("standard_only")");
}

TEST_CASE("tools and the choice among them are said in Anthropic's words") {
  const std::string tools = R"("tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{"a":{}}},"strict":true}},{"type":"function","function":{"name":"g"}},{"type":"function","function":{"name":"h","parameters":{"properties":{}}}}],)";
  CHECK(member(tools + R"("tool_choice":"auto")", "/tools") ==
        canonical(R"([{"name":"f","description":"d","input_schema":{"type":"object","properties":{"a":{}}},"strict":true},{"name":"g","input_schema":{"type":"object","properties":{}}},{"name":"h","input_schema":{"type":"object","properties":{}}}])"));
  CHECK(member(tools + R"("tool_choice":"auto")", "/tool_choice") == canonical(R"({"type":"auto"})"));
  CHECK(member(tools + R"("tool_choice":"none")", "/tool_choice") == canonical(R"({"type":"none"})"));
  CHECK(member(tools + R"("tool_choice":"required")", "/tool_choice") == canonical(R"({"type":"any"})"));
  CHECK(member(tools + R"("tool_choice":{"type":"function","function":{"name":"f"}})", "/tool_choice") == canonical(R"({"type":"tool","name":"f"})"));
  CHECK(member(tools + R"("parallel_tool_calls":false)", "/tool_choice") == canonical(R"({"type":"auto","disable_parallel_tool_use":true})"));
  CHECK(member(tools + R"("parallel_tool_calls":true)", "/tool_choice").empty());
  CHECK(member(tools + R"("tool_choice":"required","parallel_tool_calls":false)", "/tool_choice") == canonical(R"({"type":"any","disable_parallel_tool_use":true})"));
  const std::string allowed = tools + R"("tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"g"}}]}})";
  CHECK(member(allowed, "/tools") == canonical(R"([{"name":"g","input_schema":{"type":"object","properties":{}}}])"));
  CHECK(member(allowed, "/tool_choice") == canonical(R"({"type":"any"})"));
  // Without tools there is nothing to choose.
  CHECK(member(R"("tool_choice":"auto")", "/tool_choice").empty());
}

TEST_CASE("an effort becomes what the model has in its place") {
  struct Row {
    std::string model, members, thinking, effort;
  };
  const auto row = GENERATE(values<Row>({
      {"claude-3-5-sonnet-20241022", R"("reasoning_effort":"high")", "", ""},
      {"claude-3-7-sonnet-20250219", R"("reasoning_effort":"low")", R"({"type":"enabled","budget_tokens":2048})", ""},
      {"claude-sonnet-4-20250514", R"("reasoning_effort":"medium")", R"({"type":"enabled","budget_tokens":8192})", ""},
      // Half of 9000 is left to the answer.
      {"claude-opus-4-1@20250805", R"("reasoning_effort":"high")", R"({"type":"enabled","budget_tokens":4500})", ""},
      {"anthropic.claude-haiku-4-5-20251001-v1:0", R"("reasoning_effort":"minimal")", R"({"type":"enabled","budget_tokens":1024})", ""},
      {"claude-sonnet-4-6", R"("reasoning_effort":"high")", R"({"type":"adaptive"})", "\"high\""},
      {"claude-sonnet-4-6", R"("reasoning_effort":"xhigh")", R"({"type":"adaptive"})", "\"high\""},
      {"claude-opus-4-7", R"("reasoning_effort":"xhigh")", R"({"type":"adaptive"})", "\"xhigh\""},
      {"claude-opus-4-7", R"("reasoning_effort":"minimal")", R"({"type":"adaptive"})", "\"low\""},
      {"claude-opus-4-7", R"("reasoning_effort":"none")", R"({"type":"disabled"})", ""},
      {"my-own-name", R"("reasoning_effort":"medium")", R"({"type":"adaptive"})", "\"medium\""},
      // A call that is forced is made without thinking.
      {"claude-sonnet-4-5", R"("reasoning_effort":"low","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required")", "", ""},
  }));
  INFO(row.model << " " << row.members);
  const std::string thinking = row.thinking.empty() ? "" : canonical(row.thinking);
  CHECK(member(row.members, "/thinking", row.model) == thinking);
  CHECK(member(row.members, "/output_config/effort", row.model) == row.effort);
}

TEST_CASE("a model that thinks because it was asked to chooses its own temperature") {
  CHECK(member(R"("reasoning_effort":"low","temperature":0.2,"top_k":4)", "/temperature").empty());
  CHECK(member(R"("reasoning_effort":"low","temperature":0.2,"top_k":4)", "/top_k").empty());
  CHECK(member(R"("reasoning_effort":"none","temperature":0.2)", "/temperature") == "0.20000000000000001");
}

TEST_CASE("thinking leaves room for the answer, or is left out") {
  const auto body = [](std::string_view bound) {
    return R"({"model":"m","messages":[{"role":"user","content":"hi"}],"reasoning_effort":"high")" + std::string(bound) + "}";
  };
  CHECK(canonical(*parsed(from_openai(body(""), "claude-opus-4-1").json).root().find("max_tokens")) == std::to_string(4096 + 16384));
  const Translated small = from_openai(body(R"(,"max_tokens":1500)"), "claude-opus-4-1");
  CHECK_FALSE(*parsed(small.json).root().find("thinking"));
  CHECK(small.severity("reasoning_effort") == LossSeverity::kCosmetic);
}

TEST_CASE("a strict schema is Anthropic's own format where the model has it, and any other an instruction") {
  const std::string schema = R"({"type":"object","additionalProperties":false,"properties":{}})";
  const std::string strict = R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":)" + schema + R"(,"strict":true}})";
  const std::string loose = R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":)" + schema + "}}";
  CHECK(member(strict, "/output_config/format") == canonical(R"({"type":"json_schema","schema":)" + schema + "}"));
  CHECK(member(strict, "/system").empty());
  for (const auto& [members, model] : {std::pair{strict, "claude-3-7-sonnet-20250219"}, std::pair{loose, "claude-sonnet-4-5"}}) {
    CHECK(member(members, "/output_config", model).empty());
    CHECK(member(members, "/system", model).find("additionalProperties") != std::string::npos);
  }
  CHECK(member(R"("response_format":{"type":"json_object"})", "/system").find("JSON object") != std::string::npos);
  CHECK(member(R"("response_format":{"type":"text"})", "/system").empty());
}

// DIAL-15, DIAL-16
TEST_CASE("what only Anthropic understands goes through the model of a request to the byte") {
  const std::string body = R"({"model":"m","max_tokens":5,"cache_control":{"type":"ephemeral"},"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}],"messages":[)"
      R"({"role":"user","content":[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"h\u00e9"},"title":"t","citations":{"enabled":true}},{"type":"text","text":"q","cache_control":{"type":"ephemeral","scope":"x"}}]},)"
      R"({"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"S=="},{"type":"redacted_thinking","data":"R=="},{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"q":"x"}},)"
      R"({"type":"tool_use","id":"toolu_1","name":"f","input":{"a":1.50},"cache_control":{"type":"ephemeral"}}]},)"
      R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","is_error":true,"content":[{"type":"text","text":"r"},{"type":"image","source":{"type":"file","file_id":"file_1"}}]}]},)"
      R"({"role":"system","content":"mid"}],)"
      R"("tools":[{"type":"web_search_20250305","name":"web_search","max_uses":2},{"type":"custom","name":"f","input_schema":{"type":"object"},"defer_loading":true,"cache_control":{"type":"ephemeral"}}],)"
      R"("tool_choice":{"type":"auto","disable_parallel_tool_use":false},"thinking":{"type":"adaptive","display":"omitted"},"output_config":{"effort":"high","format":{"type":"json_schema","schema":{"type":"object"}},"task_budget":1},)"
      R"("context_management":{"edits":[]},"mcp_servers":[],"container":"c","service_tier":"standard_only","metadata":{"user_id":"u"},"stop_sequences":["x"],"stream":true})";
  const Translated out = translated(anthropic(), anthropic(), body, "m");
  CHECK(canonical(out.json) == canonical(body));
  CHECK(out.loss.empty());
  CHECK(out.json.find(R"("a":1.50)") != std::string::npos);
}

TEST_CASE("each kind of thinking and each effort of Anthropic's own comes back as it was said") {
  const auto member_said = GENERATE(as<std::string>{}, R"("thinking":{"type":"enabled","budget_tokens":2000})", R"("thinking":{"type":"disabled"})",
                                    R"("thinking":{"type":"adaptive"})", R"("output_config":{"effort":"low"})",
                                    R"("output_config":{"effort":"low"},"thinking":{"type":"disabled"})",
                                    R"("output_config":{"effort":"max"},"thinking":{"type":"enabled","budget_tokens":2000})",
                                    R"("output_format":{"type":"json_schema","schema":{}})", R"("output_config":{"format":{"type":"other"}})");
  const std::string body = R"({"model":"claude-sonnet-4-6","max_tokens":4000,"messages":[{"role":"user","content":"q"}],)" + member_said + "}";
  CHECK(canonical(translated(anthropic(), anthropic(), body).json) == canonical(body));
}

// DIAL-01
TEST_CASE("a request of Anthropic's clients becomes one that OpenAI's servers take") {
  const Translated out = to_openai(R"({"model":"m","max_tokens":50,"system":"s","stream":true,"metadata":{"user_id":"u"},"stop_sequences":["x"],"temperature":0.5,
    "thinking":{"type":"enabled","budget_tokens":2000},"context_management":{},
    "tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}],"tool_choice":{"type":"any","disable_parallel_tool_use":true},
    "messages":[{"role":"user","content":[{"type":"text","text":"q"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA"}}]},
      {"role":"assistant","content":[{"type":"text","text":"t"},{"type":"tool_use","id":"toolu_1","name":"f","input":{"a":1}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"r"},{"type":"text","text":"more"}]}]})");
  CHECK(canonical(out.json) == canonical(R"({"model":"m","messages":[{"role":"system","content":"s"},
    {"role":"user","content":[{"type":"text","text":"q"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]},
    {"role":"assistant","content":[{"type":"text","text":"t"}],"tool_calls":[{"id":"toolu_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},
    {"role":"tool","tool_call_id":"toolu_1","content":"r"},{"role":"user","content":"more"}],
    "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}],"tool_choice":"required","parallel_tool_calls":false,
    "reasoning_effort":"low","max_completion_tokens":50,"temperature":0.5,"stop":["x"],"stream":true,"stream_options":{"include_usage":true},"user":"u"})"));
  CHECK(out.severity("context_management") == LossSeverity::kCosmetic);
  CHECK(out.loss.worst() == LossSeverity::kCosmetic);
}

TEST_CASE("servers' tools, files in containers and places of inference forbid sending elsewhere") {
  const auto members = GENERATE(as<std::string>{}, R"("mcp_servers":[{}])", R"("container":"c")", R"("inference_geo":"eu")",
                                R"("tools":[{"type":"web_search_20250305","name":"web_search"}])");
  const Translated out = to_openai(R"({"model":"m","max_tokens":5,"messages":[{"role":"user","content":"q"}],)" + members + "}");
  CHECK(out.loss.worst() == LossSeverity::kSemantic);
}

TEST_CASE("a request that counts has nothing in it that generates") {
  const Translated out = translated(anthropic(), anthropic(), R"({"model":"m","max_tokens":5,"temperature":1,"stream":true,"system":"s","messages":[{"role":"user","content":"q"}]})", {}, Operation::kCountTokens);
  CHECK(canonical(out.json) == canonical(R"({"model":"m","system":"s","messages":[{"role":"user","content":"q"}]})"));
}

TEST_CASE("bodies for hosts that have the model in the path say a version in its place") {
  const std::string body = R"({"model":"m","max_tokens":5,"stream":true,"messages":[{"role":"user","content":"q"}]})";
  const std::string rest = R"("max_tokens":5,"messages":[{"role":"user","content":"q"}]})";
  const std::string vertex = R"({"anthropic_version":"vertex-2023-10-16","stream":true,)" + rest, bedrock = R"({"anthropic_version":"bedrock-2023-05-31",)" + rest;
  CHECK(canonical(translated(anthropic(), anthropic(), body, "m", Operation::kChat, dialect::kBodyForVertex).json) == canonical(vertex));
  CHECK(canonical(translated(openai(), anthropic(), body, "m", Operation::kChat, dialect::kInvoked).json) == canonical(bedrock));
  // One that has it already keeps one.
  CHECK(canonical(translated(anthropic(), anthropic(), vertex, {}, Operation::kChat, dialect::kBodyForVertex).json) == canonical(vertex));
}

TEST_CASE("a member of the wrong type is refused by name") {
  struct Row {
    std::string members, param;
  };
  const auto row = GENERATE(values<Row>({
      {R"("messages":1)", "messages"}, {R"("messages":[1])", "messages[0]"}, {R"("messages":[{"role":"tool","content":""}])", "messages[0].role"},
      {R"("messages":[{"role":"user","content":1}])", "messages[0].content"}, {R"("messages":[{"role":"user","content":[{"text":"x"}]}])", "messages[0].content[0]"},
      {R"("messages":[{"role":"user","content":[{"type":"text","text":1}]}])", "messages[0].content[0].text"},
      {R"("messages":[{"role":"user","content":[{"type":"tool_result"}]}])", "messages[0].content[0].tool_use_id"},
      {R"("max_tokens":"1")", "max_tokens"}, {R"("stream":1)", "stream"}, {R"("temperature":"x")", "temperature"}, {R"("system":1)", "system"},
      {R"("stop_sequences":"x")", "stop_sequences"}, {R"("tools":{})", "tools"}, {R"("tool_choice":"auto")", "tool_choice"},
      {R"("tool_choice":{"type":"tool"})", "tool_choice"}, {R"("thinking":{})", "thinking"}, {R"("model":1)", "model"},
  }));
  const auto document = parsed("{" + row.members + "}");
  const auto request = anthropic().decode_request(document, Operation::kChat);
  INFO(row.members);
  REQUIRE_FALSE(request);
  CHECK(request.error().code == Code::kInvalidParameter);
  CHECK(request.error().param == row.param);
}
