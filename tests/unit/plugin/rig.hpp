#pragma once
// A host that writes down what it hears, on a clock moved by hand and with a mailbox emptied by hand; and plugins that are
// scripts, which write each of their hooks into one diary.

#include <catch2/catch.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/mailbox.hpp"
#include "plugin/chain.hpp"
#include "plugin/run.hpp"

namespace sluice::plugin {

using namespace std::chrono_literals;
using Diary = std::vector<std::string>;

/// The mailbox of a thread that may go away first.
class TestPost final : public Post {
 public:
  void post(base::Task task) override {
    const std::lock_guard lock(mutex_);
    if (!open_) return;  // `task` is a parameter: it goes after the lock
    tasks_.push_back(std::move(task));
  }
  std::vector<base::Task> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(tasks_, {});
  }
  /// The thread is no more: what is in the box is dropped, and so is what comes.
  void close() {
    std::vector<base::Task> dropped;  // goes after the lock, too
    const std::lock_guard lock(mutex_);
    open_ = false;
    dropped.swap(tasks_);
  }

 private:
  std::mutex mutex_;
  bool open_ = true;
  std::vector<base::Task> tasks_;
};

struct TestView final : ExchangeView {
  std::string_view id() const noexcept override { return "x-1"; }
  std::string_view operation() const noexcept override { return asked; }
  std::string_view dialect() const noexcept override { return "openai"; }
  std::string_view consumer() const noexcept override { return "app"; }
  std::string_view tenant() const noexcept override { return "acme"; }
  std::string_view route() const noexcept override { return "chat"; }
  std::string_view method() const noexcept override { return "POST"; }
  std::string_view path() const noexcept override { return "/v1/chat/completions"; }
  const Headers& headers() const noexcept override { return fields; }
  std::string_view model() const noexcept override { return "gpt-4o"; }
  bool stream() const noexcept override { return true; }
  std::string_view body() const noexcept override { return text; }
  std::span<const PromptPart> prompt() const override { return parts; }
  std::span<const std::string_view> tools_offered() const override { return tools; }
  std::string_view tool_forced() const noexcept override { return "weather"; }
  std::span<const std::string_view> tools_called() const override { return tools; }
  const RequestShape& shape() const override { return counts; }
  std::uint64_t estimated_input_tokens() const override { return 7; }
  TimePoint now() const noexcept override { return {}; }
  std::optional<TimePoint> deadline() const noexcept override { return std::nullopt; }

  std::string asked = "chat";
  RequestShape counts;
  std::string text = "hello";
  Headers fields;
  std::vector<PromptPart> parts = {{PromptPart::Role::kUser, true, "hello"}};
  std::vector<std::string_view> tools = {"weather"};
};

struct TestHost final : Host {
  struct Given {
    std::string text;
    Change change = Change::kNone;
    bool operator==(const Given&) const = default;
  };
  struct Called {
    std::string plugin, upstream;
    std::function<void(Result<CallAnswer>)> done;
  };
  struct Draft final : RequestDraft {
    explicit Draft(TestHost& host) : host_(host), view_(host.exchange) {}
    const ExchangeView& view() const noexcept override { return view_; }
    Status set_header(std::string_view name, std::string_view value) override { return view_.fields.set(name, value); }
    void remove_header(std::string_view name) override { view_.fields.remove(name); }
    Status set_body(std::string body) override { return view_.text = std::move(body), Status{}; }
    Status set_json(std::string_view pointer, std::string_view json) override {
      return view_.text.append("+").append(pointer).append("=").append(json), Status{};
    }
    Status remove_json(std::string_view pointer) override { return view_.text.append("-").append(pointer), Status{}; }
    Status set_prompt_text(std::size_t part, std::string_view text) override {
      return view_.text.append("#").append(std::to_string(part)).append("=").append(text), Status{};
    }
    Status choose(std::vector<RouteChoice> choices) override {
      for (const RouteChoice& choice : choices) {
        if (!host_.upstreams.contains(choice.upstream)) return fail(Code::kPluginError, "'" + choice.upstream + "' is no upstream of the route");
      }
      choices_ = std::move(choices);
      return {};
    }
    Status publish() override {
      if (view_.text == "broken") return fail(Code::kInvalidJson, "the body is no JSON");
      host_.exchange.text = view_.text;
      host_.exchange.fields = view_.fields;
      for (const RouteChoice& choice : choices_) host_.chosen.push_back(choice.upstream);
      ++host_.versions;
      return {};
    }

   private:
    TestHost& host_;
    TestView view_;
    std::vector<RouteChoice> choices_;
  };

  const ExchangeView& view() const noexcept override { return exchange; }
  TimePoint now() const noexcept override { return time; }
  std::shared_ptr<Post> post() override { return box; }
  std::unique_ptr<RequestDraft> draft(std::string_view) override { return std::make_unique<Draft>(*this); }
  bool owns_header(Stage, std::string_view name) const noexcept override { return name == "content-length"; }
  void call(std::string_view plugin, std::string_view upstream, Request, CallBounds, std::function<void(Result<CallAnswer>)> done) override {
    if (upstream == "nowhere") return done(fail(Code::kPluginError, "no upstream is called 'nowhere'"));
    calls.push_back({std::string(plugin), std::string(upstream), std::move(done)});
  }
  void pause_upstream() override { ++paused; }
  void resume_upstream() override {
    ++resumed;
    if (on_resume) on_resume();
  }
  void count(Count what, std::string_view plugin) noexcept override { ++counts[{what, std::string(plugin)}]; }
  void deadline_changed() override { ++deadline_changes; }
  void on_ruling(Stage stage, const Ruling& ruling) override {
    rulings.emplace_back(stage, ruling);
    if (on_ruled) on_ruled(stage, ruling);
  }
  void on_delta(Delta& delta, Change change) override {
    given.push_back({delta.text, change});
    if (on_given) on_given();
  }

  /// Everything that was posted, until nothing is. How much there was.
  std::size_t read_mail() {
    std::size_t read = 0;
    for (auto tasks = box->take(); !tasks.empty(); tasks = box->take()) {
      for (base::Task& task : tasks) task();
      read += tasks.size();
    }
    return read;
  }
  int counted(Count what, const std::string& plugin) const {
    const auto found = counts.find({what, plugin});
    return found == counts.end() ? 0 : found->second;
  }

  TestView exchange;
  TimePoint time{std::chrono::hours(1)};
  std::shared_ptr<TestPost> box = std::make_shared<TestPost>();
  std::set<std::string> upstreams = {"openai", "local"};
  std::vector<std::string> chosen;
  int versions = 0, paused = 0, resumed = 0, deadline_changes = 0;
  std::vector<std::pair<Stage, Ruling>> rulings;
  std::vector<Given> given;
  std::vector<Called> calls;
  std::map<std::pair<Count, std::string>, int> counts;
  std::function<void(Stage, const Ruling&)> on_ruled;
  std::function<void()> on_given, on_resume;
};

/// What a scripted plugin does. A hook left out goes on.
struct Script {
  std::string name;
  Wants wants = kWantsRequest;
  Phase phase = Phase::kGuard;
  std::function<Verdict(RequestContext&)> request = {};
  std::function<Verdict(AttemptContext&)> attempt = {};
  std::function<Verdict(HeadContext&)> head = {};
  std::function<Verdict(DeltaContext&, Delta&)> delta = {};
  std::function<Verdict(AnswerEndContext&)> answer_end = {};
  std::function<void(const Outcome&)> finish = {};
  std::function<bool(const ExchangeView&)> open = {};  // false: no session
};

class Scripted final : public Plugin {
 public:
  Scripted(Script script, Diary& diary) : script_(std::move(script)), diary_(diary) {}
  std::string_view name() const noexcept override { return script_.name; }
  Phase phase() const noexcept override { return script_.phase; }
  Wants wants() const noexcept override { return script_.wants; }
  std::unique_ptr<PluginSession> open(const ExchangeView& exchange) const override {
    if (script_.open && !script_.open(exchange)) return nullptr;
    return std::make_unique<Session>(script_, diary_);
  }

 private:
  class Session final : public PluginSession {
   public:
    Session(const Script& script, Diary& diary) : script_(script), diary_(diary) {}
    Verdict on_request(RequestContext& c) override { return note("request"), script_.request ? script_.request(c) : Verdict::go_on(); }
    Verdict on_attempt(AttemptContext& c) override {
      note("attempt " + std::to_string(c.number()) + " " + std::string(c.upstream()) + " " + std::string(c.model()));
      return script_.attempt ? script_.attempt(c) : Verdict::go_on();
    }
    Verdict on_head(HeadContext& c) override { return note("head"), script_.head ? script_.head(c) : Verdict::go_on(); }
    Verdict on_delta(DeltaContext& c, Delta& delta) override {
      return note("delta " + delta.text), script_.delta ? script_.delta(c, delta) : Verdict::go_on();
    }
    Verdict on_answer_end(AnswerEndContext& c) override { return note("answer_end"), script_.answer_end ? script_.answer_end(c) : Verdict::go_on(); }
    void on_finish(const Outcome& outcome) noexcept override {
      note("finish");
      if (script_.finish) script_.finish(outcome);
    }

   private:
    void note(const std::string& what) { diary_.push_back(script_.name + " " + what); }
    const Script& script_;
    Diary& diary_;
  };
  const Script script_;
  Diary& diary_;
};

/// An observer that writes down what it sees.
class Watcher final : public Observer {
 public:
  Watcher(std::string name, Wants wants, Diary& diary, std::string throws_in = {})
      : name_(std::move(name)), wants_(wants), diary_(diary), throws_in_(std::move(throws_in)) {}
  std::string_view name() const noexcept override { return name_; }
  Wants wants() const noexcept override { return wants_; }
  std::unique_ptr<ObserverSession> open(const ExchangeView& exchange) const override {
    diary_.push_back(name_ + " open '" + std::string(exchange.body()) + "' " + std::to_string(exchange.prompt().size()));
    if (throws_in_ == "open") throw std::runtime_error("no disk");
    return std::make_unique<Session>(*this);
  }

 private:
  class Session final : public ObserverSession {
   public:
    explicit Session(const Watcher& watcher) : watcher_(watcher) {}
    void on_request(const ExchangeView& exchange) override { note("request", exchange.body()); }
    void on_head(const ExchangeView&, int status, const Headers& headers) override {
      note("head", std::to_string(status) + "/" + std::string(headers.get("x-a").value_or("")));
    }
    void on_delta(const ExchangeView&, const Delta& delta) override { note("delta", delta.text); }
    void on_finish(const Outcome&) noexcept override { watcher_.diary_.push_back(watcher_.name_ + " finish"); }

   private:
    void note(const std::string& hook, std::string_view what) {
      watcher_.diary_.push_back(watcher_.name_ + " " + hook + " " + std::string(what));
      if (watcher_.throws_in_ == hook) throw std::runtime_error("no disk");
    }
    const Watcher& watcher_;
  };
  const std::string name_;
  const Wants wants_;
  Diary& diary_;
  const std::string throws_in_;
};

struct Rig {
  Diary diary;
  TestHost host;
  std::vector<Link> links;
  std::unique_ptr<Run> run = std::make_unique<Run>(host);

  Link link(Script script, PluginMode mode = PluginMode::kEnforce, FailMode on_error = FailMode::kClosed, std::chrono::milliseconds timeout = 500ms) {
    return {std::make_shared<const Scripted>(std::move(script), diary), mode, on_error, timeout};
  }
  void add(Script script, PluginMode mode = PluginMode::kEnforce, FailMode on_error = FailMode::kClosed, std::chrono::milliseconds timeout = 500ms) {
    links.push_back(link(std::move(script), mode, on_error, timeout));
  }
  void observe(std::string name, Wants wants, std::string throws_in = {}) {
    links.push_back({std::make_shared<const Watcher>(std::move(name), wants, diary, std::move(throws_in))});
  }
  std::shared_ptr<const Chain> chain() const {
    auto compiled = Chain::compile({links, "/gateway/plugins"});
    if (!compiled) FAIL(compiled.error().message);
    return *compiled;
  }
  Ruling request() { return run->request(chain()); }
  /// To where deltas may come.
  void answer() {
    REQUIRE(request().kind == Ruling::Kind::kGoOn);
    diary.clear();
  }
  Ruling delta(std::string text) {
    Delta delta{.text = std::move(text)};
    Ruling ruling = run->delta(delta);
    if (ruling.kind == Ruling::Kind::kGoOn) host.given.push_back({delta.text, ruling.change});
    return ruling;
  }
  /// As an exchange ends: the account, then the end.
  Outcome end() {
    Outcome outcome;
    run->account(outcome);
    run->finish(outcome);
    return outcome;
  }
};

/// Suspends and puts the Resumer into `out`.
inline std::function<Verdict(HookContext&)> suspends_into(Resumer& out) {
  return [&out](HookContext& context) {
    out = context.resumer();
    return Verdict::suspend();
  };
}
inline std::function<Verdict(HookContext&)> says(Verdict verdict) {
  return [verdict](HookContext&) { return verdict; };
}
/// Appends `what` to every delta.
inline std::function<Verdict(DeltaContext&, Delta&)> appends(std::string what) {
  return [what](DeltaContext&, Delta& delta) {
    delta.text += what;
    return Verdict::go_on();
  };
}
/// Suspends on deltas that say `text`.
inline std::function<Verdict(DeltaContext&, Delta&)> suspends_on(std::string text, Resumer& out) {
  return [text, &out](DeltaContext& context, Delta& delta) {
    if (delta.text != text) return Verdict::go_on();
    out = context.resumer();
    return Verdict::suspend();
  };
}
inline Verdict refusal(std::string message, Code code = Code::kInvalidRequest) { return Verdict::fail(make_error(code, std::move(message))); }

}  // namespace sluice::plugin
