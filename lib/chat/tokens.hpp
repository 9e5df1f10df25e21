#pragma once
/// How many tokens a text has, estimated without a vocabulary: weighed classes of characters. For routing, reservations
/// and counting streams whose server states no usage; never passed off as a count (docs/tokens.md says how wrong it is).
/// Knows weights, and what is known of models' vocabularies from their names; must not know requests, budgets or prices.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "chat/token_classes.hpp"

namespace sluice::chat::tokens {

/// A vocabulary that weights were fitted to.
enum class Vocabulary : std::uint8_t {
  kO200k,   ///< gpt-4o and later
  kCl100k,  ///< gpt-4, gpt-3.5, embeddings
};

/// What a model's tokens come to for one of the vocabulary's, in per cent, by what they stand for. 100: as many.
struct Scale {
  std::uint16_t words = 100;   ///< Latin words, and all that has no number of its own
  std::uint16_t code = 100;    ///< punctuation, humps, line ends, indents
  std::uint16_t digits = 100;
  std::uint16_t kana = 100;
  std::uint16_t hangul = 100;
  std::uint16_t han = 100;
  std::uint16_t indic = 100;
  friend bool operator==(const Scale&, const Scale&) = default;
};

/// How a model cuts text, as far as its name tells.
struct Tokenizer {
  Vocabulary vocabulary = Vocabulary::kO200k;
  Scale scale = {};
  bool fitted = true;  ///< the weights are of this very vocabulary: the bounds below hold as measured
  friend bool operator==(const Tokenizer&, const Tokenizer&) = default;
};

/// The tokenizer of a model, by its name as providers write it: any case, behind a provider's prefix (`openai/gpt-4o`),
/// with a date or version behind it. A name that is not known is taken for o200k, not fitted.
[[nodiscard]] Tokenizer tokenizer_of(std::string_view model) noexcept;

/// Tokens of a text of these classes: the nearest guess, in whole tokens. 0 for no text; never more than its bytes,
/// for each token stands for a byte at least. Never less where text was appended. Integers only: the same everywhere.
/// It counts text alone, not what a chat puts around a message, nor images or tools as a provider renders them.
[[nodiscard]] std::uint64_t estimate(const TokenClassCounts& classes, const Tokenizer& tokenizer) noexcept;
[[nodiscard]] std::uint64_t estimate(std::string_view text, const Tokenizer& tokenizer) noexcept;

/// What to set aside for `messages` messages whose texts are `bytes` long and come to `estimate` tokens: no measured
/// window needed more. A quarter more than the estimate, but not more than the bytes, and for each message 8 tokens for
/// what a chat puts around it, which no byte of the text stands for. Saturates instead of wrapping.
[[nodiscard]] std::uint64_t reserve(std::uint64_t bytes, std::uint64_t estimate, std::uint64_t messages) noexcept;

/// What a text of `bytes` bytes and `estimate` tokens has at least: the share of the estimate that no measured window fell
/// below, and a token for each 128 bytes. For choosing a model by its context, not for refusing a request: a text that is
/// one character over and over has fewer.
[[nodiscard]] std::uint64_t at_least(std::uint64_t bytes, std::uint64_t estimate) noexcept;

}  // namespace sluice::chat::tokens
