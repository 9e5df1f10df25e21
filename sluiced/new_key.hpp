#pragma once
/// A key for a consumer, made once: the text to hand out, and the entry of a configuration that knows it by its hash alone.
/// Knows how a key looks; keeps none.

#include <string>

#include "sluice/error.hpp"

namespace sluiced {

struct NewKey {
  std::string key;    ///< `sk-sluice-` and 64 hex digits: 256 bits of the system's randomness
  std::string entry;  ///< a consumer as JSON, for the list `consumers`
};

/// A key for the consumer called `name`. Errors: kInvalidConfiguration where no consumer can be called so; kSystem where the
/// system has no randomness.
[[nodiscard]] sluice::Result<NewKey> make_key(const std::string& name);

}  // namespace sluiced
