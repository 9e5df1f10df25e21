// The judge of upstreams: provider, address, credential, caps. Knows what each setting needs beside it to have an
// effect; must not know routes, and resolves no name.

#include <fmt/format.h>

#include "base/glob.hpp"
#include "dialect/providers.hpp"
#include "dialect/rest.hpp"
#include "gateway/config_judge.hpp"
#include "gateway/config_reader.hpp"
#include "http/target.hpp"

namespace sluice::gateway::config {

namespace {

constexpr std::string_view kSimulator = "simulator";

class UpstreamJudge {
 public:
  UpstreamJudge(Findings& findings, std::size_t index)
      : findings_(findings), upstream_(findings.config().upstreams[index]), here_(at("upstreams", index)) {}

  void run() {
    const dialect::Provider* provider = dialect::find_provider(upstream_.provider);
    if (provider == nullptr) {
      std::vector<std::string_view> names;
      for (const auto& one : dialect::providers()) names.push_back(one.name);
      add("provider", "unknown provider " + shown(upstream_.provider) + did_you_mean(upstream_.provider, names) +
                          "; \"openai-compatible\" with a url serves any other that speaks that dialect");
    }
    judge_dialect(provider);
    judge_rest(provider);
    judge_models();
    if (upstream_.provider == kSimulator) return judge_simulator();
    if (!(upstream_.simulator == Upstream::Simulator{})) {
      add("simulator", fmt::format("has no effect: the provider is {}, not \"simulator\"", shown(upstream_.provider)));
    }
    judge_address(provider);
    judge_caps();
    if (!upstream_.compressed && upstream_.max_decoded_bytes != Upstream{}.max_decoded_bytes) {
      add("max_decoded_bytes", "has no effect: \"compressed\" is off, so no answer is decoded");
    }
    if (upstream_.compressed && upstream_.max_answer_bytes != 0 &&
        upstream_.max_answer_bytes > upstream_.max_decoded_bytes) {
      add("max_answer_bytes", fmt::format("has no effect: {} is more than max_decoded_bytes ({})",
                                          upstream_.max_answer_bytes, upstream_.max_decoded_bytes));
    }
    if (upstream_.compressed && upstream_.mode == UpstreamMode::kSecurity) {
      add("compressed", "cannot be honoured: in mode \"security\" answers pass byte for byte");
    }
  }

 private:
  void add(std::string_view key, std::string message) {
    findings_.add(here_ + "/" + std::string(key), std::move(message));
  }

  void judge_dialect(const dialect::Provider* provider) {
    if (upstream_.dialect.empty()) return;
    if (dialect::find_dialect(upstream_.dialect) == nullptr) {
      const auto names = dialect::dialect_names();
      add("dialect", "unknown dialect " + shown(upstream_.dialect) + did_you_mean(upstream_.dialect, names));
    } else if (upstream_.mode == UpstreamMode::kSecurity) {
      add("dialect", "has no effect: in mode \"security\" bytes pass as they are");
    } else if (provider != nullptr && provider->dialect == upstream_.dialect) {
      add("dialect", fmt::format("has no effect: provider {} speaks it anyway", shown(upstream_.provider)));
    }
  }

  /// Templates, where nothing else says how the server is spoken to.
  void judge_rest(const dialect::Provider* provider) {
    if (provider == nullptr) return;
    const RestOptions& rest = upstream_.rest;
    const bool said = !(rest == RestOptions{});
    if (provider->dialect != dialect::kRest || !upstream_.dialect.empty()) {
      const std::string_view speaks = upstream_.dialect.empty() ? provider->dialect : std::string_view(upstream_.dialect);
      if (said) add("rest", fmt::format("has no effect: upstream {} speaks {}; provider \"custom\" is spoken to by templates", shown(upstream_.name), speaks));
      return;
    }
    if (upstream_.mode == UpstreamMode::kSecurity) {
      return add("mode", fmt::format("cannot be honoured: provider {} is spoken to by templates, and in mode \"security\" bytes pass as they are",
                                     shown(upstream_.provider)));
    }
    const RestOptions* surface = dialect::find_surface(upstream_.provider);
    if (surface == nullptr) {
      // Of a surface whose form is wrong its meaning is an echo.
      if (findings_.said_within(here_ + "/rest")) return;
      for (dialect::RestFault& fault : dialect::judge_rest(rest)) add("rest" + fault.pointer, std::move(fault.message));
      return;
    }
    RestOptions rest_but_prompt = rest;
    rest_but_prompt.prompt.reset();
    if (!(rest_but_prompt == RestOptions{})) {
      add("rest", fmt::format("has more than \"prompt\": provider {} has a surface of its own; provider \"custom\" takes another", shown(upstream_.provider)));
    } else if (rest.prompt && !dialect::takes_prompts(*surface)) {
      add("rest/prompt", fmt::format("has no effect: provider {} takes no prompts", shown(upstream_.provider)));
    }
  }

  void judge_models() {
    const std::string& model = upstream_.default_model;
    if (model.empty()) return;
    if (upstream_.mode == UpstreamMode::kSecurity) {
      add("default_model", "has no effect: in mode \"security\" the upstream chooses its model itself");
    } else if (base::is_glob(model)) {
      add("default_model", "must be one model, not a pattern (is " + shown(model) + ")");
    } else if (!fits_any(upstream_.models, model)) {
      add("default_model", shown(model) + " fits none of this upstream's \"models\"");
    }
  }

  /// The simulator answers inside the gateway: what concerns a network would do nothing.
  void judge_simulator() {
    const auto no_effect = [this](std::string_view key, bool set) {
      if (set) add(key, "has no effect: provider \"simulator\" answers inside the gateway, without a network");
    };
    no_effect("url", !upstream_.url.empty());
    no_effect("credential", !upstream_.credential.empty());
    no_effect("aws/assume_role", !(upstream_.aws.assume_role == Upstream::Aws::AssumeRole{}));
    no_effect("entra", !upstream_.entra.tenant_id.empty());
    no_effect("service_account", !upstream_.service_account.key.empty());
    no_effect("allow_plaintext_credential", upstream_.allow_plaintext_credential);
    no_effect("tls", !upstream_.tls.ca_file.empty() || !upstream_.tls.certificate_file.empty() ||
                         !upstream_.tls.key_file.empty());
    no_effect("proxy", !upstream_.proxy.empty());
    no_effect("http", upstream_.http != HttpVersion::kHttp1);
    no_effect("addresses", upstream_.addresses != AddressPolicy::kAny);
    no_effect("compressed", upstream_.compressed);
    no_effect("max_decoded_bytes", upstream_.max_decoded_bytes != Upstream{}.max_decoded_bytes);
    no_effect("repeatable", !upstream_.repeatable);
    no_effect("caps/connections", upstream_.caps.connections != 0);
    judge_caps();
  }

  void judge_aws(const dialect::Provider* provider) {
    if (upstream_.aws.region.empty()) return;
    const std::string_view spoken = !upstream_.dialect.empty() ? std::string_view(upstream_.dialect) : provider == nullptr ? "" : provider->dialect;
    if (provider != nullptr && spoken != "bedrock") {
      add("aws", fmt::format("has no effect: provider {} takes no signed requests; use \"credential\"", shown(upstream_.provider)));
    }
    if (!upstream_.credential.empty()) add("aws", "stands beside \"credential\": a request is signed, or carries a key, not both");
    const std::string& region = upstream_.aws.region;
    const bool plain = std::all_of(region.begin(), region.end(),
                                   [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
    if (!plain) add("aws/region", shown(region) + " is no region of AWS; they are written as \"us-east-1\"");
    judge_role();
  }

  void judge_role() {
    const Upstream::Aws::AssumeRole& role = upstream_.aws.assume_role;
    if (role.role_arn.empty()) return;
    if (!role.role_arn.starts_with("arn:") || !is_made_of(role.role_arn, ":/+=,.@_-")) {
      add("aws/assume_role/role_arn", shown(role.role_arn) + " is no ARN; they are written as \"arn:aws:iam::123456789012:role/NAME\"");
    }
    if (role.session_name.size() < 2 || role.session_name.size() > 64 || !is_made_of(role.session_name, "+=,.@_-")) {
      add("aws/assume_role/session_name", "must be 2 to 64 letters, digits and any of +=,.@_- (is " + shown(role.session_name) + ")");
    }
    judge_grantor("aws/assume_role/endpoint", role.endpoint);
  }

  void judge_entra(const dialect::Provider* provider) {
    const Upstream::Entra& entra = upstream_.entra;
    if (entra.tenant_id.empty()) return;
    if (provider != nullptr && (provider->grants & dialect::kEntraGrant) == 0) {
      add("entra", fmt::format("has no effect: provider {} takes no tokens of Entra's; use \"credential\"", shown(upstream_.provider)));
    }
    if (!upstream_.credential.empty()) add("entra", "stands beside \"credential\": a token is sent, or a key, not both");
    if (!upstream_.aws.region.empty()) add("entra", "stands beside \"aws\": a request carries a token, or is signed, not both");
    if (!is_made_of(entra.tenant_id, ".-")) {
      add("entra/tenant_id", shown(entra.tenant_id) + " is no directory; it is an id of letters, digits and dashes, or a domain");
    }
    judge_grantor("entra/authority", entra.authority);
  }

  void judge_service_account(const dialect::Provider* provider) {
    const Upstream::ServiceAccount& account = upstream_.service_account;
    if (account.key.empty()) return;
    if (provider != nullptr && (provider->grants & dialect::kServiceAccountGrant) == 0) {
      add("service_account", fmt::format("has no effect: provider {} takes no tokens of Google's; use \"credential\"", shown(upstream_.provider)));
    }
    if (!upstream_.credential.empty()) add("service_account", "stands beside \"credential\": a token is sent, or a key, not both");
    if (!upstream_.aws.region.empty()) add("service_account", "stands beside \"aws\": a request carries a token, or is signed, not both");
    if (!upstream_.entra.tenant_id.empty()) add("service_account", "stands beside \"entra\": one of them grants the token, not both");
    judge_grantor("service_account/token_url", account.token_url);
  }

  /// Where tokens are asked for: secrets go there, and come back. Empty: its own, which is https.
  void judge_grantor(std::string_view key, const std::string& address) {
    if (address.empty()) return;
    const auto url = http::parse_url(address);
    if (!url) return add(key, url.error().message);
    if (!url->query.empty()) return add(key, "must have no query (is " + shown(address) + ")");
    if (url->tls) return;
    plain_grantor_ = true;
    if (!upstream_.allow_plaintext_credential) {
      add(key, "would be asked for tokens over plain http (" + shown(address) + "); use https, or set \"allow_plaintext_credential\"");
    }
  }

  /// Letters, digits, and these.
  static bool is_made_of(std::string_view text, std::string_view others) {
    return std::all_of(text.begin(), text.end(), [others](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != std::string_view::npos;
    });
  }

  void judge_address(const dialect::Provider* provider) {
    if (!upstream_.proxy.empty()) judge_proxy();
    judge_aws(provider);
    judge_entra(provider);
    judge_service_account(provider);
    std::string text = upstream_.url;
    if (text.empty() && provider != nullptr) text = dialect::base_url(*provider, upstream_.aws.region);
    if (text.empty()) {
      if (provider != nullptr)
        findings_.add(here_,
                      fmt::format("needs \"url\": provider {} has no address of its own", shown(upstream_.provider)));
      return;
    }
    const auto url = http::parse_url(text);
    if (!url) return add("url", url.error().message);
    if (url->tls) {
      if (upstream_.allow_plaintext_credential && !plain_grantor_) add("allow_plaintext_credential", "has no effect: the url is https");
      const auto& tls = upstream_.tls;
      if (tls.certificate_file.empty() != tls.key_file.empty()) {
        add("tls", tls.key_file.empty() ? "\"certificate_file\" needs \"key_file\" beside it"
                                        : "\"key_file\" needs \"certificate_file\" beside it");
      }
    } else {
      judge_plain(text, provider);
    }
    if (provider != nullptr && provider->auth == dialect::AuthStyle::kNone && !upstream_.credential.empty()) {
      add("credential", fmt::format("has no effect: provider {} takes none", shown(upstream_.provider)));
    }
  }

  void judge_plain(std::string_view url, const dialect::Provider* provider) {
    const bool any = !upstream_.credential.empty() || !upstream_.entra.tenant_id.empty() || !upstream_.service_account.key.empty();
    const bool keyed = any && (provider == nullptr || provider->auth != dialect::AuthStyle::kNone);
    if (keyed && !upstream_.allow_plaintext_credential) {
      add(upstream_.url.empty() ? "provider" : "url",
          fmt::format("the credential would cross the network in the clear ({}): use https, or say "
                      "\"allow_plaintext_credential\": true",
                      shown(url)));
    }
    if (!keyed && !plain_grantor_ && upstream_.allow_plaintext_credential)
      add("allow_plaintext_credential", "has no effect: there is no credential");
    if (upstream_.http == HttpVersion::kHttp2) add("http", fmt::format("\"2\" needs https (url is {})", shown(url)));
    const auto& tls = upstream_.tls;
    if (!tls.ca_file.empty() || !tls.certificate_file.empty() || !tls.key_file.empty())
      add("tls", fmt::format("has no effect: the url is not https ({})", shown(url)));
  }

  void judge_proxy() {
    const auto proxy = http::parse_url(upstream_.proxy);
    if (!proxy) return add("proxy", proxy.error().message);
    if (proxy->tls || !proxy->path.empty() || !proxy->query.empty())
      add("proxy", "must be http://host:port (is " + shown(upstream_.proxy) + ")");
  }

  void judge_caps() {
    const UpstreamCaps& caps = upstream_.caps;
    const UpstreamCaps usual;
    const bool capped = caps.connections != 0 || caps.in_flight != 0;
    if (!capped && caps.queue != usual.queue)
      add("caps/queue", "has no effect: neither \"connections\" nor \"in_flight\" is bounded, so nobody waits");
    if ((!capped || caps.queue == 0) && caps.queue_wait != usual.queue_wait) {
      add("caps/queue_wait_ms",
          capped ? "has no effect: \"queue\" is 0, so nobody waits"
                 : "has no effect: neither \"connections\" nor \"in_flight\" is bounded, so nobody waits");
    }
  }

  Findings& findings_;
  const Upstream& upstream_;
  std::string here_;
  bool plain_grantor_ = false;  // tokens are asked for over plain http
};

}  // namespace

void judge_upstreams(Findings& findings) {
  for (std::size_t i = 0; i < findings.config().upstreams.size(); ++i) UpstreamJudge(findings, i).run();
}

}  // namespace sluice::gateway::config
