#pragma once
/// `regex_replace`: replaces what patterns fit, in texts of the prompt, of the answer, or both. Knows which texts there are;
/// must not know how a match is made (replace_stream.hpp says what counts as one).
///
/// Each rule reads what the one before it has made. A prompt is read part by part, whoever said it. Of an answer, each
/// choice is read by itself, and in it what is said, what is thought and what is refused, each for itself. The arguments of
/// tool calls are left alone: they are JSON, and what takes the place of a piece of JSON is seldom JSON. A streamed answer
/// reads as a whole one does, however it was cut; text that may yet become a match is held back until that is decided, and
/// what is left of it comes at the end of the answer, in the order in which its texts began.
///
/// The first match of a rule in each text is reported: `rule.0` and the like, at `prompt[2]`, `answer.text`,
/// `answer.reasoning` or `answer.refusal`.

#include <memory>
#include <string>

#include "sluice/error.hpp"
#include "sluice/plugin.hpp"
#include "sluice/plugin_use.hpp"

namespace sluice::plugins {

/// Largest RegexReplacePlugin::max_match_bytes.
inline constexpr std::uint32_t kMostMatchBytes = 16 * 1024;

/// Errors: kInvalidConfiguration, with the JSON Pointer below the settings in `param`: no rule, or nothing it is for; a
/// bound of 0 or beyond kMostMatchBytes; a pattern or replacement as ReplaceRule::compile says.
[[nodiscard]] Result<std::shared_ptr<const Plugin>> make_regex_replace(std::string name, const RegexReplacePlugin& settings);

}  // namespace sluice::plugins
