// Calls: requests in, events out.

#include "call.hpp"

#include <algorithm>
#include <limits>

#include "gateway.hpp"
#include "outcome.hpp"

namespace sluice::capi {
namespace {

constexpr std::int64_t kMostCredit = std::numeric_limits<std::int64_t>::max() / 2;

std::int64_t clamp_credit(std::uint64_t bytes) noexcept {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(bytes, static_cast<std::uint64_t>(kMostCredit)));
}

}  // namespace

Result<StatedRequest> request_in(const sluice_request_t* given) {
  const auto table = table_in(given, "request");
  if (!table) return tl::unexpected(table.error());
  const auto method = text_in(table->method, table->method_size, "method");
  const auto target = text_in(table->target, table->target_size, "target");
  const auto consumer = text_in(table->consumer, table->consumer_size, "consumer");
  const auto body = bytes_in(table->body, table->body_size, "body");
  if (!method) return tl::unexpected(method.error());
  if (!target) return tl::unexpected(target.error());
  if (!consumer) return tl::unexpected(consumer.error());
  if (!body) return tl::unexpected(body.error());
  if (table->headers == nullptr && table->header_count != 0) return null_argument("headers");
  if (table->answer != SLUICE_ANSWER_RAW && table->answer != SLUICE_ANSWER_DELTAS) {
    return fail(Code::kInvalidParameter, "answer " + std::to_string(table->answer) + " is none of SLUICE_ANSWER_*", "answer");
  }
  if ((table->flags & ~static_cast<std::uint32_t>(SLUICE_REQUEST_BODY_FOLLOWS)) != 0) {
    return fail(Code::kInvalidParameter, "flags holds a bit that is none of SLUICE_REQUEST_*", "flags");
  }
  if (table->deadline_ms < 0) return fail(Code::kInvalidParameter, "deadline_ms is negative; 0 is none of its own", "deadline_ms");

  StatedRequest out;
  out.options.body_follows = (table->flags & SLUICE_REQUEST_BODY_FOLLOWS) != 0;
  const bool has_body = !body->empty() || out.options.body_follows;
  out.request.method = table->method != nullptr ? std::string(*method) : has_body ? "POST" : "GET";
  out.request.target = *target;
  for (std::size_t i = 0; i < table->header_count; ++i) {
    const sluice_header_t& field = table->headers[i];
    const auto name = bytes_in(field.name, field.name_size, "headers");
    const auto value = bytes_in(field.value, field.value_size, "headers");
    if (!name) return tl::unexpected(name.error());
    if (!value) return tl::unexpected(value.error());
    if (Status added = out.request.headers.add(*name, *value); !added) return tl::unexpected(added.error());
  }
  if (has_body && !out.request.headers.contains("content-type")) out.request.headers.add_trusted("content-type", "application/json");
  if (!body->empty()) out.request.body = Body::copy(*body);
  out.options.consumer = *consumer;
  if (table->deadline_ms > 0) out.options.deadline = Milliseconds(table->deadline_ms);
  out.options.deltas = table->answer == SLUICE_ANSWER_DELTAS;
  out.credit = table->credit;
  return out;
}

QueuedCall::QueuedCall(Open& open, std::shared_ptr<Queue> queue, std::uint64_t tag, std::uint64_t credit)
    : open_(open), queue_(std::move(queue)), tag_(tag), id_(new_number()), bounded_(credit != SLUICE_CREDIT_UNLIMITED),
      end_(std::make_shared<CallEnd>()), credit_(clamp_credit(credit)) {
  end_->event = event(SLUICE_EVENT_END);
}

sluice_event_t QueuedCall::event(std::int32_t kind) const noexcept {
  sluice_event_t event{};
  event.tag = tag_;
  event.call = id_;
  event.kind = kind;
  return event;
}

bool QueuedCall::give_credit(std::uint64_t bytes) noexcept {
  const std::lock_guard lock(mutex_);
  credit_ = std::min(credit_ + clamp_credit(bytes), kMostCredit);
  if (!paused_ || credit_ <= 0) return false;
  paused_ = false;
  return true;
}

/// Takes `bytes` off the credit; where it is spent, the upstream rests.
void QueuedCall::spend(std::size_t bytes) {
  if (!bounded_) return;
  bool pause = false;
  {
    const std::lock_guard lock(mutex_);
    credit_ -= static_cast<std::int64_t>(bytes);
    // Each time, not only the first: a resume that was posted before may have been carried out since.
    pause = paused_ = credit_ <= 0;
  }
  if (pause) open_.gateway().pause(exchange());
}

/// Says something by `push`. Where nobody will hear it, or there is no memory to say it, the call ends.
template <typename Push>
void QueuedCall::told(std::size_t bytes, Push&& push) noexcept {
  if (lost_) return;
  try {
    if (std::forward<Push>(push)()) {
      if (bytes != 0) spend(bytes);
      return;
    }
  } catch (...) {
    lost_ = true;
  }
  try {
    open_.gateway().cancel(exchange());
  } catch (...) {  // no memory for that either: the answer runs on, unheard
  }
}

void QueuedCall::on_head(const ResponseHead& head) {
  told(0, [&] {
    std::string fields;
    fields.reserve(head.headers.bytes() + 4 * head.headers.size());
    for (const HeaderField field : head.headers) fields.append(field.name).append(": ").append(field.value).append("\r\n");
    sluice_event_t said = event(SLUICE_EVENT_HEAD);
    said.status = head.status;
    return queue_->push(said, fields);
  });
}

void QueuedCall::on_bytes(std::string_view bytes) {
  told(bytes.size(), [&] { return bytes.empty() || queue_->push(event(SLUICE_EVENT_CHUNK), bytes); });
}

void QueuedCall::on_deltas(std::span<const AnswerDelta> deltas) {
  std::size_t size = 0;
  for (const AnswerDelta& delta : deltas) size += delta.text.size() + delta.tool_name.size();
  told(size, [&] { return queue_->push_deltas(event(SLUICE_EVENT_DELTA), deltas); });
}

void QueuedCall::on_end(const Outcome& outcome) {
  CallEnd& end = *end_;
  end.event.status = outcome.status;
  end.event.detail = static_cast<std::int32_t>(outcome.ending);
  end.event.code = outcome.error ? static_cast<std::int32_t>(outcome.error->code) : SLUICE_OK;
  if (lost_) {
    end.event.code = SLUICE_CODE_OUT_OF_MEMORY;
    end.event.detail = SLUICE_ENDING_FAILED;
  }
  try {
    if (outcome.error && !lost_) end.message = outcome.error->message;
    end.outcome = std::make_unique<Outcome>(outcome);
  } catch (...) {
    end.outcome.reset();
  }
  const std::shared_ptr<Queue> queue = queue_;
  std::shared_ptr<CallEnd> last = std::move(end_);
  open_.forget(id_);
  queue->push_end(std::move(last));
}

void QueuedCall::closed() noexcept {
  if (!end_) return;
  end_->event.detail = SLUICE_ENDING_REFUSED;
  end_->event.code = SLUICE_CODE_CLOSED;
  try {
    Outcome outcome;
    outcome.ending = Ending::kRefused;
    outcome.error = make_error(Code::kClosed, "the gateway was closed before it took the request up");
    outcome.status = outcome.error->http_status;
    end_->event.status = outcome.status;
    end_->message = outcome.error->message;
    end_->outcome = std::make_unique<Outcome>(std::move(outcome));
  } catch (...) {  // no memory: the end comes without its words
  }
  queue_->push_end(std::move(end_));
}

}  // namespace sluice::capi

using namespace sluice;
using namespace sluice::capi;

extern "C" {

sluice_code_t sluice_submit(sluice_gateway_t* gateway, sluice_queue_t* queue, const sluice_request_t* request, uint64_t tag,
                            sluice_call_t* call, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    const auto open = enter(gateway);
    if (!open) return tl::unexpected(open.error());
    if (queue == nullptr) return null_argument("queue");
    if (queue->queue->in_child()) return forked();
    auto stated = request_in(request);
    if (!stated) return tl::unexpected(stated.error());
    const auto made = std::make_shared<QueuedCall>(**open, queue->queue, tag, stated->credit);
    (*open)->keep(made);
    Result<std::uint64_t> exchange;
    try {
      exchange = (*open)->gateway().submit(std::move(stated->request), made, std::move(stated->options));
    } catch (...) {
      (*open)->forget(made->id());
      throw;
    }
    if (!exchange) {
      (*open)->forget(made->id());
      return tl::unexpected(exchange.error());
    }
    made->submitted(*exchange);
    if (call != nullptr) *call = made->id();
    return {};
  });
}

sluice_code_t sluice_call_body(sluice_gateway_t* gateway, sluice_call_t call, const char* data, size_t size, int32_t last,
                               sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    const auto open = enter(gateway);
    if (!open) return tl::unexpected(open.error());
    const auto bytes = bytes_in(data, size, "data");
    if (!bytes) return tl::unexpected(bytes.error());
    if (const auto found = (*open)->find(call)) (*open)->gateway().send_body(found->exchange(), std::string(*bytes), last != 0);
    return {};
  });
}

sluice_code_t sluice_call_credit(sluice_gateway_t* gateway, sluice_call_t call, uint64_t bytes, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    const auto open = enter(gateway);
    if (!open) return tl::unexpected(open.error());
    const auto found = (*open)->find(call);
    if (!found) return {};
    if (!found->bounded()) return fail(Code::kInvalidParameter, "this call was submitted without credit: nothing of it is held back", "call");
    if (found->give_credit(bytes)) (*open)->gateway().resume(found->exchange());
    return {};
  });
}

sluice_code_t sluice_call_cancel(sluice_gateway_t* gateway, sluice_call_t call, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    const auto open = enter(gateway);
    if (!open) return open.error().code == Code::kClosed ? Status{} : Status(tl::unexpected(open.error()));
    if (const auto found = (*open)->find(call)) (*open)->gateway().cancel(found->exchange());
    return {};
  });
}

sluice_code_t sluice_call_take_outcome(sluice_queue_t* queue, sluice_call_t call, sluice_outcome_t** outcome, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (outcome == nullptr) return null_argument("outcome");
    *outcome = nullptr;
    if (queue == nullptr) return null_argument("queue");
    if (queue->queue->in_child()) return forked();
    auto handle = std::make_unique<sluice_outcome>();
    auto taken = queue->queue->take_outcome(call);
    if (!taken) return tl::unexpected(taken.error());
    handle->owned = std::move(*taken);
    handle->outcome = handle->owned.get();
    *outcome = handle.release();
    return {};
  });
}

}  // extern "C"
