// A list that is nearly always short.

#include "policy/few.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

using sluice::policy::Few;

TEST_CASE("a short list behaves as a long one, across the bound both ways") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    Few<int, 4> few;
    std::vector<int> model;
    for (int step = 0; step < 40; ++step) {
      if (model.empty() || random() % 3 != 0) {
        few.push(step);
        model.push_back(step);
      } else {
        const std::size_t i = random() % model.size();
        few.remove(i);
        model[i] = model.back();
        model.pop_back();
      }
      REQUIRE(few.size() == model.size());
      REQUIRE(few.empty() == model.empty());
      REQUIRE(std::equal(few.begin(), few.end(), model.begin(), model.end()));
    }
  }
}
