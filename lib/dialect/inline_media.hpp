#pragma once
/// What a string of a request holds of a medium, or names: a data URL, bare base64, or a place somewhere else. Knows the
/// forms; must not know which field the string stands in.

#include <deque>
#include <string>
#include <string_view>

#include "json/document.hpp"
#include "sluice/request_shape.hpp"

namespace sluice::dialect {

/// The medium of a string. `form` is the type its field means where the string does not say one (`image/*`). What is no
/// URL counts as base64. Upstreams differ in how leniently they read URLs, so that the most lenient reading is judged:
/// space in front of one, and tabs and line breaks within its head, are passed over.
/// Lifetime: the media type is a view of the document's body, of `arena` where the string spells it otherwise, or of
/// `form`. Source: RFC 2397 (data URLs), WHATWG URL 4.4, RFC 6838 4.2 (names of types).
[[nodiscard]] Attachment read_medium(const json::Value& string, std::string_view form, std::deque<std::string>& arena);

/// `text` where it is a media type, in lower case; else empty. Lifetime: `text`, or `arena` where it had to be changed.
[[nodiscard]] std::string_view media_type(std::string_view text, std::deque<std::string>& arena);

}  // namespace sluice::dialect
