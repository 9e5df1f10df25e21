// Signing and verifying: the chain of keys, the fields and queries a signature travels in.

#include "auth/sigv4.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "http/target.hpp"

namespace sluice::auth::sigv4 {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256", kTerminator = "aws4_request";
constexpr std::string_view kDateField = "X-Amz-Date", kTokenField = "X-Amz-Security-Token", kBodyField = "x-amz-content-sha256";
constexpr std::size_t kDayDigits = 8, kSignatureDigits = 64;

bool hmac(std::string_view key, std::string_view text, Digest& out) noexcept {
  unsigned size = 0;
  return HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
              out.data(), &size) != nullptr && size == out.size();
}

std::string_view bytes_of(const Digest& digest) noexcept { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

tl::unexpected<Error> no_hmac() {
  return fail(Code::kInternal, "OpenSSL computes no HMAC with SHA-256: memory ran out, or its policy forbids it");
}

Result<std::string> signature_of(const SigningKeys& keys, std::string_view day, std::string_view region, std::string_view service,
                                 std::string_view text) {
  const auto key = keys.key(day, region, service);
  if (!key) return tl::unexpected(key.error());
  Digest signature{};
  if (!hmac(bytes_of(*key), text, signature)) return no_hmac();
  return hex_text(signature);
}

std::optional<int> digits(std::string_view text) noexcept {
  int n = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    n = n * 10 + (c - '0');
  }
  return n;
}

tl::unexpected<Error> refuse(std::string why) { return fail(Code::kUnauthorized, "the request's signature is refused: " + std::move(why)); }

bool is_lower_hex(std::string_view text) noexcept { return text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

/// Lower-case names, each once, in order: what everybody who signs must have agreed on.
bool is_name_list(std::string_view names) noexcept {
  std::string_view before;
  while (true) {
    const std::size_t end = std::min(names.find(';'), names.size());
    const std::string_view name = names.substr(0, end);
    const bool small = std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    if (!is_header_name(name) || !small || name <= before) return false;
    if (end == names.size()) return true;
    before = name;
    names.remove_prefix(end + 1);
  }
}

bool names_hold(std::string_view names, std::string_view wanted) noexcept {
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(';'), names.size());
    if (same_name(names.substr(0, end), wanted)) return true;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return false;
}

}  // namespace

std::string hex_sha256(std::string_view bytes) { return hex_text(sha256(bytes)); }

std::string hex_sha256(const base::EditedBody& body) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  bool good = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  std::vector<iovec> pieces;
  body.append_to(pieces);
  for (const iovec& piece : pieces) good = good && EVP_DigestUpdate(context.get(), piece.iov_base, piece.iov_len) == 1;
  Digest digest{};
  // Where it fails, memory ran out or SHA-256 is forbidden: zeros, which are no body's digest, so the signature is refused.
  if (!good || EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) digest.fill(0);
  return hex_text(digest);
}

std::string amz_date(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time - day).count();
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::optional<WallTime> parse_amz_date(std::string_view text) noexcept {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  const auto year = digits(text.substr(0, 4)), month = digits(text.substr(4, 2)), day = digits(text.substr(6, 2));
  const auto hour = digits(text.substr(9, 2)), minute = digits(text.substr(11, 2)), second = digits(text.substr(13, 2));
  if (!year || !month || !day || !hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second);
}

SigningKeys::SigningKeys(std::string secret_access_key) : seed_("AWS4") {
  seed_ += secret_access_key;
  OPENSSL_cleanse(secret_access_key.data(), secret_access_key.size());
}

SigningKeys::~SigningKeys() {
  OPENSSL_cleanse(seed_.data(), seed_.size());
  for (Kept& kept : kept_) OPENSSL_cleanse(kept.key.data(), kept.key.size());
}

Result<Digest> SigningKeys::key(std::string_view day, std::string_view region, std::string_view service) const {
  std::string scope = fmt::format("{}/{}/{}", day, region, service);
  const std::lock_guard lock(mutex_);
  for (const Kept& kept : kept_) {
    if (kept.scope == scope) return kept.key;
  }
  Digest key{};
  if (!hmac(seed_, day, key) || !hmac(bytes_of(key), region, key) || !hmac(bytes_of(key), service, key) ||
      !hmac(bytes_of(key), kTerminator, key)) {
    return no_hmac();
  }
  ++derived_;
  if (kept_.size() < kKept) {
    kept_.push_back({std::move(scope), key});
  } else {
    kept_[std::exchange(next_, (next_ + 1) % kKept)] = {std::move(scope), key};
  }
  return key;
}

std::size_t SigningKeys::derived() const {
  const std::lock_guard lock(mutex_);
  return derived_;
}

// Signing.

Signer::Signer(std::string access_key_id, std::string secret_access_key, std::string session_token, std::string region,
               std::string service, Rules rules)
    : access_key_id_(std::move(access_key_id)),
      session_token_(std::move(session_token)),
      region_(std::move(region)),
      service_(std::move(service)),
      keys_(std::move(secret_access_key)),
      rules_(rules) {}

std::string Signer::scope(std::string_view date) const {
  return fmt::format("{}/{}/{}/{}", date.substr(0, kDayDigits), region_, service_, kTerminator);
}

Result<std::string> Signer::signature(std::string_view date, std::string_view canonical_request) const {
  return signature_of(keys_, date.substr(0, kDayDigits), region_, service_, string_to_sign(date, scope(date), canonical_request));
}

Status Signer::sign(const Parts& parts, WallTime now, Headers& headers) const {
  if (!headers.contains("host")) return fail(Code::kInvalidHeader, "a request is signed with its Host field, and this one has none", "host");
  const std::string date = amz_date(now);
  headers.remove("authorization");
  headers.remove(kTokenField);
  headers.remove(kBodyField);
  if (Status set = headers.set(kDateField, date); !set) return set;
  if (rules_.body_header) {
    if (Status set = headers.set(kBodyField, parts.payload); !set) return set;
  }
  if (!session_token_.empty() && rules_.sign_token) {
    if (Status set = headers.set(kTokenField, session_token_); !set) return set;
  }
  const std::string names = names_to_sign(headers);
  const auto signed_by = signature(date, canonical_request(parts, headers, names, rules_));
  if (!signed_by) return tl::unexpected(signed_by.error());
  if (!session_token_.empty() && !rules_.sign_token) {
    if (Status set = headers.set(kTokenField, session_token_); !set) return set;
  }
  return headers.add("Authorization", fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm, access_key_id_,
                                                  scope(date), names, *signed_by));
}

Result<std::string> Signer::presign(const Parts& parts, WallTime now, std::chrono::seconds expires, const Headers& headers) const {
  if (!headers.contains("host")) return fail(Code::kInvalidHeader, "a URL is signed with its Host field, and this one has none", "host");
  const std::string date = amz_date(now), names = names_to_sign(headers);
  std::string query(parts.query);
  const auto add = [&query](std::string_view name, std::string_view value) {
    query += fmt::format("{}{}={}", query.empty() ? "" : "&", name, http::percent_encode(value));
  };
  add("X-Amz-Algorithm", kAlgorithm);
  add("X-Amz-Credential", fmt::format("{}/{}", access_key_id_, scope(date)));
  add("X-Amz-Date", date);
  add("X-Amz-SignedHeaders", names);
  add("X-Amz-Expires", std::to_string(expires.count()));
  if (!session_token_.empty() && rules_.sign_token) add("X-Amz-Security-Token", session_token_);
  Parts whole = parts;
  whole.query = query;
  const auto signed_by = signature(date, canonical_request(whole, headers, names, rules_));
  if (!signed_by) return tl::unexpected(signed_by.error());
  if (!session_token_.empty() && !rules_.sign_token) add("X-Amz-Security-Token", session_token_);
  add("X-Amz-Signature", *signed_by);
  return query;
}

// Verifying.

bool is_sigv4(std::string_view authorization) noexcept {
  return authorization.starts_with(kAlgorithm) && (authorization.size() == kAlgorithm.size() || authorization[kAlgorithm.size()] == ' ');
}

Result<Claim> parse_authorization(std::string_view authorization) {
  if (!is_sigv4(authorization)) return refuse("Authorization does not begin with AWS4-HMAC-SHA256");
  authorization.remove_prefix(kAlgorithm.size());
  std::string_view credential;
  Claim claim;
  while (!authorization.empty()) {
    const std::size_t end = std::min(authorization.find(','), authorization.size());
    std::string_view part = authorization.substr(0, end);
    authorization.remove_prefix(std::min(end + 1, authorization.size()));
    part.remove_prefix(std::min(part.find_first_not_of(" \t"), part.size()));
    part.remove_suffix(part.size() - std::min(part.find_last_not_of(" \t") + 1, part.size()));
    if (part.empty()) continue;
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string_view name = part.substr(0, equals), value = part.substr(std::min(equals + 1, part.size()));
    std::string_view* const place = name == "Credential"      ? &credential
                                    : name == "SignedHeaders" ? &claim.signed_headers
                                    : name == "Signature"     ? &claim.signature
                                                              : nullptr;
    if (place == nullptr) return refuse("Authorization has a part that is none of Credential, SignedHeaders and Signature");
    if (!place->empty()) return refuse(fmt::format("Authorization has {} twice", name));
    *place = value;
  }
  // An access key may hold slashes; the scope behind it has four parts.
  std::array<std::string_view, 4> scope;
  std::string_view rest = credential;
  for (std::size_t i = scope.size(); i-- > 0;) {
    const std::size_t slash = rest.rfind('/');
    if (slash == std::string_view::npos) return refuse("Credential is not access key, day, region, service and aws4_request between slashes");
    scope[i] = rest.substr(slash + 1);
    rest = rest.substr(0, slash);
  }
  claim.access_key_id = rest;
  claim.day = scope[0];
  claim.region = scope[1];
  claim.service = scope[2];
  claim.scope = credential.substr(std::min(rest.size() + 1, credential.size()));
  if (rest.empty() || claim.region.empty() || claim.service.empty() || claim.day.size() != kDayDigits || !digits(claim.day) ||
      scope[3] != kTerminator) {
    return refuse("Credential is not access key, day, region, service and aws4_request between slashes");
  }
  if (!is_name_list(claim.signed_headers)) return refuse("SignedHeaders is no sorted list of lower-case names");
  if (claim.signature.size() != kSignatureDigits || !is_lower_hex(claim.signature)) return refuse("Signature is not 64 lower-case hex digits");
  return claim;
}

Status verify(const Claim& claim, const Parts& parts, const Headers& headers, const SigningKeys& keys, const Expected& expected,
              const Rules& rules) {
  if (!expected.region.empty() && claim.region != expected.region) return refuse(fmt::format("it is for another region than {}", expected.region));
  if (!expected.service.empty() && claim.service != expected.service) return refuse(fmt::format("it is for another service than {}", expected.service));
  const auto date = headers.get(kDateField);
  if (!date || headers.count(kDateField) != 1) return refuse("the request needs exactly one X-Amz-Date field");
  const auto time = parse_amz_date(*date);
  if (!time) return refuse("X-Amz-Date is not of the form 20150830T123600Z");
  if (date->substr(0, kDayDigits) != claim.day) return refuse("Credential and X-Amz-Date name different days");
  if (*time > expected.now + expected.max_skew || *time < expected.now - expected.max_skew) {
    return refuse(fmt::format("X-Amz-Date is more than {} s away from the gateway's clock", expected.max_skew.count()));
  }
  if (!names_hold(claim.signed_headers, "host") || headers.count("host") != 1) return refuse("Host must be there once, and signed");
  for (const HeaderField field : headers) {
    const bool amazons = field.name.size() > 6 && same_name(field.name.substr(0, 6), "x-amz-");
    if (!amazons || names_hold(claim.signed_headers, field.name) || (!rules.sign_token && same_name(field.name, kTokenField))) continue;
    return refuse(fmt::format("the field {} is not signed", field.name));
  }
  for (std::string_view names = claim.signed_headers; !names.empty();) {
    const std::size_t end = std::min(names.find(';'), names.size());
    if (!headers.contains(names.substr(0, end))) return refuse(fmt::format("the field {} is signed but not there", names.substr(0, end)));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  const std::string text = string_to_sign(*date, claim.scope, canonical_request(parts, headers, claim.signed_headers, rules));
  const auto right = signature_of(keys, claim.day, claim.region, claim.service, text);
  if (!right) return tl::unexpected(right.error());
  if (claim.signature.size() != right->size() || CRYPTO_memcmp(claim.signature.data(), right->data(), right->size()) != 0) {
    return refuse("it is not the one this access key gives this request");
  }
  return {};
}

}  // namespace sluice::auth::sigv4
