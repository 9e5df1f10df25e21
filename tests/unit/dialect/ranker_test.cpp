// Rankings and embeddings of Voyage and Jina: requests, answers, errors, and from one to the other and to Cohere.

#include <catch2/catch.hpp>

#include "unit/dialect/translating.hpp"

using namespace sluice;
using chat::LossSeverity;
using chat::Operation;
using dialect::cohere;
using dialect::jina;
using dialect::openai;
using dialect::voyage;
using test::canonical;

namespace {

chat::Message read(const dialect::Dialect& dialect, std::string_view body, const chat::Request* request = nullptr) {
  auto message = dialect.decode_answer(body, {.operation = Operation::kRerank, .request = request});
  INFO(body);
  if (!message) FAIL(message.error().message);
  return *std::move(message);
}

std::string written(const dialect::Dialect& dialect, const chat::Message& message) {
  chat::LossReport loss;
  return dialect.encode_answer(message, {.operation = Operation::kRerank}, loss);
}

}  // namespace

TEST_CASE("a path to rank is Cohere's where it names the version, else Jina's; Voyage is spoken where somebody says so") {
  dialect::Recognised found;
  CHECK(dialect::recognise("POST", "/v2/rerank", {}, {}, found) == &cohere());
  CHECK(dialect::recognise("POST", "/v1/rerank", {}, {}, found) == &jina());
  CHECK(found.operation == Operation::kRerank);
  CHECK(dialect::recognise("POST", "/v1/embeddings", {}, {}, found) == &openai());
  CHECK(voyage().recognise("POST", "/v1/rerank", {}, {})->operation == Operation::kRerank);
  CHECK_FALSE(voyage().recognise("GET", "/v1/embeddings", {}, {})->method_ok);
  CHECK_FALSE(jina().recognise("POST", "/v1/reranking", {}, {}));
  CHECK(voyage().target_of({.operation = Operation::kEmbeddings}) == "/embeddings");
  CHECK_FALSE(jina().serves(Operation::kChat));
}

// DIAL-02
TEST_CASE("requests to rank and embed mean the same after the canonical model") {
  const auto [dialect, operation, body] = GENERATE(table<const dialect::Dialect*, Operation, std::string>({
      {&voyage(), Operation::kRerank, R"({"model":"m","query":"q","documents":["a","b"],"top_k":1,"return_documents":true,"truncation":false})"},
      {&voyage(), Operation::kEmbeddings, R"({"model":"m","input":["a"],"input_type":"query","output_dimension":8,"output_dtype":"int8","encoding_format":"base64","truncation":true})"},
      {&voyage(), Operation::kEmbeddings, R"({"model":"m","input":"a"})"},
      {&jina(), Operation::kRerank, R"({"model":"m","query":"q","documents":["a",{"text":"b"}],"top_n":1,"return_documents":false})"},
      {&jina(), Operation::kEmbeddings, R"({"model":"m","input":["a"],"task":"retrieval.passage","dimensions":8,"embedding_type":"float","late_chunking":true})"},
      {&jina(), Operation::kEmbeddings, R"({"model":"m","input":[{"image":"x"}],"embedding_type":"binary","task":"text-matching"})"},
  }));
  chat::LossReport loss;
  CHECK(canonical(dialect->encode_request(test::request_of(*dialect, body, operation), {.operation = operation}, loss)) == canonical(body));
  CHECK(loss.empty());
}

// DIAL-26
TEST_CASE("a request to rank goes from one server's words into another's") {
  chat::LossReport loss;
  const std::string asked = R"({"model":"m","query":"q","documents":["a",{"text":"b"}],"top_n":2,"return_documents":true})";
  CHECK(canonical(test::translated(jina(), voyage(), asked, loss, Operation::kRerank)) ==
        canonical(R"({"model":"m","query":"q","documents":["a","b"],"top_k":2,"return_documents":true})"));
  CHECK(test::losses_of(loss) == "documents (note)\n");
  loss.clear();
  CHECK(canonical(test::translated(jina(), cohere(), asked, loss, Operation::kRerank)) == canonical(R"({"model":"m","query":"q","documents":["a","b"],"top_n":2})"));
  CHECK(loss.worst() == LossSeverity::kNote);
  loss.clear();
  CHECK(canonical(test::translated(cohere(), jina(), R"({"query":"q","documents":["a"],"max_tokens_per_doc":9})", loss, Operation::kRerank)) ==
        canonical(R"({"query":"q","documents":["a"]})"));
  CHECK(test::losses_of(loss) == "max_tokens_per_doc (cosmetic)\n");
}

TEST_CASE("an embedding goes from OpenAI's words into Voyage's and Jina's") {
  const std::string asked = R"({"model":"m","input":["a","b"],"encoding_format":"base64","dimensions":8,"input_type":"query","user":"u"})";
  chat::LossReport loss;
  CHECK(canonical(test::translated(openai(), voyage(), asked, loss, Operation::kEmbeddings)) ==
        canonical(R"({"model":"m","input":["a","b"],"input_type":"query","output_dimension":8,"encoding_format":"base64"})"));
  CHECK(test::losses_of(loss) == "user (cosmetic)\n");
  CHECK(canonical(test::translated(openai(), jina(), asked, loss, Operation::kEmbeddings)) ==
        canonical(R"({"model":"m","input":["a","b"],"task":"retrieval.query","dimensions":8,"embedding_type":"base64"})"));
  loss.clear();
  (void)test::translated(openai(), voyage(), R"({"input":[1,2]})", loss, Operation::kEmbeddings);
  CHECK(test::losses_of(loss) == "input (semantic)\n");
}

// DIAL-02, DIAL-11, DIAL-26
TEST_CASE("rankings mean the same after the canonical model, and in another server's words") {
  const std::string theirs = R"({"object":"list","data":[{"relevance_score":0.5703125,"index":1,"document":"b"},{"relevance_score":0.25,"index":0,"document":"a"}],"model":"rerank-2.5","usage":{"total_tokens":12}})";
  const chat::Message message = read(voyage(), theirs);
  CHECK(message.usage->input_tokens == 12u);
  CHECK(canonical(written(voyage(), message)) == canonical(theirs));
  const std::string results = R"([{"index":1,"relevance_score":0.5703125,"document":{"text":"b"}},{"index":0,"relevance_score":0.25,"document":{"text":"a"}}])";
  CHECK(canonical(written(jina(), message)) == canonical(R"({"model":"rerank-2.5","object":"list","results":)" + results + R"(,"usage":{"total_tokens":12}})"));
  CHECK(canonical(written(cohere(), message)) == canonical(R"({"results":)" + results + R"(,"meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":12}}})"));
  const chat::Message back = read(jina(), written(jina(), message));
  CHECK(canonical(written(voyage(), back)) == canonical(theirs));
}

TEST_CASE("a ranking has the documents that were asked for, also where the server does not repeat them") {
  const chat::Request asked = test::request_of(jina(), R"({"query":"q","documents":["a",{"text":"b"}],"return_documents":true})", Operation::kRerank);
  CHECK(read(jina(), R"({"results":[{"index":1,"relevance_score":1},{"index":7,"relevance_score":0}]})", &asked).ranked.at(0).document == R"({"text":"b"})");
  CHECK(read(jina(), R"({"results":[{"index":7,"relevance_score":0}]})", &asked).ranked.at(0).document.empty());
}

// Bug: Voyage's client for Python reads the usage of every ranking, and had no answer of servers that bill by searches.
TEST_CASE("a ranking whose server counts no tokens says that it counted none") {
  const chat::Message uncounted = read(cohere(), R"({"results":[{"index":0,"relevance_score":0.5}],"meta":{"billed_units":{"search_units":1}}})");
  CHECK(written(voyage(), uncounted).find(R"("usage":{"total_tokens":0})") != std::string::npos);
}

TEST_CASE("what policy looks at in a request to rank or embed") {
  const auto document = test::parsed(R"({"model":"m","query":"q","documents":["ab",{"text":"c"}]})");
  chat::RequestView view;
  REQUIRE(jina().inspect(document, Operation::kRerank, chat::kWantPrompt | chat::kWantShape, view));
  REQUIRE(view.prompt.size() == 3);
  CHECK(view.prompt[2].text == "c");
  CHECK(view.prompt[0].last_user);
  CHECK(view.shape.inputs == 3);
  CHECK(view.shape.characters == 4);
  const auto embed = test::parsed(R"({"input":"abc","output_dimension":8})");
  chat::RequestView second;
  REQUIRE(voyage().inspect(embed, Operation::kEmbeddings, chat::kWantPrompt | chat::kWantShape, second));
  CHECK(second.prompt.at(0).text == "abc");
  CHECK(second.shape.dimensions == 8);
  chat::RequestView third;
  CHECK(voyage().inspect(test::parsed(R"({"input":"a","input":"b"})"), Operation::kEmbeddings, 0, third).error().code == Code::kDuplicateKey);
}

// DIAL-17, DIAL-24
TEST_CASE("errors of servers that rank are told in their envelope and read from it") {
  CHECK(voyage().encode_error(make_error(Code::kUpstreamStatus, "ours"), {"", "theirs", 400}) == R"({"detail":"theirs"})");
  CHECK(jina().is_error_body(R"({"detail":[{"loc":["a"],"msg":"x"}]})"));
  CHECK_FALSE(jina().is_error_body(R"({"error":"x"})"));
  CHECK(voyage().decode_answer(R"({"detail":"no such model"})", {.operation = Operation::kRerank}).error().message == "no such model");
  for (const std::string_view bad : {"<html>", "[]", "{}", R"({"data":7})"}) {
    CHECK(voyage().decode_answer(bad, {.operation = Operation::kRerank}).error().code == Code::kUpstreamInvalidAnswer);
  }
  const auto tap = voyage().tap({.operation = Operation::kRerank});
  REQUIRE(tap->on_bytes(R"({"object":"list","data":[],"model":"m","usage":{"total_tokens":12}})"));
  REQUIRE(tap->on_end());
  CHECK(tap->usage().total_tokens == 12u);
  CHECK(tap->model() == "m");
  const auto failed = jina().tap({.operation = Operation::kRerank});
  REQUIRE(failed->on_bytes(R"({"detail":"gone"})"));
  REQUIRE(failed->on_end());
  CHECK(failed->error()->message == "gone");
}
