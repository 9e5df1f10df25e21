// Usage of every server of this dialect, in one meaning.

#include <catch2/catch.hpp>

#include "dialect/openai.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;
using dialect::openai_parts::parse_usage;
using dialect::openai_parts::write_usage;

// DIAL-11
TEST_CASE("counts of each provider mean the same") {
  struct Row {
    std::string provider, json;
    chat::Usage usage;
  };
  const auto row = GENERATE(values<Row>({
      {"OpenAI",
       R"({"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},)"
       R"("completion_tokens_details":{"reasoning_tokens":6}})",
       {19, 10, 4, {}, 6, 29}},
      {"OpenAI, cache written", R"({"prompt_tokens":9,"completion_tokens":1,"total_tokens":10,"prompt_tokens_details":{"cache_write_tokens":8}})",
       {9, 1, {}, 8, {}, 10}},
      {"DeepSeek", R"({"prompt_tokens":20,"completion_tokens":5,"total_tokens":25,"prompt_cache_hit_tokens":16,"prompt_cache_miss_tokens":4})",
       {20, 5, 16, {}, {}, 25}},
      {"xAI: reasoning beside the completion",
       R"({"prompt_tokens":10,"completion_tokens":3,"total_tokens":113,"completion_tokens_details":{"reasoning_tokens":100}})",
       {10, 103, {}, {}, 100, 113}},
      {"Groq: reasoning inside, times beside",
       R"({"prompt_tokens":10,"completion_tokens":30,"total_tokens":40,"queue_time":0.1,"completion_tokens_details":{"reasoning_tokens":20}})",
       {10, 30, {}, {}, 20, 40}},
      {"Together", R"({"prompt_tokens":8,"completion_tokens":2,"total_tokens":10,"cached_tokens":3})", {8, 2, 3, {}, {}, 10}},
      {"Mistral", R"({"prompt_tokens":8,"completion_tokens":2,"total_tokens":10,"num_cached_tokens":0})", {8, 2, 0, {}, {}, 10}},
      {"Copilot", R"({"prompt_tokens":5,"completion_tokens":2,"total_tokens":10,"reasoning_tokens":3})", {5, 5, {}, {}, 3, 10}},
      {"embeddings", R"({"prompt_tokens":8,"total_tokens":8})", {8, {}, {}, {}, {}, 8}},
      {"a total alone", R"({"total_tokens":8})", {8, {}, {}, {}, {}, 8}},
      {"nulls", R"({"prompt_tokens":8,"completion_tokens":0,"total_tokens":8,"prompt_tokens_details":null,"completion_tokens_details":null})",
       {8, 0, {}, {}, {}, 8}},
      {"doubles", R"({"prompt_tokens":8.0,"completion_tokens":2e0,"total_tokens":10.5})", {8, 2, {}, {}, {}, {}}},
  }));
  INFO(row.provider);
  CHECK(parse_usage(row.json) == row.usage);
}

// DIAL-24
TEST_CASE("usage that makes no sense is unknown, not an error") {
  const auto json = GENERATE(as<std::string>{}, "null", "[]", "{}", "7", R"({"prompt_tokens":"8"})", R"({"prompt_tokens":-8})",
                             R"({"prompt_tokens":1e300})", R"({"prompt_tokens":[1]})", R"({"prompt_tokens_details":7})",
                             R"({"prompt_tokens":1,"prompt_tokens":2})", "{");
  CHECK(chat::empty(parse_usage(json)));
}

// DIAL-14
TEST_CASE("counts that are unknown are not written") {
  CHECK(write_usage({1, 2, {}, {}, {}, {}}, chat::Operation::kChat) == R"({"prompt_tokens":1,"completion_tokens":2,"total_tokens":3})");
  CHECK(write_usage({8, {}, {}, {}, {}, 8}, chat::Operation::kEmbeddings) == R"({"prompt_tokens":8,"total_tokens":8})");
  CHECK(write_usage({8, 9, 1, 2, 3, 17}, chat::Operation::kChat) ==
        R"({"prompt_tokens":8,"completion_tokens":9,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":1,"cache_write_tokens":2},)"
        R"("completion_tokens_details":{"reasoning_tokens":3}})");
}

TEST_CASE("what is written reads back") {
  const chat::Usage usage{8, 9, 1, 2, 3, 17};
  CHECK(parse_usage(write_usage(usage, chat::Operation::kChat)) == usage);
}
