#pragma once
/// What a request asked for, in no dialect: which operation, and the few fields its answer depends on; with it the small
/// steps all dialects read JSON by. Shares nothing with the dialect layer, so that a mistake there cannot hide behind the
/// same mistake here.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/document.hpp"

namespace sluice::sim {

enum class Subject : std::uint8_t {
  kChat, kCompletions, kEmbeddings, kModerations, kRerank, kCountTokens, kListModels, kGetModel,
  kHealth,  ///< GET /health: 200 and nothing in it, as inference servers do
  kNothing, ///< refused: `problem` says why
};

/// Why a request is refused. What a dialect has no place for is not said in it.
struct Problem {
  int status = 400;
  std::string message, param, code;  ///< param and code empty = null
};

struct Asked {
  Subject subject = Subject::kNothing;
  std::string model;
  bool stream = false;
  bool usage_in_stream = false;
  std::uint32_t choices = 1;                    ///< of completions: prompts times n
  std::optional<std::uint64_t> max_tokens;      ///< of each choice
  std::uint64_t prompt_tokens = 0;
  std::vector<std::string> inputs;              ///< embeddings, moderations, documents to rank: one text each
  std::size_t dimensions = 0;                   ///< 0 = not said
  bool base64 = false;
  bool alternate = false;                       ///< the other form of two that one operation has; which, says the dialect
  std::size_t most = 0;                         ///< rerank: how many results; 0 = all
  std::string query;                            ///< rerank
  std::vector<std::string> kinds;               ///< embeddings: number formats, in words of the dialect
  std::vector<std::pair<std::string, std::string>> echoed;  ///< members the answer repeats, as they stood
  std::optional<Problem> problem;
};

/// A request that is refused.
[[nodiscard]] Asked refused(int status, std::string message, std::string param = {}, std::string code = {});

/// The member, or an absent value; a key that stands there twice is no business of this reader.
[[nodiscard]] json::Value member(const json::Value& object, std::string_view key);
/// Empty where it is no string, as 0 and no number are below.
[[nodiscard]] std::string text_of(const json::Value& value);
[[nodiscard]] std::uint64_t tokens_of(const json::Value& value);
/// Of a text, or of the `text` of each part in a list.
[[nodiscard]] std::uint64_t tokens_of_parts(const json::Value& value);
/// An object as a model reads it: its text. 0 where there is none.
[[nodiscard]] std::uint64_t tokens_of_object(const json::Value& value);
[[nodiscard]] std::optional<std::uint64_t> positive(const json::Value& value);
[[nodiscard]] bool is_true(const json::Value& value);
/// How many numbers a vector shall have, within reason; 0 = not said.
[[nodiscard]] std::size_t dimensions_of(const json::Value& value);

/// `%3A` and its like, decoded; what is no escape stands as it is.
[[nodiscard]] std::string percent_decoded(std::string_view text);
/// The target without its query.
[[nodiscard]] std::string_view path_of(std::string_view target);

}  // namespace sluice::sim
