// Secrets: where they come from, what is said where they are missing, and that nothing shows them.

#include "sluice/secret.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace sluice;

namespace {

/// A file of its own, gone with the test.
class SecretFile {
 public:
  explicit SecretFile(std::string_view content) {
    char path[] = "/tmp/sluice-secret-XXXXXX";
    const int fd = ::mkstemp(path);
    REQUIRE(fd >= 0);
    ::close(fd);
    path_ = path;
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~SecretFile() { std::filesystem::remove(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("a literal secret is given to who asks for it and shown to nobody") {
  const Secret secret = Secret::literal("sk-very-secret");
  CHECK(secret.source() == Secret::Source::kLiteral);
  CHECK(secret.resolve() == std::string("sk-very-secret"));
  CHECK(to_string(secret) == "***");
  CHECK(secret.reference().empty());
  CHECK_FALSE(secret.empty());
}

TEST_CASE("no secret is told from an empty one") {
  const Secret none;
  CHECK(none.empty());
  CHECK(to_string(none).empty());
  REQUIRE_FALSE(none.resolve());
  CHECK(none.resolve().error().code == Code::kSecretMissing);
}

TEST_CASE("an environment variable is read when it is asked for, not before") {
  constexpr const char* kName = "SLUICE_TEST_SECRET";
  ::unsetenv(kName);
  const Secret secret = Secret::env(kName);
  CHECK(to_string(secret) == "env SLUICE_TEST_SECRET");
  CHECK(secret.reference() == kName);
  const auto missing = secret.resolve();
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == Code::kSecretMissing);
  CHECK(missing.error().message.find(kName) != std::string::npos);
  ::setenv(kName, "", 1);
  CHECK_FALSE(secret.resolve());
  ::setenv(kName, "first", 1);
  CHECK(secret.resolve() == std::string("first"));
  ::setenv(kName, "second", 1);
  CHECK(secret.resolve() == std::string("second"));
  ::unsetenv(kName);
}

TEST_CASE("a secret file loses one line end and nothing else") {
  const auto content = GENERATE(as<std::pair<std::string, std::string>>(), std::pair{"key", "key"}, std::pair{"key\n", "key"},
                                std::pair{"key\r\n", "key"}, std::pair{"key\n\n", "key\n"}, std::pair{" key \n", " key "},
                                std::pair{"a\nb\n", "a\nb"});
  const SecretFile file(content.first);
  const Secret secret = Secret::file(file.path());
  CHECK(secret.resolve() == content.second);
  CHECK(to_string(secret) == "file " + file.path());
}

TEST_CASE("a file that is missing or empty is named, and its content is not") {
  const auto missing = Secret::file("/nowhere/of/this/name").resolve();
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == Code::kSecretMissing);
  CHECK(missing.error().message.find("/nowhere/of/this/name") != std::string::npos);
  for (const char* const content : {"", "\n", "\r\n"}) {
    const SecretFile file(content);
    const auto empty = Secret::file(file.path()).resolve();
    REQUIRE_FALSE(empty);
    CHECK(empty.error().code == Code::kSecretMissing);
    CHECK(empty.error().message.find(file.path()) != std::string::npos);
  }
}

TEST_CASE("secrets are equal where they refer to the same place or hold the same value") {
  CHECK(Secret::literal("a") == Secret::literal("a"));
  CHECK_FALSE(Secret::literal("a") == Secret::literal("b"));
  CHECK(Secret::env("A") == Secret::env("A"));
  CHECK_FALSE(Secret::env("A") == Secret::file("A"));
  CHECK_FALSE(Secret::env("A") == Secret::literal("A"));
  CHECK(Secret{} == Secret{});
}
