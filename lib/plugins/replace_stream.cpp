// What can be decided, and when. Nothing here asks how the text was cut: each decision is about a place and the window
// behind it.

#include "plugins/replace_stream.hpp"

#include <algorithm>

namespace sluice::plugins {
namespace {

using Match = policy::ReplaceRule::Match;

constexpr std::size_t kSlice = 4096;  // of a long text, taken at a time
constexpr std::size_t kReach = 512;   // looked through at once for a match, at least: each call of RE2 has its price

bool continues(char c) noexcept { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// How much of `text` is whole characters: where the end is within one, RE2 could not say what it may become.
std::size_t whole_characters(std::string_view text) noexcept {
  const std::size_t furthest = std::min<std::size_t>(text.size(), 3);
  for (std::size_t back = 1; back <= furthest; ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;
    const std::size_t needs = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return needs > back ? text.size() - back : text.size();
  }
  return text.size();
}

}  // namespace

void ReplaceStream::take(std::string_view text, std::string& out) {
  while (!text.empty()) {
    const std::string_view slice = text.substr(0, kSlice);
    text.remove_prefix(slice.size());
    text_ += slice;
    begun_ = true;
    if (text_.size() >= look_again_) decide(false, out);
  }
}

void ReplaceStream::end(std::string& out) {
  if (begun_) decide(true, out);
  text_.clear();
  at_ = look_again_ = 0;
  begun_ = after_match_ = false;
}

void ReplaceStream::decide(bool ended, std::string& out) {
  const std::string_view text(text_.data(), ended ? text_.size() : at_ + whole_characters(std::string_view(text_).substr(at_)));
  std::size_t at = at_;
  std::size_t open = ended ? text.size() + 1 : first_open(text, at);
  while (const auto match = next_match(text, at, open)) {
    out.append(text.substr(at, match->begin - at));
    rule_->rewrite(text, *match, out);
    fitted_ = after_match_ = true;
    at = match->end;
    if (at > open) open = first_open(text, at);
  }
  const std::size_t decided = std::min(open, text.size());
  if (decided > at) {
    out.append(text.substr(at, decided - at));
    at = decided;
    after_match_ = false;
  }
  const std::size_t behind = std::min<std::size_t>(at, 1);
  text_.erase(0, at - behind);
  at_ = behind;
  look_again_ = text_.size() + 1 + (text_.size() - at_) / 8;
}

/// The first place that is not decided: a match from there may go on behind what has come, and its window is not there yet.
std::size_t ReplaceStream::first_open(std::string_view text, std::size_t from) {
  const std::size_t window = rule_->max_match();
  if (text.size() > from + window) from = text.size() - window;
  looked_at_ += text.size() - from;
  return rule_->first_open(text, from);
}

/// The next match that begins before `open`.
std::optional<Match> ReplaceStream::next_match(std::string_view text, std::size_t from, std::size_t open) {
  const std::size_t window = rule_->max_match();
  const std::size_t reach = std::max(2 * window, kReach);
  for (std::size_t at = from; at < open && at <= text.size();) {
    const std::size_t to = std::min(text.size(), at + reach);
    const std::size_t sure = to == text.size() ? to : to - window;  // the windows of places up to here are in reach
    looked_at_ += to - at;
    auto match = rule_->find(text, at, to);
    if (!match || match->begin > sure) {
      if (to == text.size()) return std::nullopt;
      at = sure + 1;
      continue;
    }
    if (match->begin >= open) return std::nullopt;
    if (match->size() > window) {
      const std::size_t place = match->begin;
      looked_at_ += window;
      match = rule_->find_at(text, place, place + window);
      if (!match) {
        at = place + 1;
        continue;
      }
    }
    const bool within = match->begin < text.size() && continues(text[match->begin]);
    if (match->size() > 0 || (!within && !(after_match_ && match->begin == from))) return match;
    at = match->begin + 1;
  }
  return std::nullopt;
}

}  // namespace sluice::plugins
