// Phase 4, what an attempt shows its upstream: a token that is at hand or waited for, or a signature. Knows that there are
// tokens; must not know who grants them.

#include "gateway/credential.hpp"

#include <utility>

#include "gateway/core.hpp"
#include "gateway/exchange.hpp"

namespace sluice::gateway {

/// The signature covers every field as it is sent, so it comes last.
Status sign(engine::WireRequest& wire, const auth::sigv4::Signer& signer, std::string_view authority, WallTime now) {
  Headers all = wire.headers;
  all.remove("host");
  all.add_trusted("Host", authority);
  const std::size_t query = std::min(wire.target.find('?'), wire.target.size());
  const std::string_view target = wire.target;
  const std::string payload = auth::sigv4::hex_sha256(wire.body);
  const auth::sigv4::Parts parts{.method = wire.method,
                                 .path = target.substr(0, query),
                                 .query = target.substr(std::min(query + 1, target.size())),
                                 .payload = payload};
  if (Status signed_off = signer.sign(parts, now, all); !signed_off) return signed_off;
  all.remove("host");  // the transport writes it
  wire.headers = std::move(all);
  return {};
}

/// False: the attempt waits for its token and goes on by itself, or has failed for want of one.
bool Exchange::hold_token() {
  const auto& cache = upstream().tokens;
  if (!cache || token_) return true;
  auto answer = engine_.tokens().ask(
      cache, [post = engine_.post(), engine = &engine_, id = id_, turn = ++token_turn_](const Result<TokenCache::Held>& result) {
        post->post([engine, id, turn, result] {
          if (Exchange* exchange = engine->find(id)) exchange->on_token(turn, result);
        });
      });
  if (answer.token) {
    token_ = std::move(answer.token);
    return true;
  }
  if (answer.refused) {
    fail_token(*std::move(answer.refused));
    return false;
  }
  waits_for_token_ = true;
  if (state_ != State::kQueued) move(Happening::kQueue);
  rearm();
  return false;
}

void Exchange::on_token(std::uint32_t turn, Result<TokenCache::Held> result) {
  if (state_ != State::kQueued || turn != token_turn_ || !waits_for_token_) return;
  waits_for_token_ = false;
  waited_for_token_ = true;
  if (!result) return fail_token(std::move(result.error()));
  token_ = *std::move(result);
  if (start_attempt()) return;
  move(Happening::kChoose);
  choose();
}

/// There is an attempt of which nothing was sent, and it has failed: what follows is what follows a connection that fails.
void Exchange::fail_token(Error why) {
  sent_model_ = model_of_attempt();
  no_token_ = true;
  open_attempt();
  why.message = "upstream '" + upstream().config->name + "' got no token: " + why.message;
  fail_with(std::move(why));
}

/// The head of an answer has come: a token that the upstream does not take is none for the next request either.
void Exchange::judge_token(const ResponseHead& head) {
  if (!token_) return;
  const bool expired_keys = token_->signer && head.status == 403 && head.headers.get("x-amzn-errortype").value_or("").starts_with("ExpiredToken");
  another_token_ = (head.status == 401 || expired_keys) && upstream().tokens->reject(token_, engine_.loop().now());
}

/// Behind such an answer, once for each upstream. True: the same attempt is made again, with another token.
bool Exchange::try_new_token() {
  if (!another_token_ || renewed_at_ == choice_ || committed_ || passes_as_it_is() || !upstream().config->repeatable) return false;
  renewed_at_ = choice_;
  attempt().reason += "; again with a new token";
  reset_attempt();
  move(Happening::kChoose);
  same_again_ = true;
  choose_soon();
  return true;
}

}  // namespace sluice::gateway
