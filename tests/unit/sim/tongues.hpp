#pragma once
// Each dialect from the caller's side: how the same chat is asked for, and how an answer is read. Written apart from the
// simulator and from the dialect layer.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/transport.hpp"

namespace sluice::sim {

/// What an answer said, whole or streamed, in no dialect.
struct Told {
  struct Call {
    std::string id, name, arguments;  ///< without white space
  };
  std::string text, refusal, reason, error;
  std::vector<Call> calls;
  std::optional<std::int64_t> input, cached, output;  ///< cached ones are among the input
  std::size_t ends = 0;                               ///< how often the stream said that it is over
};

struct Tongue {
  std::string name;
  /// The prompt is `Say hello, please.`: five tokens.
  engine::WireRequest (*ask)(bool stream, std::uint64_t max_tokens);
  Told (*whole)(std::string_view body);
  Told (*stream)(std::string_view bytes);
  std::string stop, length, tools, refusal;           ///< reasons
  bool refuses = true;                                ///< has a place for refusals
  bool call_ids = true;
  bool counts_cached = true;
};

/// All but OpenAI's.
const std::vector<Tongue>& tongues();
std::vector<Tongue> tongues_of_named_events();
std::vector<Tongue> tongues_of_other_framings();
/// One of them.
const Tongue& tongue(std::string_view name);

/// The payloads of AWS' frames with the headers before each, checksums verified. Fails the test where one is broken.
struct Frame {
  std::string event, message, content, payload;       ///< :event-type or :exception-type, :message-type, :content-type
};
std::vector<Frame> frames(std::string_view bytes);
/// The objects of a stream of lines.
std::vector<std::string> lines(std::string_view bytes);

}  // namespace sluice::sim
