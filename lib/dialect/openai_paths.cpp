// What a path and a method mean to OpenAI's clients. The base before the operation is theirs to choose (`/v1`,
// `/openai/v1`, `/api/v1`), so an operation is known by the end of the path.

#include <algorithm>
#include <array>

#include "dialect/openai.hpp"
#include "http/target.hpp"

namespace sluice::dialect::openai_parts {
namespace {

struct Known {
  std::string_view suffix;
  Operation operation;
  std::string_view method;
  std::string_view allow;
};

// Longest first: `/chat/completions` ends in `/completions`.
constexpr std::array kKnown{
    Known{"/chat/completions", Operation::kChat, "POST", "POST"},
    Known{"/completions", Operation::kCompletions, "POST", "POST"},
    Known{"/moderations", Operation::kModerations, "POST", "POST"},
    Known{"/embeddings", Operation::kEmbeddings, "POST", "POST"},
    Known{"/models", Operation::kListModels, "GET", "GET"},
};

constexpr std::string_view kModels = "/models/";

}  // namespace

std::optional<Recognised> recognise(std::string_view method, std::string_view path) {
  // Suffixes begin with a slash, so that they match on segment boundaries alone.
  for (const Known& known : kKnown) {
    if (!path.ends_with(known.suffix)) continue;
    return Recognised{.operation = known.operation,
                      .suffix = path.substr(path.size() - known.suffix.size()),
                      .method_ok = method == known.method,
                      .allow = known.allow};
  }
  // `/models/{id}`: ids hold slashes (`accounts/fireworks/models/x`), so the first `/models/` is the operation's.
  const std::size_t at = path.find(kModels);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view id = path.substr(at + kModels.size());
  if (id.empty()) return std::nullopt;
  // `POST /models/x:generateContent` is a method of another API, not a wrong method of this one.
  if (method != "GET" && id.find(':', id.rfind('/') == std::string_view::npos ? 0 : id.rfind('/')) != std::string_view::npos) {
    return std::nullopt;
  }
  auto model = http::percent_decode(id);
  if (!model) return std::nullopt;
  return Recognised{.operation = Operation::kGetModel,
                    .suffix = path.substr(at),
                    .model = *std::move(model),
                    .method_ok = method == "GET",
                    .allow = "GET"};
}

bool serves(Operation operation) noexcept {
  return operation == Operation::kGetModel ||
         std::any_of(kKnown.begin(), kKnown.end(), [operation](const Known& known) { return known.operation == operation; });
}

std::string deployment_target(Operation operation, std::string_view model) {
  constexpr std::string_view kVersion = "?api-version=2024-10-21";  // the last one that is generally available
  // Models are no deployment's.
  if (operation == Operation::kListModels || operation == Operation::kGetModel) return "/openai" + suffix_of(operation, model).append(kVersion);
  return "/openai/deployments/" + http::percent_encode(model) + suffix_of(operation, model).append(kVersion);
}

std::string suffix_of(Operation operation, std::string_view model) {
  for (const Known& known : kKnown) {
    if (known.operation == operation) return std::string(known.suffix);
  }
  if (operation == Operation::kGetModel) return std::string(kModels) + http::percent_encode(model);
  return {};
}

}  // namespace sluice::dialect::openai_parts
