// What routing and policy read from a request of the Gemini dialect, and the model spliced in.

#include <catch2/catch.hpp>

#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::Operation;
using chat::Role;
using dialect::gemini;

namespace {

constexpr std::uint32_t kAll = chat::kWantPrompt | chat::kWantTools | chat::kWantShape;

struct Seen {
  explicit Seen(std::string_view body, Operation operation = Operation::kChat, std::string_view path_model = {}) : document(test::parsed(body)) {
    view.model_present = !path_model.empty();
    view.model = path_model;
    status = gemini().inspect(document, operation, kAll, view);
  }
  Seen(const Seen&) = delete;
  Seen& operator=(const Seen&) = delete;

  json::Document document;
  chat::RequestView view;
  Status status;
};

std::string texts(const chat::RequestView& view) {
  std::string out;
  for (const chat::PromptText& text : view.prompt) out += std::to_string(static_cast<int>(text.role)) + (text.last_user ? "*" : "") + ":" + std::string(text.text) + ";";
  return out;
}

std::string joined(const std::vector<std::string_view>& names) {
  std::string out;
  for (const std::string_view name : names) out.append(name).append(";");
  return out;
}

}  // namespace

TEST_CASE("policy reads bounds, choices, texts, tools and calls, in either spelling") {
  const Seen seen(R"({"system_instruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"a\u0062"},{"inline_data":{"mime_type":"IMAGE/png","data":"QUJD"}}]},
    {"role":"model","parts":[{"text":"m"},{"functionCall":{"name":"f","args":{"text":"no prompt"}}}]},
    {"role":"user","parts":[{"functionResponse":{"name":"f","response":{"deep":[{"x":"r1"},"r2"]}}}]},{"parts":[{"text":"last"}]}],
    "generationConfig":{"max_output_tokens":7,"candidateCount":2},"tools":[{"function_declarations":[{"name":"f"},{"name":"g"}]},{"googleSearch":{}}],
    "tool_config":{"functionCallingConfig":{"mode":"ANY","allowed_function_names":["f"]}}})", Operation::kChat, "m");
  REQUIRE(seen.status);
  CHECK(seen.view.model == "m");
  CHECK(seen.view.max_output_tokens == 7u);
  CHECK(seen.view.choices == 2);
  CHECK(texts(seen.view) == "0:s;1:ab;2:m;3:r1;3:r2;1*:last;");
  CHECK(joined(seen.view.tools_offered) == "f;g;googleSearch;");
  CHECK(seen.view.tool_forced == "f");
  CHECK(joined(seen.view.tools_called) == "f;");
  const RequestShape& shape = seen.view.shape;
  CHECK(shape.messages == 5);
  CHECK(shape.parts == 7);
  CHECK(shape.tools == 3);
  CHECK(shape.characters == 1 + 2 + 1 + 2 + 2 + 4);
  REQUIRE(shape.attachments.size() == 1);
  CHECK(shape.attachments[0].media_type == "image/png");
  CHECK(shape.attachments[0].bytes == 3);
}

TEST_CASE("a tool is forced only where it is the only one that may be called") {
  for (const std::string_view config : {R"({"mode":"AUTO","allowedFunctionNames":["f"]})", R"({"mode":"ANY","allowedFunctionNames":["f","g"]})", R"({"mode":"ANY"})"}) {
    const Seen seen(R"({"contents":[],"toolConfig":{"functionCallingConfig":)" + std::string(config) + "}}");
    REQUIRE(seen.status);
    CHECK(seen.view.tool_forced.empty());
  }
}

TEST_CASE("a member that policy reads stands once, whichever way it is spelled") {
  const auto [body, key] = GENERATE(table<std::string, std::string>({
      {R"({"contents":[],"contents":[]})", "contents"},
      {R"({"contents":[],"systemInstruction":{},"system_instruction":{}})", "system_instruction"},
      {R"({"contents":[],"generationConfig":{},"generation_config":{}})", "generation_config"},
      {R"({"contents":[],"generationConfig":{"maxOutputTokens":1,"max_output_tokens":9}})", "max_output_tokens"},
      {R"({"contents":[],"tools":[],"t\u006fols":[]})", "tools"},
      {R"({"contents":[{"parts":[{"text":"a","text":"b"}]}]})", "text"},
      {R"({"contents":[{"parts":[],"parts":[{"text":"b"}]}]})", "parts"},
      {R"({"contents":[],"tools":[{"functionDeclarations":[{"name":"f","name":"g"}]}]})", "name"},
  }));
  INFO(body);
  const Seen seen(body);
  REQUIRE_FALSE(seen.status);
  CHECK(seen.status.error().code == Code::kDuplicateKey);
  CHECK(seen.status.error().param == key);
}

TEST_CASE("what has the wrong type is refused by name") {
  const auto [body, code, param] = GENERATE(table<std::string, Code, std::string>({
      {"[]", Code::kInvalidRequest, ""},
      {"{}", Code::kInvalidParameter, "contents"},
      {R"({"contents":{}})", Code::kInvalidParameter, "contents"},
      {R"({"contents":[],"generationConfig":3})", Code::kInvalidParameter, "generationConfig"},
      {R"({"contents":[],"generationConfig":{"maxOutputTokens":-1}})", Code::kInvalidParameter, "generationConfig.maxOutputTokens"},
      {R"({"contents":[],"generationConfig":{"maxOutputTokens":1.5}})", Code::kInvalidParameter, "generationConfig.maxOutputTokens"},
      {R"({"contents":[],"generationConfig":{"candidateCount":0}})", Code::kInvalidParameter, "generationConfig.candidateCount"},
      {R"({"contents":[],"tools":{}})", Code::kInvalidParameter, "tools"},
      {R"({"contents":[],"model":7})", Code::kInvalidModel, "model"},
  }));
  INFO(body);
  const Seen seen(body);
  REQUIRE_FALSE(seen.status);
  CHECK(seen.status.error().code == code);
  CHECK(seen.status.error().param == param);
}

TEST_CASE("a body that names another model than its path is refused, and the long form of the same is not") {
  CHECK(Seen(R"({"model":"models/e","content":{"parts":[{"text":"a"}]}})", Operation::kEmbeddings, "e").status);
  CHECK(Seen(R"({"model":"projects/p/locations/l/publishers/google/models/e","content":{"parts":[{"text":"a"}]}})", Operation::kEmbeddings, "e").status);
  const Seen other(R"({"requests":[{"model":"models/e","content":{"parts":[]}},{"model":"models/cheap","content":{"parts":[]}}]})", Operation::kEmbeddings, "e");
  REQUIRE_FALSE(other.status);
  CHECK(other.status.error().code == Code::kInvalidModel);
  const Seen inner(R"({"generateContentRequest":{"model":"models/x","contents":[]}})", Operation::kCountTokens, "m");
  REQUIRE_FALSE(inner.status);
  CHECK(inner.status.error().code == Code::kInvalidModel);
}

TEST_CASE("inputs of embeddings are counted one by one, and all of them are the user's last word") {
  const Seen seen(R"({"requests":[{"content":{"parts":[{"text":"abc"}]},"outputDimensionality":8},{"content":{"parts":[{"text":"\u00e4"}]},"output_dimensionality":16}]})", Operation::kEmbeddings, "e");
  REQUIRE(seen.status);
  CHECK(texts(seen.view) == "1*:abc;1*:\xc3\xa4;");
  CHECK(seen.view.shape.inputs == 2);
  CHECK(seen.view.shape.largest_input_characters == 3);
  CHECK(seen.view.shape.dimensions == 16);
}

TEST_CASE("tokens are counted of what stands inside a whole request") {
  const Seen seen(R"({"generateContentRequest":{"model":"models/m","contents":[{"parts":[{"text":"q"}]}],"systemInstruction":{"parts":[{"text":"s"}]}}})", Operation::kCountTokens, "m");
  REQUIRE(seen.status);
  CHECK(texts(seen.view) == "0:s;1*:q;");
  CHECK(seen.view.shape.messages == 2);
  const Seen both(R"({"contents":[],"generateContentRequest":{"contents":[]}})", Operation::kCountTokens, "m");
  REQUIRE_FALSE(both.status);
  CHECK(both.status.error().param == "contents");
}

TEST_CASE("a part of a form nobody knows counts as a medium as large as it stands") {
  const Seen seen(R"({"contents":[{"parts":[{"video":{"bytes":"AAAA"}},{"fileData":{"fileUri":"gs://b/x"}},{"inlineData":{"mimeType":3,"data":"QUJDRA=="}}]}]})");
  REQUIRE(seen.status);
  REQUIRE(seen.view.shape.attachments.size() == 3);
  CHECK(seen.view.shape.attachments[0].bytes == std::string_view(R"({"video":{"bytes":"AAAA"}})").size());
  CHECK_FALSE(seen.view.shape.attachments[1].is_inline);
  CHECK(seen.view.shape.attachments[2].media_type.empty());
  CHECK(seen.view.shape.attachments[2].bytes == 4);
}

TEST_CASE("what a lenient server would read as text is text to policy") {
  const Seen seen(R"({"contents":["bare",{"parts":"one"},{"text":"flat"},{"parts":[null,3,"str"]},{"parts":{"text":"single"}}]})");
  REQUIRE(seen.status);
  CHECK(texts(seen.view) == "1:bare;1:one;1:flat;1:str;1*:single;");
}

TEST_CASE("a model is spliced in where a body repeats it, and every other byte stays") {
  const auto renamed = [](std::string_view body, std::string_view model) {
    const auto document = test::parsed(body);
    base::EditedBody edited(document.body());
    chat::RequestView view;
    REQUIRE(gemini().set_model(edited, document, view, model));
    return edited.to_string();
  };
  CHECK(renamed(R"({ "contents": [] })", "m") == R"({ "contents": [] })");
  CHECK(renamed(R"({"model" : "models/a", "content":{"model":"stays"}})", "b") == R"({"model" : "models/b", "content":{"model":"stays"}})");
  CHECK(renamed(R"({"requests":[{"model":"models/a"},{},{"model":"a" }]})", "models/b") == R"({"requests":[{"model":"models/b"},{},{"model":"models/b" }]})");
  CHECK(renamed(R"({"generate_content_request":{"model":"models/a"}})", "tunedModels/b") == R"({"generate_content_request":{"model":"tunedModels/b"}})");
  const auto document = test::parsed(R"({"contents":[]})");
  base::EditedBody body(document.body());
  chat::RequestView view;
  view.stream = true;
  const auto asked = gemini().ask_for_usage(body, document, view);
  REQUIRE(asked);
  CHECK_FALSE(*asked);
}
