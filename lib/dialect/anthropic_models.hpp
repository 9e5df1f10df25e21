#pragma once
/// What a model of Anthropic's can be asked for, by its name as Anthropic and the hosts of its models write it. Knows names
/// alone; a name that is not known is taken for a new model.
/// Source: the recordings (which models take which thinking), Anthropic's API reference.

#include <string_view>

namespace sluice::dialect::anthropic_parts {

struct ModelTraits {
  bool thinks = true;       ///< takes `thinking` at all
  bool adaptive = true;     ///< its thinking is adaptive and has an effort in place of a budget
  bool budgets = true;      ///< its thinking may be given a budget
  bool xhigh = true;        ///< knows that effort
  bool formats = true;      ///< takes output_config.format
  friend bool operator==(const ModelTraits&, const ModelTraits&) = default;
};
/// `claude-sonnet-4-5-20250929`, `anthropic.claude-3-7-sonnet-20250219-v1:0`, `claude-opus-4-1@20250805`.
[[nodiscard]] ModelTraits traits_of(std::string_view model) noexcept;

}  // namespace sluice::dialect::anthropic_parts
