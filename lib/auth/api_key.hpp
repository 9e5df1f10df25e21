#pragma once
/// API keys: what a request presents, and whose it is. A key is known by its SHA-256 alone.
/// Knows header fields, queries and digests; must not know consumers (indices only), routes or what time it is.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/clock.hpp"
#include "sluice/error.hpp"
#include "sluice/headers.hpp"

namespace sluice::auth {

using Digest = std::array<std::uint8_t, 32>;

/// The SHA-256 of `text`. Thread: any. Cost: below 1 us for a key; no heap after a thread's first call.
[[nodiscard]] Digest sha256(std::string_view text) noexcept;

/// 64 hex digits, in either case, as the digest they spell; nothing for any other text.
[[nodiscard]] std::optional<Digest> parse_digest(std::string_view hex) noexcept;
/// The other way: 64 hex digits in lower case.
[[nodiscard]] std::string hex_text(const Digest& digest);

/// One key of a configuration, its secret resolved: by its hash, or as it is.
struct KeySource {
  std::size_t consumer = 0;       ///< what find() gives back
  WallTime expires = WallTime::max();  ///< likewise
  std::string sha256_hex = {};    ///< 64 hex digits; empty = `key` is set
  std::string key = {};
  std::string pointer = {};       ///< JSON Pointer of the key, for errors: `/consumers/0/keys/1`
};

/// Whose key one is, and for how long.
struct KeyOwner {
  std::size_t consumer = 0;
  WallTime expires = WallTime::max();  ///< from this moment on it is refused; callers compare
};

/// All keys of a gateway. Immutable. Thread: any, concurrently.
///
/// The table is indexed by digest and compared over the whole digest in constant time, so two keys that share a prefix
/// are as different as any two, and how long a refusal takes says nothing about a valid key.
class KeyRing {
 public:
  KeyRing() = default;  ///< no key at all

  /// Errors: kInvalidConfiguration with every mistake, one a line behind its JSON Pointer: a hash that is none, an empty
  /// key, one key of two consumers or with two ends. Never with a key or a hash: a key may stand where its hash belongs.
  [[nodiscard]] static Result<KeyRing> compile(std::span<const KeySource> sources);

  /// Whose key this is.
  [[nodiscard]] std::optional<KeyOwner> find(std::string_view key) const noexcept;

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  struct Slot {
    Digest digest = {};
    KeyOwner owner;
    bool used = false;
  };
  [[nodiscard]] std::size_t slot_of(const Digest& digest) const noexcept;

  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
  std::size_t size_ = 0;
};

/// The key a request presents.
class Presented {
 public:
  explicit Presented(std::string_view borrowed) : borrowed_(borrowed) {}
  explicit Presented(std::string decoded) : decoded_(std::move(decoded)) {}
  /// What stands behind `Authorization: Basic`: base64 of the user's name, a colon and the key. Source: RFC 7617, 2
  [[nodiscard]] static Presented basic(std::string_view token);

  /// Empty, and so nobody's, where it cannot be read: a Basic that is no base64, or has no colon.
  /// Lifetime: this object, and the headers and query it was read from.
  [[nodiscard]] std::string_view key() const noexcept {
    return decoded_ ? std::string_view(*decoded_).substr(key_at_) : borrowed_;
  }
  /// True where `Authorization: Basic` presents it; then it has to be a key of the consumer called user().
  [[nodiscard]] bool is_basic() const noexcept { return basic_; }
  /// Lifetime: this object.
  [[nodiscard]] std::string_view user() const noexcept {
    return key_at_ == 0 ? std::string_view{} : std::string_view(*decoded_).substr(0, key_at_ - 1);
  }

 private:
  std::string_view borrowed_;
  std::optional<std::string> decoded_;  // where the query had escapes, and of Basic
  std::size_t key_at_ = 0;              // in decoded_; behind the colon of Basic
  bool basic_ = false;
};

/// The key in `Authorization: Bearer` or `Basic`, `x-api-key`, `api-key`, `x-goog-api-key` or `?key=`; nothing where none of
/// them holds one (other schemes of Authorization are no keys, neither is an empty value). `query` is without its `?`.
/// Errors: kAmbiguousCredentials for two different keys in one request, or one key of two users; it names the places, never
/// a key. Cost: allocates for Basic and for escapes in the query only.
[[nodiscard]] Result<std::optional<Presented>> presented_key(const Headers& headers, std::string_view query);

}  // namespace sluice::auth
