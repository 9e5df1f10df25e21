// Requests of Converse, both ways: what is carried, what is emulated, what is told as lost.

#include "unit/dialect/bedrock_support.hpp"

using namespace sluice;
using chat::LossSeverity;
using test::ToBedrock;

namespace {

constexpr std::string_view kCalls = R"({"model":"m","messages":[
  {"role":"user","content":"weather in Paris and Rome?"},
  {"role":"assistant","content":"I look.","tool_calls":[
    {"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Paris\"}"}},
    {"id":"call_2","type":"function","function":{"name":"now","arguments":""}}]},
  {"role":"tool","tool_call_id":"call_1","content":"sunny"},
  {"role":"tool","tool_call_id":"call_2","content":"noon"},
  {"role":"user","content":"and then?"}],
  "tools":[{"type":"function","function":{"name":"weather","description":"d","parameters":{"type":"object"},"strict":true}},
           {"type":"function","function":{"name":"now"}}]})";

std::string same(std::string_view body, chat::Operation operation = chat::Operation::kChat) {
  chat::LossReport loss;
  const std::string again = test::bedrock().encode_request(test::decoded(test::bedrock(), body, operation), {.operation = operation}, loss);
  CHECK(loss.empty());
  return test::canonical(again);
}

}  // namespace

TEST_CASE("bedrock: everything a request of Converse can say comes back as it stood") {
  const std::string body = R"({"messages":[{"role":"user","content":[{"text":"look"},{"cachePoint":{"type":"default","ttl":"1h"}},
      {"image":{"format":"jpeg","source":{"bytes":"/9j/AA=="}}},{"image":{"format":"png","source":{"s3Location":{"uri":"s3://b/k"}}}},
      {"document":{"format":"pdf","name":"A [1]","source":{"bytes":"JVBER"},"context":"c","citations":{"enabled":true}}},
      {"document":{"format":"txt","name":"t","source":{"text":"plain"}}},{"video":{"format":"mp4","source":{"bytes":"AA"}}},
      {"audio":{"format":"wav","source":{"bytes":"UklGR"}}},{"guardContent":{"text":{"text":"g","qualifiers":["query"]}}},
      {"searchResult":{"source":"s","title":"t","content":[{"text":"x"}]}},{"futureBlock":{"a":1}}]},
    {"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"c2ln"}}},{"reasoningContent":{"redactedContent":"cmVk"}},
      {"text":"I call"},{"toolUse":{"toolUseId":"tooluse_1","name":"f","input":{"a":[1,2.50]}}},{"cachePoint":{"type":"default"}},
      {"toolUse":{"toolUseId":"s1","name":"code","input":{},"type":"server_tool_use"}}]},
    {"role":"user","content":[{"toolResult":{"toolUseId":"tooluse_1","content":[{"json":{"n":1}},{"text":"t"},{"image":{"format":"png","source":{"bytes":"iVBOR"}}}],"status":"error"}},
      {"toolResult":{"toolUseId":"s1","content":[],"type":"code_result"}}]},
    {"role":"system","content":[{"text":"newer models take this"}]},
    {"role":"assistant","content":[{"citationsContent":{"content":[{"text":"cited"}],"citations":[{"title":"T","location":{"web":{"url":"u"}}}]}}]}],
    "system":[{"text":"s"},{"cachePoint":{"type":"default"}},{"guardContent":{"text":{"text":"g"}}}],
    "inferenceConfig":{"maxTokens":10,"temperature":0.5,"topP":0.9,"stopSequences":["x"],"later":1},
    "toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type":"object"}},"strict":false,"later":2}},{"cachePoint":{"type":"default"}},
      {"systemTool":{"name":"nova_grounding"}}],"toolChoice":{"tool":{"name":"f"}}},
    "guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1","trace":"enabled"},
    "additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024},"top_k":3},
    "promptVariables":{"v":{"text":"x"}},"additionalModelResponseFieldPaths":["/stop_sequence"],"requestMetadata":{"k":"v"},
    "performanceConfig":{"latency":"optimized"},"serviceTier":{"type":"flex"},
    "outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}","name":"n","description":"d"}}},"effort":"low"},
    "later":{"a":null}})";
  CHECK(same(body) == test::canonical(body));
}

TEST_CASE("bedrock: a second cache point, and a block of two members, are kept whole") {
  const std::string body = R"({"messages":[{"role":"user","content":[{"text":"a"},{"cachePoint":{"type":"default"}},{"cachePoint":{"type":"default","ttl":"5m"}},
    {"text":"b","later":1},{"cachePoint":{"type":"later"}}]}],"toolConfig":{"tools":[{"cachePoint":{"type":"default"}},{"toolSpec":{"name":"f","inputSchema":{"json":{}}}},
    {"cachePoint":{"type":"default"}},{"cachePoint":{"type":"default","ttl":"1h"}}]}})";
  CHECK(same(body) == test::canonical(body));
}

TEST_CASE("bedrock: a model gets back what it thought itself, signed, and not what other clients call its reasoning") {
  chat::Request request;
  auto& turns = request.input.emplace<chat::ChatInput>().turns;
  turns.push_back({.parts = {{chat::Text{"q"}}}});
  turns.push_back({.role = chat::Role::kAssistant,
                   .parts = {{chat::Thinking{.text = "signed", .signature = "c2ln", .field = "reasoning_content"}},
                             {chat::Thinking{.text = "told", .field = "reasoning_content"}}, {chat::Thinking{.text = "own"}}, {chat::Text{"a"}}}});
  chat::LossReport loss;
  const auto document = test::parsed(test::bedrock().encode_request(request, {}, loss));
  CHECK(test::canonical(*document.root().at("/messages/1/content")) ==
        R"([{reasoningContent:{reasoningText:{signature:"c2ln",text:"signed",},},},{reasoningContent:{reasoningText:{text:"own",},},},{text:"a",},])");
  CHECK(loss.worst() == LossSeverity::kCosmetic);
}

TEST_CASE("bedrock: a request that counts tokens comes back, in either of its forms") {
  const auto counts = chat::Operation::kCountTokens;
  const std::string body = R"({"input":{"converse":{"messages":[{"role":"user","content":[{"text":"hi"}]}],"system":[{"text":"s"}],
    "toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{}}}}]},"additionalModelRequestFields":{"a":1}}}})";
  CHECK(same(body, counts) == test::canonical(body));
  const std::string own = R"({"input":{"invokeModel":{"body":"e30="}}})";
  CHECK(same(own, counts) == test::canonical(own));
}

TEST_CASE("bedrock: what is no request of Converse is refused by the member's name") {
  const auto refused = [](std::string_view body, chat::Operation operation = chat::Operation::kChat) {
    const auto request = test::bedrock().decode_request(test::parsed(body), operation);
    REQUIRE_FALSE(request);
    return request.error().param;
  };
  CHECK(refused("[]") == "");
  CHECK(refused("{}", chat::Operation::kEmbeddings) == "");
  CHECK(refused(R"({"input":{}})", chat::Operation::kCountTokens) == "input");
  CHECK(refused(R"({"messages":{}})") == "messages");
  CHECK(refused(R"({"messages":[{"role":"tool","content":[]}]})") == "messages[0].role");
  CHECK(refused(R"({"messages":[{"role":"user","content":"hi"}]})") == "messages[0].content");
  CHECK(refused(R"({"system":"s"})") == "system");
  CHECK(refused(R"({"inferenceConfig":[]})") == "inferenceConfig");
  CHECK(refused(R"({"inferenceConfig":{"maxTokens":"1"}})") == "inferenceConfig.maxTokens");
  CHECK(refused(R"({"inferenceConfig":{"maxTokens":-1}})") == "inferenceConfig.maxTokens");
  CHECK(refused(R"({"inferenceConfig":{"topP":"1"}})") == "inferenceConfig.topP");
  CHECK(refused(R"({"inferenceConfig":{"stopSequences":["a",1]}})") == "inferenceConfig.stopSequences");
  CHECK(refused(R"({"toolConfig":{"tools":{}}})") == "toolConfig.tools");
  CHECK(refused(R"({"toolConfig":{"toolChoice":"auto"}})") == "toolConfig.toolChoice");
  CHECK(refused(R"({"outputConfig":1})") == "outputConfig");
}

TEST_CASE("bedrock: calls and their results become blocks, all results in the one message that follows") {
  const ToBedrock sent(kCalls);
  CHECK(sent.at("/messages") ==
        test::canonical(R"([{"role":"user","content":[{"text":"weather in Paris and Rome?"}]},
          {"role":"assistant","content":[{"text":"I look."},{"toolUse":{"toolUseId":"call_1","name":"weather","input":{"city":"Paris"}}},
            {"toolUse":{"toolUseId":"call_2","name":"now","input":{}}}]},
          {"role":"user","content":[{"toolResult":{"toolUseId":"call_1","content":[{"text":"sunny"}]}},{"toolResult":{"toolUseId":"call_2","content":[{"text":"noon"}]}},
            {"text":"and then?"}]}])"));
  CHECK(sent.at("/toolConfig") ==
        test::canonical(R"({"tools":[{"toolSpec":{"name":"weather","description":"d","inputSchema":{"json":{"type":"object"}},"strict":true}},
          {"toolSpec":{"name":"now","inputSchema":{"json":{"type":"object","properties":{}}}}}]})"));
  CHECK(sent.loss.empty());
}

TEST_CASE("bedrock: system texts move to their place, turns alternate, the user begins") {
  const ToBedrock sent(R"({"messages":[{"role":"developer","content":"be"},{"role":"assistant","content":"hello"},{"role":"user","content":"a"},
    {"role":"user","content":[{"type":"text","text":"b"},{"type":"text","text":"  "}]},{"role":"system","content":"brief"},{"role":"user","content":""}]})");
  CHECK(sent.at("/system") == test::canonical(R"([{"text":"be"},{"text":"brief"}])"));
  CHECK(sent.at("/messages") == test::canonical(R"j([{"role":"user","content":[{"text":"(continued)"}]},{"role":"assistant","content":[{"text":"hello"}]},
    {"role":"user","content":[{"text":"a"},{"text":"b"},{"text":"  "}]}])j"));
  CHECK(sent.lost("messages[0]") == LossSeverity::kNote);
  CHECK(sent.lost("messages[4]") == LossSeverity::kNote);
  CHECK(sent.loss.worst() == LossSeverity::kNote);
}

TEST_CASE("bedrock: a turn that says nothing leaves no message, and does not part those around it") {
  const ToBedrock sent(R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":""},{"role":"user","content":"b"},{"role":"assistant","content":null}]})");
  CHECK(sent.at("/messages") == R"([{content:[{text:"a",},{text:"b",},],role:"user",},])");
}

TEST_CASE("bedrock: ids its servers would refuse are rewritten alike on both sides") {
  const ToBedrock sent(R"({"messages":[{"role":"user","content":"a"},
    {"role":"assistant","tool_calls":[{"id":"call|with|bars","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"call/with/slash","type":"function","function":{"name":"f","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"call/with/slash","content":"2"},{"role":"tool","tool_call_id":"call|with|bars","content":"1"}],"tools":[{"type":"function","function":{"name":"f"}}]})");
  const std::string first = sent.at("/messages/1/content/0/toolUse/toolUseId"), second = sent.at("/messages/1/content/1/toolUse/toolUseId");
  CHECK(first != second);
  CHECK(first.find('|') == std::string::npos);
  CHECK(sent.at("/messages/2/content/0/toolResult/toolUseId") == second);
  CHECK(sent.at("/messages/2/content/1/toolResult/toolUseId") == first);
}

TEST_CASE("bedrock: calls without ids are answered in their order, or by their tool") {  // DIAL-06
  chat::Request request;
  auto& turns = request.input.emplace<chat::ChatInput>().turns;
  turns.push_back({.parts = {{chat::Text{"q"}}}});
  turns.push_back({.role = chat::Role::kAssistant, .parts = {{chat::ToolCall{.name = "f"}}, {chat::ToolCall{.name = "g"}}, {chat::ToolCall{.name = "f"}}}});
  chat::ToolResult g, f1, f2;
  g.name = "g";
  f1.name = f2.name = "f";
  turns.push_back({.role = chat::Role::kTool, .parts = {{g}, {f1}, {f2}}});
  chat::LossReport loss;
  const auto document = test::parsed(test::bedrock().encode_request(request, {}, loss));
  const auto id = [&](const char* pointer) { return test::canonical(*document.root().at(pointer)); };
  CHECK(id("/messages/2/content/0/toolResult/toolUseId") == id("/messages/1/content/1/toolUse/toolUseId"));
  CHECK(id("/messages/2/content/1/toolResult/toolUseId") == id("/messages/1/content/0/toolUse/toolUseId"));
  CHECK(id("/messages/2/content/2/toolResult/toolUseId") == id("/messages/1/content/2/toolUse/toolUseId"));
  CHECK(id("/messages/1/content/0/toolUse/toolUseId") != id("/messages/1/content/2/toolUse/toolUseId"));
}

TEST_CASE("bedrock: arguments that are no object stand in one") {
  const ToBedrock sent(R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[
    {"id":"1","type":"function","function":{"name":"f","arguments":"[1]"}},{"id":"2","type":"function","function":{"name":"f","arguments":"{\"broken"}}]}]})");
  CHECK(sent.at("/messages/1/content/0/toolUse/input") == R"({input:"[1]",})");
  CHECK(sent.at("/messages/1/content/1/toolUse/input") == R"({input:"{"broken",})");
  CHECK(sent.lost("messages[1].arguments") == LossSeverity::kNote);
  // And the tools these calls were of are named, which Bedrock insists on.
  CHECK(sent.at("/toolConfig/tools/0/toolSpec/name") == "\"f\"");
  CHECK(sent.lost("tools") == LossSeverity::kNote);
}

TEST_CASE("bedrock: the tool choice is carried where it can be, and refused where it cannot") {
  const auto with = [](const std::string& choice, bool history = false) {
    const std::string past = history ? R"(,{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"1","content":"r"})" : "";
    return ToBedrock(R"({"messages":[{"role":"user","content":"a"})" + past +
                     R"(],"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}],"tool_choice":)" + choice + "}");
  };
  CHECK(with("\"auto\"").at("/toolConfig/toolChoice") == "{auto:{},}");
  CHECK(with("\"required\"").at("/toolConfig/toolChoice") == "{any:{},}");
  CHECK(with(R"({"type":"function","function":{"name":"g"}})").at("/toolConfig/toolChoice") == R"({tool:{name:"g",},})");
  CHECK(with("\"none\"").at("/toolConfig") == "null");
  CHECK(with("\"none\"").lost("tool_choice") == LossSeverity::kNote);
  CHECK(with("\"none\"", true).at("/toolConfig/tools/0/toolSpec/name") == "\"f\"");
  CHECK(with("\"none\"", true).lost("tool_choice") == LossSeverity::kSemantic);
  const auto allowed = with(R"({"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"g"}}]}})");
  CHECK(allowed.at("/toolConfig/tools/0/toolSpec/name") == "\"g\"");
  CHECK(allowed.at("/toolConfig/tools/1") == "null");
  CHECK(allowed.at("/toolConfig/toolChoice") == "{any:{},}");
}

TEST_CASE("bedrock: media are carried as data, and refused in any other form") {
  const ToBedrock sent(R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/jpg;base64,/9j/4A=="}},
    {"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0=","filename":"my_report.v1.pdf"}},{"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}}]}]})");
  CHECK(sent.at("/messages/0/content") == test::canonical(R"j([{"image":{"format":"jpeg","source":{"bytes":"/9j/4A=="}}},
    {"document":{"format":"pdf","source":{"bytes":"JVBERi0="},"name":"my-report-v1-pdf"}},{"audio":{"format":"wav","source":{"bytes":"UklGRg=="}}},{"text":"(see the document)"}])j"));
  CHECK(sent.loss.worst() == LossSeverity::kNote);
  for (const std::string_view part : {R"({"type":"image_url","image_url":{"url":"https://e.org/i.png"}})", R"({"type":"image_url","image_url":{"url":"data:image/tiff;base64,AA=="}})",
                                      R"({"type":"file","file":{"file_id":"file-1"}})", R"({"type":"file","file":{"file_data":"data:application/zip;base64,AA==","filename":"a.zip"}})"}) {
    INFO(part);
    const ToBedrock refused(R"({"messages":[{"role":"user","content":[{"type":"text","text":"look"},)" + std::string(part) + "]}]}");
    CHECK(refused.lost("messages[0]") == LossSeverity::kSemantic);
    CHECK(refused.at("/messages/0/content") == R"([{text:"look",},])");
  }
}

TEST_CASE("bedrock: media are refused where Bedrock takes texts alone") {
  const ToBedrock sent(R"({"messages":[{"role":"system","content":[{"type":"text","text":"s"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBOR"}},
    {"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0="}}]},{"role":"user","content":"a"}]})");
  CHECK(sent.at("/system") == R"([{text:"s",},])");
  CHECK(sent.lost("messages[0]") == LossSeverity::kSemantic);
}

TEST_CASE("bedrock: what Converse has no place for is told with its weight") {  // DIAL-03
  const ToBedrock sent(R"({"messages":[{"role":"user","content":"a"}],"n":2,"logprobs":true,"seed":1,"frequency_penalty":1,"presence_penalty":1,"logit_bias":{"1":2},
    "user":"u","store":true,"verbosity":"low","parallel_tool_calls":false,"tools":[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"c"}}],
    "service_tier":"scale","modalities":["text","audio"],"audio":{"voice":"v","format":"wav"},"web_search_options":{},"temperature":1.5,"min_p":0.1})");
  for (const std::string_view field : {"n", "logprobs", "modalities", "tools.c"}) CHECK(sent.lost(field) == LossSeverity::kSemantic);
  for (const std::string_view field : {"seed", "frequency_penalty", "presence_penalty", "logit_bias", "user", "store", "verbosity", "parallel_tool_calls",
                                       "service_tier", "web_search_options", "min_p"}) {
    INFO(field);
    CHECK(sent.lost(field) == LossSeverity::kCosmetic);
  }
  CHECK(sent.lost("temperature") == LossSeverity::kNote);
  CHECK(sent.at("/inferenceConfig") == "{temperature:1,}");
}

TEST_CASE("bedrock: defaults that say nothing lose nothing") {
  const ToBedrock sent(R"({"messages":[{"role":"user","content":"a"}],"n":1,"logprobs":false,"frequency_penalty":0,"store":false,"service_tier":"auto","modalities":["text"]})");
  CHECK(sent.loss.empty());
  CHECK(test::canonical(sent.text) == test::canonical(R"({"messages":[{"role":"user","content":[{"text":"a"}]}]})"));
}

TEST_CASE("bedrock: sampling, metadata and tier are carried in its words") {
  const ToBedrock sent(R"({"messages":[{"role":"user","content":"a"}],"max_completion_tokens":9,"temperature":0.5,"top_p":0.25,"stop":"x","metadata":{"team":"a-1","bad":"ümlaut"},"service_tier":"flex"})");
  CHECK(sent.at("/inferenceConfig") == R"({maxTokens:9,stopSequences:["x",],temperature:0.5,topP:0.25,})");
  CHECK(sent.at("/requestMetadata") == R"({team:"a-1",})");
  CHECK(sent.lost("metadata.bad") == LossSeverity::kCosmetic);
  CHECK(sent.at("/serviceTier") == R"({type:"flex",})");
}

TEST_CASE("bedrock: answers by schema are asked for, plain JSON is asked for in words") {
  const ToBedrock schema(R"({"messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"},"strict":true}}})");
  CHECK(schema.at("/outputConfig/textFormat") == test::canonical(R"({"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}","name":"n"}}})"));
  const ToBedrock object(R"({"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"}],"response_format":{"type":"json_object"}})");
  CHECK(object.at("/system/1/text").find("JSON object") != std::string::npos);
  CHECK(object.lost("response_format") == LossSeverity::kNote);
}

TEST_CASE("bedrock: thinking and top-k are asked for in each family's words") {
  const auto fields = [](const std::string& model, const std::string& more) {
    return ToBedrock(R"({"messages":[{"role":"user","content":"a"}],"top_k":5,"temperature":0.5,)" + more + "}", model);
  };
  const ToBedrock claude = fields(test::kClaude, R"("reasoning_effort":"low")");
  CHECK(claude.at("/additionalModelRequestFields") == R"({thinking:{budget_tokens:2048,type:"enabled",},})");
  CHECK(claude.at("/inferenceConfig") == "null");
  CHECK(claude.lost("temperature") == LossSeverity::kCosmetic);
  CHECK(claude.lost("top_k") == LossSeverity::kCosmetic);
  CHECK(fields(test::kClaude, R"("reasoning_effort":"high","max_tokens":5000)").at("/additionalModelRequestFields/thinking/budget_tokens") == "4999");
  const ToBedrock short_answer = fields(test::kClaude, R"("reasoning_effort":"high","max_tokens":1000)");
  CHECK(short_answer.at("/additionalModelRequestFields") == "{top_k:5,}");
  CHECK(short_answer.lost("reasoning_effort") == LossSeverity::kCosmetic);
  CHECK(fields(test::kClaude, R"("reasoning_effort":"none")").at("/additionalModelRequestFields") == "{top_k:5,}");
  CHECK(fields("us.amazon.nova-2-lite-v1:0", R"("reasoning_effort":"minimal")").at("/additionalModelRequestFields") ==
        R"({inferenceConfig:{topK:5,},reasoningConfig:{maxReasoningEffort:"low",type:"enabled",},})");
  CHECK(fields("openai.gpt-oss-120b-1:0", R"("reasoning_effort":"high")").at("/additionalModelRequestFields") == R"({reasoning_effort:"high",})");
  const ToBedrock other = fields("meta.llama3", R"("reasoning_effort":"high")");
  CHECK(other.at("/additionalModelRequestFields") == "null");
  CHECK(other.lost("reasoning_effort") == LossSeverity::kCosmetic);
  CHECK(other.lost("top_k") == LossSeverity::kCosmetic);
}

TEST_CASE("bedrock: a request of Converse reaches an upstream of the OpenAI dialect") {
  chat::LossReport loss;
  const auto request = test::decoded(test::bedrock(), R"({"messages":[{"role":"user","content":[{"text":"hi"},{"image":{"format":"png","source":{"bytes":"iVBOR"}}}]},
    {"role":"assistant","content":[{"toolUse":{"toolUseId":"t1","name":"f","input":{"a":1}}}]},
    {"role":"user","content":[{"toolResult":{"toolUseId":"t1","content":[{"text":"r"}],"status":"error"}}]}],
    "system":[{"text":"s"}],"inferenceConfig":{"maxTokens":5},"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"any":{}}}})");
  CHECK(test::canonical(test::openai().encode_request(request, {}, loss)) ==
        test::canonical(R"({"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"hi"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBOR"}}]},
          {"role":"assistant","content":null,"tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},
          {"role":"tool","tool_call_id":"t1","content":"r"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"tool_choice":"required","max_completion_tokens":5})"));
  CHECK(loss.worst() == LossSeverity::kCosmetic);  // that the tool failed
}
