// The members of dialects whose loss is more, or less, than cosmetic.

#include "dialect/lost_extras.hpp"

#include <array>
#include <string_view>

namespace sluice::dialect {
namespace {

struct Row {
  std::string_view dialect, key;
  chat::LossSeverity severity;
};

constexpr std::array kRows{
    // Said in other words: chat::Reasoning, chat::ResponseFormat, chat::Usage, chat::Refusal.
    Row{"anthropic", "thinking", chat::LossSeverity::kNote},
    Row{"anthropic", "output_config.effort", chat::LossSeverity::kNote},
    Row{"anthropic", "output_format", chat::LossSeverity::kNote},
    Row{"anthropic", "role", chat::LossSeverity::kNote},
    Row{"anthropic", "usage", chat::LossSeverity::kNote},
    Row{"anthropic", "stop_sequence", chat::LossSeverity::kNote},
    Row{"anthropic", "stop_details", chat::LossSeverity::kNote},
    // Tools by another name, files the answer is about, and where data may go.
    Row{"anthropic", "mcp_servers", chat::LossSeverity::kSemantic},
    Row{"anthropic", "container", chat::LossSeverity::kSemantic},
    Row{"anthropic", "inference_geo", chat::LossSeverity::kSemantic},
    Row{"openai", "web_search_options", chat::LossSeverity::kSemantic},
};

}  // namespace

chat::LossSeverity severity_of_lost(const chat::Extra& extra) noexcept {
  for (const Row& row : kRows) {
    if (row.dialect == extra.dialect && row.key == extra.key) return row.severity;
  }
  return extra.loss;
}

std::string why_lost(const chat::Extra& extra) {
  constexpr std::string_view kBefore = "known to the ", kAfter = " dialect alone";
  const std::string_view dialect = extra.dialect;
  std::string out;
  out.reserve(kBefore.size() + dialect.size() + kAfter.size());
  return out.append(kBefore).append(dialect).append(kAfter);
}

}  // namespace sluice::dialect
