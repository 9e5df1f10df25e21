#pragma once
/// The promise that `finalize` is called once, also where what was given is not taken. Knows nothing of who is finalized.

#include "sluice/abi.h"

namespace sluice::capi {

class Finalizer {
 public:
  Finalizer(sluice_finalize_fn finalize, void* user) : finalize_(finalize), user_(user) {}
  ~Finalizer() {
    if (finalize_ != nullptr) finalize_(user_);
  }
  Finalizer(const Finalizer&) = delete;
  Finalizer& operator=(const Finalizer&) = delete;
  void taken() noexcept { finalize_ = nullptr; }

 private:
  sluice_finalize_fn finalize_;
  void* user_;
};

}  // namespace sluice::capi
