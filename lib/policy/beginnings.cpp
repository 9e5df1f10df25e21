// One pass over the pattern, along RE2's grammar: https://github.com/google/re2/wiki/Syntax

#include "policy/beginnings.hpp"

#include <algorithm>

namespace sluice::policy {
namespace {

constexpr std::uint64_t kEndless = 1u << 30;  // longer than any bound; sums and products stay far below overflow

bool is_octal(char c) noexcept { return c >= '0' && c <= '7'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_one_of(std::string_view set, char c) noexcept { return set.find(c) != std::string_view::npos; }

/// Bytes of the UTF-8 character that begins with `lead`.
std::size_t length_of(char lead) noexcept {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/// The fewest bytes of a match, where case counts and where it does not: folded, a character may be a shorter one.
struct Length {
  std::uint64_t exact = 0, folded = 0;

  Length operator+(Length other) const noexcept {
    return {std::min(exact + other.exact, kEndless), std::min(folded + other.folded, kEndless)};
  }
  Length times(std::uint64_t n) const noexcept { return {std::min(exact * n, kEndless), std::min(folded * n, kEndless)}; }
};

class Reader {
 public:
  explicit Reader(std::string_view pattern) : rest_(pattern) {}

  std::optional<Beginnings> run() {
    out_ = "(?:";
    const Length length = alternatives();
    if (!good_ || !rest_.empty()) return std::nullopt;
    out_ += ")\\z";
    return Beginnings{std::move(out_), folds_ ? length.folded : length.exact};
  }

 private:
  /// Up to the end, or the parenthesis that closes the group.
  Length alternatives() {
    Length least = sequence();
    while (good_ && rest_.starts_with('|')) {
      copy(1);
      const Length other = sequence();
      least = {std::min(least.exact, other.exact), std::min(least.folded, other.folded)};
    }
    return least;
  }

  Length sequence() {
    Length before, last;  // the piece that a repetition is about, and those before it
    while (good_ && !rest_.empty() && rest_.front() != '|' && rest_.front() != ')') {
      if (const auto times = repetition()) {
        last = last.times(*times);
        continue;
      }
      before = before + last;
      last = piece();
    }
    return before + last;
  }

  /// Copies `*`, `+?`, `{2,}` and the like; how often at least.
  std::optional<std::uint64_t> repetition() {
    std::size_t size = 1;
    std::uint64_t least = 0;
    if (rest_.front() == '+') {
      least = 1;
    } else if (rest_.front() == '{') {
      std::size_t i = 1;
      while (i < rest_.size() && is_digit(rest_[i])) least = std::min(least * 10 + static_cast<std::uint64_t>(rest_[i++] - '0'), kEndless);
      if (i == 1) return std::nullopt;  // a brace that repeats nothing is itself
      if (i < rest_.size() && rest_[i] == ',') {
        ++i;
        while (i < rest_.size() && is_digit(rest_[i])) ++i;
      }
      if (i == rest_.size() || rest_[i] != '}') return std::nullopt;
      size = i + 1;
    } else if (rest_.front() != '*' && rest_.front() != '?') {
      return std::nullopt;
    }
    copy(size);
    if (rest_.starts_with('?')) copy(1);
    return least;
  }

  Length piece() {
    switch (rest_.front()) {
      case '(': return group();
      case '[': return choice(size_of_class(), {1, 1});
      case '.': return choice(1, {1, 1});
      case '^':
      case '$': return choice(1, {});
      case '\\': return escape();
      default: return literal(length_of(rest_.front()));
    }
  }

  Length group() {
    if (rest_.starts_with("(?P<")) {
      rest_.remove_prefix(std::min(rest_.find('>'), rest_.size() - 1) + 1);
      out_ += "(?:";
    } else if (rest_.starts_with("(?")) {
      const std::size_t end = rest_.find_first_of(":)");
      if (end == std::string_view::npos) return give_up();
      const std::string_view flags = rest_.substr(2, end - 2);
      folds_ = folds_ || flags.substr(0, flags.find('-')).find('i') != std::string_view::npos;
      const bool alone = rest_[end] == ')';  // `(?i)`: for the rest of the group around it
      copy(end + 1);
      if (alone) return {};
    } else {
      rest_.remove_prefix(1);
      out_ += "(?:";
    }
    const Length inside = alternatives();
    if (!rest_.starts_with(')')) return give_up();
    copy(1);
    return inside;
  }

  Length escape() {
    if (rest_.size() < 2) return give_up();
    const char c = rest_[1];
    if (c == 'C') return give_up();
    if (c == 'Q') return quoted();
    if (is_one_of("AbBz", c)) return choice(2, {});
    if (is_one_of("dDsSwW", c)) return choice(2, {1, 1});
    if (c == 'p' || c == 'P') return rest_.size() > 2 && rest_[2] == '{' ? choice_to('}', {1, 1}) : choice(3, {1, 1});
    if (c == 'x') return rest_.size() > 2 && rest_[2] == '{' ? choice_to('}', {1, 1}) : choice(4, {1, 1});
    if (is_octal(c)) {
      std::size_t size = 2;
      while (size < 4 && size < rest_.size() && is_octal(rest_[size])) ++size;
      return choice(size, {1, 1});
    }
    return choice(1 + length_of(c), {1, 1});
  }

  /// `\Q...\E`: each character stands for itself, and a repetition behind it is about the last one.
  Length quoted() {
    rest_.remove_prefix(2);
    Length before, last;
    while (good_ && !rest_.empty() && !rest_.starts_with("\\E")) {
      before = before + last;
      const std::size_t size = std::min(length_of(rest_.front()), rest_.size());
      out_ += "(?:\\Q";
      out_.append(rest_.substr(0, size)).append("\\E|\\z)");
      rest_.remove_prefix(size);
      last = {size, 1};
    }
    rest_.remove_prefix(std::min<std::size_t>(2, rest_.size()));
    if (!rest_.empty() && (is_one_of("*+?", rest_.front()) || rest_.front() == '{')) {
      if (const auto times = repetition()) last = last.times(*times);
    }
    return before + last;
  }

  /// Bytes of the class that begins here.
  std::size_t size_of_class() const noexcept {
    std::size_t i = rest_.starts_with("[^") ? 2 : 1;
    for (bool first = true; i < rest_.size() && (first || rest_[i] != ']'); first = false) {
      if (rest_[i] == '\\') {
        i += 2;
      } else if (rest_.substr(i).starts_with("[:") && rest_.find(":]", i + 2) != std::string_view::npos) {
        i = rest_.find(":]", i + 2) + 2;
      } else {
        ++i;
      }
    }
    return i + 1;
  }

  Length literal(std::size_t size) { return choice(size, {size, 1}); }
  Length choice_to(char last, Length length) { return choice(std::min(rest_.find(last), rest_.size()) + 1, length); }

  /// What is looked at here, or the end.
  Length choice(std::size_t size, Length length) {
    if (size > rest_.size()) return give_up();
    out_ += "(?:";
    copy(size);
    out_ += "|\\z)";
    return length;
  }

  void copy(std::size_t size) {
    out_.append(rest_.substr(0, size));
    rest_.remove_prefix(std::min(size, rest_.size()));
  }

  Length give_up() {
    good_ = false;
    return {};
  }

  std::string_view rest_;
  std::string out_;
  bool good_ = true;
  bool folds_ = false;  // somewhere
};

}  // namespace

std::optional<Beginnings> beginnings_of(std::string_view pattern) { return Reader(pattern).run(); }

}  // namespace sluice::policy
