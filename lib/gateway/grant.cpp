// The three kinds of grants: a client of Entra's, a service account of Google's, a role of AWS.

#include "gateway/grant.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "auth/oauth.hpp"
#include "auth/service_account.hpp"
#include "auth/sts.hpp"
#include "http/target.hpp"

namespace sluice::gateway {
namespace {

/// A secret's digest tells two of them apart across a reload, and nothing about either.
std::string digest_of(std::string_view secret) { return auth::sigv4::hex_sha256(secret); }

std::unique_ptr<const telemetry::SecretMask> mask_of(const std::string& secret) {
  return std::make_unique<const telemetry::SecretMask>(std::span(&secret, 1));
}

engine::WireRequest posted(std::string target, std::string_view type, std::string form) {
  engine::WireRequest wire;
  wire.method = "POST";
  wire.target = target.empty() ? "/" : std::move(target);
  wire.headers.add_trusted("Content-Type", type);
  wire.headers.add_trusted("Accept", type == auth::oauth::kFormType ? "application/json" : "*/*");
  wire.body = base::EditedBody(Body::from(std::move(form)));
  wire.has_body = true;
  return wire;
}

Result<std::shared_ptr<const Token>> bearer(int status, std::string_view body) {
  auto granted = auth::oauth::read_answer(status, body);
  if (!granted) return tl::unexpected(granted.error());
  auto token = std::make_shared<Token>();
  token->mask = mask_of(granted->token);
  token->authorization = "Bearer " + granted->token;
  token->lifetime = granted->lifetime;
  OPENSSL_cleanse(granted->token.data(), granted->token.size());
  return token;
}

/// What all kinds are made of.
struct Parts {
  std::string identity;
  engine::Endpoint endpoint;
  std::unique_ptr<const telemetry::SecretMask> mask;
};

class EntraGrant final : public Grant {
 public:
  EntraGrant(Parts parts, const Upstream::Entra& entra, std::string path, std::string secret)
      : Grant(std::move(parts.identity), std::move(parts.endpoint), std::move(parts.mask)),
        target_(std::move(path) + '/' + http::percent_encode(entra.tenant_id) + "/oauth2/v2.0/token"),
        client_id_(entra.client_id),
        scope_(entra.scope),
        secret_(std::move(secret)) {}
  ~EntraGrant() override { OPENSSL_cleanse(secret_.data(), secret_.size()); }

  Result<engine::WireRequest> request(WallTime) const override {
    return posted(target_, auth::oauth::kFormType, auth::oauth::client_credentials(client_id_, secret_, scope_));
  }
  Result<std::shared_ptr<const Token>> read(int status, std::string_view body, WallTime) const override { return bearer(status, body); }

 private:
  const std::string target_, client_id_, scope_;
  std::string secret_;
};

class ServiceAccountGrant final : public Grant {
 public:
  ServiceAccountGrant(Parts parts, std::string target, std::string scope, auth::ServiceAccount account)
      : Grant(std::move(parts.identity), std::move(parts.endpoint), std::move(parts.mask)),
        target_(std::move(target)), scope_(std::move(scope)), account_(std::move(account)) {}

  Result<engine::WireRequest> request(WallTime now) const override {
    auto assertion = account_.assertion(scope_, now);
    if (!assertion) return tl::unexpected(assertion.error());
    return posted(target_, auth::oauth::kFormType, auth::oauth::jwt_bearer(*assertion));
  }
  Result<std::shared_ptr<const Token>> read(int status, std::string_view body, WallTime) const override { return bearer(status, body); }

 private:
  const std::string target_, scope_;
  const auth::ServiceAccount account_;
};

class RoleGrant final : public Grant {
 public:
  RoleGrant(Parts parts, std::string target, const Upstream::Aws& aws, std::unique_ptr<const auth::sigv4::Signer> signer)
      : Grant(std::move(parts.identity), std::move(parts.endpoint), std::move(parts.mask)),
        target_(target.empty() ? "/" : std::move(target)), region_(aws.region), role_(aws.assume_role), signer_(std::move(signer)) {}

  Result<engine::WireRequest> request(WallTime now) const override {
    std::string form = auth::sts::form(
        {.role_arn = role_.role_arn, .session_name = role_.session_name, .external_id = role_.external_id, .duration = role_.duration});
    const std::string payload = auth::sigv4::hex_sha256(form);
    engine::WireRequest wire = posted(target_, auth::sts::kFormType, std::move(form));
    wire.headers.add_trusted("Host", endpoint().authority);
    if (Status signed_off = signer_->sign({.method = wire.method, .path = wire.target, .payload = payload}, now, wire.headers); !signed_off) {
      return tl::unexpected(signed_off.error());
    }
    wire.headers.remove("host");  // the transport writes it
    return wire;
  }

  /// The keys are good until a civil time, but no deadline hangs on a clock that is put right meanwhile: what is left of it
  /// now is counted on, and never more than was asked for.
  Result<std::shared_ptr<const Token>> read(int status, std::string_view body, WallTime sent) const override {
    auto session = auth::sts::read_answer(status, body);
    if (!session) return tl::unexpected(session.error());
    const auto left = std::min<std::chrono::milliseconds>(session->expiration - sent, role_.duration);
    if (left.count() <= 0) return fail(Code::kUpstreamCredential, "granted keys that have expired already");
    auto token = std::make_shared<Token>();
    const std::array<std::string, 2> secrets{session->secret_access_key, session->session_token};
    token->mask = std::make_unique<const telemetry::SecretMask>(secrets);
    token->signer = std::make_shared<const auth::sigv4::Signer>(std::move(session->access_key_id), std::move(session->secret_access_key),
                                                                std::move(session->session_token), region_, "bedrock");
    token->lifetime = left;
    return token;
  }

 private:
  const std::string target_, region_;
  const Upstream::Aws::AssumeRole role_;
  const std::unique_ptr<const auth::sigv4::Signer> signer_;
};

tl::unexpected<Error> of(const Upstream& upstream, Error error) {
  error.message = "upstream '" + upstream.name + "': " + error.message;
  return tl::unexpected(std::move(error));
}

/// The endpoint is another origin than the upstream: its proxy, its authorities and its rule about addresses hold there, too;
/// its client certificate, its dialect of HTTP and its bounds do not.
Result<std::pair<engine::Endpoint, std::string>> place_of(const Upstream& upstream, const std::string& address) {
  const auto url = http::parse_url(address);
  if (!url) return of(upstream, url.error());
  engine::Endpoint endpoint;
  endpoint.name = upstream.name + " (tokens)";
  endpoint.tls = url->tls;
  endpoint.host = url->host;
  endpoint.port = url->port;
  endpoint.authority = url->authority;
  endpoint.ca_file = upstream.tls.ca_file;
  endpoint.public_addresses_only = upstream.addresses == AddressPolicy::kPublic;
  if (!upstream.proxy.empty()) {
    const auto proxy = http::parse_url(upstream.proxy);
    if (!proxy) return of(upstream, proxy.error());
    endpoint.proxy_host = proxy->host;
    endpoint.proxy_port = proxy->port;
  }
  return std::pair(std::move(endpoint), url->path);
}

/// Everything that two grants may differ in; the parts are parted by a byte none of them holds.
std::string identity_of(const Upstream& upstream, const engine::Endpoint& endpoint, std::initializer_list<std::string_view> parts) {
  std::string id = upstream.name + '\n' + (endpoint.tls ? "https" : "http") + '\n' + endpoint.authority + '\n' + endpoint.ca_file + '\n' +
                   endpoint.proxy_host + '\n' + std::to_string(endpoint.proxy_port) + (endpoint.public_addresses_only ? "p" : "");
  for (const std::string_view part : parts) id.append("\n").append(part);
  return id;
}

Result<std::string> resolved(const Upstream& upstream, const Secret& secret, Secrets& secrets) {
  auto value = secret.resolve();
  if (!value) return of(upstream, value.error());
  secrets.add(*value);
  return value;
}

Result<std::unique_ptr<const Grant>> entra_grant(const Upstream& upstream, Secrets& secrets) {
  const Upstream::Entra& entra = upstream.entra;
  auto secret = resolved(upstream, entra.client_secret, secrets);
  if (!secret) return tl::unexpected(secret.error());
  auto place = place_of(upstream, entra.authority);
  if (!place) return tl::unexpected(place.error());
  auto& [endpoint, path] = *place;
  Parts parts{.identity = identity_of(upstream, endpoint, {"entra", path, entra.tenant_id, entra.client_id, entra.scope, digest_of(*secret)}),
              .endpoint = std::move(endpoint),
              .mask = mask_of(*secret)};
  return std::make_unique<const EntraGrant>(std::move(parts), entra, std::move(path), *std::move(secret));
}

Result<std::unique_ptr<const Grant>> service_account_grant(const Upstream& upstream) {
  const Upstream::ServiceAccount& config = upstream.service_account;
  auto document = config.key.resolve();
  if (!document) return of(upstream, document.error());
  auto account = auth::ServiceAccount::parse(*document);
  const std::string digest = digest_of(*document);
  // Nobody can echo what is never sent; and how the document begins stands at the beginning of many a harmless text.
  Parts parts{.identity = {}, .endpoint = {}, .mask = std::make_unique<const telemetry::SecretMask>()};
  OPENSSL_cleanse(document->data(), document->size());
  if (!account) return of(upstream, account.error());
  if (config.token_url.empty() && !account->token_uri().starts_with("https://")) {
    return fail(Code::kInvalidConfiguration, "upstream '" + upstream.name + "': the service account's key document has a \"token_uri\" that is not https; say "
                                             "\"token_url\" where such a one is meant");
  }
  auto place = place_of(upstream, config.token_url.empty() ? account->token_uri() : config.token_url);
  if (!place) return tl::unexpected(place.error());
  auto& [endpoint, path] = *place;
  parts.identity = identity_of(upstream, endpoint, {"service_account", path, config.scope, digest});
  parts.endpoint = std::move(endpoint);
  return std::make_unique<const ServiceAccountGrant>(std::move(parts), std::move(path), config.scope, *std::move(account));
}

Result<std::unique_ptr<const Grant>> role_grant(const Upstream& upstream, Secrets& secrets) {
  const Upstream::Aws& aws = upstream.aws;
  const Upstream::Aws::AssumeRole& role = aws.assume_role;
  auto keys = resolve_aws_keys(upstream, secrets);
  if (!keys) return tl::unexpected(keys.error());
  auto place = place_of(upstream, role.endpoint.empty() ? "https://sts." + aws.region + ".amazonaws.com" : role.endpoint);
  if (!place) return tl::unexpected(place.error());
  auto& [endpoint, path] = *place;
  const std::array<std::string, 2> told{keys->secret_access_key, keys->session_token};
  Parts parts{.identity = identity_of(upstream, endpoint, {"assume_role", path, aws.region, role.role_arn, role.session_name, role.external_id,
                                                           std::to_string(role.duration.count()), digest_of(keys->access_key_id + '\n' + keys->secret_access_key + '\n' + keys->session_token)}),
              .endpoint = std::move(endpoint),
              .mask = std::make_unique<const telemetry::SecretMask>(told)};
  auto signer = std::make_unique<const auth::sigv4::Signer>(std::move(keys->access_key_id), std::move(keys->secret_access_key), std::move(keys->session_token), aws.region, "sts");
  return std::make_unique<const RoleGrant>(std::move(parts), std::move(path), aws, std::move(signer));
}

}  // namespace

void Grant::mask(const base::EditedBody& sent, std::string& text) const {
  (void)mask_->apply(text);
  constexpr std::string_view kAssertion = "assertion=";
  const std::string form = sent.to_string();
  const std::size_t at = form.rfind(kAssertion);
  if (at == std::string::npos) return;
  (void)mask_of(form.substr(at + kAssertion.size()))->apply(text);
}

Token::~Token() { OPENSSL_cleanse(authorization.data(), authorization.size()); }

Result<std::unique_ptr<const Grant>> make_grant(const Upstream& upstream, Secrets& secrets) {
  if (!upstream.entra.tenant_id.empty()) return entra_grant(upstream, secrets);
  if (!upstream.service_account.key.empty()) return service_account_grant(upstream);
  if (!upstream.aws.assume_role.role_arn.empty()) return role_grant(upstream, secrets);
  return std::unique_ptr<const Grant>();
}

}  // namespace sluice::gateway
