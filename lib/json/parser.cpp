// Document::parse: one pass over the text that checks the grammar of RFC 8259 and writes down where every value stands.
// Knows grammar and limits; must not know what a value means, nor decode any.
//
// It is written by hand because what a gateway must refuse is checked where it is found: simdjson's On-Demand walk
// leaves skipped atoms, numbers, escapes and duplicate keys to its caller, who then looks at each byte again. Strings
// are most of a chat request; they are crossed 64 bytes at a time.
//
// How the loops stay inside the text without asking at every byte: a text that ends in `}` or `]` (trailing space is
// cut off first) stops every loop over space, digits and letters at that byte at the latest; strings, and what follows
// a value, compare with the end. Any other text is a lone scalar or wrong: it is copied, with zeros behind it, and zeros
// stop the loops.

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include <fmt/format.h>
#include <simdjson.h>

#include "json/document.hpp"
#include "json/edge.hpp"
#include "json/scan.hpp"

namespace sluice::json {
namespace {

// A value that fits 32-bit offsets with room for the padding.
constexpr std::size_t kMaxText = 0xFFFFFF00U;
// Nodes of scratch space a thread keeps between two texts: 1.3 MB, a body of about that many bytes.
constexpr std::uint32_t kKeptNodes = 64 * 1024;
// Up to this many integer digits together with a two-digit exponent no number passes 1e308.
constexpr std::ptrdiff_t kHarmlessDigits = 200;
// So many blocks of a string are looked at one by one before longer runs are tried.
constexpr int kLongRun = 3;

}  // namespace

class Document::Parser {
 public:
  Parser(const char* text, const char* end, const Limits& limits) noexcept : text_(text), end_(end), limits_(limits) {}

  // False leaves the refusal in error().
  [[nodiscard]] bool run();
  [[nodiscard]] Error error() const;
  // The nodes of the text, in storage of their own.
  [[nodiscard]] Nodes take() const;
  [[nodiscard]] std::uint32_t deepest() const noexcept { return deepest_; }

 private:
  // What a thread keeps from one text to the next, so that a parse allocates its result and nothing else.
  struct Scratch {
    Nodes nodes;
    std::uint32_t capacity = 0;
  };
  static Scratch& scratch() noexcept {
    thread_local Scratch mine;
    return mine;
  }
  static constexpr std::uint32_t kNone = 0xFFFFFFFFU;

  // Each takes the place where its noun begins and gives the place behind it, or null after a refusal.
  const char* string(const char* p, std::uint8_t& flags, std::uint8_t escaped);
  const char* escapes(const char* p);
  const char* key(const char* p);
  const char* number(const char* p);
  const char* numbers(const char* p);
  const char* atom(const char* p, const char* word, std::size_t length);
  const char* close(const char* p);
  bool begin_value(const char* p, Type type);
  void no_key() noexcept { key_ = 0, key_length_ = 0, key_flags_ = 0; }
  void grow();

  std::uint32_t at(const char* p) const noexcept { return static_cast<std::uint32_t>(p - text_); }
  std::nullptr_t refuse(const char* where, const char* what, Code code = Code::kInvalidJson) noexcept {
    where_ = std::min(where, end_);
    what_ = what;
    code_ = code;
    return nullptr;
  }

  const char* text_;
  const char* end_;
  const Limits& limits_;
  Node* nodes_ = nullptr;
  std::uint32_t capacity_ = 0, count_ = 0;
  std::uint32_t open_ = kNone;  // the innermost open array or object; while open, its `next` holds the one around it
  std::uint32_t last_ = 0;      // the value that ended last
  std::uint32_t depth_ = 0, deepest_ = 0;
  std::uint32_t high_ = 0;      // not zero: some byte is above 0x7F (in the text or just behind it)
  // The key read last, for the value that follows it.
  std::uint32_t key_ = 0;
  std::uint16_t key_length_ = 0;
  std::uint8_t key_flags_ = 0;

  const char* where_ = nullptr;
  const char* what_ = "";
  Code code_ = Code::kInvalidJson;
};

void Document::Parser::grow() {
  Scratch& mine = scratch();
  const std::size_t capacity = capacity_ == 0 ? 256 : std::size_t{capacity_} * 2;
  void* const larger = std::realloc(mine.nodes.get(), capacity * sizeof(Node));
  if (larger == nullptr) throw std::bad_alloc();
  (void)mine.nodes.release();
  mine.nodes.reset(static_cast<Node*>(larger));
  mine.capacity = capacity_ = static_cast<std::uint32_t>(capacity);
  nodes_ = mine.nodes.get();
}

inline bool Document::Parser::begin_value(const char* p, Type type) {
  if (count_ == capacity_) [[unlikely]] grow();
  if (count_ == limits_.values) [[unlikely]] {
    refuse(p, "more values than are allowed", Code::kJsonTooLarge);
    return false;
  }
  last_ = count_++;
  nodes_[last_] = {at(p), 0, key_, count_, key_length_, type, key_flags_};
  return true;
}

// At the backslash of an escape: checks it and all that follow it directly.
const char* Document::Parser::escapes(const char* p) {
  do {
    if (scan::is_two_byte_escape(p[1])) {
      p += 2;
      continue;
    }
    if (p[1] != 'u') return refuse(p, p + 1 >= end_ ? "a string without an end" : "an unknown escape");
    const int unit = scan::hex_unit(p + 2);
    if (unit < 0) return refuse(p, "an escape \\u without four hexadecimal digits");
    if (scan::is_low_surrogate(unit)) return refuse(p, "a lone low surrogate");
    if (scan::is_high_surrogate(unit)) {
      if (p[6] != '\\' || p[7] != 'u' || !scan::is_low_surrogate(scan::hex_unit(p + 8))) {
        return refuse(p, "a lone high surrogate");
      }
      p += 6;
    }
    p += 6;
  } while (*p == '\\' && p < end_);
  return p;
}

// At the opening quote; sets `escaped` in `flags` where the string holds a backslash.
inline const char* Document::Parser::string(const char* p, std::uint8_t& flags, std::uint8_t escaped) {
  const char* const opening = p++;
  int plain = 0;  // blocks without a stop
  while (p < end_) {
    const scan::Block block = scan::block(p);
    high_ |= block.high;
    if (block.stops == 0) {
      p += scan::Block::kSize;
      // Most strings end before a long run pays; those that do not are most of the bytes.
      if (++plain >= kLongRun) p = scan::skip_plain_runs(p, end_, high_);
      continue;
    }
    const char* const stop = p + std::countr_zero(block.stops);
    if (*stop == '"') {
      if (stop >= end_) break;
      return stop + 1;
    }
    // Text that was JSON before is full of escapes: all of a block are checked at once, without a branch for each.
    const scan::Escapes escapes_here = scan::escapes(p);
    const std::uint32_t behind_backslash = scan::escaped(escapes_here.backslashes);
    const std::uint32_t ends = block.stops & ~escapes_here.backslashes & ~behind_backslash;
    const std::uint32_t before_end = ends == 0 ? 0xFFFFU : (ends & (~ends + 1)) - 1;
    if ((escapes_here.backslashes & before_end) != 0) flags |= escaped;
    if (const std::uint32_t longer = behind_backslash & before_end & ~escapes_here.two_byte; longer != 0) {
      p = escapes(p + std::countr_zero(longer) - 1);
      if (p == nullptr) return nullptr;
      continue;
    }
    if (ends != 0) {
      p += std::countr_zero(ends);
      if (p >= end_) break;
      return *p == '"' ? p + 1 : refuse(p, "a control character in a string");
    }
    // An escape that the block's end cuts begins the next block.
    p += scan::Block::kSize - (behind_backslash >> scan::Block::kSize);
  }
  return refuse(opening, "a string without an end");
}

// At what must be the opening quote of a key; behind its colon and space afterwards.
inline const char* Document::Parser::key(const char* p) {
  if (*p != '"') return refuse(p, "no key in quotes where an object needs one");
  key_flags_ = 0;
  const char* const behind = string(p, key_flags_, kKeyEscaped);
  if (behind == nullptr) return nullptr;
  key_ = at(p);
  key_length_ = static_cast<std::uint16_t>(std::min<std::ptrdiff_t>(behind - p - 2, kLongKey));
  p = scan::skip_space(behind);
  if (*p != ':') return refuse(p, "no colon behind a key");
  return scan::skip_space(p + 1);
}

inline const char* Document::Parser::number(const char* p) {
  const char* const begin = p;
  if (*p == '-') ++p;
  const char* const digits = p;
  if (*p == '0') {
    ++p;
  } else {
    if (!scan::is_digit(*p)) return refuse(begin, "no digit behind a minus");
    do ++p;
    while (scan::is_digit(*p));
  }
  const std::ptrdiff_t magnitude = p - digits;
  if (*p == '.') {
    if (!scan::is_digit(*++p)) return refuse(begin, "no digit behind a decimal point");
    do ++p;
    while (scan::is_digit(*p));
  }
  std::ptrdiff_t power = 0;
  if ((*p | 0x20) == 'e') {
    ++p;
    if (*p == '-' || *p == '+') ++p;
    const char* const exponent = p;
    while (scan::is_digit(*p)) ++p;
    power = p - exponent;
    if (power == 0) return refuse(begin, "no digit in an exponent");
  }
  if ((magnitude > kHarmlessDigits || power > 2) && edge::overflows(begin, p)) {
    return refuse(begin, "a number too large for any double");
  }
  return p;
}

// At the first byte behind an array's bracket and space. Where numbers are all it holds, the place of its closing
// bracket; null where anything else turns up: the caller then reads it value by value, and says what is wrong.
inline const char* Document::Parser::numbers(const char* p) {
  for (;;) {
    if (!scan::is_digit(*p) && *p != '-') return nullptr;
    p = number(p);
    if (p == nullptr) return nullptr;
    p = scan::skip_space(p);
    if (*p == ']') return p;
    if (*p != ',') return nullptr;
    p = scan::skip_space(p + 1);
  }
}

inline const char* Document::Parser::atom(const char* p, const char* word, std::size_t length) {
  // No longer than five bytes: the padding can be read, and the byte that stops the loops is in no word.
  if (std::memcmp(p, word, length) != 0) return refuse(p, "a bare word that is none of true, false, null");
  return p + length;
}

// At the closing bracket of the innermost open value.
inline const char* Document::Parser::close(const char* p) {
  Node& node = nodes_[open_];
  if (count_ != open_ + 1) nodes_[last_].flags |= kLast;
  last_ = open_;
  open_ = node.next;
  node.next = count_;
  node.end = at(p + 1);
  --depth_;
  return p + 1;
}

bool Document::Parser::run() {
  Scratch& mine = scratch();
  nodes_ = mine.nodes.get();
  capacity_ = mine.capacity;

  const char* p = scan::skip_space(text_);
  for (;;) {
    // At the first byte of a value.
    switch (*p) {
      case '"': {
        if (!begin_value(p, Type::kString)) return false;
        std::uint8_t flags = key_flags_;
        p = string(p, flags, kEscaped);
        if (p == nullptr) return false;
        nodes_[last_].flags = flags;
        nodes_[last_].end = at(p);
        break;
      }
      case '{':
      case '[': {
        const bool object = *p == '{';
        if (!begin_value(p, object ? Type::kObject : Type::kArray)) return false;
        if (depth_ == limits_.depth) {
          refuse(p, "arrays and objects nested deeper than is allowed", Code::kJsonTooDeep);
          return false;
        }
        if (++depth_ > deepest_) deepest_ = depth_;
        nodes_[last_].next = open_;
        open_ = last_;
        p = scan::skip_space(p + 1);
        if (object) {
          if (*p == '}') {
            p = close(p);
            break;
          }
          p = key(p);
          if (p == nullptr) return false;
          continue;
        }
        no_key();
        if (*p == ']') {
          p = close(p);
          break;
        }
        if (const char* const bracket = numbers(p); bracket != nullptr) {
          nodes_[open_].flags |= kPacked;
          p = close(bracket);
          break;
        }
        continue;
      }
      case 't':
      case 'f':
      case 'n':
        if (!begin_value(p, *p == 'n' ? Type::kNull : Type::kBool)) return false;
        p = *p == 't' ? atom(p, "true", 4) : *p == 'f' ? atom(p, "false", 5) : atom(p, "null", 4);
        if (p == nullptr) return false;
        nodes_[last_].end = at(p);
        break;
      case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
        if (!begin_value(p, Type::kNumber)) return false;
        p = number(p);
        if (p == nullptr) return false;
        nodes_[last_].end = at(p);
        break;
      default:
        refuse(p, p >= end_ ? "an end where a value is needed" : "no value where one is needed");
        return false;
    }

    // Behind a value: what closes here, until a comma announces the next value or the text is over.
    for (;;) {
      if (open_ == kNone) {
        nodes_[0].flags |= kLast;
        if (p != end_) {
          refuse(p, "text behind the end of the document");
          return false;
        }
        if (high_ != 0 && !simdjson::validate_utf8(text_, static_cast<std::size_t>(end_ - text_))) {
          refuse(edge::first_invalid_utf8(text_, end_), "bytes that are no UTF-8");
          return false;
        }
        return true;
      }
      // The bracket that would stop the loops may have closed an inner value: nothing stops them behind it.
      if (p >= end_) {
        refuse(p, "an end inside an array or object");
        return false;
      }
      p = scan::skip_space(p);
      const bool object = nodes_[open_].type == Type::kObject;
      if (*p == ',') {
        p = scan::skip_space(p + 1);
        if (object) {
          p = key(p);
          if (p == nullptr) return false;
        } else {
          no_key();
        }
        break;
      }
      if (*p != (object ? '}' : ']')) {
        refuse(p, p >= end_    ? "an end inside an array or object"
                  : object ? "neither comma nor } behind a member"
                           : "neither comma nor ] behind an element");
        return false;
      }
      p = close(p);
    }
  }
}

Error Document::Parser::error() const {
  const std::size_t offset = static_cast<std::size_t>(where_ - text_);
  switch (code_) {
    case Code::kJsonTooDeep:
      return make_error(code_, fmt::format("the JSON text nests deeper than {} levels at byte {}; flatten it",
                                           limits_.depth, offset));
    case Code::kJsonTooLarge:
      return make_error(code_, fmt::format("the JSON text holds more than {} values at byte {}; send less at once",
                                           limits_.values, offset));
    default:
      return make_error(code_, fmt::format("the text is not JSON: {} at byte {}", what_, offset));
  }
}

Document::Nodes Document::Parser::take() const {
  Scratch& mine = scratch();
  if (mine.capacity > kKeptNodes) {
    mine.capacity = 0;
    return std::move(mine.nodes);
  }
  void* const exact = std::malloc(count_ * sizeof(Node));
  if (exact == nullptr) throw std::bad_alloc();
  std::memcpy(exact, nodes_, count_ * sizeof(Node));
  return Nodes(static_cast<Node*>(exact));
}

Result<Document> Document::parse(Body body, const Limits& limits) try {
  const std::string_view text = body.view();
  if (text.size() > kMaxText) {
    return fail(Code::kJsonTooLarge,
                fmt::format("the JSON text has {} bytes, more than 4 GiB; send less", text.size()));
  }
  std::size_t size = text.size();
  while (size != 0 && scan::is_space(text[size - 1])) --size;
  if (size == 0) return fail(Code::kInvalidJson, "the text is not JSON: it is empty; send one JSON value");

  std::string stopped;  // the copy of a text that does not stop the loops by itself
  const char* begin = text.data();
  if (begin[size - 1] != '}' && begin[size - 1] != ']') {
    stopped.reserve(size + Body::kPadding);
    stopped.assign(text.substr(0, size)).append(Body::kPadding, '\0');
    begin = stopped.data();
  }
  Parser parser(begin, begin + size, limits);
  if (!parser.run()) return tl::unexpected<Error>(parser.error());

  Document document;
  document.nodes_ = parser.take();
  document.depth_ = parser.deepest();
  document.body_ = std::move(body);
  return document;
} catch (const std::bad_alloc&) {
  return fail(Code::kOutOfMemory, "no memory is left for the places of a JSON text's values; retry later");
}

}  // namespace sluice::json
