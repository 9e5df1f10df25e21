#pragma once
// A loop on a manual clock with the simulated transport on it, and sinks that write down what they hear.

#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/loop.hpp"
#include "engine/transport.hpp"
#include "json/document.hpp"
#include "sim/stage.hpp"
#include "sim/transport.hpp"
#include "sluice/simulator.hpp"

namespace sluice::sim {

/// What a sink heard, with the moments, in nanoseconds from the start.
struct Heard final : engine::TransferSink {
  explicit Heard(const engine::Loop& loop, TimePoint first) : loop_(loop), first_(first) {}

  void on_connected() override { ++connected; }
  void on_head(ResponseHead&& h) override {
    head = std::move(h);
    head_at = loop_.now() - first_;
    if (on_head_do) on_head_do();
  }
  void on_bytes(std::string_view bytes) override {
    body += bytes;
    pieces.emplace_back(loop_.now() - first_, std::string(bytes));
    if (on_bytes_do) on_bytes_do();
  }
  void on_done(const engine::TransferEnd& e) override {
    ++done;
    end = e;
    done_at = loop_.now() - first_;
    if (on_done_do) on_done_do();
  }

  int connected = 0, done = 0;
  ResponseHead head;
  Duration head_at{-1}, done_at{-1};
  std::string body;
  std::vector<std::pair<Duration, std::string>> pieces;
  engine::TransferEnd end;
  std::function<void()> on_head_do, on_bytes_do, on_done_do;

 private:
  const engine::Loop& loop_;
  const TimePoint first_;
};

struct Rig {
  testing::ManualClock clock;
  TimePoint first = clock.now();
  std::unique_ptr<engine::Loop> loop;
  std::shared_ptr<Stage> stage;
  std::unique_ptr<engine::Transport> transport;
  std::unique_ptr<engine::Channel> channel;
  engine::Endpoint endpoint;

  explicit Rig(std::uint64_t seed = 7) : stage(std::make_shared<Stage>(seed, clock.now(), true)) {
    auto made = engine::Loop::create(engine::Backend::kEpoll, clock);
    REQUIRE(made);
    loop = std::move(*made);
    transport = make_transport(*loop, stage);
    endpoint.name = "one";
    open();
  }
  void open() {
    auto opened = transport->open(endpoint);
    REQUIRE(opened);
    channel = std::move(*opened);
  }
  testing::Script& script() { return stage->script("one"); }

  static engine::WireRequest post(std::string target, std::string_view body) {
    engine::WireRequest request;
    request.method = "POST";
    request.target = std::move(target);
    request.body = base::EditedBody(Body::copy(body));
    request.has_body = true;
    return request;
  }
  static engine::WireRequest chat(bool stream = false, std::string_view more = "") {
    std::string body = R"({"model":"m","messages":[{"role":"user","content":"Say hello, please."}])";
    if (stream) body += R"(,"stream":true)";
    body.append(more).append("}");
    return post("/v1/chat/completions", body);
  }

  /// Turns until nothing is due now.
  void turn() {
    while (loop->turn(clock.now()) > 0) {
    }
  }
  /// Moves to the next moment something is due; false where nothing is.
  bool step() {
    turn();
    const auto next = loop->next_deadline();
    if (!next) return false;
    clock.advance(*next - clock.now());
    turn();
    return true;
  }
  void settle() {
    while (step()) {
    }
  }

  std::unique_ptr<Heard> listen() { return std::make_unique<Heard>(*loop, first); }
  /// One exchange from start to end.
  std::unique_ptr<Heard> run(engine::WireRequest request) {
    auto heard = listen();
    const auto transfer = channel->start(std::move(request), *heard);
    settle();
    return heard;
  }
};

inline testing::Fault fault(testing::Fault::Kind kind) {
  testing::Fault made;
  made.kind = kind;
  return made;
}

/// A parsed text whose document stays.
struct Parsed {
  explicit Parsed(std::string_view text) {
    auto made = json::Document::parse(Body::copy(text));
    INFO(text);
    REQUIRE(made);
    document = std::make_unique<json::Document>(std::move(*made));
  }
  [[nodiscard]] json::Value at(std::string_view pointer) const {
    auto found = document->root().at(pointer);
    return found ? *found : json::Value{};
  }
  [[nodiscard]] std::string text(std::string_view pointer) const {
    const json::Value value = at(pointer);
    if (!value.is(json::Type::kString)) return "(no string at " + std::string(pointer) + ")";
    std::string scratch;
    return std::string(value.text(scratch));
  }
  [[nodiscard]] std::int64_t integer(std::string_view pointer) const { return at(pointer).integer().value_or(-1); }
  std::unique_ptr<json::Document> document;
};

/// The data of each event, `[DONE]` too, whatever the event is called.
inline std::vector<std::string> events(std::string_view stream) {
  std::vector<std::string> list;
  std::size_t at = 0;
  while (at < stream.size()) {
    const std::size_t end = stream.find("\n\n", at);
    REQUIRE(end != std::string_view::npos);
    std::string_view event = stream.substr(at, end - at);
    if (event.starts_with("event: ")) event.remove_prefix(std::min(event.size(), event.find('\n') + 1));
    if (event.starts_with("data: ")) list.emplace_back(event.substr(6));
    at = end + 2;
  }
  return list;
}

inline std::string decoded_base64(std::string_view text) {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<std::uint32_t>(kAlphabet.find(c));
    have += 6;
    if (have >= 8) {
      have -= 8;
      out += static_cast<char>(bits >> have & 0xff);
    }
  }
  return out;
}

}  // namespace sluice::sim
