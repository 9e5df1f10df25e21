// One question, one answer.

#include "sluice/host_credential.hpp"

#include <utility>

namespace sluice {

CredentialAnswer::CredentialAnswer(CredentialAnswer&& other) noexcept : taker_(std::exchange(other.taker_, nullptr)) {}

CredentialAnswer& CredentialAnswer::operator=(CredentialAnswer&& other) noexcept {
  CredentialAnswer before(std::move(*this));
  taker_ = std::exchange(other.taker_, nullptr);
  return *this;
}

CredentialAnswer::~CredentialAnswer() {
  try {
    if (taker_) refuse("the question was dropped unanswered");
  } catch (...) {  // no memory to say so: who waits hears it when the time is up
  }
}

void CredentialAnswer::give(Credential credential) { tell(std::move(credential)); }

void CredentialAnswer::refuse(std::string why, std::optional<std::chrono::milliseconds> retry_after) {
  Error error = make_error(Code::kUpstreamCredential, std::move(why));
  error.retry_after = retry_after;
  tell(tl::unexpected(std::move(error)));
}

void CredentialAnswer::tell(Result<Credential> result) {
  if (!taker_) return;
  taker_(std::move(result));  // where that throws nothing was told, and it may be tried again
  taker_ = nullptr;
}

}  // namespace sluice
