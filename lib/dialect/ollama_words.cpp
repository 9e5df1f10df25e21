// Counts, ends and times in Ollama's words.

#include "dialect/ollama_words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "dialect/ollama.hpp"
#include "dialect/reading.hpp"
#include "dialect/writing.hpp"

namespace sluice::dialect::ollama_parts {
namespace {

constexpr std::array<std::string_view, 4> kEnds{"stop", "length", "load", "unload"};

/// The digits of `text` from `at` on; -1 where they are none.
int digits(std::string_view text, std::size_t at, std::size_t count) noexcept {
  if (text.size() < at + count) return -1;
  int n = 0;
  const auto [end, bad] = std::from_chars(text.data() + at, text.data() + at + count, n);
  return bad == std::errc{} && end == text.data() + at + count && text[at] != '-' ? n : -1;
}

}  // namespace

chat::Usage read_usage(const json::Value& root) {
  chat::Usage out;
  out.input_tokens = reading::count(reading::member(root, "prompt_eval_count"));
  out.output_tokens = reading::count(reading::member(root, "eval_count"));
  return out;
}

void write_usage(json::Writer& writer, const chat::Usage& usage) {
  writing::put(writer, "prompt_eval_count", usage.input_tokens);
  writing::put(writer, "eval_count", usage.output_tokens);
}

chat::FinishReason finish_of(std::string_view done_reason, bool calls) noexcept {
  if (done_reason == "length") return chat::FinishReason::kLength;  // calls that were cut, too
  return calls ? chat::FinishReason::kToolCalls : chat::FinishReason::kStop;
}

std::string_view finish_word(chat::FinishReason reason, std::string_view native) noexcept {
  if (std::find(kEnds.begin(), kEnds.end(), native) != kEnds.end()) return native;
  return reason == chat::FinishReason::kLength ? "length" : "stop";
}

std::optional<std::int64_t> read_time(std::string_view text) noexcept {
  const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (year < 0 || month < 1 || day < 1 || hour < 0 || minute < 0 || second < 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  std::int64_t seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
  const std::size_t zone = text.find_first_of("+-", 19);
  if (zone == std::string_view::npos) return seconds;
  const int hours = digits(text, zone + 1, 2), minutes = digits(text, zone + 4, 2);
  if (hours < 0 || minutes < 0) return std::nullopt;
  const std::int64_t ahead = (hours * 60 + minutes) * 60;
  return text[zone] == '+' ? seconds - ahead : seconds + ahead;
}

std::string write_time(std::int64_t seconds) {
  constexpr std::int64_t kLast = 253402300799;  // the last second of the year 9999
  const std::chrono::sys_seconds at{std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kLast))};
  const auto midnight = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{midnight};
  const std::chrono::hh_mm_ss time{at - midnight};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), time.hours().count(), time.minutes().count(), time.seconds().count());
}

std::string made_up_id(std::string_view prefix, std::string_view created_at, std::string_view model) {
  // FNV-1a, 64 bits.
  std::uint64_t hash = 14695981039346656037u;
  for (const std::string_view text : {created_at, model}) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    hash = (hash ^ 0xff) * 1099511628211u;
  }
  return fmt::format("{}{:016x}", prefix, hash);
}

std::string made_up_call(const std::string& answer_id, std::uint32_t n) {
  const std::size_t at = answer_id.rfind('-');
  return "call_" + answer_id.substr(at == std::string::npos ? 0 : at + 1) + "_" + std::to_string(n);
}

bool is_beside(std::string_view key) noexcept {
  constexpr std::array<std::string_view, 10> kOwn{"model", "created_at", "message", "response", "thinking",
                                                  "done", "done_reason", "prompt_eval_count", "eval_count", "logprobs"};
  return std::find(kOwn.begin(), kOwn.end(), key) == kOwn.end();
}

chat::Extra made_up_marker() { return {std::string(kName), "", "null", chat::LossSeverity::kNote}; }

bool is_made_up(const chat::Extras& extras) noexcept { return chat::find_extra(extras, kName, "") != nullptr; }

}  // namespace sluice::dialect::ollama_parts
