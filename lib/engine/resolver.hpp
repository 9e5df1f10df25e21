#pragma once
/// Names to addresses on the loop, never on a thread of its own and never inside libcurl.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/loop.hpp"
#include "sluice/error.hpp"

namespace sluice::engine {

struct Addresses {
  std::vector<std::string> list;  ///< textual, in the order to try
  TimePoint valid_until{};
};

/// A look-up under way; destroying it means the callback is not called. Engine thread only.
class Lookup {
 public:
  virtual ~Lookup() = default;
};

/// Engine thread only.
class Resolver {
 public:
  using Callback = std::function<void(Result<Addresses>)>;
  virtual ~Resolver() = default;
  /// Calls back later, or at once for literals and what the cache still holds (nullptr is returned then).
  /// Errors: kUpstreamResolveFailed names the host.
  [[nodiscard]] virtual std::unique_ptr<Lookup> resolve(const std::string& host, Callback done) = 0;
};

/// c-ares on `loop`: /etc/hosts and resolv.conf honoured, answers cached for their TTL (1 s .. 5 min), failures 1 s.
/// Errors: kSystem.
[[nodiscard]] Result<std::unique_ptr<Resolver>> make_cares_resolver(Loop& loop);

/// True for addresses that belong to no public network: loopback, private, link-local, unique-local, shared (100.64/10),
/// multicast, unspecified, and IPv4 ones mapped or embedded in IPv6. What is no address at all counts as not public too.
[[nodiscard]] bool is_private_address(std::string_view address) noexcept;

}  // namespace sluice::engine
