// Requests of the Cohere dialect through the canonical model, and requests of OpenAI's callers on their way to Cohere.

#include <catch2/catch.hpp>

#include "unit/dialect/translating.hpp"

using namespace sluice;
using chat::LossSeverity;
using chat::Operation;
using dialect::cohere;
using dialect::openai;
using test::canonical;

namespace {

std::string again(std::string_view body, Operation operation, chat::LossReport& loss) {
  return cohere().encode_request(test::request_of(cohere(), body, operation), {.operation = operation}, loss);
}

std::string for_cohere(std::string_view body, chat::LossReport& loss, Operation operation = Operation::kChat) {
  return test::translated(openai(), cohere(), body, loss, operation);
}

std::string user(std::string_view more) { return R"({"model":"m","messages":[{"role":"user","content":"hi"}],)" + std::string(more) + "}"; }

}  // namespace

// DIAL-02, DIAL-23
TEST_CASE("a request of Cohere's means the same after the canonical model") {
  const auto [operation, body] = GENERATE(table<Operation, std::string>({
      {Operation::kChat, R"({"model":"command-a","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"u"},
        {"type":"image_url","image_url":{"url":"data:image/png;base64,QUI=","detail":"low"}}]},{"role":"assistant","tool_plan":"p",
        "tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}],"citations":[{"start":0,"end":1,"text":"t","sources":[]}]},
        {"role":"tool","tool_call_id":"c1","content":[{"type":"document","document":{"id":"d","data":{"x":1}}}]},
        {"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"a"}]},{"role":"tool","tool_call_id":"c1","content":"r"}],
        "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}],"strict_tools":true,"tool_choice":"REQUIRED",
        "documents":[{"id":"1","data":{"text":"x"}}],"citation_options":{"mode":"FAST"},"safety_mode":"NONE","max_tokens":3,"stop_sequences":["a"],
        "temperature":0.3,"seed":7,"frequency_penalty":0.1,"presence_penalty":0.2,"k":4,"p":0.75,"logprobs":true,"priority":1,"stream":true,
        "thinking":{"type":"enabled","token_budget":100},"response_format":{"type":"json_object","json_schema":{"type":"object"}},"nobody":{"knows":1}})"},
      {Operation::kChat, user(R"("tools":[],"documents":[],"tool_choice":"NONE","thinking":{"type":"disabled"},"response_format":{"type":"json_object"})")},
      {Operation::kChat, user(R"("response_format":{"type":"json_object","schema":{"a":1}},"thinking":{"type":"enabled","more":1})")},
      {Operation::kChat, user(R"("response_format":{"type":"text"},"stream":false,"stop_sequences":[])")},
      {Operation::kEmbeddings, R"({"model":"e","texts":["a","b"],"input_type":"search_query","embedding_types":["base64"],"output_dimension":256,"truncate":"END"})"},
      {Operation::kEmbeddings, R"({"model":"e","images":["data:image/png;base64,QUI="],"input_type":"image","embedding_types":["int8","float"]})"},
      {Operation::kEmbeddings, R"({"model":"e","texts":["a"],"input_type":"classification","embedding_types":["float"]})"},
      {Operation::kRerank, R"({"model":"r","query":"q","documents":["a","b"],"top_n":1,"max_tokens_per_doc":9,"priority":2})"},
  }));
  chat::LossReport loss;
  CHECK(canonical(again(body, operation, loss)) == canonical(body));
  CHECK(loss.worst() == LossSeverity::kNote);
}

TEST_CASE("what has no meaning in a request of Cohere's is refused by name") {
  const auto [operation, body, param] = GENERATE(table<Operation, std::string, std::string>({
      {Operation::kChat, R"({"messages":7})", "messages"},
      {Operation::kChat, R"({"messages":[7]})", "messages[0]"},
      {Operation::kChat, R"({"messages":[{"role":"robot","content":"x"}]})", "messages[0].role"},
      {Operation::kChat, R"({"messages":[{"role":"user","content":7}]})", "messages[0].content"},
      {Operation::kChat, R"({"messages":[{"role":"user","content":[7]}]})", "messages[0].content[0]"},
      {Operation::kChat, R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]})", "messages[0].content[0].image_url.url"},
      {Operation::kChat, user(R"("k":"many")"), "k"},
      {Operation::kChat, user(R"("tools":{})"), "tools"},
      {Operation::kChat, user(R"("tool_choice":"auto")"), "tool_choice"},
      {Operation::kChat, user(R"("tool_choice":{})"), "tool_choice"},
      {Operation::kChat, user(R"("thinking":true)"), "thinking"},
      {Operation::kChat, user(R"("stop_sequences":"a")"), "stop_sequences"},
      {Operation::kChat, user(R"("response_format":"json")"), "response_format"},
      {Operation::kEmbeddings, R"({"texts":[7]})", "texts"},
      {Operation::kRerank, R"({"query":1})", "query"},
      {Operation::kRerank, R"({"documents":"x"})", "documents"},
  }));
  INFO(body);
  const auto read = cohere().decode_request(test::parsed(body), operation);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == Code::kInvalidParameter);
  CHECK(read.error().param == param);
}

// DIAL-01
TEST_CASE("a conversation with tools goes to Cohere in its words") {
  chat::LossReport loss;
  const std::string sent = for_cohere(R"({"model":"m","messages":[{"role":"developer","content":"d"},{"role":"user","name":"ann","content":[{"type":"text","text":"look"},
      {"type":"image_url","image_url":{"url":"https://x/y.png"}}]},{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":""}},
      {"id":"b","type":"function","function":{"name":"g","arguments":"{\"x\":1}"}}]},{"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"b","content":"2"}],
      "tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g","parameters":{"type":"object"},"strict":true}}],
      "top_p":0.5,"top_k":3,"max_completion_tokens":9,"stop":"x","stream":true,"stream_options":{"include_usage":true}})", loss);
  CHECK(canonical(sent) == canonical(R"({"model":"m","messages":[{"role":"system","content":"d"},{"role":"user","content":[{"type":"text","text":"look"},
      {"type":"image_url","image_url":{"url":"https://x/y.png"}}]},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},
      {"id":"b","type":"function","function":{"name":"g","arguments":"{\"x\":1}"}}]},{"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"b","content":"2"}],
      "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}},{"type":"function","function":{"name":"g","parameters":{"type":"object"}}}],
      "strict_tools":true,"max_tokens":9,"p":0.5,"k":3,"stop_sequences":["x"],"stream":true})"));
  CHECK(test::losses_of(loss) == "messages[0].role (note)\nmessages[1].name (cosmetic)\ntools.strict (note)\n");
}

TEST_CASE("a choice among tools goes to Cohere as far as it has one") {
  const std::string tools = R"("tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}])";
  struct Row {
    std::string choice, sent;
    std::size_t tools;
  };
  const auto row = GENERATE(values<Row>({
      {R"("auto")", "", 2},
      {R"("none")", "NONE", 2},
      {R"("required")", "REQUIRED", 2},
      {R"({"type":"function","function":{"name":"g"}})", "REQUIRED", 1},
      {R"({"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}})", "", 1},
      {R"({"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}}]}})", "REQUIRED", 1},
  }));
  INFO(row.choice);
  chat::LossReport loss;
  const json::Document sent = test::parsed(for_cohere(user(tools + R"(,"tool_choice":)" + row.choice), loss));
  const auto choice = sent.root().find("tool_choice");
  std::string scratch;
  CHECK((choice->is(json::Type::kString) ? choice->text(scratch) : std::string_view()) == row.sent);
  CHECK(sent.root().find("tools")->size() == row.tools);
  CHECK(loss.worst() == LossSeverity::kNote);
}

// DIAL-03
TEST_CASE("what Cohere cannot be asked for is reported, never silent") {
  const auto [more, losses] = GENERATE(table<std::string, std::string>({
      {R"("seed":1)", ""},
      {R"("n":2)", "n (semantic)\n"},
      {R"("n":1)", ""},
      {R"("logit_bias":{"1":2})", "logit_bias (cosmetic)\n"},
      {R"("logprobs":true)", ""},
      {R"("logprobs":true,"top_logprobs":3)", "top_logprobs (semantic)\n"},
      {R"("parallel_tool_calls":false)", "parallel_tool_calls (cosmetic)\n"},
      {R"("parallel_tool_calls":true)", ""},
      {R"("user":"u","store":true,"metadata":{"a":"b"},"service_tier":"auto")", "service_tier (cosmetic)\nuser (cosmetic)\nstore (cosmetic)\nmetadata (cosmetic)\n"},
      {R"("temperature":1.5,"frequency_penalty":-1,"presence_penalty":0.5)", "temperature (note)\nfrequency_penalty (note)\n"},
      {R"("min_p":0.1,"repetition_penalty":1.1)", "min_p (cosmetic)\nrepetition_penalty (cosmetic)\n"},
      {R"("reasoning_effort":"high")", "reasoning_effort (note)\n"},
      {R"("modalities":["text","audio"],"audio":{"voice":"v","format":"wav"})", "modalities (semantic)\n"},
      {R"("verbosity":"low","prediction":{"type":"content","content":"x"})", "verbosity (cosmetic)\nprediction (cosmetic)\n"},
      {R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}})", "response_format.json_schema.name (note)\n"},
      {R"("response_format":{"type":"grammar","x":1})", "response_format (semantic)\n"},
      {R"("tools":[{"type":"custom","custom":{"name":"c"}}])", "tools.c (semantic)\n"},
      {R"("web_search_options":{})", "web_search_options (cosmetic)\n"},
  }));
  INFO(more);
  chat::LossReport loss;
  (void)test::parsed(for_cohere(user(more), loss));
  CHECK(test::losses_of(loss) == losses);
}

TEST_CASE("content Cohere cannot take refuses the request") {
  const auto part = GENERATE(values<std::string>({R"({"type":"input_audio","input_audio":{"data":"QQ==","format":"wav"}})",
                                                  R"({"type":"file","file":{"file_data":"data:application/pdf;base64,QQ=="}})",
                                                  R"({"type":"video_url","video_url":{"url":"x"}})"}));
  chat::LossReport loss;
  (void)test::parsed(for_cohere(R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"t"},)" + part + "]}]}", loss));
  REQUIRE(loss.entries().size() == 1);
  CHECK(loss.entries()[0].field == "messages[0].content[1]");
  CHECK(loss.worst() == LossSeverity::kSemantic);
}

TEST_CASE("older function calls get ids that their results find again") {
  chat::LossReport loss;
  const std::string sent = for_cohere(R"({"model":"m","messages":[{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},
      {"role":"function","name":"f","content":"1"},{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"2"}]})", loss);
  CHECK(canonical(sent) == canonical(R"({"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"call_0","type":"function","function":{"name":"f","arguments":"{}"}}]},
      {"role":"tool","tool_call_id":"call_0","content":"1"},{"role":"assistant","tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]},
      {"role":"tool","tool_call_id":"call_1","content":"2"}]})"));
}

// DIAL-26
TEST_CASE("an embedding for Cohere is told what it is for") {
  chat::LossReport loss;
  CHECK(canonical(for_cohere(R"({"model":"e","input":"a","encoding_format":"base64","dimensions":8})", loss, Operation::kEmbeddings)) ==
        canonical(R"({"model":"e","texts":["a"],"input_type":"search_document","embedding_types":["base64"],"output_dimension":8})"));
  CHECK(test::losses_of(loss) == "input_type (note)\n");
  loss.clear();
  CHECK(canonical(for_cohere(R"({"model":"e","input":["a","b"],"input_type":"query"})", loss, Operation::kEmbeddings)) ==
        canonical(R"({"model":"e","texts":["a","b"],"input_type":"search_query","embedding_types":["float"]})"));
  CHECK(loss.empty());
  (void)for_cohere(R"({"model":"e","input":[1,2]})", loss, Operation::kEmbeddings);
  CHECK(loss.first_at_least(LossSeverity::kSemantic)->field == "input");
}

TEST_CASE("what Cohere alone can be given refuses the request elsewhere") {
  chat::LossReport loss;
  (void)test::translated(cohere(), openai(), user(R"("documents":["x"],"safety_mode":"NONE")"), loss);
  CHECK(test::losses_of(loss) == "documents (semantic)\nsafety_mode (cosmetic)\n");
}

TEST_CASE("a tool's document is its result for everybody else") {
  chat::LossReport loss;
  const std::string sent = test::translated(cohere(), openai(), R"({"model":"m","messages":[{"role":"assistant","tool_plan":"p","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},
      {"role":"tool","tool_call_id":"a","content":[{"type":"document","document":{"data":{"x":1}}}]}]})", loss);
  const json::Document document = test::parsed(sent);
  const json::Value result = document.root().find("messages")->element(1);
  CHECK(canonical(result) == canonical(R"({"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"{\"x\":1}"}]})"));
  CHECK(loss.worst() == LossSeverity::kCosmetic);
}
