// Keys into digests, files into certificates, consumers into indices.

#include "gateway/callers.hpp"

#include <algorithm>

#include "policy/civil_date.hpp"

namespace sluice::gateway {
namespace {

Result<auth::KeyRing> compile_keys(const Config& config, Secrets& secrets) {
  std::vector<auth::KeySource> entries;
  for (std::size_t i = 0; i < config.consumers.size(); ++i) {
    const std::vector<ConsumerKey>& keys = config.consumers[i].keys;
    for (std::size_t k = 0; k < keys.size(); ++k) {
      const ConsumerKey& key = keys[k];
      auth::KeySource entry;
      entry.consumer = i;
      entry.pointer = "/consumers/" + std::to_string(i) + "/keys/" + std::to_string(k);
      if (!key.expires.empty()) {
        const auto expires = policy::parse_rfc3339(key.expires);
        if (!expires) return fail(Code::kInvalidConfiguration, entry.pointer + "/expires: no moment", entry.pointer + "/expires");
        entry.expires = *expires;
      }
      if (key.value.empty()) {
        entry.sha256_hex = key.sha256;
      } else {
        auto secret = key.value.resolve();
        if (!secret) return fail(secret.error().code, "consumer '" + config.consumers[i].name + "': " + secret.error().message);
        secrets.add(*secret);
        entry.key = std::move(*secret);
      }
      entries.push_back(std::move(entry));
    }
  }
  return auth::KeyRing::compile(entries);
}

/// The TLS of every listener; one whose files are the same as before goes on as it is.
Status compile_listeners(Snapshot& snapshot, const Snapshot* before) {
  const std::vector<Listen>& listen = snapshot.config.gateway.listen;
  std::string problems;
  for (std::size_t i = 0; i < listen.size(); ++i) {
    snapshot.listener_tls.emplace_back();
    if (!listen[i].tls) continue;
    const auto old = before != nullptr && i < before->listener_tls.size() ? before->listener_tls[i] : nullptr;
    auto tls = auth::ServerTls::load(*listen[i].tls, "/gateway/listen/" + std::to_string(i) + "/tls", old);
    if (tls) {
      snapshot.listener_tls.back() = *std::move(tls);
    } else {
      problems += (problems.empty() ? "" : "\n") + tls.error().message;
    }
  }
  return problems.empty() ? Status{} : fail(Code::kInvalidConfiguration, problems);
}

auth::CertificateIndex compile_certificates(const Config& config) {
  std::vector<auth::CertificateSource> entries;
  for (std::size_t i = 0; i < config.consumers.size(); ++i) {
    for (const ConsumerCertificate& one : config.consumers[i].certificates) {
      entries.push_back({.consumer = i, .san = one.san, .fingerprint = auth::parse_fingerprint(one.sha256)});
    }
  }
  return auth::CertificateIndex(entries);
}

Result<std::vector<AwsCaller>> compile_aws_callers(const Config& config, Secrets& secrets) {
  std::vector<AwsCaller> callers;
  for (std::size_t i = 0; i < config.consumers.size(); ++i) {
    for (const AwsKey& pair : config.consumers[i].aws_keys) {
      auto secret = pair.secret_access_key.resolve();
      if (!secret) return fail(secret.error().code, "consumer '" + config.consumers[i].name + "': " + secret.error().message);
      secrets.add(*secret);
      callers.push_back({pair.access_key_id, i, std::make_shared<const auth::sigv4::SigningKeys>(*std::move(secret))});
    }
  }
  std::sort(callers.begin(), callers.end(), [](const AwsCaller& a, const AwsCaller& b) { return a.access_key_id < b.access_key_id; });
  return callers;
}

}  // namespace

Status compile_callers(Snapshot& snapshot, const Snapshot* before, Secrets& secrets) {
  const Config& config = snapshot.config;
  if (Status listeners = compile_listeners(snapshot, before); !listeners) return listeners;
  auto aws_callers = compile_aws_callers(config, secrets);
  if (!aws_callers) return tl::unexpected(aws_callers.error());
  snapshot.aws_callers = *std::move(aws_callers);
  auto keys = compile_keys(config, secrets);
  if (!keys) return tl::unexpected(keys.error());
  snapshot.keys = *std::move(keys);
  snapshot.certificates = compile_certificates(config);
  return {};
}

}  // namespace sluice::gateway
