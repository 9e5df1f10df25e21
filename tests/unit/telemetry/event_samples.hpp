#pragma once
/// Accounts of exchanges as they happen, and accounts as no exchange could leave them: what tests, the golden lines and
/// the page about telemetry are made of.

#include <optional>
#include <string>
#include <vector>

#include "sluice/outcome.hpp"
#include "sluice/random.hpp"
#include "telemetry/event.hpp"

namespace sluice::tests {

struct EventSample {
  std::string name;
  Outcome outcome;
  std::string key_id = {};
  std::string client_address = {};
  std::optional<telemetry::Trace> trace = {};

  [[nodiscard]] std::string line(const telemetry::SecretMask* mask = nullptr) const;
};

/// One of each kind; `everything` has every field there is.
[[nodiscard]] std::vector<EventSample> event_samples();
[[nodiscard]] EventSample event_sample(const std::string& name);

/// Any combination of fields, with texts of any bytes and numbers of any size.
[[nodiscard]] EventSample random_sample(Random& random);

}  // namespace sluice::tests
