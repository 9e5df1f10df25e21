#pragma once
/// Credentials that the host program brings while the gateway runs: out of a vault, a keyring, a login of its own.
/// What is asked and how it is answered; when, and how long an answer is kept, says docs/credentials.md.

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "sluice/error.hpp"

namespace [[gnu::visibility("default")]] sluice {

/// What one upstream is shown: the key or the token alone, without a `Bearer` before it.
struct Credential {
  std::string value = {};
  std::chrono::milliseconds lifetime{0};  ///< from when it was asked for; 0 = nobody knows: it is asked for again after an hour
};

/// Answers one question, once; what comes second does nothing. Destroyed unused, it refuses. Harmless after the gateway has
/// ended. Thread: any, one at a time.
class CredentialAnswer {
 public:
  using Taker = std::function<void(Result<Credential>)>;

  explicit CredentialAnswer(Taker taker) : taker_(std::move(taker)) {}
  CredentialAnswer(CredentialAnswer&& other) noexcept;
  CredentialAnswer& operator=(CredentialAnswer&& other) noexcept;
  ~CredentialAnswer();

  void give(Credential credential);
  /// `why` is told to whoever waits, behind the upstream's name. Nobody is asked again before `retry_after` has passed, or what
  /// the gateway waits by itself where that is more: 1 s, doubled each time up to 60 s.
  void refuse(std::string why, std::optional<std::chrono::milliseconds> retry_after = {});

 private:
  void tell(Result<Credential> result);
  Taker taker_;  // empty once it has been told
};

/// Who brings the credential of one upstream. It holds over reloads; the configuration gives that upstream none.
struct HostCredential {
  std::string upstream = {};
  /// Called on an engine's thread (host-driven: inside drive()), for one credential at a time; must not block. The answer may be
  /// given inside, or 10 s later at most.
  std::function<void(CredentialAnswer)> ask = {};
};

}  // namespace sluice
