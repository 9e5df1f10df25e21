// Who gets the events of a gateway: opened with it, handed over by a reload, closed last of all.

#include <random>

#include "gateway/core.hpp"

namespace sluice::gateway {
namespace {

/// How long a closed gateway waits for a disk that hangs; one that refuses is not waited for.
constexpr Milliseconds kPatience{5'000};

}  // namespace

Result<std::shared_ptr<telemetry::EventSinks>> Core::open_events(const Snapshot& snapshot) const {
  const auto writing = host_driven_ ? telemetry::Writing::kHost : telemetry::Writing::kThread;
  const auto before = events();
  return telemetry::EventSinks::open(snapshot.config.telemetry, options_.on_event, writing, before.get());
}

std::shared_ptr<telemetry::EventSinks> Core::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

/// Until when a disk is waited for. The writers' threads know the machine's clock alone.
TimePoint Core::farewell() const { return host_driven_ ? clock_->now() : system_clock().now() + kPatience; }

/// 256 bits: of the system's chance, or, where the host program has named a seed, of that. It outlives a reload, and
/// nobody is told it; a gateway that is opened again has another.
std::string Core::make_key_salt() {
  std::string salt;
  std::random_device device;
  for (int i = 0; i < 8; ++i) {
    const auto bits = options_.seed != 0 ? static_cast<std::uint32_t>(seeds_.next()) : static_cast<std::uint32_t>(device());
    for (int byte = 0; byte < 4; ++byte) salt += static_cast<char>(bits >> (8 * byte) & 0xff);
  }
  return salt;
}

void Core::carry_events() { (void)host_engine().events()->drain(static_cast<std::size_t>(-1), clock_->now()); }

}  // namespace sluice::gateway
