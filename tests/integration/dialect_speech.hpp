#pragma once
// How clients of each dialect ask and hear, in a few fields that mean the same everywhere. Written for the tests alone, from
// the dialects' own documents: nothing of the library's dialects is used, so that a mistake there cannot hide here.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/sluice.hpp"

namespace sluice::test {

struct SpokenCall {
  std::string id = {}, name = {};
  std::string arguments = {};  ///< JSON with its members sorted and blanks taken out
  friend bool operator==(const SpokenCall& a, const SpokenCall& b) { return a.name == b.name && a.arguments == b.arguments; }
};

/// What an answer says, once it has been heard whole.
struct Heard {
  std::string text = {}, thinking = {};
  std::vector<SpokenCall> calls = {};
  std::string finish = {};  ///< the dialect's own word
  std::optional<std::int64_t> input = {}, output = {};
  bool ended = false;       ///< the answer, or the stream, came to the end its dialect prescribes
  std::size_t events = 0;   ///< of a stream: with data
  bool gaps = false;        ///< events are numbered, and not without a gap
  std::string mistake = {}; ///< what of its dialect's grammar it broke first; empty: nothing
};

/// What is asked, in no dialect.
struct Ask {
  std::string model = "m";
  bool stream = false;
  std::string system = {}, user = "Hello";
  bool tools = false;              ///< offers `weather(city)` and `clock()`
  bool history = false;            ///< the user asked, `weather` was called twice in one turn (Rome, Oslo), both results are in
  std::optional<int> max_tokens = 64;
  bool image = false;              ///< the user's turn holds a PNG, inline
};

/// A client's dialect.
struct Speech {
  std::string_view name;
  Request (*ask)(const Ask&);
  Heard (*hear)(std::string_view body, bool stream);
  std::string_view stop, length, tool_calls;  ///< its finish reasons
};

[[nodiscard]] const std::vector<Speech>& speeches();
[[nodiscard]] const Speech& speech(std::string_view name);

/// JSON in one spelling; for what is none, the text itself behind a `!`.
[[nodiscard]] std::string canonical_json(std::string_view json);

}  // namespace sluice::test
