// What a path and a method mean to Anthropic's clients. The base before the operation is theirs to choose (`/v1`,
// `/anthropic/v1`), so an operation is known by the end of the path. OpenAI's clients list models by the same path: a header
// tells who asks.

#include <algorithm>
#include <array>

#include "dialect/anthropic.hpp"
#include "dialect/providers.hpp"
#include "http/target.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

struct Known {
  std::string_view suffix;
  Operation operation;
  std::string_view method;
  bool by_header;  // another dialect has the path too
};

constexpr std::array kKnown{
    Known{"/messages/count_tokens", Operation::kCountTokens, "POST", false},
    Known{"/messages", Operation::kChat, "POST", false},
    Known{"/models", Operation::kListModels, "GET", true},
};

constexpr std::string_view kModels = "/models/";
constexpr std::string_view kVersion = "anthropic-version";
/// The later version refuses temperature, top_p and top_k; this one takes all there is.
constexpr std::string_view kDefaultVersion = "2023-06-01";

/// Vertex AI, behind `publishers/anthropic`: chat alone. Versions are written behind an `@`, which stays as it is there.
std::string vertex_target(const Sending& sending) {
  if (sending.operation != Operation::kChat) return {};
  std::string model = http::percent_encode(sending.model);
  for (std::size_t at = model.find("%40"); at != std::string::npos; at = model.find("%40", at)) model.replace(at, 3, "@");
  return std::string(kModels) + model + (sending.streaming ? ":streamRawPredict" : ":rawPredict");
}

}  // namespace

std::optional<Recognised> recognise(std::string_view method, std::string_view path, const Headers& headers) {
  const bool own = headers.contains(kVersion);
  // Suffixes begin with a slash, so that they match on segment boundaries alone.
  for (const Known& known : kKnown) {
    if (!path.ends_with(known.suffix) || (known.by_header && !own)) continue;
    return Recognised{.operation = known.operation,
                      .suffix = path.substr(path.size() - known.suffix.size()),
                      .method_ok = method == known.method,
                      .allow = known.method};
  }
  // `/models/{id}`: what stands behind the first `/models/`, slashes included, as proxies name models.
  const std::size_t at = own ? path.find(kModels) : std::string_view::npos;
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view id = path.substr(at + kModels.size());
  auto model = http::percent_decode(id);
  if (id.empty() || !model) return std::nullopt;
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

std::string target_of(const Sending& sending) {
  if ((sending.quirks & kBodyForVertex) != 0) return vertex_target(sending);
  for (const Known& known : kKnown) {
    if (known.operation == sending.operation) return std::string(known.suffix);
  }
  if (sending.operation == Operation::kGetModel) return std::string(kModels) + http::percent_encode(sending.model);
  return {};
}

void add_headers(Headers& headers) {
  if (!headers.contains(kVersion)) headers.add_trusted(kVersion, kDefaultVersion);
}

}  // namespace sluice::dialect::anthropic_parts
