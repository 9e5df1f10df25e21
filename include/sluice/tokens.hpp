#pragma once
/// How tokens are counted where no provider has counted them (docs/tokens.md). Plain values.

#include <cstdint>
#include <string>
#include <vector>

namespace [[gnu::visibility("default")]] sluice {

/// A vocabulary whose way of cutting text is known.
enum class TokenEncoding : std::uint8_t {
  kO200kBase,   ///< gpt-4o and later
  kCl100kBase,  ///< gpt-4, gpt-3.5, embeddings
};

/// One vocabulary, out of its file.
struct TokenRanks {
  TokenEncoding encoding = TokenEncoding::kO200kBase;
  /// The ranks: a line each, the token in base64, a space, its rank. Read when a configuration is put in force, and kept in
  /// some 7 MB of memory (o200k) or 3 MB (cl100k).
  std::string file = {};
  /// Globs over the model's name as it is sent to the upstream. Empty: the models that are known to use the encoding.
  std::vector<std::string> models = {};
};

struct TokenOptions {
  /// The first whose models have the name counts. A model of none is estimated from what its text is made of.
  std::vector<TokenRanks> ranks = {};
  /// Estimates are corrected by what upstreams reported before, for each upstream and model on its own.
  bool learn = true;
};

/// What was learned of one model at one upstream: what it reports for each token that was estimated.
struct TokenCorrection {
  std::string upstream, model;
  double input = 1, output = 1;  ///< 0.5 to 4; applied once there were 8 samples
  std::uint64_t input_samples = 0, output_samples = 0;
};

}  // namespace sluice
