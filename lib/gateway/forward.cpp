// Phase 4, forward: a place at the upstream, the request in its dialect and with its credential, the transfer.
// It knows how a request is put on the wire; it must not know what becomes of the answer.

#include <chrono>

#include "gateway/core.hpp"
#include "gateway/exchange.hpp"
#include "gateway/header_policy.hpp"

namespace sluice::gateway {
namespace {

/// `base` and `path` as one; a path that begins with the base already is not given it twice, so that an opaque route
/// sends `/v1/files` to `https://host/v1` as the client said it.
std::string join(std::string_view base, std::string_view path) {
  if (base.empty()) return std::string(path);
  if (path.substr(0, base.size()) == base && (path.size() == base.size() || path[base.size()] == '/')) return std::string(path);
  std::string out;
  out.reserve(base.size() + path.size());
  out += base;
  out += path;
  return out;
}

}  // namespace

void Exchange::forward() {
  const auto& gate = upstream().state->gate;
  Engine* engine = &engine_;
  const std::uint64_t id = id_;
  const auto entry = gate->enter(
      place_,
      [engine, id](policy::Place place) {
        // Any thread: the place travels to the exchange, or is given back where that has ended.
        auto held = std::make_shared<policy::Place>(std::move(place));
        engine->loop().post([engine, id, held] {
          if (Exchange* exchange = engine->find(id)) exchange->on_place(std::move(*held));
        });
      },
      waiter_);
  switch (entry) {
    case policy::Gate::Entry::kEntered: return start_attempt();
    case policy::Gate::Entry::kFull: {
      Error error = make_error(Code::kQueueFull, "upstream '" + upstream().config->name + "' has " +
                                                     std::to_string(upstream().config->caps.in_flight) +
                                                     " exchanges in flight and its queue is full; try again shortly");
      error.retry_after = Milliseconds{1000};
      return refuse(std::move(error));
    }
    case policy::Gate::Entry::kWaiting: {
      move(Happening::kQueue);
      const Milliseconds wait = upstream().config->caps.queue_wait;
      if (wait.count() != 0) queue_deadline_ = engine_.loop().now() + wait;
      return rearm();
    }
  }
}

void Exchange::on_place(policy::Place place) {
  if (state_ != State::kQueued) return;  // `place` goes back by itself
  waiter_ = 0;
  queue_deadline_.reset();
  place_ = std::move(place);
  start_attempt();
}

void Exchange::start_attempt() {
  const CompiledUpstream& to = upstream();
  auto channel = engine_.channel(to);
  if (!channel) return refuse(channel.error());
  auto wire = encode_attempt();
  if (!wire) return refuse(wire.error());
  channel_ = std::move(*channel);

  move(Happening::kSend);
  attempt_started_ = engine_.loop().now();
  const policy::Choice& choice = decision_.choices[choice_];
  Attempt& ledger = outcome_.attempts.emplace_back();
  ledger.upstream = to.config->name;
  ledger.model = choice.model.empty() ? outcome_.requested_model : choice.model;
  ledger.chosen_because = choice.why;
  ledger.queued = attempt_started_ - started_;
  if (const Milliseconds connect = to.config->timeouts.connect; connect.count() != 0) connect_deadline_ = attempt_started_ + connect;
  rearm();
  transfer_ = channel_->start(std::move(*wire), *this);
  if (paused_ && transfer_) transfer_->pause();
}

std::string Exchange::attempt_target() const {
  const CompiledUpstream& to = upstream();
  std::string target;
  if (route_->rewrite) {
    target = join(to.base_path, route_->rewrite->apply(target_.path, captures_));
  } else if (opaque_ || route_->security) {
    target = join(to.base_path, target_.path);
  } else {
    target = to.base_path;
    target += recognised_.suffix;
  }
  if (target.empty()) target = "/";
  std::string query = query_without_key(target_.query);
  if (!to.base_query.empty()) query = query.empty() ? to.base_query : to.base_query + '&' + query;
  if (!query.empty() || (target_.has_query && target_.query.empty())) {  // `/x?` stays `/x?`
    target += '?';
    target += query;
  }
  return target;
}

Result<engine::WireRequest> Exchange::encode_attempt() {
  const CompiledUpstream& to = upstream();
  const Route& route = *route_->config;
  const std::string& model = decision_.choices[choice_].model;
  engine::WireRequest wire;
  wire.method = method_;
  wire.target = attempt_target();
  wire.body = base::EditedBody(body_);
  wire.has_body = !body_.empty() || method_ == "POST" || method_ == "PUT" || method_ == "PATCH";
  wire.streaming = view_.stream;
  wire.repeatable = to.config->repeatable && !route_->security;

  if (document_ && !opaque_ && !route_->security) {
    if (!model.empty() && !(view_.model_present && view_.model == model)) {
      if (Status set = to.dialect->set_model(wire.body, *document_, view_, model); !set) return tl::unexpected(set.error());
    }
    if (view_.stream && !view_.usage_in_stream && (to.provider->quirks & dialect::kRefusesStreamOptions) == 0) {
      auto asked = to.dialect->ask_for_usage(wire.body, *document_, view_);
      if (!asked) return tl::unexpected(asked.error());
      asked_for_usage_ = *asked;
    }
  }

  wire.headers.reserve(8, 384);
  pass_up(headers_, opaque_ || route_->security, route.forward_headers, wire.headers);
  if (wire.has_body && !opaque_ && !wire.headers.contains("content-type")) wire.headers.add_trusted("Content-Type", "application/json");
  if (Status edited = apply(route.request_headers, wire.headers); !edited) return tl::unexpected(edited.error());
  if (!to.auth_name.empty()) {
    wire.headers.remove(to.auth_name);
    wire.headers.add_trusted(to.auth_name, to.auth_value);
  }
  return wire;
}

void Exchange::close_attempt(Code code, std::string reason) {
  Attempt& ledger = attempt();
  ledger.code = code;
  ledger.reason = std::move(reason);
  ledger.total = engine_.loop().now() - attempt_started_;
}

}  // namespace sluice::gateway
