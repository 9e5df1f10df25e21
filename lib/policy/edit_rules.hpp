#pragma once
/// What edits must leave alone, whether a route makes them or a plugin: fields the gateway writes itself, credentials,
/// members it reads. Knows names; must not know who edits, nor where that stands in a configuration.

#include <string_view>

#include "sluice/error.hpp"

namespace sluice::policy {

/// Which way a message goes. What carries a credential is the upstream's own matter; an answer carries none.
enum class Towards : std::uint8_t { kUpstream, kCaller };

/// Whether edits may set, add or remove the field. Errors: kInvalidConfiguration, worded to stand behind the place it is about.
[[nodiscard]] Status may_edit_field(std::string_view name, Towards towards);

/// Whether edits may set or remove what stands at this JSON Pointer of a request. Errors: as above.
[[nodiscard]] Status may_edit_member(std::string_view pointer);

/// True where `pointer` is `upper`, or leads into it.
[[nodiscard]] bool covers(std::string_view upper, std::string_view pointer) noexcept;

}  // namespace sluice::policy
