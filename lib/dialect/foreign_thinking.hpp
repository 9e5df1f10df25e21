#pragma once
/// Carries a model's signed or encrypted thinking through clients of a dialect that has one opaque string for it: a provider
/// that signs its thinking wants it back to the byte. Knows how such a string is marked as somebody else's; must not know
/// what is in it.

#include <string>
#include <string_view>

#include "chat/content.hpp"

namespace sluice::dialect {

/// The signature or the redacted data as one string; empty where there is neither.
[[nodiscard]] std::string seal(const chat::Thinking& thinking);
/// True where `text` came from seal(): what it carried is put back. False: it is the dialect's own.
[[nodiscard]] bool unseal(std::string_view text, chat::Thinking& thinking);

}  // namespace sluice::dialect
