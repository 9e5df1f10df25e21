#pragma once
/// Keeps SIGPIPE from ending the host: a TLS library that writes to a closed socket raises it, and the library must not
/// change the process's signal handlers. Knows signals alone.

#include <csignal>
#include <ctime>

namespace sluice::engine {

/// While it lives, SIGPIPE is blocked for this thread; what was raised meanwhile is taken back before the mask is
/// restored. Where the thread blocks SIGPIPE already (an engine thread), it does nothing. Cost: one system call where
/// blocked already, else three. Lifetime: one scope of one thread.
class SigpipeGuard {
 public:
  SigpipeGuard() noexcept {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    active_ = pthread_sigmask(SIG_BLOCK, &pipe_, &before_) == 0 && sigismember(&before_, SIGPIPE) == 0;
  }
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;
  ~SigpipeGuard() {
    if (!active_) return;
    // Nothing of the host's is lost: an unblocked signal cannot have been pending when we began.
    const timespec at_once{};
    while (sigtimedwait(&pipe_, nullptr, &at_once) == SIGPIPE) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_{}, before_{};
  bool active_ = false;
};

}  // namespace sluice::engine
