// The upstreams behind the real clients: scripted servers on loopback. Prints `NAME URL` for each, then `ready`; then obeys
// lines of its input until that ends:
//   abandoned NAME N   answers `yes` as soon as N answers of NAME were left by whoever read them, `no` after 10 s
//   requests NAME 0    answers how many requests NAME has had
//   saw NAME TEXT      answers in how many bodies of its requests NAME has seen TEXT
#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "sluice/testing.hpp"

namespace {

using sluice::testing::Pace;
using sluice::testing::Script;
using sluice::testing::SimServer;

// What each of them answers. "slow" goes on for 100 s unless somebody leaves.
const std::map<std::string, std::function<void(Script&)>> kScripts = {
    {"chat",
     [](Script& script) { script.answers("Hello there, stranger.").usage(11, 5).embeds(8).models({"gpt-4o-mini", "text-embedding-3-small", "omni-moderation-latest"}); }},
    {"plain", [](Script& script) { script.answers("Hello there, stranger.").usage(11, 5); }},  // any model, in any dialect
    {"tools", [](Script& script) { script.calls({{"call_1", "get_weather", R"({"city":"Köln","unit":"C"})"}}).usage(20, 9); }},
    {"cards", [](Script& script) { script.answers("The card 4242 4242 4242 4242 is valid.").usage(11, 5); }},
    {"slow", [](Script& script) { script.generates(2000).pace(Pace{.tokens_per_second = 20}); }},
    {"thinking", [](Script& script) { script.answers("At last.").pace(Pace{.first_token = std::chrono::milliseconds(300)}); }},
    {"down", [](Script& script) { script.fails_with(503); }},
    // What a caller gets once a gateway has spent its attempts, as any provider's dialect would carry it.
    {"spent", [](Script& script) { script.fails_with(503).header("x-should-retry", "false"); }},
    {"limited", [](Script& script) { script.fails_with(429); }},
};

}  // namespace

int main() {
  std::map<std::string, SimServer> servers;
  std::uint64_t seed = 1;
  for (const auto& [name, write] : kScripts) {
    auto server = SimServer::start(seed++);
    if (!server) return std::cerr << server.error().message << "\n", 1;
    server->configure(write);
    std::cout << name << " " << server->url() << "\n";
    servers.emplace(name, std::move(*server));
  }
  std::cout << "ready" << std::endl;

  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string verb, name, what;
    words >> verb >> name >> what;
    const auto server = servers.find(name);
    if (verb == "saw" && server != servers.end()) {
      const auto seen = server->second.seen();
      std::cout << std::count_if(seen.begin(), seen.end(), [&what](const auto& one) { return one.body.find(what) != std::string::npos; }) << std::endl;
      continue;
    }
    if (verb == "requests" && server != servers.end()) {
      std::cout << server->second.requests() << std::endl;
      continue;
    }
    if (verb != "abandoned" || server == servers.end()) return std::cerr << "cannot read: " << line << "\n", 2;
    const std::size_t count = std::stoul(what);
    const bool seen = server->second.wait_for([count](const SimServer& s) { return s.abandoned() >= count; }, std::chrono::seconds(10));
    std::cout << (seen ? "yes" : "no") << std::endl;
  }
}
