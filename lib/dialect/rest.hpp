#pragma once
/// Dialects made of a configuration: servers that no other dialect knows, spoken to by templates. Outbound alone: no client
/// speaks one. Knows what a configuration says; must not know upstreams.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/dialect.hpp"
#include "sluice/rest.hpp"

namespace sluice::dialect {

/// The name under which such a dialect stands in a provider's row.
inline constexpr std::string_view kRest = "rest";

/// What of it cannot be honoured, and where: a JSON Pointer into the section.
struct RestFault {
  std::string pointer, message;
};
[[nodiscard]] std::vector<RestFault> judge_rest(const RestOptions& options);

/// The dialect. `name` is what reports call it. Errors: kInvalidConfiguration with the first fault.
/// Lifetime: the caller's; what it gave out (decoders, taps) must not outlive it.
[[nodiscard]] Result<std::shared_ptr<const Dialect>> make_rest_dialect(std::string_view name, const RestOptions& options);

/// The surface of a provider whose row says kRest; null where its configuration must say it all (`custom`).
/// Lifetime: static.
[[nodiscard]] const RestOptions* find_surface(std::string_view provider) noexcept;
/// True where a provider's surface takes chats as prompts, so that the model's chat template has an effect.
[[nodiscard]] bool takes_prompts(const RestOptions& surface);
/// What is spoken to an upstream of that provider, whose configuration says `own`: a prompt of its own goes before the row's.
[[nodiscard]] RestOptions surface_of(std::string_view provider, const RestOptions& own);

}  // namespace sluice::dialect
