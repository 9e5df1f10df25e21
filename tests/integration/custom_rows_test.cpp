// Providers that are rows of custom surfaces, on the wire: TGI, Triton, KServe, TEI and Azure AI Content Safety as their documents
// have them; and what TGI's own tests have recorded, where the recordings are at hand.

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "integration/dialect_speech.hpp"
#include "integration/rig.hpp"
#include "json/document.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

std::string upstream(const FaultServer& server, const std::string& provider, const std::string& more = {}) {
  return R"({"name":"u","provider":")" + provider + R"(","url":"http://)" + server.authority() + "\"" + more + "}";
}

std::string chat(bool stream, const std::string& more = {}) {
  return post("/v1/chat/completions", R"({"model":"m","stream":)" + std::string(stream ? "true" : "false") + R"(,"messages":[{"role":"user","content":"Hi"}])" + more + "}");
}

Reply sse(const std::vector<std::string>& events, bool whole = true) {
  Reply reply = Reply::chunked("Content-Type: text/event-stream\r\n");
  for (const std::string& one : events) reply.chunk("data:" + one + "\n\n");
  if (whole) {
    reply.end_chunks();
  } else {
    reply.then_close();
  }
  return reply;
}

std::string file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

json::Value get(const json::Value& object, std::string_view key) {
  const auto found = object.is(json::Type::kObject) ? object.find(key) : Result<json::Value>(json::Value{});
  return found ? *found : json::Value{};
}

}  // namespace

TEST_CASE("TGI's own surface is spoken whole and streamed, its special tokens are no text, and a cut stream is no answer") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  Live live(document(upstream(server, "tgi-native"), route_to("u", R"(,"retry":{"attempts":1})")), threads);
  server.on_request([](const RawRequest&) { return json_reply(R"({"generated_text":"Hello","details":{"finish_reason":"length","generated_tokens":2,"seed":null,"prefill":[],"tokens":[]}})"); });
  Heard heard = speech("openai").hear(ask(live, chat(false, R"(,"temperature":0,"top_p":1)")).body, false);
  CHECK(heard.text == "Hello");
  CHECK(heard.finish == "length");
  CHECK(heard.output == 2);
  CHECK_FALSE(heard.input);
  CHECK(server.requests().back().target == "/generate");
  CHECK(canonical_json(server.requests().back().body) == canonical_json(R"({"inputs":"Hi","parameters":{"do_sample":false,"details":true,"return_full_text":false}})"));
  const std::vector<std::string> events{
      R"({"index":1,"token":{"id":1,"text":"Hel","logprob":-0.1,"special":false},"generated_text":null,"details":null})",
      R"({"index":2,"token":{"id":2,"text":"lo","logprob":-0.1,"special":false},"generated_text":null,"details":null})",
      R"({"index":3,"token":{"id":3,"text":"</s>","logprob":-0.1,"special":true},"generated_text":"Hello","details":{"finish_reason":"eos_token","generated_tokens":3,"seed":null,"input_length":5}})"};
  server.on_request([&](const RawRequest&) { return sse(events); });
  heard = speech("openai").hear(ask(live, chat(true, R"(,"stream_options":{"include_usage":true})")).body, true);
  CHECK(heard.mistake == "");
  CHECK(heard.text == "Hello");
  CHECK(heard.finish == "stop");
  CHECK(heard.input == 5);
  CHECK(heard.output == 3);
  CHECK(heard.ended);
  CHECK(server.requests().back().target == "/generate_stream");
  for (const bool whole : {true, false}) {
    server.on_request([&](const RawRequest&) { return sse({events[0], events[1]}, whole); });
    CHECK_FALSE(speech("openai").hear(ask(live, chat(true)).body, true).ended);
  }
  server.on_request([&](const RawRequest&) { return sse({events[0], R"({"error":"Request failed during generation","error_type":"generation"})"}); });
  const WireAnswer failed = ask(live, chat(true));
  CHECK_FALSE(speech("openai").hear(failed.body, true).ended);
  CHECK(failed.body.find("Request failed during generation") != std::string::npos);
}

TEST_CASE("TGI's errors are told with its status and words, also those that are plain text") {
  FaultServer server;
  Live live(document(upstream(server, "tgi-native"), route_to("u", R"(,"retry":{"attempts":1})")));
  const auto [status, type, body, words] = GENERATE(table<int, std::string, std::string, std::string>({
      {422, "application/json", R"({"error":"Input validation error: inputs tokens + max_new_tokens must be <= 4096","error_type":"validation"})", "Input validation error"},
      {424, "application/json", R"({"error":"Request failed during generation","error_type":"generation"})", "Request failed during generation"},
      {429, "application/json", R"({"error":"Model is overloaded","error_type":"overloaded"})", "Model is overloaded"},
      {422, "text/plain; charset=utf-8", "Failed to deserialize the JSON body into the target type: missing field", "Failed to deserialize the JSON body"},
  }));
  server.on_request([&, status = status, type = type, body = body](const RawRequest&) { return Reply::status(status, body, "Content-Type: " + type + "\r\n"); });
  const WireAnswer answer = ask(live, chat(false));
  CHECK(answer.status == status);
  CHECK(answer.body.find(words) != std::string::npos);
  CHECK(answer.field("content-type") == "application/json");
}

TEST_CASE("Triton's generate extension is spoken with the model in the path, and the end of its stream is the end") {
  const auto threads = GENERATE(1u, 4u);
  const auto provider = GENERATE(as<std::string>(), "triton", "triton-tensorrt");
  FaultServer server;
  Live live(document(upstream(server, provider), route_to("u", R"(,"retry":{"attempts":1})")), threads);
  server.on_request([](const RawRequest&) { return json_reply(R"({"model_name":"m","model_version":"1","text_output":"Hello"})"); });
  Heard heard = speech("openai").hear(ask(live, chat(false)).body, false);
  CHECK(heard.text == "Hello");
  CHECK(heard.finish == "stop");
  CHECK_FALSE(heard.output);
  CHECK(server.requests().back().target == "/v2/models/m/generate");
  server.on_request([](const RawRequest&) { return sse({R"({"model_name":"m","text_output":"Hel"})", R"({"model_name":"m","text_output":"lo"})"}); });
  const WireAnswer streamed = ask(live, chat(true));
  heard = speech("openai").hear(streamed.body, true);
  CHECK(heard.mistake == "");
  CHECK(heard.text == "Hello");
  CHECK(heard.finish == "stop");
  CHECK(heard.ended);
  CHECK(server.requests().back().target == "/v2/models/m/generate_stream");
  const Outcome outcome = live.outcomes().wait(2).back();
  CHECK_FALSE(outcome.usage.output_tokens);  // nobody counted, and nobody asked for an estimate
  server.on_request([](const RawRequest&) { return sse({R"({"model_name":"m","text_output":"Hel"})"}, false); });
  CHECK_FALSE(speech("openai").hear(ask(live, chat(true)).body, true).ended);
  server.on_request([](const RawRequest&) { return sse({R"({"model_name":"m","text_output":"Hel"})", R"({"error":"CUDA out of memory"})"}); });
  const WireAnswer failed = ask(live, chat(true));
  CHECK_FALSE(speech("openai").hear(failed.body, true).ended);
  CHECK(failed.body.find("CUDA out of memory") != std::string::npos);
  server.on_request([](const RawRequest&) { return json_reply(R"({"error":"Request for unknown model: 'm' is not found"})", 404); });
  const WireAnswer unknown = ask(live, chat(false));
  CHECK(unknown.status == 404);
  CHECK(unknown.body.find("unknown model") != std::string::npos);
}

TEST_CASE("a chat template is a server's way to a conversation, and without one it is refused by name") {
  FaultServer server;
  server.on_request([](const RawRequest&) { return json_reply(R"({"model_name":"m","outputs":[{"name":"text_output","datatype":"BYTES","shape":[1],"data":["Hello"]}]})"); });
  const std::string talk = R"({"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"a"}]})";
  const std::string prompt = R"(,"rest":{"prompt":{"system":{"prefix":"[S]"},"user":{"prefix":"[U]","suffix":";"},"assistant":{"prefix":"[A]"},"answer":"[A]"}})";
  Live live(document(upstream(server, "kserve", prompt), route_to("u")));
  CHECK(speech("openai").hear(ask(live, post("/v1/chat/completions", talk)).body, false).text == "Hello");
  CHECK(server.requests().back().target == "/v2/models/m/infer");
  CHECK(server.requests().back().body.find("\"data\":[\"[S]s[U]a;[A]\"]") != std::string::npos);
  Live bare(document(upstream(server, "kserve"), route_to("u")));
  const WireAnswer refused = ask(bare, post("/v1/chat/completions", talk));
  CHECK(refused.status == 400);
  CHECK(refused.body.find("rest.prompt") != std::string::npos);
}

TEST_CASE("TEI embeds for callers of OpenAI's and ranks for callers of Cohere's") {
  FaultServer server;
  Live live(document(upstream(server, "tei"), route_to("u")));
  server.on_request([](const RawRequest&) { return json_reply("[[0.5,-1,0.25],[1,2,3]]"); });
  const WireAnswer vectors = ask(live, post("/v1/embeddings", R"({"model":"e","input":["a","b"]})"));
  CHECK(vectors.status == 200);
  CHECK(vectors.body.find("[0.5,-1,0.25]") != std::string::npos);
  CHECK(server.requests().back().target == "/embed");
  const WireAnswer packed = ask(live, post("/v1/embeddings", R"({"model":"e","input":["a","b"],"encoding_format":"base64"})"));
  CHECK(packed.body.find(R"("embedding":"AAAAPwAAgL8AAIA+")") != std::string::npos);
  server.on_request([](const RawRequest&) { return json_reply(R"([{"index":1,"score":0.9},{"index":0,"score":0.1}])"); });
  const WireAnswer ranked = ask(live, post("/v2/rerank", R"({"model":"r","query":"q","documents":["a","b"],"top_n":1})"));
  CHECK(ranked.status == 200);
  CHECK(ranked.body.find(R"("results":[{"index":1,"relevance_score":0.9}])") != std::string::npos);
  CHECK(canonical_json(server.requests().back().body) == canonical_json(R"({"query":"q","texts":["a","b"]})"));
}

TEST_CASE("Azure AI Content Safety moderates one text, with its own key, and flags from medium on") {
  FaultServer server;
  ::setenv("SLUICE_TEST_SAFETY_KEY", "of-the-gateway", 1);
  Live live(document(upstream(server, "azure-content-safety", R"(,"credential":{"env":"SLUICE_TEST_SAFETY_KEY"},"allow_plaintext_credential":true)"), route_to("u")));
  server.on_request([](const RawRequest&) { return json_reply(R"({"blocklistsMatch":[],"categoriesAnalysis":[{"category":"Hate","severity":2},{"category":"Violence","severity":4}]})"); });
  const WireAnswer answer = ask(live, post("/v1/moderations", R"({"input":"words"})"));
  CHECK(answer.status == 200);
  CHECK(answer.body.find(R"("flagged":true)") != std::string::npos);
  CHECK(answer.body.find(R"("categories":{"hate":false,"violence":true})") != std::string::npos);
  const RawRequest seen = server.requests().back();
  CHECK(seen.target == "/contentsafety/text:analyze?api-version=2024-09-01");
  CHECK(seen.header("ocp-apim-subscription-key") == "of-the-gateway");
  CHECK_FALSE(seen.header("authorization"));
  const WireAnswer two = ask(live, post("/v1/moderations", R"({"input":["a","b"]})"));
  CHECK(two.status == 400);
  CHECK(error_code(two.body) == "unsupported_parameter");
}

TEST_CASE("every whole answer that TGI's own tests have recorded is told as it was given") {
  const std::filesystem::path folder = std::filesystem::path(fixtures_directory()) / "tgi" / "snapshots";
  if (fixtures_directory().empty() || !std::filesystem::exists(folder)) return;
  FaultServer server;
  Live live(document(upstream(server, "tgi-native"), route_to("u")));
  std::size_t told = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto parsed = json::Document::parse(Body::copy(file(entry.path())));
    if (!parsed) continue;
    const json::Value root = parsed->root();
    for (json::Value one = root.is(json::Type::kArray) ? root.first() : root; one; one = root.is(json::Type::kArray) ? one.next() : json::Value{}) {
      const json::Value text = get(one, "generated_text"), details = get(one, "details");
      if (!text.is(json::Type::kString) || get(one, "token")) continue;
      INFO(entry.path().filename().string());
      ++told;
      server.on_request([body = std::string(one.raw())](const RawRequest&) { return json_reply(body); });
      const Heard heard = speech("openai").hear(ask(live, chat(false)).body, false);
      std::string scratch;
      CHECK(heard.text == text.text(scratch));
      if (!details.is(json::Type::kObject)) continue;
      CHECK(heard.finish == (get(details, "finish_reason").equals("length") ? "length" : "stop"));
      CHECK(heard.output == get(details, "generated_tokens").integer());
    }
  }
  CHECK(told >= 20);
}
