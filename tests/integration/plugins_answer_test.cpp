// Plugins on the answer: texts of streams and whole answers, what is held back, what is refused, and what stays untouched.
#include <catch2/catch.hpp>

#include "integration/plugins_support.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

const std::string kUsage =
    event_of(R"({"id":"c1","object":"chat.completion.chunk","model":"m-1","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}})");
const std::string kStreamed = kRole + text_event("one ") + ": ping\n\n" + text_event("two ") + text_event("three") + kStop + kDone;
/// Text and finish reason in one event, and everything a server may put beside.
const std::string kOdd = kRole + ": a comment\n\n" +
                         event_of(R"({"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"caf\u00e9 "},"logprobs":null,"finish_reason":null}],"x":[1, 2.50]})") +
                         event_of(R"({"id":"c1","choices":[{"index":0,"delta":{"content":"end"},"finish_reason":"stop"}]})") + kDone;

/// The texts of choice 0, joined.
std::string said(std::string_view stream) {
  std::string out;
  for (const ReadEvent& event : read_events(stream)) {
    const std::size_t at = event.data.find(R"("content":")");
    if (at == std::string::npos) continue;
    out += event.data.substr(at + 11, event.data.find('"', at + 11) - at - 11);
  }
  return out;
}

std::string upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return text;
}

Hooks shouting() {
  return {.delta = [](DeltaContext&, Delta& delta) {
    delta.text = upper(delta.text);
    return Verdict::go_on();
  }};
}

/// Holds all text back and tells it at the end.
Hooks hoarding() {
  auto held = std::make_shared<std::string>();
  return {.delta =
              [held](DeltaContext&, Delta& delta) {
                *held += delta.text;
                delta.text.clear();
                return Verdict::go_on();
              },
          .end =
              [held](AnswerEndContext& ctx) {
                ctx.emit({.text = upper(*held)});
                return Verdict::go_on();
              }};
}

}  // namespace

// PLUG-11
TEST_CASE("where no plugin wants deltas an answer passes as its bytes, and nothing of it is decoded") {
  const auto threads = GENERATE(1u, 4u);
  const auto piece = GENERATE(1, 7, 1000);
  FaultServer server;
  server.on_request([&](const RawRequest& request) {
    return request.body.find("stream") != std::string::npos ? open_stream().in_pieces(static_cast<std::size_t>(piece)).chunk(kOdd).end_chunks() : answer_of();
  });
  const auto busy = scripted("busy", Phase::kGuard, kWantsPrompt | kWantsTools | kWantsAttempts | kWantsHead | kWantsFinish, {});
  Live live(with_plugins(server, {"busy"}), threads, bringing({busy}));
  CHECK(ask(live, stream_request()).body == kOdd);
  CHECK(ask(live, plain_request()).body == kAnswer);
  CHECK(live.gateway().statistics().decoded_answers == 0);
}

// PLUG-08
TEST_CASE("a plugin in mode observe changes no byte, whatever it says, at every split of the stream") {
  FaultServer server;
  std::size_t split = 1;
  server.on_request([&](const RawRequest& request) {
    if (request.body.find("stream") == std::string::npos) return answer_of();
    return open_stream().chunk(std::string_view(kOdd).substr(0, split)).chunk(std::string_view(kOdd).substr(split)).end_chunks();
  });
  Hooks all = hoarding();
  all.request = [](RequestContext& ctx) {
    (void)ctx.set_json("/model", "\"other\"");
    return Verdict::fail(refusal("never"));
  };
  all.head = [](HeadContext& ctx) {
    (void)ctx.set_header("x-seen", "yes");
    return Verdict::go_on();
  };
  const auto looker = scripted("looker", Phase::kGuard, kWantsRequestEdits | kWantsHead | kWantsDeltaEdits, all);
  Live live(with_plugins(server, {R"({"name":"looker","mode":"observe"})"}), 1, bringing({looker}));
  for (split = 1; split < kOdd.size(); ++split) {
    INFO(split);
    const WireAnswer answer = ask(live, stream_request());
    REQUIRE(answer.body == kOdd);
    REQUIRE_FALSE(answer.field("x-seen"));
  }
  CHECK(ask(live, plain_request()).body == kAnswer);
  CHECK(server.requests().back().body == chat_body("m"));
  CHECK(live.gateway().statistics().decoded_answers > 0);
  const Outcome outcome = live.outcomes().wait(1)[0];
  REQUIRE(verdict_of(outcome, "looker", "request"));
  CHECK(verdict_of(outcome, "looker", "request")->observed);
  CHECK(verdict_of(outcome, "looker", "request")->verdict == "fail");
}

TEST_CASE("texts are changed where they stand, at every split of the stream, and every other byte is kept") {
  FaultServer server;
  std::size_t split = 1;
  server.on_request([&](const RawRequest&) {
    return open_stream().chunk(std::string_view(kOdd).substr(0, split)).chunk(std::string_view(kOdd).substr(split)).end_chunks();
  });
  const auto shout = scripted("shout", Phase::kTransform, kWantsDeltaEdits, shouting());
  Live live(with_plugins(server, {"shout"}), 1, bringing({shout}));
  std::string expected = kOdd;
  expected.replace(expected.find(R"(caf\u00e9 )"), 10, "CAF\u00e9 ");
  expected.replace(expected.find(R"("content":"end")"), 15, R"("content":"END")");
  for (split = 1; split < kOdd.size(); ++split) {
    INFO(split);
    REQUIRE(ask(live, stream_request()).body == expected);
  }
}

// PLUG-23
TEST_CASE("text that is held back is told at the end, once, before the terminal event, streamed or whole") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  server.on_request([](const RawRequest& request) {
    return request.body.find("stream") == std::string::npos ? answer_of() : whole_stream(kRole + text_event("one ") + text_event("two") + kStop + kUsage + kDone);
  });
  const auto hoard = scripted_each("hoard", Phase::kTransform, kWantsDeltaEdits, hoarding);
  Live live(with_plugins(server, {"hoard"}), threads, bringing({hoard}));
  const WireAnswer stream = ask(live, stream_request());
  CHECK(stream.complete);
  CHECK(said(stream.body) == "ONE TWO");
  const std::size_t told = stream.body.find("ONE TWO");
  CHECK(told < stream.body.find(R"("finish_reason":"stop")"));
  CHECK(stream.body.find("ONE TWO", told + 1) == std::string::npos);
  CHECK(read_events(stream.body).back().data == "[DONE]");
  const WireAnswer whole = ask(live, plain_request());
  CHECK(whole.body.find(R"("content":"HI")") != std::string::npos);
  CHECK(whole.field("content-length") == std::to_string(whole.body.size()));
  CHECK(live.outcomes().wait(2)[0].ending == Ending::kCompleted);
}

// PLUG-23
TEST_CASE("text that came in one event with the end goes before what is added") {
  FaultServer server;
  server.on_request([](const RawRequest&) { return whole_stream(kOdd); });
  const auto more = scripted("more", Phase::kTransform, kWantsDeltaEdits, {.end = [](AnswerEndContext& ctx) {
    ctx.emit({.text = " more"});
    return Verdict::go_on();
  }});
  Live live(with_plugins(server, {"more"}), 1, bringing({more}));
  const WireAnswer answer = ask(live, stream_request());
  CHECK(said(answer.body) == "caf\\u00e9 end more");
  CHECK(answer.body.find(" more") < answer.body.find(R"("finish_reason":"stop")"));
}

// PLUG-14
TEST_CASE("a refusal before any content reached the caller is a real status and no failover") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a"), b("b");
  const auto stream = GENERATE(false, true);
  a->on_request([&](const RawRequest&) { return stream ? whole_stream(kStreamed) : answer_of(); });
  const auto filter = scripted("filter", Phase::kGuard, kWantsDeltas, {.delta = [](DeltaContext&, Delta&) { return Verdict::fail(refusal("not to be said")); }});
  Live live(document(a.entry() + "," + b.entry(), R"({"name":"r","upstreams":[{"name":"a"},{"name":"b"}],)" + plugin_list({"filter"}) + "}"), threads,
            bringing({filter}));
  const WireAnswer answer = ask(live, stream ? stream_request() : plain_request());
  CHECK(answer.status == 403);
  CHECK(answer.body.find("not to be said") != std::string::npos);
  CHECK(b->request_count() == 0);
  const Outcome outcome = live.outcomes().wait(1)[0];
  CHECK(outcome.ending == Ending::kFailed);
  REQUIRE(outcome.error);
  CHECK(outcome.error->origin == Origin::kPlugin);
  CHECK(outcome.attempts.size() == 1);
}

// PLUG-14
TEST_CASE("a refusal after content has reached the caller ends the stream as a content filter does") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  server.on_request([](const RawRequest&) { return whole_stream(kStreamed); });
  const auto filter = scripted("filter", Phase::kGuard, kWantsDeltas, {.delta = [](DeltaContext&, Delta& delta) {
    return delta.text == "two " ? Verdict::fail(refusal("not to be said")) : Verdict::go_on();
  }});
  Live live(with_plugins(server, {"filter"}), threads, bringing({filter}));
  const WireAnswer answer = ask(live, stream_request());
  CHECK(answer.status == 200);
  CHECK(answer.complete);
  CHECK(said(answer.body) == "one ");
  CHECK(answer.body.find("two") == std::string::npos);
  const auto events = read_events(answer.body);
  CHECK(events.back().data == "[DONE]");
  CHECK(events[events.size() - 2].data.find(R"("finish_reason":"content_filter")") != std::string::npos);
  CHECK(events[events.size() - 2].data.find(R"("id":"c1")") != std::string::npos);
  CHECK(live.outcomes().wait(1)[0].ending == Ending::kFailed);
}

TEST_CASE("a plugin that errs after content has reached the caller ends the stream as any failure does") {
  FaultServer server;
  server.on_request([](const RawRequest&) { return whole_stream(kStreamed); });
  const auto open = GENERATE(false, true);
  const auto thrower = scripted("thrower", Phase::kGuard, kWantsDeltas, {.delta = [](DeltaContext&, Delta& delta) -> Verdict {
    if (delta.text == "two ") throw std::runtime_error("secret");
    return Verdict::go_on();
  }});
  Live live(with_plugins(server, {open ? R"({"name":"thrower","on_error":"open"})" : "thrower"}), 1, bringing({thrower}));
  const WireAnswer answer = ask(live, stream_request());
  if (open) {
    CHECK(answer.body == kStreamed);
  } else {
    CHECK(answer.body.find("plugin_error") != std::string::npos);
    CHECK(answer.body.find("[DONE]") == std::string::npos);
    CHECK(answer.body.find("secret") == std::string::npos);
  }
}

TEST_CASE("deltas that wait for another thread come out in order, with what stands between them, and the end behind them") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  server.on_request([](const RawRequest&) { return whole_stream(kStreamed); });
  std::mutex mutex;
  std::vector<std::thread> helpers;
  const auto slow = scripted("slow", Phase::kTransform, kWantsDeltaEdits, {
      .delta =
          [&](DeltaContext& ctx, Delta& delta) {
            const Resumer resumer = ctx.resumer();
            const std::lock_guard lock(mutex);
            helpers.emplace_back([resumer, &delta, text = upper(delta.text)] { resumer.resume(Verdict::go_on(), [&delta, text] { delta.text = text; }); });
            return Verdict::suspend();
          },
      .end =
          [&](AnswerEndContext& ctx) {
            const Resumer resumer = ctx.resumer();
            const std::lock_guard lock(mutex);
            helpers.emplace_back([resumer] { resumer.resume(Verdict::go_on()); });
            return Verdict::suspend();
          }});
  {
    Live live(with_plugins(server, {"slow"}), threads, bringing({slow}));
    std::string expected = kStreamed;
    for (const char* word : {"one ", "two ", "three"}) expected.replace(expected.find(word), std::string(word).size(), upper(word));
    std::vector<RawClient> clients;
    for (int i = 0; i < 4; ++i) clients.emplace_back(live.port());
    int right = 0;
    for (int n = 0; n < 10; ++n) {
      for (RawClient& client : clients) client.send(stream_request());
      for (RawClient& client : clients) right += client.answer().body == expected ? 1 : 0;
    }
    CHECK(right == 40);
    for (const Outcome& outcome : live.outcomes().wait(40)) CHECK(outcome.ending == Ending::kCompleted);
  }
  for (std::thread& helper : helpers) helper.join();
}

TEST_CASE("while a delta waits no more than a bound of the stream is taken from the upstream, and all of it comes in the end") {
  class Counter final : public ExchangeListener {
   public:
    void on_head(const ResponseHead&) override {}
    void on_bytes(std::string_view bytes) override { bytes_ += bytes.size(); }
    void on_end(const Outcome&) override { ended_ = true; }
    std::atomic<std::size_t> bytes_{0};
    std::atomic<bool> ended_{false};
  };
  constexpr std::size_t kMiB = 1u << 20;
  FaultServer server;
  const std::string event = text_event(std::string(1000, 'y'));
  const std::string chunk = "8000\r\n" + std::string(0x8000 % event.size(), '\n') + [&] {
    std::string some;
    while (some.size() + event.size() <= 0x8000) some += event;
    return some;
  }() + "\r\n";
  constexpr std::size_t kChunks = 1200;
  server.on_request([&](const RawRequest&) { return open_stream().chunk(kRole).repeat(chunk, kChunks).chunk(kStop + kDone).end_chunks(); });
  Waiting waiting;
  auto first = std::make_shared<std::atomic<bool>>(true);
  const auto slow = scripted("slow", Phase::kGuard, kWantsDeltas, {.delta = [&waiting, first](DeltaContext& ctx, Delta&) {
    return first->exchange(false) ? waiting.park(ctx) : Verdict::go_on();
  }});
  const auto counter = std::make_shared<Counter>();
  Live live(with_plugins(server, {R"({"name":"slow","timeout_ms":0})"}), 1, bringing({slow}));
  const std::size_t before = resident_bytes();
  REQUIRE(live.gateway().submit(Request::post("/v1/chat/completions", chat_body("m", "hello", true)), counter));
  REQUIRE(waiting.wait());
  int turns = 0;
  (void)eventually([&turns] { return ++turns > 200; });  // time enough to take far more, were it not paused
  CHECK(resident_bytes() < before + 12 * kMiB);
  CHECK(counter->bytes_ < kMiB);
  waiting.take().resume(Verdict::go_on());
  CHECK(eventually([&] { return counter->ended_.load(); }));
  CHECK(counter->bytes_ == kRole.size() + kChunks * 0x8000 + kStop.size() + kDone.size());
}

TEST_CASE("an answer that cannot be read is not passed on unread where a plugin wants its text") {
  FaultServer server;
  const auto stream = GENERATE(false, true);
  server.on_request([&](const RawRequest&) {
    return stream ? whole_stream(kRole + event_of("[1, 2]") + kStop + kDone) : answer_of("[1,2,3]");
  });
  const auto looker = scripted("looker", Phase::kGuard, kWantsDeltas, {});
  Live live(with_plugins(server, {"looker"}), 1, bringing({looker}));
  const WireAnswer answer = ask(live, stream ? stream_request() : plain_request());
  CHECK(answer.status == 502);
  CHECK(error_code(answer.body) == "upstream_invalid_answer");
}

// PLUG-16
TEST_CASE("an observer sees what the caller sees: the last version of the request, and the answer behind the transforms") {
  class Watcher final : public Observer {
   public:
    explicit Watcher(std::string& log) : log_(log) {}
    std::string_view name() const noexcept override { return "watcher"; }
    Wants wants() const noexcept override { return kWantsRequest | kWantsHead | kWantsDeltas | kWantsFinish; }
    std::unique_ptr<ObserverSession> open(const ExchangeView& exchange) const override {
      HOOK_CHECK(exchange.body().empty());
      return std::make_unique<Session>(log_);
    }

   private:
    struct Session final : ObserverSession {
      explicit Session(std::string& out) : log(out) {}
      void on_request(const ExchangeView& exchange) override { log += std::string(exchange.body()) + "|"; }
      void on_head(const ExchangeView&, int status, const Headers&) override { log += std::to_string(status) + "|"; }
      void on_delta(const ExchangeView& exchange, const Delta& delta) override { log += delta.text + (exchange.body().empty() ? "?" : ""); }
      void on_finish(const Outcome& outcome) noexcept override { log += "|" + std::string(to_string(outcome.ending)); }
      std::string& log;
    };
    std::string& log_;
  };
  FaultServer server;
  server.on_request([](const RawRequest&) { return whole_stream(kStreamed); });
  Hooks change = shouting();
  change.request = [](RequestContext& ctx) {
    HOOK_CHECK(ctx.set_body(R"({"model":"m","stream":true,"messages":[]})"));
    return Verdict::go_on();
  };
  std::string log;
  OpenOptions options = bringing({scripted("change", Phase::kTransform, kWantsRequestEdits | kWantsDeltaEdits, change)});
  options.observers = {std::make_shared<Watcher>(log)};
  {
    Live live(with_plugins(server, {"watcher", "change"}), 1, std::move(options));
    CHECK(said(ask(live, stream_request()).body) == "ONE TWO THREE");
    (void)live.outcomes().wait(1);
  }
  CHECK(log == R"({"model":"m","stream":true,"messages":[]}|200|ONE TWO THREE|completed)");
}

TEST_CASE("pings go out while a plugin holds a stream, and the end of it") {
  FaultServer server;
  server.on_request([](const RawRequest&) { return whole_stream(kStreamed); });
  Waiting waiting;
  const auto end = scripted("end", Phase::kGuard, kWantsDeltas, {.end = [&](AnswerEndContext& ctx) { return waiting.park(ctx); }});
  Live live(config_of("http://" + server.authority() + "/v1", {}, {}, R"("stream_keep_alive_ms":30,)" + plugin_list({R"({"name":"end","timeout_ms":0})"})), 1,
            bringing({end}));
  RawClient client(live.port());
  client.send(stream_request());
  REQUIRE(waiting.wait());
  const std::string before = client.until(": keep-alive");
  CHECK(before.find("three") != std::string::npos);
  CHECK(before.find("[DONE]") == std::string::npos);
  waiting.take().resume(Verdict::go_on());
  const WireAnswer answer = client.answer();
  CHECK(answer.complete);
  CHECK(read_events(answer.body).back().data == "[DONE]");
}

TEST_CASE("a stream without its blank line at the end, or without [DONE], is judged to its end all the same") {
  FaultServer server;
  const auto body = GENERATE(kRole + text_event("one") + kStop, (kRole + text_event("one") + kStop).substr(0, (kRole + text_event("one") + kStop).size() - 2),
                             kRole + text_event("one") + kStop + "data: [DONE]");
  server.on_request([&](const RawRequest&) { return whole_stream(body); });
  const auto hoard = scripted_each("hoard", Phase::kTransform, kWantsDeltaEdits, hoarding);
  Live live(with_plugins(server, {"hoard"}), 1, bringing({hoard}));
  const WireAnswer answer = ask(live, stream_request());
  CHECK(said(answer.body) == "ONE");
  CHECK(live.outcomes().wait(1)[0].ending == Ending::kCompleted);
}
