// The operator new of this test program: malloc, counted.

#include "heap_count.hpp"

#include <cstdlib>
#include <new>

namespace {
thread_local std::size_t taken = 0;
}

std::size_t allocations() noexcept { return taken; }

void* operator new(std::size_t size) {
  ++taken;
  if (void* const memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++taken;
  return std::malloc(size ? size : 1);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
