// Requests of the Gemini dialect into the canonical model and out of it.

#include <catch2/catch.hpp>

#include "dialect/providers.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::LossSeverity;
using chat::Operation;
using dialect::gemini;
using dialect::openai;

namespace {

chat::Request read(std::string_view body, Operation operation = Operation::kChat, const dialect::Dialect& spoken = gemini()) {
  auto request = spoken.decode_request(test::parsed(body), operation);
  INFO(body);
  if (!request) FAIL(request.error().message);
  return *std::move(request);
}

std::string write(const chat::Request& request, chat::LossReport& loss, std::string_view model = "gemini-2.5-flash", std::uint32_t quirks = 0) {
  return gemini().encode_request(request, {.operation = request.operation, .model = model, .quirks = quirks}, loss);
}

/// An OpenAI caller's chat, as it is sent on.
std::string from_openai(std::string_view body, chat::LossReport& loss, std::string_view model = "gemini-2.5-flash") {
  return write(read(body, Operation::kChat, openai()), loss, model);
}
std::string from_openai(std::string_view body) {
  chat::LossReport loss;
  return from_openai(body, loss);
}

std::string part(std::string_view sent, std::string_view pointer) {
  const auto document = test::parsed(sent);
  const auto value = document.root().at(pointer);
  return value && *value ? test::canonical(*value) : std::string();
}

LossSeverity severity_of(const chat::LossReport& loss, std::string_view field) {
  for (const chat::Loss& lost : loss.entries()) {
    if (lost.field == field) return lost.severity;
  }
  FAIL("nothing says that " << field << " is lost");
  return {};
}

}  // namespace

// DIAL-01
TEST_CASE("either spelling of a member is read") {
  const auto camel = read(R"({"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"AA=="}}]}],"generationConfig":{"maxOutputTokens":5,"topP":0.5,"stopSequences":["x"]},"systemInstruction":{"parts":[{"text":"s"}]}})");
  const auto snake = read(R"({"contents":[{"role":"user","parts":[{"inline_data":{"mime_type":"image/png","data":"AA=="}}]}],"generation_config":{"max_output_tokens":5,"top_p":0.5,"stop_sequences":["x"]},"system_instruction":{"parts":[{"text":"s"}]}})");
  CHECK(camel == snake);
  CHECK(camel.sampling.max_output_tokens == 5u);
  REQUIRE(camel.chat()->turns.size() == 2);
  CHECK(camel.chat()->turns[0].role == chat::Role::kSystem);
  CHECK(camel.chat()->turns[1].parts[0].as<chat::Image>()->source.media_type == "image/png");
}

// DIAL-06
TEST_CASE("two calls of one function without ids get two, and their results go back by name and order") {
  const auto request = read(R"({"contents":[{"role":"user","parts":[{"text":"q"}]},
    {"role":"model","parts":[{"functionCall":{"name":"f","args":{"n":1}}},{"functionCall":{"name":"g","args":{}}},{"functionCall":{"name":"f","args":{"n":2}}}]},
    {"role":"user","parts":[{"functionResponse":{"name":"f","response":{"v":1}}},{"functionResponse":{"name":"f","response":{"v":2}}},{"functionResponse":{"name":"g","response":{"v":3}}}]}]})");
  const auto& turns = request.chat()->turns;
  REQUIRE(turns.size() == 3);
  const auto call = [&](std::size_t i) { return turns[1].parts[i].as<chat::ToolCall>()->id; };
  const auto result = [&](std::size_t i) { return turns[2].parts[i].as<chat::ToolResult>()->call_id; };
  CHECK_FALSE(call(0).empty());
  CHECK(call(0) != call(2));
  CHECK(result(0) == call(0));
  CHECK(result(1) == call(2));
  CHECK(result(2) == call(1));
  CHECK(turns[2].role == chat::Role::kTool);
  // And none of these ids reaches a server that never gave them.
  chat::LossReport loss;
  CHECK(write(request, loss).find("\"id\"") == std::string::npos);
}

// DIAL-06
TEST_CASE("results of an OpenAI caller are named after their calls and sent in the order of these, in one turn") {
  const std::string sent = from_openai(R"({"model":"m","messages":[{"role":"user","content":"q"},
    {"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"n\":1}"}},{"id":"b","type":"function","function":{"name":"f","arguments":""}}]},
    {"role":"tool","tool_call_id":"b","content":"second"},{"role":"tool","tool_call_id":"a","content":"{\"x\":1}"},{"role":"user","content":"go on"}]})");
  CHECK(part(sent, "/contents/1/parts") ==
        test::canonical(R"([{"functionCall":{"id":"a","name":"f","args":{"n":1}}},{"functionCall":{"id":"b","name":"f","args":{}}}])"));
  CHECK(part(sent, "/contents/2") == test::canonical(R"({"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"x":1}}},
    {"functionResponse":{"id":"b","name":"f","response":{"result":"second"}}}]})"));
  CHECK(part(sent, "/contents/3/parts/0/text") == "\"go on\"");
}

TEST_CASE("a result that is no object is put into one, a failed one under its own name") {
  chat::Request request;
  auto& chat = request.input.emplace<chat::ChatInput>();
  const auto add = [&](std::string said, bool failed) {
    chat.turns.push_back({chat::Role::kTool, false, {}, {{chat::ToolResult{"i", "f", {{chat::Text{std::move(said)}}}, failed, {}, {}}}}});
  };
  add("[1,2]", false);
  add("plain", false);
  add("broken", true);
  add(R"({"error":"own words"})", true);
  add(R"({"a":1})", true);
  chat::LossReport loss;
  const std::string sent = write(request, loss);
  const auto response = [&](int i) { return part(sent, "/contents/0/parts/" + std::to_string(i) + "/functionResponse/response"); };
  CHECK(response(0) == test::canonical(R"({"result":[1,2]})"));
  CHECK(response(1) == test::canonical(R"({"result":"plain"})"));
  CHECK(response(2) == test::canonical(R"({"error":"broken"})"));
  CHECK(response(3) == test::canonical(R"({"error":"own words"})"));
  CHECK(response(4) == test::canonical(R"({"error":{"a":1}})"));
}

// DIAL-15
TEST_CASE("thought signatures of calls, texts and thoughts are carried to the byte") {
  const std::string body = R"({"contents":[{"role":"model","parts":[{"text":"hm","thought":true,"thoughtSignature":"Zm9v+/=="},{"text":"","thoughtSignature":"a-b_c"},{"functionCall":{"id":"i","name":"f","args":{"a":[1,{"b":null}]}},"thoughtSignature":"CtAJ\u002b=="}]}]})";
  const auto request = read(body);
  const auto& parts = request.chat()->turns[0].parts;
  CHECK(parts[0].as<chat::Thinking>()->signature == "Zm9v+/==");
  CHECK(parts[1].as<chat::Text>()->signature == "a-b_c");
  CHECK(parts[2].as<chat::ToolCall>()->signature == "CtAJ+==");
  chat::LossReport loss;
  CHECK(test::canonical(write(request, loss, "gemini-3-pro"), true) == test::canonical(body, true));
  CHECK(loss.empty());
}

// DIAL-15
TEST_CASE("a call that another model made goes to gemini 3 with the signature that stands for none, and says so") {
  const std::string body = R"({"messages":[{"role":"user","content":"q"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]}]})";
  chat::LossReport loss;
  const std::string sent = from_openai(body, loss, "gemini-3-pro-preview");
  CHECK(part(sent, "/contents/1/parts/0/thoughtSignature") == "\"skip_thought_signature_validator\"");
  CHECK(part(sent, "/contents/1/parts/1/thoughtSignature").empty());
  CHECK(severity_of(loss, "messages[1].content[0].thought_signature") == LossSeverity::kNote);
  CHECK(part(from_openai(body), "/contents/1/parts/0/thoughtSignature").empty());
  // Clients of Google's OpenAI-compatible surface send theirs back.
  loss.clear();
  const std::string back = from_openai(R"({"messages":[{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"S+/="}}}]}]})", loss, "gemini-3-pro-preview");
  CHECK(part(back, "/contents/0/parts/0/thoughtSignature") == "\"S+/=\"");
  CHECK(loss.empty());
}

TEST_CASE("what the system says stands before all turns, and alone it is the user's turn") {
  chat::LossReport loss;
  const std::string sent = from_openai(R"({"messages":[{"role":"system","content":"a"},{"role":"user","content":"q"},{"role":"developer","content":"b"}]})", loss);
  CHECK(part(sent, "/systemInstruction/parts") == test::canonical(R"([{"text":"a"},{"text":"b"}])"));
  CHECK(part(sent, "/contents") == test::canonical(R"([{"role":"user","parts":[{"text":"q"}]}])"));
  CHECK(severity_of(loss, "messages[2]") == LossSeverity::kNote);
  loss.clear();
  const std::string alone = from_openai(R"({"messages":[{"role":"system","content":"a"}]})", loss);
  CHECK(part(alone, "/contents") == test::canonical(R"([{"role":"user","parts":[{"text":"a"}]}])"));
  CHECK(part(alone, "/systemInstruction").empty());
  CHECK(severity_of(loss, "messages") == LossSeverity::kNote);
}

// DIAL-03
TEST_CASE("media are sent as data, addresses as files, and files of other providers not at all") {
  chat::LossReport loss;
  const std::string sent = from_openai(R"({"messages":[{"role":"user","content":[
    {"type":"image_url","image_url":{"url":"data:image/webp;base64,QUJD"}},{"type":"image_url","image_url":{"url":"https://x.test/a.JPG?b=.png"}},
    {"type":"image_url","image_url":{"url":"https://x.test/a.jpg?b=1","detail":"low"}},
    {"type":"input_audio","input_audio":{"data":"AA==","format":"mp3"}},{"type":"file","file":{"filename":"x.csv","file_data":"data:text/csv;base64,YQ=="}},
    {"type":"file","file":{"file_id":"file-1"}}]}]})", loss);
  CHECK(part(sent, "/contents/0/parts") == test::canonical(R"([{"inlineData":{"mimeType":"image/webp","data":"QUJD"}},
    {"fileData":{"mimeType":"image/png","fileUri":"https://x.test/a.JPG?b=.png"}},{"fileData":{"mimeType":"image/jpeg","fileUri":"https://x.test/a.jpg?b=1"}},
    {"inlineData":{"mimeType":"audio/mpeg","data":"AA=="}},{"inlineData":{"mimeType":"text/csv","data":"YQ=="}}])"));
  CHECK(severity_of(loss, "messages[0].content[1]") == LossSeverity::kNote);
  CHECK(severity_of(loss, "messages[0].content[2].detail") == LossSeverity::kCosmetic);
  CHECK(severity_of(loss, "messages[0].content[5]") == LossSeverity::kSemantic);
}

TEST_CASE("a tool's schema is sent as JSON Schema, and one in OpenAPI's words is both kept and told as JSON Schema") {
  const std::string sent = from_openai(R"({"messages":[],"tools":[{"type":"function","function":{"name":"f","description":"d","strict":true,"parameters":{"type":"object","additionalProperties":false,"$schema":"x","properties":{"a":{"type":["string","null"]}}}}},{"type":"function","function":{"name":"g"}}]})");
  CHECK(part(sent, "/tools") == test::canonical(R"([{"functionDeclarations":[{"name":"f","description":"d","parametersJsonSchema":{"type":"object","additionalProperties":false,"$schema":"x","properties":{"a":{"type":["string","null"]}}}},{"name":"g"}]}])"));
  const std::string own = R"({"contents":[],"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","required":["a"],"properties":{"type":{"type":"STRING","nullable":true,"minLength":"2"},"a":{"type":"ARRAY","items":{"any_of":[{"type":"INTEGER"},{"type":"NUMBER","format":"float"}]}}}}}]},{"googleSearch":{}}]})";
  const auto request = read(own);
  REQUIRE(request.chat()->tools.size() == 2);
  CHECK(test::canonical(request.chat()->tools[0].parameters) ==
        test::canonical(R"({"type":"object","required":["a"],"properties":{"type":{"type":["string","null"],"minLength":2},"a":{"type":"array","items":{"anyOf":[{"type":"integer"},{"type":"number","format":"float"}]}}}})"));
  CHECK(request.chat()->tools[1].kind == chat::ToolKind::kProvider);
  chat::LossReport loss;
  CHECK(test::canonical(write(request, loss)) == test::canonical(own));
  CHECK(loss.empty());
}

// DIAL-03
TEST_CASE("every choice of tools has its mode") {
  const auto [choice, config] = GENERATE(table<std::string, std::string>({
      {R"("auto")", R"({"mode":"AUTO"})"},
      {R"("none")", R"({"mode":"NONE"})"},
      {R"("required")", R"({"mode":"ANY"})"},
      {R"({"type":"function","function":{"name":"f"}})", R"({"mode":"ANY","allowedFunctionNames":["f"]})"},
      {R"({"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}]}})", R"({"mode":"ANY","allowedFunctionNames":["f","g"]})"},
      {R"({"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}})", R"({"mode":"VALIDATED","allowedFunctionNames":["f"]})"},
  }));
  INFO(choice);
  const std::string sent = from_openai(R"({"messages":[],"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":)" + choice + "}");
  CHECK(part(sent, "/toolConfig/functionCallingConfig") == test::canonical(config));
  // What gemini's own callers say comes back as they said it.
  const std::string own = R"({"contents":[],"toolConfig":{"functionCallingConfig":)" + config + "}}";
  chat::LossReport loss;
  CHECK(test::canonical(write(read(own), loss)) == test::canonical(own));
  CHECK(loss.empty());
}

// DIAL-03
TEST_CASE("forms of answers are mime types and schemas") {
  const auto format = [](std::string_view said) { return part(from_openai(R"({"messages":[],"response_format":)" + std::string(said) + "}"), "/generationConfig"); };
  CHECK(format(R"({"type":"json_object"})") == test::canonical(R"({"responseMimeType":"application/json"})"));
  CHECK(format(R"({"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object"}}})") ==
        test::canonical(R"({"responseMimeType":"application/json","responseJsonSchema":{"type":"object"}})"));
  chat::LossReport loss;
  (void)from_openai(R"({"messages":[],"response_format":{"type":"grammar","value":"x"}})", loss);
  CHECK(severity_of(loss, "response_format") == LossSeverity::kSemantic);
  for (const std::string config : {R"({"responseMimeType":"text/x.enum","responseSchema":{"type":"STRING","enum":["a"]}})", R"({"responseMimeType":"application/json","responseSchema":{"type":"OBJECT"}})",
                                   R"({"responseMimeType":"text/plain"})"}) {
    INFO(config);
    loss.clear();
    const std::string own = R"({"contents":[],"generationConfig":)" + config + "}";
    CHECK(test::canonical(write(read(own), loss)) == test::canonical(own));
  }
  CHECK(read(R"({"contents":[],"generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"OBJECT"}}})").chat()->response_format->schema == R"({"type":"object"})");
}

TEST_CASE("an effort is a level to gemini 3 and a budget to those before it") {
  const auto thinking = [](std::string_view effort, std::string_view model) {
    chat::LossReport loss;
    return part(from_openai(R"({"messages":[],"reasoning_effort":")" + std::string(effort) + "\"}", loss, model), "/generationConfig/thinkingConfig");
  };
  CHECK(thinking("low", "gemini-3-pro") == test::canonical(R"({"thinkingLevel":"LOW"})"));
  CHECK(thinking("xhigh", "gemini-3-pro") == test::canonical(R"({"thinkingLevel":"HIGH"})"));
  CHECK(thinking("none", "gemini-3-flash") == test::canonical(R"({"thinkingLevel":"MINIMAL"})"));
  CHECK(thinking("low", "gemini-2.5-pro") == test::canonical(R"({"thinkingBudget":1024})"));
  CHECK(thinking("medium", "gemini-2.5-pro") == test::canonical(R"({"thinkingBudget":8192})"));
  CHECK(thinking("high", "gemini-2.5-pro") == test::canonical(R"({"thinkingBudget":24576})"));
  CHECK(thinking("none", "gemini-2.5-flash") == test::canonical(R"({"thinkingBudget":0})"));
  for (const std::string config : {R"({"thinkingBudget":-1,"includeThoughts":true})", R"({"thinkingBudget":0})", R"({"thinkingBudget":512})", R"({"thinkingLevel":"HIGH"})"}) {
    chat::LossReport loss;
    const std::string own = R"({"contents":[],"generationConfig":{"thinkingConfig":)" + config + "}}";
    CHECK(test::canonical(write(read(own), loss, "gemini-3-pro")) == test::canonical(own));
  }
}

// DIAL-03
TEST_CASE("what gemini has no place for is on the report, each with what it costs") {
  chat::LossReport loss;
  const std::string sent = from_openai(R"({"messages":[{"role":"user","name":"u","content":"q"}],"logit_bias":{"1":2},"user":"u","store":true,"metadata":{"a":"b"},"service_tier":"flex",
    "min_p":0.1,"repetition_penalty":1.1,"parallel_tool_calls":false,"verbosity":"low","prediction":{"type":"content","content":"x"},"stop":["1","2","3","4","5","6"],
    "audio":{"voice":"v","format":"mp3"},"web_search_options":{},"tools":[{"type":"custom","custom":{"name":"c"}}],
    "n":2,"seed":7,"logprobs":true,"top_logprobs":3,"presence_penalty":0.5,"frequency_penalty":0.25,"max_completion_tokens":9})", loss);
  for (const std::string_view field : {"logit_bias", "user", "store", "metadata", "service_tier", "min_p", "repetition_penalty", "parallel_tool_calls", "verbosity", "prediction", "web_search_options", "messages[0].name"}) {
    INFO(field);
    CHECK(severity_of(loss, field) == LossSeverity::kCosmetic);
  }
  for (const std::string_view field : {"stop", "audio", "tools.c"}) CHECK(severity_of(loss, field) == LossSeverity::kSemantic);
  CHECK(part(sent, "/generationConfig") == test::canonical(R"({"candidateCount":2,"seed":7,"responseLogprobs":true,"logprobs":3,"presencePenalty":0.5,"frequencyPenalty":0.25,
    "maxOutputTokens":9,"stopSequences":["1","2","3","4","5"]})"));
  CHECK(part(sent, "/tools").empty());
}

TEST_CASE("members of gemini's own are kept where they stood") {
  const std::string own = R"({"contents":[{"role":"user","parts":[{"text":"q","partMetadata":{"a":1}},{"executableCode":{"code":"1","language":"PYTHON"}},{"fileData":{"fileUri":"gs://b/x.mp4","mimeType":"video/mp4"},"videoMetadata":{"fps":2}}]}],
    "safetySettings":[{"category":"C","threshold":"T"}],"cachedContent":"cachedContents/1","labels":{"a_b":"c"},"generationConfig":{"mediaResolution":"LOW","topK":40,"temperature":0,"responseModalities":["TEXT","IMAGE"],"speechConfig":{"a":1}},"toolConfig":{"retrievalConfig":{"x":1}}})";
  chat::LossReport loss;
  CHECK(test::canonical(write(read(own), loss)) == test::canonical(own));
  CHECK(loss.empty());
  // Another dialect is told what it does not get.
  (void)openai().encode_request(read(own), {.operation = Operation::kChat}, loss);
  CHECK(loss.worst() == LossSeverity::kSemantic);
}

TEST_CASE("what is no request is refused by the name of what is wrong") {
  const auto [body, param] = GENERATE(table<std::string, std::string>({
      {R"({"contents":{}})", "contents"},
      {R"({"contents":[{"role":"tool","parts":[]}]})", "contents[0].role"},
      {R"({"contents":[{"parts":{}}]})", "contents[0].parts"},
      {R"({"contents":[{"parts":["x"]}]})", "contents[0].parts[0]"},
      {R"({"contents":[],"generationConfig":{"maxOutputTokens":"5"}})", "maxOutputTokens"},
      {R"({"contents":[],"generationConfig":{"max_output_tokens":-5}})", "max_output_tokens"},
      {R"({"contents":[],"generationConfig":[]})", "generationConfig"},
      {R"({"contents":[],"tools":[1]})", "tools"},
  }));
  INFO(body);
  const auto request = gemini().decode_request(test::parsed(body), Operation::kChat);
  REQUIRE_FALSE(request);
  CHECK(request.error().code == Code::kInvalidParameter);
  CHECK(request.error().param == param);
}

// DIAL-26
TEST_CASE("embeddings are asked for in a batch, or as instances where the provider wants these") {
  chat::LossReport loss;
  const auto request = read(R"({"model":"x","input":["a","b"],"dimensions":8,"encoding_format":"base64","input_type":"query"})", Operation::kEmbeddings, openai());
  CHECK(test::canonical(write(request, loss, "models/e")) == test::canonical(R"({"requests":[
    {"model":"models/e","content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY","outputDimensionality":8},
    {"model":"models/e","content":{"parts":[{"text":"b"}]},"taskType":"RETRIEVAL_QUERY","outputDimensionality":8}]})"));
  CHECK(severity_of(loss, "encoding_format") == LossSeverity::kNote);
  CHECK(test::canonical(write(request, loss, "e", dialect::kEmbedsByPredict)) == test::canonical(R"({"instances":[{"content":"a","task_type":"RETRIEVAL_QUERY"},
    {"content":"b","task_type":"RETRIEVAL_QUERY"}],"parameters":{"outputDimensionality":8}})"));
  loss.clear();
  (void)write(read(R"({"input":[[1,2]]})", Operation::kEmbeddings, openai()), loss);
  CHECK(severity_of(loss, "input[0]") == LossSeverity::kSemantic);
}

// DIAL-26
TEST_CASE("a batch of equal requests is one request of several inputs, one of different ones stays whole") {
  const auto even = read(R"({"requests":[{"model":"models/e","content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_DOCUMENT"},{"model":"models/e","content":{"parts":[{"text":"b"}]},"taskType":"RETRIEVAL_DOCUMENT"}]})", Operation::kEmbeddings);
  CHECK(even.model == "e");
  CHECK(even.extras.empty());
  chat::LossReport loss;
  CHECK(test::canonical(openai().encode_request(even, {}, loss)) == test::canonical(R"({"model":"e","input":["a","b"],"input_type":"document"})"));
  const std::string uneven = R"({"requests":[{"model":"models/e","content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_DOCUMENT"},{"model":"models/e","content":{"parts":[{"text":"b"}]},"title":"t"}]})";
  CHECK(test::canonical(write(read(uneven, Operation::kEmbeddings), loss)) == test::canonical(uneven));
  (void)openai().encode_request(read(uneven, Operation::kEmbeddings), {}, loss);
  CHECK_FALSE(loss.empty());
}

TEST_CASE("tokens are counted of bare contents, and of a whole request where there is more to it") {
  chat::LossReport loss;
  chat::Request plain = read(R"({"contents":[{"role":"user","parts":[{"text":"q"}]}]})", Operation::kCountTokens);
  CHECK(test::canonical(write(plain, loss)) == test::canonical(R"({"contents":[{"role":"user","parts":[{"text":"q"}]}]})"));
  const auto full = read(R"({"contents":[{"role":"user","parts":[{"text":"q"}]}],"systemInstruction":{"parts":[{"text":"s"}]}})", Operation::kCountTokens);
  CHECK(test::canonical(write(full, loss, "m")) == test::canonical(R"({"generateContentRequest":{"model":"models/m","systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"q"}]}]}})"));
  CHECK(test::canonical(write(full, loss, "m", dialect::kCountsAtRoot)) == test::canonical(R"({"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"q"}]}]})"));
  const auto wrapped = read(R"({"generateContentRequest":{"model":"models/m","contents":[{"role":"user","parts":[{"text":"q"}]}]}})", Operation::kCountTokens);
  CHECK(wrapped.model == "m");
  CHECK(test::canonical(write(wrapped, loss, "m")) == test::canonical(R"({"generateContentRequest":{"model":"models/m","contents":[{"role":"user","parts":[{"text":"q"}]}]}})"));
}

TEST_CASE("thinking of another model is not sent as gemini's own") {
  chat::Request request;
  auto& chat = request.input.emplace<chat::ChatInput>();
  chat.turns.push_back({chat::Role::kAssistant, false, {}, {{chat::Thinking{.text = "t", .signature = "S"}}, {chat::Text{.text = "a"}}, {chat::Refusal{"no"}}}});
  chat::LossReport loss;
  CHECK(part(write(request, loss), "/contents/0/parts") == test::canonical(R"([{"text":"a"},{"text":"no"}])"));
  CHECK(severity_of(loss, "messages[0].content[0]") == LossSeverity::kCosmetic);
  CHECK(severity_of(loss, "messages[0].content[2]") == LossSeverity::kNote);
}

TEST_CASE("media of a tool's result stand in it for gemini 3, and behind it for those before") {
  chat::Request request;
  auto& chat = request.input.emplace<chat::ChatInput>();
  chat.turns.push_back({chat::Role::kTool, false, {}, {{chat::ToolResult{"i", "f", {{chat::Text{.text = "{}"}}, {chat::Image{.source = {.data = "QQ==", .media_type = "image/png"}}}}, false, {}, {}}}}});
  chat::LossReport loss;
  CHECK(part(write(request, loss, "gemini-3-pro"), "/contents/0/parts") == test::canonical(R"([{"functionResponse":{"id":"i","name":"f","response":{},"parts":[{"inlineData":{"mimeType":"image/png","data":"QQ=="}}]}}])"));
  CHECK(loss.empty());
  CHECK(part(write(request, loss, "gemini-2.5-pro"), "/contents/0/parts") == test::canonical(R"([{"functionResponse":{"id":"i","name":"f","response":{}}},{"inlineData":{"mimeType":"image/png","data":"QQ=="}}])"));
  CHECK(severity_of(loss, "messages[0]") == LossSeverity::kNote);
}
