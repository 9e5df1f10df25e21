// Phase 2, route: the first route that takes the request, whether it admits the consumer, which model is meant and
// which of its upstreams may serve. It sends nothing and changes nothing.

#include <algorithm>

#include "gateway/core.hpp"
#include "gateway/exchange.hpp"

namespace sluice::gateway {

Status Exchange::route() {
  const Snapshot& snapshot = *snapshot_;
  const policy::Subject subject{method_,   host_, target_.path, &headers_, opaque_ ? nullptr : &view_, document_ ? &*document_ : nullptr,
                                outcome_.consumer};
  // An unknown path, or a method its dialect does not have, can only be an opaque route's.
  const bool opaque_only = opaque_ && !(known_operation_ && recognised_.method_ok);
  auto found = (opaque_only ? snapshot.opaque_matcher : opaque_ ? snapshot.head_matcher : snapshot.matcher)->match(subject);
  if (!found) return tl::unexpected(found.error());
  if (!*found) return tl::unexpected(no_route_error());
  if (opaque_only) (*found)->route = snapshot.opaque_routes[(*found)->route];
  return choose_route(**found);
}

Status Exchange::choose_route(policy::Found& found) {
  const Snapshot& snapshot = *snapshot_;
  route_ = &snapshot.routes[found.route];
  captures_ = std::move(found.captures);
  outcome_.route = route_->config->name;
  outcome_.mode = route_->security ? "security" : "embedded";
  if (route_->opaque && !opaque_) {
    opaque_ = true;
    view_.operation = chat::Operation::kOpaque;
  }

  if (route_->admits_some && !(consumer_ && std::binary_search(route_->admitted.begin(), route_->admitted.end(), *consumer_))) {
    return fail(Code::kConsumerNotAllowed, "route '" + outcome_.route + "' does not admit " +
                                               (consumer_ ? "consumer '" + outcome_.consumer + "'" : std::string("anonymous callers")));
  }

  if (view_.model_present) outcome_.requested_model = view_.model;
  return decide_model();
}

/// Which model is meant, and who may serve it.
Status Exchange::decide_model() {
  const Snapshot& snapshot = *snapshot_;
  if (passes_as_it_is()) {
    // The upstream's own business: untouched.
    decision_ = {};
    decision_.requested = view_.model;
    const char* why = route_->security ? "which routes itself" : "bytes as they are";
    for (std::size_t i = 0; i < route_->upstreams.size(); ++i) {
      decision_.choices.push_back({i, {}, "upstream of route '" + outcome_.route + "', " + why});
    }
    return {};
  }
  policy::ModelQuestion question;
  question.route = route_->config;
  question.upstreams = route_->upstream_configs;
  if (consumer_) question.allowed_for_consumer = snapshot.consumer_models[*consumer_];
  // A list of models names none, so the model policy has nothing to judge there.
  question.present = view_.model_present;
  question.model = view_.model;
  if (view_.operation == chat::Operation::kListModels) {
    decision_.choices = {};
    decision_.choices.push_back({0, {}, "first upstream of route '" + outcome_.route + "'"});
    return {};
  }
  auto decision = policy::decide_model(question);
  if (!decision) return tl::unexpected(decision.error());
  decision_ = std::move(*decision);
  outcome_.model_note = decision_.note;
  return {};
}

Error Exchange::no_route_error() const {
  std::string looked_at = method_ + " " + target_.path;
  if (!host_.empty()) looked_at += ", host '" + host_ + "'";
  if (view_.model_present) looked_at += ", model '" + std::string(view_.model) + "'";
  if (!outcome_.consumer.empty()) looked_at += ", consumer '" + outcome_.consumer + "'";
  std::string why = known_operation_ || opaque_ ? "no route takes it" : "no dialect knows this path, and no opaque route takes it";
  return make_error(Code::kRouteNotFound, looked_at + ": " + why);
}

}  // namespace sluice::gateway
