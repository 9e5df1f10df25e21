#pragma once
/// What a caller asks for, in no dialect: every dialect decodes into this and encodes from it.
/// An empty optional or string means the caller did not say. Knows no wire format and no provider's limits.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "chat/content.hpp"
#include "chat/request_view.hpp"
#include "chat/tool.hpp"
#include "chat/turn.hpp"

namespace sluice::chat {

/// How tokens are drawn, and when to stop.
struct Sampling {
  std::optional<double> temperature = {}, top_p = {}, min_p = {};
  std::optional<std::int64_t> top_k = {};
  std::optional<double> frequency_penalty = {}, presence_penalty = {}, repetition_penalty = {};
  std::optional<std::int64_t> seed = {};
  std::optional<std::uint64_t> max_output_tokens = {};
  bool max_tokens_is_legacy = false;  ///< OpenAI: said as `max_tokens`, which its reasoning models refuse
  std::optional<std::uint32_t> choices = {};  ///< n
  std::optional<std::vector<std::string>> stop = {};
  bool stop_is_text = false;          ///< said as one string, not as a list
  std::vector<std::pair<std::string, double>> logit_bias = {};  ///< token id -> bias
  std::optional<bool> logprobs = {};
  std::optional<std::uint32_t> top_logprobs = {};  ///< for completions: `logprobs` itself
  friend bool operator==(const Sampling&, const Sampling&) = default;
};

/// The form an answer must take.
struct ResponseFormat {
  enum class Kind : std::uint8_t { kText, kJsonObject, kJsonSchema, kOther };
  Kind kind = Kind::kText;
  std::string name = {}, description = {};
  std::string schema = {};              ///< JSON Schema text
  std::optional<bool> strict = std::nullopt;
  Extras extras = {};                   ///< kOther: the whole format, under the key ""
  friend bool operator==(const ResponseFormat&, const ResponseFormat&) = default;
};

/// How much a model may think.
struct Reasoning {
  std::string effort = {};              ///< `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`
  std::optional<std::int64_t> budget_tokens = std::nullopt;
  std::optional<bool> enabled = std::nullopt;  ///< said outright (Anthropic's thinking, Ollama's think)
  std::string summary = {};             ///< `auto`, `concise`, `detailed`
  friend bool operator==(const Reasoning&, const Reasoning&) = default;
};

/// A spoken answer.
struct AudioOutput {
  std::string voice = {}, format = {};
  Extras extras = {};                   ///< under the key "": the option as it stood, where it holds more
  friend bool operator==(const AudioOutput&, const AudioOutput&) = default;
};

struct ChatInput {
  std::vector<Turn> turns = {};
  std::vector<Tool> tools = {};
  std::optional<ToolChoice> tool_choice = {};
  std::optional<bool> parallel_tool_calls = {};
  bool legacy_functions = false;        ///< tools came as OpenAI's older `functions`, the choice as `function_call`
  std::optional<ResponseFormat> response_format = {};
  std::optional<Reasoning> reasoning = {};
  std::string verbosity = {};                ///< `low`, `medium`, `high`
  std::vector<std::string> modalities = {};  ///< `text`, `audio`
  std::optional<AudioOutput> audio = {};
  std::optional<std::vector<Part>> prediction = {};  ///< text the answer will probably hold
  friend bool operator==(const ChatInput&, const ChatInput&) = default;
};

/// A prompt, as text or as token ids.
using Prompt = std::variant<std::string, std::vector<std::int64_t>>;

struct CompletionInput {
  std::vector<Prompt> prompts = {};
  bool single = false;                  ///< said as one prompt, not as a list
  std::string suffix = {};
  std::optional<bool> echo = {};
  std::optional<std::uint32_t> best_of = {};
  friend bool operator==(const CompletionInput&, const CompletionInput&) = default;
};

struct EmbeddingInput {
  std::vector<Prompt> inputs = {};
  bool single = false;
  std::string encoding = {};                 ///< `float`, `base64`
  std::optional<std::int64_t> dimensions = {};
  std::string input_type = {};               ///< `query`, `document`, where a dialect tells them apart
  friend bool operator==(const EmbeddingInput&, const EmbeddingInput&) = default;
};

struct ModerationInput {
  std::vector<Part> inputs = {};             ///< texts and images
  ContentForm form = ContentForm::kAuto;  ///< kText: one string; kAuto: a list of strings; kParts: typed parts
  friend bool operator==(const ModerationInput&, const ModerationInput&) = default;
};

/// Texts, or objects with texts in them, to be put in the order in which they answer a query.
struct RerankInput {
  std::string query = {};
  std::vector<std::string> documents = {};   ///< JSON text each: a string or an object, as it stood
  std::optional<std::uint32_t> top_n = {};
  std::optional<bool> return_documents = {};
  std::optional<std::uint32_t> max_tokens_per_document = {};
  std::optional<bool> truncate = {};
  friend bool operator==(const RerankInput&, const RerankInput&) = default;
};

/// List the models, or tell about Request::model.
struct ModelsInput {
  friend bool operator==(const ModelsInput&, const ModelsInput&) = default;
};

struct Request {
  Operation operation = Operation::kChat;    ///< kCountTokens has a ChatInput too
  std::string model = {};                    ///< empty where the caller names none
  bool stream = false;
  std::optional<bool> stream_said = {};      ///< as the caller wrote it, where they did
  std::optional<bool> usage_in_stream = {};
  Sampling sampling = {};
  std::string service_tier = {};
  std::string user = {};                     ///< who is behind the caller: a tag, not an identity
  std::vector<std::pair<std::string, std::string>> metadata = {};
  std::optional<bool> store = {};
  std::variant<ChatInput, CompletionInput, EmbeddingInput, ModerationInput, ModelsInput, RerankInput> input = {};
  Extras extras = {};                        ///< root members only their own dialect understands
  friend bool operator==(const Request&, const Request&) = default;

  /// The chat part, or null.
  [[nodiscard]] const ChatInput* chat() const noexcept { return std::get_if<ChatInput>(&input); }
  [[nodiscard]] ChatInput* chat() noexcept { return std::get_if<ChatInput>(&input); }
};

}  // namespace sluice::chat
