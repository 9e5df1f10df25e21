// Custom REST upstreams on the wire: through listener, libcurl and a server on a raw socket that says what no dialect knows, to
// callers of OpenAI's and of Anthropic's.

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>

#include "integration/dialect_speech.hpp"
#include "integration/rig.hpp"
#include "support/files.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

/// A chat surface: messages go as OpenAI has them, answers come in words of its own. `stream` is its section, or empty.
std::string rest(const std::string& stream = {}) {
  return R"("chat":{"path":"/run/{model}","request":{"talk":{"$from":"/messages"},"tools":{"$from":"/tools"},"most":{"$from":"/max_tokens"},"live":{"$from":"/stream"}},
    "answer":{"text":"/say","tool_calls":"/calls","finish":"/why","input_tokens":"/n/0","output_tokens":"/n/1","model":"/by"},"words":{"full":"length"})" +
         (stream.empty() ? "" : R"(,"stream":)" + stream) + "}";
}

const std::string kEvent = R"("event":{"text":"/say","tool_calls":"/calls","finish":"/why","input_tokens":"/n/0","output_tokens":"/n/1","model":"/by"})";

std::string upstream(const FaultServer& server, const std::string& rest, const std::string& more = {}) {
  return R"({"name":"mine","provider":"custom","url":"http://)" + server.authority() + R"(/base")" + more + R"(,"rest":{)" + rest + "}}";
}

/// A way to frame pieces of JSON, as the configuration and the wire have it.
struct Way {
  std::string framing, type;
  std::string (*frame)(const std::vector<std::string>&);
};

std::string as_sse(const std::vector<std::string>& events) {
  std::string out = ": hello\n\n";
  for (const std::string& one : events) out += "data: " + one + "\n\n";
  return out;
}
std::string as_lines(const std::vector<std::string>& events) {
  std::string out;
  for (const std::string& one : events) out += one + "\n";
  return out;
}
std::string as_array(const std::vector<std::string>& events) {
  std::string out = "[";
  for (const std::string& one : events) out.append(out.size() == 1 ? "" : ",\n").append(one);
  return out + "]";
}

const std::vector<Way>& ways() {
  static const std::vector<Way> all{{"sse", "text/event-stream", as_sse}, {"ndjson", "application/json", as_lines}, {"json-array", "application/json", as_array}};
  return all;
}

/// Chunked and without a length, as servers stream.
Reply live_reply(const std::string& type, const std::string& body, std::size_t piece) {
  Reply reply = Reply::chunked("Content-Type: " + type + "\r\n");
  for (std::size_t at = 0; at < body.size(); at += piece) reply.chunk(body.substr(at, piece));
  reply.end_chunks();
  return reply;
}
/// The same, and broken off before its end.
Reply cut_reply(const std::string& type, const std::string& body) {
  Reply reply = Reply::chunked("Content-Type: " + type + "\r\n");
  reply.chunk(body).then_close();
  return reply;
}

const std::string kAsked = R"("messages":[{"role":"user","content":"hi"}])";

std::string from_openai(bool stream, const std::string& more = {}) {
  return post("/v1/chat/completions", R"({"model":"m","stream":)" + std::string(stream ? "true" : "false") + "," + kAsked + more + "}");
}
std::string from_anthropic(bool stream, const std::string& more = {}) {
  return post("/v1/messages", R"({"model":"m","max_tokens":64,"stream":)" + std::string(stream ? "true" : "false") + "," + kAsked + more + "}", "anthropic-version: 2023-06-01\r\n");
}

struct Caller {
  std::string name;
  std::string (*ask)(bool, const std::string&);
  std::string stop, length, calls, tools;
};
const std::vector<Caller>& callers() {
  static const std::vector<Caller> all{
      {"openai", from_openai, "stop", "length", "tool_calls", R"(,"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object"}}}])"},
      {"anthropic", from_anthropic, "end_turn", "max_tokens", "tool_use", R"(,"tools":[{"name":"weather","input_schema":{"type":"object"}}])"}};
  return all;
}

const std::vector<std::string> kTold{R"({"by":"big"})", R"({"say":"Gr\u00fc"})", R"({"say":"ße 😀"})"};
const std::string kFull = R"({"why":"full","n":[3,7],"last":true})";
const std::string kCalls = R"({"calls":[{"index":0,"id":"c1","type":"function","function":{"name":"weather","arguments":"{\"city\":"}}]})";
const std::string kMoreCalls = R"({"calls":[{"index":0,"function":{"arguments":"\"Rome\"}"}}],"last":true})";

std::vector<std::string> with(std::vector<std::string> events, const std::vector<std::string>& more) {
  events.insert(events.end(), more.begin(), more.end());
  return events;
}

}  // namespace

TEST_CASE("whole answers of a custom upstream reach callers of every dialect, and its requests say what the template says") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  ::setenv("SLUICE_TEST_CUSTOM_KEY", "of-the-gateway", 1);
  Live live(document(upstream(server, rest() + R"(,"credential_header":"x-key")", R"(,"credential":{"env":"SLUICE_TEST_CUSTOM_KEY"},"allow_plaintext_credential":true)"), R"({"name":"r","upstreams":[{"name":"mine","model":"a/b"}]})"), threads);
  for (const Caller& caller : callers()) {
    INFO(caller.name);
    server.on_request([](const RawRequest&) { return json_reply(R"({"say":"Hello","why":"full","n":[3,7],"by":"big"})"); });
    Heard heard = speech(caller.name).hear(ask(live, caller.ask(false, "")).body, false);
    CHECK(heard.text == "Hello");
    CHECK(heard.finish == caller.length);
    CHECK(heard.input == 3);
    CHECK(heard.output == 7);
    CHECK(heard.ended);
    const RawRequest seen = server.requests().back();
    CHECK(seen.target == "/base/run/a%2Fb");
    CHECK(seen.header("x-key") == "of-the-gateway");
    CHECK_FALSE(seen.header("authorization"));
    CHECK(canonical_json(seen.body) == canonical_json(caller.name == "openai" ? R"({"talk":[{"role":"user","content":"hi"}],"live":false})"
                                                                             : R"({"talk":[{"role":"user","content":"hi"}],"most":64,"live":false})"));
    server.on_request([](const RawRequest&) { return json_reply(R"({"calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":{"city":"Rome"}}}]})"); });
    heard = speech(caller.name).hear(ask(live, caller.ask(false, caller.tools)).body, false);
    CHECK(heard.calls == std::vector<SpokenCall>{{.name = "weather", .arguments = R"({"city":"Rome"})"}});
    CHECK(heard.finish == caller.calls);
    CHECK(server.requests().back().body.find("\"tools\":[") != std::string::npos);
    // Who streams gets a stream, of a server that has none.
    server.on_request([](const RawRequest&) { return json_reply(R"({"say":"Hello"})"); });
    heard = speech(caller.name).hear(ask(live, caller.ask(true, "")).body, true);
    CHECK(heard.mistake == "");
    CHECK(heard.text == "Hello");
    CHECK(heard.finish == caller.stop);
    CHECK(heard.ended);
    CHECK(server.requests().back().body.find("\"live\":false") != std::string::npos);
  }
  const Outcome outcome = live.outcomes().wait(1).front();
  CHECK(outcome.served_model == "big");
  CHECK(outcome.finish_reason == "full");
}

// DIAL-18
TEST_CASE("streams of a custom upstream reach callers of every dialect in every framing, however they are cut") {
  const auto threads = GENERATE(1u, 4u);
  for (const Way& way : ways()) {
    FaultServer server;
    Live live(document(upstream(server, rest(R"({"framing":")" + way.framing + "\"," + kEvent + R"(,"end_if":{"pointer":"/last"}})")), route_to("mine")), threads);
    for (const Caller& caller : callers()) {
      for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
        CAPTURE(way.framing, caller.name, piece);
        server.on_request([&way, piece](const RawRequest&) { return live_reply(way.type, way.frame(with(kTold, {kFull})), piece); });
        const WireAnswer answer = ask(live, caller.ask(true, ""));
        CHECK(answer.status == 200);
        CHECK(answer.field("content-type") == "text/event-stream");
        Heard heard = speech(caller.name).hear(answer.body, true);
        CHECK(heard.mistake == "");
        CHECK(heard.text == "Grüße 😀");
        CHECK(heard.finish == caller.length);
        CHECK(heard.ended);
        CHECK(server.requests().back().body.find("\"live\":true") != std::string::npos);
        server.on_request([&way, piece](const RawRequest&) { return live_reply(way.type, way.frame(with(kTold, {kCalls, kMoreCalls})), piece); });
        heard = speech(caller.name).hear(ask(live, caller.ask(true, caller.tools)).body, true);
        CHECK(heard.mistake == "");
        CHECK(heard.calls == std::vector<SpokenCall>{{.name = "weather", .arguments = R"({"city":"Rome"})"}});
        CHECK(heard.finish == caller.calls);
        CHECK(heard.ended);
      }
    }
    const std::vector<Outcome> outcomes = live.outcomes().wait(12);
    CHECK(outcomes.front().usage.input_tokens == 3u);
    CHECK(outcomes.front().usage.output_tokens == 7u);
    CHECK(std::all_of(outcomes.begin(), outcomes.end(), [](const Outcome& one) { return one.ending == Ending::kCompleted; }));
  }
}

TEST_CASE("a raw stream is text, and one that is cut off is an error and no end") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  // Text alone: nothing in it could be a call, so no tools are offered.
  const std::string talks = R"("chat":{"path":"/run/{model}","request":{"talk":{"$from":"/messages"},"most":{"$from":"/max_tokens"},"live":{"$from":"/stream"}},"answer":{"text":"/say"},"stream":{"framing":"raw"}})";
  Live live(document(upstream(server, talks), route_to("mine", R"(,"retry":{"attempts":1})")), threads);
  const std::string text = "Gr\xc3\xbc\xc3\x9f" "e \xf0\x9f\x98\x80\n{}";
  std::size_t asked = 0;
  for (const Caller& caller : callers()) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{4096}}) {
      CAPTURE(caller.name, piece);
      server.on_request([&text, piece](const RawRequest&) { return live_reply("text/plain; charset=utf-8", text, piece); });
      const Heard heard = speech(caller.name).hear(ask(live, caller.ask(true, "")).body, true);
      ++asked;
      CHECK(heard.mistake == "");
      CHECK(heard.text == text);
      CHECK(heard.finish == caller.stop);
      CHECK(heard.ended);
    }
    server.on_request([&text](const RawRequest&) { return cut_reply("text/plain", text); });
    const WireAnswer cut = ask(live, caller.ask(true, ""));
    CHECK_FALSE(speech(caller.name).hear(cut.body, true).ended);
    CHECK(live.outcomes().wait(++asked).back().ending == Ending::kFailed);
    // JSON where text was due is an answer of its own: an error here.
    server.on_request([](const RawRequest&) { return json_reply(R"({"error":"no memory"})"); });
    CHECK(ask(live, caller.ask(true, "")).body.find("no memory") != std::string::npos);
    ++asked;
  }
}

TEST_CASE("a stream that breaks off before its end is an error to its caller, in every framing") {
  const auto threads = GENERATE(1u, 4u);
  for (const Way& way : ways()) {
    FaultServer server;
    Live live(document(upstream(server, rest(R"({"framing":")" + way.framing + "\"," + kEvent + R"(,"end_if":{"pointer":"/last"}})")), route_to("mine", R"(,"retry":{"attempts":1})")), threads);
    for (const Caller& caller : callers()) {
      CAPTURE(way.framing, caller.name);
      // Cut by the network, and ended in good order without having said that it is over.
      server.on_request([&way](const RawRequest&) { return cut_reply(way.type, way.frame(kTold)); });
      const WireAnswer broken = ask(live, caller.ask(true, ""));
      CHECK_FALSE(speech(caller.name).hear(broken.body, true).ended);
      server.on_request([&way](const RawRequest&) { return live_reply(way.type, way.frame(kTold), 4096); });
      const WireAnswer unfinished = ask(live, caller.ask(true, ""));
      const Heard heard = speech(caller.name).hear(unfinished.body, true);
      CHECK(heard.text == "Grüße 😀");
      CHECK_FALSE(heard.ended);
      CHECK(unfinished.body.find("before it") != std::string::npos);
    }
    for (const Outcome& outcome : live.outcomes().wait(4)) {
      CHECK(outcome.ending == Ending::kFailed);
      REQUIRE(outcome.error);
      CHECK(outcome.error->code == Code::kUpstreamTruncated);
    }
  }
}

// DIAL-17
TEST_CASE("an error that comes as a success is told as one, whole and within a stream, and another upstream is tried before any content") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer bad;
  Backend good("good");
  const std::string words = R"(,"error_if":{"pointer":"/ok","equals":false},"error_message":"/said")";
  Live live(document(upstream(bad, rest("{" + kEvent + R"(,"end_if":{"pointer":"/last"}})") + words) + "," + good.entry(),
                     R"({"name":"both","match":{"model":["m"]},"upstreams":[{"name":"mine"},{"name":"good"}],"retry":{"attempts":2,"backoff_ms":0}},{"name":"one","upstreams":[{"name":"mine"}],"retry":{"attempts":1}})"),
            threads);
  const auto one = [](bool stream) { return post("/v1/chat/completions", R"({"model":"other","stream":)" + std::string(stream ? "true" : "false") + "," + kAsked + "}"); };
  const std::string fault = R"({"ok":false,"said":"no memory"})";
  bad.on_request([&](const RawRequest&) { return json_reply(fault); });
  const WireAnswer whole = ask(live, one(false));
  CHECK(whole.status == 502);
  CHECK(error_code(whole.body) == "upstream_error");
  CHECK(whole.body.find("no memory") != std::string::npos);
  CHECK(served_by(ask(live, from_openai(false))) == "good");
  bad.on_request([&](const RawRequest&) { return live_reply("text/event-stream", as_sse({fault}), 4096); });
  CHECK(served_by(ask(live, from_openai(true))) == "good");
  bad.on_request([&](const RawRequest&) { return live_reply("text/event-stream", as_sse({kTold[1], fault, kFull}), 4096); });
  const WireAnswer streamed = ask(live, one(true));
  const Heard heard = speech("openai").hear(streamed.body, true);
  CHECK(heard.text == "Grü");
  CHECK_FALSE(heard.ended);
  CHECK(streamed.body.find("no memory") != std::string::npos);
}

TEST_CASE("what a template has no place for refuses the upstream by name, or is dropped and told") {
  FaultServer server;
  server.on_request([](const RawRequest&) { return json_reply(R"({"say":"Hello"})"); });
  Live live(document(upstream(server, rest()), route_to("mine", R"(,"expose_losses":true)")));
  const WireAnswer refused = ask(live, from_openai(false, R"(,"response_format":{"type":"json_object"})"));
  CHECK(refused.status == 400);
  CHECK(error_code(refused.body) == "unsupported_parameter");
  CHECK(refused.body.find("upstream 'mine', which speaks custom, cannot take 'response_format'") != std::string::npos);
  const WireAnswer dropped = ask(live, from_openai(false, R"(,"seed":7)"));
  CHECK(dropped.status == 200);
  CHECK(dropped.field("x-sluice-losses") == "seed (cosmetic)");
  CHECK(error_code(ask(live, post("/v1/embeddings", R"({"model":"m","input":"x"})")).body) == "unsupported_operation");
}

TEST_CASE("a reload replaces a surface while streams of the old one go on") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  const auto config = [&](const std::string& text) {
    return document(upstream(server, R"("chat":{"path":"/run","request":{"q":{"$from":"/last_user"}},"answer":{"text":")" + text + R"("},"stream":{"framing":"ndjson","event":{"text":")" + text + R"("},"end_if":{"pointer":"/last"}}})"), route_to("mine"));
  };
  Live live(config("/old"), threads);
  server.on_request([](const RawRequest& request) {
    Reply reply = Reply::chunked("Content-Type: application/x-ndjson\r\n");
    if (request.number > 1) return std::move(reply.chunk("{\"new\":\"B\",\"last\":1}\n").end_chunks());
    return std::move(reply.chunk("{\"old\":\"A\"}\n").then_wait("reloaded").chunk("{\"old\":\"Z\",\"last\":1}\n").end_chunks());
  });
  RawClient client(live.port());
  client.send(from_openai(true));
  (void)client.until("\"A\"");
  auto fresh = Config::parse(config("/new"));
  REQUIRE(fresh);
  fresh->gateway.threads = threads;
  fresh->gateway.listen.push_back({});
  REQUIRE(live.gateway().reload(*fresh));
  CHECK(speech("openai").hear(ask(live, from_openai(true)).body, true).text == "B");
  server.open("reloaded");
  const Heard heard = speech("openai").hear(client.answer().body, true);
  CHECK(heard.text == "AZ");
  CHECK(heard.ended);
}

TEST_CASE("the example of the page on custom upstreams does what the page says") {
  const std::string page = tests::source_file("docs/custom-upstreams.md");
  const std::size_t begin = page.find("```json\n") + 8;
  std::string config = page.substr(begin, page.find("```", begin) - begin);
  FaultServer server;
  const std::string url = "\"https://models.example.com\"";
  REQUIRE(config.find(url) != std::string::npos);
  config.replace(config.find(url), url.size(), "\"http://" + server.authority() + R"(","allow_plaintext_credential":true)");
  ::setenv("HOUSE_KEY", "of-the-house", 1);
  Live live(config);
  const auto page_says = [&](const std::string& text) {
    INFO(text);
    CHECK(page.find(text) != std::string::npos);
    return text;
  };
  const std::string whole = page_says(R"({"reply": "Rome.", "why": "done", "count": {"read": 12, "written": 2}})");
  server.on_request([&](const RawRequest&) { return json_reply(whole); });
  Heard heard = speech("openai").hear(ask(live, from_openai(false, R"(,"max_tokens":50,"temperature":0.2)")).body, false);
  CHECK(heard.text == "Rome.");
  CHECK(heard.finish == "stop");
  CHECK(heard.input == 12);
  const RawRequest seen = server.requests().back();
  CHECK(seen.target == "/api/run");
  CHECK(seen.header("x-key") == "of-the-house");
  CHECK(canonical_json(seen.body) == canonical_json(R"({"model":"m","prompt":"<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n","options":{"limit":50,"heat":0.2,"greedy":false}})"));
  const std::string lines = page_says(R"({"reply": "Ro"})") + "\n" + page_says(R"({"reply": "me."})") + "\n" +
                            page_says(R"({"why": "done", "count": {"read": 12, "written": 2}, "last": true})") + "\n";
  server.on_request([&](const RawRequest&) { return live_reply("application/json", lines, 5); });
  heard = speech("anthropic").hear(ask(live, from_anthropic(true)).body, true);
  CHECK(heard.text == "Rome.");
  CHECK(heard.ended);
  CHECK(heard.output == 2);
  CHECK(server.requests().back().target == "/api/run/live");
  const std::string fault = page_says(R"({"fault": true, "text": "out of memory"})");
  server.on_request([&](const RawRequest&) { return json_reply(fault); });
  CHECK(ask(live, from_openai(false)).body.find("out of memory") != std::string::npos);
}
