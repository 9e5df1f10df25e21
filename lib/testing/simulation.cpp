// Simulation: see sluice/testing.hpp. Brings a gateway and the simulated upstream together and moves the clock between
// them. Knows the public face of a gateway only; must not know its insides.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "sim/transport.hpp"
#include "sluice/testing.hpp"

namespace sluice::testing {
namespace {

class Factory final : public TransportFactory {
 public:
  explicit Factory(std::shared_ptr<sim::Stage> stage) : stage_(std::move(stage)) {}
  Result<std::unique_ptr<engine::Transport>> create(engine::Loop& loop) override { return sim::make_transport(loop, stage_); }
  [[nodiscard]] bool simulated() const noexcept override { return true; }

 private:
  std::shared_ptr<sim::Stage> stage_;
};

/// Writes down what one exchange brings.
class Recorder final : public ExchangeListener {
 public:
  void on_head(const ResponseHead& head) override { head_ = head; }
  void on_bytes(std::string_view bytes) override { body_ += bytes; }
  void on_end(const Outcome& outcome) override { outcome_ = outcome; }

  [[nodiscard]] bool ended() const noexcept { return outcome_.has_value(); }

  ResponseHead head_;
  std::string body_;
  std::optional<Outcome> outcome_;
};

/// How often a gateway may find work without the clock moving before it is taken to be chasing its tail.
constexpr int kMostTurns = 1'000'000;
/// How often a deadline that has passed may be left standing: it belongs to another clock than ours.
constexpr int kMostStale = 1'000;

}  // namespace

struct Simulation::Impl {
  Impl(ManualClock& manual, std::uint64_t seed)
      : clock(manual), stage(std::make_shared<sim::Stage>(seed, ManualClock().now(), true)), factory(stage) {}

  /// Does what is due now, until nothing is.
  static void quiet(Gateway& gateway) {
    for (int i = 0; i < kMostTurns && gateway.drive(Milliseconds{0}) > 0; ++i) {
    }
  }

  /// Moves to the next deadline, but not beyond `end`, and does what is due then. False where none is left before it.
  bool move(Gateway& gateway, std::optional<TimePoint> end) {
    const auto next = gateway.next_deadline();
    if (!next || (end && *next > *end)) return false;
    const Duration wait = *next - clock.now();
    stale = wait.count() > 0 ? 0 : stale + 1;
    if (stale > kMostStale) return false;
    clock.advance(wait);
    quiet(gateway);
    return true;
  }

  ManualClock& clock;
  std::shared_ptr<sim::Stage> stage;
  Factory factory;
  int stale = 0;
};

Simulation::Simulation(ManualClock& clock, std::uint64_t seed) : impl_(std::make_unique<Impl>(clock, seed)) {}
Simulation::~Simulation() = default;

Script& Simulation::upstream(const std::string& name) { return impl_->stage->script(name); }
TransportFactory* Simulation::transport() { return &impl_->factory; }
const std::vector<SeenRequest>& Simulation::seen() const { return impl_->stage->seen(); }
void Simulation::forget_seen() { impl_->stage->forget_seen(); }

Run Simulation::run(Gateway& gateway, Request request, CallOptions options) {
  const auto recorder = std::make_shared<Recorder>();
  Run run;
  const auto submitted = gateway.submit(std::move(request), recorder, std::move(options));
  if (!submitted) {
    run.head_.status = run.outcome_.status = submitted.error().http_status;
    run.outcome_.ending = Ending::kRefused;
    run.outcome_.error = submitted.error();
    return run;
  }
  Impl::quiet(gateway);
  while (!recorder->ended() && impl_->move(gateway, std::nullopt)) {
  }
  const bool stuck = !recorder->ended();
  if (stuck) {
    gateway.cancel(*submitted);
    Impl::quiet(gateway);
  }
  if (recorder->ended()) run.outcome_ = *recorder->outcome_;
  if (stuck) {
    run.outcome_.error = make_error(Code::kInternal, "the simulation has nothing left to happen, and the exchange has not ended; "
                                                     "give the route a timeout, or the gateway this simulation's clock");
  }
  run.head_ = std::move(recorder->head_);
  run.body_ = std::move(recorder->body_);
  return run;
}

void Simulation::settle(Gateway& gateway, Duration limit) {
  const TimePoint end = impl_->clock.now() + limit;
  Impl::quiet(gateway);
  while (impl_->move(gateway, end)) {
  }
  if (gateway.next_deadline() && end > impl_->clock.now()) impl_->clock.advance(end - impl_->clock.now());
}

void Simulation::pass(Gateway& gateway, Duration time) {
  const TimePoint end = impl_->clock.now() + time;
  Impl::quiet(gateway);
  while (impl_->move(gateway, end)) {
  }
  if (end > impl_->clock.now()) impl_->clock.advance(end - impl_->clock.now());
  Impl::quiet(gateway);
}

bool Simulation::step(Gateway& gateway) {
  Impl::quiet(gateway);
  return impl_->move(gateway, std::nullopt);
}

}  // namespace sluice::testing
