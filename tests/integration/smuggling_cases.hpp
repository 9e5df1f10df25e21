#pragma once
// Requests that two readers could take in two ways, made by a seeded walk through a grammar of what has split readers
// before: framing fields, chunk lines, line ends, folds, targets, hosts, requests hidden in bodies or behind them. One seed
// gives the same cases everywhere.

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::test {

/// What the body of a case is where it is read as meant, if it is no hidden request.
inline const std::string kMeantBody = R"({"model":"m","messages":[]})";

struct SmugglingCase {
  std::string bytes;
  std::string twists;  ///< what is odd about it, by the names of the grammar's rules
};

/// `count` cases of one to three rules each, and some with a byte changed on top.
[[nodiscard]] std::vector<SmugglingCase> smuggling_cases(std::uint32_t seed, std::size_t count);

/// How many rules the grammar has.
[[nodiscard]] std::size_t smuggling_rules() noexcept;

}  // namespace sluice::test
