#pragma once
/// How one upstream gets its token: whom to ask, what for, and what to make of the answer. Knows the three kinds of grants of a
/// configuration;
/// must not know when one is asked for, who waits, or how a request travels.

#include <memory>
#include <string>
#include <string_view>

#include "auth/sigv4.hpp"
#include "engine/transport.hpp"
#include "gateway/secrets.hpp"
#include "sluice/clock.hpp"
#include "sluice/upstream.hpp"
#include "telemetry/secret_mask.hpp"

namespace sluice::gateway {

/// What an upstream is shown in place of a configured credential, for as long as it is good: a bearer token, or a signature
/// with temporary keys. Immutable; wiped at its end. Thread: any.
struct Token {
  Token() = default;
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;
  ~Token();

  std::string authorization;                          ///< value of the field; empty where `signer` signs
  std::shared_ptr<const auth::sigv4::Signer> signer;  ///< null where `authorization` is sent
  Duration lifetime{};                                ///< from the moment it was asked for
  std::unique_ptr<const telemetry::SecretMask> mask;  ///< takes it out of texts; never null
};

class HostGrant;

/// Immutable. Thread: any, concurrently.
class Grant {
 public:
  virtual ~Grant() = default;
  Grant(const Grant&) = delete;
  Grant& operator=(const Grant&) = delete;

  /// Two grants with the same identity are the same: who asks whom for what, with which secret (as a digest).
  [[nodiscard]] const std::string& identity() const noexcept { return identity_; }
  [[nodiscard]] const engine::Endpoint& endpoint() const noexcept { return endpoint_; }
  /// Takes the grant's own secrets out of a text, and what was `sent` to prove them.
  void mask(const base::EditedBody& sent, std::string& text) const;

  /// The host program is asked instead of the endpoint (host_grant.hpp); null where it is not.
  [[nodiscard]] virtual const HostGrant* host() const noexcept { return nullptr; }
  /// What is sent to the endpoint. Errors: kInternal where OpenSSL cannot sign.
  [[nodiscard]] virtual Result<engine::WireRequest> request(WallTime now) const = 0;
  /// What came back to a request that was sent at `sent`. Errors: kUpstreamCredential, a clause that goes on from the
  /// endpoint's name.
  [[nodiscard]] virtual Result<std::shared_ptr<const Token>> read(int status, std::string_view body, WallTime sent) const = 0;

 protected:
  Grant(std::string identity, engine::Endpoint endpoint, std::unique_ptr<const telemetry::SecretMask> mask)
      : identity_(std::move(identity)), endpoint_(std::move(endpoint)), mask_(std::move(mask)) {}

 private:
  const std::string identity_;
  const engine::Endpoint endpoint_;
  const std::unique_ptr<const telemetry::SecretMask> mask_;
};

/// The grant `upstream` is configured with; null where there is none. Its secrets are resolved, and added to `secrets`.
/// Errors: kSecretMissing, kInvalidConfiguration, kInvalidHeader, each with the upstream's name.
[[nodiscard]] Result<std::unique_ptr<const Grant>> make_grant(const Upstream& upstream, Secrets& secrets);

}  // namespace sluice::gateway
