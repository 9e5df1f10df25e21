#pragma once
/// Client certificates: whose one is, by a name it states or by its fingerprint. Knows names and digests; must not know
/// consumers (indices only), nor how a certificate was verified: the listener has done so.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/api_key.hpp"
#include "auth/peer_certificate.hpp"
#include "sluice/error.hpp"

namespace sluice::auth {

/// A fingerprint as tools print it: 64 hex digits, colons between the pairs or none. Nothing for any other text.
[[nodiscard]] std::optional<Digest> parse_fingerprint(std::string_view text) noexcept;

/// One certificate of a configuration: by one of the two.
struct CertificateSource {
  std::size_t consumer = 0;                 ///< what find() gives back
  std::string san = {};
  std::optional<Digest> fingerprint = {};
};

/// All certificates of a gateway. Immutable. Thread: any, concurrently.
class CertificateIndex {
 public:
  CertificateIndex() = default;  ///< none at all
  /// No name and no fingerprint stands for two consumers: the configuration was judged.
  explicit CertificateIndex(std::span<const CertificateSource> sources);

  /// The consumer that the certificate stands for; names are compared byte for byte. Nothing for one nobody knows.
  /// Errors: kAmbiguousCredentials where it states names, or a name and a fingerprint, of two consumers.
  [[nodiscard]] Result<std::optional<std::size_t>> find(const PeerCertificate& certificate) const;

 private:
  std::vector<std::pair<std::string, std::size_t>> by_name_;    // sorted
  std::vector<std::pair<Digest, std::size_t>> by_fingerprint_;  // sorted
};

}  // namespace sluice::auth
