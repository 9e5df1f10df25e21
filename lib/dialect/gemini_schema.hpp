#pragma once
/// Schemas in the words of OpenAPI, as `parameters` and `responseSchema` have them, told as JSON Schema. Private to the room.
/// Knows schemas; must not know what one is for.

#include <string>

#include "json/document.hpp"

namespace sluice::dialect::gemini_parts {

/// The same schema as JSON Schema: types in lower case (`OBJECT`), `nullable` as one more type, members in camelCase. What is
/// JSON Schema already stays as it is.
[[nodiscard]] std::string json_schema(const json::Value& schema);

}  // namespace sluice::dialect::gemini_parts
