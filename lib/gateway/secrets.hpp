#pragma once
/// Gathers the secrets of a configuration, so that none of them is told to anybody. Knows where a configuration may hold
/// one; must not know who echoes it.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/edits.hpp"
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

}  // namespace sluice::gateway
