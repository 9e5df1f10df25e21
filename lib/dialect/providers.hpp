#pragma once
/// Providers as data: a row each. Quirks are named flags with their source.

#include <cstdint>
#include <span>
#include <string_view>

#include "dialect/dialect.hpp"

namespace sluice::dialect {

enum class AuthStyle : std::uint8_t { kNone, kBearer, kApiKeyHeader, kXApiKeyHeader, kGoogApiKeyHeader, kSubscriptionKeyHeader };

/// Which token grants a provider takes in place of a key. Bits.
enum TokenGrant : std::uint32_t {
  kNoGrant = 0,
  kEntraGrant = 1,           ///< Microsoft Entra's, for a client (Upstream::entra)
  kServiceAccountGrant = 2,  ///< Google's, for a service account (Upstream::service_account)
};

/// Where a provider departs from its dialect. Bits.
enum Quirk : std::uint32_t {
  kNoQuirk = 0,
  kRefusesStreamOptions = 1,   ///< 4xx on stream_options: usage is not asked for; its streams state it unasked, or nobody does
  kMaxTokens = 2,              ///< knows the older `max_tokens` alone, where a translated request would say max_completion_tokens
  kShortToolIds = 4,           ///< ids of tool calls are nine letters and digits; others are 4xx
  kRandomSeed = 8,             ///< `random_seed` in place of `seed`
  kKnownFieldsOnly = 16,       ///< 4xx on fields it does not know: user, store, logit_bias, service_tier, verbosity, logprobs
  kNoDeveloperRole = 32,       ///< 4xx on the role `developer`
  kOwnMembersOnly = 128,       ///< 4xx on members that other servers of the dialect have: cache_control, input_type. Only what was translated has them
  kDeployments = 64,           ///< the model stands in the path: `/openai/deployments/{model}/chat/completions`
  kEmbedsByPredict = 1 << 8,   ///< Vertex AI: embeddings are asked of `:predict`, as instances
  kCountsAtRoot = 1 << 9,      ///< Vertex AI: countTokens takes tools and the like at its root, not in a generateContentRequest
  // Hosts of Anthropic's models that have the model in the path: the body says `anthropic_version` in its place. They have chat alone.
  kBodyForVertex = 1 << 10,    ///< `stream` stays in the body (recorded so)
  kBodyForBedrock = 1 << 11,   ///< `stream` is in the path, too
  kModelInPath = kDeployments | kBodyForVertex | kBodyForBedrock,
  kRewrites = kShortToolIds | kRandomSeed | kKnownFieldsOnly | kNoDeveloperRole,  ///< even a caller's own dialect is written anew
};

struct Provider {
  std::string_view name;        ///< `groq`
  std::string_view label;       ///< for people: "Groq"
  std::string_view dialect;     ///< `openai`
  std::string_view url;         ///< base URL, perhaps with `{region}`; empty where the configuration must give one
  AuthStyle auth;
  std::uint32_t quirks;
  std::string_view request_id_header;  ///< where answers carry the provider's request id
  /// A second dialect the same base URL serves: `openai-responses`. A caller who speaks it is answered in it, byte for byte,
  /// rather than translated. Empty: none is known.
  std::string_view alternate = {};
  std::uint32_t grants = kNoGrant;
};

/// Its base URL in that region; empty where it has none of its own, or none without a region.
[[nodiscard]] std::string base_url(const Provider& provider, std::string_view region);

/// True where a server with these quirks takes a request of its own dialect as it is.
[[nodiscard]] bool takes_as_it_is(const chat::Request& request, std::uint32_t quirks);

/// Makes the body of a request that passes as it is, in `dialect`, one that servers with these quirks take which have the model
/// in the path. False: there is nothing to be done. Errors: kDuplicateKey; kInvalidRequest for a body that is no object.
[[nodiscard]] Result<bool> fit_to_host(base::EditedBody& body, const json::Document& document, const Dialect& dialect, std::uint32_t quirks);

/// Null where unknown.
[[nodiscard]] const Provider* find_provider(std::string_view name) noexcept;
[[nodiscard]] std::span<const Provider> providers() noexcept;

}  // namespace sluice::dialect
