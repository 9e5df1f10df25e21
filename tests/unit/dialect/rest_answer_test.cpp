// Whole answers of custom surfaces, of every operation; errors that call themselves successes.

#include <catch2/catch.hpp>

#include "unit/dialect/rest_support.hpp"

using namespace sluice;
using chat::FinishReason;
using chat::Operation;
using test::chats;
using test::read_answer;
using test::surface;

namespace {

const std::string kAsk = R"({"q":{"$from":"/last_user"}})";

/// A surface that says where everything of a chat stands.
RestOptions talkative() {
  RestOptions out = chats(kAsk);
  out.chat->answer = {.text = "/out/0/text", .reasoning = "/thought", .tool_calls = "/calls", .finish = "/why", .input_tokens = "/n/in",
                      .output_tokens = "/n/out", .id = "/a~1b", .model = "/m~0"};
  out.chat->words = {{"cut", "length"}, {"blocked", "content_filter"}};
  return out;
}

Error refused(const dialect::Dialect& from, std::string_view body, const dialect::Asked& asked = {}) {
  const auto message = from.decode_answer(body, asked);
  INFO(body);
  REQUIRE_FALSE(message);
  return message.error();
}

}  // namespace

TEST_CASE("everything an answer says is found where the surface says it stands") {
  const auto mine = surface(talkative());
  const chat::Message message = read_answer(*mine, R"({"a/b":"id1","m~":"big","thought":"hm","out":[{"text":"said"},{"text":"no"}],"why":"cut","n":{"in":3,"out":2.0},
      "calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"function":{"name":"g","arguments":{"y":2}}}]})");
  CHECK(message.id == "id1");
  CHECK(message.model == "big");
  REQUIRE(message.choices.size() == 1);
  CHECK(message.choices[0].turn.text() == "said");
  CHECK(test::thinking_of(message) == "hm");
  CHECK(message.choices[0].finish == FinishReason::kLength);
  CHECK(message.choices[0].native_finish == "cut");
  CHECK(message.usage->input_tokens == 3u);
  CHECK(message.usage->output_tokens == 2u);
  const auto calls = test::calls_of(message);
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].id == "c");
  CHECK(calls[0].arguments == R"({"x":1})");
  CHECK(calls[1].id == "call_1");
  CHECK(calls[1].arguments == R"({"y":2})");
}

TEST_CASE("why Anthropic's older texts and DeepSeek-R1's ended is told in one word for both") {  // DIAL-25
  const auto [provider, answer, finish] = GENERATE(table<std::string, std::string, FinishReason>({
      {"bedrock-anthropic-text", R"({"completion":" Hi","stop_reason":"stop_sequence","stop":"\n\nHuman:"})", FinishReason::kStop},
      {"bedrock-anthropic-text", R"({"completion":" Hi","stop_reason":"max_tokens","stop":null})", FinishReason::kLength},
      {"bedrock-deepseek", R"({"choices":[{"text":" Hi","stop_reason":"stop"}]})", FinishReason::kStop},
      {"bedrock-deepseek", R"({"choices":[{"text":" Hi","stop_reason":"length"}]})", FinishReason::kLength},
  }));
  INFO(answer);
  for (const Operation operation : {Operation::kChat, Operation::kCompletions}) {
    const chat::Message message = read_answer(*test::row(provider), answer, {.operation = operation});
    CHECK(message.choices.at(0).turn.text() == " Hi");
    CHECK(message.choices[0].finish == finish);
  }
  CHECK(refused(*test::row(provider), R"({"output":"Hi"})").code == Code::kUpstreamInvalidAnswer);
  // A stream that broke off before its reason is no answer.
  const std::string begun = provider == "bedrock-deepseek" ? R"({"choices":[{"text":"Hi","stop_reason":null}]})" : R"({"completion":"Hi","stop_reason":null,"stop":null})";
  CHECK(test::read_stream(*test::row(provider), "data: " + begun + "\n\n", http::Framing::kSse).error().code == Code::kUpstreamTruncated);
}

TEST_CASE("who does not say why an answer ended has stopped, and who counts nothing has no usage") {
  const auto mine = surface(talkative());
  const chat::Message message = read_answer(*mine, R"({"out":[{"text":""}],"n":{"in":null,"out":"many"}})");
  CHECK(message.choices[0].finish == FinishReason::kStop);
  CHECK(message.choices[0].native_finish == "");
  CHECK_FALSE(message.usage);
  CHECK(message.id == "");
  const auto [why, finish, native] = GENERATE(table<std::string, FinishReason, std::string>({{"stop", FinishReason::kStop, ""},
                                                                                            {"length", FinishReason::kLength, ""},
                                                                                            {"blocked", FinishReason::kContentFilter, "blocked"},
                                                                                            {"eos_token", FinishReason::kStop, "eos_token"},
                                                                                            {"odd", FinishReason::kStop, "odd"}}));
  const chat::Message other = read_answer(*mine, R"({"out":[{"text":"x"}],"why":")" + why + "\"}");
  CHECK(other.choices[0].finish == finish);
  CHECK(other.choices[0].native_finish == native);
  // Calls are a reason of their own, whatever word stands there.
  CHECK(read_answer(*mine, R"({"calls":[{"function":{"name":"f","arguments":"{}"}}],"why":"stop"})").choices[0].finish == FinishReason::kToolCalls);
}

TEST_CASE("an answer without a text where one was said to be is no answer, and says so with what came") {
  const auto mine = surface(talkative());
  const auto body = GENERATE(as<std::string>(), "{}", R"({"out":[]})", R"({"out":[{"text":5}]})", R"({"out":{"0":{"text":null}}})", "[]", R"("said")");
  const Error error = refused(*mine, body);
  CHECK(error.code == Code::kUpstreamInvalidAnswer);
  CHECK(error.message.find("has no text where the surface of 'mine' says") != std::string::npos);
  CHECK(refused(*mine, "<html>no</html>").message.find("is no JSON") != std::string::npos);
}

TEST_CASE("an error that calls itself a success is one, with its words from where the surface says they stand") {
  RestOptions options = talkative();
  CHECK(refused(*surface(options), R"({"error":{"message":"full"},"out":[{"text":"x"}]})").message == "full");
  CHECK(refused(*surface(options), R"({"error":"full"})").code == Code::kUpstreamError);
  CHECK(read_answer(*surface(options), R"({"error":null,"out":[{"text":"x"}]})").choices.size() == 1);
  CHECK(read_answer(*surface(options), R"({"error":false,"out":[{"text":"x"}]})").choices.size() == 1);
  options.error_if = {.pointer = "/ok", .equals = "false"};
  options.error_message = "/why";
  CHECK(refused(*surface(options), R"({"ok":false,"why":"broken","out":[{"text":"x"}]})").message == "broken");
  CHECK(refused(*surface(options), R"({"ok":false,"message":"elsewhere"})").message == "elsewhere");
  CHECK(read_answer(*surface(options), R"({"ok":true,"out":[{"text":"x"}],"error":"a note"})").choices.size() == 1);
  const auto [equals, holds] = GENERATE(table<std::string, bool>({{"\"down\"", true}, {"\"up\"", false}, {"3", false}, {"true", false}, {"", true}}));
  options.error_if = {.pointer = "/state/0", .equals = equals};
  CHECK(surface(options)->decode_answer(R"({"state":["down"],"out":[{"text":"x"}]})", {}).has_value() != holds);
  options.error_if = {.pointer = "/code", .equals = "3.0"};
  CHECK_FALSE(surface(options)->decode_answer(R"({"code":3,"out":[{"text":"x"}]})", {}));
}

TEST_CASE("vectors are numbers or base64, in a list of their own or of objects, one for each text") {
  RestOptions options;
  options.embeddings = RestOperation{.path = "/e", .request = R"({"i":{"$from":"/inputs"}})", .answer = {.input_tokens = "/n", .list = "/data", .vector = "/v"}};
  const chat::Request two = test::request_of(dialect::openai(), R"({"model":"m","input":["a","b"]})", Operation::kEmbeddings);
  const dialect::Asked asked{.operation = Operation::kEmbeddings, .request = &two};
  const chat::Message message = read_answer(*surface(options), R"({"data":[{"v":[0.5,-1]},{"v":"AAAAPw=="}],"n":4})", asked);
  REQUIRE(message.embeddings.size() == 2);
  CHECK(std::get<std::vector<double>>(message.embeddings[0].vector) == std::vector<double>{0.5, -1});
  CHECK(std::get<std::string>(message.embeddings[1].vector) == "AAAAPw==");
  CHECK(message.embeddings[1].index == 1);
  CHECK(message.usage->total_tokens == 4u);
  CHECK(refused(*surface(options), R"({"data":[{"v":[1]}]})", asked).message == "the upstream gave 1 vectors for 2 texts");
  CHECK(refused(*surface(options), R"({"data":[{"v":["x"]},{"v":[]}]})", asked).code == Code::kUpstreamInvalidAnswer);
  CHECK(refused(*surface(options), R"({"data":[{},{}]})", asked).message.find("has no vector") != std::string::npos);
  CHECK(refused(*surface(options), R"({"datum":[]})", asked).message.find("has no list") != std::string::npos);
  const chat::Request one = test::request_of(dialect::openai(), R"({"model":"m","input":"a"})", Operation::kEmbeddings);
  const dialect::Asked asked_one{.operation = Operation::kEmbeddings, .request = &one};
  CHECK(std::get<std::vector<double>>(read_answer(*surface(options), R"({"data":[0.5,2]})", asked_one).embeddings.at(0).vector) == std::vector<double>{0.5, 2});
  CHECK(refused(*surface(options), R"({"data":[0.5,"x"]})", asked_one).code == Code::kUpstreamInvalidAnswer);
  options.embeddings->answer = {};
  CHECK(std::get<std::vector<double>>(read_answer(*surface(options), "[[1,2],[3,4]]", asked).embeddings[1].vector) == std::vector<double>{3, 4});
}

TEST_CASE("rankings come best first, cut to what was asked for, with the documents who asked for them") {
  RestOptions options;
  options.rerank = RestOperation{.path = "/r", .request = R"({"q":{"$from":"/query"},"d":{"$from":"/documents"}})", .answer = {.list = "/r", .index = "/i", .score = "/s"}};
  const chat::Request request = test::request_of(dialect::jina(), R"({"model":"m","query":"q","documents":["a","b","c"],"top_n":2,"return_documents":true})", Operation::kRerank);
  const dialect::Asked asked{.operation = Operation::kRerank, .request = &request};
  const chat::Message message = read_answer(*surface(options), R"({"r":[{"i":0,"s":0.1},{"i":2,"s":0.9},{"i":1,"s":0.5}]})", asked);
  REQUIRE(message.ranked.size() == 2);
  CHECK(message.ranked[0].index == 2);
  CHECK(message.ranked[0].score == 0.9);
  CHECK(message.ranked[0].document == "\"c\"");
  CHECK(message.ranked[1].index == 1);
  CHECK(refused(*surface(options), R"({"r":[{"i":3,"s":1}]})", asked).message.find("document's number") != std::string::npos);
  CHECK(refused(*surface(options), R"({"r":[{"i":0}]})", asked).message.find("has no score") != std::string::npos);
  // Scores in the order of the documents.
  options.rerank->answer = {.list = "/scores"};
  CHECK(read_answer(*surface(options), R"({"scores":[0.1,0.2,0.7]})", asked).ranked[0].index == 2);
}

TEST_CASE("judgements have scores between 0 and 1, OpenAI's names, and flags from a score on") {
  RestOptions options;
  options.moderations = RestOperation{.path = "/m", .request = R"({"t":{"$from":"/input"}})", .answer = {.list = "/c", .score = "/s", .category = "/n", .scale = 4, .flagged_from = 0.5},
                                      .words = {{"Bad", "violence"}}};
  const dialect::Asked asked{.operation = Operation::kModerations};
  const chat::Message message = read_answer(*surface(options), R"({"c":[{"n":"Bad","s":2},{"n":"Other","s":1}]})", asked);
  REQUIRE(message.moderations.size() == 1);
  CHECK(message.moderations[0].flagged);
  CHECK(message.moderations[0].categories == std::vector<std::pair<std::string, bool>>{{"violence", true}, {"Other", false}});
  CHECK(message.moderations[0].scores == std::vector<std::pair<std::string, double>>{{"violence", 0.5}, {"Other", 0.25}});
  CHECK_FALSE(read_answer(*surface(options), R"({"c":[{"n":"Bad","s":1}]})", asked).moderations[0].flagged);
  CHECK(refused(*surface(options), R"({"c":[{"n":"Bad"}]})", asked).message.find("has no category with its score") != std::string::npos);
}
