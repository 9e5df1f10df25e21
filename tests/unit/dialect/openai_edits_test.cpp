// The splices the gateway makes: every other byte stays.

#include <catch2/catch.hpp>

#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::Operation;

namespace {

std::string asked(std::string_view body) {
  const test::Inspected request(body);
  REQUIRE(request.status);
  base::EditedBody edited(request.document.body());
  const auto changed = dialect::openai().ask_for_usage(edited, request.document, request.view);
  REQUIRE(changed);
  CHECK(*changed == edited.edited());
  CHECK(*changed == (edited.to_string() != body));
  return edited.to_string();
}

std::string renamed(std::string_view body, std::string_view model, Operation operation = Operation::kChat) {
  const test::Inspected request(body, operation);
  REQUIRE(request.status);
  base::EditedBody edited(request.document.body());
  REQUIRE(dialect::openai().set_model(edited, request.document, request.view, model));
  return edited.to_string();
}

}  // namespace

// DIAL-12
TEST_CASE("usage is asked for where the caller did not") {
  const auto [body, sent] = GENERATE(table<std::string, std::string>({
      {R"({"stream":true,"messages":[]})", R"({"stream_options":{"include_usage":true},"stream":true,"messages":[]})"},
      {R"({"stream":true,"messages":[],"stream_options":null})", R"({"stream":true,"messages":[],"stream_options":{"include_usage":true}})"},
      {R"({"stream":true,"messages":[],"stream_options":{}})", R"({"stream":true,"messages":[],"stream_options":{"include_usage":true}})"},
      {R"({"stream":true,"messages":[],"stream_options":{"include_usage":false}})",
       R"({"stream":true,"messages":[],"stream_options":{"include_usage":true}})"},
      {R"({"stream":true,"messages":[],"stream_options":{"include_usage":null, "x":1}})",
       R"({"stream":true,"messages":[],"stream_options":{"include_usage":true, "x":1}})"},
      {R"({"stream":true,"messages":[],"stream_options":{"x":1}})",
       R"({"stream":true,"messages":[],"stream_options":{"include_usage":true,"x":1}})"},
      // Nothing to ask: no stream, or asked already.
      {R"({"messages":[]})", R"({"messages":[]})"},
      {R"({"stream":false,"messages":[]})", R"({"stream":false,"messages":[]})"},
      {R"({"stream":true,"messages":[],"stream_options":{"include_usage":true}})",
       R"({"stream":true,"messages":[],"stream_options":{"include_usage":true}})"},
  }));
  CHECK(asked(body) == sent);
  // What comes out is a request that asks, or one that streams nothing.
  const std::string out = asked(body);
  const test::Inspected again(out);
  REQUIRE(again.status);
  CHECK(again.view.usage_in_stream == again.view.stream);
}

// DIAL-02
TEST_CASE("a model is renamed in place, and put where there was none") {
  CHECK(renamed(R"({ "messages" : [ ], "model" : "a", "t":1.0e0 })", "b\"c") == R"({ "messages" : [ ], "model" : "b\"c", "t":1.0e0 })");
}

TEST_CASE("a body without a model gets one") {
  CHECK(renamed(R"({"messages":[]})", "b") == R"({"model":"b","messages":[]})");
  CHECK(renamed(R"({"input":"x"})", "b", Operation::kModerations) == R"({"model":"b","input":"x"})");
}

TEST_CASE("a model and the wish for usage go into one body") {
  const test::Inspected request(R"({"stream":true,"messages":[]})");
  base::EditedBody edited(request.document.body());
  REQUIRE(dialect::openai().set_model(edited, request.document, request.view, "b"));
  REQUIRE(dialect::openai().ask_for_usage(edited, request.document, request.view));
  CHECK(test::canonical(edited.to_string()) ==
        test::canonical(R"({"model":"b","stream":true,"messages":[],"stream_options":{"include_usage":true}})"));
}

TEST_CASE("a request without a body has no place for a model") {
  const json::Document document = test::parsed("{}");
  base::EditedBody edited(document.body());
  chat::RequestView view;
  view.operation = Operation::kGetModel;
  const auto status = dialect::openai().set_model(edited, document, view, "b");
  REQUIRE_FALSE(status);
  CHECK(status.error().code == Code::kInvalidModel);
  CHECK_FALSE(edited.edited());
}
