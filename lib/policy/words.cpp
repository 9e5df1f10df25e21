// Values in messages.

#include "policy/words.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "json/writer.hpp"

namespace sluice::policy {

std::string shown(std::string_view text) {
  constexpr std::size_t kBytes = 80;
  const std::string_view head = base::truncate_utf8(text, kBytes);
  return json::quoted(head) + (head.size() < text.size() ? "..." : "");
}

std::string shown(std::span<const std::string> names) {
  constexpr std::size_t kNames = 5;
  std::string out;
  const std::size_t n = std::min(names.size(), kNames);
  for (std::size_t i = 0; i < n; ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += shown(std::string_view(names[i]));
  }
  if (n < names.size()) out += fmt::format(" or {} more", names.size() - n);
  return out;
}

}  // namespace sluice::policy
