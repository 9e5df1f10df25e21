// Where C meets C++: errors, tables and text as they cross.

#include "guard.hpp"

#include <cstdlib>

namespace sluice::capi {
namespace {

thread_local int callbacks = 0;

/// Whether every byte belongs to a code point that may be written: no overlong form, no surrogate, none beyond U+10FFFF.
bool is_utf8(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || text.size() - i <= static_cast<std::size_t>(more)) return false;
    const auto second = static_cast<unsigned char>(text[i + 1]);
    const unsigned lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (second < lowest || second > highest) return false;
    for (int k = 2; k <= more; ++k) {
      if ((static_cast<unsigned char>(text[i + static_cast<std::size_t>(k)]) & 0xC0) != 0x80) return false;
    }
    i += static_cast<std::size_t>(more) + 1;
  }
  return true;
}

}  // namespace

CallbackScope::CallbackScope() noexcept { ++callbacks; }
CallbackScope::~CallbackScope() { --callbacks; }
bool inside_callback() noexcept { return callbacks != 0; }

Status may_wait(const char* what) {
  if (!inside_callback()) return {};
  return fail(Code::kWouldDeadlock, std::string(what) + " waits for the thread this callback runs on; call it from another one");
}

tl::unexpected<Error> null_argument(const char* name) {
  return fail(Code::kInvalidParameter, std::string(name) + " is NULL", name);
}

tl::unexpected<Error> forked() {
  return fail(Code::kForked, "this handle was made in a parent process; make one after the fork");
}

Result<std::string_view> bytes_in(const char* data, std::size_t size, const char* name) {
  if (data == nullptr) {
    if (size != 0) return fail(Code::kInvalidParameter, std::string(name) + " is NULL, and its size is not 0", name);
    return std::string_view();
  }
  return size == SLUICE_NUL_TERMINATED ? std::string_view(data) : std::string_view(data, size);
}

Result<std::string_view> text_in(const char* data, std::size_t size, const char* name) {
  auto text = bytes_in(data, size, name);
  if (text && !is_utf8(*text)) return fail(Code::kInvalidParameter, std::string(name) + " is no UTF-8", name);
  return text;
}

void own(sluice_buffer_t& buffer, std::string_view text) {
  auto* const data = static_cast<char*>(std::malloc(text.size() + 1));
  if (data == nullptr) throw std::bad_alloc();
  std::memcpy(data, text.data(), text.size());
  data[text.size()] = '\0';
  buffer = {data, text.size()};
}

}  // namespace sluice::capi
