#pragma once
/// Small steps shared by the parts of the room that write the canonical model as JSON: members that stand there only where
/// somebody said something, and what a dialect keeps for itself. Must not know any dialect's names.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "chat/content.hpp"
#include "chat/loss.hpp"
#include "dialect/lost_extras.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::writing {

inline void put(json::Writer& writer, std::string_view key, const std::optional<double>& n) {
  if (n) writer.key(key).number(*n);
}
inline void put(json::Writer& writer, std::string_view key, const std::optional<bool>& b) {
  if (b) writer.key(key).boolean(*b);
}
inline void put(json::Writer& writer, std::string_view key, const std::optional<std::int64_t>& n) {
  if (n) writer.key(key).integer(*n);
}
inline void put(json::Writer& writer, std::string_view key, const std::optional<std::uint64_t>& n) {
  if (n) writer.key(key).unsigned_integer(*n);
}
inline void put(json::Writer& writer, std::string_view key, const std::optional<std::uint32_t>& n) {
  if (n) writer.key(key).unsigned_integer(*n);
}
inline void put(json::Writer& writer, std::string_view key, const std::string& text) {
  if (!text.empty()) writer.field(key, text);
}

/// Members that `dialect` keeps for itself, as they came. Those of others go on the loss report under `path`: settings of a
/// provider's own, without which an answer is still one to what was asked. Not the key "": a form of what the model says anyway.
inline void put_extras(json::Writer& writer, const chat::Extras& extras, std::string_view dialect, const std::string& path,
                       chat::LossReport& loss) {
  for (const chat::Extra& extra : extras) {
    if (extra.key.empty()) continue;
    if (extra.dialect == dialect) {
      writer.key(extra.key).raw(extra.json);
    } else {
      loss.add(path.empty() ? extra.key : path + "." + extra.key, why_lost(extra),
               std::min(extra.loss, chat::LossSeverity::kCosmetic));
    }
  }
}

/// For a choice in which nobody of another dialect loses anything: the answers to clients.
inline void put_own_extras(json::Writer& writer, const chat::Extras& extras, std::string_view dialect) {
  for (const chat::Extra& extra : extras) {
    if (extra.dialect == dialect && !extra.key.empty()) writer.key(extra.key).raw(extra.json);
  }
}

}  // namespace sluice::dialect::writing
