// The names of operations, as configuration, metrics and explain print them.

#include "chat/request_view.hpp"

namespace sluice::chat {

std::string_view to_string(Operation operation) noexcept {
  switch (operation) {
    case Operation::kChat: return "chat";
    case Operation::kCompletions: return "completions";
    case Operation::kEmbeddings: return "embeddings";
    case Operation::kModerations: return "moderations";
    case Operation::kListModels: return "list_models";
    case Operation::kGetModel: return "get_model";
    case Operation::kRerank: return "rerank";
    case Operation::kCountTokens: return "count_tokens";
    case Operation::kOpaque: return "opaque";
  }
  return "opaque";
}

}  // namespace sluice::chat
