// The program's operator new is replaced by one that counts.

#include "unit/plugin/allocations.hpp"

#include <cstdlib>
#include <new>

namespace {
thread_local std::size_t asked = 0;
}

std::size_t allocations() noexcept { return asked; }

void* operator new(std::size_t size) {
  ++asked;
  if (void* const memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++asked;
  return std::malloc(size ? size : 1);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
