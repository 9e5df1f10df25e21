#pragma once
/// What the inspection of a request and its measuring have in common. Private to the room.

#include "chat/request_view.hpp"
#include "json/document.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect::anthropic_parts {

/// The root members a shape is counted in. Absent ones stay absent; none stands twice.
struct Measured {
  json::Value system = {}, messages = {}, tools = {};
};
/// Fills view.shape, all but its depth (anthropic_shape.cpp). Texts and media are counted where they stand.
/// Errors: kInvalidParameter where `tools` is no list; kDuplicateKey where a message or a block says twice what is counted.
[[nodiscard]] Status measure(const Measured& fields, chat::RequestView& view);

}  // namespace sluice::dialect::anthropic_parts
