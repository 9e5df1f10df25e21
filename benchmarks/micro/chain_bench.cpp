// What a chain of plugins costs an exchange, and a delta: with none, with plugins that want nothing, and with plugins that
// want the least there is of each hook. Prints the fastest of many short batches (an undisturbed one, on a machine that does
// other work too) and the median, in ns for one exchange or one delta.
//
//   chain_bench                      everything
//   chain_bench NAME PLUGINS TIMES   one of them, TIMES times and nothing printed: for a counter of instructions, which run
//                                    twice with different TIMES tells the cost of one

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/chain.hpp"
#include "plugin/run.hpp"

namespace {

using namespace sluice;
using namespace sluice::plugin;
using Clock = std::chrono::steady_clock;

struct View final : ExchangeView {
  std::string_view id() const noexcept override { return "x"; }
  std::string_view operation() const noexcept override { return "chat"; }
  std::string_view dialect() const noexcept override { return "openai"; }
  std::string_view consumer() const noexcept override { return "app"; }
  std::string_view tenant() const noexcept override { return {}; }
  std::string_view route() const noexcept override { return "chat"; }
  std::string_view method() const noexcept override { return "POST"; }
  std::string_view path() const noexcept override { return "/v1/chat/completions"; }
  const Headers& headers() const noexcept override { return fields; }
  std::string_view model() const noexcept override { return "gpt-4o"; }
  bool stream() const noexcept override { return true; }
  std::string_view body() const noexcept override { return {}; }
  std::span<const PromptPart> prompt() const override { return {}; }
  std::span<const std::string_view> tools_offered() const override { return {}; }
  std::string_view tool_forced() const noexcept override { return {}; }
  std::span<const std::string_view> tools_called() const override { return {}; }
  const RequestShape& shape() const override { return counts; }
  std::uint64_t estimated_input_tokens() const override { return 0; }
  TimePoint now() const noexcept override { return {}; }
  std::optional<TimePoint> deadline() const noexcept override { return std::nullopt; }
  Headers fields;
  RequestShape counts;
};

/// A host that nothing is asked of: in these chains nobody waits, edits requests or calls.
struct IdleHost final : Host {
  const ExchangeView& view() const noexcept override { return exchange; }
  TimePoint now() const noexcept override { return {}; }
  std::shared_ptr<Post> post() override { return nullptr; }
  std::unique_ptr<RequestDraft> draft(std::string_view) override { return nullptr; }
  bool owns_header(Stage, std::string_view) const noexcept override { return false; }
  void call(std::string_view, std::string_view, Request, CallBounds, std::function<void(Result<CallAnswer>)>) override {}
  void pause_upstream() override {}
  void resume_upstream() override {}
  void count(Count, std::string_view) noexcept override {}
  void deadline_changed() override {}
  void on_ruling(Stage, const Ruling&) override {}
  void on_delta(Delta&, Change) override {}
  View exchange;
};

std::size_t seen = 0;

class Least final : public Plugin {
 public:
  Least(std::string name, Wants wants, bool edits) : name_(std::move(name)), wants_(wants), edits_(edits) {}
  std::string_view name() const noexcept override { return name_; }
  Wants wants() const noexcept override { return wants_; }
  std::unique_ptr<PluginSession> open(const ExchangeView&) const override { return std::make_unique<Session>(edits_); }

 private:
  struct Session final : PluginSession {
    explicit Session(bool changes) : edits(changes) {}
    Verdict on_delta(DeltaContext&, Delta& delta) override {
      seen += delta.text.size();
      if (edits) ++delta.text[0];
      return Verdict::go_on();
    }
    void on_finish(const Outcome&) noexcept override { ++seen; }
    const bool edits;
  };
  const std::string name_;
  const Wants wants_;
  const bool edits_;
};

class Looking final : public Observer {
 public:
  explicit Looking(std::string name) : name_(std::move(name)) {}
  std::string_view name() const noexcept override { return name_; }
  Wants wants() const noexcept override { return kWantsDeltas; }
  std::unique_ptr<ObserverSession> open(const ExchangeView&) const override { return std::make_unique<Session>(); }

 private:
  struct Session final : ObserverSession {
    void on_delta(const ExchangeView&, const Delta& delta) override { seen += delta.text.size(); }
  };
  const std::string name_;
};

struct Kind {
  const char* name;
  bool of_delta;
  Wants wants;
  bool edits = false, observes = false;
};

const Kind kKinds[] = {
    {"exchange_idle", false, kWantsNothing},         // they want nothing
    {"exchange_finish", false, kWantsFinish},        // a session each, for the end alone
    {"exchange_guard", false, kWantsRequest},        // asked once each
    {"exchange_answer", false, kWantsHead | kWantsAttempts},
    {"delta_unwanted", true, kWantsRequest},         // what an exchange asks its chain before it decodes anything
    {"delta_read", true, kWantsDeltas},
    {"delta_may_edit", true, kWantsDeltaEdits},      // and does not
    {"delta_edit", true, kWantsDeltaEdits, true},    // each changes it
    {"delta_observe", true, kWantsDeltas, false, true},
};

std::shared_ptr<const Chain> make_chain(const Kind& kind, int plugins) {
  std::vector<Link> links;
  for (int i = 0; i < plugins; ++i) {
    std::string name = "plugin-" + std::to_string(i);
    if (kind.observes) {
      links.push_back({std::make_shared<const Looking>(std::move(name))});
    } else {
      links.push_back({std::make_shared<const Least>(std::move(name), kind.wants, kind.edits)});
    }
  }
  auto chain = Chain::compile({links, "/gateway/plugins"});
  if (!chain) std::puts(chain.error().message.c_str()), std::exit(1);
  return *chain;
}

/// One exchange as a gateway runs it, without its deltas.
void exchange(const std::shared_ptr<const Chain>& chain, IdleHost& host, const Outcome& outcome) {
  Run run(host);
  Headers headers;
  (void)run.authenticate(chain);
  (void)run.request(chain);
  (void)run.attempt("openai", "gpt-4o", 1, headers);
  (void)run.head(200, headers);
  (void)run.answer_end();
  run.stop();
  run.finish(outcome);
}

class Measured {
 public:
  Measured(const Kind& kind, int plugins) : kind_(kind), chain_(make_chain(kind, plugins)) { (void)run_.request(chain_); }

  void times(long n) {
    if (!kind_.of_delta) {
      for (long i = 0; i < n; ++i) exchange(chain_, host_, outcome_);
      return;
    }
    for (long i = 0; i < n; ++i) {
      if (!chain_->wants(kWantsDeltas)) {
        ++seen;
        continue;
      }
      if (run_.delta(delta_).kind != Ruling::Kind::kGoOn) std::puts("a delta was lost"), std::exit(1);
    }
  }

 private:
  const Kind& kind_;
  const std::shared_ptr<const Chain> chain_;
  IdleHost host_;
  Run run_{host_};
  const Outcome outcome_;
  Delta delta_{.text = " gateway"};
};

void report(const Kind& kind, int plugins) {
  Measured measured(kind, plugins);
  constexpr long kBatch = 2'000;
  std::vector<double> batches;
  const auto until = Clock::now() + std::chrono::milliseconds(300);
  while (Clock::now() < until) {
    const auto began = Clock::now();
    measured.times(kBatch);
    batches.push_back(std::chrono::duration<double, std::nano>(Clock::now() - began).count() / kBatch);
  }
  std::sort(batches.begin(), batches.end());
  std::printf("%-18s %3d plugins  best %8.1f ns  median %8.1f ns\n", kind.name, plugins, batches.front(), batches[batches.size() / 2]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4) {
    for (const Kind& kind : kKinds) {
      if (std::string_view(argv[1]) == kind.name) Measured(kind, std::atoi(argv[2])).times(std::atol(argv[3]));
    }
    return 0;
  }
  for (const Kind& kind : kKinds) {
    for (const int plugins : {0, 1, 10}) report(kind, plugins);
  }
}
