// What is heard of responses that pass by, and what is seen of requests.

#include <catch2/catch.hpp>

#include <map>

#include "unit/dialect/responses_wire.hpp"

using namespace sluice;
using chat::Operation;
using dialect::openai_responses;
using test::parsed;

namespace {

struct Seen {
  explicit Seen(std::string_view body, std::uint32_t wants = chat::kWantPrompt | chat::kWantTools | chat::kWantShape)
      : document(parsed(body)), status(openai_responses().inspect(document, Operation::kChat, wants, view)) {}
  Seen(const Seen&) = delete;
  Seen& operator=(const Seen&) = delete;
  json::Document document;
  chat::RequestView view;
  Status status;
};

}  // namespace

// DIAL-12
TEST_CASE("a tap hears content, the model, how it ended and the usage of a stream") {
  const auto tap = openai_responses().tap({Operation::kChat, true, true});
  const auto hear = [&](std::string_view data) { return tap->on_event("", data); };
  CHECK_FALSE(hear(R"({"type":"response.created","response":{"id":"r","model":"m","usage":null}})").content);
  CHECK(tap->model() == "m");
  CHECK_FALSE(hear(R"({"type":"response.output_item.added","item":{"id":"1","type":"message"}})").content);
  CHECK_FALSE(hear(R"({"type":"response.output_text.delta","delta":""})").content);
  CHECK(hear(R"({"delta":"x","type":"response.output_text.delta"})").content);
  CHECK(hear(R"({"type":"response.reasoning_summary_text.delta","delta":"x"})").content);
  CHECK_FALSE(hear(R"({"type":"response.output_text.done","text":"x"})").content);
  CHECK(hear(R"({"item":{"id":"1","type":"function_call"},"type":"response.output_item.added"})").content);
  CHECK_FALSE(hear("").terminal);
  const auto end = hear(R"({"type":"response.completed","response":{"status":"completed","usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}})");
  CHECK(end.terminal);
  CHECK(end.finished);
  CHECK(end.action == dialect::TapAction::kForward);
  CHECK(tap->usage().total_tokens == 3);
  CHECK(tap->finish_reason() == "tool_calls");
  CHECK(hear("[DONE]").terminal);
  CHECK(hear("<b>").error);
}

TEST_CASE("a tap hears errors in a stream in each of their forms") {
  for (const char* event : {R"({"type":"error","code":"c","message":"flat","sequence_number":2})", R"({"type":"error","error":{"message":"flat"}})",
                            R"({"type":"response.failed","response":{"status":"failed","error":{"code":"c","message":"flat"}}})"}) {
    const auto verdict = openai_responses().tap({Operation::kChat, true, false})->on_event("", event);
    REQUIRE(verdict.error);
    CHECK(verdict.error->message == "flat");
  }
}

// DIAL-18
TEST_CASE("a whole response is heard alike in pieces of every size") {
  const std::string body = R"({"id":"r","model":"m","status":"completed","error":null,"incomplete_details":null,"output":[{"type":"reasoning"},{"type":"function_call","name":"f"}],"usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}})";
  for (std::size_t size = 1; size <= body.size(); ++size) {
    const auto tap = openai_responses().tap({Operation::kChat, false, false});
    for (std::size_t at = 0; at < body.size(); at += size) REQUIRE(tap->on_bytes(std::string_view(body).substr(at, size)));
    REQUIRE(tap->on_end());
    if (tap->finish_reason() != "tool_calls" || tap->model() != "m" || tap->usage().total_tokens != 3 || tap->error()) FAIL("in pieces of " << size);
  }
  const auto heard = [](std::string_view text) {
    auto tap = openai_responses().tap({Operation::kChat, false, false});
    REQUIRE(tap->on_bytes(text));
    REQUIRE(tap->on_end());
    return tap;
  };
  CHECK(heard(R"({"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[]})")->finish_reason() == "max_output_tokens");
  CHECK(heard(R"({"status":"completed","output":[{"type":"message","content":[{"text":"\"function_call\""}]}]})")->finish_reason() == "stop");
  CHECK(heard(R"({"status":"failed","error":{"message":"no"}})")->error()->message == "no");
  CHECK_FALSE(openai_responses().tap({Operation::kChat, false, false})->on_bytes("<html>"));
  CHECK(openai_responses().tap({Operation::kChat, false, false})->on_end().error().code == Code::kUpstreamTruncated);
  const auto count = openai_responses().tap({Operation::kCountTokens, false, false});
  REQUIRE(count->on_bytes(R"({"input_tokens":5})"));
  REQUIRE(count->on_end());
  CHECK(count->usage().input_tokens == 5);
}

TEST_CASE("inspection finds model, limits, texts by who says them, and tools") {
  const Seen seen(R"({"model":"m","stream":true,"max_output_tokens":7,"instructions":"sys","input":[
    {"role":"user","content":"old"},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"said"}]},
    {"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call","call_id":"b","name":"g","arguments":"{}"},
    {"type":"function_call_output","call_id":"a","output":"result"},
    {"role":"user","content":[{"type":"input_text","text":"n\u0065w"},{"type":"input_image","image_url":"data:image/png;base64,AAAA"}]}],
    "tools":[{"type":"function","name":"f"},{"type":"web_search"},{"type":"namespace","name":"ns","tools":[{"type":"function","name":"h"}]}],
    "tool_choice":{"type":"function","name":"f"}})");
  REQUIRE(seen.status);
  const chat::RequestView& view = seen.view;
  CHECK(view.model == "m");
  CHECK(view.stream);
  CHECK(view.max_output_tokens == 7);
  std::vector<std::string> said;
  for (const chat::PromptText& text : view.prompt) said.push_back(std::to_string(static_cast<int>(text.role)) + std::string(text.text) + (text.last_user ? "!" : ""));
  CHECK(said == std::vector<std::string>{"0sys", "1old", "2said", "3result", "1new!"});
  CHECK(view.tools_offered == std::vector<std::string_view>{"f", "web_search", "ns", "h"});
  CHECK(view.tool_forced == "f");
  CHECK(view.tools_called == std::vector<std::string_view>{"f", "g"});
  CHECK(view.shape.messages == 7);
  CHECK(view.shape.parts == 6);
  CHECK(view.shape.tools == 3);
  CHECK(view.shape.characters == 3 + 3 + 4 + 6 + 3);
  REQUIRE(view.shape.attachments.size() == 1);
  CHECK(view.shape.attachments[0].media_type == "image/png");
  CHECK(view.shape.attachments[0].bytes == 3);

  const Seen text(R"({"model":"m","input":"hi","prompt":{"id":"p","variables":{"a":"var","b":{"type":"input_text","text":"part"}}}})");
  REQUIRE(text.status);
  CHECK(text.view.prompt.size() == 3);
  CHECK(text.view.prompt.back().last_user);
}

TEST_CASE("what no part of a shape is known by counts as the most it could be") {
  const Seen seen(R"({"model":"m","input":[{"role":"user","content":[{"type":"input_file","file_data":"data:application/pdf;base64,AAAA"},
    {"type":"input_image","file_id":"f"},{"type":"input_audio","input_audio":{"data":"AAAA"}},{"type":"novel","x":1}]},
    {"type":"image_generation_call","result":"AAAA"},{"type":"computer_call_output","output":{"type":"computer_screenshot","image_url":"https://x/y.png"}},
    {"type":"reasoning","summary":[],"encrypted_content":"x"},{"type":"web_search_call","id":"w"}]})");
  REQUIRE(seen.status);
  std::vector<std::string> types;
  for (const Attachment& one : seen.view.shape.attachments) types.push_back(std::string(one.media_type) + (one.is_inline ? "+" : "-"));
  CHECK(types == std::vector<std::string>{"application/pdf+", "image/*-", "audio/*+", "+", "+", "image/*-"});
}

TEST_CASE("a request that says twice what policy reads, or says it wrong, is refused by name") {
  const auto refused = [](std::string_view body) {
    const Seen seen(body);
    REQUIRE_FALSE(seen.status);
    return std::pair(seen.status.error().code, seen.status.error().param);
  };
  using Refused = std::pair<Code, std::string>;
  CHECK(refused(R"({"model":"a","model":"b","input":"x"})") == Refused{Code::kDuplicateKey, "model"});
  CHECK(refused(R"({"model":"a","input":"x","inpu\u0074":"y"})") == Refused{Code::kDuplicateKey, "input"});
  CHECK(refused(R"({"model":"a","Model":"b","input":"x"})") == Refused{Code::kInvalidModel, "model"});
  CHECK(refused(R"({"model":"a","input":[{"role":"user","role":"system","content":"x"}]})") == Refused{Code::kDuplicateKey, "role"});
  CHECK(refused(R"({"model":"a","input":[{"role":"user","content":[{"type":"input_text","text":"x","text":"y"}]}]})").first == Code::kDuplicateKey);
  CHECK(refused(R"({"model":"a","input":5})") == Refused{Code::kInvalidParameter, "input"});
  CHECK(refused(R"({"model":"a","input":"x","stream":"yes"})") == Refused{Code::kInvalidParameter, "stream"});
  CHECK(refused(R"({"model":"a","input":"x","max_output_tokens":-1})") == Refused{Code::kInvalidParameter, "max_output_tokens"});
  CHECK(refused(R"({"model":"a","input":"x","tools":{}})") == Refused{Code::kInvalidParameter, "tools"});
  CHECK(refused("[]").first == Code::kInvalidRequest);
}

// DIAL-02
TEST_CASE("the model's name is spliced, and usage need not be asked for") {
  const Seen seen(R"({ "input" : "x", "model":"a" , "stream":true})");
  base::EditedBody body(seen.document.body());
  REQUIRE(openai_responses().set_model(body, seen.document, seen.view, "b\""));
  CHECK(body.to_string() == R"({ "input" : "x", "model":"b\"" , "stream":true})");
  CHECK(openai_responses().ask_for_usage(body, seen.document, seen.view) == false);
  const Seen none(R"({"input":"x"})");
  base::EditedBody other(none.document.body());
  REQUIRE(openai_responses().set_model(other, none.document, none.view, "b"));
  CHECK(test::json_at(other.to_string(), "/model") == R"("b")");
}
