#pragma once
/// Gathers the secrets of a configuration, so that none of them is told to anybody. Knows where a configuration may hold
/// one; must not know who echoes it.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/edits.hpp"
#include "sluice/error.hpp"
#include "sluice/upstream.hpp"
#include "telemetry/secret_mask.hpp"

namespace sluice::gateway {

/// Wipes what it holds. Thread: one.
class Secrets {
 public:
  Secrets() = default;
  Secrets(const Secrets&) = delete;
  Secrets& operator=(const Secrets&) = delete;
  ~Secrets();

  void add(std::string_view secret);
  /// The fields of an upstream's own query whose names say that they hold one: `?api-key=...`.
  void add_query(std::string_view query);
  /// The fields a route sets whose names say so; of `Bearer ...` what stands behind the scheme.
  void add_headers(const HeaderEdits& edits);

  [[nodiscard]] std::unique_ptr<const telemetry::SecretMask> mask() const;

 private:
  std::vector<std::string> all_;
};

/// What requests to AWS are signed with.
struct AwsKeys {
  std::string access_key_id, secret_access_key;
  std::string session_token;  ///< empty: the keys are no temporary ones
};
/// Those of `upstream`, resolved; what is secret of them is added to `secrets`. Errors: those of the secrets, kInvalidHeader.
[[nodiscard]] Result<AwsKeys> resolve_aws_keys(const Upstream& upstream, Secrets& secrets);

}  // namespace sluice::gateway
