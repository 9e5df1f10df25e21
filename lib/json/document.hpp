#pragma once
/// A JSON text, validated once and located: every value is a byte range of the shared body, nothing is decoded before
/// somebody asks. Knows bytes and grammar; must not know what any key means.
///
/// The one pass refuses what RFC 8259 refuses, and more: lone surrogates, trailing text, invalid UTF-8, numbers that no
/// double can hold (1e400). Keys are compared decoded (`mod\u0065l` is `model`).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/body.hpp"
#include "sluice/error.hpp"

namespace sluice::json {

struct Limits {
  std::uint32_t depth = 1024;         ///< nesting of arrays and objects
  std::uint32_t values = 1'000'000;   ///< values altogether; scalars of a pure number array count as one per array
};

enum class Type : std::uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

class Document;

/// A handle on one value. Lifetime: the Document it came from. An absent value (find of a missing key) is falsy; asked
/// all the same, it is a null without text and without children.
class Value {
 public:
  Value() = default;
  [[nodiscard]] explicit operator bool() const noexcept { return document_ != nullptr; }
  [[nodiscard]] Type type() const noexcept;
  [[nodiscard]] bool is(Type t) const noexcept { return document_ != nullptr && type() == t; }

  /// The value as it stands in the text, and where.
  [[nodiscard]] std::string_view raw() const noexcept;
  [[nodiscard]] std::size_t offset() const noexcept;
  [[nodiscard]] std::size_t length() const noexcept { return raw().size(); }

  /// A string between its quotes, not decoded. Strings only.
  [[nodiscard]] std::string_view raw_string() const noexcept;
  /// True where raw_string() holds a backslash, so that decoding changes it.
  [[nodiscard]] bool has_escapes() const noexcept;
  /// The decoded text; a view of the body where nothing is escaped, otherwise of `scratch`. Strings only.
  [[nodiscard]] std::string_view text(std::string& scratch) const;
  [[nodiscard]] bool equals(std::string_view decoded) const;

  [[nodiscard]] std::optional<bool> boolean() const noexcept;
  /// An integer lexeme (no fraction, no exponent) that fits; `-0` is 0, `1.0` is none.
  [[nodiscard]] std::optional<std::int64_t> integer() const noexcept;
  [[nodiscard]] std::optional<double> number() const noexcept;

  /// The member `key` of an object (absent where this is none). Cost: linear in the members.
  /// Errors: kDuplicateKey where it stands there twice: what is looked at must be unique.
  [[nodiscard]] Result<Value> find(std::string_view key) const;
  /// By JSON Pointer (RFC 6901; "" is this value); absent where nothing stands there. Errors: as find, on the way down;
  /// kInvalidRequest for a bad pointer.
  [[nodiscard]] Result<Value> at(std::string_view pointer) const;

  /// Children, in order: first(), then next() until absent. For members, key() is the decoded name.
  [[nodiscard]] Value first() const noexcept;
  [[nodiscard]] Value next() const noexcept;
  [[nodiscard]] std::string_view raw_key() const noexcept;           ///< between its quotes
  [[nodiscard]] std::string_view key(std::string& scratch) const;
  /// Where this member's text begins, at the opening quote of its key. Members only.
  [[nodiscard]] std::size_t key_offset() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept;                   ///< of an array or object; linear
  [[nodiscard]] Value element(std::size_t index) const noexcept;     ///< of an array; absent behind its end; linear

 private:
  friend class Document;
  Value(const Document* document, std::uint32_t node, std::uint32_t element = 0)
      : document_(document), node_(node), element_(element) {}
  const Document* document_ = nullptr;
  std::uint32_t node_ = 0;
  std::uint32_t element_ = 0;  // offset of this number inside node_, a packed array; 0 = this is node_ itself
};

/// A validated text. Thread: immutable, any. Destruction is flat: depth costs no stack.
class Document {
 public:
  /// Errors: kInvalidJson with the byte offset, kJsonTooDeep, kJsonTooLarge (too many values, or 4 GiB of text).
  /// Cost: one pass and one allocation; 0.1 to 0.4 ns a byte plus about 5 ns and
  /// 20 bytes of memory a value. Thread: any (scratch space is per thread).
  [[nodiscard]] static Result<Document> parse(Body body, const Limits& limits = {});

  [[nodiscard]] Value root() const noexcept { return {this, 0}; }
  [[nodiscard]] const Body& body() const noexcept { return body_; }
  /// How deep arrays and objects nest: 0 for a scalar, 1 for an object of scalars.
  [[nodiscard]] std::uint32_t depth() const noexcept { return depth_; }

  // Values point at their document: it does not move while they live.
  Document(Document&&) = default;
  Document& operator=(Document&&) = default;

 private:
  friend class Value;
  class Parser;
  struct Node {
    std::uint32_t begin, end;  // of the value in the text
    std::uint32_t key;         // offset of the key's opening quote; 0 (never a key's place) for elements and the root
    std::uint32_t next;        // node behind this value's subtree: the next sibling, unless this is the last
    std::uint16_t key_length;  // raw bytes between the quotes; kLongKey = that many or more
    Type type;
    std::uint8_t flags;
  };
  static constexpr std::uint16_t kLongKey = 0xFFFF;
  enum Flag : std::uint8_t {
    kEscaped = 1,     // a string that holds a backslash
    kKeyEscaped = 2,  // so does its key
    kLast = 4,        // no sibling follows
    kPacked = 8,      // an array of numbers only: its elements have no nodes and are read from the text
  };
  Document() = default;
  [[nodiscard]] std::string_view raw_key(const Node& node) const noexcept;
  [[nodiscard]] const char* packed_end(std::uint32_t element) const noexcept;
  [[nodiscard]] Value packed_element(std::uint32_t array, const char* p) const noexcept;

  struct Free {
    void operator()(void* memory) const noexcept;
  };
  // From malloc, so that the parser's scratch space grows in place and a large one is handed over as it is.
  using Nodes = std::unique_ptr<Node[], Free>;

  Body body_;
  Nodes nodes_;  // in the order of the text, parents before children
  std::uint32_t depth_ = 0;
};

/// Decodes what stands between the quotes of a valid JSON string. What is no valid escape becomes U+FFFD, so that text
/// nobody validated is safe too.
[[nodiscard]] std::string decode_string(std::string_view raw);

/// Takes the first reference token off `pointer`, decoded (`~1` is a slash, `~0` a tilde); a view of the pointer, or of
/// `scratch` where something was decoded. Errors: kInvalidRequest.
[[nodiscard]] Result<std::string_view> next_pointer_token(std::string_view& pointer, std::string& scratch);

}  // namespace sluice::json
