// What a stream of this dialect is made of, for its readers.

#include "dialect/openai_stream.hpp"

#include <algorithm>

#include "dialect/chunk.hpp"
#include "dialect/excerpt.hpp"

namespace sluice::dialect::openai_parts {

bool is_done(std::string_view data) noexcept {
  constexpr std::string_view kDone = "[DONE]";
  const std::size_t first = chunk::skip_blanks(data, 0);
  return data.substr(first).starts_with(kDone) && chunk::skip_blanks(data, first + kDone.size()) == data.size();
}

bool is_padding(std::string_view key) noexcept { return key == "obfuscation" || key == "p"; }

Error no_event(std::string_view data) {
  return make_error(Code::kUpstreamInvalidAnswer, "an event of the upstream's stream is no JSON object; it begins with \"" +
                                                      excerpt(data, 80) + "\"");
}

ToolCalls::Joined ToolCalls::join(std::string_view id, std::optional<std::int64_t> wire_index, bool named, CallShape shape) {
  const auto by = [this](auto same) {
    const auto found = std::find_if(calls_.rbegin(), calls_.rend(), same);
    return found == calls_.rend() ? -1 : static_cast<std::ptrdiff_t>(calls_.rend() - found) - 1;
  };
  std::ptrdiff_t at = -1;
  if (!id.empty()) {
    at = by([&](const Call& call) { return call.id == id; });
  } else if (wire_index) {
    at = by([&](const Call& call) { return call.wire_index == wire_index; });
  } else if (!named) {
    at = static_cast<std::ptrdiff_t>(calls_.size()) - 1;
  }
  if (at >= 0) return {static_cast<std::uint32_t>(at), false};
  return {begin(id, wire_index, shape), true};
}

ToolCalls::Joined ToolCalls::join_legacy() {
  if (legacy_) return {*legacy_, false};
  legacy_ = begin({}, std::nullopt, CallShape::kLegacy);
  return {*legacy_, true};
}

std::uint32_t ToolCalls::begin(std::string_view id, std::optional<std::int64_t> wire_index, CallShape shape) {
  calls_.push_back({wire_index, std::string(id), shape});
  return static_cast<std::uint32_t>(calls_.size() - 1);
}

bool ToolCalls::found_by_index(std::size_t index) const noexcept {
  const Call& call = calls_[index];
  return call.wire_index && std::none_of(calls_.begin() + static_cast<std::ptrdiff_t>(index) + 1, calls_.end(),
                                         [&](const Call& later) { return later.wire_index == call.wire_index; });
}

}  // namespace sluice::dialect::openai_parts
