// What a path and a method mean to Cohere's clients. They name the version: `/v1` is another API. It is part of an upstream's
// base URL, too, so that the operation's own part of the path is what stands behind it.

#include <algorithm>
#include <array>

#include "dialect/cohere.hpp"

namespace sluice::dialect::cohere_parts {
namespace {

struct Known {
  std::string_view suffix;
  Operation operation;
};

constexpr std::array kKnown{
    Known{"/chat", Operation::kChat},
    Known{"/embed", Operation::kEmbeddings},
    Known{"/rerank", Operation::kRerank},
};
constexpr std::string_view kVersion = "/v2";

}  // namespace

std::optional<Recognised> recognise(std::string_view method, std::string_view path) {
  for (const Known& known : kKnown) {
    if (!path.ends_with(known.suffix) || !path.substr(0, path.size() - known.suffix.size()).ends_with(kVersion)) continue;
    return Recognised{.operation = known.operation,
                      .suffix = path.substr(path.size() - known.suffix.size()),
                      .method_ok = method == "POST",
                      .allow = "POST"};
  }
  return std::nullopt;
}

bool serves(Operation operation) noexcept { return !suffix_of(operation).empty(); }

std::string_view suffix_of(Operation operation) noexcept {
  for (const Known& known : kKnown) {
    if (known.operation == operation) return known.suffix;
  }
  return {};
}

}  // namespace sluice::dialect::cohere_parts
