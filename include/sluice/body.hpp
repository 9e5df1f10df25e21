#pragma once
/// Request bodies: one reference-counted, immutable buffer that every attempt shares.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace [[gnu::visibility("default")]] sluice {

/// An immutable run of bytes with at least kPadding readable bytes behind it (a JSON parser reads past the end).
/// Copying shares. Thread: any; the bytes never change.
class Body {
 public:
  static constexpr std::size_t kPadding = 64;

  Body() = default;
  /// Copies `bytes` once.
  [[nodiscard]] static Body copy(std::string_view bytes);
  /// Takes the caller's memory: `data` must have kPadding readable bytes after `size`, and stays untouched until
  /// `release` is called, once, from any thread.
  [[nodiscard]] static Body adopt(const char* data, std::size_t size, std::function<void()> release);
  /// Takes `text` without copying it again when its capacity allows for the padding.
  [[nodiscard]] static Body from(std::string&& text);

  [[nodiscard]] std::string_view view() const noexcept { return {data_, size_}; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

 private:
  Body(std::shared_ptr<const void> owner, const char* data, std::size_t size)
      : owner_(std::move(owner)), data_(data), size_(size) {}
  std::shared_ptr<const void> owner_;
  const char* data_ = "";
  std::size_t size_ = 0;
};

}  // namespace sluice
