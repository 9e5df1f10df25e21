#pragma once
/// A JSON text, validated once and located: every value is a byte range of the shared body, nothing is decoded before
/// somebody asks. Knows bytes and grammar; must not know what any key means.
///
/// The one pass refuses what RFC 8259 refuses, and more: lone surrogates, trailing text, invalid UTF-8, numbers that no
/// double can hold (1e400). Keys are compared decoded (`mod\u0065l` is `model`).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/body.hpp"
#include "sluice/error.hpp"

namespace sluice::json {

struct Limits {
  std::uint32_t depth = 1024;         ///< nesting of arrays and objects
  std::uint32_t values = 1'000'000;   ///< values altogether; scalars of a pure number array count as one per array
};

enum class Type : std::uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

class Document;

/// A handle on one value. Lifetime: the Document it came from. An absent value (find of a missing key) is falsy.
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
  /// By JSON Pointer (RFC 6901; "" is this value). Errors: as find, on the way down; kInvalidRequest for a bad pointer.
  [[nodiscard]] Result<Value> at(std::string_view pointer) const;

  /// Children, in order: first(), then next() until absent. For members, key() is the decoded name.
  [[nodiscard]] Value first() const noexcept;
  [[nodiscard]] Value next() const noexcept;
  [[nodiscard]] std::string_view raw_key() const noexcept;           ///< between its quotes
  [[nodiscard]] std::string_view key(std::string& scratch) const;
  /// Where this member's text begins, at the opening quote of its key. Members only.
  [[nodiscard]] std::size_t key_offset() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept;                   ///< of an array or object; linear

 private:
  friend class Document;
  Value(const Document* document, std::uint32_t node) : document_(document), node_(node) {}
  const Document* document_ = nullptr;
  std::uint32_t node_ = 0;
};

/// A validated text. Thread: immutable, any. Destruction is flat: depth costs no stack.
class Document {
 public:
  /// Errors: kInvalidJson with the byte offset, kJsonTooDeep, kJsonTooLarge. Cost: one pass, about 0.3 ns a byte plus
  /// 10 ns a value. Thread: any (scratch space is per thread).
  [[nodiscard]] static Result<Document> parse(Body body, const Limits& limits = {});

  [[nodiscard]] Value root() const noexcept { return {this, 0}; }
  [[nodiscard]] const Body& body() const noexcept { return body_; }

  // Values point at their document: it does not move while they live.
  Document(Document&&) = default;
  Document& operator=(Document&&) = default;

 private:
  friend class Value;
  Document() = default;
  struct Node {
    std::uint32_t begin, end;   // of the value in the text
    std::uint32_t key;          // offset of the key's opening quote; kNoKey for elements and the root
    std::uint32_t next;         // node behind this value's subtree (a sibling, if it has the same parent)
    Type type;
    std::uint8_t flags;
  };
  Body body_;
  std::vector<Node> nodes_;
};

/// Decodes what stands between the quotes of a valid JSON string.
[[nodiscard]] std::string decode_string(std::string_view raw);

}  // namespace sluice::json
