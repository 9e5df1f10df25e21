#pragma once
/// A whole answer, in no dialect: what the deltas of a stream gather into, and what a whole answer decodes to.
/// Holds the answers to every operation; only the fields of its operation are filled.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "chat/content.hpp"
#include "chat/delta.hpp"
#include "chat/logprobs.hpp"
#include "chat/turn.hpp"
#include "chat/usage.hpp"

namespace sluice::chat {

/// One of the n answers of a model.
struct Choice {
  std::uint32_t index = 0;
  Turn turn{Role::kAssistant};
  FinishReason finish = FinishReason::kNone;
  std::string native_finish = {};         ///< the provider's own word, where it differs
  std::optional<Logprobs> logprobs = std::nullopt;
  std::string raw_logprobs = {};          ///< the provider's own JSON, for its own dialect; completions have this alone
  Extras extras = {};
  friend bool operator==(const Choice&, const Choice&) = default;
};

/// One vector. Base64 holds float32, little-endian.
struct Embedding {
  std::uint32_t index = 0;
  std::variant<std::vector<double>, std::string> vector = {};
  Extras extras = {};
  friend bool operator==(const Embedding&, const Embedding&) = default;
};

/// What a moderation model found in one input.
struct ModerationResult {
  bool flagged = false;
  std::vector<std::pair<std::string, bool>> categories = {};
  std::vector<std::pair<std::string, double>> scores = {};
  Extras extras = {};
  friend bool operator==(const ModerationResult&, const ModerationResult&) = default;
};

/// How well one document answers a query.
struct RankedDocument {
  std::uint32_t index = 0;                ///< among the documents of the request
  double score = 0;
  std::string document = {};              ///< its JSON text, where the caller wants it back; empty: not given
  Extras extras = {};
  friend bool operator==(const RankedDocument&, const RankedDocument&) = default;
};

struct ModelCard {
  std::string id = {};
  std::optional<std::int64_t> created = {};
  std::string owned_by = {};
  Extras extras = {};
  friend bool operator==(const ModelCard&, const ModelCard&) = default;
};

struct Message {
  std::string id = {}, model = {};
  std::optional<std::int64_t> created = {};      ///< Unix seconds
  std::vector<Choice> choices = {};              ///< chat, completions; ordered by index
  std::vector<Embedding> embeddings = {};
  std::vector<ModerationResult> moderations = {};
  std::vector<ModelCard> models = {};
  std::vector<RankedDocument> ranked = {};       ///< best first
  std::optional<Usage> usage = {};               ///< of kCountTokens: the input alone
  std::string raw_usage = {};                    ///< the provider's own JSON, for its own dialect
  Extras extras = {};
  friend bool operator==(const Message&, const Message&) = default;
};

/// Gathers the deltas of one stream into a Message. Bounded by what it is fed: callers cap the answer.
/// Tool arguments join by call index; text joins the text before it unless something else came between.
class Gatherer {
 public:
  void add(const Delta& delta);
  [[nodiscard]] const Message& message() const noexcept { return message_; }
  /// The message; this object is empty afterwards.
  [[nodiscard]] Message take();

 private:
  Choice& choice(std::uint32_t index);
  Message message_;
};

/// A whole answer as the deltas a stream would have brought: start, then each choice in full, then usage.
[[nodiscard]] std::vector<Delta> to_deltas(const Message& message);

}  // namespace sluice::chat
