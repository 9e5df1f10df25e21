// What a connection answers by itself, without an exchange: browsers' preflights, pages, bytes that were no request.

#include "server/connection.hpp"
#include "server/hub.hpp"
#include "server/own_answer.hpp"

namespace sluice::server {
namespace {

constexpr std::uint64_t kSkippedBody = 256 * 1024;  // of a refused request; a longer one costs the connection

}  // namespace

/// True where what is left of an answered request is too long to be read for nothing, or may be.
bool Connection::skips_too_much(const http::RequestHead& head) noexcept {
  return head.has_body && (head.chunked || head.content_length > kSkippedBody);
}

/// What a browser asks of its own accord, and pages that may not call. Nobody else reads `Origin` then: what it means is said.
bool Connection::answer_browser(http::RequestHead& head) {
  origin_.clear();
  const auto& cors = hub_.rules().cors;
  if (!cors) return false;
  CorsRules::Judgement judged = cors->judge(head.method, head.headers);
  origin_ = std::move(judged.origin);
  if (judged.preflight) {
    last_ = last_ || skips_too_much(head);
    responder_.head({204, std::move(*judged.preflight)}, last_, hub_.loop().clock().wall());
    wrote(responder_.flush(channel_));
  } else if (judged.refusal) {
    const OwnAnswer answer = refusal(*judged.refusal, dialect_of(head, hub_.listen().dialect));
    answer_itself(head, answer.head, answer.body);
  } else {
    head.headers.remove("origin");
    return false;
  }
  return true;
}

/// Without an exchange, on the head alone.
void Connection::answer_itself(const http::RequestHead& head, const ResponseHead& answer, std::string_view body) {
  last_ = last_ || skips_too_much(head);
  tell(answer, last_);
  wrote(responder_.body(channel_, body));
}

void Connection::tell(const ResponseHead& head, bool last) {
  const WallTime now = hub_.loop().clock().wall();
  const auto& cors = hub_.rules().cors;
  if (!cors) return responder_.head(head, last, now);
  ResponseHead told = head;
  cors->apply(origin_, told.headers);
  responder_.head(told, last, now);
}

bool Connection::serve_page(const http::RequestHead& head) {
  const auto page = page_for(head, hub_.serves(), hub_.engine().core());
  if (!page) return false;
  ResponseHead answer;
  answer.status = page->status;
  answer.headers.add_trusted("content-type", page->content_type);
  answer.headers.add_trusted("content-length", std::to_string(page->body.size()));
  last_ = last_ || page->status == 503;  // it drains, which this connection may not have been told yet
  answer_itself(head, answer, page->body);
  return true;
}

/// The bytes were no request. They are answered once, and the connection ends: what follows cannot be trusted.
void Connection::refuse_wire(const Error& error) {
  last_ = true;
  if (exchange_ != nullptr) {
    exchange_->abandon(error);
    if (phase_ != Phase::kClosed && phase_ != Phase::kLingering && responder_.kept() == 0) linger();
    return;
  }
  // An answer may be out already (the body behind a refused head went wrong): one is enough.
  if (phase_ == Phase::kHead || phase_ == Phase::kIdle) {
    const OwnAnswer answer = refusal(error, dialect::openai());
    origin_.clear();  // of the request before
    responder_.begin(false, false);
    tell(answer.head, true);
    wrote(responder_.body(channel_, answer.body));
  }
  request_whole_ = true;
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kAnswering;
  expect_taking();
  if (!broken_) answer_done();
}

}  // namespace sluice::server
