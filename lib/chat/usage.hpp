#pragma once
/// Tokens an exchange read and wrote. Knows how counts of one answer add up; must not know any provider's field names.

#include <cstdint>
#include <optional>
#include <string>

#include "sluice/outcome.hpp"

namespace sluice::chat {

using Usage = sluice::Usage;

/// True where no count is known at all.
[[nodiscard]] bool empty(const Usage& usage) noexcept;

/// What is known after `later`: streams state usage more than once, each time cumulatively, so a later count replaces
/// an earlier one and an absent one leaves it alone. Counts are never added and never the larger of two.
void merge(Usage& usage, const Usage& later) noexcept;

/// `a + b` for two answers that were both paid for (a retry, a hedge); unknown + known = known.
[[nodiscard]] Usage sum(const Usage& a, const Usage& b) noexcept;

/// Everything read and written: as the provider states it, else input + output, else nothing.
[[nodiscard]] std::optional<std::uint64_t> total(const Usage& usage) noexcept;

/// Input that was read at full price: what came from no cache. Nothing where the input is unknown.
[[nodiscard]] std::optional<std::uint64_t> uncached_input(const Usage& usage) noexcept;

/// `12 in (4 cached), 30 out (9 reasoning)`, for logs and explain.
[[nodiscard]] std::string describe(const Usage& usage);

}  // namespace sluice::chat
