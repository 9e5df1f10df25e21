#pragma once
/// Templates of requests: JSON in which some objects stand for what the caller said. Taken apart once, when a configuration
/// is loaded; no pointer is parsed for a request. Private to the room. Knows which things a caller can say; must not know
/// how a request says them.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/request.hpp"
#include "json/document.hpp"

namespace sluice::dialect::rest_parts {

/// What a template can refer to.
enum class Said : std::uint8_t {
  kPrompt, kMessages, kSystem, kLastUser,
  kModel, kMaxTokens, kTemperature, kTopP, kTopK, kMinP, kFrequencyPenalty, kPresencePenalty, kRepetitionPenalty, kSeed, kStop, kStream,
  kUser, kTools, kToolChoice, kParallelToolCalls, kResponseFormat, kJsonSchema, kReasoningEffort, kSuffix,
  kInput, kInputs, kInputCount, kDimensions, kInputType,
  kQuery, kDocuments, kTopN, kReturnDocuments, kTruncate,
  kCount
};

/// One of them: how templates name it, and where it can be said.
struct SaidRow {
  std::string_view pointer;                 ///< `/max_tokens`
  std::uint32_t operations;                 ///< bits, by chat::Operation
  std::string_view openai = {};             ///< the member of OpenAI's request whose shape it has; empty: one of its own
};
[[nodiscard]] const SaidRow& row_of(Said said) noexcept;
[[nodiscard]] constexpr std::uint32_t bit(chat::Operation operation) noexcept { return 1u << static_cast<unsigned>(operation); }

/// Numbers a reference lets through; what is outside is left out.
struct Bounds {
  std::optional<double> above = {}, below = {};
  [[nodiscard]] bool said() const noexcept { return above || below; }
  [[nodiscard]] bool fits(double n) const noexcept { return (!above || n > *above) && (!below || n < *below); }
};

/// A piece of a template.
struct Node {
  enum class Kind : std::uint8_t {
    kLiteral,  ///< `text`, as it is
    kObject,   ///< `children`, named by `keys`
    kList,     ///< `children`
    kFrom,     ///< what was said, if it is within `bounds`; else `text`, where there is one
    kIf,       ///< children[0] where it was said within `bounds`; else children[1], where there is one
  };
  Kind kind = Kind::kLiteral;
  Said said = Said::kCount;
  Bounds bounds = {};
  std::string text = {};
  std::vector<std::string> keys = {};
  std::vector<Node> children = {};
};

/// What is wrong with a template or with another setting, and where: a JSON Pointer.
struct Fault {
  std::string pointer, message;
};

/// A template of one operation's requests.
class Template {
 public:
  /// Faults are added to `faults`, their pointers behind `here`.
  Template(std::string_view json, chat::Operation operation, const std::string& here, std::vector<Fault>& faults);

  [[nodiscard]] const Node& root() const noexcept { return root_; }
  [[nodiscard]] bool uses(Said said) const noexcept { return (uses_ & (std::uint64_t{1} << static_cast<unsigned>(said))) != 0; }
  /// True where something it refers to has the shape of OpenAI's.
  [[nodiscard]] bool uses_openai() const noexcept { return openai_; }

 private:
  Node compile(const json::Value& value, const std::string& here);
  Node compile_reference(const json::Value& value, bool is_if, const std::string& here);
  void fault(const std::string& here, std::string message) { faults_->push_back({here, std::move(message)}); }

  Node root_;
  std::uint64_t uses_ = 0;
  bool openai_ = false;
  chat::Operation operation_;
  std::vector<Fault>* faults_;  // while it is compiled
};

}  // namespace sluice::dialect::rest_parts
