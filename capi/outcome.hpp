#pragma once
/// An account behind its C handle: a caller's own, or one that is lent for the time of a callback.

#include <memory>

#include "sluice/outcome.h"
#include "sluice/outcome.hpp"

struct sluice_outcome {
  const sluice::Outcome* outcome = nullptr;
  std::unique_ptr<sluice::Outcome> owned;   // null: lent
};
