// What a path and a method mean to Ollama's clients.

#include <array>

#include "dialect/ollama.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::ollama_parts {
namespace {

struct Known {
  std::string_view suffix;
  Operation operation;
  std::string_view method;
  Framing framing;
};

// The first of an operation is where requests of other dialects go.
constexpr std::array kKnown{
    Known{"/api/chat", Operation::kChat, "POST", Framing::kNdjson},
    Known{"/api/generate", Operation::kChat, "POST", Framing::kNdjson},
    Known{"/api/embed", Operation::kEmbeddings, "POST", Framing::kSse},
    Known{"/api/tags", Operation::kListModels, "GET", Framing::kSse},
};

}  // namespace

std::optional<Recognised> recognise(std::string_view method, std::string_view path) {
  for (const Known& known : kKnown) {
    if (!path.ends_with(known.suffix)) continue;
    return Recognised{.operation = known.operation,
                      .suffix = path.substr(path.size() - known.suffix.size()),
                      .framing = known.framing,
                      .method_ok = method == known.method,
                      .allow = known.method};
  }
  return std::nullopt;
}

std::string_view suffix_of(Operation operation) noexcept {
  for (const Known& known : kKnown) {
    if (known.operation == operation) return known.suffix;
  }
  return {};
}

Shape shape_of(const json::Document* request) {
  if (request == nullptr || reading::member(request->root(), "messages")) return Shape::kChat;
  return Shape::kGenerate;
}

}  // namespace sluice::dialect::ollama_parts
