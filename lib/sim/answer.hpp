#pragma once
/// The words of an answer in the OpenAI dialect: templates of our own, after what the real service was recorded to say.
/// What is said, and whole bodies as they are printed there (indented). Knows no time, no fault, no connection.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/asked.hpp"
#include "sim/script.hpp"

namespace sluice::sim {

/// One choice of a chat or completion answer, complete.
struct Choice {
  std::string text;                              ///< content, or the refusal
  bool refusal = false;
  std::vector<testing::ScriptedToolCall> tools;  ///< with ids; not empty = the content is null
  std::uint64_t tokens = 0;
  std::string_view finish = "stop";
};

struct Counts {
  std::uint64_t input = 0, cached = 0, output = 0;
};

/// Everything an answer says, decided before its first byte.
struct Composition {
  Asked asked;
  std::shared_ptr<const Settings> settings;
  std::string id, fingerprint;
  std::int64_t created = 0;       ///< seconds of the civil time
  std::vector<Choice> choices;    ///< chat and completions
  Counts counts;
};

/// Decides what to say. A request for a model the script does not serve gets a problem.
[[nodiscard]] Composition compose(Asked asked, std::shared_ptr<const Settings> settings, Random& random, std::int64_t created);

/// The body of an answer that is not streamed.
[[nodiscard]] std::string whole_answer(const Composition& what);

/// An error as the service words it; empty param and code are null.
[[nodiscard]] std::string error_answer(std::string_view message, std::string_view type, std::string_view param, std::string_view code);
/// The error this status usually comes with.
[[nodiscard]] std::string status_answer(int status);

}  // namespace sluice::sim
