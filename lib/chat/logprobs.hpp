#pragma once
/// How probable the tokens of an answer were.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::chat {

struct TokenLogprob {
  std::string token = {};
  double logprob = 0;
  std::optional<std::vector<std::uint8_t>> bytes = std::nullopt;  ///< where the token is no whole character
  std::vector<TokenLogprob> top = {};  ///< the most probable tokens at this place; their own `top` is empty
  friend bool operator==(const TokenLogprob&, const TokenLogprob&) = default;
};

/// Token by token, for the text and for the refusal.
struct Logprobs {
  std::vector<TokenLogprob> content = {}, refusal = {};
  friend bool operator==(const Logprobs&, const Logprobs&) = default;
};

}  // namespace sluice::chat
