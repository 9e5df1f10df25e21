#pragma once
/// What may be kept of what was said. Knows the options, the redactors and the mask; must not know who gathered the
/// texts nor who reads them.

#include <optional>
#include <span>

#include "sluice/outcome.hpp"
#include "sluice/telemetry.hpp"
#include "telemetry/secret_mask.hpp"

namespace sluice::telemetry {

/// Makes what was gathered fit to be given away, in this order: parts that `options` does not ask for are dropped,
/// every text goes through the redactors and the mask, and only then each part is cut to options.content_bytes. Roles,
/// names and ids count, and 16 bytes for each message and call. A text is cut between two characters, and what follows
/// it goes; a tool call's arguments are a document: they stay whole or go. What was cut leaves `truncated`. Where a
/// redactor throws, nothing but that mark is left, and it gives false. With no part asked for there is no content.
bool keep_content(std::optional<Content>& content, const TelemetryOptions& options, std::span<const Redactor> redactors,
                  const SecretMask& mask);

}  // namespace sluice::telemetry
