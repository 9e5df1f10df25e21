#pragma once
/// `transform`: sets, adds and removes header fields and body values. Knows edits; must not know which dialect a body
/// is of.
///
/// The order is that of a route's own edits: remove, then set, then add; of the body remove, then set, each by JSON
/// Pointer, every other byte kept. `add` puts a value beside those that are there, as one field with its values in a list
/// (RFC 9110, 5.3), which means the same as a second field of the name. `set-cookie` is the one field of which that is not
/// true: to add it is refused at load. Edits of answers are made to every answer that has a head, errors of upstreams too.
///
/// A request whose body its edits do not fit (the pointer leads through a text, the body is no JSON) is answered like one that
/// does not fit its route's own edits: with the 400 of the caller, which no fail mode forgives.

#include <memory>
#include <string>

#include "sluice/error.hpp"
#include "sluice/plugin.hpp"
#include "sluice/plugin_use.hpp"

namespace sluice::plugins {

/// Errors: kInvalidConfiguration, with the JSON Pointer below the settings in `param`: nothing to change; a name or value
/// no header field can have; a field or member that is the gateway's own; two edits of one thing; a value that is no JSON.
[[nodiscard]] Result<std::shared_ptr<const Plugin>> make_transform(std::string name, const TransformPlugin& settings);

}  // namespace sluice::plugins
