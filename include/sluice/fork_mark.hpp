#pragma once
/// Tells a child of fork from the process it came from. Knows pages and process ids; must not know what a child may do.

namespace [[gnu::visibility("default")]] sluice {

/// Remembers the process that made it. Where the system can wipe a page in every child (Linux), asking costs a load
/// instead of a system call. Thread: any, concurrently.
class ForkMark {
 public:
  ForkMark() noexcept;
  ForkMark(const ForkMark&) = delete;
  ForkMark& operator=(const ForkMark&) = delete;
  ~ForkMark();

  [[nodiscard]] bool in_child() const noexcept { return page_ != nullptr ? *page_ == 0 : in_other_process(); }

 private:
  [[nodiscard]] bool in_other_process() const noexcept;

  long pid_;
  volatile unsigned char* page_ = nullptr;  // 1 here, 0 in a child; null: there is no such page
};

}  // namespace sluice
