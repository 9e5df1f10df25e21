#pragma once
/// What the inspection of a Responses request and its measuring have in common. Private to the room.

#include "chat/request_view.hpp"
#include "json/document.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect::responses_parts {

/// The root members a shape is counted in. Absent ones stay absent; none stands twice.
struct Measured {
  json::Value instructions = {}, input = {}, tools = {}, prompt = {};
};
/// Fills view.shape, all but its depth (responses_shape.cpp). Texts and media are counted where they stand.
/// Errors: kInvalidParameter where `tools` is of no type that can be counted; kDuplicateKey where an item or a part says
/// twice what is counted.
[[nodiscard]] Status measure(const Measured& fields, chat::RequestView& view);

}  // namespace sluice::dialect::responses_parts
