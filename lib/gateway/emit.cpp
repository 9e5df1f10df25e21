// Phase 6, emit: the gateway's own answers, and the closing of the account.

#include <string>

#include "gateway/core.hpp"
#include "gateway/exchange.hpp"
#include "gateway/translation.hpp"

namespace sluice::gateway {

/// An answer the gateway makes itself, in the caller's dialect. Never after a head was given.
void Exchange::answer_error(const Error& error, std::string_view provider_text, int provider_status) {
  Error told = error;
  ResponseHead head;
  head.status = told.http_status == 0 ? 500 : told.http_status;
  head.headers.add_trusted("content-type", dialect_->error_content_type());
  head.headers.add_trusted("x-request-id", outcome_.id);
  if (told.code == Code::kMethodNotAllowed) {
    (void)head.headers.add("allow", told.param);  // the methods travel in `param`: it is no field of the body
    told.param.clear();
  }
  // To whoever sent neither, Basic is not offered: a browser would ask a person for a password.
  if (head.status == 401) head.headers.add_trusted("www-authenticate", basic_ ? R"(Basic realm="sluice", charset="UTF-8")" : "Bearer");
  // Whoever is sent away for want of room is told when to come again, and a second is soon enough where nobody knows better.
  const bool shed = told.origin == Origin::kGateway && (head.status == 429 || head.status == 503);
  if (shed && !told.retry_after) told.retry_after = Milliseconds{1000};
  if (told.retry_after) {
    // Whole seconds, rounded up: a client that comes back must find it true.
    head.headers.add_trusted("retry-after", std::to_string((told.retry_after->count() + 999) / 1000));
  }
  if (spent_) head.headers.add_trusted("x-should-retry", "false");  // what could be tried again was: SDKs obey this
  dialect_->add_error_headers(told, head.headers);
  const std::string body = dialect_->encode_error(told, {provider_request_id_, provider_text, provider_status});
  head.headers.add_trusted("content-length", std::to_string(body.size()));
  head_given_ = true;
  outcome_.status = head.status;
  caller_->on_head(head);
  give(body);
}

void Exchange::close_account(Ending ending, std::optional<Error> error) {
  outcome_.ending = ending;
  outcome_.error = std::move(error);
  outcome_.total = engine_.loop().now() - started_;
  outcome_.dialect = dialect_->name();
  outcome_.operation = to_string(operation());
  tell_losses();
  if (translation_) {
    outcome_.usage = translation_->usage();
    outcome_.served_model = translation_->model();
    outcome_.finish_reason = translation_->finish_reason();
  } else if (tap_) {
    outcome_.usage = tap_->usage();
    outcome_.served_model = tap_->model();
    outcome_.finish_reason = tap_->finish_reason();
  }
  if (outcome_.served_model.empty() && !outcome_.attempts.empty()) outcome_.served_model = attempt().model;
  if (notes_) close_notes(ending);
  EngineCounters& counters = engine_.counters();
  switch (ending) {
    case Ending::kCompleted: counters.completed.fetch_add(1, std::memory_order_relaxed); break;
    case Ending::kRefused: counters.refused.fetch_add(1, std::memory_order_relaxed); break;
    case Ending::kFailed: counters.failed.fetch_add(1, std::memory_order_relaxed); break;
    case Ending::kCancelled: counters.cancelled.fetch_add(1, std::memory_order_relaxed); break;
  }
  counters.open.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace sluice::gateway
