// What was said, where it is asked for: redacted, then cut; and tokens that nobody but the gateway has counted.

#include <catch2/catch.hpp>

#include "chat/tokens.hpp"
#include "telemetry_support.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

std::string with_telemetry(std::string config, const std::string& telemetry) {
  return config.insert(config.size() - 1, ",\"telemetry\":{" + telemetry + "}");
}

std::string unescaped(const std::string& event, const std::vector<const char*>& path) {
  const std::string raw = at(event, path);
  return raw.size() < 2 ? raw : json::decode_string(std::string_view(raw).substr(1, raw.size() - 2));
}

std::string call_event(std::string_view members) {
  return event_of(R"({"id":"c1","model":"m-1","choices":[{"index":0,"delta":{"tool_calls":[)" + std::string(members) + R"(]},"finish_reason":null}]})");
}

const std::string kCalls = call_event(R"({"index":0,"id":"call_1","type":"function","function":{"name":"weather","arguments":""}})") +
                           call_event(R"({"index":0,"function":{"arguments":"{\"city\":"}})") +
                           call_event(R"({"index":1,"id":"call_2","type":"function","function":{"name":"clock","arguments":"{}"}})") +
                           call_event(R"({"index":0,"function":{"arguments":"\"Rome\"}"}})");
const std::string kWholeCalls = R"({"id":"c1","model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":"look","tool_calls":[)"
                                R"({"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Rome\"}"}},)"
                                R"({"id":"call_2","type":"function","function":{"name":"clock","arguments":"{}"}}]},"finish_reason":"tool_calls"}]})";

std::string event_for(const std::string& telemetry, const Reply& reply, const std::string& body, std::uint32_t threads, OpenOptions options = {},
                      const std::string& gateway = {}) {
  Events events;
  options.on_event = events.callback();
  FaultServer server;
  server.on_request([&](const RawRequest&) { return reply; });
  std::string config = with_telemetry(config_of(server), telemetry);
  const std::string_view section = R"("gateway":{)";
  REQUIRE(config.find(section) != std::string::npos);
  config.insert(config.find(section) + section.size(), gateway);
  Live live(config, threads, std::move(options));
  (void)ask(live, post("/v1/chat/completions", body));
  const auto lines = events.wait(1);
  REQUIRE(lines.size() == 1);
  INFO(lines[0]);
  CHECK(fits_schema(lines[0]));
  return lines[0];
}

const std::string kAll = R"("prompt":true,"answer":true,"tool_calls":true)";

}  // namespace

TEST_CASE("prompt, answer and tool calls are kept where each is asked for, of streams and of whole answers") {
  const auto threads = GENERATE(1u, 4u);
  const bool stream = GENERATE(false, true);
  const Reply reply = stream ? whole_stream(kRole + text_event("lo") + text_event("ok") + kCalls + kStop + kDone) : answer_of(kWholeCalls);
  const std::string body = R"({"model":"m","messages":[{"role":"developer","content":"be brief"},{"role":"user","content":[{"type":"text","text":"how \"is\""},{"type":"text","text":" it?"}]},)"
                           R"({"role":"tool","tool_call_id":"x","content":"sunny"}])" + std::string(stream ? R"(,"stream":true})" : "}");
  const std::string all = event_for(kAll, reply, body, threads);
  CHECK(at(all, {"content", "prompt", "0", "role"}) == "\"developer\"");
  CHECK(unescaped(all, {"content", "prompt", "0", "text"}) == "be brief");
  CHECK(unescaped(all, {"content", "prompt", "1", "text"}) == "how \"is\" it?");
  CHECK(unescaped(all, {"content", "prompt", "2", "text"}) == "sunny");
  CHECK(unescaped(all, {"content", "answer"}) == "look");
  CHECK(at(all, {"content", "tool_calls", "0", "id"}) == "\"call_1\"");
  CHECK(at(all, {"content", "tool_calls", "0", "name"}) == "\"weather\"");
  CHECK(unescaped(all, {"content", "tool_calls", "0", "arguments"}) == R"({"city":"Rome"})");
  CHECK(unescaped(all, {"content", "tool_calls", "1", "arguments"}) == "{}");
  CHECK(at(all, {"content", "tool_calls", "2"}).empty());
  CHECK(at(all, {"content", "truncated"}).empty());
  for (const char* part : {"prompt", "answer", "tool_calls"}) {
    const std::string one = event_for("\"" + std::string(part) + "\":true", reply, body, threads);
    for (const char* other : {"prompt", "answer", "tool_calls"}) {
      INFO(part << " asked for, " << other);
      CHECK(at(one, {"content", other}).empty() == (std::string_view(part) != other));
    }
  }
}

// TELE-10
TEST_CASE("content over its bound is cut between two characters, arguments go whole, and the event stays JSON with a mark") {
  const auto threads = GENERATE(1u, 4u);
  const bool stream = GENERATE(false, true);
  const Reply reply = stream ? whole_stream(kRole + text_event("lo") + text_event("ok") + kCalls + kStop + kDone) : answer_of(kWholeCalls);
  std::string words;
  for (int i = 0; i < 40; ++i) words += "\xc3\xa9\\\"";  // two bytes, then an escaped quotation mark
  for (const int bytes : {1, 2, 3, 20, 30, 31, 40, 45, 60, 100}) {
    INFO(bytes);
    const std::string event = event_for(kAll + ",\"content_bytes\":" + std::to_string(bytes), reply, chat_body("m", words, stream), threads);
    CHECK(unescaped(event, {"content", "prompt", "0", "text"}).size() <= static_cast<std::size_t>(bytes));
    CHECK(unescaped(event, {"content", "answer"}) == std::string("look").substr(0, static_cast<std::size_t>(bytes)));
    const std::string arguments = unescaped(event, {"content", "tool_calls", "0", "arguments"});
    CHECK((arguments.empty() || arguments == R"({"city":"Rome"})"));
    CHECK(at(event, {"content", "truncated"}) == "true");
  }
}

TEST_CASE("where plugins change what is said, the event keeps what the upstream and the caller got") {  // TELE-03
  const auto threads = GENERATE(1u, 4u);
  const bool stream = GENERATE(false, true);
  // Cut inside the number, so that the plugin holds text back and adds it at the end.
  const Reply reply = stream ? whole_stream(kRole + text_event("the number is 555-") + text_event("0100") + kStop + kDone)
                             : answer_of(R"({"model":"m","choices":[{"index":0,"message":{"content":"the number is 555-0100"},"finish_reason":"stop"}]})");
  const std::string plugins = R"("plugins":[{"name":"phones","regex_replace":{"rules":[{"pattern":"[0-9]{3}-[0-9]{4}","replacement":"[phone]"}],)"
                              R"("request":true,"response":true}}])";
  const std::string event = event_for(kAll, reply, chat_body("m", "call 555-0100", stream), threads, {}, plugins);
  CHECK(unescaped(event, {"content", "prompt", "0", "text"}) == "call [phone]");
  CHECK(unescaped(event, {"content", "answer"}) == "the number is [phone]");
  CHECK(at(event, {"content"}).find("555") == std::string::npos);
  CHECK(event.find("555-0100") == std::string::npos);
}

TEST_CASE("redactors see whole texts before anything is cut, and an event whose redactor throws goes without content") {  // TELE-03
  const auto threads = GENERATE(1u, 4u);
  const bool stream = GENERATE(false, true);
  const Reply reply = stream ? whole_stream(kRole + text_event("the number is 555-") + text_event("0100.") + kStop + kDone)
                             : answer_of(R"({"model":"m","choices":[{"index":0,"message":{"content":"the number is 555-0100."},"finish_reason":"stop"}]})");
  OpenOptions options;
  options.redactors.push_back([](std::string& text) {
    if (text.find("throw") != std::string::npos) throw std::runtime_error("no");
    for (std::size_t at = text.find("555-0100"); at != std::string::npos; at = text.find("555-0100")) text.replace(at, 8, "[phone]");
  });
  const std::string event = event_for(kAll + R"(,"content_bytes":40)", reply, chat_body("m", "call 555-0100", stream), threads, options);
  CHECK(unescaped(event, {"content", "prompt", "0", "text"}) == "call [phone]");
  CHECK(unescaped(event, {"content", "answer"}) == "the number is [phone].");
  const std::string without = event_for(kAll, reply, chat_body("m", "please throw", stream), threads, options);
  CHECK(at(without, {"content"}) == R"({"truncated":true})");
}

TEST_CASE("content that is asked for stands in the account, also where nobody gets events") {
  Backend a("a");
  Live live(with_telemetry(document(a.entry(), route_to("a")), R"("prompt":true,"answer":true)"));
  const auto answer = live.gateway().send(Request::post("/v1/chat/completions", chat_body("m", "hello"))).get();
  REQUIRE(answer);
  REQUIRE(answer->outcome.content);
  CHECK(answer->outcome.content->prompt.at(0).text == "hello");
  CHECK(answer->outcome.content->answer == "Hi");
  CHECK_FALSE(a->requests().at(0).header("traceparent"));
}

// TELE-01: usage of an upstream that states none, and of streams that are broken off.
TEST_CASE("tokens that no upstream has counted are estimated and called so") {
  const auto threads = GENERATE(1u, 4u);
  const bool stream = GENERATE(false, true);
  std::string words;
  for (int i = 0; i < 50; ++i) words += "some words of a prompt ";
  const Reply silent = stream ? whole_stream(kRole + text_event("one two three four five") + kStop + kDone)
                              : answer_of(R"({"model":"m-1","choices":[{"index":0,"message":{"content":"one two three four five"},"finish_reason":"stop"}]})");
  const std::string event = event_for({}, silent, chat_body("gpt-4o", words, stream), threads);
  CHECK(at(event, {"usage", "source"}) == "\"estimated\"");
  CHECK(number_at(event, {"usage", "output_tokens"}) == 5);
  CHECK(number_at(event, {"usage", "input_tokens"}) == static_cast<std::int64_t>(chat::tokens::estimate(words, chat::tokens::tokenizer_of("m-1"))) + 4);
  CHECK(at(event, {"attempts", "0", "usage"}).empty());  // what the attempt was billed for nobody has said
  const Reply reporting = stream ? whole_stream(kRole + text_event("one two") + kStop + event_of(R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}})") + kDone) : answer_of();
  const std::string reported = event_for({}, reporting, chat_body("gpt-4o", words, stream), threads);
  CHECK(at(reported, {"usage", "source"}) == "\"reported\"");
  CHECK(number_at(reported, {"usage", "input_tokens"}) == 5);
}

TEST_CASE("a stream that breaks off is charged for what had come, and an error for nothing") {
  const auto threads = GENERATE(1u, 4u);
  const std::string broken = event_for({}, open_stream().chunk(kRole + text_event("one two three") + kCalls).then_reset(), chat_body("m", "hello", true), threads);
  CHECK(at(broken, {"ending"}) == "\"failed\"");
  CHECK(at(broken, {"usage", "source"}) == "\"estimated\"");
  CHECK(number_at(broken, {"usage", "output_tokens"}) >= 8);  // three words, two names, their arguments
  CHECK(number_at(broken, {"usage", "input_tokens"}) >= 1);
  const std::string refused = event_for({}, json_reply(R"({"error":{"message":"no"}})", 400), chat_body("m"), threads);
  CHECK(at(refused, {"usage"}).empty());
}

TEST_CASE("a prompt longer than what is counted is estimated by its share") {
  std::string words;
  while (words.size() < 200'000) words += "some words of a prompt ";
  const std::string event = event_for({}, whole_stream(kRole + text_event("x") + kStop + kDone), chat_body("gpt-4o", words, true), 1);
  const auto expected = static_cast<std::int64_t>(chat::tokens::estimate(words, chat::tokens::tokenizer_of("m-1")));
  CHECK(number_at(event, {"usage", "input_tokens"}) > expected * 99 / 100);
  CHECK(number_at(event, {"usage", "input_tokens"}) < expected * 101 / 100);
}

// What an attempt said whose place another took is nobody's answer.
TEST_CASE("an answer that another attempt took the place of leaves no text behind") {
  const auto threads = GENERATE(1u, 4u);
  Events events;
  Backend a("a"), b("b");
  a->on_request([](const RawRequest&) { return json_reply(R"({"model":"m","choices":[{"index":0,"message":{"content":"never said)").then_close(); });
  b->on_request([](const RawRequest&) { return json_reply(R"({"model":"m","choices":[{"index":0,"message":{"content":"said"},"finish_reason":"stop"}]})"); });
  Live live(with_telemetry(document(a.entry() + "," + b.entry(), R"({"name":"r","upstreams":[{"name":"a"},{"name":"b"}]})"), kAll), threads, telling(events));
  CHECK(ask(live, plain_request()).status == 200);
  const auto lines = events.wait(1);
  REQUIRE(lines.size() == 1);
  CHECK(unescaped(lines[0], {"content", "answer"}) == "said");
  CHECK(number_at(lines[0], {"usage", "output_tokens"}) == 1);
}
