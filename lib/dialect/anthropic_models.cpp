// Versions out of names: the one or two short numbers behind `claude`, wherever the family stands.

#include "dialect/anthropic_models.hpp"

#include <charconv>

namespace sluice::dialect::anthropic_parts {
namespace {

constexpr int kNewest = 1000;

/// 305 for 3.5, 400 for 4, 407 for 4.7; kNewest where the name has none.
int version_of(std::string_view model) noexcept {
  const std::size_t at = model.find("claude");
  if (at == std::string_view::npos) return kNewest;
  model.remove_prefix(at);
  int version = -1;
  while (!model.empty()) {
    const std::size_t end = model.find_first_of("-@:.");
    const std::string_view word = model.substr(0, end);
    model.remove_prefix(end == std::string_view::npos ? model.size() : end + 1);
    int number = 0;
    const auto [rest, bad] = std::from_chars(word.data(), word.data() + word.size(), number);
    // Dates are long numbers; `v1` is no number.
    if (bad != std::errc{} || rest != word.data() + word.size() || word.size() > 2) {
      if (version >= 0) break;
      continue;
    }
    if (version >= 0) return version + number;
    version = number * 100;
  }
  return version < 0 ? kNewest : version;
}

}  // namespace

ModelTraits traits_of(std::string_view model) noexcept {
  const int version = version_of(model);
  return {.thinks = version >= 307, .adaptive = version >= 406, .budgets = version < 407 || version == kNewest,
          .xhigh = version >= 407, .formats = version >= 405};
}

}  // namespace sluice::dialect::anthropic_parts
