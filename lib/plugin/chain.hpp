#pragma once
/// The plugins of one route, in the order they run. Made of the gateway's list and the route's when a configuration is
/// loaded, judged then, and shared by all threads. Knows names, phases and wants; must not know any exchange.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "sluice/plugin.hpp"

namespace sluice::plugin {

/// A plugin as a list names it.
struct Link {
  std::variant<std::shared_ptr<const Plugin>, std::shared_ptr<const Observer>> what;
  PluginMode mode = PluginMode::kEnforce;   ///< means nothing to an observer
  FailMode on_error = FailMode::kClosed;    ///< means nothing to an observer: what it throws never ends an exchange
  std::chrono::milliseconds timeout{0};     ///< of one suspension; 0 = as long as the exchange itself may take
};

/// Links as they are declared, and where: `/gateway/plugins`, `/routes/3/plugins`.
struct LinkList {
  std::span<const Link> links = {};
  std::string_view pointer = {};
};

/// The moments at which plugins are asked.
enum class Stage : std::uint8_t { kAuthenticate, kRequest, kAttempt, kHead, kDelta, kAnswerEnd };
inline constexpr std::size_t kStages = 6;
/// What a PluginVerdict calls the hook of `stage`: `request` for the first two. Lifetime: static.
[[nodiscard]] std::string_view hook_name(Stage stage) noexcept;

/// Thread: immutable once made; any.
class Chain {
 public:
  struct Entry {
    std::shared_ptr<const Plugin> plugin;       // either this
    std::shared_ptr<const Observer> observer;   // or this
    std::string_view name;                      // Lifetime: the plugin's
    Phase phase = Phase::kGuard;
    Wants wants = kWantsNothing;
    PluginMode mode = PluginMode::kEnforce;
    FailMode on_error = FailMode::kClosed;
    std::chrono::milliseconds timeout{0};

    [[nodiscard]] bool has(Wants what) const noexcept { return (wants & what) == what; }
    /// In on_request no other plugin runs beside it: it changes the request, or where it goes.
    [[nodiscard]] bool runs_alone() const noexcept { return has(kWantsRequestEdits) || phase == Phase::kRoute; }
  };

  /// By phase, then the gateway's before the route's, then as declared; a link of the route takes the place of the
  /// gateway's of the same name. Who wants nothing is judged and then left out. `opaque`: of an opaque route, which decodes
  /// nothing. A gateway's own chain, for the heads of its requests, is made of its list alone.
  /// Errors: kInvalidConfiguration; `param` is the pointer of the link that is wrong. Two links of one list with one name;
  /// no plugin, or one without a name; a negative timeout; an observer that wants to edit, or attempts; a Plugin of phase
  /// observe; a plugin that authenticates and is not the gateway's, or wants decoded text; decoded text on an opaque route.
  [[nodiscard]] static Result<std::shared_ptr<const Chain>> compile(LinkList gateway, LinkList route = {}, bool opaque = false);

  /// Whether every bit of `what` is wanted by someone. Cost: none.
  [[nodiscard]] bool wants(Wants what) const noexcept { return (wants_ & what) == what; }
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] const Entry& operator[](std::size_t i) const noexcept { return entries_[i]; }
  /// How many entries are of phase kAuthenticate. They come first, and are the same ones in all chains of a gateway.
  [[nodiscard]] std::size_t authenticating() const noexcept { return authenticating_; }
  /// Who is asked at `stage`, as indices, ascending. Those of kAuthenticate stand in the list of kRequest too, first: who
  /// was not asked on the head is asked then.
  [[nodiscard]] std::span<const std::uint32_t> at(Stage stage) const noexcept { return asked_[static_cast<std::size_t>(stage)]; }

 private:
  std::vector<Entry> entries_;
  std::array<std::vector<std::uint32_t>, kStages> asked_;
  std::size_t authenticating_ = 0;
  Wants wants_ = kWantsNothing;
};

}  // namespace sluice::plugin
