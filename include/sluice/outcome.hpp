#pragma once
/// What became of an exchange: one Outcome each, with a ledger of its attempts.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/clock.hpp"
#include "sluice/error.hpp"

namespace [[gnu::visibility("default")]] sluice {

/// What tokens were counted with that no provider reported. None of these is the provider's own count.
enum class EstimatedBy : std::uint8_t {
  kWeights,          ///< what the text is made of, weighed
  kCorrected,        ///< that, times what the upstream reported for the model before for each token so estimated
  /// The model's own vocabulary, but for something: tools and media, which nobody says how they count; text beyond a bound.
  kTokenizerPartly,
  kTokenizer,        ///< the model's own vocabulary, every text; what a chat puts around a message by OpenAI's published rule
};
[[nodiscard]] std::string_view to_string(EstimatedBy by) noexcept;

/// Tokens as billed. An absent count is unknown, which is not 0.
struct Usage {
  std::optional<std::uint64_t> input_tokens;        ///< everything that was read, cached parts included
  std::optional<std::uint64_t> output_tokens;       ///< everything that was written, reasoning included
  std::optional<std::uint64_t> cached_input_tokens; ///< the part of the input read from a cache
  std::optional<std::uint64_t> cache_write_tokens;  ///< the part of the input written to a cache
  std::optional<std::uint64_t> reasoning_tokens;    ///< the part of the output spent on reasoning
  std::optional<std::uint64_t> total_tokens;        ///< as the provider states it
  bool estimated = false;                           ///< counted by the gateway, not reported by the provider
  EstimatedBy estimated_by = EstimatedBy::kWeights; ///< how, where `estimated`
  friend bool operator==(const Usage&, const Usage&) = default;
};

/// One try at one upstream, or the reason why there was none.
struct Attempt {
  std::string upstream;
  std::string model;           ///< the name sent; empty where the request names none
  std::string reason;          ///< why it ended, for a person: "status 503", "completed"
  std::string chosen_because;  ///< why this upstream: "first of route 'chat' that serves 'gpt-4o'"
  bool skipped = false;        ///< nothing was sent: `reason` says why it was passed over
  Code code = Code::kOk;
  int status = 0;              ///< of the upstream's answer; 0 where none came
  std::uint32_t sends = 0;     ///< how often the request went out; above 1 the library below resent it on its own
  bool reused_connection = false;
  Duration started{};          ///< from the exchange's first byte to the attempt's start
  Duration wait{};             ///< the pause that was made before it, because an earlier one had failed
  Duration queued{};           ///< for a place at the upstream
  Duration resolve{}, connect{}, first_byte{}, total{};   ///< from its start, each
  std::uint64_t bytes_sent = 0, bytes_received = 0;
  Usage usage = {};            ///< what this attempt alone was billed for, where its answer said so
};

/// Something a plugin has found; it goes into the exchange's account and its telemetry event, never the text itself.
struct Detection {
  std::string kind;             ///< `pii.email`, `size.messages`
  std::string where = {};       ///< `messages[2]`, `answer.text`; empty: the request as a whole
  double score = 1.0;           ///< 0 to 1
  friend bool operator==(const Detection&, const Detection&) = default;
};

/// What one plugin said in one hook. A hook that went on and found nothing leaves none.
struct PluginVerdict {
  std::string plugin;
  std::string hook;            ///< `request`, `attempt`, `head`, `delta`, `answer_end`
  std::string verdict;         ///< `continue`, `edit`, `reply`, `fail`, `error` (it erred, threw or took too long)
  bool observed = false;       ///< recorded, not carried out: the plugin runs in mode `observe`
  bool failed_open = false;    ///< it erred, and its fail mode let the exchange go on
  Code code = Code::kOk;
  std::string message = {};    ///< of its error
  Duration took{};             ///< suspensions included; for `delta` the sum over all of them
  std::vector<Detection> detections = {};
};

/// One request a plugin made to an upstream of the gateway.
struct PluginCall {
  std::string plugin, upstream;
  Code code = Code::kOk;
  int status = 0;
  Duration total{};
};

/// One field that could not be carried to the upstream as it was, and what became of it.
struct LostField {
  std::string field, reason;
  std::string severity;        ///< `note`, `cosmetic`, `semantic`
};

/// What was said, kept only where the configuration asks for it, and after redaction.
struct Content {
  struct Message {
    std::string role, text;
  };
  struct ToolCall {
    std::string id, name, arguments;
  };
  std::vector<Message> prompt = {};
  std::string answer = {};     ///< the first choice's text
  std::vector<ToolCall> tool_calls = {};
  bool truncated = false;      ///< something was longer than the cap and was cut
};

enum class Ending : std::uint8_t {
  kCompleted,  ///< the caller got a whole answer of the upstream, whatever its status
  kRefused,    ///< the gateway answered itself before any attempt
  kFailed,     ///< an attempt was made and no whole answer reached the caller
  kCancelled,  ///< the caller left
};
[[nodiscard]] std::string_view to_string(Ending ending) noexcept;

/// The account of one exchange, closed.
struct Outcome {
  std::string id;                   ///< also the X-Request-Id header of the answer, where the provider sent none
  Ending ending = Ending::kFailed;
  int status = 0;                   ///< what the caller got
  std::optional<Error> error;
  std::string consumer, tenant, route, requested_model, served_model;
  std::string dialect, operation;   ///< the caller's: "openai", "chat"
  std::string model_note;           ///< what the model policy did: "gpt-9 is not allowed, default gpt-4o used"
  std::string mode;                 ///< "embedded", or "security" where the upstream does its own routing
  bool streamed = false;
  Usage usage;
  std::string finish_reason;        ///< the first choice's, as the upstream wrote it
  std::vector<Attempt> attempts;
  std::vector<PluginVerdict> verdicts;
  std::vector<PluginCall> calls;
  std::vector<LostField> losses;
  std::uint64_t losses_beyond = 0;  ///< losses that were counted but not kept
  WallTime started_at{};            ///< civil time of its first byte
  Duration first_delta{}, total{};
  /// Where the time went; with what the gateway itself took they add up to `total`, and nothing is counted twice.
  Duration receive_time{};          ///< first byte to the last one of the request
  Duration plugin_time{};           ///< plugins that kept the exchange waiting
  Duration queue_time{};            ///< for places at upstreams
  Duration wait_time{};             ///< pauses between attempts
  Duration upstream_time{};         ///< attempts under way
  std::uint64_t deltas = 0;         ///< events with content that were given to the caller
  Duration inter_delta_p50{}, inter_delta_p99{};   ///< pauses between them; 0 where nobody has measured them
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::optional<Content> content = {};
};

}  // namespace sluice
