// One call of a plugin's, from the place at its upstream to the answer.

#include "gateway/call_out.hpp"

#include <algorithm>

#include "gateway/core.hpp"
#include "gateway/credential.hpp"
#include "gateway/header_policy.hpp"
#include "gateway/rewrite.hpp"
#include "http/target.hpp"

namespace sluice::gateway {

namespace {

Result<engine::WireRequest> encode(const CompiledUpstream& to, Request request) {
  auto target = http::parse_target(request.target);
  if (!target) return tl::unexpected(target.error());
  if (!is_header_name(request.method)) return fail(Code::kInvalidRequest, "the method is no HTTP token; use GET, POST or another one");
  engine::WireRequest wire;
  wire.target = join_paths(to.base_path, target->path);
  if (wire.target.empty()) wire.target = "/";
  const std::string query = to.base_query.empty() ? target->query : target->query.empty() ? to.base_query : to.base_query + '&' + target->query;
  if (!query.empty()) wire.target.append("?").append(query);
  wire.has_body = !request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  wire.method = std::move(request.method);
  wire.body = base::EditedBody(std::move(request.body));
  for (const HeaderField field : request.headers) {
    if (!is_gateways_own(field.name, false)) wire.headers.add_trusted(field.name, field.value);
  }
  wire.headers.remove("accept-encoding");
  if (wire.has_body && !wire.headers.contains("content-type")) wire.headers.add_trusted("Content-Type", "application/json");
  if (!to.auth_name.empty()) {
    wire.headers.remove(to.auth_name);
    if (!to.tokens) wire.headers.add_trusted(to.auth_name, to.auth_value);
  }
  wire.repeatable = to.config->repeatable;
  return wire;
}

}  // namespace

class CallOuts::Call final : private engine::TransferSink, public std::enable_shared_from_this<Call> {
 public:
  Call(CallOuts& all, std::shared_ptr<const Snapshot> snapshot, const CompiledUpstream& to, std::string_view plugin, std::size_t most,
       Done done)
      : all_(&all), engine_(all.engine_), snapshot_(std::move(snapshot)), to_(to), plugin_(plugin), most_(most), done_(std::move(done)),
        began_(engine_.loop().now()), timer_([this] { on_time(); }) {}

  void start(engine::WireRequest wire, CallBounds bounds, std::optional<TimePoint> deadline) {
    wire_ = std::move(wire);
    limit_ = bounds.timeout;
    TimePoint until = began_ + bounds.timeout;
    if (deadline && *deadline < until) {
      until = *deadline;
      of_exchange_ = true;
    }
    if (bounds.timeout.count() > 0 || deadline) engine_.loop().arm(timer_, bounds.timeout.count() > 0 ? until : *deadline);
    const auto entry = to_.state->gate->enter(
        place_,
        [loop = &engine_.loop(), self = weak_from_this()](policy::Place place) {
          // Any thread; the loop outlives those who wait at its exchanges' gates.
          auto held = std::make_shared<policy::Place>(std::move(place));
          loop->post([self, held] {
            if (const auto call = self.lock()) call->on_place(std::move(*held));
          });
        },
        waiter_);
    switch (entry) {
      case policy::Gate::Entry::kEntered: return send();
      case policy::Gate::Entry::kWaiting: return;
      case policy::Gate::Entry::kFull:
        return end(fail(Code::kQueueFull, "upstream '" + to_.config->name + "' has " + std::to_string(to_.config->caps.in_flight) +
                                              " exchanges in flight and its queue is full"));
    }
  }

  /// Nobody is told.
  void give_up() noexcept {
    if (all_ == nullptr) return;
    all_->book(plugin_, to_.config->name, Code::kCancelled, status_, engine_.loop().now() - began_);
    let_go();
  }

 private:
  void on_place(policy::Place place) {
    waiter_ = 0;
    if (all_ == nullptr) return;  // `place` goes back by itself
    place_ = std::move(place);
    send();
  }

  void send() {
    if (!to_.tokens) return send_with(nullptr);
    auto answer = engine_.tokens().ask(to_.tokens, [post = engine_.post(), self = weak_from_this()](const Result<TokenCache::Held>& result) {
      post->post([self, result] {
        if (const auto call = self.lock()) call->on_token(result);
      });
    });
    if (answer.refused) return on_token(tl::unexpected(*std::move(answer.refused)));
    if (answer.token) send_with(answer.token);
  }

  void on_token(const Result<TokenCache::Held>& result) {
    if (all_ == nullptr) return;
    if (result) return send_with(*result);
    end(fail(result.error().code, "upstream '" + to_.config->name + "' got no token: " + result.error().message));
  }

  void send_with(const TokenCache::Held& token) {
    auto channel = engine_.channel(to_);
    if (!channel) return end(tl::unexpected(channel.error()));
    channel_ = std::move(*channel);
    if (token && !token->signer) wire_.headers.add_trusted(to_.auth_name, token->authorization);
    if (const auto* signer = token && token->signer ? token->signer.get() : to_.signer.get()) {
      const Status signed_off = sign(wire_, *signer, to_.state->endpoint.authority, engine_.core().clock().wall());
      if (!signed_off) return end(tl::unexpected(signed_off.error()));
    }
    load_.raise(to_.state->in_flight);
    transfer_ = channel_->start(std::move(wire_), *this);
  }

  void on_head(ResponseHead&& head) override {
    status_ = head.status;
    answer_.status = head.status;
    answer_.headers = std::move(head.headers);
  }

  void on_bytes(std::string_view bytes) override {
    if (answer_.body.size() + bytes.size() <= most_) {
      answer_.body.append(bytes);
      return;
    }
    end(fail(Code::kUpstreamAnswerTooLarge, "upstream '" + to_.config->name + "' answered a plugin's call with more than " + std::to_string(most_) + " bytes"));
  }

  void on_done(const engine::TransferEnd& done) override {
    if (done.code == Code::kOk) return end(std::move(answer_));
    end(fail(done.code, "upstream '" + to_.config->name + "': " + done.detail));
  }

  void on_time() {
    const std::string whose = of_exchange_ ? "the exchange's deadline" : std::to_string(limit_.count()) + " ms";
    end(fail(Code::kTotalTimeout, "upstream '" + to_.config->name + "' did not answer a plugin's call within " + whose));
  }

  void end(Result<CallAnswer> answer) {
    if (all_ == nullptr) return;
    const auto self = shared_from_this();  // until this has returned: whoever called may still be on the stack
    CallOuts* const all = all_;
    all->book(plugin_, to_.config->name, answer ? Code::kOk : answer.error().code, status_, engine_.loop().now() - began_);
    all->open_.remove(self);
    engine_.loop().defer([self] {});  // and until whoever called that has
    const Done done = std::move(done_);
    let_go();
    done(std::move(answer));
  }

  void let_go() noexcept {
    all_ = nullptr;
    engine_.loop().disarm(timer_);
    transfer_.reset();
    if (waiter_ != 0) to_.state->gate->leave_queue(std::exchange(waiter_, 0));
    place_.release();
    load_.release();
  }

  CallOuts* all_;  // null: it is over
  Engine& engine_;
  const std::shared_ptr<const Snapshot> snapshot_;  // `to_` is of it
  const CompiledUpstream& to_;
  const std::string plugin_;
  const std::size_t most_;
  Done done_;
  const TimePoint began_;
  engine::WireRequest wire_;
  CallAnswer answer_;
  int status_ = 0;
  Milliseconds limit_{};
  bool of_exchange_ = false;
  policy::Place place_;
  policy::Gate::Waiter waiter_ = 0;
  policy::Load load_;
  std::shared_ptr<engine::Channel> channel_;
  std::unique_ptr<engine::Transfer> transfer_;
  engine::Timer timer_;
};

void CallOuts::start(const std::shared_ptr<const Snapshot>& snapshot, std::string_view plugin, std::string_view upstream, Request request,
                     CallBounds bounds, std::optional<TimePoint> deadline, Done done) {
  const auto refuse = [&](Error error) {
    book(plugin, upstream, error.code, 0, {});
    done(tl::unexpected(std::move(error)));
  };
  const auto to = std::find_if(snapshot->upstreams.begin(), snapshot->upstreams.end(),
                               [upstream](const CompiledUpstream& one) { return one.config->name == upstream; });
  if (to == snapshot->upstreams.end()) {
    return refuse(make_error(Code::kPluginError, "plugin '" + std::string(plugin) + "' calls upstream '" + std::string(upstream) +
                                                     "', which the gateway does not have"));
  }
  auto wire = encode(*to, std::move(request));
  if (!wire) return refuse(wire.error());
  auto call = std::make_shared<Call>(*this, snapshot, *to, plugin, bounds.answer_bytes, std::move(done));
  open_.push_back(call);
  call->start(std::move(*wire), bounds, deadline);
}

void CallOuts::cancel() noexcept {
  const auto open = std::exchange(open_, {});
  for (const auto& call : open) call->give_up();
}

void CallOuts::book(std::string_view plugin, std::string_view upstream, Code code, int status, Duration total) {
  constexpr std::size_t kMostCalls = 64;
  if (ledger_.size() < kMostCalls) ledger_.push_back({std::string(plugin), std::string(upstream), code, status, total});
}

}  // namespace sluice::gateway
