#pragma once
/// Which ASCII letters often stand together. Written by `bash benchmarks/tokens/run.sh --pairs`; change nothing by hand.
/// Knows letters alone; must not know what a pair is counted for.

#include <array>
#include <string_view>

namespace sluice::chat {

/// By letter, a to z: what follows it in 227 pairs that make up 95 % of those in English prose and in code.
inline constexpr std::array<std::string_view, 26> kOftenNext = {
    "bcdgiklmnprstuvy", "aeijloruy", "acehiklmortu", "adeios", "acdefglmnpqrstvwxy", "aefiloru", "ehilnrs", "aeiot",
    "abcdefglmnoprstvz", "e", "e", "adefilostuy", "abeimopsu", "acdefgilnostuv", "bcdfilmnoprstuvw", "aeiloprtu", "u",
    "acdefgikmnorstuy", "acehiopstu", "acdehiorstuwy", "bcdeilmnprst", "aeio", "aehio", "cpt", "ops", "e",
};

}  // namespace sluice::chat
