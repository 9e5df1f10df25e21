#pragma once
/// The Anthropic dialect (Messages), taken apart: one source file per concern, gathered by the class in anthropic.cpp. Private
/// to the room. Versions 2023-06-01 and 2026-10-21 of the API are the same on the wire, but for what the later one refuses.
/// Source: Anthropic's API reference and the recordings; where hosts of its models depart from it, the place says so.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/dialect.hpp"
#include "dialect/provider_words.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::anthropic_parts {

/// The name under which members only this dialect understands are kept (chat::Extra).
inline constexpr std::string_view kName = "anthropic";

// anthropic_paths.cpp
[[nodiscard]] std::optional<Recognised> recognise(std::string_view method, std::string_view path, const Headers& headers);
[[nodiscard]] std::string target_of(const Sending& sending);
[[nodiscard]] bool serves(Operation operation) noexcept;
/// The API version, where the request names none.
void add_headers(Headers& headers);

// anthropic_inspect.cpp
[[nodiscard]] Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view);

// anthropic_edits.cpp
[[nodiscard]] Status set_model(base::EditedBody& body, const json::Document& document, const chat::RequestView& view,
                               std::string_view model);
/// Makes the body of a request that passes as it is one for a host that has the model in its path (kBodyForVertex,
/// kInvoked). Errors: kDuplicateKey; kInvalidRequest for a body that is no object.
[[nodiscard]] Status fit_to_host(base::EditedBody& body, const json::Document& document, std::uint32_t quirks);
/// What such a body says in `anthropic_version`; empty for hosts that take Anthropic's own.
[[nodiscard]] std::string_view version_in_body(std::uint32_t quirks) noexcept;

// anthropic_usage.cpp
/// Anthropic's counts of one answer as they come: later ones replace earlier ones, name by name.
class UsageCounts {
 public:
  /// What one `usage` object states; absent and null counts stay as they were.
  void take(const json::Value& usage);
  /// Brought to one meaning: the input includes what was read from and written to the cache. Nothing is known while all
  /// counts are 0: so say answers of servers that could not count.
  [[nodiscard]] chat::Usage normalised() const;

 private:
  std::optional<std::uint64_t> input_, output_, cache_read_, cache_write_, thinking_;
};
/// The usage object a caller of this dialect gets. Its clients read both counts unseen: 0 where one is unknown.
[[nodiscard]] std::string write_usage(const chat::Usage& usage);

// anthropic_tap.cpp
[[nodiscard]] std::unique_ptr<AnswerTap> make_tap(const TapOptions& options);

// anthropic_errors.cpp
[[nodiscard]] std::string encode_error(const Error& error, const ErrorContext& context);
[[nodiscard]] bool is_error_body(std::string_view body);
/// The Error an `error` event or an error in a 200 stands for: its type says the status.
[[nodiscard]] Error error_of(const json::Value& root);
/// The data of an event is no JSON object: says so with a piece of what came.
[[nodiscard]] Error no_event(std::string_view data);

// anthropic_finish.cpp
/// A stop reason in the model's words; what is not known is kStop.
[[nodiscard]] chat::FinishReason finish_reason(std::string_view native) noexcept;
/// The stop reason of an answer: the provider's own word where it is one of this dialect. An answer that calls tools says
/// so, whatever its provider said: clients run them by this word.
[[nodiscard]] std::string_view stop_reason(chat::FinishReason reason, std::string_view native, bool calls) noexcept;

// anthropic_read_request.cpp, anthropic_write_request.cpp
[[nodiscard]] Result<chat::Request> decode_request(const json::Document& document, Operation operation);
[[nodiscard]] std::string encode_request(const chat::Request& request, const Sending& sending, chat::LossReport& loss);

// anthropic_read_answer.cpp, anthropic_write_answer.cpp
[[nodiscard]] Result<chat::Message> decode_answer(std::string_view body, Operation operation);
[[nodiscard]] std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss);

// anthropic_read_stream.cpp, anthropic_write_stream.cpp
[[nodiscard]] std::unique_ptr<DeltaDecoder> make_delta_decoder();
[[nodiscard]] std::unique_ptr<DeltaEncoder> make_delta_encoder(const AnswerForm& form);
[[nodiscard]] std::string event_text(std::string_view data);
/// What an event is called where events have names: its type.
[[nodiscard]] std::string event_name(std::string_view data);

// anthropic_edit_stream.cpp, anthropic_edit_whole.cpp
[[nodiscard]] std::unique_ptr<AnswerEditor> make_stream_editor();
[[nodiscard]] std::unique_ptr<AnswerEditor> make_whole_editor();

}  // namespace sluice::dialect::anthropic_parts
