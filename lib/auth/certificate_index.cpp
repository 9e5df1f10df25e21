// Certificates by name and by fingerprint: both are public, so they are looked up like any other word.

#include "auth/certificate_index.hpp"

#include <algorithm>

namespace sluice::auth {
namespace {

template <typename Key, typename Asked>
std::optional<std::size_t> look_up(const std::vector<std::pair<Key, std::size_t>>& index, const Asked& key) {
  const auto found = std::lower_bound(index.begin(), index.end(), key, [](const auto& one, const Asked& asked) { return one.first < asked; });
  if (found == index.end() || found->first != key) return std::nullopt;
  return found->second;
}

}  // namespace

std::optional<Digest> parse_fingerprint(std::string_view text) noexcept {
  if (text.size() == 64) return parse_digest(text);
  constexpr std::size_t kPairs = 32;
  if (text.size() != 3 * kPairs - 1) return std::nullopt;
  std::array<char, 2 * kPairs> hex{};
  for (std::size_t i = 0; i < kPairs; ++i) {
    if (i != 0 && text[3 * i - 1] != ':') return std::nullopt;
    hex[2 * i] = text[3 * i];
    hex[2 * i + 1] = text[3 * i + 1];
  }
  return parse_digest({hex.data(), hex.size()});
}

CertificateIndex::CertificateIndex(std::span<const CertificateSource> sources) {
  for (const CertificateSource& source : sources) {
    if (source.fingerprint) by_fingerprint_.emplace_back(*source.fingerprint, source.consumer);
    else if (!source.san.empty()) by_name_.emplace_back(source.san, source.consumer);
  }
  std::sort(by_name_.begin(), by_name_.end());
  std::sort(by_fingerprint_.begin(), by_fingerprint_.end());
}

Result<std::optional<std::size_t>> CertificateIndex::find(const PeerCertificate& certificate) const {
  std::optional<std::size_t> consumer = look_up(by_fingerprint_, certificate.sha256);
  for (const std::string& name : certificate.names) {
    const auto named = look_up(by_name_, name);
    if (!named) continue;
    if (consumer && *consumer != *named) {
      return fail(Code::kAmbiguousCredentials, "the client certificate stands for two consumers of this gateway, by '" + name +
                                                   "' and by another name or its fingerprint; use one that states one of them");
    }
    consumer = named;
  }
  return consumer;
}

}  // namespace sluice::auth
