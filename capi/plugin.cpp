// Plugins that are tables of functions: each hook of the library becomes a call of one.

#include "plugin.hpp"

#include "hook.hpp"
#include "outcome.hpp"

namespace sluice::capi {
namespace {

class TableSession final : public PluginSession {
 public:
  TableSession(const sluice_plugin_t& table, void* session, bool opened) : table_(table), session_(session), opened_(opened) {}
  ~TableSession() override {
    if (!opened_ || table_.close == nullptr) return;
    const CallbackScope scope;
    table_.close(session_);
  }
  TableSession(const TableSession&) = delete;
  TableSession& operator=(const TableSession&) = delete;

  Verdict on_request(RequestContext& context) override { return ask(table_.on_request, SLUICE_HOOK_REQUEST, context, {.request = &context}); }
  Verdict on_attempt(AttemptContext& context) override { return ask(table_.on_attempt, SLUICE_HOOK_ATTEMPT, context, {.attempt = &context}); }
  Verdict on_head(HeadContext& context) override { return ask(table_.on_head, SLUICE_HOOK_HEAD, context, {.head = &context}); }
  Verdict on_delta(DeltaContext& context, Delta& delta) override { return ask(table_.on_delta, SLUICE_HOOK_DELTA, context, {.delta = &delta}); }
  Verdict on_answer_end(AnswerEndContext& context) override {
    return ask(table_.on_answer_end, SLUICE_HOOK_ANSWER_END, context, {.end = &context});
  }
  void on_finish(const Outcome& outcome) noexcept override {
    if (table_.on_finish == nullptr) return;
    const CallbackScope scope;
    const sluice_outcome lent{&outcome, nullptr};
    table_.on_finish(session_, &lent);
  }

 private:
  Verdict ask(std::int32_t (*function)(void*, sluice_hook_t*), std::int32_t kind, HookContext& context, const HookTargets& targets) {
    if (function == nullptr) return Verdict::go_on();
    sluice_hook hook{kind, &context.exchange(), &context, targets};
    std::int32_t said;
    {
      const CallbackScope scope;
      said = function(session_, &hook);
    }
    switch (said) {
      case SLUICE_CONTINUE: return Verdict::go_on();
      case SLUICE_SUSPEND: return Verdict::suspend();
      case SLUICE_REPLY:
        if (hook.said && hook.said->kind() == Verdict::Kind::kReply) return *hook.said;
        break;
      case SLUICE_FAIL:
        if (hook.said && hook.said->kind() == Verdict::Kind::kFail) return *hook.said;
        return Verdict::fail(make_error(Code::kOutOfMemory, "there was no memory for what the plugin decided"));
      default: break;
    }
    return Verdict::fail(make_error(Code::kPluginError, "the hook returned " + std::to_string(said) + ", which it was given by nothing"));
  }

  const sluice_plugin_t& table_;   // the plugin's, which outlives its sessions
  void* const session_;
  const bool opened_;
};

}  // namespace

std::unique_ptr<PluginSession> TablePlugin::open(const ExchangeView& exchange) const {
  void* session = table_.user;
  if (table_.open != nullptr) {
    std::int32_t joins = 1;
    sluice_hook hook{0, &exchange};
    const CallbackScope scope;
    table_.open(table_.user, &hook, &session, &joins);
    if (joins == 0) return nullptr;
  }
  return std::make_unique<TableSession>(table_, session, table_.open != nullptr);
}

}  // namespace sluice::capi
