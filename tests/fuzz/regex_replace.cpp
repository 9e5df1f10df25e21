// Any text in any pieces: what comes out is what comes out of the whole text, and what is said the slow way.
//
// Input: which pattern, how long a match may be, the lengths of the first pieces, then the text.
#include <array>
#include <memory>
#include <string>

#include "fuzz/check.hpp"
#include "plugins/replace_stream.hpp"
#include "unit/plugins/replace_reference.hpp"

namespace {

using namespace sluice;

struct Rule {
  Rule(std::string_view pattern, std::string replacement, std::size_t max_match)
      : fast(policy::ReplaceRule::compile(pattern, replacement, max_match)), slow(pattern, replacement, max_match) {}
  Result<policy::ReplaceRule> fast;
  plugins::ReplaceReference slow;
};

constexpr std::array<std::string_view, 24> kPatterns{
    "ab", "a+b?", "a.*b", "a.*?b|c", "(a|b)*\\b", "\\b", "\\B", "^", "$", "(?m)^a", "(?m)b$", "", "[^a]{2,3}", "(?i)k\\pL", "\\ba+\\b",
    "a$|^b", "(?s)<.*>", "[\xC3\xA8-\xE2\x82\xAC]a?", "\\Qa.\\E+", "a|a.*c", "(?:a|ab)(?:c|bcd)", "\\W+", "(?U)a+b*c", "\xF0\x9F\x98\x80|."};

const Rule& rule_of(std::size_t pattern, std::size_t bound) {
  constexpr std::array<std::size_t, 4> kBounds{1, 3, 8, 256};
  static std::array<std::array<std::unique_ptr<Rule>, kBounds.size()>, kPatterns.size()> made;
  auto& rule = made[pattern % kPatterns.size()][bound % kBounds.size()];
  if (rule == nullptr) rule = std::make_unique<Rule>(kPatterns[pattern % kPatterns.size()], "<\\0>", kBounds[bound % kBounds.size()]);
  return *rule;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = fuzz::text(data, size);
  const std::size_t pattern = fuzz::take(input);
  const Rule& rule = rule_of(pattern, fuzz::take(input));
  if (!rule.fast) return 0;  // the pattern fits nothing so short
  std::array<std::uint8_t, 6> pieces{};
  for (std::uint8_t& piece : pieces) piece = fuzz::take(input);

  plugins::ReplaceStream whole(*rule.fast), stream(*rule.fast);
  std::string expected, out;
  whole.take(input, expected);
  whole.end(expected);
  FUZZ_CHECK(expected == rule.slow(input));

  std::size_t at = 0;
  for (std::size_t i = 0; at < input.size(); ++i) {
    const std::string_view piece = input.substr(at, 1 + pieces[i % pieces.size()] % 32);
    stream.take(piece, out);
    FUZZ_CHECK(stream.held() <= rule.fast->max_match() * 9 / 8 + 4 + piece.size());
    at += piece.size();
  }
  stream.end(out);
  FUZZ_CHECK(out == expected);
  return 0;
}
