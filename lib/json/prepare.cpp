// simdjson looks for the fastest of its implementations, and keeps it.

#include "json/prepare.hpp"

#include <simdjson.h>

namespace sluice::json {

void prepare() noexcept { [[maybe_unused]] const bool valid = simdjson::validate_utf8("", 0); }

}  // namespace sluice::json
