#pragma once
/// AWS Signature Version 4: requests signed, URLs presigned, presented signatures verified. Pure functions of what they are
/// given. Knows the canonical forms and the chain of keys; must not know where credentials come from, services, or the clock.
/// Source: "Create a signed AWS API request" in the IAM user guide, and the published test suite of 38 requests.

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/api_key.hpp"
#include "base/edit_list.hpp"
#include "sluice/clock.hpp"
#include "sluice/error.hpp"
#include "sluice/headers.hpp"

namespace sluice::auth::sigv4 {

/// Where the services of AWS differ.
struct Rules {
  bool normalise_path = true;  ///< `.`, `..` and empty segments are folded before signing; off for S3
  bool encode_twice = true;    ///< the path is escaped once more than it is sent; off for S3
  bool body_header = false;    ///< `x-amz-content-sha256` goes along and is signed
  bool sign_token = true;      ///< off: the session token is added after signing
};

/// A request as it goes over the wire.
struct Parts {
  std::string_view method;        ///< upper case
  std::string_view path = {};     ///< as sent, escapes and all; empty is `/`
  std::string_view query = {};    ///< as sent, without `?`
  std::string_view payload = {};  ///< hex_sha256() of the body, or what a service takes in its place (`UNSIGNED-PAYLOAD`)
};

/// 64 lower-case hex digits. / Of a body as it will be sent, its splices in it; nothing is joined for that.
[[nodiscard]] std::string hex_sha256(std::string_view bytes);
[[nodiscard]] std::string hex_sha256(const base::EditedBody& body);
/// `20150830T123600Z`. / Back; nothing for any other form.
[[nodiscard]] std::string amz_date(WallTime time);
[[nodiscard]] std::optional<WallTime> parse_amz_date(std::string_view text) noexcept;

/// What is hashed and signed: six parts, a line each. `signed_headers` are lower-case names, sorted, joined by `;`; of each
/// all values count, in order, joined by commas, runs of blanks as one.
[[nodiscard]] std::string canonical_request(const Parts& parts, const Headers& headers, std::string_view signed_headers,
                                            const Rules& rules);
/// The names that are signed of `headers`, in that form: all but those that proxies and connections change on the way.
[[nodiscard]] std::string names_to_sign(const Headers& headers);
/// The text that is signed for a canonical request. `scope` is `20150830/us-east-1/bedrock/aws4_request`.
[[nodiscard]] std::string string_to_sign(std::string_view date, std::string_view scope, std::string_view canonical_request);

/// One secret, and the keys made of it: one for each day, region and service, the last few kept. Thread: any, concurrently.
/// Cost: a kept key is a short search under a lock; a new one is four HMACs, some 4 us.
class SigningKeys {
 public:
  explicit SigningKeys(std::string secret_access_key);
  ~SigningKeys();
  SigningKeys(const SigningKeys&) = delete;
  SigningKeys& operator=(const SigningKeys&) = delete;

  /// The key of `day` (`20150830`). Errors: kInternal where the library refuses HMAC or memory ran out.
  [[nodiscard]] Result<Digest> key(std::string_view day, std::string_view region, std::string_view service) const;
  /// How many keys were computed so far.
  [[nodiscard]] std::size_t derived() const;

 private:
  static constexpr std::size_t kKept = 8;
  struct Kept {
    std::string scope;  // day, region, service
    Digest key;
  };
  std::string seed_;  // `AWS4` and the secret; wiped at the end
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  mutable std::vector<Kept> kept_;
  mutable std::size_t next_ = 0, derived_ = 0;
};

/// Signs what goes to one service of one region in the name of one access key. Immutable. Thread: any, concurrently.
class Signer {
 public:
  /// An empty `session_token`: a long-lived key, which has none.
  Signer(std::string access_key_id, std::string secret_access_key, std::string session_token, std::string region,
         std::string service, Rules rules = {});

  /// Signs a request by its header fields, which must hold Host: adds X-Amz-Date, the session token and the digest of the
  /// body where they belong, and Authorization; fields of these names that were there before are replaced. Sign last: a
  /// field that is changed afterwards makes the signature wrong.
  /// Errors: kInvalidHeader where Host is missing; kInternal as SigningKeys::key.
  [[nodiscard]] Status sign(const Parts& parts, WallTime now, Headers& headers) const;

  /// The query of a URL that is good for `expires` and needs no further header: `parts.query` with the signature behind it.
  /// All of `headers` must be sent as they are. Errors: as sign.
  [[nodiscard]] Result<std::string> presign(const Parts& parts, WallTime now, std::chrono::seconds expires,
                                            const Headers& headers) const;

  /// The access key; never a secret.
  [[nodiscard]] std::string_view access_key_id() const noexcept { return access_key_id_; }

 private:
  [[nodiscard]] std::string scope(std::string_view date) const;
  [[nodiscard]] Result<std::string> signature(std::string_view date, std::string_view canonical_request) const;

  std::string access_key_id_, session_token_, region_, service_;
  SigningKeys keys_;
  Rules rules_;
};

/// What an Authorization field claims. Lifetime: views of the field's value.
struct Claim {
  std::string_view access_key_id, day, region, service;
  std::string_view scope;           ///< `20150830/us-east-1/bedrock/aws4_request`
  std::string_view signed_headers;  ///< `host;x-amz-date`
  std::string_view signature;       ///< 64 hex digits
};

/// True where a credential of this scheme is presented, well-formed or not.
[[nodiscard]] bool is_sigv4(std::string_view authorization) noexcept;
/// Takes it apart. Errors: kUnauthorized says which part is missing or malformed, never with the signature in it.
[[nodiscard]] Result<Claim> parse_authorization(std::string_view authorization);

/// What a verifier insists on.
struct Expected {
  std::string_view region, service;  ///< empty: whatever the claim names
  WallTime now{};
  std::chrono::seconds max_skew{300};  ///< between `now` and X-Amz-Date, either way
};

/// That the owner of `keys` signed this very request: `parts` as it came in, its payload the digest of the body that was
/// read, whatever X-Amz-Content-Sha256 says. Host and every x-amz- field must be among the signed ones (the session token
/// only where the rules say so). Signatures are compared in constant time.
/// Errors: kUnauthorized says what does not fit, never with a signature or a canonical form; kInternal as SigningKeys::key.
[[nodiscard]] Status verify(const Claim& claim, const Parts& parts, const Headers& headers, const SigningKeys& keys,
                            const Expected& expected, const Rules& rules = {});

}  // namespace sluice::auth::sigv4
