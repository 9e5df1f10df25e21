// Explaining a request: the phases run as they would, up to the moment anything is sent, and what they found is told.

#include <condition_variable>
#include <mutex>

#include "gateway/core.hpp"
#include "json/writer.hpp"

namespace sluice::gateway {
namespace {

/// Nobody: an explanation tells no caller.
class Silence final : public ExchangeListener {
  void on_head(const ResponseHead&) override {}
  void on_bytes(std::string_view) override {}
  void on_end(const Outcome&) override {}
};

std::string ordinal(std::size_t n) {
  const std::size_t tens = n % 100;
  const char* suffix = tens >= 11 && tens <= 13 ? "th" : n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
  return std::to_string(n) + suffix;
}

}  // namespace

/// The first choice of phase 4, without taking anybody's turn.
Status Exchange::foresee() {
  std::vector<policy::Candidate> candidates;
  for (const policy::Choice& choice : decision_.choices) candidates.push_back({.member = static_cast<std::uint32_t>(choice.target)});
  const auto pick = route_->balancer->foresee(candidates, engine_.random(), engine_.loop().now());
  if (!pick) return tl::unexpected(nobody_may_serve());
  choice_ = pick->candidate;
  because_ = pick->because;
  return {};
}

Explanation Exchange::explain(RequestStart start, Body body) {
  Explanation out;
  std::optional<Error> refused;
  const auto run = [&](Status status) {
    if (!status) refused = status.error();
    return !refused;
  };
  bool sendable = run(receive_head(start));
  if (sendable) {
    body_ = std::move(body);
    whole_body_ = true;
    sendable = run(receive_body()) && run(route()) && run(before());
  }
  std::optional<engine::WireRequest> wire;
  if (sendable && run(foresee())) {
    auto encoded = encode_attempt();
    if (encoded) {
      wire = std::move(*encoded);
    } else {
      refused = encoded.error();
    }
  }

  const Snapshot& snapshot = *snapshot_;
  std::vector<policy::Passed> passed;
  if (document_ || opaque_) {
    const policy::Subject subject{method_,   host_, target_.path, &headers_, opaque_ ? nullptr : &view_, document_ ? &*document_ : nullptr,
                                  outcome_.consumer};
    passed = (opaque_ && snapshot.head_matcher ? snapshot.head_matcher : snapshot.matcher)->explain(subject);
  }

  json::Writer json(out.json);
  json.begin_object();
  out.status = refused ? refused->http_status : 200;
  json.key("status").integer(out.status);
  if (refused) {
    out.text += "refused with " + std::to_string(refused->http_status) + " " + std::string(to_string(refused->code)) + ": " + refused->message + "\n";
    json.key("error").begin_object().field("code", to_string(refused->code)).field("origin", to_string(refused->origin)).field("message", refused->message).end_object();
  }
  if (!outcome_.consumer.empty()) {
    out.text += "consumer " + outcome_.consumer + "\n";
    json.field("consumer", outcome_.consumer);
  }
  if (known_operation_) json.field("operation", to_string(recognised_.operation));
  if (route_ != nullptr) {
    const std::size_t index = static_cast<std::size_t>(route_ - snapshot.routes.data());
    out.text += "route " + outcome_.route + " (" + ordinal(index + 1) + " of " + std::to_string(snapshot.routes.size()) + ")";
    if (!outcome_.requested_model.empty()) out.text += ", model \"" + outcome_.requested_model + "\"";
    out.text += '\n';
    json.field("route", outcome_.route);
    if (!outcome_.requested_model.empty()) json.field("requested_model", outcome_.requested_model);
    if (!outcome_.model_note.empty()) {
      out.text += "model policy: " + outcome_.model_note + "\n";
      json.field("model_note", outcome_.model_note);
    }
  }
  if (route_ != nullptr && route_->chain) {
    out.text += "plugins, not asked here:";
    json.key("plugins").begin_array();
    for (std::size_t i = 0; i < route_->chain->size(); ++i) {
      out.text += (i == 0 ? " " : ", ") + std::string((*route_->chain)[i].name);
      json.string((*route_->chain)[i].name);
    }
    json.end_array();
    out.text += '\n';
  }
  if (wire) {
    const CompiledUpstream& to = upstream();
    const policy::Choice& choice = decision_.choices[choice_];
    out.text += "upstream " + to.config->name + " (" + std::string(to.provider->name) + ", " + outcome_.mode + "): " + why_chosen() + "\n";
    out.text += "sends " + wire->method + " " + wire->target + " to " + to.state->endpoint.authority;
    if (!choice.model.empty()) out.text += ", model \"" + choice.model + "\"";
    out.text += '\n';
    json.field("upstream", to.config->name).field("provider", to.provider->name).field("mode", outcome_.mode).field("why", why_chosen());
    if (!choice.model.empty()) json.field("model", choice.model);
    json.key("sends").begin_object().field("method", wire->method).field("target", wire->target).field("authority", to.state->endpoint.authority);
    json.key("body_bytes").unsigned_integer(wire->body.size()).key("body_edited").boolean(wire->body.edited() || body_.view().data() != wire->body.original().view().data());
    json.end_object();
    if (translates()) {
      const std::string lost = losses_in_words();
      out.text += "translated from " + std::string(dialect_->name()) + " to " + std::string(upstream_dialect().name()) +
                  (lost.empty() ? std::string(", nothing lost") : "; not as it was: " + lost) + "\n";
      json.key("translation").begin_object().field("from", dialect_->name()).field("to", upstream_dialect().name());
      json.key("losses").begin_array();
      for (const chat::Loss& loss : losses_.entries()) {
        json.begin_object().field("field", loss.field).field("reason", loss.reason).field("severity", to_string(loss.severity)).end_object();
      }
      json.end_array().end_object();
    }
    if (wire->body.edited()) {
      out.text += "body changed: " + std::to_string(wire->body.original().size()) + " -> " + std::to_string(wire->body.size()) + " bytes" +
                  (asked_for_usage_ ? ", usage asked for" : "") + "\n";
    }
  }
  if (route_ != nullptr) {
    json.key("targets").begin_array();
    for (std::size_t i = 0; i < route_->config->upstreams.size(); ++i) {
      const Target& target = route_->config->upstreams[i];
      const bool chosen = wire && decision_.choices[choice_].target == i;
      std::string why = chosen ? why_chosen() : std::string("does not serve what was asked for");
      for (std::size_t c = 0; c < decision_.choices.size() && !chosen; ++c) {
        if (decision_.choices[c].target != i) continue;
        why = target.weight == 0 ? "its weight is 0" : target.tier > because_.tier ? "could serve; a lower tier does" : "could serve; another is chosen first";
      }
      if (!chosen) out.text += "  not " + target.upstream + ": " + why + "\n";
      json.begin_object().field("upstream", target.upstream).key("chosen").boolean(chosen).field("why", why).end_object();
    }
    json.end_array();
  }
  json.key("passed_over").begin_array();
  for (const policy::Passed& route : passed) {
    const std::string& name = snapshot.config.routes[route.route].name;
    if (route_ != nullptr && name == outcome_.route) continue;
    out.text += "  not route " + name + ": " + route.why + "\n";
    json.begin_object().field("route", name).field("why", route.why).end_object();
  }
  json.end_array().end_object();
  return out;
}

Explanation Core::explain(const Request& request, const CallOptions& options) const {
  Explanation out;
  const auto run = [&](Engine& engine) {
    Silence silence;
    Exchange exchange(engine, 0, silence, nullptr);
    RequestStart start;
    start.method = request.method;
    start.target = request.target;
    start.headers = request.headers;
    start.has_body = !request.body.empty();
    start.declared_length = request.body.size();
    if (!options.consumer.empty()) start.consumer = options.consumer;
    start.deadline = options.deadline;
    out = exchange.explain(std::move(start), request.body);
  };
  if (Status ready = usable(); !ready) {
    out.status = ready.error().http_status;
    out.text = ready.error().message;
    return out;
  }
  Engine& engine = *engines_.front();
  if (host_driven_ || engine.loop().on_loop_thread()) {
    run(engine);
    return out;
  }
  // An exchange lives on an engine's thread, an explained one too.
  std::mutex mutex;
  std::condition_variable done;
  bool ran = false;
  engine.loop().post([&] {
    run(engine);
    const std::lock_guard lock(mutex);
    ran = true;
    done.notify_all();
  });
  std::unique_lock lock(mutex);
  done.wait(lock, [&] { return ran; });
  return out;
}

}  // namespace sluice::gateway
