// The shared, immutable request body.

#include "sluice/body.hpp"

#include <cstring>
#include <utility>

namespace sluice {

Body Body::copy(std::string_view bytes) {
  if (bytes.empty()) return {};
  std::shared_ptr<char[]> memory(new char[bytes.size() + kPadding]);
  std::memcpy(memory.get(), bytes.data(), bytes.size());
  std::memset(memory.get() + bytes.size(), 0, kPadding);
  const char* data = memory.get();
  return Body(std::move(memory), data, bytes.size());
}

Body Body::adopt(const char* data, std::size_t size, std::function<void()> release) {
  std::shared_ptr<const void> owner(data, [release = std::move(release)](const void*) {
    if (release) release();
  });
  return Body(std::move(owner), data, size);
}

Body Body::from(std::string&& text) {
  if (text.empty()) return {};
  const std::size_t size = text.size();
  // Growing inside the capacity neither allocates nor copies; the padding then is real, zeroed memory of the string.
  if (text.capacity() < size + kPadding) text.reserve(size + kPadding);
  text.resize(size + kPadding, '\0');
  auto owner = std::make_shared<const std::string>(std::move(text));
  const char* data = owner->data();
  return Body(std::move(owner), data, size);
}

}  // namespace sluice
