#pragma once
/// Changes single values of a JSON body and keeps every other byte.

#include <string>
#include <string_view>

#include "base/edit_list.hpp"
#include "json/document.hpp"

namespace sluice::json {

/// Replaces `value` by the JSON text `replacement`.
void replace(base::EditedBody& body, const Value& value, std::string replacement);
/// Sets `key` (decoded) of the object to the JSON text: replaces the value, or inserts the member first.
/// Two calls that both insert into one object are right only through one Inserter; use set() for distinct keys at once.
Status set(base::EditedBody& body, const Value& object, std::string_view key, std::string json_text);
/// Removes a member together with its comma.
void remove(base::EditedBody& body, const Value& parent, const Value& member);
/// Sets or removes by JSON Pointer below `root`; parents that are missing are made (objects only).
/// Errors: kInvalidRequest where the pointer leads through a scalar, kDuplicateKey.
Status set_at(base::EditedBody& body, const Value& root, std::string_view pointer, std::string json_text);
Status remove_at(base::EditedBody& body, const Value& root, std::string_view pointer);

}  // namespace sluice::json
