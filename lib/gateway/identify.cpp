// Phase 1, identify: who calls, by the key, the signature or the client certificate that came with the request. It knows
// credentials and consumers; it must not know what is asked for.

#include <algorithm>

#include "gateway/core.hpp"
#include "gateway/exchange.hpp"
#include "policy/civil_date.hpp"

namespace sluice::gateway {
namespace {

constexpr std::string_view kHowToSendKeys = "send one as 'Authorization: Bearer ...' or 'x-api-key: ...'";

Error nothing_presented(const auth::PeerCertificate* certificate) {
  if (certificate == nullptr) return make_error(Code::kUnauthorized, "no key came with the request; " + std::string(kHowToSendKeys));
  return make_error(Code::kUnauthorized, "the client certificate (SHA-256 " + auth::hex_text(certificate->sha256) +
                                             ") is that of no consumer of this gateway; list it under a consumer's certificates, or use a key: " +
                                             std::string(kHowToSendKeys));
}

}  // namespace

Status Exchange::identify(const RequestStart& start) {
  const Snapshot& snapshot = *snapshot_;
  if (notes_) notes_->note_key(headers_, target_.query);
  if (start.consumer) {
    consumer_ = snapshot.consumer_named(*start.consumer);
    if (!consumer_) return fail(Code::kUnauthorized, "no consumer is called '" + *start.consumer + "'; configure it under /consumers");
  } else if (snapshot.config.consumers.empty()) {
    return {};
  } else if (Status known = identify_caller(start); !known) {
    return known;
  }
  outcome_.consumer = snapshot.config.consumers[*consumer_].name;
  outcome_.tenant = snapshot.config.consumers[*consumer_].tenant;
  return {};
}

/// Everything that came is judged: a certificate beside a key neither hides it nor stands in for a wrong one.
Status Exchange::identify_caller(const RequestStart& start) {
  const Snapshot& snapshot = *snapshot_;
  std::optional<std::size_t> certified;
  if (start.certificate != nullptr) {
    const auto found = snapshot.certificates.find(*start.certificate);
    if (!found) return tl::unexpected(found.error());
    certified = *found;
  }
  if (!snapshot.aws_callers.empty() && auth::sigv4::is_sigv4(headers_.get("authorization").value_or(""))) {
    signed_target_ = start.target;
    if (Status claimed = identify_signed(); !claimed) return claimed;
  } else {
    const auto presented = auth::presented_key(headers_, target_.query);
    if (!presented) return tl::unexpected(presented.error());
    if (*presented) {
      if (Status known = identify_by_key(**presented); !known) return known;
    } else if (!certified) {
      return tl::unexpected(nothing_presented(start.certificate));
    }
  }
  if (consumer_ && certified && *consumer_ != *certified) {
    return fail(Code::kAmbiguousCredentials, "the request's key and the connection's client certificate are those of two consumers; send one of the two");
  }
  if (!consumer_) consumer_ = certified;
  return {};
}

/// Whose key it is, is said of none that is refused.
Status Exchange::identify_by_key(const auth::Presented& presented) {
  basic_ = presented.is_basic();
  if (basic_ && presented.key().empty()) {
    return fail(Code::kUnauthorized, "what stands behind 'Authorization: Basic' is no base64 of a consumer's name, a colon and its key");
  }
  const auto owner = snapshot_->keys.find(presented.key());
  if (basic_ && (!owner || snapshot_->config.consumers[owner->consumer].name != presented.user())) {
    return fail(Code::kUnauthorized, "user and key of 'Authorization: Basic' are not those of a consumer of this gateway");
  }
  if (!owner) return fail(Code::kUnauthorized, "the key sent belongs to no consumer of this gateway");
  if (owner->expires != WallTime::max() && engine_.core().clock().wall() >= owner->expires) {
    return fail(Code::kUnauthorized, "the key sent has expired: it was good until " + policy::rfc3339(owner->expires) + "; use a newer one");
  }
  consumer_ = owner->consumer;
  return {};
}

/// A signature covers the body, so it is proven behind that (verify_signature); who claims to be nobody here is refused now.
Status Exchange::identify_signed() {
  const auto claim = auth::sigv4::parse_authorization(headers_.get("authorization").value_or(""));
  if (!claim) return tl::unexpected(claim.error());
  const auto key = auth::presented_key(headers_, target_.query);
  if (!key) return tl::unexpected(key.error());
  if (*key) return fail(Code::kAmbiguousCredentials, "the request is signed and presents a key beside it; send one of the two");
  const auto& callers = snapshot_->aws_callers;
  const auto found = std::lower_bound(callers.begin(), callers.end(), claim->access_key_id,
                                      [](const AwsCaller& caller, std::string_view id) { return caller.access_key_id < id; });
  if (found == callers.end() || found->access_key_id != claim->access_key_id) {
    return fail(Code::kUnauthorized, "the request is signed with a key of no consumer of this gateway");
  }
  consumer_ = found->consumer;
  signed_by_ = found->keys;
  return {};
}

Status Exchange::verify_signature() const {
  if (!signed_by_) return {};
  const auto claim = auth::sigv4::parse_authorization(headers_.get("authorization").value_or(""));
  if (!claim) return tl::unexpected(claim.error());
  const std::string payload = auth::sigv4::hex_sha256(body_.view());
  const std::string_view target = signed_target_;
  const std::size_t query = std::min(target.find('?'), target.size());
  return auth::sigv4::verify(*claim, {.method = method_, .path = target.substr(0, query), .query = target.substr(std::min(query + 1, target.size())), .payload = payload},
                             headers_, *signed_by_, {.region = {}, .service = {}, .now = engine_.core().clock().wall()});
}

}  // namespace sluice::gateway
