// Compiling a configuration: names to indices, patterns to matchers, references to secrets.

#include "gateway/snapshot.hpp"

#include <algorithm>
#include <unordered_map>

#include "dialect/rest.hpp"
#include "gateway/callers.hpp"
#include "gateway/host_grant.hpp"
#include "gateway/secrets.hpp"
#include "http/target.hpp"

namespace sluice::gateway {
namespace {

std::string list_of(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    if (!text.empty()) text += '\n';
    text += (problem.pointer.empty() ? std::string("/") : problem.pointer) + ": " + problem.message;
  }
  return text;
}

/// An upstream is the same across a reload when all of these are.
std::string identity_of(const Upstream& upstream, const engine::Endpoint& endpoint) {
  std::string id = upstream.name + '\n' + (endpoint.tls ? "https" : "http") + '\n' + endpoint.authority + '\n' +
                   upstream.provider + '\n' + upstream.dialect + '\n' + sluice::to_string(upstream.credential) + '\n' + upstream.aws.region + '\n' + sluice::to_string(upstream.aws.access_key_id);
  for (const std::string& part : {upstream.aws.assume_role.role_arn, upstream.entra.tenant_id, upstream.entra.client_id,
                                  sluice::to_string(upstream.entra.client_secret), sluice::to_string(upstream.service_account.key)}) {
    id += '\n' + part;
  }
  // What a connection is made with cannot change under it, so it is part of who the upstream is.
  for (const std::string* part : {&endpoint.ca_file, &endpoint.certificate_file, &endpoint.key_file, &endpoint.proxy_host}) {
    id += '\n' + *part;
  }
  id += '\n' + std::to_string(endpoint.proxy_port) + (endpoint.http2 ? "h2" : "h1") + (endpoint.compressed ? "z" : "") +
        (endpoint.public_addresses_only ? "p" : "") + '\n' + std::to_string(endpoint.max_answer_bytes) + '\n' +
        std::to_string(endpoint.max_decoded_bytes) + '\n' + std::to_string(endpoint.max_connections);
  return id;
}

/// Where the simulator has a dialect's operations, as the real servers do.
std::string_view simulated_base(std::string_view dialect) noexcept {
  if (dialect == "gemini") return "/v1beta";
  if (dialect == "cohere") return "/v2";
  return dialect == "ollama" || dialect == "bedrock" ? "" : "/v1";
}

Result<std::shared_ptr<const auth::sigv4::Signer>> make_signer(const Upstream& upstream, Secrets& secrets) {
  auto keys = resolve_aws_keys(upstream, secrets);
  if (!keys) return tl::unexpected(keys.error());
  return std::make_shared<const auth::sigv4::Signer>(std::move(keys->access_key_id), std::move(keys->secret_access_key), std::move(keys->session_token),
                                                     upstream.aws.region, "bedrock");
}

/// The field a provider's credential stands in, and what stands before it there.
std::pair<std::string_view, std::string_view> credential_field(const Upstream& upstream, const dialect::Provider& provider) {
  switch (provider.auth) {
    case dialect::AuthStyle::kApiKeyHeader: return {"api-key", ""};
    case dialect::AuthStyle::kXApiKeyHeader: return {"x-api-key", ""};
    case dialect::AuthStyle::kSubscriptionKeyHeader: return {"Ocp-Apim-Subscription-Key", ""};
    case dialect::AuthStyle::kGoogApiKeyHeader: return {"x-goog-api-key", ""};
    case dialect::AuthStyle::kNone:
    case dialect::AuthStyle::kBearer: break;
  }
  if (!upstream.rest.credential_header.empty()) return {upstream.rest.credential_header, ""};
  return {"Authorization", "Bearer "};
}

/// Who grants the upstream's tokens: the host program, or whom the configuration names. Null where nobody does.
Result<std::unique_ptr<const Grant>> grant_of(const CompiledUpstream& compiled, bool tls, std::span<const HostCredential> credentials, Secrets& secrets) {
  const Upstream& upstream = *compiled.config;
  for (const HostCredential& host : credentials) {
    if (host.upstream != upstream.name) continue;
    if (Status may = judge_host_credential(upstream, *compiled.provider, tls); !may) return tl::unexpected(may.error());
    return std::make_unique<const HostGrant>(upstream, host, std::string(credential_field(upstream, *compiled.provider).second));
  }
  return make_grant(upstream, secrets);
}

Result<CompiledUpstream> compile_upstream(const Upstream& upstream, const Snapshot* before, std::span<const HostCredential> credentials, Secrets& secrets) {
  CompiledUpstream out;
  out.config = &upstream;
  out.provider = dialect::find_provider(upstream.provider);
  if (out.provider == nullptr) {
    return fail(Code::kInvalidConfiguration, "upstream '" + upstream.name + "' has an unknown provider '" + upstream.provider + "'");
  }
  const std::string_view spoken = upstream.dialect.empty() ? out.provider->dialect : std::string_view(upstream.dialect);
  if (spoken == dialect::kRest) {
    auto made = dialect::make_rest_dialect(upstream.provider, dialect::surface_of(upstream.provider, upstream.rest));
    if (!made) return fail(made.error().code, "upstream '" + upstream.name + "': " + made.error().message);
    out.own_dialect = *std::move(made);
    out.dialect = out.own_dialect.get();
  } else {
    out.dialect = dialect::find_dialect(spoken);
  }
  if (out.dialect == nullptr) {
    return fail(Code::kInvalidConfiguration, "upstream '" + upstream.name + "' has an unknown dialect '" + upstream.dialect + "'");
  }
  if (upstream.dialect.empty() && !out.provider->alternate.empty()) out.alternate = dialect::find_dialect(out.provider->alternate);

  engine::Endpoint endpoint;
  endpoint.name = upstream.name;
  const bool simulated = upstream.provider == "simulator";
  if (simulated) {
    endpoint.host = endpoint.authority = "simulator";
    out.base_path = simulated_base(out.dialect->name());
  } else {
    const auto url = http::parse_url(upstream.url.empty() ? dialect::base_url(*out.provider, upstream.aws.region) : upstream.url);
    if (!url) return tl::unexpected(url.error());
    endpoint.tls = url->tls;
    endpoint.host = url->host;
    endpoint.port = url->port;
    endpoint.authority = url->authority;
    out.base_path = url->path;
    out.base_query = url->query;
    secrets.add_query(out.base_query);
  }
  endpoint.ca_file = upstream.tls.ca_file;
  endpoint.certificate_file = upstream.tls.certificate_file;
  endpoint.key_file = upstream.tls.key_file;
  if (!upstream.proxy.empty()) {
    const auto proxy = http::parse_url(upstream.proxy);
    if (!proxy) return tl::unexpected(proxy.error());
    endpoint.proxy_host = proxy->host;
    endpoint.proxy_port = proxy->port;
  }
  endpoint.http2 = upstream.http == HttpVersion::kHttp2;
  endpoint.public_addresses_only = upstream.addresses == AddressPolicy::kPublic;
  endpoint.compressed = upstream.compressed;
  endpoint.max_answer_bytes = upstream.max_answer_bytes;
  endpoint.max_decoded_bytes = upstream.max_decoded_bytes;
  endpoint.max_connections = upstream.caps.connections;

  if (!upstream.credential.empty()) {
    auto secret = upstream.credential.resolve();
    if (!secret) return fail(secret.error().code, "upstream '" + upstream.name + "': " + secret.error().message);
    if (!is_header_value(*secret)) {
      return fail(Code::kInvalidHeader, "upstream '" + upstream.name + "': its credential holds a control character, which no header may");
    }
    secrets.add(*secret);
    const auto [name, prefix] = credential_field(upstream, *out.provider);
    out.auth_name = name;
    out.auth_value = std::string(prefix) + *secret;
  }

  auto grant = grant_of(out, simulated || endpoint.tls, credentials, secrets);
  if (!grant) return tl::unexpected(grant.error());
  if (*grant) {
    for (std::size_t i = 0; before != nullptr && i < before->upstreams.size(); ++i) {
      const auto& old = before->upstreams[i].tokens;
      if (old && old->grant().identity() == (*grant)->identity()) out.tokens = old;
    }
    if (!out.tokens) out.tokens = std::make_shared<TokenCache>(*std::move(grant));
    if (out.tokens->grant().host() != nullptr) {
      out.auth_name = credential_field(upstream, *out.provider).first;
    } else if (upstream.aws.region.empty()) {
      out.auth_name = "Authorization";
    }
  } else if (!upstream.aws.region.empty()) {
    auto signer = make_signer(upstream, secrets);
    if (!signer) return tl::unexpected(signer.error());
    out.signer = std::move(*signer);
  }

  const std::string identity = identity_of(upstream, endpoint);
  if (before != nullptr) {
    for (const CompiledUpstream& old : before->upstreams) {
      if (old.state->identity == identity) out.state = old.state;
    }
  }
  if (out.state) {
    out.state->gate->set_bounds(upstream.caps.in_flight, upstream.caps.queue);
  } else {
    out.state = std::make_shared<UpstreamState>();
    out.state->identity = identity;
    out.state->gate = std::make_shared<policy::Gate>(upstream.caps.in_flight, upstream.caps.queue);
    out.state->in_flight = std::make_shared<policy::InFlight>();
    out.state->endpoint = std::move(endpoint);
    out.state->simulated = simulated;
  }
  return out;
}

bool looks_at_body(const Match& match) {
  return !match.models.empty() || !match.body.empty() || !match.prompt.empty() || match.stream.has_value() ||
         !match.tools.offered.empty() || !match.tools.forced.empty() || !match.tools.last_called.empty();
}

/// What of a route moves: turns and retries go on over a reload where the route's name is the same.
void keep_state(CompiledRoute& route, const Snapshot& snapshot, const Snapshot* before) {
  const CompiledRoute* old = nullptr;
  for (std::size_t i = 0; before != nullptr && i < before->routes.size(); ++i) {
    if (before->routes[i].config->name == route.config->name) old = &before->routes[i];
  }
  /// What was learned of an upstream and model stays, whatever became of the others.
  const auto latency_of = [&](std::size_t upstream, const Target& target) {
    for (std::size_t i = 0; old != nullptr && i < old->upstreams.size(); ++i) {
      if (before->upstreams[old->upstreams[i]].state != snapshot.upstreams[upstream].state || old->config->upstreams[i].model != target.model) continue;
      if (const auto kept = old->balancer->latency_of(i); kept && kept->policy() == route.config->latency) return kept;
    }
    return std::make_shared<policy::Latency>(route.config->latency);
  };
  std::vector<policy::Member> members;
  for (std::size_t i = 0; i < route.upstreams.size(); ++i) {
    const Target& target = route.config->upstreams[i];
    members.push_back({snapshot.upstreams[route.upstreams[i]].state->in_flight, target.weight, target.tier});
    if (route.config->strategy == Strategy::kLeastLatency) members.back().latency = latency_of(route.upstreams[i], target);
  }
  route.balancer = policy::carried_over(old != nullptr ? old->balancer : nullptr, route.config->strategy, std::move(members));
  route.retry_budget = old != nullptr ? old->retry_budget : std::make_shared<policy::RetryBudget>();
}

Result<CompiledRoute> compile_route(const Route& route, const Snapshot& snapshot, const Snapshot* before) {
  CompiledRoute out;
  out.config = &route;
  out.security = !route.upstreams.empty();
  for (const Target& target : route.upstreams) {
    for (std::size_t i = 0; i < snapshot.upstreams.size(); ++i) {
      if (snapshot.upstreams[i].config->name != target.upstream) continue;
      out.upstreams.push_back(i);
      out.upstream_configs.push_back(snapshot.upstreams[i].config);
      out.security = out.security && snapshot.upstreams[i].config->mode == UpstreamMode::kSecurity;
    }
  }
  keep_state(out, snapshot, before);
  out.opaque = route.operation == RouteOperation::kOpaque || (out.security && !looks_at_body(route.match));
  const PathRewrite& rewrite = route.rewrite;
  if (!rewrite.strip_prefix.empty() || !rewrite.path.empty() || !rewrite.regex.empty()) {
    auto compiled = Rewrite::compile(rewrite);
    if (!compiled) return tl::unexpected(compiled.error());
    out.rewrite = std::move(*compiled);
  }
  out.admits_some = !route.admit.empty();
  const auto admits = [&route](const std::string& name) {
    return std::find(route.admit.begin(), route.admit.end(), name) != route.admit.end();
  };
  for (std::size_t i = 0; i < snapshot.config.consumers.size(); ++i) {
    const Consumer& consumer = snapshot.config.consumers[i];
    if (admits(consumer.name) || std::any_of(consumer.groups.begin(), consumer.groups.end(), admits)) out.admitted.push_back(i);
  }
  return out;
}

/// What of a request's text the plugins of a chain read.
std::uint32_t wants_of(const plugin::Chain& chain) noexcept {
  std::uint32_t wants = chat::kWantNothing;
  if (chain.wants(kWantsPrompt)) wants |= chat::kWantPrompt;
  if (chain.wants(kWantsTools)) wants |= chat::kWantTools;
  if (chain.wants(kWantsShape)) wants |= chat::kWantShape;
  return wants;
}

/// The chains of all routes, and that of heads.
Status compile_chains(Snapshot& snapshot, const HostPlugins& host) {
  std::vector<Problem> problems;
  const LinkSet gateway = make_links(snapshot.config.gateway.plugins, "/gateway/plugins", &host, problems);
  snapshot.head_chain = compile_chain(gateway, {}, false, problems);
  if (snapshot.head_chain && snapshot.head_chain->authenticating() == 0) snapshot.head_chain = nullptr;
  for (std::size_t i = 0; i < snapshot.routes.size(); ++i) {
    CompiledRoute& route = snapshot.routes[i];
    const LinkSet own = make_links(route.config->plugins, "/routes/" + std::to_string(i) + "/plugins", &host, problems);
    route.chain = compile_chain(gateway, own, route.config->operation == RouteOperation::kOpaque, problems);
    if (!route.chain) continue;
    route.chain_wants = wants_of(*route.chain);
    // A guard in front of an upstream that routes itself looks at what is said, so what cannot be read does not pass there.
    if (route.security && (route.chain_wants != chat::kWantNothing || route.chain->wants(kWantsDeltas))) route.opaque = false;
  }
  if (!problems.empty()) return fail(Code::kInvalidConfiguration, list_of(problems), problems.front().pointer);
  return {};
}

/// Each of the host program's credentials has an upstream, and no upstream has two. A reload may do without an upstream.
Status judge_names(std::span<const HostCredential> credentials, const std::vector<Upstream>& upstreams) {
  for (std::size_t i = 0; i < credentials.size(); ++i) {
    const std::string& name = credentials[i].upstream;
    const auto named = [&name](const auto& other) { return other.upstream == name; };
    if (!credentials[i].ask) return fail(Code::kInvalidConfiguration, "the host program's credential of upstream '" + name + "' has no function");
    if (std::any_of(credentials.begin(), credentials.begin() + static_cast<std::ptrdiff_t>(i), named)) {
      return fail(Code::kInvalidConfiguration, "the host program brings two credentials of upstream '" + name + "'");
    }
    if (std::none_of(upstreams.begin(), upstreams.end(), [&name](const Upstream& upstream) { return upstream.name == name; })) {
      return fail(Code::kInvalidConfiguration, "the host program brings a credential of upstream '" + name + "', which the configuration does not have");
    }
  }
  return {};
}

/// The routes as far as a head can tell: what looks into the body is left out.
std::vector<Route> heads_of(const std::vector<Route>& routes) {
  std::vector<Route> heads = routes;
  for (Route& route : heads) {
    route.match.models.clear();
    route.match.body.clear();
    route.match.prompt.clear();
    route.match.tools = {};
    route.match.stream.reset();
  }
  return heads;
}

}  // namespace

Result<std::shared_ptr<const Snapshot>> Snapshot::compile(Config config, const Snapshot* before, const HostPlugins& host,
                                                          std::span<const HostCredential> credentials) {
  const std::vector<Problem> problems = validate(config);
  if (!problems.empty()) return fail(Code::kInvalidConfiguration, list_of(problems));

  auto snapshot = std::make_shared<Snapshot>();
  snapshot->config = std::move(config);
  const Config& c = snapshot->config;

  if (before == nullptr) {
    if (Status known = judge_names(credentials, c.upstreams); !known) return tl::unexpected(known.error());
  }
  Secrets secrets;
  for (const Upstream& upstream : c.upstreams) {
    auto compiled = compile_upstream(upstream, before, credentials, secrets);
    if (!compiled) return tl::unexpected(compiled.error());
    snapshot->upstreams.push_back(std::move(*compiled));
  }
  for (const Route& route : c.routes) {
    auto compiled = compile_route(route, *snapshot, before);
    if (!compiled) return tl::unexpected(compiled.error());
    snapshot->routes.push_back(std::move(*compiled));
  }

  if (Status compiled = compile_chains(*snapshot, host); !compiled) return tl::unexpected(compiled.error());
  std::vector<Route> opaque;
  for (std::size_t i = 0; i < c.routes.size(); ++i) {
    if (!snapshot->routes[i].opaque) continue;
    opaque.push_back(c.routes[i]);
    snapshot->opaque_routes.push_back(i);
  }

  auto matcher = policy::Matcher::compile(c.routes);
  if (!matcher) return tl::unexpected(matcher.error());
  snapshot->matcher = std::move(*matcher);
  // What the plugins of every route read is read together with what routes look at, not in a pass of its own.
  std::uint32_t common = snapshot->routes.empty() ? 0 : ~0u;
  for (const CompiledRoute& route : snapshot->routes) common &= route.opaque ? ~0u : route.chain_wants;
  snapshot->wants = snapshot->matcher->wants() | (common == ~0u ? 0 : common);
  if (!opaque.empty()) {
    auto heads = policy::Matcher::compile(heads_of(c.routes));
    auto only_opaque = policy::Matcher::compile(heads_of(opaque));
    if (!heads) return tl::unexpected(heads.error());
    if (!only_opaque) return tl::unexpected(only_opaque.error());
    snapshot->head_matcher = std::move(*heads);
    snapshot->opaque_matcher = std::move(*only_opaque);
  }

  if (Status callers = compile_callers(*snapshot, before, secrets); !callers) return tl::unexpected(callers.error());
  for (const Consumer& consumer : c.consumers) {
    std::vector<std::string> models;
    bool any = consumer.groups.empty();
    for (const Group& group : c.groups) {
      if (std::find(consumer.groups.begin(), consumer.groups.end(), group.name) == consumer.groups.end()) continue;
      any = any || group.models.empty();
      models.insert(models.end(), group.models.begin(), group.models.end());
    }
    if (any) models.clear();
    snapshot->consumer_models.push_back(std::move(models));
  }
  const auto add_plugins = [&secrets](const std::vector<PluginUse>& plugins) {
    for (const PluginUse& use : plugins) {
      if (use.transform) secrets.add_headers(use.transform->request_headers);
    }
  };
  add_plugins(c.gateway.plugins);
  for (const Route& route : c.routes) {
    secrets.add_headers(route.request_headers);
    add_plugins(route.plugins);
  }
  auto vocabularies = Vocabularies::load(c.gateway.tokens);
  if (!vocabularies) return tl::unexpected(vocabularies.error());
  snapshot->vocabularies = *std::move(vocabularies);
  snapshot->mask = secrets.mask();
  return std::shared_ptr<const Snapshot>(std::move(snapshot));
}

std::optional<std::size_t> Snapshot::consumer_named(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < config.consumers.size(); ++i) {
    if (config.consumers[i].name == name) return i;
  }
  return std::nullopt;
}

}  // namespace sluice::gateway
