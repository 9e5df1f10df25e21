// Phase 1, receive: what a head says (in which dialect, for what, how large), then the body, parsed once.
// It knows the wire's request; it must not know routes beyond "could any take this", nor upstreams.

#include <algorithm>

#include "gateway/core.hpp"
#include "gateway/exchange.hpp"
#include "gateway/header_policy.hpp"
#include "gateway/inflate.hpp"

namespace sluice::gateway {
namespace {

constexpr std::uint64_t kBudgetStep = 64 * 1024;  // what one exchange draws of the gateway's budget for bodies at a time

bool is_json_type(std::string_view type) {
  const std::size_t end = type.find(';');
  std::string_view essence = type.substr(0, end);
  while (!essence.empty() && (essence.back() == ' ' || essence.back() == '\t')) essence.remove_suffix(1);
  return same_name(essence, "application/json") || (essence.size() > 5 && same_name(essence.substr(essence.size() - 5), "+json"));
}

/// The host a request names, lower case and without port.
std::string host_of(const http::Target& target, const Headers& headers) {
  std::string_view host = target.authority.empty() ? headers.get("host").value_or("") : std::string_view(target.authority);
  if (!host.empty() && host.front() == '[') {
    const std::size_t close = host.find(']');
    host = close == std::string_view::npos ? host : host.substr(1, close - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  std::string out(host);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return out;
}

}  // namespace

Status Exchange::receive_head(RequestStart& start) {
  method_ = std::move(start.method);
  headers_ = std::move(start.headers);
  client_address_ = std::move(start.client_address);
  own_deadline_ = start.deadline;
  open_notes();
  // A wire's parser has judged it already; a caller in this process may say anything, and it becomes the first line sent.
  if (!is_header_name(method_)) return fail(Code::kInvalidRequest, "the method is no HTTP token; use GET, POST or another one");
  if (method_ == "CONNECT" || method_ == "TRACE") return fail(Code::kMethodNotAllowed, method_ + " is not served", "GET, POST");
  auto target = http::parse_target(start.target);
  if (!target) return tl::unexpected(target.error());
  target_ = std::move(*target);
  host_ = host_of(target_, headers_);

  const dialect::Dialect* spoken = dialect::recognise(method_, target_.path, target_.query, headers_, recognised_);
  known_operation_ = spoken != nullptr;
  if (spoken != nullptr) dialect_ = spoken;
  if (!start.fixed_dialect.empty()) {
    if (const dialect::Dialect* fixed = dialect::find_dialect(start.fixed_dialect)) dialect_ = fixed;
  }
  if (engine_.core().draining()) {
    Error error = make_error(Code::kShuttingDown, "the gateway is draining; send the request to another instance");
    error.retry_after = Milliseconds{1000};
    return tl::unexpected(std::move(error));
  }
  const std::uint32_t most = snapshot_->config.gateway.max_exchanges;
  if (!engine_.core().take_exchange(most)) {
    Error error = make_error(Code::kOverloaded, "the gateway has " + std::to_string(most) + " exchanges open, as many as it may; try again shortly");
    error.retry_after = Milliseconds{1000};
    return tl::unexpected(std::move(error));
  }
  counted_ = most != 0;
  if (Status known = identify(start); !known) return known;
  if (Status recognised = recognise_operation(); !recognised) return recognised;
  return admit_body(start);
}

Status Exchange::recognise_operation() {
  const Snapshot& snapshot = *snapshot_;
  const std::string_view consumer = outcome_.consumer;
  if (snapshot.head_matcher) {
    // The first route a head can take decides whether the body is anybody's business: opaque routes never look into it.
    const policy::Subject head{method_, host_, target_.path, &headers_, nullptr, nullptr, consumer};
    const auto& matcher = known_operation_ && recognised_.method_ok ? snapshot.head_matcher : snapshot.opaque_matcher;
    auto found = matcher->match(head);
    if (!found) return tl::unexpected(found.error());
    if (*found) {
      const std::size_t index = &matcher == &snapshot.opaque_matcher ? snapshot.opaque_routes[(*found)->route] : (*found)->route;
      if (snapshot.routes[index].opaque) opaque_ = true;
    }
  }
  if (opaque_) return {};
  if (!known_operation_) return tl::unexpected(no_route_error());
  if (!recognised_.method_ok) {
    return fail(Code::kMethodNotAllowed,
                method_ + " is not what " + target_.path + " takes; use " + std::string(recognised_.allow), std::string(recognised_.allow));
  }
  if (!snapshot.matcher->path_known(host_, target_.path)) return tl::unexpected(no_route_error());
  const std::vector<std::string> methods = snapshot.matcher->methods_for(host_, target_.path);
  if (!methods.empty() && std::find(methods.begin(), methods.end(), method_) == methods.end()) {
    std::string allow;
    for (const std::string& method : methods) allow += (allow.empty() ? "" : ", ") + method;
    return fail(Code::kMethodNotAllowed, method_ + " is not what " + target_.path + " takes here; use " + allow, allow);
  }
  return {};
}

Status Exchange::admit_body(const RequestStart& start) {
  const RequestLimits& limits = snapshot_->config.gateway.limits;
  if (const auto type = headers_.get("content-type"); type && start.has_body) {
    if (type->substr(0, 16) == "application/grpc") {
      return fail(Code::kUnsupportedMediaType, "gRPC is not served here; send JSON over HTTP/1.1");
    }
    if (!opaque_ && !is_json_type(*type)) {
      return fail(Code::kUnsupportedMediaType,
                  "content-type '" + std::string(*type) + "' is not what " + std::string(recognised_.suffix) + " takes; send application/json");
    }
  }
  if (start.has_body && !start.declared_length && limits.require_length) {
    return fail(Code::kLengthRequired, "the body comes without a length; send Content-Length instead of chunks");
  }
  if (start.declared_length && *start.declared_length > limits.body_bytes) {
    return fail(Code::kBodyTooLarge, "the body of " + std::to_string(*start.declared_length) + " bytes is over the limit of " +
                                         std::to_string(limits.body_bytes));
  }
  const std::uint64_t expected = start.declared_length.value_or(0);
  if (expected != 0) {
    // The first step alone: a length that is only announced must not hold a place that bytes of others could take.
    const std::uint64_t first = std::min(expected, kBudgetStep);
    if (!engine_.core().take_body_bytes(first, limits.body_budget_bytes)) {
      Error error = make_error(Code::kOverloaded, "the gateway holds as many request bytes as it may; try again shortly");
      error.retry_after = Milliseconds{1000};
      return tl::unexpected(std::move(error));
    }
    budget_held_ = first;
    // The whole length at once, padding included: a body that grew in steps would be copied in each, up to half of it in
    // one turn. Memory that is only claimed costs address space; it is the bytes that come which take pages.
    gathered_.reserve(expected + Body::kPadding);
  }
  return {};
}

bool Exchange::body_bytes(std::string_view bytes) {
  if (state_ != State::kBody) return false;
  const RequestLimits& limits = snapshot_->config.gateway.limits;
  outcome_.bytes_in += bytes.size();
  if (gathered_.size() + bytes.size() > limits.body_bytes) {
    refuse(make_error(Code::kBodyTooLarge, "the body is over the limit of " + std::to_string(limits.body_bytes) + " bytes"));
    return false;
  }
  if (gathered_.size() + bytes.size() > budget_held_) {
    // The budget is drawn in steps, so that a trickle does not touch the shared counter each time.
    const std::uint64_t step = std::max<std::uint64_t>(bytes.size(), kBudgetStep);
    if (!engine_.core().take_body_bytes(step, limits.body_budget_bytes)) {
      Error error = make_error(Code::kOverloaded, "the gateway holds as many request bytes as it may; try again shortly");
      error.retry_after = Milliseconds{1000};
      refuse(std::move(error));
      return false;
    }
    budget_held_ += step;
  }
  gathered_.append(bytes);
  return true;
}

Status Exchange::decode_body() {
  const auto coding = headers_.get("content-encoding");
  if (!coding || opaque_ || same_name(*coding, "identity")) return {};
  auto plain = inflate(body_.view(), *coding, snapshot_->config.gateway.limits.body_bytes);
  if (!plain) return tl::unexpected(plain.error());
  if (!engine_.core().take_body_bytes(plain->size(), snapshot_->config.gateway.limits.body_budget_bytes)) {
    return fail(Code::kOverloaded, "the gateway holds as many request bytes as it may; try again shortly");
  }
  budget_held_ += plain->size();
  body_ = Body::from(std::move(*plain));
  headers_.remove("content-encoding");
  return {};
}

Status Exchange::receive_body() {
  if (!whole_body_) body_ = Body::from(std::move(gathered_));
  if (Status proven = verify_signature(); !proven) return proven;
  if (Status decoded = decode_body(); !decoded) return decoded;
  view_.operation = opaque_ ? chat::Operation::kOpaque : recognised_.operation;
  if (opaque_) return {};
  if (!recognised_.model.empty()) {
    view_.model_present = true;
    view_.model = recognised_.model;
  }
  if (recognised_.operation == chat::Operation::kListModels || recognised_.operation == chat::Operation::kGetModel) return {};
  const RequestLimits& limits = snapshot_->config.gateway.limits;
  auto document = json::Document::parse(body_, {limits.json_depth, limits.json_values});
  if (!document) return tl::unexpected(document.error());
  document_.emplace(std::move(*document));
  return inspect(*document_, snapshot_->wants, view_);
}

/// What a request's path and body say together.
Status Exchange::inspect(const json::Document& document, std::uint32_t wants, chat::RequestView& view) const {
  view.operation = recognised_.operation;
  if (!recognised_.model.empty()) {
    view.model_present = true;
    view.model = recognised_.model;
  }
  if (Status read = dialect_->inspect(document, recognised_.operation, wants, view); !read) return read;
  if (recognised_.stream) view.stream = *recognised_.stream;
  return {};
}

}  // namespace sluice::gateway
