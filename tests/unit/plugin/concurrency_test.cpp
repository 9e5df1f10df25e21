// Many exchanges on many threads over one chain.

#include <atomic>
#include <deque>
#include <thread>

#include "unit/plugin/rig.hpp"

using namespace sluice;
using namespace sluice::plugin;
using Kind = Ruling::Kind;

namespace {

/// Keeps what one exchange said in its session, and appends it at the end; suspends on every third delta, and is resumed by
/// another thread.
class Counting final : public Plugin {
 public:
  std::string_view name() const noexcept override { return "counting"; }
  Wants wants() const noexcept override { return kWantsDeltaEdits | kWantsRequest; }
  std::unique_ptr<PluginSession> open(const ExchangeView& exchange) const override {
    opened.fetch_add(1, std::memory_order_relaxed);
    return std::make_unique<Session>(*this, std::string(exchange.body()));
  }

  mutable std::atomic<int> opened{0}, finished{0};
  mutable std::mutex mutex;
  mutable std::deque<Resumer> waiting;

 private:
  struct Session final : PluginSession {
    Session(const Counting& opened_by, std::string exchange) : plugin(opened_by), who(std::move(exchange)) {}
    Verdict on_delta(DeltaContext& context, Delta& delta) override {
      kept += std::exchange(delta.text, {});
      if (++deltas % 3 != 0) return Verdict::go_on();
      const std::lock_guard lock(plugin.mutex);
      plugin.waiting.push_back(context.resumer());
      return Verdict::suspend();
    }
    Verdict on_answer_end(AnswerEndContext& context) override {
      context.emit({.text = who + ":" + kept});
      return Verdict::go_on();
    }
    void on_finish(const Outcome&) noexcept override { plugin.finished.fetch_add(1, std::memory_order_relaxed); }
    const Counting& plugin;
    const std::string who;
    std::string kept;
    int deltas = 0;
  };
};

}  // namespace

// PLUG-15, PLUG-05
TEST_CASE("a thousand exchanges on four threads share a chain and nothing else") {
  constexpr int kThreads = 4, kEach = 250, kDeltas = 7;
  const auto plugin = std::make_shared<const Counting>();
  const std::vector<Link> links = {{plugin}};
  const auto compiled = Chain::compile({links, "/gateway/plugins"});
  REQUIRE(compiled);
  std::atomic<int> right{0}, running{kThreads};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      struct Exchange {
        TestHost host;
        Run run{host};
        int sent = 0;
      };
      std::deque<Exchange> exchanges(kEach);
      for (int i = 0; i < kEach; ++i) {
        exchanges[static_cast<std::size_t>(i)].host.exchange.text = std::to_string(t) + "/" + std::to_string(i);
        (void)exchanges[static_cast<std::size_t>(i)].run.request(*compiled);
      }
      // Interleaved: each gets its next delta when all have had the one before.
      for (int d = 0; d < kDeltas; ++d) {
        for (Exchange& exchange : exchanges) {
          Delta delta{.text = exchange.host.exchange.text + "-" + std::to_string(d) + " "};
          (void)exchange.run.delta(delta);
        }
      }
      for (Exchange& exchange : exchanges) {
        const bool late = exchange.run.answer_end().kind == Kind::kWait;
        while (late && exchange.host.rulings.empty()) exchange.host.read_mail();
        std::string expected = exchange.host.exchange.text + ":";
        for (int d = 0; d < kDeltas; ++d) expected += exchange.host.exchange.text + "-" + std::to_string(d) + " ";
        if (!exchange.host.given.empty() && exchange.host.given.back() == TestHost::Given{expected, Change::kAdded}) right.fetch_add(1);
        exchange.run.finish({});
      }
      running.fetch_sub(1);
    });
  }
  std::thread resumer([&] {
    while (running.load() != 0) {
      std::deque<Resumer> some;
      {
        const std::lock_guard lock(plugin->mutex);
        some.swap(plugin->waiting);
      }
      for (const Resumer& waiting : some) waiting.resume(Verdict::go_on());
      std::this_thread::yield();
    }
  });
  for (std::thread& thread : threads) thread.join();
  resumer.join();
  CHECK(right == kThreads * kEach);
  CHECK(plugin->opened == kThreads * kEach);
  CHECK(plugin->finished == kThreads * kEach);
}

// PLUG-05
TEST_CASE("resuming races with the end of the exchange and does no harm, whoever comes first") {
  for (int round = 0; round < 200; ++round) {
    Rig rig;
    Resumer resumer;
    rig.add({.name = "a", .request = suspends_into(resumer)});
    if (rig.request().kind != Kind::kWait) FAIL("it waits");
    std::thread other([own = std::exchange(resumer, {})]() mutable {
      own.resume(Verdict::go_on(), [] {});
      own = {};
    });
    rig.host.read_mail();
    rig.end();
    rig.run.reset();
    if (round % 2 == 0) rig.host.box->close();
    other.join();
    rig.host.read_mail();
    CHECK(rig.host.rulings.size() <= 1);
  }
}
