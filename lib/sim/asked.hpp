#pragma once
/// What the simulator reads of a request in the OpenAI dialect: which operation, and the few fields its answer depends on.
/// Reads by itself, so that a mistake of the dialect layer cannot hide behind the same mistake here.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/body.hpp"

namespace sluice::sim {

enum class Subject : std::uint8_t {
  kChat, kCompletions, kEmbeddings, kModerations, kListModels, kGetModel,
  kHealth,  ///< GET /health: 200 and nothing in it, as inference servers do
  kNothing, ///< refused: `problem` says why
};

/// Why a request is refused, in the dialect's terms.
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
  std::vector<std::string> inputs;              ///< embeddings, moderations: one text each
  std::size_t dimensions = 0;                   ///< 0 = not said
  bool base64 = false;
  std::optional<Problem> problem;
};

[[nodiscard]] Asked read_request(std::string_view method, std::string_view target, const Body& body);

}  // namespace sluice::sim
