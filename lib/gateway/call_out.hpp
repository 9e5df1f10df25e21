#pragma once
/// Requests that plugins make to upstreams of the gateway: on the exchange's loop, under its deadline, with the upstream's
/// credential and under its cap. Knows upstreams and transfers; must not know what a plugin makes of an answer.

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "engine/loop.hpp"
#include "engine/transport.hpp"
#include "gateway/snapshot.hpp"
#include "policy/gate.hpp"
#include "policy/in_flight.hpp"
#include "sluice/outcome.hpp"
#include "sluice/plugin.hpp"

namespace sluice::gateway {

class Engine;

/// All calls of one exchange. Thread: the exchange's.
class CallOuts {
 public:
  using Done = std::function<void(Result<CallAnswer>)>;

  /// Both are borrowed; the calls are written into `ledger` as they end.
  CallOuts(Engine& engine, std::vector<PluginCall>& ledger) noexcept : engine_(engine), ledger_(ledger) {}
  ~CallOuts() { cancel(); }
  CallOuts(const CallOuts&) = delete;
  CallOuts& operator=(const CallOuts&) = delete;

  /// Sends `request` to the upstream of `snapshot` called `upstream`. `done` is called once, perhaps inside, and may cancel
  /// or destroy all of this. `deadline` is the exchange's.
  void start(const std::shared_ptr<const Snapshot>& snapshot, std::string_view plugin, std::string_view upstream, Request request,
             CallBounds bounds, std::optional<TimePoint> deadline, Done done);
  /// Ends what is under way; nobody is called any more.
  void cancel() noexcept;

 private:
  class Call;
  void book(std::string_view plugin, std::string_view upstream, Code code, int status, Duration total);

  Engine& engine_;
  std::vector<PluginCall>& ledger_;
  std::list<std::shared_ptr<Call>> open_;
};

}  // namespace sluice::gateway
