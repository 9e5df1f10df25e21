// Errors, codes and the version, as C has them.

#include <cstdlib>

#include "guard.hpp"
#include "sluice/version.hpp"

namespace sluice::capi {
namespace {

/// What is given where there is no memory for an error. Never freed.
sluice_error no_memory{Error{Code::kOutOfMemory, Origin::kGateway, 500, std::nullopt, {}, {}}};
constexpr std::string_view kNoMemory = "there is no memory left; free some and try again";

}  // namespace

sluice_code_t give(sluice_error_t** err, Error error) noexcept {
  const auto code = static_cast<sluice_code_t>(error.code);
  if (err == nullptr) return code;
  *err = code == SLUICE_CODE_OUT_OF_MEMORY ? nullptr : new (std::nothrow) sluice_error{std::move(error)};
  if (*err != nullptr) return code;
  *err = &no_memory;
  return SLUICE_CODE_OUT_OF_MEMORY;
}

sluice_code_t give_caught(sluice_error_t** err) noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return give(err, no_memory.error);
  } catch (const std::exception& caught) {
    try {
      return give(err, make_error(Code::kInternal, std::string("the library erred: ") + caught.what()));
    } catch (...) {
      return give(err, no_memory.error);
    }
  } catch (...) {
    return give(err, no_memory.error);
  }
}

}  // namespace sluice::capi

using sluice::capi::borrow;

extern "C" {

sluice_code_t sluice_error_code(const sluice_error_t* error) {
  return error == nullptr ? SLUICE_OK : static_cast<sluice_code_t>(error->error.code);
}

int32_t sluice_error_origin(const sluice_error_t* error) {
  return error == nullptr ? SLUICE_ORIGIN_CALLER : static_cast<std::int32_t>(error->error.origin);
}

int32_t sluice_error_http_status(const sluice_error_t* error) { return error == nullptr ? 0 : error->error.http_status; }

int64_t sluice_error_retry_after_ms(const sluice_error_t* error) {
  return error == nullptr || !error->error.retry_after ? -1 : error->error.retry_after->count();
}

sluice_bytes_t sluice_error_message(const sluice_error_t* error) {
  if (error == nullptr) return borrow("");
  return error == &sluice::capi::no_memory ? borrow(sluice::capi::kNoMemory) : borrow(error->error.message);
}

sluice_bytes_t sluice_error_param(const sluice_error_t* error) {
  return borrow(error == nullptr ? std::string_view("") : std::string_view(error->error.param));
}

void sluice_error_free(sluice_error_t* error) {
  if (error != &sluice::capi::no_memory) delete error;
}

sluice_bytes_t sluice_code_name(sluice_code_t code) {
  for (const sluice::CodeInfo& row : sluice::all_codes()) {
    if (static_cast<sluice_code_t>(row.code) == code) return borrow(row.name);
  }
  return borrow("");
}

sluice_bytes_t sluice_version(void) { return borrow(sluice::version()); }

void sluice_buffer_free(sluice_buffer_t* buffer) {
  if (buffer == nullptr) return;
  std::free(buffer->data);
  *buffer = {nullptr, 0};
}

}  // extern "C"
