#pragma once
/// Everything an answer says, decided before its first byte and in no dialect: texts, tool calls, why it ends, counts.
/// Knows what was asked and what the script says; must not know words, time or faults.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/asked.hpp"
#include "sim/script.hpp"

namespace sluice::sim {

/// Why a choice ends.
enum class Ending : std::uint8_t { kStop, kLength, kToolCalls, kRefusal };

/// One choice of a chat or completion answer, complete.
struct Choice {
  std::string text;                              ///< content, or the refusal
  bool refusal = false;
  std::vector<testing::ScriptedToolCall> tools;  ///< not empty = there is no text
  std::uint64_t tokens = 0;
  Ending ending = Ending::kStop;
};

struct Counts {
  std::uint64_t input = 0, cached = 0, output = 0;  ///< the cached ones are among the input
};

struct Composition {
  Asked asked;
  std::shared_ptr<const Settings> settings;
  std::string name, fingerprint;  ///< 29 and 10 characters out of [0-9A-Za-z], for ids
  std::int64_t created = 0;       ///< seconds of the civil time
  std::vector<Choice> choices;    ///< chat and completions
  Counts counts;
};

/// What ids of tool calls look like where the script leaves them open; size 0 = calls have none.
struct CallIds {
  std::string_view prefix;
  std::size_t size = 24;
};

/// Decides what to say.
[[nodiscard]] Composition compose(Asked asked, std::shared_ptr<const Settings> settings, const CallIds& ids, Random& random,
                                  std::int64_t created);

/// Whether the script serves this model; one that names none serves all.
[[nodiscard]] bool serves(const Settings& settings, std::string_view model);

/// A direction of length one that the text alone decides: equal texts are equal vectors, whoever asks and when. As many
/// dimensions as were asked for, or as the script says.
[[nodiscard]] std::vector<float> embed(std::string_view text, const Composition& what);
/// The floats as the wire has them: little-endian, 4 bytes each, whatever this machine's order is.
[[nodiscard]] std::string little_endian(const std::vector<float>& vector);

}  // namespace sluice::sim
