// Credentials that the host program brings.

#include "gateway/host_grant.hpp"

#include <span>
#include <utility>

#include "sluice/headers.hpp"

namespace sluice::gateway {
namespace {

constexpr Duration kUnknownLifetime = std::chrono::hours(1);

/// Only for texts that name it: nothing is ever opened there.
engine::Endpoint named_endpoint(const Upstream& upstream) {
  engine::Endpoint endpoint;
  endpoint.name = upstream.name + " (tokens)";
  endpoint.authority = "the host program";
  return endpoint;
}

tl::unexpected<Error> no_endpoint() { return fail(Code::kInternal, "a credential of the host program's has no endpoint"); }

}  // namespace

HostGrant::HostGrant(const Upstream& upstream, HostCredential host, std::string prefix)
    : Grant(upstream.name + "\nhost\n" + prefix, named_endpoint(upstream), std::make_unique<const telemetry::SecretMask>()),
      host_(std::move(host)),
      prefix_(std::move(prefix)) {}

void HostGrant::ask(CredentialAnswer answer) const {
  // What the host's function throws leaves the answer unused, which refuses.
  try {
    host_.ask(std::move(answer));
  } catch (...) {
  }
}

Result<std::shared_ptr<const Token>> HostGrant::take(const Credential& given) const {
  if (given.value.empty()) return fail(Code::kUpstreamCredential, "gave an empty credential");
  if (!is_header_value(given.value)) return fail(Code::kUpstreamCredential, "gave a credential with a control character in it");
  if (given.lifetime.count() < 0) return fail(Code::kUpstreamCredential, "gave a credential that has expired already");
  auto token = std::make_shared<Token>();
  token->authorization = prefix_ + given.value;
  token->lifetime = given.lifetime.count() == 0 ? kUnknownLifetime : Duration(given.lifetime);
  token->mask = std::make_unique<const telemetry::SecretMask>(std::span(&given.value, 1));
  return token;
}

Result<engine::WireRequest> HostGrant::request(WallTime) const { return no_endpoint(); }

Result<std::shared_ptr<const Token>> HostGrant::read(int, std::string_view, WallTime) const { return no_endpoint(); }

Status judge_host_credential(const Upstream& upstream, const dialect::Provider& provider, bool tls) {
  const auto refuse = [&upstream](const std::string& why) {
    return fail(Code::kInvalidConfiguration, "upstream '" + upstream.name + "': the host program brings its credential, " + why);
  };
  if (provider.auth == dialect::AuthStyle::kNone) return refuse("but provider \"" + upstream.provider + "\" takes none");
  const auto beside = [&refuse](const char* key) { return refuse("and \"" + std::string(key) + "\" stands in the configuration; one of them, not both"); };
  if (!upstream.credential.empty()) return beside("credential");
  if (!upstream.aws.region.empty()) return beside("aws");
  if (!upstream.entra.tenant_id.empty()) return beside("entra");
  if (!upstream.service_account.key.empty()) return beside("service_account");
  if (!tls) return refuse("which would cross the network in the clear; use https");
  return {};
}

}  // namespace sluice::gateway
