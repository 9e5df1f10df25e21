// Secrets out of texts: in every form, at every place, and nothing else. TELE-02

#include "telemetry/secret_mask.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "sluice/random.hpp"

using namespace sluice;
using telemetry::SecretMask;

namespace {

std::string masked(const SecretMask& mask, std::string text) {
  const std::string before = text;
  const bool finds = mask.finds(text);
  CHECK(mask.apply(text) == finds);
  CHECK((text != before) == finds);
  return text;
}

/// An encoder of its own, to share nothing with what is tested.
std::string base64(const std::string& bytes, const char* last_two, bool padded = true) {
  std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  alphabet += last_two;
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = i; k < i + 3; ++k) {
      group = group << 8 | (k < bytes.size() ? static_cast<unsigned char>(bytes[k]) : 0u);
    }
    for (int k = 3; k >= 0; --k) {
      if (static_cast<std::size_t>(3 - k) <= bytes.size() - i) out += alphabet[group >> (6 * k) & 63];
      else if (padded) out += '=';
    }
  }
  return out;
}

std::string percent(const std::string& text, bool upper, bool everything) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (!everything && (std::isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~')) {
      out += c;
      continue;
    }
    const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

}  // namespace

// TELE-02
TEST_CASE("a secret is masked wherever it stands, however often, next to itself and next to others") {
  const SecretMask mask(std::vector<std::string>{"sk-one-0123456789", "sk-two-abcdefghij"});
  CHECK(masked(mask, "sk-one-0123456789") == "***");
  CHECK(masked(mask, "key sk-one-0123456789.") == "key ***.");
  CHECK(masked(mask, "sk-one-0123456789sk-one-0123456789") == "******");
  CHECK(masked(mask, "sk-two-abcdefghij, sk-one-0123456789") == "***, ***");
  CHECK(masked(mask, "sk-one-0123456789x") == "***x");
  CHECK(masked(mask, "sk-one-sk-one-0123456789") == "sk-one-***");
  for (std::size_t before = 0; before < 40; ++before) {
    const std::string front(before, 's');
    CHECK(masked(mask, front + "sk-one-0123456789" + front) == front + "***" + front);
  }
}

TEST_CASE("what is no secret is left as it is") {
  const SecretMask mask(std::vector<std::string>{"sk-one-0123456789"});
  for (const std::string text : {"", "s", "sk-", "sk-one-0123", "sk-one-01234", "sk-One-0123456789", "k-one-0123456789",
                                 "a long text without any of them in it"}) {
    const bool begins = text == "sk-one-01234";  // twelve bytes of it
    CHECK(masked(mask, text) == (begins ? "***" : text));
  }
}

TEST_CASE("the beginning of a secret is masked as far as it goes, from twelve bytes on") {
  const std::string secret = "sk-proj-0123456789abcdefghijklmnopqrstuv";
  const SecretMask mask(std::vector<std::string>{secret});
  for (std::size_t n = 0; n <= secret.size(); ++n) {
    const std::string part = secret.substr(0, n);
    const bool telling = n >= 12;
    CHECK(masked(mask, "key " + part) == "key " + (telling ? "***" : part));
    CHECK(masked(mask, "key " + part + "...") == "key " + (telling ? "***" : part) + "...");
  }
}

// TELE-02
TEST_CASE("a secret is masked percent-encoded, in either case of the digits") {
  const std::string secret = "aws/key+with=signs&more ok";
  const SecretMask mask(std::vector<std::string>{secret});
  CHECK(masked(mask, "?k=" + percent(secret, true, false) + "&x=1") == "?k=***&x=1");
  CHECK(masked(mask, "?k=" + percent(secret, false, false) + "&x=1") == "?k=***&x=1");
}

// TELE-02
TEST_CASE("a secret is masked in base64, in both alphabets, wherever it stood in what was encoded") {
  for (const std::string secret : {"sk-proj-0123456789abcdefghij", "\xfb\xff\xfe~~~?A?>>>key+/-_0123456"}) {
    const SecretMask mask(std::vector<std::string>{secret});
    for (std::size_t before = 0; before < 7; ++before) {
      for (std::size_t after = 0; after < 4; ++after) {
        for (const char* last_two : {"+/", "-_"}) {
          const std::string plain = std::string(before, ':') + secret + std::string(after, '!');
          const std::string text = masked(mask, "Basic " + base64(plain, last_two));
          INFO(before << " " << after << " " << text);
          CHECK(text.find("***") != std::string::npos);
          // What is left holds no more than the neighbours' characters and one edge character on either side.
          CHECK(text.size() <= 6 + 3 + (before * 4 + 2) / 3 + 1 + (after * 4 + 2) / 3 + 4);
        }
      }
    }
  }
}

TEST_CASE("secrets of fewer than four bytes are let through, and those of four are not") {
  const SecretMask mask(std::vector<std::string>{"", "a", "abc", "wxyz"});
  CHECK(masked(mask, "a abc abcd") == "a abc abcd");
  CHECK(masked(mask, "a wxyz wxy") == "a *** wxy");
}

TEST_CASE("a mask without secrets finds nothing") {
  const SecretMask none;
  CHECK(none.empty());
  CHECK_FALSE(none.finds("anything"));
  std::string text = "anything";
  CHECK_FALSE(none.apply(text));
  CHECK(SecretMask(std::vector<std::string>{}).empty());
}

TEST_CASE("of many secrets of many lengths each is found at every place of a text, and none where it is not") {
  Random random(6);
  const auto any = [&random](std::size_t size) {
    std::string out;
    while (out.size() < size) out += "abcd"[random.below(4)];  // much alike
    return out;
  };
  std::vector<std::string> secrets;
  for (int i = 0; i < 200; ++i) secrets.push_back(any(12 + random.below(30)));
  const SecretMask mask(secrets);
  for (int round = 0; round < 4000; ++round) {
    const std::string planted = round % 2 == 0 ? secrets[random.below(secrets.size())] : "";
    const std::string text = any(random.below(40)) + planted + any(random.below(40));
    // What must go is what a plain search finds.
    bool there = false;
    for (const std::string& secret : secrets) there = there || text.find(secret.substr(0, 12)) != std::string::npos;
    REQUIRE(mask.finds(text) == there);
    std::string clean = text;
    (void)mask.apply(clean);
    for (const std::string& secret : secrets) REQUIRE(clean.find(secret.substr(0, 12)) == std::string::npos);
  }
}

TEST_CASE("a text that nearly holds a secret at every byte takes no longer than one that holds none") {
  std::vector<std::string> secrets;
  for (int i = 0; i < 100; ++i) {
    secrets.push_back("sk-proj-" + std::string(4, static_cast<char>('a' + i % 26)) + std::to_string(i) + "0123456789");
  }
  const SecretMask mask(secrets);
  // Pairs that end windows at every byte, and beginnings that go wrong at the last byte that tells.
  for (const std::string piece : {"a", "sk-proj-aaab", "sk-proj-sk-"}) {
    std::string text;
    while (text.size() < 1'000'000) text += piece;
    const auto start = std::chrono::steady_clock::now();
    CHECK_FALSE(mask.finds(text));
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    const double ns = took.count() / static_cast<double>(text.size());
    WARN("a byte of a hostile text in " << ns << " ns");
    CHECK(ns < 2000);  // sanitizers and busy machines; nine hundred comparisons a byte would take longer
  }
}
