// A page that is empty in every child.

#include "sluice/fork_mark.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>

namespace sluice {
namespace {

constexpr std::size_t kBytes = 1;  // the system rounds it up to a page

}  // namespace

ForkMark::ForkMark() noexcept : pid_(::getpid()) {
#ifdef MADV_WIPEONFORK
  void* const page = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return;
  if (::madvise(page, kBytes, MADV_WIPEONFORK) != 0) {
    ::munmap(page, kBytes);
    return;
  }
  page_ = static_cast<unsigned char*>(page);
  *page_ = 1;
#endif
}

ForkMark::~ForkMark() {
  if (page_ != nullptr) ::munmap(const_cast<unsigned char*>(page_), kBytes);
}

bool ForkMark::in_other_process() const noexcept { return pid_ != ::getpid(); }

}  // namespace sluice
