#pragma once
// What `regex_replace` means, said the slow way: at each place of the whole text, from the left, RE2 is asked anew. Shares
// no code with the library, and never sees a piece of a text.

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::plugins {

class ReplaceReference {
 public:
  ReplaceReference(std::string_view pattern, std::string replacement, std::size_t max_match)
      : regex_(re2::StringPiece(pattern.data(), pattern.size()), re2::RE2::Quiet), replacement_(std::move(replacement)), max_match_(max_match) {}

  std::string operator()(std::string_view text) const {
    std::string out;
    if (text.empty()) return out;
    const re2::StringPiece whole(text.data(), text.size());
    std::size_t at = 0, ended = std::string_view::npos;  // where the last match ended
    while (at <= text.size()) {
      std::array<re2::StringPiece, 10> groups;
      const std::size_t window = std::min(text.size(), at + max_match_);
      const bool within = at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
      const bool fits = regex_.Match(whole, at, window, re2::RE2::ANCHOR_START, groups.data(), std::min(10, 1 + regex_.NumberOfCapturingGroups()));
      if (fits && !(groups[0].empty() && (within || ended == at))) {
        regex_.Rewrite(&out, replacement_, groups.data(), static_cast<int>(groups.size()));
        at = ended = at + groups[0].size();
        if (!groups[0].empty()) continue;
      }
      if (at < text.size()) out += text[at];
      ++at;
    }
    return out;
  }

 private:
  re2::RE2 regex_;
  std::string replacement_;
  std::size_t max_match_;
};

}  // namespace sluice::plugins
