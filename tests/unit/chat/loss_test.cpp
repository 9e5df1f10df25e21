// The loss report.

#include <catch2/catch.hpp>

#include "chat/loss.hpp"

using namespace sluice::chat;

TEST_CASE("a loss is kept once and the gravest is known") {
  LossReport report;
  CHECK(report.empty());
  CHECK(report.first_at_least(LossSeverity::kNote) == nullptr);
  report.add("user", "no place", LossSeverity::kCosmetic);
  report.add("user", "no place", LossSeverity::kCosmetic);
  report.add("seed", "no seed", LossSeverity::kSemantic);
  CHECK(report.entries().size() == 2);
  CHECK(report.worst() == LossSeverity::kSemantic);
  REQUIRE(report.first_at_least(LossSeverity::kSemantic) != nullptr);
  CHECK(report.first_at_least(LossSeverity::kSemantic)->field == "seed");
  report.clear();
  CHECK(report.empty());
  CHECK(report.worst() == LossSeverity::kNote);
}

TEST_CASE("a report is bounded, and what is grave is never crowded out") {
  LossReport report;
  for (int i = 0; i < 1000; ++i) report.add("f" + std::to_string(i), "r", LossSeverity::kNote);
  CHECK(report.entries().size() == LossReport::kMaxEntries);
  CHECK(report.beyond() == 1000 - LossReport::kMaxEntries);
  report.add("seed", "r", LossSeverity::kSemantic);
  REQUIRE(report.first_at_least(LossSeverity::kSemantic) != nullptr);
  CHECK(report.first_at_least(LossSeverity::kSemantic)->field == "seed");
}

TEST_CASE("severities have names") {
  CHECK(to_string(LossSeverity::kNote) == "note");
  CHECK(to_string(LossSeverity::kCosmetic) == "cosmetic");
  CHECK(to_string(LossSeverity::kSemantic) == "semantic");
}
