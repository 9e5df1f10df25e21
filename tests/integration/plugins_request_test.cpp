// Plugins before anything is sent: who calls, what is asked for, and where it goes.
#include <catch2/catch.hpp>

#include "integration/plugins_support.hpp"

using namespace sluice;
using namespace sluice::test;
using namespace sluice::testing;

namespace {

struct Upstream1 {
  FaultServer server;
  Upstream1() {
    server.on_request([](const RawRequest&) { return answer_of(); });
  }
};

std::string ask_chat(Live& live, std::string_view fields = {}, bool stream = false) {
  RawClient client(live.port());
  client.send(post("/v1/chat/completions", chat_body("m", "hello", stream), fields));
  return client.answer().body;
}

}  // namespace

// PLUG-04
TEST_CASE("a reply reaches the caller in its dialect, without an attempt and at no usage") {
  const auto threads = GENERATE(1u, 4u);
  const auto stream = GENERATE(false, true);
  Upstream1 up;
  const auto canned = scripted("canned", Phase::kGuard, kWantsRequest, {.request = [](RequestContext&) {
    PluginReply reply;
    reply.text = "no \"model\" was asked";
    (void)reply.headers.add("x-canned", "yes");
    return Verdict::reply(std::move(reply));
  }});
  Live live(with_plugins(up.server, {"canned"}), threads, bringing({canned}));
  const WireAnswer answer = ask(live, stream ? stream_request() : plain_request());
  CHECK(answer.status == 200);
  CHECK(answer.complete);
  CHECK(answer.field("x-canned") == "yes");
  if (stream) {
    CHECK(answer.field("content-type") == "text/event-stream");
    const auto events = read_events(answer.body);
    REQUIRE(events.size() >= 3);
    CHECK(events.back().data == "[DONE]");
    CHECK(answer.body.find(R"(no \"model\" was asked)") != std::string::npos);
    CHECK(answer.body.find(R"("finish_reason":"stop")") != std::string::npos);
  } else {
    CHECK(answer.body.find(R"("content":"no \"model\" was asked")") != std::string::npos);
    CHECK(answer.body.find(R"("prompt_tokens":0)") != std::string::npos);
  }
  CHECK(up.server.request_count() == 0);
  const Outcome outcome = live.outcomes().wait(1)[0];
  CHECK(outcome.ending == Ending::kRefused);
  CHECK_FALSE(outcome.error);
  CHECK(outcome.attempts.empty());
  CHECK(outcome.usage.input_tokens == 0u);
  CHECK(outcome.usage.output_tokens == 0u);
  CHECK(outcome.streamed == stream);
  REQUIRE(verdict_of(outcome, "canned"));
  CHECK(verdict_of(outcome, "canned")->verdict == "reply");
}

// PLUG-04
TEST_CASE("a plugin's error is answered with its status, code and Retry-After, and comes from the plugin") {
  Upstream1 up;
  const auto busy = scripted("busy", Phase::kGuard, kWantsRequest, {.request = [](RequestContext&) {
    Error error = make_error(Code::kOverloaded, "come back later");
    error.http_status = 429;
    error.retry_after = Milliseconds{1500};
    return Verdict::fail(std::move(error));
  }});
  Live live(with_plugins(up.server, {"busy"}), 1, bringing({busy}));
  const WireAnswer answer = ask(live, plain_request());
  CHECK(answer.status == 429);
  CHECK(answer.field("retry-after") == "2");
  CHECK(answer.body.find("come back later") != std::string::npos);
  CHECK(error_code(answer.body) == "overloaded");
  const Outcome outcome = live.outcomes().wait(1)[0];
  CHECK(outcome.ending == Ending::kRefused);
  REQUIRE(outcome.error);
  CHECK(outcome.error->origin == Origin::kPlugin);
  CHECK(up.server.request_count() == 0);
}

// PLUG-01, PLUG-06
TEST_CASE("plugins run by phase whatever their order, each sees the change before its own, and the last version is sent") {
  Upstream1 up;
  std::vector<std::string> order;
  const auto add = [&order](std::string name, Phase phase) {
    return scripted(name, phase, kWantsRequestEdits, {.request = [&order, name](RequestContext& ctx) {
      order.push_back(name + ":" + std::string(ctx.exchange().body()));
      HOOK_CHECK(ctx.set_json("/" + name, "1"));
      return Verdict::go_on();
    }});
  };
  const std::vector<std::shared_ptr<const Plugin>> plugins{add("t2", Phase::kTransform), add("g1", Phase::kGuard), add("t1", Phase::kTransform)};
  Live live(with_plugins(up.server, {"t2", "g1", "t1"}), 1, bringing(plugins));
  const std::string body = R"({ "model" : "m",  "messages":[{"role":"user","content":"hi"}], "seed": 1.50 })";
  CHECK(ask(live, post("/v1/chat/completions", body)).status == 200);
  const std::string sent = up.server.requests().at(0).body;
  CHECK(sent.find(R"("seed": 1.50 )") != std::string::npos);
  CHECK(sent.find(R"( "model" : "m",  "messages")") != std::string::npos);
  REQUIRE(order.size() == 3);
  CHECK(order[0] == "g1:" + body);
  CHECK(order[1].find(R"("g1":1)") != std::string::npos);
  CHECK(order[1].substr(0, 3) == "t2:");
  CHECK(order[2].find(R"("t2":1)") != std::string::npos);
  for (const char* member : {R"("g1":1)", R"("t1":1)", R"("t2":1)"}) CHECK(sent.find(member) != std::string::npos);
  const Outcome outcome = live.outcomes().wait(1)[0];
  CHECK(verdict_of(outcome, "t1")->verdict == "edit");
}

TEST_CASE("texts of the prompt are read decoded and replaced where they stand, one by one, every other byte kept") {
  Upstream1 up;
  std::vector<std::string> read;
  const auto shout = scripted("shout", Phase::kTransform, kWantsPrompt | kWantsRequestEdits, {.request = [&read](RequestContext& ctx) {
    for (std::size_t i = 0; i < ctx.exchange().prompt().size(); ++i) {
      read.emplace_back(ctx.exchange().prompt()[i].text);
      HOOK_CHECK(ctx.set_prompt_text(i, std::string(ctx.exchange().prompt()[i].text) + "!\""));
      HOOK_CHECK(ctx.exchange().prompt()[i].text == read.back() + "!\"");
    }
    HOOK_CHECK_FALSE(ctx.set_prompt_text(99, "x"));
    return Verdict::go_on();
  }});
  Live live(with_plugins(up.server, {"shout"}), 1, bringing({shout}));
  const std::string body =
      R"({"model":"m","messages":[{"role":"system","content":"a\u0062"},{"role":"user","content":[{"type":"text","text":"c d"}]}],"x":[1, 2]})";
  CHECK(ask(live, post("/v1/chat/completions", body)).status == 200);
  CHECK(read == std::vector<std::string>{"ab", "c d"});
  CHECK(up.server.requests().at(0).body ==
        R"({"model":"m","messages":[{"role":"system","content":"ab!\""},{"role":"user","content":[{"type":"text","text":"c d!\""}]}],"x":[1, 2]})");
}

TEST_CASE("a field a plugin sets goes upstream whatever the route forwards; the gateway's own it cannot set") {
  Upstream1 up;
  const auto fields = scripted("fields", Phase::kTransform, kWantsRequestEdits, {.request = [](RequestContext& ctx) {
    HOOK_CHECK(ctx.set_header("x-team", "red"));
    HOOK_CHECK_FALSE(ctx.set_header("content-length", "1"));
    HOOK_CHECK_FALSE(ctx.set_header("authorization", "Bearer stolen"));
    HOOK_CHECK_FALSE(ctx.set_header("x-bad", "a\r\nb: c"));
    ctx.remove_header("openai-beta");
    HOOK_CHECK_FALSE(ctx.exchange().headers().contains("openai-beta"));
    HOOK_CHECK_FALSE(ctx.exchange().headers().contains("authorization"));
    return Verdict::go_on();
  }});
  Live live(with_plugins(up.server, {"fields"}), 1, bringing({fields}));
  (void)ask_chat(live, "Authorization: Bearer mine\r\nOpenAI-Beta: x\r\nX-Other: y\r\n");
  const RawRequest sent = up.server.requests().at(0);
  CHECK(sent.header("x-team") == "red");
  CHECK_FALSE(sent.header("openai-beta"));
  CHECK_FALSE(sent.header("x-other"));
  CHECK_FALSE(sent.header("authorization"));
}

TEST_CASE("a version that is no request any more fails its plugin, and the version before stays") {
  struct Change {
    const char* what;
    std::function<Status(RequestContext&)> change;
  };
  auto change = GENERATE(values<Change>({
      {"stream", [](RequestContext& ctx) { return ctx.set_json("/stream", "true"); }},
      {"messages", [](RequestContext& ctx) { return ctx.set_json("/messages", "7"); }},
      {"a model twice", [](RequestContext& ctx) { return ctx.set_body(R"({"model":"a","model":"b","messages":[]})"); }},
  }));
  const auto open = GENERATE(false, true);
  INFO(change.what);
  Upstream1 up;
  const auto bad = scripted("bad", Phase::kTransform, kWantsRequestEdits, {.request = [&](RequestContext& ctx) {
    HOOK_CHECK(change.change(ctx));
    return Verdict::go_on();
  }});
  Live live(with_plugins(up.server, {open ? R"({"name":"bad","on_error":"open"})" : "bad"}), 1, bringing({bad}));
  const WireAnswer answer = ask(live, plain_request());
  CHECK(answer.status == (open ? 200 : 500));
  CHECK(up.server.request_count() == (open ? 1 : 0));
  if (open) CHECK(up.server.requests()[0].body == chat_body("m"));
  const Outcome outcome = live.outcomes().wait(1)[0];
  CHECK(verdict_of(outcome, "bad")->verdict == "error");
  CHECK(verdict_of(outcome, "bad")->failed_open == open);
  CHECK(live.gateway().statistics().plugin_errors == 1);
  CHECK(live.gateway().statistics().plugins_failed_open == (open ? 1 : 0));
  CHECK(live.gateway().statistics().body_bytes_held == 0);
}

// PLUG-09
TEST_CASE("a guard that throws fails closed with 500 and the host lives; configured open, the exchange goes on") {
  const auto open = GENERATE(false, true);
  Upstream1 up;
  const auto thrower = scripted("thrower", Phase::kGuard, kWantsRequest, {.request = [](RequestContext&) -> Verdict { throw std::runtime_error("secret"); }});
  Live live(with_plugins(up.server, {open ? R"({"name":"thrower","on_error":"open"})" : "thrower"}), 1, bringing({thrower}));
  const WireAnswer answer = ask(live, plain_request());
  CHECK(answer.status == (open ? 200 : 500));
  CHECK(answer.body.find("secret") == std::string::npos);
  CHECK(verdict_of(live.outcomes().wait(1)[0], "thrower")->message.find("secret") != std::string::npos);
}

TEST_CASE("who authenticates sees the head with what proves who calls, refuses before the body is read, and keeps the body") {
  const auto threads = GENERATE(1u, 4u);
  Upstream1 up;
  Waiting waiting;
  const auto door = scripted("door", Phase::kAuthenticate, kWantsRequestEdits, {.request = [&](RequestContext& ctx) {
    HOOK_CHECK(ctx.exchange().body().empty());
    HOOK_CHECK(ctx.exchange().route().empty());
    const std::string key(ctx.exchange().headers().get("authorization").value_or(""));
    if (key == "Bearer bad") return Verdict::fail(refusal("not you", 401));
    if (key == "Bearer slow") return waiting.park(ctx);
    HOOK_CHECK(ctx.set_header("x-user", "known"));
    return Verdict::go_on();
  }});
  Live live(config_of("http://" + up.server.authority() + "/v1", {}, plugin_list({"door"})), threads, bringing({door}));
  CHECK(ask(live, post("/v1/chat/completions", chat_body("m"), "Authorization: Bearer bad\r\n")).status == 401);
  CHECK(ask(live, post("/v1/chat/completions", chat_body("m"), "Authorization: Bearer good\r\n")).status == 200);
  CHECK(up.server.requests().at(0).header("x-user") == "known");
  // It waits while the body comes, and behind its end.
  const bool whole_first = GENERATE(false, true);
  RawClient client(live.port());
  const std::string request = post("/v1/chat/completions", chat_body("m"), "Authorization: Bearer slow\r\n");
  client.send(whole_first ? request : request.substr(0, request.size() - 10));
  REQUIRE(waiting.wait());
  CHECK(up.server.request_count() == 1);
  waiting.take().resume(Verdict::go_on());
  if (!whole_first) client.send(request.substr(request.size() - 10));
  CHECK(client.answer().status == 200);
  CHECK(up.server.requests().at(1).body == chat_body("m"));
}

TEST_CASE("a refusal on the head that comes while the body is on its way is answered at once") {
  Upstream1 up;
  Waiting waiting;
  const auto door = scripted("door", Phase::kAuthenticate, kWantsRequest, {.request = [&](RequestContext& ctx) { return waiting.park(ctx); }});
  Live live(config_of("http://" + up.server.authority() + "/v1", {}, plugin_list({"door"})), 1, bringing({door}));
  RawClient client(live.port());
  const std::string request = post("/v1/chat/completions", chat_body("m"));
  client.send(request.substr(0, request.size() - 10));
  REQUIRE(waiting.wait());
  waiting.take().resume(Verdict::fail(refusal("not you", 401)));
  CHECK(client.answer().status == 401);
  CHECK(live.outcomes().wait(1)[0].ending == Ending::kRefused);
}

TEST_CASE("a reply on the head is told streamed where the body, once it has come, asks for a stream") {
  Upstream1 up;
  const auto door = scripted("door", Phase::kAuthenticate, kWantsRequest, {.request = [](RequestContext&) { return Verdict::reply({.text = "closed"}); }});
  Live live(config_of("http://" + up.server.authority() + "/v1", {}, plugin_list({"door"})), 1, bringing({door}));
  CHECK(read_events(ask(live, stream_request()).body).back().data == "[DONE]");
  CHECK(ask(live, plain_request()).body.find(R"("content":"closed")") != std::string::npos);
  CHECK(up.server.request_count() == 0);
}

// PLUG-21
TEST_CASE("a route plugin's choice serves in its order and stays within the route; outside of it the exchange fails") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a"), b("b"), c("c");
  std::vector<RouteChoice> choice;
  const auto router = scripted("router", Phase::kRoute, kWantsRequest, {.request = [&](RequestContext& ctx) {
    (void)ctx.choose(choice);
    return Verdict::go_on();
  }});
  Live live(document(a.entry() + "," + b.entry() + "," + c.entry(),
                     R"({"name":"r","upstreams":[{"name":"a"},{"name":"b"}],"retry":{"backoff_ms":0},)" + plugin_list({"router"}) + "}"),
            threads, bringing({router}));
  choice = {{"b"}};
  CHECK(served_by(ask(live, plain_request())) == "b");
  choice = {{"b"}, {"a"}};
  b->on_request([](const RawRequest&) { return json_reply("{}", 503); });
  CHECK(served_by(ask(live, plain_request())) == "a");
  choice = {{"a", "gpt-x"}};
  CHECK(ask(live, plain_request()).status == 200);
  CHECK(a->requests().back().body.find(R"("model":"gpt-x")") != std::string::npos);
  choice = {{"c"}};
  const WireAnswer outside = ask(live, plain_request());
  CHECK(outside.status == 500);
  CHECK(error_code(outside.body) == "plugin_error");
  CHECK(c->request_count() == 0);
  const Outcome outcome = live.outcomes().wait(4)[3];
  CHECK(outcome.ending == Ending::kRefused);
  REQUIRE(verdict_of(outcome, "router"));
  CHECK(verdict_of(outcome, "router")->message.find("'c'") != std::string::npos);
}

TEST_CASE("a model that a plugin changes is judged by the route as the caller's own would be") {
  Upstream1 up;
  std::string model;
  const auto renamer = scripted("renamer", Phase::kTransform, kWantsRequestEdits, {.request = [&](RequestContext& ctx) {
    HOOK_CHECK(ctx.set_json("/model", '"' + model + '"'));
    return Verdict::go_on();
  }});
  Live live(config_of("http://" + up.server.authority() + "/v1", {}, {}, R"("models":{"allow":["m","n"]},)" + plugin_list({"renamer"})), 1, bringing({renamer}));
  model = "n";
  CHECK(ask(live, plain_request()).status == 200);
  CHECK(up.server.requests().at(0).body.find(R"("model":"n")") != std::string::npos);
  model = "forbidden";
  CHECK(ask(live, plain_request()).status == 500);
  CHECK(live.outcomes().wait(1)[0].requested_model == "m");
}

// PLUG-07
TEST_CASE("the route's entry takes the place of the gateway's of the same name; others compose") {
  Upstream1 up;
  const auto guard = [](std::string name) {
    return scripted(name, Phase::kGuard, kWantsRequest, {.request = [name](RequestContext&) { return Verdict::fail(refusal("by " + name)); }});
  };
  const std::string config = R"({"version":1,"gateway":{)" + plugin_list({"x"}) + R"(},"upstreams":[{"name":"up","url":"http://)" + up.server.authority() +
                             R"(/v1"}],"routes":[{"name":"soft","match":{"path_prefix":"/soft"},"upstreams":[{"name":"up"}],)" +
                             plugin_list({R"({"name":"x","mode":"observe"})"}) +
                             R"(},{"name":"more","match":{"path_prefix":"/more"},"upstreams":[{"name":"up"}],)" +
                             plugin_list({R"({"name":"x","mode":"observe"})", "y"}) + R"(},{"name":"plain","upstreams":[{"name":"up"}]}]})";
  Live live(config, 1, bringing({guard("x"), guard("y")}));
  CHECK(ask(live, post("/soft/v1/chat/completions", chat_body("m"))).status == 200);
  CHECK(ask(live, post("/more/v1/chat/completions", chat_body("m"))).body.find("by y") != std::string::npos);
  CHECK(ask(live, plain_request()).body.find("by x") != std::string::npos);
}

// PLUG-10
TEST_CASE("an entry that nobody fills is a load error at its place, with the name that was meant") {
  FaultServer server;
  const auto redact = scripted("redact", Phase::kGuard, kWantsRequest, {});
  auto opened = Gateway::open_json(with_plugins(server, {"redac"}), bringing({redact}));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == Code::kInvalidConfiguration);
  CHECK(opened.error().param == "/routes/0/plugins/0/name");
  CHECK(opened.error().message.find("\"redact\"") != std::string::npos);
  auto gateway = Gateway::open_json(with_plugins(server, {"redact"}), bringing({redact}));
  REQUIRE(gateway);
  CHECK_FALSE(gateway->reload(*Config::parse(with_plugins(server, {"redac"}))));
  CHECK(gateway->reload(*Config::parse(with_plugins(server, {}))));
  CHECK_FALSE(Gateway::open_json(with_plugins(server, {}), bringing({scripted("limits", Phase::kGuard, kWantsRequest, {})})));
  CHECK_FALSE(Gateway::open_json(with_plugins(server, {}), bringing({redact, redact})));
}

// PLUG-10
TEST_CASE("what a chain cannot honour is a load error at its place: decoded text on an opaque route") {
  FaultServer server;
  const auto reader = scripted("reader", Phase::kGuard, kWantsDeltas, {});
  const auto opened = Gateway::open_json(config_of("http://" + server.authority() + "/v1", {}, {}, R"("operation":"opaque",)" + plugin_list({"reader"})).replace(0, 0, ""),
                                         bringing({reader}));
  REQUIRE_FALSE(opened);
}

TEST_CASE("a plugin brought by the builder runs on every route unless a list names it") {
  Upstream1 up;
  const auto guard = scripted("guard", Phase::kGuard, kWantsRequest, {.request = [](RequestContext&) { return Verdict::fail(refusal("no")); }});
  Gateway::Builder builder;
  builder.upstream({.name = "up", .url = "http://" + up.server.authority() + "/v1"}).plugin(guard);
  builder.route({.name = "a", .match = {.path_prefix = "/a"}, .upstreams = {{.upstream = "up"}}});
  builder.route({.name = "b", .upstreams = {{.upstream = "up"}}});
  const auto status = [](Gateway& gateway, std::string path) { return gateway.send(Request::post(std::move(path), chat_body("m"))).get(); };
  {
    auto gateway = builder.open();
    REQUIRE(gateway);
    CHECK_FALSE(status(*gateway, "/v1/chat/completions"));
    CHECK_FALSE(status(*gateway, "/a/v1/chat/completions"));
  }
  Gateway::Builder listed;
  listed.upstream({.name = "up", .url = "http://" + up.server.authority() + "/v1"}).plugin(guard);
  listed.route({.name = "a", .match = {.path_prefix = "/a"}, .upstreams = {{.upstream = "up"}}, .plugins = {{.name = "guard"}}});
  listed.route({.name = "b", .upstreams = {{.upstream = "up"}}});
  auto gateway = listed.open();
  REQUIRE(gateway);
  CHECK(status(*gateway, "/v1/chat/completions"));
  CHECK_FALSE(status(*gateway, "/a/v1/chat/completions"));
}
