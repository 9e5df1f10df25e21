// Hooks as events: what an exchange shows is written down for whoever answers, on whatever thread.

#include "queued_plugin.hpp"

#include "gateway.hpp"

namespace sluice::capi {
namespace {

void quote(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (byte < 0x20) {
      out.append("\\u00").append({kDigits[byte >> 4], kDigits[byte & 15]});
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

void member(std::string& out, std::string_view name, std::string_view text) {
  out.push_back(out.empty() ? '{' : ',');
  quote(out, name);
  out.push_back(':');
  quote(out, text);
}

void list(std::string& out, const Headers& headers) {
  out.append(",\"headers\":[");
  bool first = true;
  for (const HeaderField field : headers) {
    out.append(std::exchange(first, false) ? "[" : ",[");
    quote(out, field.name);
    out.push_back(',');
    quote(out, field.value);
    out.push_back(']');
  }
  out.push_back(']');
}

/// The object every hook but a delta's begins with; still open.
std::string described(const ExchangeView& view) {
  std::string out;
  member(out, "id", view.id());
  member(out, "operation", view.operation());
  member(out, "dialect", view.dialect());
  member(out, "consumer", view.consumer());
  member(out, "tenant", view.tenant());
  member(out, "route", view.route());
  member(out, "method", view.method());
  member(out, "path", view.path());
  member(out, "model", view.model());
  out.append(view.stream() ? ",\"stream\":true" : ",\"stream\":false");
  return out;
}

class QueuedSession final : public PluginSession {
 public:
  QueuedSession(std::shared_ptr<Queue> queue, std::shared_ptr<PendingHooks> hooks, std::uint64_t tag, Wants wants)
      : queue_(std::move(queue)), hooks_(std::move(hooks)), tag_(tag), wants_(wants), session_(new_number()) {}
  ~QueuedSession() override { hooks_->drop(pending_); }
  QueuedSession(const QueuedSession&) = delete;
  QueuedSession& operator=(const QueuedSession&) = delete;

  Verdict on_request(RequestContext& context) override {
    const ExchangeView& view = context.exchange();
    std::string data = described(view);
    list(data, view.headers());
    member(data, "body", view.body());
    data.push_back('}');
    return ask(SLUICE_HOOK_REQUEST, context, {.request = &context}, data);
  }

  Verdict on_attempt(AttemptContext& context) override {
    std::string data = described(context.exchange());
    member(data, "upstream", context.upstream());
    data.append(",\"number\":").append(std::to_string(context.number())).push_back('}');
    return ask(SLUICE_HOOK_ATTEMPT, context, {.attempt = &context}, data);
  }

  Verdict on_head(HeadContext& context) override {
    std::string data = described(context.exchange());
    data.append(",\"status\":").append(std::to_string(context.status()));
    list(data, context.headers());
    data.push_back('}');
    return ask(SLUICE_HOOK_HEAD, context, {.head = &context}, data);
  }

  Verdict on_delta(DeltaContext& context, Delta& delta) override {
    sluice_event_t event = event_of(SLUICE_HOOK_DELTA);
    event.choice = delta.choice;
    event.channel = static_cast<std::int32_t>(delta.channel);
    event.tool_index = delta.tool_index;
    return ask(event, context, {.delta = &delta}, delta.text);
  }

  Verdict on_answer_end(AnswerEndContext& context) override {
    return ask(SLUICE_HOOK_ANSWER_END, context, {.end = &context}, described(context.exchange()) + "}");
  }

  void on_finish(const Outcome& outcome) noexcept override {
    hooks_->drop(pending_);
    if ((wants_ & kWantsFinish) == 0) return;
    (void)guard(nullptr, [&]() -> Status {
      (void)queue_->push(event_of(SLUICE_HOOK_FINISH), outcome.id);
      return {};
    });
  }

 private:
  [[nodiscard]] sluice_event_t event_of(std::int32_t kind) {
    hooks_->drop(pending_);  // of a hook that timed out
    pending_ = new_number();
    sluice_event_t event{};
    event.tag = tag_;
    event.call = pending_;
    event.session = session_;
    event.kind = SLUICE_EVENT_HOOK;
    event.detail = kind;
    return event;
  }

  Verdict ask(std::int32_t kind, HookContext& context, const HookTargets& targets, std::string_view data) {
    return ask(event_of(kind), context, targets, data);
  }

  Verdict ask(const sluice_event_t& event, HookContext& context, const HookTargets& targets, std::string_view data) {
    hooks_->put(event.call, {context.resumer(), targets});
    if (queue_->push(event, data)) return Verdict::suspend();
    return Verdict::fail(make_error(Code::kPluginError, "the queue of this plugin was freed: nobody answers"));
  }

  const std::shared_ptr<Queue> queue_;
  const std::shared_ptr<PendingHooks> hooks_;
  const std::uint64_t tag_;
  const Wants wants_;
  const std::uint64_t session_;
  std::uint64_t pending_ = 0;   // the hook that waits, or did
};

}  // namespace

void PendingHooks::put(std::uint64_t hook, Pending pending) {
  const std::lock_guard lock(mutex_);
  pending_.emplace(hook, std::move(pending));
}

std::optional<PendingHooks::Pending> PendingHooks::find(std::uint64_t hook) {
  const std::lock_guard lock(mutex_);
  const auto found = pending_.find(hook);
  return found == pending_.end() ? std::nullopt : std::optional(found->second);
}

void PendingHooks::drop(std::uint64_t hook) noexcept {
  std::unordered_map<std::uint64_t, Pending>::node_type last;  // the last copy of a resumer may post: behind the lock
  const std::lock_guard lock(mutex_);
  last = pending_.extract(hook);
}

std::unique_ptr<PluginSession> QueuedPlugin::open(const ExchangeView&) const {
  return std::make_unique<QueuedSession>(queue_, hooks_, tag_, wants_);
}

}  // namespace sluice::capi

using namespace sluice;
using namespace sluice::capi;

extern "C" {

sluice_code_t sluice_hook_answer(sluice_gateway_t* gateway, uint64_t hook, const sluice_ruling_t* ruling, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    const auto open = enter(gateway);
    if (!open) return tl::unexpected(open.error());
    for (const auto& hooks : (*open)->hooks()) {
      const auto pending = hooks->find(hook);
      if (!pending) continue;
      auto read = ruling_in(ruling, pending->targets);
      if (!read) return tl::unexpected(read.error());
      pending->resumer.resume(std::move(read->verdict), std::move(read->edits));
      hooks->drop(hook);
      return {};
    }
    const auto read = ruling_in(ruling, {});
    return read ? Status{} : Status(tl::unexpected(read.error()));
  });
}

}  // extern "C"
