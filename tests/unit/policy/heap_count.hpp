#pragma once
/// What a thread of this test program has asked the heap for: its operator new is replaced by one that counts.

#include <cstddef>

/// How often this thread has taken memory so far.
[[nodiscard]] std::size_t allocations() noexcept;
