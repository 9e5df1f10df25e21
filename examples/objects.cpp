// A configuration built from objects instead of JSON, and printed as the document it equals.
#include <sluice/sluice.hpp>

#include <iostream>

int main() {
  sluice::Upstream fast;
  fast.name = "fast";
  fast.provider = "simulator";
  fast.simulator.answer = "A short answer.";
  sluice::Upstream thorough;
  thorough.name = "thorough";
  thorough.provider = "simulator";
  thorough.simulator.answer = "A long answer, with every step of the way there.";

  // Routes are tried top-down: questions that ask for a proof go to the thorough upstream, the rest to the fast one.
  sluice::Route proofs;
  proofs.name = "proofs";
  proofs.match.path = "/v1/chat/completions";
  proofs.match.prompt.push_back({.where = sluice::PromptMatch::Where::kLastUser, .value = "prove", .ignore_case = true});
  proofs.upstreams.push_back({.upstream = "thorough"});
  sluice::Route rest;
  rest.name = "rest";
  rest.match.path = "/v1/chat/completions";
  rest.upstreams.push_back({.upstream = "fast"});

  auto gateway = sluice::Gateway::Builder{}.upstream(fast).upstream(thorough).route(proofs).route(rest).open();
  if (!gateway) return std::cerr << gateway.error().message << "\n", 1;
  std::cout << gateway->dump() << "\n";

  for (const char* question : {"What is 2 + 2?", "Prove that 2 + 2 = 4."}) {
    auto answer = gateway->send(sluice::Request::post("/v1/chat/completions",
                                                      R"({"model": "m", "messages": [{"role": "user", "content": ")" +
                                                          std::string(question) + R"("}]})"))
                      .get();
    if (!answer) return std::cerr << answer.error().message << "\n", 1;
    std::cout << question << " -> route " << answer->outcome.route << ", upstream " << answer->outcome.attempts.back().upstream << "\n";
  }
}
