#pragma once
// How often this thread has asked for memory. In a file of its own: where the compiler sees new and delete replaced beside
// their use, it takes them for a mismatched pair.

#include <cstddef>

std::size_t allocations() noexcept;
