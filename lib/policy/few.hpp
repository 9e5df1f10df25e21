#pragma once
/// A list that is nearly always short: the first N elements need no heap. For trivially copyable elements.

#include <array>
#include <cstddef>
#include <type_traits>
#include <vector>

namespace sluice::policy {

template <typename T, std::size_t N>
class Few {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  void push(T value) {
    if (size_ < N) {
      inline_[size_] = value;
    } else {
      if (size_ == N) spilled_.assign(inline_.begin(), inline_.end());
      spilled_.push_back(value);
    }
    ++size_;
  }
  /// Takes element i out; the last one moves to its place.
  void remove(std::size_t i) noexcept {
    data()[i] = data()[size_ - 1];
    --size_;
    if (size_ > N) {
      spilled_.pop_back();
    } else if (size_ == N) {  // short again: back to where short lists live
      for (std::size_t k = 0; k < N; ++k) inline_[k] = spilled_[k];
    }
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] T* begin() noexcept { return data(); }
  [[nodiscard]] T* end() noexcept { return data() + size_; }
  [[nodiscard]] const T* begin() const noexcept { return size_ > N ? spilled_.data() : inline_.data(); }
  [[nodiscard]] const T* end() const noexcept { return begin() + size_; }
  [[nodiscard]] T& operator[](std::size_t i) noexcept { return data()[i]; }

 private:
  [[nodiscard]] T* data() noexcept { return size_ > N ? spilled_.data() : inline_.data(); }
  std::array<T, N> inline_;  // elements past size_ are not read
  std::size_t size_ = 0;
  std::vector<T> spilled_;   // all of them, once there are more than N
};

}  // namespace sluice::policy
