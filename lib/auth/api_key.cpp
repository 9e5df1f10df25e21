// API keys by digest. OpenSSL computes SHA-256, with one context per thread and the algorithm fetched once: 0.18 us a key,
// where EVP_Q_digest or EVP_sha256(), which look the algorithm up on every call, take 0.5 us.

#include "auth/api_key.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "base/base64.hpp"
#include "http/target.hpp"

namespace sluice::auth {
namespace {

struct Freed {
  void operator()(EVP_MD* algorithm) const noexcept { EVP_MD_free(algorithm); }
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

struct Sha256 {
  std::unique_ptr<EVP_MD, Freed> algorithm{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  std::unique_ptr<EVP_MD_CTX, Freed> context{EVP_MD_CTX_new()};
};

/// The first place and key found, and whether a second one contradicts it.
class Finding {
 public:
  void add(std::string_view place, std::string_view key) {
    if (!key.empty() && fits(place, key)) found_.emplace(key);
  }
  void add_decoded(std::string_view place, std::string key) {
    if (!key.empty() && fits(place, key)) found_.emplace(std::move(key));
  }
  void add_basic(std::string_view place, Presented pair) {
    if (!found_ || (!found_->is_basic() && found_->key() == pair.key())) {
      if (!found_) place_ = place;
      found_.emplace(std::move(pair));  // with its user, whom the other place leaves open
    } else if (contradiction_.empty() && (found_->key() != pair.key() || found_->user() != pair.user())) {
      contradiction_ = place;
    }
  }
  Result<std::optional<Presented>> result() && {
    if (contradiction_.empty()) return std::move(found_);
    const std::string places = place_ == contradiction_ ? fmt::format("{} twice", place_) : fmt::format("{} and {}", place_, contradiction_);
    return fail(Code::kAmbiguousCredentials, fmt::format("the request presents two different keys, in {}; send one", places));
  }

 private:
  /// True for the first one. Both texts are the caller's own, so how long the comparison takes tells it nothing.
  bool fits(std::string_view place, std::string_view key) {
    if (found_) {
      if (contradiction_.empty() && found_->key() != key) contradiction_ = place;
      return false;
    }
    place_ = place;
    return true;
  }
  std::optional<Presented> found_;
  std::string_view place_, contradiction_;
};

/// What follows `scheme`, which is in lower case, and blanks; empty for every other scheme.
std::string_view behind(std::string_view scheme, std::string_view value) noexcept {
  if (value.size() <= scheme.size() || !same_name(value.substr(0, scheme.size()), scheme) || value[scheme.size()] != ' ') return {};
  value.remove_prefix(scheme.size());
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  return value;
}

void find_in_authorization(std::string_view value, Finding& finding) {
  constexpr std::string_view kPlace = "Authorization";
  if (const std::string_view token = behind("bearer", value); !token.empty()) return finding.add(kPlace, token);
  if (const std::string_view token = behind("basic", value); !token.empty()) finding.add_basic(kPlace, Presented::basic(token));
}

void find_in_query(std::string_view query, Finding& finding) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = pair.substr(0, equals);
    // An escaped name (`k%65y`) is the same parameter to whoever reads the query next.
    if (name != "key" && (name.find('%') == std::string_view::npos || http::percent_decode(name) != "key")) continue;
    const std::string_view value = pair.substr(equals + 1);
    if (value.find('%') == std::string_view::npos) finding.add("?key=", value);
    else if (auto decoded = http::percent_decode(value)) finding.add_decoded("?key=", std::move(*decoded));
    else finding.add("?key=", value);  // no valid text, so nobody's key; but it does contradict another one
  }
}

}  // namespace

Digest sha256(std::string_view text) noexcept {
  thread_local const Sha256 sha;
  Digest digest{};
  EVP_MD_CTX* const context = sha.context.get();
  // Null and failure mean that memory ran out or SHA-256 is disabled: a digest of zeros, which is nobody's.
  if (!context || !sha.algorithm || EVP_DigestInit_ex(context, sha.algorithm.get(), nullptr) != 1 ||
      EVP_DigestUpdate(context, text.data(), text.size()) != 1 || EVP_DigestFinal_ex(context, digest.data(), nullptr) != 1) {
    digest.fill(0);
  }
  return digest;
}

std::string hex_text(const Digest& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * digest.size());
  for (const std::uint8_t byte : digest) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::optional<Digest> parse_digest(std::string_view hex) noexcept {
  Digest digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < hex.size(); ++i) {
    const char c = hex[i];
    int value = 0;
    if (c >= '0' && c <= '9') value = c - '0';
    else if (c >= 'a' && c <= 'f') value = c - 'a' + 10;
    else if (c >= 'A' && c <= 'F') value = c - 'A' + 10;
    else return std::nullopt;
    digest[i / 2] = static_cast<std::uint8_t>(digest[i / 2] << 4 | value);
  }
  return digest;
}

Result<KeyRing> KeyRing::compile(std::span<const KeySource> sources) {
  KeyRing ring;
  std::size_t slots = 4;
  while (slots < 2 * sources.size()) slots *= 2;
  ring.slots_.resize(slots);
  std::vector<const KeySource*> owners(slots, nullptr);
  std::string problems;
  const auto report = [&problems](const KeySource& source, std::string_view what) {
    problems += fmt::format("{}{}: {}", problems.empty() ? "" : "\n", source.pointer, what);
  };

  for (const KeySource& source : sources) {
    std::optional<Digest> digest;
    if (!source.sha256_hex.empty()) {
      if (digest = parse_digest(source.sha256_hex); !digest) {
        report(source, fmt::format("a SHA-256 is 64 hex digits; this text has {} characters, not all of them such digits", source.sha256_hex.size()));
        continue;
      }
    } else if (source.key.empty()) {
      report(source, "the key is empty");
      continue;
    } else {
      digest = sha256(source.key);
    }
    if (*digest == Digest{}) {
      report(source, "no key has the digest zero");
      continue;
    }
    const std::size_t at = ring.slot_of(*digest);
    if (!ring.slots_[at].used) {
      ring.slots_[at] = {*digest, {source.consumer, source.expires}, true};
      owners[at] = &source;
      ++ring.size_;
    } else if (ring.slots_[at].owner.consumer != source.consumer) {
      report(source, fmt::format("the same key belongs to another consumer, at {}; a key names one consumer", owners[at]->pointer));
    } else if (ring.slots_[at].owner.expires != source.expires) {
      report(source, fmt::format("the same key stands at {} with another end; say once when it expires", owners[at]->pointer));
    }
  }
  if (!problems.empty()) return fail(Code::kInvalidConfiguration, std::move(problems));
  return ring;
}

std::size_t KeyRing::slot_of(const Digest& digest) const noexcept {
  std::uint64_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof hash);
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = static_cast<std::size_t>(hash) & mask;
  // Where the probe goes depends on the digest of what was presented, which nobody can steer towards a stored one.
  while (slots_[at].used && CRYPTO_memcmp(slots_[at].digest.data(), digest.data(), digest.size()) != 0) at = (at + 1) & mask;
  return at;
}

std::optional<KeyOwner> KeyRing::find(std::string_view key) const noexcept {
  if (slots_.empty() || key.empty()) return std::nullopt;
  const Slot& slot = slots_[slot_of(sha256(key))];
  if (!slot.used) return std::nullopt;
  return slot.owner;
}

Presented Presented::basic(std::string_view token) {
  Presented out{std::string_view{}};
  out.basic_ = true;
  auto pair = base::base64_decode(token);
  if (!pair) return out;
  const std::size_t colon = pair->find(':');  // the first one: a name has none, a key may
  if (colon == std::string::npos) return out;
  out.decoded_ = std::move(*pair);
  out.key_at_ = colon + 1;
  return out;
}

Result<std::optional<Presented>> presented_key(const Headers& headers, std::string_view query) {
  Finding finding;
  for (const HeaderField field : headers) {
    // The four names differ in length; most fields are passed over by theirs.
    switch (field.name.size()) {
      case 7:
        if (same_name(field.name, "api-key")) finding.add("api-key", field.value);
        break;
      case 9:
        if (same_name(field.name, "x-api-key")) finding.add("x-api-key", field.value);
        break;
      case 13:
        if (same_name(field.name, "authorization")) find_in_authorization(field.value, finding);
        break;
      case 14:
        if (same_name(field.name, "x-goog-api-key")) finding.add("x-goog-api-key", field.value);
        break;
      default: break;
    }
  }
  find_in_query(query, finding);
  return std::move(finding).result();
}

}  // namespace sluice::auth
