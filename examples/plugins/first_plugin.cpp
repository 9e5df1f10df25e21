// The smallest plugin: it answers a ping itself, and lets everything else pass.
#include <sluice/sluice.hpp>

#include <iostream>

namespace {

class AnswerPing final : public sluice::Plugin {
  struct Session final : sluice::PluginSession {
    sluice::Verdict on_request(sluice::RequestContext& context) override {
      const auto prompt = context.exchange().prompt();
      if (prompt.size() == 1 && prompt[0].text == "ping") return sluice::Verdict::reply({.text = "pong"});
      return sluice::Verdict::go_on();
    }
  };
  std::string_view name() const noexcept override { return "answer-ping"; }
  sluice::Wants wants() const noexcept override { return sluice::kWantsPrompt; }
  std::unique_ptr<sluice::PluginSession> open(const sluice::ExchangeView&) const override { return std::make_unique<Session>(); }
};

}  // namespace

int main() {
  sluice::Upstream model;
  model.name = "model";
  model.provider = "simulator";
  model.simulator.answer = "All is well.";
  sluice::Route chat;
  chat.name = "chat";
  chat.match.path = "/v1/chat/completions";
  chat.upstreams.push_back({.upstream = "model"});

  auto gateway = sluice::Gateway::Builder{}.upstream(model).route(chat).plugin(std::make_shared<AnswerPing>()).open();
  if (!gateway) return std::cerr << gateway.error().message << "\n", 1;

  const auto ask = [&gateway](const std::string& question) {
    return gateway->send(sluice::Request::post("/v1/chat/completions",
                                               R"({"model": "m", "messages": [{"role": "user", "content": ")" + question + R"("}]})"))
        .get();
  };
  const auto pong = ask("ping"), other = ask("hello");
  if (!pong || !other) return std::cerr << "no answer\n", 1;
  const bool by_plugin = pong->body.find("pong") != std::string::npos && pong->outcome.attempts.empty();
  const bool by_model = other->body.find("All is well.") != std::string::npos && other->outcome.attempts.size() == 1;
  std::cout << "ping: " << pong->status << (by_plugin ? ", by the plugin\n" : ", not by the plugin\n");
  std::cout << "hello: " << other->status << (by_model ? ", by the model\n" : ", not by the model\n");
  return by_plugin && by_model ? 0 : 1;
}
