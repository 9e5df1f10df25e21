// The secrets of a configuration: credentials, keys, and what stands in places that are named like one.

#include "gateway/secrets.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <utility>

#include "http/target.hpp"

namespace sluice::gateway {
namespace {

/// What is taken for a secret because of its name alone is at least so long: `true` and `2024` would be found everywhere.
constexpr std::size_t kLikely = 8;

/// True where a field's name says that its value is nobody's business. A version or a region is none.
bool names_a_secret(std::string_view name) {
  constexpr std::array<std::string_view, 8> kWords{"auth", "key", "token", "secret", "passw", "cookie", "sig", "credential"};
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

}  // namespace

Secrets::~Secrets() {
  for (std::string& secret : all_) OPENSSL_cleanse(secret.data(), secret.size());
}

void Secrets::add(std::string_view secret) {
  if (all_.size() == all_.capacity()) {
    // Growing would leave copies of short ones behind.
    std::vector<std::string> larger;
    larger.reserve(std::max<std::size_t>(16, all_.size() * 2));
    larger.assign(all_.begin(), all_.end());
    for (std::string& old : all_) OPENSSL_cleanse(old.data(), old.size());
    all_.swap(larger);
  }
  all_.emplace_back(secret);
}

void Secrets::add_query(std::string_view query) {
  while (!query.empty()) {
    const std::string_view field = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(field.size() + 1, query.size()));
    const std::size_t equals = field.find('=');
    if (equals == std::string_view::npos || !names_a_secret(field.substr(0, equals))) continue;
    const std::string_view value = field.substr(equals + 1);
    if (value.size() < kLikely) continue;
    add(value);
    if (const auto decoded = http::percent_decode(value); decoded && *decoded != value) add(*decoded);
  }
}

void Secrets::add_headers(const HeaderEdits& edits) {
  for (const auto* fields : {&edits.set, &edits.add}) {
    for (const auto& [name, value] : *fields) {
      const std::string_view told = std::string_view(value).substr(value.find_last_of(' ') + 1);
      if (told.size() >= kLikely && names_a_secret(name)) add(told);
    }
  }
}

std::unique_ptr<const telemetry::SecretMask> Secrets::mask() const {
  return std::make_unique<const telemetry::SecretMask>(all_);
}

Result<AwsKeys> resolve_aws_keys(const Upstream& upstream, Secrets& secrets) {
  const Upstream::Aws& aws = upstream.aws;
  AwsKeys keys;
  for (const auto& [from, to] : {std::pair{&aws.access_key_id, &keys.access_key_id}, std::pair{&aws.secret_access_key, &keys.secret_access_key},
                                 std::pair{&aws.session_token, &keys.session_token}}) {
    if (from->empty()) continue;
    auto secret = from->resolve();
    if (!secret) return fail(secret.error().code, "upstream '" + upstream.name + "': " + secret.error().message);
    if (!is_header_value(*secret)) {
      return fail(Code::kInvalidHeader, "upstream '" + upstream.name + "': a key of its \"aws\" holds a control character, which no header may");
    }
    *to = *std::move(secret);
    if (from != &aws.access_key_id) secrets.add(*to);
  }
  return keys;
}

}  // namespace sluice::gateway
