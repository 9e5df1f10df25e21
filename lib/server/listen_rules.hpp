#pragma once
/// What a listener was told about who its clients are and which pages may call, compiled. Knows the settings; must not know
/// connections.

#include <optional>
#include <vector>

#include "base/address_range.hpp"
#include "server/cors_rules.hpp"
#include "sluice/listen.hpp"

namespace sluice::server {

/// Immutable.
struct ListenRules {
  /// `listen` was judged when its configuration was loaded.
  explicit ListenRules(const Listen& listen);

  std::vector<base::AddressRange> allow_addresses;  ///< who may connect; empty = everyone
  std::vector<base::AddressRange> trusted_proxies;  ///< their word on who the client is counts
  std::optional<CorsRules> cors;                    ///< nothing = browsers' fields mean nothing here
};

}  // namespace sluice::server
