// RE2 on a window of a text: it takes the bytes around the window for `^`, `$` and `\b`, as Match documents.

#include "policy/replace_rule.hpp"

#include <array>

#include <fmt/format.h>
#include <re2/re2.h>

#include "policy/beginnings.hpp"
#include "policy/regex.hpp"

namespace sluice::policy {
namespace {

constexpr std::size_t kMostGroups = 10;  // \0 to \9

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

std::unique_ptr<const re2::RE2> compiled(std::string_view pattern, bool captures) {
  re2::RE2::Options options;
  options.set_log_errors(false);  // a library prints nothing
  options.set_max_mem(ReplaceRule::kMaxMemoryBytes);
  options.set_never_capture(!captures);
  return std::make_unique<const re2::RE2>(piece(pattern), options);
}

}  // namespace

ReplaceRule::ReplaceRule(Compiled pattern, Compiled beginnings, std::string_view replacement, std::size_t max_match)
    : pattern_(std::move(pattern)), beginnings_(std::move(beginnings)), replacement_(replacement), max_match_(max_match) {
  groups_ = replacement_.find('\\') == std::string::npos ? 0 : re2::RE2::MaxSubmatch(replacement_) + 1;
}
ReplaceRule::ReplaceRule(ReplaceRule&&) noexcept = default;
ReplaceRule& ReplaceRule::operator=(ReplaceRule&&) noexcept = default;
ReplaceRule::~ReplaceRule() = default;

Result<ReplaceRule> ReplaceRule::compile(std::string_view pattern, std::string_view replacement, std::size_t max_match) {
  // What is wrong with it in words, and its own cap, which is lower: what it leaves room for is the beginnings.
  if (const auto judged = Regex::compile(pattern); !judged) return fail(Code::kInvalidConfiguration, judged.error().message, "pattern");
  const auto begins = beginnings_of(pattern);
  if (!begins) return fail(Code::kInvalidConfiguration, "the pattern looks at single bytes (\\C); a text is replaced by whole characters", "pattern");
  if (begins->shortest > max_match) {
    return fail(Code::kInvalidConfiguration, fmt::format("the pattern fits nothing below {} bytes, and matches are looked for within {}", begins->shortest, max_match), "pattern");
  }
  auto matches = compiled(pattern, true);
  auto beginnings = compiled(begins->pattern, false);
  if (!matches->ok() || !beginnings->ok()) return fail(Code::kInvalidConfiguration, "the pattern is too large to be looked for piece by piece; repeat less", "pattern");
  if (replacement.size() > kMaxReplacementBytes) {
    return fail(Code::kInvalidConfiguration, fmt::format("the replacement has {} bytes; at most {} are taken", replacement.size(), kMaxReplacementBytes), "replacement");
  }
  if (std::string why; !matches->CheckRewriteString(piece(replacement), &why)) {
    return fail(Code::kInvalidConfiguration, "the replacement does not fit the pattern: " + why, "replacement");
  }
  return ReplaceRule(std::move(matches), std::move(beginnings), replacement, max_match);
}

std::optional<ReplaceRule::Match> ReplaceRule::find(std::string_view text, std::size_t from, std::size_t to) const {
  re2::StringPiece found;
  if (!pattern_->Match(piece(text), from, to, re2::RE2::UNANCHORED, &found, 1)) return std::nullopt;
  const auto begin = static_cast<std::size_t>(found.data() - text.data());
  return Match{begin, begin + found.size()};
}

std::optional<ReplaceRule::Match> ReplaceRule::find_at(std::string_view text, std::size_t from, std::size_t to) const {
  re2::StringPiece found;
  if (!pattern_->Match(piece(text), from, to, re2::RE2::ANCHOR_START, &found, 1)) return std::nullopt;
  return Match{from, from + found.size()};
}

std::size_t ReplaceRule::first_open(std::string_view text, std::size_t from) const {
  re2::StringPiece found;
  if (!beginnings_->Match(piece(text), from, text.size(), re2::RE2::UNANCHORED, &found, 1)) return text.size();
  return static_cast<std::size_t>(found.data() - text.data());
}

void ReplaceRule::rewrite(std::string_view text, Match match, std::string& out) const {
  if (groups_ == 0) {
    out += replacement_;
    return;
  }
  std::array<re2::StringPiece, kMostGroups> groups;
  // Of all ways to fit from begin to end the preferred one: it is the one the match was found by.
  if (!pattern_->Match(piece(text), match.begin, match.end, re2::RE2::ANCHOR_BOTH, groups.data(), groups_)) return;
  (void)pattern_->Rewrite(&out, replacement_, groups.data(), groups_);
}

}  // namespace sluice::policy
