#pragma once
/// What whole answers and lines of Ollama's dialect have in common: counts, ends, times, and the members told once. Private to
/// the room.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "chat/message.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::ollama_parts {

/// prompt_eval_count and eval_count; absent ones stay unknown (a prompt that was cached whole has none).
[[nodiscard]] chat::Usage read_usage(const json::Value& root);
void write_usage(json::Writer& writer, const chat::Usage& usage);

/// What `done_reason` says; with calls in it an answer ended for them, whatever it says.
[[nodiscard]] chat::FinishReason finish_of(std::string_view done_reason, bool calls) noexcept;
/// The word for it: its own where there is one.
[[nodiscard]] std::string_view finish_word(chat::FinishReason reason, std::string_view native) noexcept;

/// `2024-11-30T03:33:52.105113Z` as Unix seconds, its zone counted in. Nothing for what is no such time.
[[nodiscard]] std::optional<std::int64_t> read_time(std::string_view text) noexcept;
[[nodiscard]] std::string write_time(std::int64_t seconds);

/// A name for an answer that has none, the same for the same answer: from when and by whom it was made.
[[nodiscard]] std::string made_up_id(std::string_view prefix, std::string_view created_at, std::string_view model);
/// The id of the nth call of such an answer.
[[nodiscard]] std::string made_up_call(const std::string& answer_id, std::uint32_t n);

/// Members of a root that others have no place for: durations, a context. True: `key` is none of the answer's own.
[[nodiscard]] bool is_beside(std::string_view key) noexcept;
/// The marker of a call whose id was made up (chat::Extra, key ""): it is not written back.
[[nodiscard]] chat::Extra made_up_marker();
[[nodiscard]] bool is_made_up(const chat::Extras& extras) noexcept;

}  // namespace sluice::dialect::ollama_parts
