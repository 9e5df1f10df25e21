#pragma once
/// Custom REST surfaces, taken apart: one source file per concern, gathered by the class in rest.cpp. Private to the room.
/// Everything here is made once, when a configuration is loaded, and read by every exchange.

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/dialect.hpp"
#include "dialect/rest_place.hpp"
#include "dialect/rest_template.hpp"
#include "sluice/rest.hpp"

namespace sluice::dialect::rest_parts {

/// A path whose model is filled in for each request.
class Path {
 public:
  Path() = default;
  explicit Path(std::string_view text);
  [[nodiscard]] bool names_model() const noexcept { return pieces_.size() > 1; }
  [[nodiscard]] std::string with(std::string_view model) const;

 private:
  std::vector<std::string> pieces_;  // around `{model}`
};

/// RestAnswer, ready.
struct Places {
  explicit Places(const RestAnswer& said);
  Place text, reasoning, tool_calls, finish, input_tokens, output_tokens, id, model, list, vector, index, score, category;
  double scale, flagged_from;
};

/// RestStream, ready.
struct Stream {
  explicit Stream(const RestStream& said);
  Framing framing;
  Places event;
  bool cumulative;
  Condition skip_if, end_if;
  std::string end_data;
  bool ends_itself;  ///< nothing in it says that it is over: its end does
};

/// RestOperation, ready.
struct Spoken {
  Operation operation;
  Path path, stream_path;
  Template request;
  Places answer;
  std::optional<Stream> stream;
  std::map<std::string, std::string, std::less<>> words;
};

/// RestOptions, ready.
struct Surface {
  std::string name;
  std::vector<Spoken> spoken;  ///< at most one an operation
  std::optional<RestPrompt> prompt;
  Condition error_if;          ///< where nothing was said: a member `error`
  Place error_message;

  [[nodiscard]] const Spoken* find(Operation operation) const noexcept;
};

// rest_compile.cpp
/// Everything wrong with `options` is added to `faults`; what is made then is not to be used.
[[nodiscard]] Surface compile(std::string_view name, const RestOptions& options, std::vector<Fault>& faults);

// rest_request.cpp
[[nodiscard]] std::string encode_request(const chat::Request& request, const Surface& surface, const Spoken& spoken, const Sending& sending,
                                         chat::LossReport& loss);

// rest_prompt.cpp
/// A conversation as one prompt. `system_apart`: system texts are told elsewhere.
[[nodiscard]] std::string prompt_of(const chat::ChatInput& chat, const RestPrompt* form, bool system_apart, chat::LossReport& loss);
/// All system texts, and the text of the last turn of the user.
[[nodiscard]] std::string system_of(const chat::ChatInput& chat);
[[nodiscard]] std::string last_user_of(const chat::ChatInput& chat);
/// What of a turn is no text goes on the report.
void lose_parts(const chat::Turn& turn, const std::string& path, chat::LossReport& loss);

// rest_answer.cpp
[[nodiscard]] Result<chat::Message> decode_answer(std::string_view body, const Surface& surface, const Spoken& spoken, const Asked& asked);
/// The error an answer or an event is; nothing where it is none.
[[nodiscard]] std::optional<Error> error_of(const json::Value& root, const Surface& surface);
/// A finish reason, by the surface's words or by those most servers use.
void read_finish(const json::Value& value, const Spoken& spoken, bool calls, chat::FinishReason& reason, std::string& native);
[[nodiscard]] chat::Usage read_usage(const json::Value& root, const Places& places);

// rest_stream.cpp
[[nodiscard]] std::unique_ptr<DeltaDecoder> make_delta_decoder(const Surface& surface, const Spoken& spoken);

}  // namespace sluice::dialect::rest_parts
