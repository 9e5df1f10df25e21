#pragma once
/// Tools a caller offers, and how the model may choose among them.

#include <optional>
#include <string>
#include <vector>

#include "chat/content.hpp"

namespace sluice::chat {

/// One tool the model may call.
struct Tool {
  ToolKind kind = ToolKind::kFunction;
  std::string name = {};
  std::string description = {};
  std::string parameters = {};          ///< kFunction: JSON Schema text; empty: takes none
  std::optional<bool> strict = std::nullopt;
  std::string format = {};              ///< kCustom: JSON text of the input format; empty: free text
  std::optional<CacheMark> cache = std::nullopt;
  std::string native_dialect = {};      ///< kProvider: who understands `native`
  std::string native = {};              ///< kProvider: the whole tool as it stood
  Extras extras = {};
  friend bool operator==(const Tool&, const Tool&) = default;
};

/// A tool named in a choice.
struct ToolReference {
  ToolKind kind = ToolKind::kFunction;
  std::string name = {};
  friend bool operator==(const ToolReference&, const ToolReference&) = default;
};

/// Whether and which tools are called.
struct ToolChoice {
  enum class Kind : std::uint8_t {
    kAuto,      ///< the model decides
    kNone,      ///< no tool
    kRequired,  ///< some tool
    kNamed,     ///< tools[0], surely
    kAllowed,   ///< only of `tools`; `required` says whether one must be called
  };
  Kind kind = Kind::kAuto;
  std::vector<ToolReference> tools = {};
  bool required = false;
  Extras extras = {};                   ///< under the key "": a choice only its own dialect understands
  friend bool operator==(const ToolChoice&, const ToolChoice&) = default;
};

}  // namespace sluice::chat
