#pragma once
// What the tests of plugins in whole gateways share: plugins made of the hooks a test gives, and documents that list them.

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "integration/rig.hpp"
#include "integration/stream_support.hpp"
#include "sluice/testing.hpp"

namespace sluice::test {

/// A check inside a hook, which runs on an engine's thread, where Catch must not be called: the first that fails ends the
/// test program, with its place.
#define HOOK_CHECK(condition) (static_cast<bool>(condition) ? void() : ::sluice::test::hook_failed(#condition, __FILE__, __LINE__))
#define HOOK_CHECK_FALSE(condition) HOOK_CHECK(!(condition))
[[noreturn]] inline void hook_failed(const char* what, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: FAILED in a hook: %s\n", file, line, what);
  std::abort();
}

/// The hooks of one session; those that are left out go on.
struct Hooks {
  std::function<Verdict(RequestContext&)> request = {};
  std::function<Verdict(AttemptContext&)> attempt = {};
  std::function<Verdict(HeadContext&)> head = {};
  std::function<Verdict(DeltaContext&, Delta&)> delta = {};
  std::function<Verdict(AnswerEndContext&)> end = {};
  std::function<void(const Outcome&)> finish = {};
};

/// A plugin whose sessions do what `make` gives them.
class Scripted final : public Plugin {
 public:
  Scripted(std::string name, Phase phase, Wants wants, std::function<Hooks()> make)
      : name_(std::move(name)), phase_(phase), wants_(wants), make_(std::move(make)) {}
  std::string_view name() const noexcept override { return name_; }
  Phase phase() const noexcept override { return phase_; }
  Wants wants() const noexcept override { return wants_; }
  std::unique_ptr<PluginSession> open(const ExchangeView&) const override { return std::make_unique<Session>(make_()); }

 private:
  class Session final : public PluginSession {
   public:
    explicit Session(Hooks hooks) : hooks_(std::move(hooks)) {}
    Verdict on_request(RequestContext& ctx) override { return hooks_.request ? hooks_.request(ctx) : Verdict::go_on(); }
    Verdict on_attempt(AttemptContext& ctx) override { return hooks_.attempt ? hooks_.attempt(ctx) : Verdict::go_on(); }
    Verdict on_head(HeadContext& ctx) override { return hooks_.head ? hooks_.head(ctx) : Verdict::go_on(); }
    Verdict on_delta(DeltaContext& ctx, Delta& delta) override { return hooks_.delta ? hooks_.delta(ctx, delta) : Verdict::go_on(); }
    Verdict on_answer_end(AnswerEndContext& ctx) override { return hooks_.end ? hooks_.end(ctx) : Verdict::go_on(); }
    void on_finish(const Outcome& outcome) noexcept override {
      if (hooks_.finish) hooks_.finish(outcome);
    }

   private:
    Hooks hooks_;
  };
  std::string name_;
  Phase phase_;
  Wants wants_;
  std::function<Hooks()> make_;
};

inline std::shared_ptr<const Plugin> scripted(std::string name, Phase phase, Wants wants, Hooks hooks) {
  return std::make_shared<Scripted>(std::move(name), phase, wants, [hooks] { return hooks; });
}
inline std::shared_ptr<const Plugin> scripted_each(std::string name, Phase phase, Wants wants, std::function<Hooks()> make) {
  return std::make_shared<Scripted>(std::move(name), phase, wants, std::move(make));
}

inline OpenOptions bringing(std::vector<std::shared_ptr<const Plugin>> plugins) {
  OpenOptions options;
  options.plugins = std::move(plugins);
  return options;
}

/// `"plugins":[{"name":"a"},{"name":"b","mode":"observe"}]` of names and whole entries.
inline std::string plugin_list(const std::vector<std::string>& entries) {
  std::string out = R"("plugins":[)";
  for (const std::string& one : entries) {
    if (out.back() != '[') out += ',';
    out += one.front() == '{' ? one : R"({"name":")" + one + "\"}";
  }
  return out + "]";
}

/// One upstream `up`, everything below /v1 goes there once, with these plugins on the route.
inline std::string with_plugins(const FaultServer& server, const std::vector<std::string>& entries, const std::string& upstream = {}) {
  return config_of("http://" + server.authority() + "/v1", upstream, {}, plugin_list(entries));
}

inline Error refusal(std::string message, int status = 403) {
  Error error = make_error(Code::kConsumerNotAllowed, std::move(message));
  error.http_status = status;
  return error;
}

/// What has to be resumed, by whoever comes for it. Thread: any.
class Waiting {
 public:
  Verdict park(HookContext& ctx) {
    {
      const std::lock_guard lock(mutex_);
      parked_.push_back(ctx.resumer());
      ++seen_;
    }
    changed_.notify_all();
    return Verdict::suspend();
  }
  /// Waits until `n` have been parked in all.
  bool wait(std::size_t n = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return seen_ >= n; });
  }
  Resumer take() {
    const std::lock_guard lock(mutex_);
    if (parked_.empty()) return {};
    Resumer first = std::move(parked_.front());
    parked_.erase(parked_.begin());
    return first;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Resumer> parked_;
  std::size_t seen_ = 0;
};

/// The verdict a plugin has in an account; null where there is none.
inline const PluginVerdict* verdict_of(const Outcome& outcome, std::string_view plugin, std::string_view hook = {}) {
  for (const PluginVerdict& one : outcome.verdicts) {
    if (one.plugin == plugin && (hook.empty() || one.hook == hook)) return &one;
  }
  return nullptr;
}

/// A gateway in virtual time with plugins: upstreams are `up` and whatever the document names.
struct PluginBench {
  testing::ManualClock clock;
  testing::Simulation simulation{clock, 7};
  std::optional<Gateway> gateway;
  PluginBench(const std::string& config, OpenOptions options) {
    options.clock = &clock;
    options.transport = simulation.transport();
    auto opened = Gateway::open_json(config, std::move(options));
    INFO((opened ? std::string() : opened.error().message));
    REQUIRE(opened);
    gateway.emplace(std::move(*opened));
  }
  testing::Script& up(const std::string& name = "up") { return simulation.upstream(name); }
  testing::Run run(bool stream = false) {
    return simulation.run(*gateway, Request::post("/v1/chat/completions", chat_body("m", "hello", stream)));
  }
};
inline std::string virtual_config(const std::vector<std::string>& entries, const std::string& upstream = {}) {
  return config_of("http://up.test/v1", upstream, R"("threads":0)", plugin_list(entries));
}

}  // namespace sluice::test
