#pragma once
/// Where C meets C++: nothing is thrown past guard(), and *err is always written. Knows errors, tables and text as they cross;
/// must not know gateways.

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/error.h"
#include "sluice/error.hpp"

struct sluice_error {
  sluice::Error error;
};

namespace sluice::capi {

/// Writes `error` to *err, where somebody wants it. Its code.
sluice_code_t give(sluice_error_t** err, Error error) noexcept;
/// What an exception that is being handled is told as. Inside a catch only.
sluice_code_t give_caught(sluice_error_t** err) noexcept;

/// Runs `body`, which gives a Status.
template <typename Body>
sluice_code_t guard(sluice_error_t** err, Body&& body) noexcept {
  if (err != nullptr) *err = nullptr;
  try {
    Status done = std::forward<Body>(body)();
    return done ? SLUICE_OK : give(err, std::move(done.error()));
  } catch (...) {
    return give_caught(err);
  }
}

/// A callback of the host runs on this thread: what would wait is refused meanwhile.
class CallbackScope {
 public:
  CallbackScope() noexcept;
  ~CallbackScope();
  CallbackScope(const CallbackScope&) = delete;
  CallbackScope& operator=(const CallbackScope&) = delete;
};
[[nodiscard]] bool inside_callback() noexcept;
/// kWouldDeadlock inside a callback. `what` waits there: "close".
[[nodiscard]] Status may_wait(const char* what);

[[nodiscard]] tl::unexpected<Error> null_argument(const char* name);
[[nodiscard]] tl::unexpected<Error> forked();

/// Bytes as they were given. Errors: kInvalidParameter for NULL with a size.
[[nodiscard]] Result<std::string_view> bytes_in(const char* data, std::size_t size, const char* name);
/// Text as it was given. Errors: the same, and for what is no UTF-8.
[[nodiscard]] Result<std::string_view> text_in(const char* data, std::size_t size, const char* name);

[[nodiscard]] inline sluice_bytes_t borrow(std::string_view text) noexcept { return {text.data(), text.size()}; }
/// Errors: throws std::bad_alloc.
void own(sluice_buffer_t& buffer, std::string_view text);

/// A table that a caller filled: of this version, of an earlier one (`first`: the size of the first that was released), whose
/// missing members are 0, or of a later one that says nothing we do not know. Errors: kInvalidParameter.
template <typename Table>
Result<Table> table_in(const Table* given, const char* name, std::size_t first = sizeof(Table)) {
  if (given == nullptr) return null_argument(name);
  const auto refuse = [name](const char* what) { return fail(Code::kInvalidParameter, std::string(name) + ": struct_size " + what, name); };
  const std::size_t size = given->struct_size;
  if (size < first) return refuse("is too small; set it to sizeof of the struct");
  if (size > sizeof(Table) + 4096) return refuse("is no version's; set it to sizeof of the struct");
  const char* const bytes = reinterpret_cast<const char*>(given);
  for (std::size_t i = sizeof(Table); i < size; ++i) {
    if (bytes[i] != 0) return refuse("is that of a later version, with a member set that this library does not know");
  }
  Table out{};
  std::memcpy(&out, bytes, std::min(size, sizeof out));
  return out;
}

/// Fills what a caller has prepared: as much as its version has, 0 where it is later. Errors: kInvalidParameter.
template <typename Info>
Status info_out(Info* asked, Info value, const char* name, std::size_t first = sizeof(Info)) {
  if (asked == nullptr) return null_argument(name);
  const std::size_t size = asked->struct_size;
  if (size < first || size > sizeof(Info) + 4096) {
    return fail(Code::kInvalidParameter, std::string(name) + ": struct_size " + std::to_string(size) + " is no version's; set it to sizeof of the struct", name);
  }
  char* const bytes = reinterpret_cast<char*>(asked);
  value.struct_size = size;
  std::memcpy(bytes, &value, std::min(size, sizeof value));
  if (size > sizeof value) std::memset(bytes + sizeof value, 0, size - sizeof value);
  return {};
}

}  // namespace sluice::capi
