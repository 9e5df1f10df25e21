// What one exchange costs inside a gateway: a host-driven one, over a transport that moves nothing and answers at once.
// Everything but sockets and libcurl is in it: the mailbox, receive, match, edits, plugins, the tap, the account, the event.
//
//   exchange_bench                 times every kind
//   exchange_bench KIND COUNT      runs one COUNT times (exchanges, or deltas of one stream), for an instruction counter

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/loop.hpp"
#include "engine/transport.hpp"
#include "null_answer.hpp"
#include "sluice/gateway.hpp"

namespace {

using namespace sluice;
using Clock = std::chrono::steady_clock;

using bench::kAnswer, bench::kDelta, bench::kLast;

/// Answers in the turn after the one that asked, with `deltas` events where a stream was asked for.
class NullChannel final : public engine::Channel {
 public:
  NullChannel(engine::Loop& loop, const long& deltas) : loop_(loop), deltas_(deltas) {}
  std::unique_ptr<engine::Transfer> start(engine::WireRequest request, engine::TransferSink& sink) override {
    auto asked = std::make_shared<engine::TransferSink*>(&sink);
    loop_.defer([this, asked, streaming = request.streaming] { answer(*asked, streaming); });
    return std::make_unique<Started>(std::move(asked));
  }

 private:
  struct Started final : engine::Transfer {
    explicit Started(std::shared_ptr<engine::TransferSink*> asked) : asked_(std::move(asked)) {}
    ~Started() override { *asked_ = nullptr; }
    void pause() override {}
    void resume() override {}
    std::shared_ptr<engine::TransferSink*> asked_;
  };

  // `sink` turns null where the exchange lets go of its transfer.
  void answer(engine::TransferSink*& sink, bool streaming) {
    if (sink != nullptr) sink->on_connected();
    ResponseHead head{200, {}};
    head.headers.add_trusted("Content-Type", streaming ? "text/event-stream" : "application/json");
    if (!streaming) head.headers.add_trusted("Content-Length", std::to_string(kAnswer.size()));
    head.headers.add_trusted("x-request-id", "req_9f2c61");
    if (sink != nullptr) sink->on_head(std::move(head));
    if (streaming) {
      for (long i = 0; i < deltas_ && sink != nullptr; ++i) sink->on_bytes(kDelta);
      if (sink != nullptr) sink->on_bytes(kLast);
    } else if (sink != nullptr) {
      sink->on_bytes(kAnswer);
    }
    engine::TransferEnd end;
    end.sends = 1;
    end.reused_connection = true;
    if (sink != nullptr) sink->on_done(end);
  }

  engine::Loop& loop_;
  const long& deltas_;
};

struct NullTransport final : engine::Transport {
  NullTransport(engine::Loop& at, const long& count) : loop(at), deltas(count) {}
  Result<std::unique_ptr<engine::Channel>> open(const engine::Endpoint&) override { return std::make_unique<NullChannel>(loop, deltas); }
  engine::Loop& loop;
  const long& deltas;
};

struct NullFactory final : TransportFactory {
  Result<std::unique_ptr<engine::Transport>> create(engine::Loop& loop) override { return std::make_unique<NullTransport>(loop, deltas); }
  long deltas = 0;
};

struct Caller final : ExchangeListener {
  void on_head(const ResponseHead& head) override { status = head.status; }
  void on_bytes(std::string_view bytes) override { size += bytes.size(); }
  void on_end(const Outcome& outcome) override { ended = outcome.ending == Ending::kCompleted ? 1 : -1; }
  int status = 0, ended = 0;
  std::size_t size = 0;
};

struct Kind {
  const char* name;
  bool stream = false, everything = false, decoded = false;
};
constexpr Kind kKinds[] = {
    {"exchange"},                             // twenty routes, nothing else
    {"exchange_all", false, true},            // and an event, shape limits and a request log
    {"delta", true},                          // of a stream nobody looks into
    {"delta_all", true, true},                // and its times are taken
    {"delta_decoded", true, false, true},     // and a plugin searches its text
};

std::string configuration(const Kind& kind) {
  std::string routes;
  for (int i = 0; i < 20; ++i) {
    routes += (i == 0 ? "" : ",") + std::string(R"({"name":"bench-)") + std::to_string(i) + R"(","match":{"model":["bench-)" +
              std::to_string(i) + R"("]},"upstreams":[{"name":"up"}]})";
  }
  std::string plugins;
  if (kind.everything) {
    plugins = R"(,"plugins":[{"name":"caps","limits":{"messages":100,"characters":100000,"attachments":8,"tools":64}},)"
              R"({"name":"request_log"}])";
  }
  if (kind.decoded) {
    plugins = R"(,"plugins":[{"name":"cards","regex_replace":{"rules":[{"pattern":"[0-9]{16}","replacement":"-"}],"response":true}}])";
  }
  return R"({"version":1,"gateway":{"threads":0)" + plugins + "}" +
         (kind.everything ? R"(,"telemetry":{"files":[{"path":"/dev/null","rotate_bytes":0}]})" : "") +
         R"(,"upstreams":[{"name":"up","provider":"openai-compatible","url":"http://127.0.0.1:9/v1"}],"routes":[)" + routes + "]}";
}

/// The request the comparison with other proxies uses, too: 2 KB.
std::string request_body(bool stream) {
  std::string words;
  while (words.size() < 1'640) words += "the gateway forwards every byte of a request unless someone asked for a change ";
  return R"({"model":"bench-7","messages":[{"role":"system","content":"You are a concise assistant. Answer in one paragraph."},)"
         R"({"role":"user","content":"What does a gateway in front of model providers do?"},)"
         R"({"role":"assistant","content":"It routes, forwards, accounts and retries."},{"role":"user","content":")" +
         words + R"("}],"temperature":0.7,"max_tokens":256)" + (stream ? R"(,"stream":true})" : "}");
}

class Bench {
 public:
  explicit Bench(const Kind& kind) : kind_(kind), body_(request_body(kind.stream)) {
    OpenOptions options;
    options.transport = &factory_;
    options.seed = 1;
    options.log = [this](LogLevel, std::string_view line) { logged_ += line.size(); };
    auto opened = Gateway::open_json(configuration(kind), std::move(options));
    if (!opened) std::puts(opened.error().message.c_str()), std::exit(1);
    gateway_.emplace(std::move(*opened));
    times(1);  // what is made once is not an exchange's
  }

  /// So many exchanges; or one stream of so many deltas.
  void times(long n) {
    factory_.deltas = kind_.stream ? n : 0;
    for (long i = kind_.stream ? n - 1 : 0; i < n; ++i) once();
  }

 private:
  void once() {
    auto caller = std::make_shared<Caller>();
    Request request = Request::post("/v1/chat/completions", body_);
    if (!gateway_->submit(std::move(request), caller)) std::puts("refused"), std::exit(1);
    while (caller->ended == 0) gateway_->drive();
    if (caller->ended != 1 || caller->status != 200 || caller->size == 0) std::puts("an exchange failed"), std::exit(1);
  }

  const Kind& kind_;
  const std::string body_;
  NullFactory factory_;
  std::size_t logged_ = 0;
  std::optional<Gateway> gateway_;
};

void report(const Kind& kind) {
  Bench bench(kind);
  constexpr long kBatch = 500;
  std::vector<double> batches;
  const auto until = Clock::now() + std::chrono::milliseconds(500);
  while (Clock::now() < until) {
    const auto began = Clock::now();
    bench.times(kBatch);
    batches.push_back(std::chrono::duration<double, std::micro>(Clock::now() - began).count() / kBatch);
  }
  std::sort(batches.begin(), batches.end());
  std::printf("%-16s best %8.3f us  median %8.3f us\n", kind.name, batches.front(), batches[batches.size() / 2]);
}

}  // namespace

int main(int argc, char** argv) {
  for (const Kind& kind : kKinds) {
    if (argc == 1) {
      report(kind);
    } else if (argc == 3 && std::strcmp(argv[1], kind.name) == 0) {
      Bench(kind).times(std::atol(argv[2]));
      return 0;
    }
  }
  if (argc == 1) return 0;
  std::puts("usage: exchange_bench [KIND COUNT]");
  return 2;
}
