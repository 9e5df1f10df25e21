// What a path and a method mean to clients of the Responses API. Its other operations (a stored response read, cancelled or
// deleted, /responses/compact) are about what a server keeps: they have no meaning elsewhere and are not known here.

#include <array>

#include "dialect/responses.hpp"

namespace sluice::dialect::responses_parts {
namespace {

struct Known {
  std::string_view suffix;
  Operation operation;
};

constexpr std::array kKnown{
    Known{"/responses/input_tokens", Operation::kCountTokens},
    Known{"/responses", Operation::kChat},
};

}  // namespace

std::optional<Recognised> recognise(std::string_view method, std::string_view path) {
  for (const Known& known : kKnown) {
    if (!path.ends_with(known.suffix)) continue;
    return Recognised{.operation = known.operation,
                      .suffix = path.substr(path.size() - known.suffix.size()),
                      .method_ok = method == "POST",
                      .allow = "POST"};
  }
  return std::nullopt;
}

std::string suffix_of(Operation operation) {
  for (const Known& known : kKnown) {
    if (known.operation == operation) return std::string(known.suffix);
  }
  return {};
}

bool serves(Operation operation) noexcept { return operation == Operation::kChat || operation == Operation::kCountTokens; }

}  // namespace sluice::dialect::responses_parts
