// Routes by what a request says, in every dialect that clients speak: each thing it can say apart, content as a string and as
// parts where the dialect has both. Requests are written here, from the dialects' own documents.

#include <catch2/catch.hpp>

#include "integration/dialect_speech.hpp"
#include "sluice/testing.hpp"

using namespace sluice;

namespace {

/// A conversation: instructions, a question, its answer, and another question; and what may be with it.
struct Said {
  bool parts = false, offered = false, forced = false, called = false, stream = false;
};

const std::string kSystem = "be brief", kFirst = "the first word", kLast = "the last word";

std::string openai_like(const Said& said, std::string_view part, std::string_view more) {
  const auto text = [&](const std::string& words) {
    return said.parts ? R"([{"type":")" + std::string(part) + R"(","text":")" + words + "\"}]" : "\"" + words + "\"";
  };
  std::string out = R"({"role":"system","content":)" + text(kSystem) + R"(},{"role":"user","content":)" + text(kFirst) + "}";
  out += R"(,{"role":"assistant","content":"ok"},{"role":"user","content":)" + text(kLast) + "}";
  return out + (said.called ? std::string(more) : std::string());
}

const std::string kFunction = R"({"type":"function","function":{"name":"run_sql","description":"d","parameters":{"type":"object"}}})";

std::string ask_openai(const Said& said) {
  return R"({"model":"m","messages":[)" +
         openai_like(said, "text", R"(,{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"run_sql","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"1"})") +
         "]" + (said.offered ? ",\"tools\":[" + kFunction + "]" : "") + (said.forced ? R"(,"tool_choice":{"type":"function","function":{"name":"run_sql"}})" : "") +
         (said.stream ? ",\"stream\":true}" : "}");
}

std::string ask_responses(const Said& said) {
  std::string items = openai_like(said, "input_text", R"(,{"type":"function_call","call_id":"c","name":"run_sql","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"1"})");
  return R"({"model":"m","input":[)" + items + "]" + (said.offered ? R"(,"tools":[{"type":"function","name":"run_sql","parameters":{"type":"object"}}])" : "") +
         (said.forced ? R"(,"tool_choice":{"type":"function","name":"run_sql"})" : "") + (said.stream ? ",\"stream\":true}" : "}");
}

std::string ask_anthropic(const Said& said) {
  const auto text = [&](const std::string& words) { return said.parts ? R"([{"type":"text","text":")" + words + "\"}]" : "\"" + words + "\""; };
  std::string turns = R"({"role":"user","content":)" + text(kFirst) + R"(},{"role":"assistant","content":"ok"},{"role":"user","content":)" + text(kLast) + "}";
  if (said.called) turns += R"(,{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"run_sql","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"1"}]})";
  return R"({"model":"m","max_tokens":9,"system":)" + text(kSystem) + ",\"messages\":[" + turns + "]" +
         (said.offered ? R"(,"tools":[{"name":"run_sql","input_schema":{"type":"object"}}])" : "") + (said.forced ? R"(,"tool_choice":{"type":"tool","name":"run_sql"})" : "") +
         (said.stream ? ",\"stream\":true}" : "}");
}

std::string ask_gemini(const Said& said) {
  const auto turn = [](const std::string& role, const std::string& words) { return R"({"role":")" + role + R"(","parts":[{"text":")" + words + "\"}]}"; };
  std::string turns = turn("user", kFirst) + "," + turn("model", "ok") + "," + turn("user", kLast);
  if (said.called) turns += R"(,{"role":"model","parts":[{"functionCall":{"name":"run_sql","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"run_sql","response":{"x":1}}}]})";
  return R"({"systemInstruction":{"parts":[{"text":")" + kSystem + R"("}]},"contents":[)" + turns + "]" +
         (said.offered ? R"(,"tools":[{"functionDeclarations":[{"name":"run_sql","description":"d"}]}])" : "") +
         (said.forced ? R"(,"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["run_sql"]}}})" : "}");
}

std::string ask_cohere(const Said& said) {
  return R"({"model":"m","messages":[)" +
         openai_like(said, "text", R"(,{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"run_sql","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"1"})") +
         "]" + (said.offered ? ",\"tools\":[" + kFunction + "]" : "") + (said.stream ? ",\"stream\":true}" : "}");
}

std::string ask_ollama(const Said& said) {
  return R"({"model":"m","messages":[)" +
         openai_like(said, "text", R"(,{"role":"assistant","content":"","tool_calls":[{"function":{"name":"run_sql","arguments":{}}}]},{"role":"tool","tool_name":"run_sql","content":"1"})") +
         "]" + (said.offered ? ",\"tools\":[" + kFunction + "]" : "") + (said.stream ? "}" : ",\"stream\":false}");
}

std::string ask_bedrock(const Said& said) {
  const auto turn = [](const std::string& role, const std::string& words) { return R"({"role":")" + role + R"(","content":[{"text":")" + words + "\"}]}"; };
  std::string turns = turn("user", kFirst) + "," + turn("assistant", "ok") + "," + turn("user", kLast);
  if (said.called) turns += R"(,{"role":"assistant","content":[{"toolUse":{"toolUseId":"c","name":"run_sql","input":{}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"c","content":[{"text":"1"}]}}]})";
  std::string out = R"({"system":[{"text":")" + kSystem + R"("}],"messages":[)" + turns + "]";
  if (said.offered || said.called) {
    out += R"(,"toolConfig":{"tools":[{"toolSpec":{"name":")" + std::string(said.offered ? "run_sql" : "other") + R"(","inputSchema":{"json":{"type":"object"}}}}])";
    out += said.forced ? R"(,"toolChoice":{"tool":{"name":"run_sql"}}})" : "}";
  }
  return out + "}";
}

struct Caller {
  std::string_view name;
  std::string (*body)(const Said&);
  std::string_view path, stream_path;
  bool strings, forces;  ///< content may be a string, or is one always; one tool can be forced
  bool lists = true;     ///< content may be a list
};

const Caller kCallers[] = {
    {"openai", ask_openai, "/v1/chat/completions", "/v1/chat/completions", true, true},
    {"openai-responses", ask_responses, "/v1/responses", "/v1/responses", true, true},
    {"anthropic", ask_anthropic, "/v1/messages", "/v1/messages", true, true},
    {"gemini", ask_gemini, "/v1beta/models/m:generateContent", "/v1beta/models/m:streamGenerateContent?alt=sse", false, true},
    {"cohere", ask_cohere, "/v2/chat", "/v2/chat", true, false},
    {"ollama", ask_ollama, "/api/chat", "/api/chat", true, false, false},
    {"bedrock", ask_bedrock, "/model/m/converse", "/model/m/converse-stream", false, true},
};

/// Whether a route that asks for `match` takes what is said, with a key of `consumer`.
bool taken(const Caller& caller, const std::string& match, const Said& said, const std::string& consumer = {}) {
  testing::ManualClock clock;
  testing::Simulation simulation(clock, 7);
  OpenOptions options;
  options.clock = &clock;
  options.transport = simulation.transport();
  const std::string keys = R"("consumers":[{"name":"batch","keys":[{"sha256":"$batch"}]},{"name":"app","keys":[{"sha256":"$app"}]}],)";
  std::string document = R"({"version":1,"gateway":{"threads":0},)" + (consumer.empty() ? std::string() : keys) +
                         R"("upstreams":[{"name":"up","provider":"openai-compatible","url":"http://up.test/v1"}],"routes":[{"name":"yes","match":)" + match +
                         R"(,"upstreams":[{"name":"up"}]},{"name":"no","upstreams":[{"name":"up"}]}]})";
  // Of "batch-key" and "app-key".
  const std::pair<std::string, std::string> digests[] = {{"$batch", "9d8db2a67d146638c07fbb5652ad998062e2e2fa857eef026c40c444b07e3872"}, {"$app", "2924a27d7fc715372a952b03583ae5f1221556bcdabbf2a57ff5de577efe11c1"}};
  for (const auto& [mark, digest] : digests) {
    if (const std::size_t at = document.find(mark); at != std::string::npos) document.replace(at, mark.size(), digest);
  }
  auto gateway = Gateway::open_json(document, options);
  if (!gateway) FAIL(gateway.error().message);
  simulation.upstream("up").answers("fine");
  Request request;
  request.method = "POST";
  request.target = std::string(said.stream ? caller.stream_path : caller.path);
  REQUIRE(request.headers.add("content-type", "application/json"));
  if (caller.name == "anthropic") REQUIRE(request.headers.add("anthropic-version", "2023-06-01"));
  if (!consumer.empty()) REQUIRE(request.headers.add("x-api-key", consumer + "-key"));
  request.body = Body::copy(caller.body(said));
  const testing::Run run = simulation.run(*gateway, std::move(request));
  INFO(run.body());
  REQUIRE(run.status() == 200);
  return run.outcome().route == "yes";
}

}  // namespace

// ROUTE-24
TEST_CASE("tools offered, forced and last called, and streaming, each choose a route in every inbound dialect") {
  for (const Caller& caller : kCallers) {
    INFO(caller.name);
    const Said bare, offered{.offered = true}, called{.offered = true, .called = true};
    CHECK(taken(caller, R"({"tools":{"offered":"run_*"}})", offered));
    CHECK_FALSE(taken(caller, R"({"tools":{"offered":"run_*"}})", bare));
    if (caller.forces) CHECK(taken(caller, R"({"tools":{"forced":"run_sql"}})", {.offered = true, .forced = true}));
    CHECK_FALSE(taken(caller, R"({"tools":{"forced":"run_sql"}})", offered));
    CHECK(taken(caller, R"({"tools":{"last_called":"run_sql"}})", called));
    CHECK_FALSE(taken(caller, R"({"tools":{"last_called":"run_sql"}})", offered));
    CHECK(taken(caller, R"({"stream":true})", {.stream = true}));
    CHECK_FALSE(taken(caller, R"({"stream":true})", bare));
    CHECK(taken(caller, R"({"stream":false})", bare));
  }
}

// ROUTE-24
TEST_CASE("any text, the last of the user's and the system's choose a route in every inbound dialect, as strings and as parts") {
  for (const Caller& caller : kCallers) {
    for (const bool parts : {false, true}) {
      if (parts ? !caller.lists : !caller.strings) continue;
      INFO(caller.name << (parts ? ", parts" : ", strings"));
      const Said said{.parts = parts};
      CHECK(taken(caller, R"({"prompt":[{"where":"any","contains":"first"}]})", said));
      CHECK(taken(caller, R"({"prompt":[{"where":"any","contains":"brief"}]})", said));
      CHECK_FALSE(taken(caller, R"({"prompt":[{"where":"any","contains":"nobody said"}]})", said));
      CHECK(taken(caller, R"({"prompt":[{"where":"last_user","contains":"last"}]})", said));
      CHECK_FALSE(taken(caller, R"({"prompt":[{"where":"last_user","contains":"first"}]})", said));
      CHECK(taken(caller, R"({"prompt":[{"where":"system","contains":"brief"}]})", said));
      CHECK_FALSE(taken(caller, R"({"prompt":[{"where":"system","contains":"word"}]})", said));
    }
  }
}

// ROUTE-24
TEST_CASE("who calls chooses a route in every inbound dialect") {
  for (const Caller& caller : kCallers) {
    INFO(caller.name);
    CHECK(taken(caller, R"({"consumer":"batch"})", {}, "batch"));
    CHECK_FALSE(taken(caller, R"({"consumer":"batch"})", {}, "app"));
  }
}
