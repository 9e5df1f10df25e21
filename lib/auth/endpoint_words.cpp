// What an endpoint says, on one bounded line.

#include "auth/endpoint_words.hpp"

namespace sluice::auth {

std::string endpoint_words(std::string_view text) {
  constexpr std::size_t kMost = 200;
  std::string out;
  bool blank = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f) {
      blank = !out.empty();
      continue;
    }
    if (out.size() + 4 + (blank ? 1 : 0) > kMost) return out + "...";
    if (blank) out += ' ';
    blank = false;
    out += byte < 0x7f ? c : '?';
  }
  return out;
}

}  // namespace sluice::auth
