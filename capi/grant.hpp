#pragma once
/// Credentials that a host brings by a function in C. Knows questions and answers as they cross; must not know when one is asked
/// for.

#include <memory>
#include <string>

#include "guard.hpp"
#include "sluice/fork_mark.hpp"
#include "sluice/grant.h"
#include "sluice/host_credential.hpp"

struct sluice_grant {
  sluice_grant(std::string whose, sluice::CredentialAnswer to) : upstream(std::move(whose)), answer(std::move(to)) {}

  const sluice::ForkMark mark;
  const std::string upstream;
  sluice::CredentialAnswer answer;
};

namespace sluice::capi {

/// The function of a host, and what goes with it.
class Granter {
 public:
  Granter(sluice_grant_fn function, void* user, sluice_finalize_fn finalize) : function_(function), user_(user), finalize_(finalize) {}
  ~Granter() {
    if (finalize_ != nullptr) finalize_(user_);
  }
  Granter(const Granter&) = delete;
  Granter& operator=(const Granter&) = delete;

  void ask(const std::string& upstream, CredentialAnswer answer) const {
    auto grant = std::make_unique<sluice_grant>(upstream, std::move(answer));
    const CallbackScope scope;
    function_(user_, grant.release());
  }

 private:
  const sluice_grant_fn function_;
  void* const user_;
  const sluice_finalize_fn finalize_;
};

}  // namespace sluice::capi
