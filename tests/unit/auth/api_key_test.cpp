// API keys: what a request presents, and whose it is.

#include "auth/api_key.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cctype>
#include <string>

using namespace sluice;
using namespace sluice::auth;

namespace {

std::string hex(const Digest& digest) {
  std::string out;
  for (const unsigned byte : digest) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

std::optional<std::string> presented(const Headers& headers, std::string_view query = "") {
  const auto result = presented_key(headers, query);
  REQUIRE(result);
  if (!*result) return std::nullopt;
  return std::string((*result)->key());
}

std::optional<std::size_t> owner(const KeyRing& ring, std::string_view key) {
  const auto found = ring.find(key);
  return found ? std::optional(found->consumer) : std::nullopt;
}

}  // namespace

TEST_CASE("sha256 gives the digests of FIPS 180-4") {
  // Source: NIST, SHA-256 examples.
  CHECK(hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST_CASE("a key is found by its text or by its hash, in either case of the digits") {
  std::string upper = hex(sha256("sk-b"));
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const std::vector<KeySource> sources = {{.consumer = 7, .key = "sk-a"}, {.consumer = 8, .sha256_hex = upper}};
  const auto ring = KeyRing::compile(sources);
  REQUIRE(ring);
  CHECK(ring->size() == 2);
  CHECK(owner(*ring, "sk-a") == 7u);
  CHECK(owner(*ring, "sk-b") == 8u);
  CHECK_FALSE(ring->find("sk-c"));
  CHECK_FALSE(ring->find(""));
  CHECK_FALSE(ring->find(upper));  // the hash is no key
  CHECK_FALSE(KeyRing().find("sk-a"));
  CHECK(KeyRing().empty());
}

TEST_CASE("two keys that share a prefix are never one identity") {  // SEC-24
  std::vector<KeySource> sources;
  const std::string prefix(64, 'k');
  for (std::size_t i = 0; i < 500; ++i) sources.push_back({.consumer = i, .key = prefix + std::to_string(i)});
  const auto ring = KeyRing::compile(sources);
  REQUIRE(ring);
  for (std::size_t i = 0; i < 500; ++i) CHECK(owner(*ring, prefix + std::to_string(i)) == i);
  CHECK_FALSE(ring->find(prefix));
  CHECK_FALSE(ring->find(prefix + "500"));
  CHECK_FALSE(ring->find(prefix + "1 OR 1=1"));  // key text is data
  CHECK_FALSE(ring->find(std::string(prefix + "1") + '\0'));
}

TEST_CASE("two digests that begin alike are told apart by their last byte") {  // SEC-24
  // Hashes chosen, not computed: no key is known for them, but a table that compared less than everything would mix them up.
  std::string one = hex(sha256("sk-a")), other = one;
  other.back() = one.back() == '0' ? '1' : '0';
  const auto only_other = KeyRing::compile(std::vector<KeySource>{{.consumer = 1, .sha256_hex = other}});
  REQUIRE(only_other);
  CHECK_FALSE(only_other->find("sk-a"));
  const auto both = KeyRing::compile(std::vector<KeySource>{{.consumer = 1, .sha256_hex = other}, {.consumer = 2, .sha256_hex = one}});
  REQUIRE(both);
  CHECK(owner(*both, "sk-a") == 2u);
}

TEST_CASE("what is no hash, an empty key and a key of two consumers are refused, all at once and without their text") {
  const std::vector<KeySource> sources = {
      {.consumer = 0, .sha256_hex = "sk-secret-where-a-hash-belongs", .pointer = "/consumers/0/keys/0"},
      {.consumer = 0, .sha256_hex = std::string(63, 'a') + "g", .pointer = "/consumers/0/keys/1"},
      {.consumer = 0, .pointer = "/consumers/0/keys/2"},
      {.consumer = 0, .key = "sk-shared", .pointer = "/consumers/0/keys/3"},
      {.consumer = 1, .sha256_hex = hex(sha256("sk-shared")), .pointer = "/consumers/1/keys/0"},
      {.consumer = 0, .key = "sk-shared", .pointer = "/consumers/0/keys/4"},  // twice at one consumer says nothing new
  };
  const auto ring = KeyRing::compile(sources);
  REQUIRE_FALSE(ring);
  CHECK(ring.error().code == Code::kInvalidConfiguration);
  const std::string& message = ring.error().message;
  CHECK(std::count(message.begin(), message.end(), '\n') == 3);
  for (const char* pointer : {"/consumers/0/keys/0: ", "/consumers/0/keys/1: ", "/consumers/0/keys/2: ", "/consumers/1/keys/0: "}) {
    CHECK(message.find(pointer) != std::string::npos);
  }
  CHECK(message.find("another consumer, at /consumers/0/keys/3") != std::string::npos);
  CHECK(message.find("secret") == std::string::npos);
  CHECK(message.find("sk-") == std::string::npos);
  CHECK(message.find(hex(sha256("sk-shared"))) == std::string::npos);
}

TEST_CASE("a key comes with its end; without one it has none") {
  const WallTime end{std::chrono::milliseconds(1'800'000'000'000)};
  const std::vector<KeySource> sources = {{.consumer = 1, .expires = end, .key = "sk-old"}, {.consumer = 1, .key = "sk-new"}};
  const auto ring = KeyRing::compile(sources);
  REQUIRE(ring);
  CHECK(ring->find("sk-old")->expires == end);
  CHECK(ring->find("sk-new")->expires == WallTime::max());
}

TEST_CASE("one key with two ends is refused, at one consumer too") {
  const WallTime end{std::chrono::milliseconds(1'800'000'000'000)};
  const std::vector<KeySource> sources = {{.consumer = 1, .key = "sk-a", .pointer = "/consumers/1/keys/0"},
                                          {.consumer = 1, .expires = end, .key = "sk-a", .pointer = "/consumers/1/keys/1"}};
  const auto ring = KeyRing::compile(sources);
  REQUIRE_FALSE(ring);
  CHECK(ring.error().message.starts_with("/consumers/1/keys/1: "));
  CHECK(ring.error().message.find("another end") != std::string::npos);
  CHECK(KeyRing::compile(std::vector<KeySource>{{.consumer = 1, .expires = end, .key = "sk-a"}, {.consumer = 1, .expires = end, .key = "sk-a"}}));
}

TEST_CASE("a key is accepted as Bearer, x-api-key, api-key, x-goog-api-key or ?key=") {  // SEC-23
  CHECK(presented({{"Authorization", "Bearer sk-1"}}) == "sk-1");
  CHECK(presented({{"authorization", "bEaReR   sk-1"}}) == "sk-1");
  CHECK(presented({{"X-Api-Key", "sk-1"}}) == "sk-1");
  CHECK(presented({{"api-key", "sk-1"}}) == "sk-1");
  CHECK(presented({{"x-goog-api-key", "sk-1"}}) == "sk-1");
  CHECK(presented({}, "alt=sse&key=sk-1") == "sk-1");
  CHECK(presented({}, "key=sk%2D1&x") == "sk-1");
  CHECK(presented({}, "k%65y=sk-1") == "sk-1");
}

TEST_CASE("what holds no key presents none") {
  CHECK_FALSE(presented({}));
  CHECK_FALSE(presented({{"Authorization", "Basic"}}));
  CHECK_FALSE(presented({{"Authorization", "Basic   "}}));
  CHECK_FALSE(presented({{"Authorization", "Digest dXNlcjpwdw=="}}));
  CHECK_FALSE(presented({{"Authorization", "Bearer"}}));
  CHECK_FALSE(presented({{"Authorization", "Bearer   "}}));
  CHECK_FALSE(presented({{"Authorization", "Bearersk-1"}}));
  CHECK_FALSE(presented({{"x-api-key", ""}}));
  CHECK_FALSE(presented({{"x-other-1", "sk-1"}}));
  CHECK_FALSE(presented({}, "key=&monkey=sk-1&key"));
}

TEST_CASE("the same key twice is one key") {  // SEC-23
  CHECK(presented({{"Authorization", "Bearer sk-1"}, {"x-api-key", "sk-1"}, {"api-key", "sk-1"}}, "key=sk-1") == "sk-1");
}

TEST_CASE("two different keys in one request are refused without naming either") {  // SEC-23
  const Headers one_each = {{"Authorization", "Bearer sk-one"}, {"x-api-key", "sk-two"}};
  const Headers one_name = {{"x-api-key", "sk-one"}, {"x-api-key", "sk-two"}};
  const Headers third = {{"Authorization", "Bearer sk-one"}, {"x-api-key", "sk-one"}, {"api-key", "sk-one2"}};
  for (const Headers* headers : {&one_each, &one_name, &third}) {
    const auto result = presented_key(*headers, "");
    REQUIRE_FALSE(result);
    CHECK(result.error().code == Code::kAmbiguousCredentials);
    CHECK(result.error().http_status == 400);
    CHECK(result.error().message.find("sk-") == std::string::npos);
  }
  CHECK(presented_key(one_each, "").error().message.find("Authorization and x-api-key") != std::string::npos);
  CHECK(presented_key(one_name, "").error().message.find("x-api-key twice") != std::string::npos);
  CHECK_FALSE(presented_key({{"x-api-key", "sk-one"}}, "key=sk-two"));
  CHECK_FALSE(presented_key({{"x-api-key", "sk-one"}}, "key=%zz"));
  CHECK_FALSE(presented_key({}, "key=sk-one&key=sk-two"));
}

TEST_CASE("finding a key takes about a microsecond among ten thousand") {
  std::vector<KeySource> sources;
  for (std::size_t i = 0; i < 10'000; ++i) sources.push_back({.consumer = i, .key = "sk-proj-abcdefghijklmnopqrstuvwxyz-" + std::to_string(i)});
  const auto ring = KeyRing::compile(sources);
  REQUIRE(ring);
  constexpr int kRounds = 20'000;
  std::size_t found = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds; ++i) found += ring->find(sources[static_cast<std::size_t>(i) % sources.size()].key).has_value();
  const double ns = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / kRounds;
  CHECK(found == kRounds);
  WARN("a key found in " << ns << " ns");
  CHECK(ns < 10'000);  // ten times the bar: sanitizers and busy machines
}
