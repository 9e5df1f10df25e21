#pragma once
/// A slow and plain JSON tree, written for nothing but to compare with: recursive, copying, lexemes kept as they are.
/// Knows valid JSON only (it aborts the test on anything else); must not share code with lib/json.

#include <algorithm>
#include <cstddef>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::test {

struct Tree {
  enum Kind { kScalar, kArray, kObject } kind = kScalar;
  std::string lexeme = {};                                // scalars, as they stand in the text
  std::vector<Tree> elements = {};                        // arrays
  std::vector<std::pair<std::string, Tree>> members = {};  // objects; keys as they stand in the text, without quotes

  friend bool operator==(const Tree&, const Tree&) = default;

  [[nodiscard]] Tree* member(std::string_view key) {
    for (auto& [name, value] : members) {
      if (name == key) return &value;
    }
    return nullptr;
  }
  /// Members in the order of their keys, all the way down: two trees that differ in order alone become equal.
  [[nodiscard]] Tree sorted() const {
    Tree out = *this;
    for (Tree& element : out.elements) element = element.sorted();
    for (auto& [name, value] : out.members) value = value.sorted();
    std::sort(out.members.begin(), out.members.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    return out;
  }
};

class TreeReader {
 public:
  static Tree read(std::string_view text) {
    TreeReader reader{text};
    Tree tree = reader.value();
    reader.space();
    if (reader.at_ != text.size()) throw std::runtime_error("trailing text: " + std::string(text));
    return tree;
  }

 private:
  explicit TreeReader(std::string_view text) : text_(text) {}
  char peek() { return at_ < text_.size() ? text_[at_] : '\0'; }
  void space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  void expect(char c) {
    space();
    if (peek() != c) throw std::runtime_error("expected " + std::string(1, c) + " at " + std::to_string(at_) + " of " + std::string(text_));
    ++at_;
  }
  std::string string() {
    expect('"');
    const std::size_t begin = at_;
    while (peek() != '"') {
      if (at_ >= text_.size()) throw std::runtime_error("open string");
      at_ += peek() == '\\' ? 2 : 1;
    }
    return std::string(text_.substr(begin, at_++ - begin));
  }
  Tree value() {
    space();
    Tree tree;
    if (peek() == '{') {
      tree.kind = Tree::kObject;
      expect('{');
      space();
      if (peek() == '}') return ++at_, tree;
      for (;;) {
        space();
        std::string key = string();
        expect(':');
        tree.members.emplace_back(std::move(key), value());
        space();
        if (peek() == '}') return ++at_, tree;
        expect(',');
      }
    }
    if (peek() == '[') {
      tree.kind = Tree::kArray;
      expect('[');
      space();
      if (peek() == ']') return ++at_, tree;
      for (;;) {
        tree.elements.push_back(value());
        space();
        if (peek() == ']') return ++at_, tree;
        expect(',');
      }
    }
    if (peek() == '"') {
      tree.lexeme = '"' + string() + '"';
      return tree;
    }
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::string_view(" \t\r\n,]}").find(text_[at_]) == std::string_view::npos) ++at_;
    if (begin == at_) throw std::runtime_error("no value at " + std::to_string(at_) + " of " + std::string(text_));
    tree.lexeme = text_.substr(begin, at_ - begin);
    return tree;
  }
  std::string_view text_;
  std::size_t at_ = 0;
};

/// A random valid text: unique keys in each object, space anywhere, all kinds of scalars, number arrays.
class RandomJson {
 public:
  explicit RandomJson(unsigned seed) : random_(seed) {}
  std::string text(int depth = 4) {
    std::string out;
    value(out, depth);
    return out;
  }
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

 private:
  void space(std::string& out) {
    if (below(4) == 0) out.append(below(3) == 0 ? below(40) : 1, " \n\t\r"[below(4)]);
  }
  void scalar(std::string& out) {
    static constexpr const char* kScalars[] = {
        "null", "true", "false", "0", "-0", "1.50", "-12e3", "18446744073709551616", "1E+2", "\"\"", "\"text\"", "7",
        "\"a\\\"b\\\\c\\/\\n\"", "\"\\ud83d\\ude00 \\u00e9\"", "\"h\xC3\xA9llo \xE6\x97\xA5\xE6\x9C\xAC \xF0\x9F\x98\x80\"",
        "\"a rather long string that spans more than one block of sixteen bytes, and even one of sixty-four bytes\""};
    out += kScalars[below(std::size(kScalars))];
  }
  void value(std::string& out, int depth) {
    space(out);
    const unsigned kind = depth == 0 ? 9 : below(10);
    if (kind < 4) {
      out += '{';
      const unsigned n = below(5);
      for (unsigned i = 0; i != n; ++i) {
        if (i != 0) out += ',';
        space(out);
        out += "\"k" + std::to_string(i) + '"';
        space(out);
        out += ':';
        value(out, depth - 1);
      }
      space(out);
      out += '}';
    } else if (kind < 7) {
      out += '[';
      const bool numbers = below(3) == 0;
      const unsigned n = below(5);
      for (unsigned i = 0; i != n; ++i) {
        if (i != 0) out += ',';
        if (numbers) {
          space(out);
          out += std::to_string(below(100000));
        } else {
          value(out, depth - 1);
        }
      }
      space(out);
      out += ']';
    } else {
      scalar(out);
    }
    space(out);
  }
  std::mt19937 random_;
};

}  // namespace sluice::test
