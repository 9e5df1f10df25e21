// Answers to questions for credentials.

#include "grant.hpp"

#include "sluice/headers.hpp"

using namespace sluice;
using namespace sluice::capi;

namespace {

Status usable(const sluice_grant_t* grant, std::int64_t ms, const char* name) {
  if (grant == nullptr) return null_argument("grant");
  if (grant->mark.in_child()) return forked();
  if (ms < 0) return fail(Code::kInvalidParameter, std::string(name) + " is negative", name);
  return {};
}

}  // namespace

extern "C" {

sluice_bytes_t sluice_grant_upstream(const sluice_grant_t* grant) {
  return grant == nullptr ? sluice_bytes_t{nullptr, 0} : borrow(grant->upstream);
}

sluice_code_t sluice_grant_give(sluice_grant_t* grant, const char* credential, size_t size, int64_t lifetime_ms, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (Status good = usable(grant, lifetime_ms, "lifetime_ms"); !good) return good;
    const auto value = bytes_in(credential, size, "credential");
    if (!value) return tl::unexpected(value.error());
    if (value->empty()) return fail(Code::kInvalidParameter, "credential is empty; sluice_grant_refuse says that there is none", "credential");
    if (!is_header_value(*value)) return fail(Code::kInvalidParameter, "credential holds a control character, which no header may", "credential");
    grant->answer.give({std::string(*value), std::chrono::milliseconds(lifetime_ms)});
    return {};
  });
}

sluice_code_t sluice_grant_refuse(sluice_grant_t* grant, const char* why, size_t size, int64_t retry_after_ms, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (Status good = usable(grant, retry_after_ms, "retry_after_ms"); !good) return good;
    const auto words = text_in(why, size, "why");
    if (!words) return tl::unexpected(words.error());
    std::optional<std::chrono::milliseconds> pause;
    if (retry_after_ms > 0) pause = std::chrono::milliseconds(retry_after_ms);
    grant->answer.refuse(std::string(*words), pause);
    return {};
  });
}

void sluice_grant_free(sluice_grant_t* grant) {
  // In a child of fork a lock on the way to the engine may be held by nobody: all lies where it is.
  if (grant != nullptr && !grant->mark.in_child()) delete grant;
}

}  // extern "C"
