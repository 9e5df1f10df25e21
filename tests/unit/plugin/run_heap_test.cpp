// What a run costs in memory.

#include "unit/plugin/allocations.hpp"
#include "unit/plugin/rig.hpp"

using namespace sluice;
using namespace sluice::plugin;

namespace {

struct Reading final : Plugin {
  struct Session final : PluginSession {
    Verdict on_delta(DeltaContext&, Delta& delta) override { return seen += delta.text.size(), Verdict::go_on(); }
    std::size_t seen = 0;
  };
  explicit Reading(std::string name, Wants wants) : called(std::move(name)), wanted(wants) {}
  std::string_view name() const noexcept override { return called; }
  Wants wants() const noexcept override { return wanted; }
  std::unique_ptr<PluginSession> open(const ExchangeView&) const override { return std::make_unique<Session>(); }
  const std::string called;
  const Wants wanted;
};

struct Seeing final : Observer {
  struct Session final : ObserverSession {
    void on_delta(const ExchangeView&, const Delta& delta) override { seen += delta.text.size(); }
    std::size_t seen = 0;
  };
  std::string_view name() const noexcept override { return "seeing"; }
  Wants wants() const noexcept override { return kWantsDeltas; }
  std::unique_ptr<ObserverSession> open(const ExchangeView&) const override { return std::make_unique<Session>(); }
};

}  // namespace

TEST_CASE("a delta that goes on costs no memory, whoever reads it and may edit it") {
  Rig rig;
  rig.links = {{std::make_shared<const Reading>("reads", kWantsDeltas)},
               {std::make_shared<const Reading>("edits", kWantsDeltaEdits)},
               {std::make_shared<const Reading>("observes", kWantsDeltaEdits), PluginMode::kObserve},
               {std::make_shared<const Seeing>()}};
  REQUIRE(rig.request().kind == Ruling::Kind::kGoOn);
  Delta delta{.text = "a text that is longer than any string keeps inside itself"};
  CHECK(rig.run->delta(delta).kind == Ruling::Kind::kGoOn);  // the first makes room for the others
  const std::size_t before = allocations();
  bool went_on = true;
  for (int i = 0; i < 1000; ++i) went_on = rig.run->delta(delta).kind == Ruling::Kind::kGoOn && went_on;
  const std::size_t taken = allocations() - before;
  CHECK(went_on);
  CHECK(taken == 0);
}

// PLUG-11
TEST_CASE("an exchange that nobody looks at costs no memory") {
  Rig rig;
  rig.links = {{std::make_shared<const Reading>("idle", kWantsNothing)}};
  const auto chain = rig.chain();
  const std::size_t before = allocations();
  bool went_on = true;
  {
    Run run(rig.host);
    Headers headers;
    Delta delta;
    went_on = run.authenticate(chain).kind == Ruling::Kind::kGoOn && run.request(chain).kind == Ruling::Kind::kGoOn &&
              run.attempt("openai", "m", 1, headers).kind == Ruling::Kind::kGoOn && run.head(200, headers).kind == Ruling::Kind::kGoOn &&
              run.delta(delta).kind == Ruling::Kind::kGoOn && run.answer_end().kind == Ruling::Kind::kGoOn;
    Outcome outcome;
    run.account(outcome);
    run.finish(outcome);
  }
  const std::size_t taken = allocations() - before;
  CHECK(went_on);
  CHECK(taken == 0);
}
