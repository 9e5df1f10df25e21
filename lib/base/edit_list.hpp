#pragma once
/// Changes to a body that leaves the body alone: an attempt holds one of these over the shared buffer.
/// Knows bytes and ranges; must not know JSON.

#include <sys/uio.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/body.hpp"

namespace sluice::base {

/// A body with splices: ranges replaced by other text. What no splice covers is sent from the shared buffer.
class EditedBody {
 public:
  EditedBody() = default;
  explicit EditedBody(Body original) : original_(std::move(original)), size_(original_.size()) {}

  /// Replaces `length` bytes at `offset` of the *original* by `text`. Splices may come in any order and must not
  /// overlap; two insertions at one offset are kept in the order they came.
  void replace(std::size_t offset, std::size_t length, std::string text);

  [[nodiscard]] const Body& original() const noexcept { return original_; }
  [[nodiscard]] bool edited() const noexcept { return !edits_.empty(); }
  /// Length of the result, in bytes.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// The result as views, in order. Lifetime: this object, unchanged.
  void append_to(std::vector<iovec>& out) const;
  /// Copies up to `capacity` bytes of the result, from `position` on. How many there were.
  std::size_t read(std::size_t position, char* out, std::size_t capacity) const noexcept;
  /// The result as one string; for plugins, tests and explain.
  [[nodiscard]] std::string to_string() const;

 private:
  struct Edit {
    std::size_t offset, length;
    std::string text;
  };
  Body original_;
  std::vector<Edit> edits_;  // ordered by offset
  std::size_t size_ = 0;
};

}  // namespace sluice::base
