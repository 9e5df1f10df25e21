// The register of dialects. The one place that knows all of them.

#include "dialect/dialect.hpp"

#include <array>

namespace sluice::dialect {
namespace {

/// Where two know a path by the same suffix the first one has it: those whose clients are known by their headers stand
/// before openai, whose are not.
const std::array<const Dialect*, 9>& all() noexcept {
  static const std::array<const Dialect*, 9> dialects{&anthropic(),        &bedrock(), &cohere(), &gemini(), &ollama(), &openai(),
                                                      &openai_responses(), &jina(),    &voyage()};
  return dialects;
}

}  // namespace

const Dialect* find_dialect(std::string_view name) noexcept {
  for (const Dialect* dialect : all()) {
    if (dialect->name() == name) return dialect;
  }
  return nullptr;
}

std::vector<std::string_view> dialect_names() {
  std::vector<std::string_view> names;
  for (const Dialect* dialect : all()) names.push_back(dialect->name());
  return names;
}

const Dialect* recognise(std::string_view method, std::string_view path, std::string_view query, const Headers& headers,
                         Recognised& out) {
  const Dialect* best = nullptr;
  for (const Dialect* dialect : all()) {
    auto found = dialect->recognise(method, path, query, headers);
    if (!found) continue;
    // A path that one knows with this method is not another's with a wrong one.
    const bool longer = best == nullptr || found->suffix.size() > out.suffix.size();
    const bool better = best != nullptr && found->suffix.size() == out.suffix.size() && found->method_ok && !out.method_ok;
    if (!longer && !better) continue;
    best = dialect;
    out = *std::move(found);
  }
  return best;
}

}  // namespace sluice::dialect
