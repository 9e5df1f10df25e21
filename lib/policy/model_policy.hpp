#pragma once
/// Decides which model is asked for and which upstreams of the route may serve it: intents, allow-lists, defaults.
/// Pure: no I/O, no clock.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/error.hpp"
#include "sluice/route.hpp"
#include "sluice/upstream.hpp"

namespace sluice::policy {

/// One upstream that may serve the request, and the model name it would be sent.
struct Choice {
  std::size_t target = 0;      ///< index in Route::upstreams
  std::string model;           ///< empty: send what the request says, if anything (so its bytes stay as they are)
  std::string why;             ///< "intent @openai/gpt-4o-mini", "serves 'gpt-4o'"
};

struct Decision {
  std::string requested;       ///< as the caller said it; empty where absent
  std::string note;            ///< what the policy did, for Outcome::model_note
  bool pinned = false;         ///< `@provider/model`: no other upstream may ever be tried
  std::vector<Choice> choices; ///< in the route's order; never empty
};

/// The upstream of each target, by index. `allowed_for_consumer` = union of its groups' allow-lists; empty = any.
struct ModelQuestion {
  const Route* route = nullptr;
  std::span<const Upstream* const> upstreams;     ///< parallel to route->upstreams
  std::span<const std::string> allowed_for_consumer;
  bool present = false;                           ///< the request names a model
  std::string_view model;
};

/// Errors: kInvalidModel (malformed intent, 400), kModelNotAllowed (403, names the model and the rule).
/// Acceptance: ROUTE-09, 10, 11, 16-20.
[[nodiscard]] Result<Decision> decide_model(const ModelQuestion& question);

}  // namespace sluice::policy
