#pragma once
/// API keys: what a request presents, and whose it is. A key is known by its SHA-256 alone.
/// Knows header fields, queries and digests; must not know consumers (indices only), routes or the clock.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/error.hpp"
#include "sluice/headers.hpp"

namespace sluice::auth {

using Digest = std::array<std::uint8_t, 32>;

/// The SHA-256 of `text`. Thread: any. Cost: below 1 us for a key; no heap after a thread's first call.
[[nodiscard]] Digest sha256(std::string_view text) noexcept;

/// One key of a configuration, its secret resolved: by its hash, or as it is.
struct KeySource {
  std::size_t consumer = 0;       ///< what find() gives back
  std::string sha256_hex = {};    ///< 64 hex digits; empty = `key` is set
  std::string key = {};
  std::string pointer = {};       ///< JSON Pointer of the key, for errors: `/consumers/0/keys/1`
};

/// All keys of a gateway. Immutable. Thread: any, concurrently.
///
/// The table is indexed by digest and compared over the whole digest in constant time, so two keys that share a prefix
/// are as different as any two, and how long a refusal takes says nothing about a valid key.
class KeyRing {
 public:
  KeyRing() = default;  ///< no key at all

  /// Errors: kInvalidConfiguration with every mistake, one a line behind its JSON Pointer: a hash that is none, an empty
  /// key, one key of two consumers. Never with a key or a hash: a key may stand where its hash belongs.
  [[nodiscard]] static Result<KeyRing> compile(std::span<const KeySource> sources);

  /// The consumer whose key this is.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view key) const noexcept;

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  struct Slot {
    Digest digest = {};
    std::size_t consumer = 0;
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
  /// Lifetime: this object, and the headers and query it was read from.
  [[nodiscard]] std::string_view key() const noexcept { return decoded_ ? std::string_view(*decoded_) : borrowed_; }

 private:
  std::string_view borrowed_;
  std::optional<std::string> decoded_;  // where the query had escapes
};

/// The key in `Authorization: Bearer`, `x-api-key`, `api-key`, `x-goog-api-key` or `?key=`; nothing where none of them
/// holds one (other schemes of Authorization are no keys, neither is an empty value). `query` is without its `?`.
/// Errors: kAmbiguousCredentials for two different keys in one request; it names the places, never a key.
[[nodiscard]] Result<std::optional<Presented>> presented_key(const Headers& headers, std::string_view query);

}  // namespace sluice::auth
