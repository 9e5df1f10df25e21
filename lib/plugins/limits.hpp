#pragma once
/// The plugin `limits`: refuses requests and answers that are too large, by what they are made of. Knows the counts of a
/// request (RequestShape) and the lengths of texts; must not know how a dialect counts, nor any JSON.

#include <memory>
#include <string>

#include "sluice/error.hpp"
#include "sluice/plugin.hpp"
#include "sluice/plugin_use.hpp"

namespace sluice::plugins {

/// A guard that judges each request once, and answers only where response_bytes is set: without it, answers pass as bytes.
/// It reports each bound that is passed as a Detection (`size.messages`), and fails with the first: in the order of
/// LimitsPlugin's members. Of an answer it says so once.
/// Errors: kInvalidConfiguration where no bound is set, where one would let nothing through, where one can never be reached
/// because of another, and for a media type that none fits; `param` is a JSON Pointer relative to the settings.
[[nodiscard]] Result<std::shared_ptr<const Plugin>> make_limits(std::string name, const LimitsPlugin& settings);

}  // namespace sluice::plugins
