// What a path and a method mean to Gemini's clients: `…/models/{model}:{method}`. The base before it is theirs to choose:
// `/v1beta`, or Vertex' `/v1/projects/{p}/locations/{l}/publishers/google`.

#include <algorithm>
#include <array>

#include "dialect/gemini.hpp"
#include "dialect/providers.hpp"
#include "http/target.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

struct Known {
  std::string_view method;  // behind the colon
  Operation operation;
  bool stream;
};

constexpr std::array kKnown{
    Known{"generateContent", Operation::kChat, false},          Known{"streamGenerateContent", Operation::kChat, true},
    Known{"countTokens", Operation::kCountTokens, false},       Known{"embedContent", Operation::kEmbeddings, false},
    Known{"batchEmbedContents", Operation::kEmbeddings, false},
};

constexpr std::string_view kModels = "/models/", kTuned = "/tunedModels/", kTunedPrefix = "tunedModels/", kModelsPrefix = "models/";

/// A parameter of a query as it stands; nothing where it is not there.
std::optional<std::string> parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    const std::size_t equals = pair.find('=');
    const auto key = http::percent_decode(pair.substr(0, equals));
    if (!key || *key != name) continue;
    return http::percent_decode(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1));
  }
  return std::nullopt;
}

/// `alt=sse`, or `$alt=sse`, which all Google APIs take too.
Framing framing_of(std::string_view query) {
  for (const std::string_view name : {"alt", "$alt"}) {
    if (const auto alt = parameter(query, name)) return alt->starts_with("sse") ? Framing::kSse : Framing::kJsonArray;
  }
  return Framing::kJsonArray;
}

/// Where the model's name begins, its slash included: the first collection in the path.
std::size_t collection_at(std::string_view path) noexcept { return std::min(path.find(kModels), path.find(kTuned)); }

std::optional<std::string> model_of(std::string_view collected) {
  // A tuned model is called by its whole name, and so is what is no model's name at all.
  const std::string_view name = collected.starts_with(kModels) ? collected.substr(kModels.size()) : collected.substr(1);
  auto model = http::percent_decode(name);
  if (!model || model->empty() || model->back() == '/') return std::nullopt;
  return model;
}

/// Models are listed under the same path by OpenAI's servers: a client of this dialect is known by its version or its key.
bool says_gemini(std::string_view before, std::string_view query, const Headers& headers) {
  return before.ends_with("/v1beta") || before.ends_with("/v1alpha") || headers.get("x-goog-api-key") || parameter(query, "key");
}

}  // namespace

std::string_view bare_model(std::string_view model) noexcept {
  if (model.starts_with(kModelsPrefix)) model.remove_prefix(kModelsPrefix.size());
  return model;
}

std::optional<Recognised> recognise(std::string_view method, std::string_view path, std::string_view query, const Headers& headers) {
  if (path.ends_with("/models")) {
    const std::size_t at = path.size() - (kModels.size() - 1);
    if (!says_gemini(path.substr(0, at), query, headers)) return std::nullopt;
    return Recognised{.operation = Operation::kListModels, .suffix = path.substr(at), .method_ok = method == "GET", .allow = "GET"};
  }
  const std::size_t at = collection_at(path);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view collected = path.substr(at);
  const std::size_t colon = collected.rfind(':');
  if (colon != std::string_view::npos && collected.find('/', colon) == std::string_view::npos) {
    const auto known = std::find_if(kKnown.begin(), kKnown.end(), [&](const Known& k) { return k.method == collected.substr(colon + 1); });
    if (known == kKnown.end()) return std::nullopt;
    auto model = model_of(collected.substr(0, colon));
    if (!model) return std::nullopt;
    return Recognised{.operation = known->operation,
                      .suffix = collected,
                      .model = *std::move(model),
                      .stream = known->stream,
                      .framing = known->stream ? framing_of(query) : Framing::kSse,
                      .method_ok = method == "POST",
                      .allow = "POST"};
  }
  // A method of another API is no wrong method of this one.
  if (colon != std::string_view::npos && method != "GET") return std::nullopt;
  if (!says_gemini(path.substr(0, at), query, headers)) return std::nullopt;
  auto model = model_of(collected);
  if (!model) return std::nullopt;
  return Recognised{.operation = Operation::kGetModel, .suffix = collected, .model = *std::move(model), .method_ok = method == "GET", .allow = "GET"};
}

bool serves(Operation operation) noexcept {
  return operation == Operation::kListModels || operation == Operation::kGetModel ||
         std::any_of(kKnown.begin(), kKnown.end(), [operation](const Known& known) { return known.operation == operation; });
}

std::string target_of(const Sending& sending) {
  if (sending.operation == Operation::kListModels) return std::string(kModels.substr(0, kModels.size() - 1));
  if (!serves(sending.operation)) return {};
  std::string_view model = bare_model(sending.model);
  std::string out(model.starts_with(kTunedPrefix) ? std::string_view("/") : kModels);
  // Slashes part the name's segments, here as in the name.
  while (true) {
    const std::size_t slash = model.find('/');
    out += http::percent_encode(model.substr(0, slash));
    if (slash == std::string_view::npos) break;
    out += '/';
    model.remove_prefix(slash + 1);
  }
  switch (sending.operation) {
    case Operation::kChat: return out + (sending.streaming ? ":streamGenerateContent?alt=sse" : ":generateContent");
    case Operation::kCountTokens: return out + ":countTokens";
    case Operation::kEmbeddings: return out + ((sending.quirks & kEmbedsByPredict) != 0 ? ":predict" : ":batchEmbedContents");
    default: return out;
  }
}

}  // namespace sluice::dialect::gemini_parts
