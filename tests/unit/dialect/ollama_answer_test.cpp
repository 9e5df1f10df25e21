// Answers of Ollama's dialect, whole and in lines: read, written, listened to and edited.

#include <catch2/catch.hpp>

#include "unit/dialect/editing.hpp"
#include "unit/dialect/translating.hpp"

using namespace sluice;
using chat::Delta;
using chat::FinishReason;
using chat::Operation;
using dialect::AnswerTexts;
using dialect::ollama;
using dialect::openai;
using dialect::TextChannel;
using http::Framing;
using test::canonical;
using test::Said;

namespace {

const std::string kHead = R"("model":"m","created_at":"2024-11-30T03:33:52.105113Z",)";
const std::string kStats = R"("total_duration":9,"load_duration":1,"prompt_eval_count":31,"prompt_eval_duration":2,"eval_count":46,"eval_duration":3)";

std::string line(std::string_view message) { return "{" + kHead + R"("message":{"role":"assistant",)" + std::string(message) + R"(},"done":false})"; }
std::string last(std::string_view reason = "stop") {
  return "{" + kHead + R"("message":{"role":"assistant","content":""},"done":true,"done_reason":")" + std::string(reason) + "\"," + kStats + "}";
}
std::string lines(const std::vector<std::string>& all) {
  std::string out;
  for (const std::string& one : all) out += one + "\n";
  return out;
}

chat::Message read(std::string_view body, Operation operation = Operation::kChat) {
  auto message = ollama().decode_answer(body, {.operation = operation});
  INFO(body);
  if (!message) FAIL(message.error().message);
  return *std::move(message);
}

std::string written(const chat::Message& message, const dialect::AnswerForm& form = {}) {
  chat::LossReport loss;
  return ollama().encode_answer(message, form, loss);
}

const json::Document kPrompt = test::parsed(R"({"model":"m","prompt":"p"})");

}  // namespace

// DIAL-02, DIAL-11
TEST_CASE("an answer of Ollama's means the same after the canonical model") {
  const std::string body = "{" + kHead + R"("message":{"role":"assistant","content":"said","thinking":"hm","tool_calls":[{"id":"a","function":{"index":0,"name":"f","arguments":{"x":1}}},
      {"function":{"name":"g","arguments":{}}}]},"done":true,"done_reason":"stop",)" + kStats + "}";
  const chat::Message message = read(body);
  CHECK(message.model == "m");
  CHECK(message.created == 1732937632);
  CHECK(message.choices[0].turn.text() == "said");
  CHECK(test::thinking_of(message) == "hm");
  CHECK(message.choices[0].finish == FinishReason::kToolCalls);
  CHECK(message.choices[0].native_finish == "stop");
  CHECK(message.usage->input_tokens == 31u);
  CHECK(message.usage->output_tokens == 46u);
  CHECK(test::calls_of(message).at(1).id == read(body).id.replace(0, 7, "call_") + "_1");
  CHECK(canonical(written(message)) == canonical(body));
  const std::string prompt = "{" + kHead + R"("response":"said","thinking":"t","done":true,"done_reason":"length","context":[1,2],)" + kStats + "}";
  CHECK(read(prompt).choices[0].turn.text() == "said");
  CHECK(canonical(written(read(prompt), {.request = &kPrompt})) == canonical(prompt));
}

// DIAL-10
TEST_CASE("Ollama's ends are everybody's") {
  const auto [word, reason] = GENERATE(table<std::string, FinishReason>({{"stop", FinishReason::kStop}, {"length", FinishReason::kLength}, {"load", FinishReason::kStop}}));
  const chat::Message message = read(last(word));
  CHECK(message.choices[0].finish == reason);
  CHECK(test::parsed(written(message)).root().find("done_reason")->equals(word));
}

// DIAL-01, DIAL-14
TEST_CASE("an answer of OpenAI's reads as Ollama's to its callers, of chats and of prompts") {
  const auto message = openai().decode_answer(R"({"id":"o","created":1732937632,"model":"big","choices":[{"index":0,"message":{"role":"assistant","content":"hi",
      "tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":""}},{"id":"b","type":"function","function":{"name":"g","arguments":"[1]"}}]},"finish_reason":"tool_calls"}],
      "usage":{"prompt_tokens":3,"completion_tokens":4}})", {});
  REQUIRE(message);
  CHECK(canonical(written(*message)) == canonical(R"({"model":"big","created_at":"2024-11-30T03:33:52Z","message":{"role":"assistant","content":"hi",
      "tool_calls":[{"id":"a","function":{"index":0,"name":"f","arguments":{}}},{"id":"b","function":{"index":1,"name":"g","arguments":{"arguments":"[1]"}}}]},
      "done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":4})"));
  const auto plain = openai().decode_answer(R"({"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"length"}]})", {});
  CHECK(canonical(written(*plain, {.model = "asked", .request = &kPrompt})) ==
        canonical(R"({"model":"asked","created_at":"1970-01-01T00:00:00Z","response":"hi","done":true,"done_reason":"length"})"));
}

TEST_CASE("times are read in their zones and written in UTC") {
  const auto [text, seconds] = GENERATE(table<std::string, std::optional<std::int64_t>>({
      {"1970-01-01T00:00:00Z", 0}, {"2024-02-29T12:00:01.5Z", 1709208001}, {"2024-11-30T05:33:52+02:00", 1732937632}, {"2024-11-29T22:33:52.1-05:00", 1732937632},
      {"2023-02-29T00:00:00Z", std::nullopt}, {"soon", std::nullopt}, {"", std::nullopt},
  }));
  CHECK(read(R"({"created_at":")" + text + R"(","message":{}})").created == seconds);
}

// DIAL-26
TEST_CASE("vectors and models of Ollama's are everybody's") {
  const std::string vectors = R"({"model":"m","embeddings":[[0.5,1],[2,3]],"total_duration":1,"load_duration":2,"prompt_eval_count":8})";
  const chat::Message embedded = read(vectors, Operation::kEmbeddings);
  CHECK(embedded.usage->input_tokens == 8u);
  CHECK(canonical(written(embedded, {.operation = Operation::kEmbeddings})) == canonical(vectors));
  CHECK(std::get<std::vector<double>>(embedded.embeddings.at(1).vector) == std::vector<double>{2, 3});
  const std::string tags = R"({"models":[{"name":"a:1","model":"a:1","modified_at":"2024-11-30T03:33:52Z","size":7,"details":{"family":"f"}}]})";
  const chat::Message models = read(tags, Operation::kListModels);
  CHECK(models.models.at(0).id == "a:1");
  CHECK(models.models[0].created == 1732937632);
  CHECK(canonical(written(models, {.operation = Operation::kListModels})) == canonical(tags));
  chat::Message theirs;
  theirs.models.push_back({"gpt", 1732937632, "openai", {}});
  CHECK(canonical(written(theirs, {.operation = Operation::kListModels})) ==
        canonical(R"({"models":[{"name":"gpt","model":"gpt","modified_at":"2024-11-30T03:33:52Z"}]})"));
}

// DIAL-02, DIAL-18, DIAL-22
TEST_CASE("a stream of Ollama's gathers to what it said and is written as it came, at every split") {
  const std::string stream = lines({line(R"("content":"","thinking":"h\u00e9")"), line(R"("content":"a\ud83d\ude00")"), line(R"("content":"b")"),
                                    line(R"("content":"","tool_calls":[{"id":"x","function":{"index":0,"name":"f","arguments":{"k":1}}}])"), last()});
  const auto deltas = test::decoded(ollama(), test::events_of(stream, Framing::kNdjson));
  const chat::Message message = test::gathered(deltas);
  CHECK(message.choices.at(0).turn.text() == "a\xf0\x9f\x98\x80" "b");
  CHECK(message.choices[0].finish == FinishReason::kToolCalls);
  CHECK(test::calls_of(message).at(0).arguments == R"({"k":1})");
  for (std::size_t size = 1; size <= stream.size(); size = size < 90 ? size + 1 : size * 2) {
    REQUIRE(test::gathered(test::decoded(ollama(), test::events_of(stream, Framing::kNdjson, size))) == message);
  }
  const auto again = test::events_of(test::encoded(ollama(), deltas), Framing::kNdjson);
  const auto before = test::events_of(stream, Framing::kNdjson);
  REQUIRE(again.size() == before.size());
  for (std::size_t i = 0; i < again.size(); ++i) CHECK(canonical(again[i].second) == canonical(before[i].second));
}

TEST_CASE("a stream for who sent a prompt says its texts at the root") {
  chat::Usage usage;
  usage.input_tokens = 1;
  usage.output_tokens = 2;
  const std::vector<Delta> deltas{{0, chat::AnswerStart{"i", "m", 0}}, {0, chat::ThinkingDelta{"t"}}, {0, chat::TextDelta{"a"}}, {0, chat::FinishDelta{FinishReason::kLength, ""}},
                                  {0, chat::UsageDelta{usage, ""}}};
  const std::string head = R"({"model":"m","created_at":"1970-01-01T00:00:00Z","response":)";
  CHECK(test::encoded(ollama(), deltas, {.request = &kPrompt}) ==
        head + R"("","thinking":"t","done":false})" "\n" + head + R"("a","done":false})" "\n" + head + R"("","done":true,"done_reason":"length","prompt_eval_count":1,"eval_count":2})" "\n");
}

TEST_CASE("calls that come in pieces stand whole in the lines of Ollama's callers") {
  const std::vector<Delta> deltas{{0, chat::ToolCallStart{0, chat::ToolKind::kFunction, "a", "f"}}, {0, chat::ToolCallDelta{0, "{\"x\""}}, {0, chat::ToolCallStart{1, chat::ToolKind::kFunction, "b", "g"}},
                                  {0, chat::ToolCallDelta{0, ":1}"}}, {0, chat::FinishDelta{FinishReason::kToolCalls, ""}}};
  const auto events = test::events_of(test::encoded(ollama(), deltas, {.model = "m"}), Framing::kNdjson);
  REQUIRE(events.size() == 3);
  CHECK(events[0].second.find(R"("tool_calls":[{"id":"a","function":{"index":0,"name":"f","arguments":{"x":1}}}])") != std::string::npos);
  CHECK(events[1].second.find(R"("tool_calls":[{"id":"b","function":{"index":1,"name":"g","arguments":{}}}])") != std::string::npos);
  CHECK(events[2].second.find(R"("done":true,"done_reason":"stop")") != std::string::npos);
}

// DIAL-17
TEST_CASE("an error is a line of its own, and the last") {
  const auto deltas = test::decoded(ollama(), {{"", line(R"("content":"a")")}, {"", R"({"error":"model crashed"})"}, {"", last()}});
  REQUIRE(deltas.back().as<chat::ErrorDelta>());
  CHECK(deltas.back().as<chat::ErrorDelta>()->error.message == "model crashed");
  const auto events = test::events_of(test::encoded(ollama(), deltas), Framing::kNdjson);
  CHECK(events.back().second == R"({"error":"model crashed"})");
  CHECK(ollama().encode_stream_error(make_error(Code::kIdleTimeout, "silent"), {}, Framing::kNdjson) == "{\"error\":\"silent\"}\n");
  CHECK(ollama().encode_error(make_error(Code::kUpstreamStatus, "ours"), {"", "theirs", 404}) == R"({"error":"theirs"})");
  CHECK(ollama().is_error_body(R"({"error":"model 'x' not found"})"));
  CHECK_FALSE(ollama().is_error_body(R"({"error":{"message":"x"}})"));
  CHECK(ollama().decode_answer(R"({"error":"model 'x' not found"})", {}).error().code == Code::kUpstreamError);
  CHECK(ollama().stream_ping(Framing::kNdjson).empty());
  const auto tap = ollama().tap({.streaming = true});
  CHECK(tap->on_event("", R"({"error":"e"})").error->message == "e");
}

TEST_CASE("a stream of Ollama's that never said it was done is truncated") {
  const auto decoder = ollama().delta_decoder({});
  std::vector<Delta> out;
  REQUIRE(decoder->on_event("", line(R"("content":"a")"), out));
  CHECK(decoder->on_end().error().code == Code::kUpstreamTruncated);
  REQUIRE(decoder->on_event("", last(), out));
  CHECK(decoder->over());
  CHECK(decoder->on_end());
}

TEST_CASE("a tap hears what answers of Ollama's say of themselves") {
  const auto tap = ollama().tap({.streaming = true});
  CHECK(tap->on_event("", line(R"("content":"a")")).content);
  CHECK(tap->on_event("", line(R"("content":"","thinking":"a")")).content);
  CHECK(tap->on_event("", line(R"("content":"","tool_calls":[{"function":{}}])")).content);
  CHECK_FALSE(tap->on_event("", line(R"("content":"")")).content);
  const auto end = tap->on_event("", last("length"));
  CHECK((end.terminal && end.finished && !end.content));
  CHECK(tap->usage().output_tokens == 46u);
  CHECK(tap->finish_reason() == "length");
  CHECK(tap->model() == "m");
  const std::string body = last();
  for (std::size_t size = 1; size < body.size(); size += 7) {
    const auto whole = ollama().tap({.streaming = false});
    for (std::size_t at = 0; at < body.size(); at += size) REQUIRE(whole->on_bytes(std::string_view(body).substr(at, size)));
    REQUIRE(whole->on_end());
    REQUIRE(whole->usage().input_tokens == 31u);
    REQUIRE(whole->finish_reason() == "stop");
    REQUIRE(whole->model() == "m");
  }
  const auto whole = ollama().tap({.streaming = false});
  REQUIRE(whole->on_bytes(R"({"error":"gone"})"));
  REQUIRE(whole->on_end());
  CHECK(whole->error()->message == "gone");
}

// DIAL-24
TEST_CASE("odd lines of Ollama's do no harm, and what is no JSON is a typed error") {
  for (const std::string_view odd : {"", "{}", R"({"message":7})", R"({"message":{"content":7,"tool_calls":[7,{}]},"done":"yes"})", R"({"done":true,"eval_count":-1})"}) {
    INFO(odd);
    std::vector<Delta> out;
    CHECK(ollama().delta_decoder({})->on_event("", odd, out));
    for (const auto& [name, data] : test::events_of(test::encoded(ollama(), out), Framing::kNdjson)) (void)test::parsed(data);
    (void)ollama().tap({.streaming = true})->on_event("", odd);
  }
  for (const std::string_view bad : {"<html>", "{", "[]", "7"}) {
    std::vector<Delta> out;
    AnswerTexts texts;
    CHECK(ollama().delta_decoder({})->on_event("", bad, out).error().code == Code::kUpstreamInvalidAnswer);
    CHECK(ollama().answer_editor(Operation::kChat, true)->read(bad, texts).error().code == Code::kUpstreamInvalidAnswer);
    for (const Operation operation : {Operation::kChat, Operation::kEmbeddings, Operation::kListModels}) {
      CHECK(ollama().decode_answer(bad, {.operation = operation}).error().code == Code::kUpstreamInvalidAnswer);
    }
  }
}

TEST_CASE("texts of Ollama's answers are read and changed where they stand") {
  const bool streaming = GENERATE(false, true);
  const auto editor = ollama().answer_editor(Operation::kChat, streaming);
  const std::string body = line(R"("content":"a","thinking":"t","tool_calls":[{"function":{"name":"f","arguments":{"x":1}}},{"function":{"name":"g"}}])");
  AnswerTexts texts = test::read(*editor, body);
  CHECK(test::said_by(texts) == std::vector<Said>{{0, TextChannel::kText, "a"}, {0, TextChannel::kReasoning, "t"}, {0, TextChannel::kToolArguments, R"({"x":1})", 0, "f"}, {0, TextChannel::kToolArguments, "", 1, "g"}});
  CHECK(test::written(*editor, texts) == body);
  texts.texts()[0].replacement = "b\"";
  texts.texts()[2].replacement = R"({"x":2})";
  texts.texts()[3].replacement = "no json";
  CHECK(test::written(*editor, texts) == line(R"("content":"b\"","thinking":"t","tool_calls":[{"function":{"name":"f","arguments":{"x":2}}},{"function":{"arguments":"no json","name":"g"}}])"));
  const AnswerTexts end = test::read(*editor, last());
  CHECK(end.ends() == streaming);
  if (!streaming) return;
  std::string added;
  REQUIRE(editor->add_event({0, TextChannel::kText, 0}, "new", added));
  CHECK(added == line(R"("content":"new")"));
  CHECK(editor->add_event({0, TextChannel::kToolArguments, 0}, "new", added).error().code == Code::kPluginError);
}

TEST_CASE("a line that is done and says something is told as two") {
  const auto editor = ollama().answer_editor(Operation::kChat, true);
  AnswerTexts texts = test::read(*editor, "{" + kHead + R"("response":"old","done":true,"done_reason":"stop",)" + kStats + "}");
  REQUIRE(texts.ends());
  texts.texts()[0].replacement = "new";
  std::string said, end;
  REQUIRE(editor->split(texts, said, end));
  CHECK(said == "{" + kHead + R"("response":"new","done":false})");
  CHECK(end == "{" + kHead + R"("response":"","done":true,"done_reason":"stop",)" + kStats + "}");
}

TEST_CASE("a text is added to a whole answer of Ollama's where one could stand") {
  const auto [body, channel, out] = GENERATE(table<std::string, TextChannel, std::string>({
      {R"({"message":{"content":"a"}})", TextChannel::kText, R"({"message":{"content":"aX"}})"},
      {R"({"message":{"content":""}})", TextChannel::kText, R"({"message":{"content":"X"}})"},
      {R"({"message":{"content":"a"}})", TextChannel::kReasoning, R"({"message":{"thinking":"X","content":"a"}})"},
      {R"({"response":""})", TextChannel::kText, R"({"response":"X"})"},
  }));
  const auto editor = ollama().answer_editor(Operation::kChat, false);
  AnswerTexts texts = test::read(*editor, body);
  REQUIRE(editor->add_text({0, channel, 0}, "X", texts));
  CHECK(test::written(*editor, texts) == out);
  CHECK(editor->add_text({0, TextChannel::kRefusal, 0}, "X", texts).error().code == Code::kPluginError);
}
