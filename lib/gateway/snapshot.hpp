#pragma once
/// What an exchange keeps: one configuration, compiled. Immutable; an exchange holds the one it started with.
/// Knows how names, patterns and secrets became indices, matchers and header values; must not know any exchange.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/api_key.hpp"
#include "auth/certificate_index.hpp"
#include "auth/server_tls.hpp"
#include "auth/sigv4.hpp"
#include "dialect/dialect.hpp"
#include "dialect/providers.hpp"
#include "engine/curl_transport.hpp"
#include "engine/transport.hpp"
#include "gateway/plugin_links.hpp"
#include "gateway/rewrite.hpp"
#include "gateway/token_cache.hpp"
#include "gateway/vocabularies.hpp"
#include "policy/balance.hpp"
#include "policy/gate.hpp"
#include "policy/match.hpp"
#include "policy/retry_budget.hpp"
#include "sluice/config.hpp"
#include "sluice/host_credential.hpp"
#include "telemetry/secret_mask.hpp"

namespace sluice::gateway {

/// What all engines share of one upstream, and what survives a reload while the upstream is the same.
struct UpstreamState {
  std::string identity;                        ///< name, origin, dialect and credential reference
  std::shared_ptr<policy::Gate> gate;          ///< in-flight cap, exact over all engines
  std::shared_ptr<policy::InFlight> in_flight; ///< attempts under way, for strategies that count
  engine::Endpoint endpoint;
  bool simulated = false;                      ///< provider `simulator`: answered in this process
  std::atomic<std::uint64_t> attempts{0}, failures{0};  ///< for statistics; any thread
};

struct CompiledUpstream {
  const Upstream* config = nullptr;
  const dialect::Provider* provider = nullptr;
  std::shared_ptr<const dialect::Dialect> own_dialect;  ///< made of its configuration; null where it speaks a known one
  const dialect::Dialect* dialect = nullptr;   ///< never null once compiled
  const dialect::Dialect* alternate = nullptr; ///< its servers' second dialect, or null
  std::string base_path;                       ///< of the url, without a trailing slash
  std::string base_query;                      ///< of the url, for endpoints that want one on every request
  std::string auth_name, auth_value;           ///< the credential's header field; empty = none
  std::shared_ptr<const auth::sigv4::Signer> signer;  ///< signs what is sent instead; or null
  std::shared_ptr<TokenCache> tokens;          ///< what is shown in place of both, for a while; or null
  std::shared_ptr<UpstreamState> state;
};

struct CompiledRoute {
  const Route* config = nullptr;
  std::vector<std::size_t> upstreams;          ///< parallel to config->upstreams: index into Snapshot::upstreams
  std::vector<const Upstream*> upstream_configs;
  std::shared_ptr<policy::Balancer> balancer;  ///< its members are parallel to `upstreams`
  std::shared_ptr<policy::RetryBudget> retry_budget;
  bool opaque = false;                         ///< byte for byte, decided on the head alone
  bool security = false;                       ///< its upstreams do their own routing
  std::optional<Rewrite> rewrite;
  std::vector<std::size_t> admitted;           ///< indices of consumers, sorted; meaningful where `admits_some`
  bool admits_some = false;
  std::shared_ptr<const plugin::Chain> chain;  ///< the gateway's plugins and its own; null where there are none
  std::uint32_t chain_wants = 0;               ///< chat::Want bits the chain reads
};

/// Whose requests come signed with which key pair.
struct AwsCaller {
  std::string access_key_id;
  std::size_t consumer = 0;
  std::shared_ptr<const auth::sigv4::SigningKeys> keys;
};

struct Snapshot {
  Config config;
  std::vector<CompiledUpstream> upstreams;
  std::vector<CompiledRoute> routes;
  std::optional<policy::Matcher> matcher;       ///< all routes
  std::optional<policy::Matcher> head_matcher;  ///< all routes, judged by what is known before the body; only with opaque routes
  std::optional<policy::Matcher> opaque_matcher;///< opaque routes alone
  std::vector<std::size_t> opaque_routes;       ///< opaque_matcher's index -> route
  std::vector<std::shared_ptr<const auth::ServerTls>> listener_tls;  ///< by listener; null = plain
  auth::KeyRing keys;
  auth::CertificateIndex certificates;
  std::vector<AwsCaller> aws_callers;           ///< sorted by access_key_id
  std::vector<std::vector<std::string>> consumer_models;  ///< by consumer: union of its groups' allow-lists; empty = any
  std::uint32_t wants = 0;                      ///< chat::Want bits any route looks at
  std::shared_ptr<const plugin::Chain> head_chain;  ///< who authenticates; null where nobody does
  std::shared_ptr<const Vocabularies> vocabularies;       ///< never null once compiled
  std::unique_ptr<const telemetry::SecretMask> mask;  ///< every secret of the configuration; never null once compiled

  /// Compiles `config` as a whole; `before` lends its upstreams' states where they are the same. Without it, every one of
  /// `credentials` must have its upstream.
  /// Errors: kInvalidConfiguration with every problem, kSecretMissing. Reads environment and files, nothing else.
  [[nodiscard]] static Result<std::shared_ptr<const Snapshot>> compile(Config config, const Snapshot* before, const HostPlugins& host,
                                                                       std::span<const HostCredential> credentials = {});

  [[nodiscard]] std::optional<std::size_t> consumer_named(std::string_view name) const noexcept;
};

}  // namespace sluice::gateway
