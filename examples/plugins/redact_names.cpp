// A plugin that changes a stream: names are taken out of answers, also where a name comes in several deltas. What may yet
// become a name is held back; what is still held when the answer ends is given on then. Proven at every split, in virtual
// time and without a network.
#include <sluice/sluice.hpp>
#include <sluice/testing.hpp>

#include <iostream>
#include <map>

namespace {

class RedactNames final : public sluice::Plugin {
 public:
  explicit RedactNames(std::vector<std::string> names) : names_(std::move(names)) {}
  std::string_view name() const noexcept override { return "redact-names"; }
  sluice::Phase phase() const noexcept override { return sluice::Phase::kTransform; }
  sluice::Wants wants() const noexcept override { return sluice::kWantsDeltaEdits | sluice::kWantsAttempts; }
  std::unique_ptr<sluice::PluginSession> open(const sluice::ExchangeView&) const override { return std::make_unique<Session>(names_); }

 private:
  class Session final : public sluice::PluginSession {
   public:
    explicit Session(const std::vector<std::string>& names) : names_(names) {}

    /// Another answer begins: what is held belongs to one that reached nobody.
    sluice::Verdict on_attempt(sluice::AttemptContext&) override {
      held_.clear();
      return sluice::Verdict::go_on();
    }

    sluice::Verdict on_delta(sluice::DeltaContext& context, sluice::Delta& delta) override {
      if (delta.channel == sluice::Channel::kToolArguments) return sluice::Verdict::go_on();
      std::string& held = held_[{delta.choice, delta.channel}];
      held += delta.text;
      delta.text = decided(context, held, /*ended=*/false);
      return sluice::Verdict::go_on();
    }

    sluice::Verdict on_answer_end(sluice::AnswerEndContext& context) override {
      for (auto& [text, held] : held_) {
        std::string rest = decided(context, held, /*ended=*/true);
        if (!rest.empty()) context.emit({.choice = text.first, .channel = text.second, .text = std::move(rest)});
      }
      return sluice::Verdict::go_on();
    }

   private:
    /// Takes off `held` what no further delta can change. Where two names begin in one place, the longer one counts.
    std::string decided(sluice::HookContext& context, std::string& held, bool ended) const {
      std::string out;
      std::size_t at = 0;
      while (at < held.size()) {
        const std::string_view rest = std::string_view(held).substr(at);
        std::size_t fits = 0;
        bool may_fit = false;
        for (const std::string& name : names_) {
          if (rest.starts_with(name)) fits = std::max(fits, name.size());
          else if (!ended && std::string_view(name).starts_with(rest)) may_fit = true;
        }
        if (may_fit) break;
        if (fits == 0) {
          out += held[at++];
          continue;
        }
        out += "[name]";
        at += fits;
        context.report({.kind = "name", .where = "answer"});
      }
      held.erase(0, at);
      return out;
    }

    const std::vector<std::string>& names_;
    std::map<std::pair<std::uint32_t, sluice::Channel>, std::string> held_;
  };

  const std::vector<std::string> names_;
};

std::string event(std::string_view text) {
  return R"(data: {"id": "c", "choices": [{"index": 0, "delta": {"content": ")" + std::string(text) + "\"}}]}\n\n";
}

}  // namespace

int main() {
  const std::string said = "Ada Lovelace wrote to Ada. Signed: Ada Love";
  const std::string expected = "[name] wrote to Ada. Signed: Ada Love";

  sluice::testing::ManualClock clock;
  sluice::testing::Simulation simulation(clock, /*seed=*/7);
  auto gateway = sluice::Gateway::open_json(R"({
    "version": 1,
    "gateway": {"threads": 0},
    "upstreams": [{"name": "model", "provider": "simulator"}],
    "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "model"}],
                "plugins": [{"name": "redact-names"}]}]
  })", {.clock = &clock, .transport = simulation.transport(),
        .plugins = {std::make_shared<RedactNames>(std::vector<std::string>{"Ada Lovelace", "Charles Babbage"})}});
  if (!gateway) return std::cerr << gateway.error().message << "\n", 1;
  const std::string hello = R"({"model": "m", "messages": [{"role": "user", "content": "hello"}])";

  simulation.upstream("model").answers(said);
  const auto whole = simulation.run(*gateway, sluice::Request::post("/v1/chat/completions", hello + "}"));
  bool good = whole.body().find('"' + expected + '"') != std::string::npos;
  std::cout << "whole: " << (good ? expected : whole.body()) << "\n";

  // In two deltas, cut at every place there is.
  for (std::size_t cut = 0; cut <= said.size(); ++cut) {
    simulation.upstream("model").stream_bytes(event(said.substr(0, cut)) + event(said.substr(cut)) +
                                              "data: {\"id\": \"c\", \"choices\": [{\"index\": 0, \"delta\": {}, \"finish_reason\": \"stop\"}]}\n\n"
                                              "data: [DONE]\n\n");
    auto stream = gateway->stream(sluice::Request::post("/v1/chat/completions", hello + R"(, "stream": true})"));
    std::string text, shown;
    while (auto next = stream.next(std::chrono::seconds(1))) {
      text += next->text();
      if (!next->text().empty()) shown += "|" + std::string(next->text());
    }
    if (cut == 8) std::cout << "in two deltas: " << shown << "|\n";
    good = good && text == expected && stream.outcome().verdicts.size() > 0;
  }
  return good ? 0 : 1;
}
