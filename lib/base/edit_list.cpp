// A body with splices over the shared original.

#include "base/edit_list.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace sluice::base {

void EditedBody::replace(std::size_t offset, std::size_t length, std::string text) {
  assert(offset + length <= original_.size());
  size_ = size_ - length + text.size();
  const auto at = std::upper_bound(edits_.begin(), edits_.end(), offset,
                                   [](std::size_t o, const Edit& edit) { return o < edit.offset; });
  assert(at == edits_.begin() || std::prev(at)->offset + std::prev(at)->length <= offset);
  assert(at == edits_.end() || offset + length <= at->offset);
  edits_.insert(at, Edit{offset, length, std::move(text)});
}

void EditedBody::append_to(std::vector<iovec>& out) const {
  const auto put = [&out](const char* data, std::size_t size) {
    if (size != 0) out.push_back({const_cast<char*>(data), size});
  };
  std::size_t at = 0;
  for (const Edit& edit : edits_) {
    put(original_.view().data() + at, edit.offset - at);
    put(edit.text.data(), edit.text.size());
    at = edit.offset + edit.length;
  }
  put(original_.view().data() + at, original_.size() - at);
}

std::size_t EditedBody::read(std::size_t position, char* out, std::size_t capacity) const noexcept {
  std::size_t written = 0, passed = 0, at = 0;
  // Copies what of [data, data+size) lies behind `position`; `passed` counts the result's bytes seen so far.
  const auto copy = [&](const char* data, std::size_t size) {
    if (passed + size > position && written < capacity) {
      const std::size_t skip = position > passed ? position - passed : 0;
      const std::size_t n = std::min(size - skip, capacity - written);
      std::memcpy(out + written, data + skip, n);
      written += n;
      position += n;
    }
    passed += size;
  };
  for (const Edit& edit : edits_) {
    copy(original_.view().data() + at, edit.offset - at);
    copy(edit.text.data(), edit.text.size());
    at = edit.offset + edit.length;
    if (written == capacity) return written;
  }
  copy(original_.view().data() + at, original_.size() - at);
  return written;
}

std::string EditedBody::to_string() const {
  std::string out(size_, '\0');
  out.resize(read(0, out.data(), out.size()));
  return out;
}

}  // namespace sluice::base
