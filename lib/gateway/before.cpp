// Phase 3, before: what happens after the route is known and before anything is sent: the route's edits of the body,
// and the deadline of the whole exchange. Plugins of the request are asked next (ruling.cpp), and see what the edits made.

#include <algorithm>

#include "gateway/core.hpp"
#include "gateway/exchange.hpp"
#include "json/splice.hpp"

namespace sluice::gateway {

Status Exchange::before() {
  if (document_ && !route_->security) {
    if (Status edited = edit_body(route_->config->body); !edited) return edited;
  }
  Milliseconds total = upstream().config->timeouts.total;
  if (own_deadline_ && (total.count() == 0 || *own_deadline_ < total)) total = *own_deadline_;
  if (total.count() != 0) {
    total_deadline_ = started_ + total;
    if (*total_deadline_ <= engine_.loop().now()) {
      return fail(Code::kTotalTimeout, "the deadline of " + std::to_string(total.count()) + " ms passed before the request was whole");
    }
  }
  return {};
}

/// Each edit makes a new version of the body, parsed again: what was judged is what is sent, whatever was edited.
Status Exchange::edit_body(const BodyEdits& edits) {
  if (edits.set.empty() && edits.remove.empty()) return {};
  const RequestLimits& limits = snapshot_->config.gateway.limits;
  const auto next_version = [&](base::EditedBody edited) -> Status {
    if (!edited.edited()) return {};
    body_ = Body::from(edited.to_string());
    auto document = json::Document::parse(body_, {limits.json_depth, limits.json_values});
    if (!document) return tl::unexpected(document.error());
    document_.emplace(std::move(*document));
    return {};
  };
  for (const std::string& pointer : edits.remove) {
    base::EditedBody edited(body_);
    if (Status removed = json::remove_at(edited, document_->root(), pointer); !removed) return removed;
    if (Status parsed = next_version(std::move(edited)); !parsed) return parsed;
  }
  for (const auto& [pointer, value] : edits.set) {
    base::EditedBody edited(body_);
    if (Status set = json::set_at(edited, document_->root(), pointer, value); !set) return set;
    if (Status parsed = next_version(std::move(edited)); !parsed) return parsed;
  }
  chat::RequestView view;
  if (Status inspected = inspect(*document_, chat::kWantNothing, view); !inspected) return inspected;
  view_ = std::move(view);
  return {};
}

}  // namespace sluice::gateway
