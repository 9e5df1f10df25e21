// The judge of the gateway, its listeners and those who call. Knows what must be unique and what a listener may be
// open to; binds nothing and reads no secret.

#include "gateway/config_judge.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

#include "base/glob.hpp"
#include "dialect/dialect.hpp"
#include "gateway/config_reader.hpp"
#include "http/target.hpp"

namespace sluice::gateway::config {

namespace {

/// Two elements of one list with the same name.
void judge_names(Findings& findings, std::string_view list, const std::vector<std::string_view>& names) {
  std::map<std::string_view, std::size_t> first;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) continue;  // the table has asked for it
    const auto [taken, fresh] = first.emplace(names[i], i);
    if (!fresh)
      findings.add(at(list, i, "name"), fmt::format("the name {} is taken by {} already; names are unique",
                                                    shown(names[i]), at(list, taken->second)));
  }
}

enum class Reach { kNone, kLoopback, kOutside };

Reach reach_of(const std::string& host) noexcept {
  if (host == "localhost") return Reach::kLoopback;
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET, host.c_str(), bytes.data()) == 1) return bytes[0] == 127 ? Reach::kLoopback : Reach::kOutside;
  if (inet_pton(AF_INET6, host.c_str(), bytes.data()) != 1) return Reach::kNone;
  constexpr std::array<unsigned char, 16> kLoopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  constexpr std::array<unsigned char, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const bool mapped = std::memcmp(bytes.data(), kMapped.data(), kMapped.size()) == 0 && bytes[12] == 127;
  return bytes == kLoopback || mapped ? Reach::kLoopback : Reach::kOutside;
}

void judge_listener(Findings& findings, std::size_t index, std::map<std::string, std::size_t>& taken) {
  const Listen& listen = findings.config().gateway.listen[index];
  const std::string here = at("gateway/listen", index);
  if (!listen.dialect.empty()) {
    const auto names = dialect::dialect_names();
    if (!dialect::find_dialect(listen.dialect)) {
      findings.add(below(here, "dialect"),
                   "unknown dialect " + shown(listen.dialect) + did_you_mean(listen.dialect, names));
    }
  }
  if (listen.tls) judge_tls(findings, below(here, "tls"), *listen.tls);
  if (listen.cors) judge_cors(findings, below(here, "cors"), *listen.cors);
  judge_networks(findings, here, "trusted_proxies", listen.trusted_proxies);
  judge_networks(findings, here, "allow_addresses", listen.allow_addresses);
  if (listen.max_connections_per_address > listen.max_connections) {
    findings.add(below(here, "max_connections_per_address"),
                 fmt::format("has no effect: {} is more than max_connections ({})", listen.max_connections_per_address,
                             listen.max_connections));
  }
  if (listen.address.empty()) return;
  const auto address = http::parse_host_port(listen.address);
  if (!address) return findings.add(below(here, "address"), address.error().message);
  const Reach reach = reach_of(address->host);
  if (reach == Reach::kNone) {
    return findings.add(below(here, "address"), "the host must be an IP address or localhost (is " +
                                                    shown(address->host) + "): names are not resolved at start");
  }
  if (reach == Reach::kOutside && !listen.anonymous && findings.config().consumers.empty()) {
    findings.add(below(here, "address"), fmt::format("{} can be reached from other machines and there are no "
                                                     "consumers: add consumers with keys, bind a loopback "
                                                     "address, or say \"anonymous\": true",
                                                     shown(listen.address)));
  }
  if (address->port == 0) return;
  const auto [first, fresh] = taken.emplace(fmt::format("{}:{}", address->host, address->port), index);
  if (!fresh)
    findings.add(below(here, "address"),
                 fmt::format("{} is bound by {} already", shown(listen.address), at("gateway/listen", first->second)));
}

/// Statistics ask nobody who he is, so only this machine may read them.
void judge_statistics(Findings& findings) {
  const GatewayOptions& gateway = findings.config().gateway;
  constexpr std::string_view kHere = "/gateway/statistics_address";
  if (gateway.statistics_address.empty()) return;
  const auto address = http::parse_host_port(gateway.statistics_address);
  if (!address) return findings.add(std::string(kHere), address.error().message);
  if (reach_of(address->host) != Reach::kLoopback) {
    return findings.add(std::string(kHere), shown(gateway.statistics_address) +
                                                " is no loopback address; statistics are told to everyone who can connect");
  }
  const auto is_same = [](const std::string& a, const std::string& b) {
    const auto plain = [](const std::string& host) { return host == "localhost" ? std::string("127.0.0.1") : host; };
    return plain(a) == plain(b) || b == "0.0.0.0" || b == "::";
  };
  for (std::size_t i = 0; i < gateway.listen.size() && address->port != 0; ++i) {
    const auto taken = http::parse_host_port(gateway.listen[i].address);
    if (taken && taken->port == address->port && is_same(address->host, taken->host)) {
      findings.add(std::string(kHere), fmt::format("{} is bound by {} already", shown(gateway.statistics_address), at("gateway/listen", i)));
    }
  }
}

/// A vocabulary that no model would ever come to.
void judge_tokens(Findings& findings) {
  const std::vector<TokenRanks>& ranks = findings.config().gateway.tokens.ranks;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const std::string here = below("/gateway/tokens", "ranks", i);
    for (std::size_t k = 0; k < i && ranks[i].models.empty(); ++k) {
      if (!ranks[k].models.empty() || ranks[k].encoding != ranks[i].encoding) continue;
      findings.add(here, "the models that are known to use this encoding are counted by " + below("/gateway/tokens", "ranks", k) +
                             " already; name others in \"models\"");
    }
  }
}

}  // namespace

Findings::Findings(const Config& config, std::vector<Problem>& problems) : config_(config), problems_(problems) {
  for (const auto& one : config.groups) groups.push_back(one.name);
  for (const auto& one : config.consumers) consumers.push_back(one.name);
  for (const auto& one : config.upstreams) upstreams.push_back(one.name);
  for (const auto& one : config.routes) routes.push_back(one.name);
}

bool Findings::said(std::string_view pointer) const noexcept {
  return std::any_of(problems_.begin(), problems_.end(),
                     [pointer](const Problem& one) { return one.pointer == pointer; });
}

bool Findings::said_within(std::string_view pointer) const noexcept {
  return std::any_of(problems_.begin(), problems_.end(), [pointer](const Problem& one) {
    return one.pointer.starts_with(pointer) && (one.pointer.size() == pointer.size() || one.pointer[pointer.size()] == '/');
  });
}

const Upstream* Findings::upstream(std::string_view name) const noexcept {
  for (const Upstream& one : config_.upstreams) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

bool Findings::is_security(const Target& target) const noexcept {
  const Upstream* found = upstream(target.upstream);
  return found != nullptr && found->mode == UpstreamMode::kSecurity;
}

void Findings::need_name(const std::string& pointer, std::string_view what, std::string_view name,
                         const std::vector<std::string_view>& known) {
  if (name.empty()) return;  // the table has asked for it
  for (const std::string_view one : known) {
    if (one == name || one.empty()) return;
  }
  std::string message = fmt::format("there is no {} {}{}", what, shown(name), did_you_mean(name, known));
  if (known.empty()) message += fmt::format("; the configuration has no {} at all", what);
  add(pointer, std::move(message));
}

void judge_gateway(Findings& findings) {
  const GatewayOptions& gateway = findings.config().gateway;
  std::map<std::string, std::size_t> taken;
  for (std::size_t i = 0; i < gateway.listen.size(); ++i) judge_listener(findings, i, taken);
  judge_statistics(findings);
  judge_tokens(findings);
  if (gateway.limits.body_bytes > gateway.limits.body_budget_bytes) {
    findings.add("/gateway/limits/body_bytes",
                 fmt::format("{} is more than body_budget_bytes ({}): a body of that size could never be taken",
                             gateway.limits.body_bytes, gateway.limits.body_budget_bytes));
  }
}

void judge_consumers(Findings& findings) {
  const Config& config = findings.config();
  judge_names(findings, "groups", findings.groups);
  judge_names(findings, "consumers", findings.consumers);
  for (std::size_t i = 0; i < config.groups.size(); ++i) {
    const std::string& name = config.groups[i].name;
    if (!name.empty() &&
        std::find(findings.consumers.begin(), findings.consumers.end(), name) != findings.consumers.end()) {
      findings.add(at("groups", i, "name"),
                   "a consumer is called " + shown(name) + " too; \"admit\" could mean either");
    }
  }
  std::map<std::string, std::string> digests;  // -> where it stood first
  std::map<std::string_view, std::string> pairs;
  std::vector<std::pair<const Secret*, std::string>> secrets;
  for (std::size_t i = 0; i < config.consumers.size(); ++i) {
    const Consumer& consumer = config.consumers[i];
    for (std::size_t g = 0; g < consumer.groups.size(); ++g) {
      findings.need_name(below(at("consumers", i), "groups", g), "group", consumer.groups[g], findings.groups);
    }
    for (std::size_t k = 0; k < consumer.aws_keys.size(); ++k) {
      const std::string here = below(at("consumers", i), "aws_keys", k);
      const auto [first, fresh] = pairs.emplace(consumer.aws_keys[k].access_key_id, here);
      if (!fresh) findings.add(here, "the same access_key_id stands at " + first->second + "; a pair belongs to one consumer, once");
    }
    for (std::size_t k = 0; k < consumer.keys.size(); ++k) {
      const ConsumerKey& key = consumer.keys[k];
      const std::string here = below(at("consumers", i), "keys", k);
      std::string digest = key.sha256;
      std::transform(digest.begin(), digest.end(), digest.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (!digest.empty()) {
        const auto [first, fresh] = digests.emplace(digest, here);
        if (!fresh)
          findings.add(here, "the same key stands at " + first->second + "; a key belongs to one consumer, once");
      }
      if (key.value.empty()) continue;
      const auto same =
          std::find_if(secrets.begin(), secrets.end(), [&](const auto& one) { return *one.first == key.value; });
      if (same != secrets.end())
        findings.add(here, "the same key stands at " + same->second + "; a key belongs to one consumer, once");
      else
        secrets.emplace_back(&key.value, here);
    }
  }
}

void judge(const Config& config, bool whole, std::vector<Problem>& problems) {
  Findings findings(config, problems);
  judge_gateway(findings);
  judge_consumers(findings);
  judge_access(findings);
  judge_names(findings, "upstreams", findings.upstreams);
  judge_upstreams(findings);
  judge_names(findings, "routes", findings.routes);
  judge_routes(findings, whole);
  judge_plugins(findings);
  judge_telemetry(findings);
}

std::string at(std::string_view list, std::size_t index, std::string_view key) {
  return key.empty() ? fmt::format("/{}/{}", list, index) : fmt::format("/{}/{}/{}", list, index, key);
}

std::string below(std::string pointer, std::string_view key) {
  append_step(pointer, key);
  return pointer;
}

std::string below(std::string pointer, std::string_view key, std::size_t index) {
  append_step(pointer, key);
  append_step(pointer, std::to_string(index));
  return pointer;
}

bool fits_any(const std::vector<std::string>& globs, std::string_view name) noexcept {
  return globs.empty() || std::any_of(globs.begin(), globs.end(),
                                      [name](const std::string& glob) { return base::glob_match(glob, name); });
}

}  // namespace sluice::gateway::config
