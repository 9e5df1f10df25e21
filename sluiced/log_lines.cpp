// The two forms of a line: `time level message` with key=value fields, and JSON with the same names.

#include "log_lines.hpp"

#include <fmt/format.h>

#include <array>
#include <iterator>

#include "json/writer.hpp"
#include "plugins/log_line.hpp"
#include "telemetry/line.hpp"

namespace sluiced {

namespace {

using sluice::telemetry::operator""_key;

std::string_view name_of(sluice::LogLevel level) noexcept {
  switch (level) {
    case sluice::LogLevel::kDebug:
      return "debug";
    case sluice::LogLevel::kInfo:
      return "info";
    case sluice::LogLevel::kWarning:
      return "warning";
    case sluice::LogLevel::kError:
      return "error";
  }
  return "error";
}

/// As events write it, without the quotes.
std::string told(sluice::WallTime time) {
  std::array<char, 48> quoted{};
  const char* const end = sluice::telemetry::put_time(quoted.data(), time);
  return std::string(quoted.data() + 1, static_cast<std::size_t>(end - quoted.data()) - 2);
}

/// The line of one line.
void append(std::string& out, LogFormat format, const std::string& time, sluice::LogLevel level, std::string_view line) {
  if (format == LogFormat::kJson) {
    sluice::json::Writer writer(out);
    writer.begin_object().field("time", time).field("level", name_of(level)).field("message", line).end_object();
    out += '\n';
    return;
  }
  fmt::format_to(std::back_inserter(out), "{} {} ", time, name_of(level));
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  out += '\n';
}

/// Who served it, or was the last to try.
const sluice::Attempt* last_sent(const sluice::Outcome& outcome) noexcept {
  for (auto attempt = outcome.attempts.rbegin(); attempt != outcome.attempts.rend(); ++attempt) {
    if (!attempt->skipped) return &*attempt;
  }
  return nullptr;
}

sluice::WallTime end_of(const sluice::Outcome& outcome) {
  return outcome.started_at + std::chrono::duration_cast<sluice::WallTime::duration>(outcome.total);
}

bool has_delta(const sluice::Outcome& outcome) noexcept { return outcome.deltas != 0 || outcome.first_delta.count() != 0; }

std::uint64_t counted(int status) noexcept { return status < 0 ? 0 : static_cast<std::uint64_t>(status); }

std::string access_json(const sluice::Outcome& outcome, const sluice::gateway::AskedFor& asked) {
  std::string out;
  sluice::telemetry::Line line(out, &asked.mask);
  line.begin('{').time("time"_key, end_of(outcome)).word("level"_key, "info").word("message"_key, "access");
  line.text("id"_key, outcome.id)
      .text_if_any("consumer"_key, outcome.consumer)
      .text_if_any("tenant"_key, outcome.tenant)
      .text_if_any("client"_key, asked.client_address)
      .text_if_any("method"_key, asked.method)
      .text_if_any("path"_key, asked.path)
      .text_if_any("route"_key, outcome.route);
  if (const auto* attempt = last_sent(outcome)) line.text("upstream"_key, attempt->upstream);
  line.text_if_any("model"_key, outcome.requested_model);
  if (outcome.served_model != outcome.requested_model) line.text_if_any("served_model"_key, outcome.served_model);
  line.number("status"_key, outcome.status).word("ending"_key, sluice::to_string(outcome.ending));
  if (outcome.error) line.word("error"_key, sluice::to_string(outcome.error->code));
  line.number("bytes_in"_key, outcome.bytes_in)
      .number("bytes_out"_key, outcome.bytes_out)
      .milliseconds("total_ms"_key, outcome.total);
  if (has_delta(outcome)) line.milliseconds("first_delta_ms"_key, outcome.first_delta);
  if (outcome.usage.input_tokens) line.number("input_tokens"_key, *outcome.usage.input_tokens);
  if (outcome.usage.output_tokens) line.number("output_tokens"_key, *outcome.usage.output_tokens);
  line.end('}').finish();
  out += '\n';
  return out;
}

std::string access_text(const sluice::Outcome& outcome, const sluice::gateway::AskedFor& asked) {
  sluice::plugins::LogLine line(told(end_of(outcome)) + " info access");
  const auto masked = [&asked](std::string_view text) {
    std::string out(text);
    (void)asked.mask.apply(out);
    return out;
  };
  line.field("id", outcome.id).field("consumer", outcome.consumer).field("tenant", outcome.tenant);
  line.field("client", asked.client_address).field("method", asked.method).field("path", masked(asked.path)).field("route", outcome.route);
  if (const auto* attempt = last_sent(outcome)) line.field("upstream", attempt->upstream);
  line.field("model", masked(outcome.requested_model));
  if (outcome.served_model != outcome.requested_model) line.field("served_model", masked(outcome.served_model));
  line.field("status", counted(outcome.status)).field("ending", sluice::to_string(outcome.ending));
  if (outcome.error) line.field("error", sluice::to_string(outcome.error->code));
  line.field("bytes_in", outcome.bytes_in).field("bytes_out", outcome.bytes_out).field("total_ms", outcome.total);
  if (has_delta(outcome)) line.field("first_delta_ms", outcome.first_delta);
  if (outcome.usage.input_tokens) line.field("input_tokens", *outcome.usage.input_tokens);
  if (outcome.usage.output_tokens) line.field("output_tokens", *outcome.usage.output_tokens);
  return line.text() + '\n';
}

}  // namespace

std::string log_lines(LogFormat format, sluice::WallTime time, sluice::LogLevel level, std::string_view text) {
  const std::string when = told(time);
  std::string out;
  for (;;) {
    const std::size_t end = text.find('\n');
    append(out, format, when, level, text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

std::string access_line(LogFormat format, const sluice::Outcome& outcome, const sluice::gateway::AskedFor& asked) {
  return format == LogFormat::kJson ? access_json(outcome, asked) : access_text(outcome, asked);
}

std::string dropped_line(LogFormat format, sluice::WallTime time, std::uint64_t lines) {
  return log_lines(format, time, sluice::LogLevel::kWarning, fmt::format("{} lines were dropped here: the log was not read", lines));
}

}  // namespace sluiced
