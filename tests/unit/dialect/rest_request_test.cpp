// Templates of custom surfaces: what is put where, what is left out, what has no place, and what is refused at load.

#include <catch2/catch.hpp>

#include "unit/dialect/rest_support.hpp"

using namespace sluice;
using chat::Operation;
using test::canonical;
using test::chatml;
using test::chats;
using test::sent;
using test::surface;

namespace {

const std::string kHello = R"({"model":"m","messages":[{"role":"user","content":"Hi"}]})";

/// A chat with a member more.
std::string hello_with(std::string_view more) { return R"({"model":"m","messages":[{"role":"user","content":"Hi"}],)" + std::string(more) + "}"; }

std::string faults_of(const RestOptions& options) {
  std::string out;
  for (const dialect::RestFault& fault : dialect::judge_rest(options)) out += fault.pointer + ": " + fault.message + "\n";
  return out;
}

}  // namespace

TEST_CASE("a template's references become what the caller said, and what they did not say is left out with its name") {
  const auto mine = surface(chats(R"({"$comment":"not sent","input":{"text":{"$from":"/last_user"}},"m":{"$from":"/model"},"options":{"n":{"$from":"/max_tokens"},"t":{"$from":"/temperature"},
      "p":{"$from":"/top_p"},"k":{"$from":"/top_k"},"s":{"$from":"/seed"},"stop":{"$from":"/stop"},"who":{"$from":"/user"}},"fixed":[1,"a",null,{"b":true}],"list":[{"$from":"/seed"},{"$from":"/stream"}]})"));
  CHECK(canonical(sent(*mine, kHello), true) == canonical(R"({"input":{"text":"Hi"},"m":"m","options":{},"fixed":[1,"a",null,{"b":true}],"list":[false]})", true));
  CHECK(canonical(sent(*mine, hello_with(R"("max_tokens":5,"temperature":0.5,"top_p":0.25,"seed":7,"stop":"END","user":"u")")), true) ==
        canonical(R"({"input":{"text":"Hi"},"m":"m","options":{"n":5,"t":0.5,"p":0.25,"s":7,"stop":["END"],"who":"u"},"fixed":[1,"a",null,{"b":true}],"list":[7,false]})", true));
}

TEST_CASE("a reference has a default, and numbers outside its bounds are left out and told as a note") {
  const auto mine = surface(chats(R"({"q":{"$from":"/last_user"},"n":{"$from":"/max_tokens","default":256},"t":{"$from":"/temperature","above":0},"p":{"$from":"/top_p","below":1,"default":0.99},"s":{"$from":"/stop","default":[]}})"));
  CHECK(canonical(sent(*mine, kHello)) == canonical(R"({"q":"Hi","n":256,"p":0.99,"s":[]})"));
  chat::LossReport loss;
  CHECK(canonical(sent(*mine, hello_with(R"("temperature":0,"top_p":1,"max_tokens":3)"), loss)) == canonical(R"({"q":"Hi","n":3,"p":0.99,"s":[]})"));
  CHECK(test::losses_of(loss) == "temperature (note)\ntop_p (note)\n");
  CHECK(canonical(sent(*mine, hello_with(R"("temperature":0.1,"top_p":0.5)"))) == canonical(R"({"q":"Hi","n":256,"t":0.1,"p":0.5,"s":[]})"));
}

TEST_CASE("a choice in a template stands for one of two pieces, or for none") {
  const auto mine = surface(chats(R"({"q":{"$from":"/last_user"},"sample":{"$if":"/temperature","above":0,"then":true,"else":{"$if":"/temperature","then":false}},
      "inputs":["x",{"$if":"/max_tokens","then":{"name":"max","data":[{"$from":"/max_tokens"}]}}],"mode":{"$if":"/stream","then":"live","else":"whole"}})"));
  CHECK(canonical(sent(*mine, kHello)) == canonical(R"({"q":"Hi","inputs":["x"],"mode":"whole"})"));
  CHECK(canonical(sent(*mine, hello_with(R"("temperature":0,"max_tokens":9)"))) == canonical(R"({"q":"Hi","sample":false,"inputs":["x",{"name":"max","data":[9]}],"mode":"whole"})"));
  CHECK(canonical(sent(*mine, hello_with(R"("temperature":1)"))) == canonical(R"({"q":"Hi","sample":true,"inputs":["x"],"mode":"whole"})"));
}

TEST_CASE("streaming is said to a server that streams, and to no other") {
  RestOptions options = chats(R"({"q":{"$from":"/last_user"},"stream":{"$from":"/stream"}})");
  CHECK(canonical(sent(*surface(options), hello_with(R"("stream":true)"))) == canonical(R"({"q":"Hi","stream":false})"));
  options.chat->stream = RestStream{.path = "/live", .event = {.text = "/t"}};
  const auto mine = surface(options);
  CHECK(canonical(sent(*mine, hello_with(R"("stream":true)"))) == canonical(R"({"q":"Hi","stream":true})"));
  CHECK(mine->target_of({.streaming = true}) == "/live");
  CHECK(mine->target_of({}) == "/chat");
  CHECK(mine->stream_framing(Operation::kChat) == http::Framing::kSse);
  CHECK_FALSE(mine->stream_framing(Operation::kEmbeddings));
}

TEST_CASE("a path has the model in it, escaped, as often as it says so") {
  RestOptions options = chats(R"({"q":{"$from":"/last_user"}})");
  options.chat->path = "/v1/{model}/run?m={model}";
  CHECK(surface(options)->target_of({.model = "a b/c"}) == "/v1/a%20b%2Fc/run?m=a%20b%2Fc");
  chat::LossReport loss;
  (void)sent(*surface(options), R"({"messages":[{"role":"user","content":"Hi"}]})", loss);
  CHECK(test::losses_of(loss) == "model (semantic)\n");
}

TEST_CASE("messages, tools and answer formats are told in OpenAI's shape where a template asks for them") {
  RestOptions options = chats(R"({"conversation":{"$from":"/messages"},"tools":{"$from":"/tools"},"choice":{"$from":"/tool_choice"},"format":{"$from":"/response_format"},"effort":{"$from":"/reasoning_effort"}})");
  options.chat->answer.tool_calls = "/calls";
  const auto mine = surface(options);
  const std::string messages = R"([{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]},
      {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"r"}])";
  const std::string tools = R"([{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}])";
  CHECK(canonical(sent(*mine, R"({"model":"m","messages":)" + messages + R"(,"tools":)" + tools + R"(,"tool_choice":"required","response_format":{"type":"json_object"},"reasoning_effort":"low"})")) ==
        canonical(R"({"conversation":)" + messages + R"(,"tools":)" + tools + R"(,"choice":"required","format":{"type":"json_object"},"effort":"low"})"));
  // Older tools are told as the newer ones.
  CHECK(canonical(sent(*mine, hello_with(R"("functions":[{"name":"f","parameters":{"type":"object"}}])"))) ==
        canonical(R"({"conversation":[{"role":"user","content":"Hi"}],"tools":)" + tools + "}"));
}

TEST_CASE("a caller of another dialect is told in the same shape, with what OpenAI's has no place for on the report") {
  RestOptions options = chats(R"({"conversation":{"$from":"/messages"},"n":{"$from":"/max_tokens"}})");
  const auto mine = surface(options);
  chat::LossReport loss;
  CHECK(canonical(test::translated(dialect::anthropic(), *mine, R"({"model":"m","max_tokens":9,"system":"s","top_k":4,"messages":[{"role":"user","content":"a"}]})", loss)) ==
        canonical(R"({"conversation":[{"role":"system","content":"s"},{"role":"user","content":"a"}],"n":9})"));
  CHECK(test::losses_of(loss) == "top_k (cosmetic)\n");
}

TEST_CASE("a conversation is one prompt by the model's chat template") {
  RestOptions options = chats(R"({"p":{"$from":"/prompt"}})");
  options.prompt = chatml();
  const std::string said = R"({"role":"system","content":"Be brief"},{"role":"user","content":"A"},{"role":"assistant","content":"B"},)";
  const std::string told = "<|im_start|>system\\nBe brief<|im_end|>\\n<|im_start|>user\\nA<|im_end|>\\n<|im_start|>assistant\\nB<|im_end|>\\n";
  CHECK(sent(*surface(options), R"({"model":"m","messages":[)" + said + R"({"role":"user","content":[{"type":"text","text":"C"},{"type":"text","text":"D"}]}]})") ==
        "{\"p\":\"" + told + "<|im_start|>user\\nCD<|im_end|>\\n<|im_start|>assistant\\n\"}");
  // Who ends with words of the model has it go on with them.
  CHECK(sent(*surface(options), R"({"model":"m","messages":[)" + said.substr(0, said.size() - 1) + "]}") ==
        "{\"p\":\"" + told.substr(0, told.size() - std::string("<|im_end|>\\n").size()) + "\"}");
  // System texts that have a place of their own stand in no prompt.
  options.chat->request = R"({"p":{"$from":"/prompt"},"s":{"$from":"/system"}})";
  options.prompt->begin = "<s>";
  CHECK(sent(*surface(options), R"({"model":"m","messages":[{"role":"system","content":"x"},{"role":"developer","content":"y"},{"role":"user","content":"A"}]})") ==
        R"({"p":"<s><|im_start|>user\nA<|im_end|>\n<|im_start|>assistant\n","s":"x\n\ny"})");
}

TEST_CASE("without a chat template a single user message is a prompt, and nothing else is") {
  const auto mine = surface(chats(R"({"p":{"$from":"/prompt"}})"));
  CHECK(sent(*mine, kHello) == R"({"p":"Hi"})");
  const auto [messages, lost] = GENERATE(table<std::string, std::string>({
      {R"({"role":"system","content":"s"},{"role":"user","content":"A"})", "messages[0] (semantic)\nmessages[1] (semantic)\n"},
      {R"({"role":"user","content":"A"},{"role":"assistant","content":"B"},{"role":"user","content":"C"})", "messages[1] (semantic)\nmessages[2] (semantic)\n"},
  }));
  chat::LossReport loss;
  (void)sent(*mine, R"({"model":"m","messages":[)" + messages + "]}", loss);
  CHECK(test::losses_of(loss) == lost);
}

TEST_CASE("what a prompt has no place for refuses the request, and what is cosmetic is told") {
  RestOptions options = chats(R"({"p":{"$from":"/prompt"}})");
  options.prompt = chatml();
  const auto mine = surface(options);
  const auto [body, lost] = GENERATE(table<std::string, std::string>({
      {R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://e.com/a.png"}}]}]})", "messages[0].content[0] (semantic)\n"},
      {R"({"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"r"}]})",
       "messages[1].tool_calls (semantic)\nmessages[2] (semantic)\n"},
      {hello_with(R"("tools":[{"type":"function","function":{"name":"f"}}])"), "tools.f (semantic)\n"},
      {hello_with(R"("tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"none")"), "tools.f (note)\n"},
      {hello_with(R"("response_format":{"type":"json_object"})"), "response_format (semantic)\n"},
      {hello_with(R"("response_format":{"type":"text"})"), ""},
      {hello_with(R"("n":2)"), "n (semantic)\n"},
      {hello_with(R"("logprobs":true)"), "logprobs (semantic)\n"},
      {hello_with(R"("stop":["a"])"), "stop (semantic)\n"},
      {hello_with(R"("max_tokens":4)"), "max_tokens (semantic)\n"},
      {hello_with(R"("modalities":["text","audio"],"audio":{"voice":"a","format":"wav"})"), "modalities (semantic)\n"},
      {hello_with(R"("temperature":1,"top_p":0.5,"seed":1,"frequency_penalty":1,"presence_penalty":1,"logit_bias":{"5":1})"),
       "temperature (cosmetic)\ntop_p (cosmetic)\nfrequency_penalty (cosmetic)\npresence_penalty (cosmetic)\nseed (cosmetic)\nlogit_bias (cosmetic)\n"},
      {hello_with(R"("user":"u","store":true,"metadata":{"a":"b"},"service_tier":"flex")"), "user (cosmetic)\nservice_tier (cosmetic)\nstore (cosmetic)\nmetadata (cosmetic)\n"},
      {hello_with(R"("reasoning_effort":"low","verbosity":"low")"), "reasoning_effort (cosmetic)\nverbosity (cosmetic)\n"},
      {hello_with(R"("web_search_options":{})"), "web_search_options (semantic)\n"},
  }));
  INFO(body);
  chat::LossReport loss;
  (void)sent(*mine, body, loss);
  CHECK(test::losses_of(loss) == lost);
}

TEST_CASE("a server that is told the last message alone is not asked what hangs on others") {
  const auto mine = surface(chats(R"({"q":{"$from":"/last_user"},"s":{"$from":"/system"}})"));
  CHECK(sent(*mine, R"({"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"A"}]})") == R"({"q":"A","s":"s"})");
  chat::LossReport loss;
  CHECK(sent(*mine, R"({"model":"m","messages":[{"role":"user","content":"A"},{"role":"assistant","content":"B"},{"role":"user","content":"C"}]})", loss) == R"({"q":"C"})");
  CHECK(test::losses_of(loss) == "messages[1] (semantic)\nmessages[0] (semantic)\n");
}

TEST_CASE("an answer can be bound to a schema where a template has a place for one") {
  const auto mine = surface(chats(R"({"q":{"$from":"/last_user"},"grammar":{"$if":"/json_schema","then":{"value":{"$from":"/json_schema"}}}})"));
  CHECK(canonical(sent(*mine, hello_with(R"("response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object"}}})"))) ==
        canonical(R"({"q":"Hi","grammar":{"value":{"type":"object"}}})"));
  chat::LossReport loss;
  CHECK(sent(*mine, hello_with(R"("response_format":{"type":"json_object"})"), loss) == R"({"q":"Hi"})");
  CHECK(test::losses_of(loss) == "response_format (semantic)\n");
}

TEST_CASE("prompts, vectors, rankings and judgements have templates of their own") {
  RestOptions options;
  options.completions = RestOperation{.path = "/c", .request = R"({"p":{"$from":"/prompt"},"s":{"$from":"/suffix"}})", .answer = {.text = "/t"}};
  options.embeddings = RestOperation{.path = "/e", .request = R"({"i":{"$from":"/inputs"},"one":{"$from":"/input"},"n":{"$from":"/input_count"},"d":{"$from":"/dimensions"}})"};
  options.rerank = RestOperation{.path = "/r", .request = R"({"q":{"$from":"/query"},"d":{"$from":"/documents"},"n":{"$from":"/top_n"}})"};
  options.moderations = RestOperation{.path = "/m", .request = R"({"t":{"$from":"/input"}})", .answer = {.score = "/s", .category = "/c"}};
  const auto mine = surface(options);
  CHECK(sent(*mine, R"({"model":"m","prompt":"p","suffix":"z"})", Operation::kCompletions) == R"({"p":"p","s":"z"})");
  CHECK(sent(*mine, R"({"model":"m","input":"a","dimensions":8})", Operation::kEmbeddings) == R"({"i":["a"],"one":"a","n":1,"d":8})");
  CHECK(sent(*mine, R"({"model":"m","input":["a","b"]})", Operation::kEmbeddings) == R"({"i":["a","b"],"one":["a","b"],"n":2})");
  CHECK(sent(*mine, R"({"input":"a"})", Operation::kModerations) == R"({"t":"a"})");
  chat::LossReport loss;
  CHECK(test::translated(dialect::jina(), *mine, R"({"model":"m","query":"q","documents":["a",{"text":"b"},{"x":1}],"top_n":2})", loss, Operation::kRerank) ==
        R"({"q":"q","d":["a","b","{\"x\":1}"],"n":2})");
  CHECK(test::losses_of(loss) == "documents (note)\n");
  const auto [operation, body, lost] = GENERATE(table<Operation, std::string, std::string>({
      {Operation::kCompletions, R"({"model":"m","prompt":["a","b"]})", "prompt (semantic)\n"},
      {Operation::kCompletions, R"({"model":"m","prompt":[1,2]})", "prompt (semantic)\n"},
      {Operation::kCompletions, R"({"model":"m","prompt":"a","echo":true,"best_of":2})", "echo (semantic)\nbest_of (cosmetic)\n"},
      {Operation::kEmbeddings, R"({"model":"m","input":[[1,2]]})", "input (semantic)\n"},
      {Operation::kModerations, R"({"input":["a","b"]})", "input (semantic)\n"},
      {Operation::kModerations, R"({"input":[{"type":"image_url","image_url":{"url":"https://e.com/a.png"}}]})", "input (semantic)\n"},
  }));
  INFO(body);
  chat::LossReport refused;
  (void)sent(*mine, body, refused, operation);
  CHECK(test::losses_of(refused) == lost);
}

TEST_CASE("a surface serves what it says, and no client speaks it") {
  const auto mine = surface(chats(R"({"q":{"$from":"/last_user"}})"));
  CHECK(mine->name() == "mine");
  CHECK(mine->serves(Operation::kChat));
  CHECK_FALSE(mine->serves(Operation::kEmbeddings));
  CHECK_FALSE(mine->recognise("POST", "/chat", {}, {}));
  CHECK_FALSE(mine->decode_request(test::parsed(kHello), Operation::kChat));
}

TEST_CASE("what a surface cannot honour is refused by its place when it is loaded") {
  const RestOperation good{.path = "/c", .request = R"({"q":{"$from":"/last_user"}})", .answer = {.text = "/t"}};
  const auto with = [&good](auto change) {
    RestOptions options;
    options.chat = good;
    change(options);
    return faults_of(options);
  };
  CHECK(with([](RestOptions&) {}) == "");
  CHECK(faults_of({}) == ": says no operation: chat, completions, embeddings, rerank or moderations\n");
  CHECK(with([](RestOptions& o) { o.chat->path = "c"; }) == "/chat/path: must begin with '/': it stands behind the upstream's url\n");
  CHECK(with([](RestOptions& o) { o.chat->path = "/{name}"; }).starts_with("/chat/path: must be a path"));
  CHECK(with([](RestOptions& o) { o.chat->request = R"({"q":{"$from":"/last_user"},"t":{"$from":"/temprature"}})"; }) ==
        "/chat/request/t/$from: callers of chat say no '/temprature', did you mean '/temperature'?\n");
  CHECK(with([](RestOptions& o) { o.chat->request = R"({"q":{"$from":"/last_user"},"t":{"$from":"/documents"}})"; }).starts_with("/chat/request/t/$from: callers of chat say no '/documents'; they say /prompt, "));
  CHECK(with([](RestOptions& o) { o.chat->request = R"({"q":{"$from":"/last_user","defualt":1}})"; }) == "/chat/request/q/defualt: stands in no \"$from\"; known there: above, below, default\n");
  CHECK(with([](RestOptions& o) { o.chat->request = R"({"q":{"$from":"/last_user","above":1}})"; }) == "/chat/request/q: has bounds, and '/last_user' is no number\n");
  CHECK(with([](RestOptions& o) { o.chat->request = R"({"q":{"$from":"/last_user"},"a":{"$if":"/seed"}})"; }) == "/chat/request/a: needs \"then\", what stands there where it was said\n");
  CHECK(with([](RestOptions& o) { o.chat->request = R"({"q":{"$from":"/last_user"},"a":{"$form":"/seed"}})"; }).starts_with("/chat/request/a/$form: is no reference"));
  CHECK(with([](RestOptions& o) { o.chat->request = R"({"q":{"$from":"/last_user"},"a":[{"$from":"/x"}]})"; }).starts_with("/chat/request/a/0/$from: "));
  CHECK(with([](RestOptions& o) { o.chat->request = R"({"q":1})"; }) == "/chat/request: refers to nothing that was said: a chat needs '/messages', '/prompt' or '/last_user'\n");
  CHECK(with([](RestOptions& o) { o.chat->request = "[]"; }).starts_with("/chat/request: must be a JSON object"));
  CHECK(with([](RestOptions& o) { o.chat->request = R"({"$from":"/messages"})"; }) == "/chat/request: must be a JSON object with references in it\n");
  CHECK(with([](RestOptions& o) { o.chat->request = R"({"$comment":"x","q":{"$from":"/last_user","$comment":"y"}})"; }) == "");
  CHECK(with([](RestOptions& o) { o.chat->request = "{"; }).starts_with("/chat/request: is no JSON: "));
  CHECK(with([](RestOptions& o) { o.chat->answer.text = ""; }) == "/chat/answer: needs \"text\", where the text stands\n");
  CHECK(with([](RestOptions& o) { o.chat->answer.text = "text"; }) == "/chat/answer/text: must be a JSON Pointer that begins with '/'\n");
  CHECK(with([](RestOptions& o) { o.chat->answer.id = "/a~2"; }) == "/chat/answer/id: must be a JSON Pointer that begins with '/'\n");
  CHECK(with([](RestOptions& o) { o.chat->answer.list = "/l"; }) == "/chat/answer/list: has no effect: chat has none\n");
  CHECK(with([](RestOptions& o) { o.chat->answer.scale = 2; }) == "/chat/answer/scale: has no effect: only moderations have scores to be divided\n");
  CHECK(with([](RestOptions& o) { o.chat->words = {{"a", "stop"}}; }) == "/chat/words: has no effect: no \"finish\" says where the words stand\n");
  CHECK(with([](RestOptions& o) { o.chat->answer.finish = "/f", o.chat->words = {{"a", "ended"}}; }) == "/chat/words/a: must be stop, length, tool_calls or content_filter (is \"ended\")\n");
  CHECK(with([](RestOptions& o) { o.chat->stream = RestStream{}; }) == "/chat/stream/event: needs \"text\", where the text stands\n");
  CHECK(with([](RestOptions& o) { o.chat->stream = RestStream{.framing = RestFraming::kRaw, .cumulative = true}; }) == "/chat/stream/cumulative: has no effect: a raw stream is its text and nothing else\n");
  CHECK(with([](RestOptions& o) { o.chat->stream = RestStream{.framing = RestFraming::kJsonArray, .event = {.text = "/t"}, .end_data = "x"}; }) == "/chat/stream/end_data: has no effect: the elements of a JSON array are JSON\n");
  CHECK(with([](RestOptions& o) { o.chat->stream = RestStream{.event = {.text = "/t"}, .end_if = {.pointer = "/d", .equals = "{}"}}; }) == "/chat/stream/end_if/equals: must be a text, a number or a boolean\n");
  CHECK(with([](RestOptions& o) { o.chat->request = R"({"m":{"$from":"/messages"},"t":{"$from":"/tools"}})"; }) == "/chat/answer: needs \"tool_calls\": the request offers tools\n");
  CHECK(with([](RestOptions& o) { o.prompt = chatml(); }) == "/prompt: has no effect: no chat refers to '/prompt'\n");
  CHECK(with([](RestOptions& o) { o.credential_header = "a b"; }) == "/credential_header: is no header field name\n");
  CHECK(with([](RestOptions& o) { o.error_if.equals = "1"; }) == "/error_if: needs \"pointer\", where to look\n");
  RestOptions others;
  others.rerank = RestOperation{.path = "/r", .request = R"({"q":{"$from":"/query"}})", .stream = RestStream{}};
  others.moderations = RestOperation{.path = "/m", .request = R"({"q":{"$from":"/input"}})"};
  CHECK(faults_of(others) == "/rerank/stream: has no effect: rerank is never streamed\n/rerank/request: needs a reference to '/documents'\n"
                             "/moderations/answer: needs \"category\", where in an element of the list its name stands\n"
                             "/moderations/answer: needs \"score\", where in an element of the list the score stands\n");
  CHECK(dialect::make_rest_dialect("x", others).error().code == Code::kInvalidConfiguration);
}

// DIAL-25
TEST_CASE("a row that brings its model's template tells a conversation by it, and by the configuration's where there is one") {
  const std::string provider = GENERATE(as<std::string>(), "bedrock-anthropic-text", "bedrock-deepseek");
  const std::string talk = R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hel"}]})";
  const bool older = provider == "bedrock-anthropic-text";
  // Words of the model at the end are what it goes on with: nothing stands behind them.
  CHECK(canonical(sent(*test::row(provider), talk)) ==
        canonical(older ? R"({"prompt":"\n\nHuman: Hi\n\nAssistant: Hel","max_tokens_to_sample":9})"
                        : R"({"prompt":"<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜>Hel","max_tokens":9})"));
  const std::string own = sent(*test::row(provider, chatml()), talk);
  CHECK(own.find(R"(<|im_start|>assistant\nHel")") != std::string::npos);
  CHECK(own.find("Human") == std::string::npos);
  CHECK(own.find("User") == std::string::npos);
}

TEST_CASE("what prompts of Anthropic's older texts and of DeepSeek-R1 have no place for is on the report") {
  const auto [provider, body, lost] = GENERATE(table<std::string, std::string, std::string>({
      {"bedrock-anthropic-text", hello_with(R"("tools":[{"type":"function","function":{"name":"f"}}])"), "tools.f (semantic)\n"},
      {"bedrock-deepseek", hello_with(R"("tools":[{"type":"function","function":{"name":"f"}}])"), "tools.f (semantic)\n"},
      {"bedrock-anthropic-text", R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://e.com/a.png"}}]}]})", "messages[0].content[0] (semantic)\n"},
      {"bedrock-deepseek", R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://e.com/a.png"}}]}]})", "messages[0].content[0] (semantic)\n"},
      {"bedrock-anthropic-text", hello_with(R"("n":2,"seed":1,"top_k":5,"frequency_penalty":0.5)"), "frequency_penalty (cosmetic)\nseed (cosmetic)\nn (semantic)\n"},
      {"bedrock-deepseek", hello_with(R"("n":2,"seed":1,"top_k":5,"reasoning_effort":"low")"), "top_k (cosmetic)\nseed (cosmetic)\nn (semantic)\nreasoning_effort (cosmetic)\n"},
      {"bedrock-deepseek", hello_with(R"("response_format":{"type":"json_object"})"), "response_format (semantic)\n"},
  }));
  INFO(provider << " " << body);
  chat::LossReport loss;
  (void)sent(*test::row(provider), body, loss);
  CHECK(test::losses_of(loss) == lost);
}

TEST_CASE("every provider's row is a surface without a fault") {
  const auto [name, prompts] = GENERATE(table<std::string, bool>({{"tgi-native", true}, {"triton", true}, {"triton-tensorrt", true}, {"kserve", true},
                                                                 {"bedrock-anthropic-text", true}, {"bedrock-deepseek", true},
                                                                 {"tei", false}, {"azure-content-safety", false}}));
  INFO(name);
  const RestOptions* found = dialect::find_surface(name);
  REQUIRE(found != nullptr);
  CHECK(faults_of(*found) == "");
  CHECK(dialect::takes_prompts(*found) == prompts);
  CHECK(dialect::find_surface("custom") == nullptr);
}
