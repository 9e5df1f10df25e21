// Ratios of reported to estimated tokens: when they are applied, how far they go, and what is forgotten.

#include <catch2/catch.hpp>

#include <string>
#include <thread>
#include <vector>

#include "policy/token_ratios.hpp"

using namespace sluice;
using policy::TokenRatios;
using Side = policy::TokenRatios::Side;

namespace {

void learn(TokenRatios& ratios, int times, std::uint64_t estimated, std::uint64_t reported, std::string_view model = "m") {
  for (int i = 0; i != times; ++i) ratios.learn(Side::kInput, "u", model, estimated, reported);
}

/// What becomes of an estimate of 1000; 0 where nothing is known.
std::uint64_t of_thousand(TokenRatios& ratios, std::string_view model = "m", Side side = Side::kInput, std::string_view upstream = "u") {
  std::uint64_t tokens = 1000;
  return ratios.correct(side, upstream, model, tokens) ? tokens : 0;
}

}  // namespace

TEST_CASE("an estimate is corrected from the eighth sample on") {
  TokenRatios ratios;
  learn(ratios, 7, 100, 130);
  CHECK(of_thousand(ratios) == 0);
  learn(ratios, 1, 100, 130);
  CHECK(of_thousand(ratios) == 1300);
}

TEST_CASE("upstreams, models and both sides are learned apart") {
  TokenRatios ratios;
  learn(ratios, 8, 100, 200);
  CHECK(of_thousand(ratios) == 2000);
  CHECK(of_thousand(ratios, "other") == 0);
  CHECK(of_thousand(ratios, "m", Side::kOutput) == 0);
  CHECK(of_thousand(ratios, "m", Side::kInput, "other") == 0);
  for (int i = 0; i != 8; ++i) ratios.learn(Side::kOutput, "u", "m", 100, 50);
  CHECK(of_thousand(ratios, "m", Side::kOutput) == 500);
  CHECK(of_thousand(ratios) == 2000);
}

TEST_CASE("the first samples are averaged, later ones weigh a sixteenth, and a model that changes is followed") {
  TokenRatios ratios;
  for (int i = 0; i != 8; ++i) learn(ratios, 1, 100, i % 2 == 0 ? 100 : 200);
  CHECK(of_thousand(ratios) == Approx(1500).margin(2));
  learn(ratios, 100, 100, 100);
  CHECK(of_thousand(ratios) == Approx(1000).margin(5));
  learn(ratios, 1, 100, 260);
  CHECK(of_thousand(ratios) == Approx(1100).margin(5));
  learn(ratios, 100, 100, 300);
  CHECK(of_thousand(ratios) == Approx(3000).margin(15));
}

TEST_CASE("no report moves an estimate beyond a half or four times") {
  TokenRatios ratios;
  learn(ratios, 100, 100, 1'000'000);
  CHECK(of_thousand(ratios) == 4000);
  learn(ratios, 1, 100, 100);
  CHECK(of_thousand(ratios) > 3700);  // nor is it far outside and takes long to come back
  learn(ratios, 200, 1'000'000, 1);
  CHECK(of_thousand(ratios) == Approx(500).margin(1));
}

TEST_CASE("what says nothing is not learned") {
  TokenRatios ratios;
  learn(ratios, 20, TokenRatios::kLeastTokens - 1, 100);
  learn(ratios, 20, 100, 0);
  learn(ratios, 20, std::uint64_t{1} << 41, 100);
  learn(ratios, 20, 100, std::uint64_t{1} << 63);
  learn(ratios, 20, 100, 100, std::string(TokenRatios::kLongestNames, 'm'));
  CHECK(ratios.all().empty());
  learn(ratios, 8, TokenRatios::kLeastTokens, 32);
  CHECK(of_thousand(ratios) == 2000);
}

TEST_CASE("a correction leaves nothing and the enormous alone, and never makes nothing of something") {
  TokenRatios ratios;
  learn(ratios, 8, 100, 50);
  std::uint64_t tokens = 0;
  CHECK_FALSE(ratios.correct(Side::kInput, "u", "m", tokens));
  tokens = ~std::uint64_t{0};
  CHECK_FALSE(ratios.correct(Side::kInput, "u", "m", tokens));
  CHECK(tokens == ~std::uint64_t{0});
  tokens = 1;
  CHECK(ratios.correct(Side::kInput, "u", "m", tokens));
  CHECK(tokens == 1);
}

TEST_CASE("more models than there is room for cost the ones that nobody asks for") {
  TokenRatios ratios;
  learn(ratios, 8, 100, 200, "kept");
  for (int i = 0; i != 20'000; ++i) {
    learn(ratios, 1, 100, 100, "model-" + std::to_string(i));
    if (i % 100 == 0) CHECK(of_thousand(ratios, "kept") == 2000);
  }
  CHECK(ratios.all().size() == TokenRatios::kMostModels);
  CHECK(of_thousand(ratios, "kept") == 2000);
}

TEST_CASE("samples are wanted of the first exchanges, and of one in 64 after them, whatever came of them") {
  TokenRatios ratios;
  const auto wanted = [&](Side side, std::uint64_t exchanges) {
    std::uint64_t n = 0;
    for (std::uint64_t i = 0; i != exchanges; ++i) n += ratios.wants(side, "u", "m", 100) ? 1 : 0;
    return n;
  };
  CHECK(wanted(Side::kInput, TokenRatios::kSettled) == TokenRatios::kSettled);
  CHECK(wanted(Side::kInput, 640) == 10);
  CHECK(wanted(Side::kOutput, 1) == 1);
  CHECK_FALSE(ratios.wants(Side::kOutput, "u", "m", TokenRatios::kLeastTokens - 1));
  CHECK_FALSE(ratios.wants(Side::kInput, "u", std::string(TokenRatios::kLongestNames, 'm'), 100));
  CHECK(ratios.all().empty());  // nothing was learned
}

TEST_CASE("what was learned is told by upstream and model, in this order") {
  TokenRatios ratios;
  ratios.learn(Side::kInput, "b", "x", 100, 150);
  ratios.learn(Side::kOutput, "a", "z", 100, 50);
  ratios.learn(Side::kInput, "a", "y", 100, 100);
  const auto all = ratios.all();
  REQUIRE(all.size() == 3);
  CHECK(all[0].upstream + all[0].model + all[1].upstream + all[1].model + all[2].upstream + all[2].model == "ayazbx");
  CHECK(all[2].input == 1.5);
  CHECK(all[2].input_samples == 1);
  CHECK(all[2].output == 1);
  CHECK(all[2].output_samples == 0);
  CHECK(all[1].output == 0.5);
}

TEST_CASE("the same samples come to the same ratio, and threads lose none") {
  TokenRatios once, apart;
  learn(once, 400, 100, 170);
  std::vector<std::thread> threads;
  for (int i = 0; i != 4; ++i) threads.emplace_back([&apart] { learn(apart, 100, 100, 170); });
  for (std::thread& thread : threads) thread.join();
  REQUIRE(apart.all().size() == 1);
  CHECK(apart.all()[0].input_samples == 400);
  CHECK(apart.all()[0].input == once.all()[0].input);
}
