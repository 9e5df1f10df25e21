// The built-in plugins as a document lists them, in whole gateways.
#include <catch2/catch.hpp>

#include "integration/plugins_support.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

const std::string kCards = kRole + text_event("card 4111") + text_event("1111222") + text_event("23333 ok") + kStop + kDone;

std::string said(std::string_view stream) {
  std::string out;
  for (const ReadEvent& event : read_events(stream)) {
    const std::size_t at = event.data.find(R"("content":")");
    if (at != std::string::npos) out += event.data.substr(at + 11, event.data.find('"', at + 11) - at - 11);
  }
  return out;
}

const std::string kReplace =
    R"({"name":"cards","regex_replace":{"rules":[{"pattern":"[0-9]{16}","replacement":"[card]"}],"request":true,"response":true}})";

std::string observed(std::string entry) { return entry.insert(entry.find(',') + 1, R"("mode":"observe",)"); }

}  // namespace

// PLUG-19
TEST_CASE("replacements hold for the prompt, for a whole answer and across the events of a stream") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  std::string whole = kAnswer;
  whole.replace(whole.find("\"hi\""), 4, "\"card 4111111122223333 ok\"");
  server.on_request([&](const RawRequest& request) { return request.body.find("stream") == std::string::npos ? answer_of(whole) : whole_stream(kCards); });
  Live live(with_plugins(server, {kReplace}), threads);
  const std::string body = chat_body("m", "pay with 4111111122223333", true);
  CHECK(said(ask(live, post("/v1/chat/completions", body)).body) == "card [card] ok");
  CHECK(server.requests().at(0).body.find("pay with [card]") != std::string::npos);
  CHECK(ask(live, plain_request()).body.find("card [card] ok") != std::string::npos);
}

// PLUG-08
TEST_CASE("each built-in plugin in mode observe leaves every byte of request and answer alone, and records its verdict") {
  struct Case {
    std::string name, entry, verdict;
  };
  FaultServer side;
  side.on_request([](const RawRequest&) { return json_reply(R"({"flagged":true})"); });
  auto one = GENERATE(values<Case>({
      {"cards", kReplace, "edit"},
      {"caps", R"({"name":"caps","limits":{"characters":3}})", "fail"},
      {"edit", R"({"name":"edit","transform":{"request_headers":{"set":{"x-a":"b"}},"body":{"set":{"/user":"\"u\""}},"response_headers":{"set":{"x-c":"d"}}}})", "edit"},
      {"ask", R"({"name":"ask","http_guard":{"upstream":"side","refuse_if":{"pointer":"/flagged","equals":true}}})", "fail"},
  }));
  INFO(one.name);
  FaultServer server;
  server.on_request([](const RawRequest&) { return whole_stream(kCards); });
  const std::string upstreams = R"({"name":"up","url":"http://)" + server.authority() + R"(/v1"},{"name":"side","url":"http://)" + side.authority() + R"(/v1"})";
  const auto config = [&](const std::string& list) { return document(upstreams, R"({"name":"r","upstreams":[{"name":"up"}])" + list + "}"); };
  Live plain(config("")), with(config("," + plugin_list({observed(one.entry)})));
  const std::string request = post("/v1/chat/completions", chat_body("m", "pay with 4111111122223333", true));
  const WireAnswer expected = ask(plain, request), got = ask(with, request);
  CHECK(got.body == expected.body);
  CHECK(got.field("x-c") == std::nullopt);
  REQUIRE(server.request_count() == 2);
  CHECK(server.requests()[0].body == server.requests()[1].body);
  CHECK_FALSE(server.requests()[1].header("x-a"));
  const Outcome outcome = with.outcomes().wait(1)[0];
  REQUIRE(verdict_of(outcome, one.name));
  CHECK(verdict_of(outcome, one.name)->observed);
  CHECK(verdict_of(outcome, one.name)->verdict == one.verdict);
}

TEST_CASE("a transform sets fields and values of the request, and fields of the answer") {
  FaultServer server;
  server.on_request([](const RawRequest&) { return answer_of(); });
  Live live(with_plugins(server, {R"({"name":"edit","transform":{"request_headers":{"set":{"x-a":"b"}},"body":{"remove":["/user"],"set":{"/seed":7}},"response_headers":{"set":{"x-c":"d"}}}})"}));
  const WireAnswer answer = ask(live, post("/v1/chat/completions", R"({"model":"m","user":"u","messages":[]})"));
  CHECK(answer.field("x-c") == "d");
  CHECK(answer.body == kAnswer);
  CHECK(server.requests().at(0).header("x-a") == "b");
  const std::string sent = server.requests().at(0).body;
  CHECK(sent.find("user") == std::string::npos);
  CHECK(sent.find(R"("seed":7)") != std::string::npos);
}

TEST_CASE("limits refuse a request by its shape, and end an answer that grows too long") {
  FaultServer server;
  server.on_request([](const RawRequest&) { return whole_stream(kCards); });
  Live live(with_plugins(server, {R"({"name":"caps","limits":{"messages":2,"response_bytes":12}})"}));
  const std::string three = R"({"model":"m","messages":[{"role":"user","content":"a"},{"role":"user","content":"b"},{"role":"user","content":"c"}]})";
  const WireAnswer refused = ask(live, post("/v1/chat/completions", three));
  CHECK(refused.status >= 400);
  CHECK(refused.status < 500);
  CHECK(server.request_count() == 0);
  const WireAnswer ended = ask(live, stream_request());
  CHECK(ended.status == 200);
  CHECK(ended.body.find(R"("finish_reason":"content_filter")") != std::string::npos);
  const Outcome outcome = live.outcomes().wait(1)[0];
  REQUIRE(verdict_of(outcome, "caps"));
  CHECK_FALSE(verdict_of(outcome, "caps")->detections.empty());
}

// PLUG-20
TEST_CASE("an http guard refuses where its condition holds, fails closed with 502 where the guard is away, open where it may") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server, side;
  server.on_request([](const RawRequest&) { return answer_of(); });
  const auto answers = [&side](Reply reply) { side.on_request([reply](const RawRequest&) { return reply; }); };
  answers(json_reply(R"({"flagged":false})"));
  const std::string settings = R"(,"timeout_ms":1000,"http_guard":{"upstream":"side","path":"/check","refuse_if":{"pointer":"/flagged","equals":true}}})";
  const std::string upstreams = R"({"name":"up","url":"http://)" + server.authority() + R"(/v1"},{"name":"side","url":"http://)" + side.authority() + R"("})";
  const std::string config = document(upstreams, R"({"name":"open","match":{"path_prefix":"/open"},"upstreams":[{"name":"up"}],)" +
                                                     plugin_list({R"({"name":"ask","on_error":"open")" + settings}) +
                                                     R"(},{"name":"r","upstreams":[{"name":"up"}],)" + plugin_list({R"({"name":"ask")" + settings}) + "}");
  Live live(config, threads);
  const auto open = [&] { return ask(live, post("/open/v1/chat/completions", chat_body("m"))).status; };
  CHECK(ask(live, plain_request()).status == 200);
  CHECK(side.requests().at(0).target == "/check");
  CHECK(side.requests().at(0).body.find("hello") != std::string::npos);
  answers(json_reply(R"({"flagged":true})"));
  CHECK(ask(live, plain_request()).status == 422);
  CHECK(open() == 422);
  answers(json_reply("{}", 503));
  CHECK(ask(live, plain_request()).status == 502);
  CHECK(open() == 200);
  answers(json_reply("{}", 401));
  CHECK(ask(live, plain_request()).status == 502);
  CHECK(open() == 502);
  answers(Reply::nothing().then_stall());
  CHECK(ask(live, plain_request()).status == 502);
  CHECK(open() == 200);
  const Outcome first = live.outcomes().wait(1)[0];
  REQUIRE(first.calls.size() == 1);
  CHECK(first.calls[0].plugin == "ask");
}

TEST_CASE("the request log writes a line for each exchange through the gateway's log") {
  FaultServer server;
  server.on_request([](const RawRequest&) { return answer_of(); });
  std::mutex mutex;
  std::vector<std::string> lines;
  OpenOptions options;
  options.log = [&](LogLevel level, std::string_view line) {
    const std::lock_guard lock(mutex);
    if (level == LogLevel::kInfo && line.substr(0, 8) == "exchange") lines.emplace_back(line);
  };
  {
    Live live(config_of("http://" + server.authority() + "/v1", {}, plugin_list({"request_log"}),
                        plugin_list({R"({"name":"texts","request_log":{"request_body":true,"response_text":true}})"})),
              1, options);
    CHECK(ask(live, plain_request()).status == 200);
    (void)live.outcomes().wait(1);
  }
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].find("status=200 ending=completed") != std::string::npos);
  CHECK(lines[0].find("text=") == std::string::npos);
  CHECK(lines[1].find("text=hi") != std::string::npos);
  CHECK(lines[1].find("body=") != std::string::npos);
}
