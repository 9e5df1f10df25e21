#pragma once
/// How an upstream gets its token from the host program: a question asked, an answer judged. Knows the host's function and the
/// field the provider wants; must not know when it is asked, who waits, or what the host does.

#include <memory>
#include <string>

#include "dialect/providers.hpp"
#include "gateway/grant.hpp"
#include "sluice/host_credential.hpp"

namespace sluice::gateway {

/// Immutable. Thread: any, concurrently.
class HostGrant final : public Grant {
 public:
  /// `prefix` stands before the value in the field the upstream is shown: `Bearer `.
  HostGrant(const Upstream& upstream, HostCredential host, std::string prefix);

  [[nodiscard]] const HostGrant* host() const noexcept override { return this; }
  /// Asks the host program. `answer` is told on any thread, perhaps inside this.
  void ask(CredentialAnswer answer) const;
  /// What it gave. Errors: kUpstreamCredential, a clause that goes on from the host program's name.
  [[nodiscard]] Result<std::shared_ptr<const Token>> take(const Credential& given) const;

  // It has no endpoint. Errors: kInternal, always.
  [[nodiscard]] Result<engine::WireRequest> request(WallTime now) const override;
  [[nodiscard]] Result<std::shared_ptr<const Token>> read(int status, std::string_view body, WallTime sent) const override;

 private:
  const HostCredential host_;
  const std::string prefix_;
};

/// Whether the host program may bring the credential of `upstream`. Errors: kInvalidConfiguration.
[[nodiscard]] Status judge_host_credential(const Upstream& upstream, const dialect::Provider& provider, bool tls);

}  // namespace sluice::gateway
