#pragma once
/// What routing and policy need to know of a request, the same in every dialect: located, not translated.
/// Filled by a dialect's inspect(); holds views of the document it was read from.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/document.hpp"
#include "sluice/request_shape.hpp"

namespace sluice::chat {

/// What a request asks for.
enum class Operation : std::uint8_t {
  kChat, kCompletions, kEmbeddings, kModerations, kListModels, kGetModel, kRerank,
  kCountTokens,  ///< how many tokens a chat request would have
  kOpaque,  ///< bytes: any path, method and content type
};
[[nodiscard]] std::string_view to_string(Operation operation) noexcept;

enum class Role : std::uint8_t { kSystem, kUser, kAssistant, kTool };

/// One decoded run of prompt text.
struct PromptText {
  Role role = Role::kUser;
  bool last_user = false;    ///< belongs to the last message of the user
  std::string_view text;     ///< decoded; a view of the body, or of RequestView::arena
  json::Value value = {};    ///< where it stands
};

/// Which parts of a view are asked for: reading text costs, so routes say what they look at. Bits.
enum Want : std::uint32_t { kWantNothing = 0, kWantPrompt = 1, kWantTools = 2, kWantShape = 4 };

struct RequestView {
  Operation operation = Operation::kOpaque;

  bool model_present = false;
  std::string_view model;            ///< decoded; empty with model_present: the request says ""
  json::Value model_value;           ///< where it stands; absent where the model is in the path or nowhere
  bool stream = false;
  bool usage_in_stream = false;      ///< the caller asked for usage in its stream
  json::Value stream_options;        ///< absent where the request has none
  std::uint32_t choices = 1;         ///< n
  std::optional<std::uint64_t> max_output_tokens;

  std::vector<PromptText> prompt;                 ///< with kWantPrompt
  std::vector<std::string_view> tools_offered;    ///< with kWantTools: names
  std::string_view tool_forced;                   ///< with kWantTools
  std::vector<std::string_view> tools_called;     ///< with kWantTools: by the last assistant message

  RequestShape shape;                             ///< with kWantShape; its media types are views of the body or of the arena

  std::deque<std::string> arena;     ///< texts that had escapes; stable addresses
};

}  // namespace sluice::chat
