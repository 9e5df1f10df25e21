// Phase 4, one attempt: the request in its upstream's dialect and with its credential, and the transfer.
// It knows how a request is put on the wire; it must not know why this upstream was chosen, nor what becomes of the answer.

#include <chrono>

#include "gateway/core.hpp"
#include "gateway/credential.hpp"
#include "gateway/exchange.hpp"
#include "gateway/exchange_plugins.hpp"
#include "gateway/header_policy.hpp"
#include "gateway/translation.hpp"

namespace sluice::gateway {

/// False: this upstream cannot carry the request, and was passed over.
bool Exchange::start_attempt() {
  const CompiledUpstream& to = upstream();
  auto channel = engine_.channel(to);
  if (!channel) return refuse(channel.error()), true;
  if (!hold_token()) return true;
  auto wire = encode_attempt();
  if (!wire && (wire.error().code == Code::kUnsupportedParameter || wire.error().code == Code::kUnsupportedOperation)) {
    place_.release();
    pass_over(wire.error());
    return false;
  }
  if (!wire) return refuse(wire.error()), true;
  // The last request there may be: the library below must not make two of it.
  if (route_->config->retry.attempts > 1 && retries_->sends_left() == 1) wire->repeatable = false;
  channel_ = std::move(*channel);
  if (plugins_) {
    ask_attempt(std::move(*wire));
  } else {
    send_attempt(std::move(*wire));
  }
  return true;
}

void Exchange::send_attempt(engine::WireRequest wire) {
  const CompiledUpstream& to = upstream();
  open_attempt();
  if (const Milliseconds connect = to.config->timeouts.connect; connect.count() != 0) connect_deadline_ = attempt_started_ + connect;
  rearm();
  transfer_paused_ = false;
  const auth::sigv4::Signer* signer = token_ && token_->signer ? token_->signer.get() : to.signer.get();
  if (signer != nullptr) {
    if (Status signed_off = sign(wire, *signer, to.state->endpoint.authority, engine_.core().clock().wall()); !signed_off) return fail_with(signed_off.error());
  }
  transfer_ = channel_->start(std::move(wire), *this);
  settle_pause();
}

/// Its entry in the ledger.
void Exchange::open_attempt() {
  move(Happening::kSend);
  attempt_started_ = engine_.loop().now();
  upstream().state->attempts.fetch_add(1, std::memory_order_relaxed);
  const Duration asked = plugins_ ? plugins_->waited_since_attempt() : Duration{};  // told as plugin_time
  if (plugins_) plugins_->waited_before = plugins_->run.waited();
  Attempt& ledger = outcome_.attempts.emplace_back();
  ledger.upstream = upstream().config->name;
  ledger.model = sent_model_;
  ledger.chosen_because = why_chosen();
  if (waited_for_token_) ledger.chosen_because += "; waited for a token";
  ledger.started = attempt_started_ - started_;
  ledger.wait = std::exchange(wait_, Duration::zero());
  ledger.queued = attempt_started_ - chosen_at_ - asked;
  outcome_.wait_time += ledger.wait;
  outcome_.queue_time += ledger.queued;
}

/// As it is named to the upstream.
std::string Exchange::model_of_attempt() const {
  const std::string& chosen = decision_.choices[choice_].model;
  return chosen.empty() ? std::string(view_.model) : chosen;
}

std::string Exchange::attempt_target() const {
  const CompiledUpstream& to = upstream();
  std::string target;
  if (route_->rewrite) {
    target = join_paths(to.base_path, route_->rewrite->apply(target_.path, captures_));
  } else if (passes_as_it_is()) {
    target = join_paths(to.base_path, target_.path);
  } else {
    // The path names the operation as the upstream knows it, and where the model stands in it, that one, too.
    const bool anew = translates() || (!recognised_.model.empty() && recognised_.model != sent_model_) ||
                      (to.provider->quirks & dialect::kModelInPath) != 0;
    target = to.base_path;
    target += anew ? upstream_dialect().target_of(sending()) : recognised_.suffix;
  }
  if (target.empty()) target = "/";
  std::string query = translates() ? std::string() : query_without_key(target_.query);
  if (const std::size_t own = target.find('?'); own != std::string::npos) {
    query = query.empty() ? target.substr(own + 1) : target.substr(own + 1) + '&' + query;
    target.resize(own);
  }
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
  sent_model_ = model_of_attempt();
  if (!passes_as_it_is() && (to.provider->quirks & dialect::kModelInPath) != 0 && upstream_dialect().target_of(sending()).empty()) {
    return fail(Code::kUnsupportedOperation, "upstream '" + to.config->name + "' has no operation " + std::string(to_string(view_.operation)));
  }
  wire.method = method_;
  wire.target = attempt_target();
  wire.body = base::EditedBody(body_);
  wire.has_body = !body_.empty() || method_ == "POST" || method_ == "PUT" || method_ == "PATCH";
  wire.streaming = view_.stream;
  wire.repeatable = to.config->repeatable && !route_->security;

  written_anew_ = writes_anew();
  if (!written_anew_) losses_.clear();
  if (document_ && !written_anew_ && !passes_as_it_is()) {
    const auto fitted = dialect::fit_to_host(wire.body, *document_, *dialect_, to.provider->quirks);
    if (!fitted) return tl::unexpected(fitted.error());
    if (!*fitted && !model.empty() && !(view_.model_present && view_.model == model)) {
      if (Status set = dialect_->set_model(wire.body, *document_, view_, model); !set) return tl::unexpected(set.error());
    }
    if (view_.stream && !view_.usage_in_stream && (to.provider->quirks & dialect::kRefusesStreamOptions) == 0) {
      auto asked = dialect_->ask_for_usage(wire.body, *document_, view_);
      if (!asked) return tl::unexpected(asked.error());
      asked_for_usage_ = *asked;
    }
  }

  wire.headers.reserve(8, 384);
  pass_up(headers_, passes_as_it_is(), route.forward_headers, wire.headers);
  if (written_anew_) {
    if (Status written = translate_request(wire); !written) return tl::unexpected(written.error());
  }
  if (!passes_as_it_is()) upstream_dialect().add_headers(sending(), wire.headers);
  pass_trace(wire.headers);
  if (wire.has_body && !opaque_ && !wire.headers.contains("content-type")) wire.headers.add_trusted("Content-Type", "application/json");
  if (plugins_) plugins_->pass_headers(headers_, wire.headers);
  if (Status edited = apply(route.request_headers, wire.headers); !edited) return tl::unexpected(edited.error());
  if (!to.auth_name.empty()) {
    wire.headers.remove(to.auth_name);
    const std::string_view shown = token_ ? std::string_view(token_->authorization) : to.auth_value;
    if (!shown.empty()) wire.headers.add_trusted(to.auth_name, shown);  // explained requests have no token
  }
  return wire;
}

/// Since the attempt began, without what plugins were waited for.
Duration Exchange::upstream_took() const {
  const Duration took = engine_.loop().now() - attempt_started_;
  return plugins_ ? took - plugins_->waited_since_attempt() : took;
}

void Exchange::content_began() {
  const TimePoint now = engine_.loop().now();
  outcome_.first_delta = now - started_;
  if (const auto& latency = route_->balancer->latency_of(decision_.choices[choice_].target)) latency->first_content(upstream_took(), now);
}

void Exchange::close_attempt(Code code, std::string reason) {
  Attempt& ledger = attempt();
  ledger.code = code;
  ledger.reason = std::move(reason);
  // What another attempt could mend is the upstream's failure; the caller's mistakes and leaving are not.
  const bool at_fault = policy::classify(code, head_.status).has_value();
  if (at_fault) upstream().state->failures.fetch_add(1, std::memory_order_relaxed);
  const TimePoint now = engine_.loop().now();
  ledger.total = now - attempt_started_;
  const Duration took = upstream_took();
  outcome_.upstream_time += took;  // the rest is told as plugin_time
  if (const auto& latency = route_->balancer->latency_of(decision_.choices[choice_].target)) {
    if (at_fault) {
      latency->failed(took, now);
    } else if (code == Code::kOk && head_.status < 300) {
      latency->ended(took, has_content_, now);
    }
  }
  if (translation_) {
    ledger.usage = translation_->usage();
  } else if (tap_) {
    ledger.usage = tap_->usage();
  }
}

}  // namespace sluice::gateway
