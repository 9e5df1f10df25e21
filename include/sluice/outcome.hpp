#pragma once
/// What became of an exchange: one Outcome each, with a ledger of its attempts.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sluice/clock.hpp"
#include "sluice/error.hpp"

namespace [[gnu::visibility("default")]] sluice {

/// Tokens as billed. An absent count is unknown, which is not 0.
struct Usage {
  std::optional<std::uint64_t> input_tokens;        ///< everything that was read, cached parts included
  std::optional<std::uint64_t> output_tokens;       ///< everything that was written, reasoning included
  std::optional<std::uint64_t> cached_input_tokens; ///< the part of the input read from a cache
  std::optional<std::uint64_t> cache_write_tokens;  ///< the part of the input written to a cache
  std::optional<std::uint64_t> reasoning_tokens;    ///< the part of the output spent on reasoning
  std::optional<std::uint64_t> total_tokens;        ///< as the provider states it
  bool estimated = false;                           ///< counted by the gateway, not reported by the provider
  friend bool operator==(const Usage&, const Usage&) = default;
};

/// One try at one upstream.
struct Attempt {
  std::string upstream;
  std::string model;           ///< the name sent; empty where the request names none
  std::string reason;          ///< why it ended, for a person: "status 503", "completed"
  std::string chosen_because;  ///< why this upstream: "first of route 'chat' that serves 'gpt-4o'"
  Code code = Code::kOk;
  int status = 0;              ///< of the upstream's answer; 0 where none came
  std::uint32_t sends = 0;     ///< how often the request went out; above 1 the library below resent it on its own
  bool reused_connection = false;
  Duration queued{}, resolve{}, connect{}, first_byte{}, total{};
  std::uint64_t bytes_sent = 0, bytes_received = 0;
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
  std::string consumer, route, requested_model, served_model;
  std::string model_note;           ///< what the model policy did: "gpt-9 is not allowed, default gpt-4o used"
  std::string mode;                 ///< "embedded", or "security" where the upstream does its own routing
  bool streamed = false;
  Usage usage;
  std::string finish_reason;        ///< the first choice's, as the upstream wrote it
  std::vector<Attempt> attempts;
  Duration first_delta{}, total{};
  std::uint64_t bytes_in = 0, bytes_out = 0;
};

}  // namespace sluice
