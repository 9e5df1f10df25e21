#pragma once
/// What all that read streams of the OpenAI dialect agree on: where a stream ends, what is no event of it, and which tool
/// call a fragment belongs to. Private to the room.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/error.hpp"

namespace sluice::dialect::openai_parts {

/// True for `[DONE]`, which ends a stream.
[[nodiscard]] bool is_done(std::string_view data) noexcept;
/// Obfuscation against traffic analysis: it belongs to the bytes it came with.
[[nodiscard]] bool is_padding(std::string_view key) noexcept;
/// The data of an event is no JSON object: says so with a piece of what came.
[[nodiscard]] Error no_event(std::string_view data);

/// How a call stands on the wire.
enum class CallShape : std::uint8_t { kFunction, kCustom, kLegacy };

/// The tool calls of one choice, numbered in the order they began.
class ToolCalls {
 public:
  struct Call {
    std::optional<std::int64_t> wire_index = std::nullopt;
    std::string id = {};
    CallShape shape = CallShape::kFunction;
  };
  struct Joined {
    std::uint32_t index;
    bool begins;
  };
  /// Which call a fragment belongs to. An id that is new begins a call whatever its index says (servers were seen to
  /// number every call 0); without an id the index decides, and without both the fragment joins the call that is open,
  /// unless it has a name.
  Joined join(std::string_view id, std::optional<std::int64_t> wire_index, bool named, CallShape shape);
  /// The older `function_call`, of which a choice has one.
  Joined join_legacy();
  /// A call of its own, whatever is said of it: in whole answers.
  std::uint32_t begin(std::string_view id, std::optional<std::int64_t> wire_index, CallShape shape);

  [[nodiscard]] std::size_t size() const noexcept { return calls_.size(); }
  [[nodiscard]] const Call& operator[](std::size_t index) const noexcept { return calls_[index]; }
  /// True where a fragment with the call's wire index and no id joins that call; else it must say its id too.
  [[nodiscard]] bool found_by_index(std::size_t index) const noexcept;

 private:
  std::vector<Call> calls_;
  std::optional<std::uint32_t> legacy_;
};

}  // namespace sluice::dialect::openai_parts
