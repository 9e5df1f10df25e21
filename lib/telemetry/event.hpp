#pragma once
/// The account of one exchange as its event: one JSON object on one line. Knows the fields, their names and units
/// (docs/telemetry.md); must not know where the line goes.

#include <string>
#include <string_view>

#include "sluice/outcome.hpp"
#include "sluice/telemetry.hpp"
#include "telemetry/secret_mask.hpp"
#include "telemetry/trace.hpp"

namespace sluice::telemetry {

/// What an event tells beside the account. Everything is borrowed for the call.
struct EventContext {
  std::string_view gateway;                ///< its name
  std::string_view key_id = {};            ///< of the key the caller presented (key_id.hpp); empty: none
  std::string_view client_address = {};    ///< as the listener judged it; empty: in process
  const Trace* trace = nullptr;
  const SecretMask* mask = nullptr;        ///< applied to every text of the account
};

/// Appends the event, without a line break. What is unknown or empty is left out; a number is never null and never 0
/// for unknown. A text of more than 2,048 bytes is cut and ends in `...`, but for those of the content, which are
/// written as they stand in the outcome: what may be kept of it is keep_content's to say. The shares of time add up to
/// the total exactly, in microseconds; parts that say more than the total are cut to what is left of it.
/// Cost: some 4,000 instructions for one attempt; allocates only where `out` grows, or a text must be masked or cut.
void write_event(const Outcome& outcome, const EventContext& context, std::string& out);

}  // namespace sluice::telemetry
