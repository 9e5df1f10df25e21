// Vocabularies out of files: which of them counts a model, and what is refused.

#include <catch2/catch.hpp>

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "gateway/vocabularies.hpp"
#include "sluice/gateway.hpp"
#include "unit/chat/rank_table.hpp"

using namespace sluice;
using gateway::Vocabularies;

namespace {

/// A rank file of a test's own, gone at its end.
class RankFile {
 public:
  explicit RankFile(const std::string& text) {
    path_ = (std::filesystem::temp_directory_path() / "sluice-ranks-XXXXXX").string();
    const int descriptor = ::mkstemp(path_.data());
    REQUIRE(descriptor >= 0);
    std::ofstream(path_, std::ios::binary) << text;
    ::close(descriptor);
  }
  ~RankFile() { std::filesystem::remove(path_); }
  RankFile(const RankFile&) = delete;
  RankFile& operator=(const RankFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

const std::string kBytes = tests::rank_file(tests::tokens_with({}));

}  // namespace

TEST_CASE("a vocabulary without models counts those that are known to use its encoding") {
  const RankFile file(kBytes);
  const auto both = Vocabularies::load({.ranks = {{TokenEncoding::kO200kBase, file.path(), {}}, {TokenEncoding::kCl100kBase, file.path(), {}}}});
  REQUIRE(both);
  const auto vocabulary = [&](std::string_view model) {
    const chat::tokens::Bpe* bpe = (*both)->of(model);
    return bpe == nullptr ? "none" : bpe->vocabulary() == chat::tokens::Vocabulary::kO200k ? "o200k" : "cl100k";
  };
  for (const char* model : {"gpt-4o", "gpt-4o-mini-2024-07-18", "gpt-5-nano", "o1", "o3-mini", "o4-mini", "gpt-4.1", "openai/gpt-5", "gpt-oss-20b"}) {
    INFO(model);
    CHECK(vocabulary(model) == std::string("o200k"));
  }
  for (const char* model : {"gpt-4", "gpt-4-turbo", "gpt-3.5-turbo", "text-embedding-3-small", "text-embedding-ada-002"}) {
    INFO(model);
    CHECK(vocabulary(model) == std::string("cl100k"));
  }
  for (const char* model : {"", "claude-sonnet-4", "llama-3", "qwen3", "gemini-2.5-pro", "my-deployment"}) {
    INFO(model);
    CHECK(vocabulary(model) == std::string("none"));
  }
}

TEST_CASE("models that are named are counted by it, the first that has one, and no other") {
  const RankFile file(kBytes);
  const auto some = Vocabularies::load({.ranks = {{TokenEncoding::kCl100kBase, file.path(), {"gpt-4o-old", "mine-*"}}, {TokenEncoding::kO200kBase, file.path(), {}}}});
  REQUIRE(some);
  REQUIRE((*some)->of("mine-1") != nullptr);
  CHECK((*some)->of("mine-1")->vocabulary() == chat::tokens::Vocabulary::kCl100k);
  CHECK((*some)->of("gpt-4o-old") == (*some)->of("mine-1"));
  CHECK((*some)->of("gpt-4o")->vocabulary() == chat::tokens::Vocabulary::kO200k);
  CHECK((*some)->of("gpt-4") == nullptr);
  CHECK((*some)->of("mine") == nullptr);
}

TEST_CASE("without ranks no model has a vocabulary") {
  const auto none = Vocabularies::load({});
  REQUIRE(none);
  CHECK((*none)->of("gpt-4o") == nullptr);
}

TEST_CASE("a file that is missing, or is no rank file, is refused with its setting, its name and its line") {
  const RankFile broken(kBytes + "what? is this\n");
  const auto refusal = [](const std::string& path) {
    const auto loaded = Vocabularies::load({.ranks = {{TokenEncoding::kO200kBase, path, {}}}});
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().code == Code::kInvalidConfiguration);
    return loaded.error().message;
  };
  CHECK(refusal("/no/such/ranks") == "/gateway/tokens/ranks/0/file: rank file '/no/such/ranks': it cannot be read; check path and permissions");
  CHECK(refusal("/tmp").find("/gateway/tokens/ranks/0/file: rank file '/tmp': ") == 0);
  CHECK(refusal(broken.path()) == "/gateway/tokens/ranks/0/file: rank file '" + broken.path() + "': line 257: 'what?' is no base64");
}

TEST_CASE("a gateway does not open with a vocabulary that cannot be read, and a reload keeps the old one") {
  Config config;
  config.gateway.threads = 0;
  Config bad = config;
  bad.gateway.tokens.ranks.push_back({TokenEncoding::kO200kBase, "/no/such/ranks", {}});
  const auto refused = Gateway::open(bad);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::kInvalidConfiguration);
  auto gateway = Gateway::open(config);
  REQUIRE(gateway);
  CHECK_FALSE(gateway->reload(bad));
  CHECK(gateway->dump().find("/no/such/ranks") == std::string::npos);
}
