#pragma once
/// What a verified client certificate says about its owner.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice::auth {

struct PeerCertificate {
  std::array<std::uint8_t, 32> sha256 = {};  ///< of its DER form
  std::vector<std::string> names = {};       ///< subject alternative names: DNS, URI, e-mail
};

}  // namespace sluice::auth
