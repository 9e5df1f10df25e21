// The weighed sum, its bounds, and what models' names tell about their vocabularies.

#include "chat/tokens.hpp"

#include <algorithm>
#include <limits>

#include "chat/token_weights.hpp"

namespace sluice::chat::tokens {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kPerMessage = 8;

/// `n * times / of`, rounded up. Saturates.
constexpr std::uint64_t part_up(std::uint64_t n, std::uint64_t times, std::uint64_t of) {
  if (n / of >= kMax / times) return kMax;
  return n / of * times + (n % of * times + of - 1) / of;
}

constexpr std::uint64_t plus(std::uint64_t a, std::uint64_t b) { return a > kMax - b ? kMax : a + b; }

/// The number of a scale that is meant for a class.
constexpr std::uint16_t percent(const Scale& scale, TokenClass c) {
  switch (c) {
    case TokenClass::kDigitGroup:
    case TokenClass::kDigitsBehindSpace: return scale.digits;
    case TokenClass::kHump:
    case TokenClass::kShortHump:
    case TokenClass::kPunctuation:
    case TokenClass::kPunctuationMore:
    case TokenClass::kPunctuationRepeated:
    case TokenClass::kNewline:
    case TokenClass::kNewlineBehindMark:
    case TokenClass::kSpaceRun:
    case TokenClass::kLongRun: return scale.code;
    case TokenClass::kKana: return scale.kana;
    case TokenClass::kHangul:
    case TokenClass::kJamo: return scale.hangul;
    case TokenClass::kHan: return scale.han;
    default: return c >= TokenClass::kDevanagari && c <= TokenClass::kSinhala ? scale.indic : scale.words;
  }
}

constexpr char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alphanumeric(char c) { return is_digit(c) || (lowered(c) >= 'a' && lowered(c) <= 'z'); }

/// Where `word` (small letters) stands in `name` with nothing alphanumeric on either side; npos where nowhere.
std::size_t find_word(std::string_view name, std::string_view word) noexcept {
  for (std::size_t at = 0; at + word.size() <= name.size(); ++at) {
    const std::size_t behind = at + word.size();
    if (at != 0 && is_alphanumeric(name[at - 1])) continue;
    if (behind != name.size() && is_alphanumeric(name[behind])) continue;
    if (std::equal(word.begin(), word.end(), name.begin() + static_cast<std::ptrdiff_t>(at),
                   [](char a, char b) { return a == lowered(b); })) {
      return at;
    }
  }
  return std::string_view::npos;
}

/// Takes a number of one or two digits off the front of `name`; -1 where there is none: dates are longer.
int take_number(std::string_view& name) noexcept {
  std::size_t size = 0;
  while (size != name.size() && is_digit(name[size])) ++size;
  if (size == 0 || size > 2) return -1;
  int n = 0;
  for (const char c : name.substr(0, size)) n = n * 10 + (c - '0');
  name.remove_prefix(size);
  return n;
}

/// True for the generation that counts some 30 % more tokens: from 4.7 on.
bool is_later_claude(std::string_view name) noexcept {
  while (!name.empty() && !is_digit(name.front())) name.remove_prefix(1);
  const int major = take_number(name);
  if (major != 4) return major > 4;
  if (!name.empty()) name.remove_prefix(1);
  return take_number(name) >= 7;
}

struct Row {
  std::string_view word;
  Tokenizer tokenizer;
};
constexpr Tokenizer kO200k{};
constexpr Tokenizer kCl100k{Vocabulary::kCl100k, {}, true};
constexpr Tokenizer like_o200k(Scale scale) { return {Vocabulary::kO200k, scale, false}; }

// What was measured is a multiplier for a whole text of one kind; docs/tokens.md has it, and what share of such a text
// each number here is applied to. The first row that is found decides.
constexpr Scale kClaude{.code = 126};
constexpr Scale kLaterClaude{.words = 130, .code = 164, .digits = 130, .kana = 130, .hangul = 130, .han = 130, .indic = 130};
constexpr Scale kGemma3{.code = 140, .digits = 172, .kana = 59, .indic = 74};
constexpr Scale kLlama3{.indic = 359};
constexpr Scale kQwen3{.digits = 166, .han = 89, .indic = 351};
constexpr Scale kDeepSeek{.code = 118, .han = 83};
constexpr Row kRows[] = {
    {"gpt-4o", kO200k}, {"chatgpt-4o", kO200k}, {"gpt-4.1", kO200k}, {"gpt-4.5", kO200k}, {"gpt-5", kO200k},
    {"gpt-oss", kO200k}, {"o1", kO200k}, {"o3", kO200k}, {"o4", kO200k},
    {"gpt-4", kCl100k}, {"gpt-3.5", kCl100k}, {"gpt-35", kCl100k}, {"text-embedding-3", kCl100k},
    {"text-embedding-ada", kCl100k},
    {"gemma-3", like_o200k(kGemma3)}, {"gemma3", like_o200k(kGemma3)}, {"gemma-3n", like_o200k(kGemma3)},
    {"llama-3", like_o200k(kLlama3)}, {"llama3", like_o200k(kLlama3)},
    {"qwen3", like_o200k(kQwen3)},
    {"deepseek", like_o200k(kDeepSeek)},
};

}  // namespace

Tokenizer tokenizer_of(std::string_view model) noexcept {
  for (const Row& row : kRows) {
    if (find_word(model, row.word) != std::string_view::npos) return row.tokenizer;
  }
  if (const std::size_t at = find_word(model, "claude"); at != std::string_view::npos) {
    return like_o200k(is_later_claude(model.substr(at)) ? kLaterClaude : kClaude);
  }
  return like_o200k({});
}

std::uint64_t estimate(const TokenClassCounts& classes, const Tokenizer& tokenizer) noexcept {
  const auto& weights = tokenizer.vocabulary == Vocabulary::kCl100k ? kWeightsCl100k : kWeightsO200k;
  std::uint64_t parts = 0;  // of a token and per cent; 4 TB of text would not overflow it
  for (std::size_t i = 0; i != kTokenClasses; ++i) {
    parts += classes.counts[i] * weights[i] * percent(tokenizer.scale, static_cast<TokenClass>(i));
  }
  return std::min(classes.bytes, part_up(parts, 1, kWeightUnit * 100));
}

std::uint64_t estimate(std::string_view text, const Tokenizer& tokenizer) noexcept {
  return estimate(count_token_classes(text), tokenizer);
}

std::uint64_t reserve(std::uint64_t bytes, std::uint64_t estimate, std::uint64_t messages) noexcept {
  const std::uint64_t framing = messages > kMax / kPerMessage ? kMax : messages * kPerMessage;
  return plus(std::min(bytes, part_up(estimate, 5, 4)), framing);
}

std::uint64_t at_least(std::uint64_t bytes, std::uint64_t estimate) noexcept {
  const std::uint64_t measured = estimate / 100 * kLeastPercent + estimate % 100 * kLeastPercent / 100;
  return std::max(part_up(bytes, 1, kLongestToken), measured);
}

}  // namespace sluice::chat::tokens
