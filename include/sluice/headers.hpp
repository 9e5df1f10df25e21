#pragma once
/// HTTP header fields: ordered, validated when added, looked up without regard to case.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/error.hpp"

namespace [[gnu::visibility("default")]] sluice {

/// One field. Lifetime: the Headers it came from, until that is changed.
struct HeaderField {
  std::string_view name;
  std::string_view value;
};

/// A list of header fields in one arena. Duplicate names are kept, in order. It knows no meaning of any field.
/// Thread: like a std::vector.
class Headers {
 public:
  Headers() = default;
  /// For literals of known-good fields; an invalid field is dropped and asserted in debug builds.
  Headers(std::initializer_list<HeaderField> fields);

  /// Appends a field. Errors: kInvalidHeader where the name is no token, or the value holds CR, LF, NUL or another
  /// control character but HTAB. Surrounding blanks of the value are cut off.
  Status add(std::string_view name, std::string_view value);
  /// Removes every field called `name`, then appends one. Errors: as add.
  Status set(std::string_view name, std::string_view value);
  /// Removes every field called `name`; how many there were.
  std::size_t remove(std::string_view name);
  /// Appends without validation, blanks around the value cut off. For fields a strict parser has judged already.
  void add_trusted(std::string_view name, std::string_view value);
  void clear() noexcept;
  void reserve(std::size_t fields, std::size_t bytes);

  /// The first value of `name`. Lifetime: until this list is changed.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const noexcept;
  [[nodiscard]] bool contains(std::string_view name) const noexcept { return get(name).has_value(); }
  [[nodiscard]] std::size_t count(std::string_view name) const noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] HeaderField operator[](std::size_t i) const noexcept;
  /// Names and values together, without separators.
  [[nodiscard]] std::size_t bytes() const noexcept { return arena_.size(); }

  class Iterator {
   public:
    Iterator(const Headers* list, std::size_t i) : list_(list), i_(i) {}
    HeaderField operator*() const { return (*list_)[i_]; }
    Iterator& operator++() { return ++i_, *this; }
    bool operator==(const Iterator&) const = default;

   private:
    const Headers* list_;
    std::size_t i_;
  };
  [[nodiscard]] Iterator begin() const noexcept { return {this, 0}; }
  [[nodiscard]] Iterator end() const noexcept { return {this, entries_.size()}; }

 private:
  struct Entry {
    std::uint32_t name_at, name_size, value_at, value_size;
  };
  // Removes the fields called `name` among the first `among`.
  std::size_t remove_among(std::string_view name, std::size_t among);
  std::string arena_;
  std::vector<Entry> entries_;
};

/// True where two field names are the same but for ASCII case.
[[nodiscard]] bool same_name(std::string_view a, std::string_view b) noexcept;
/// True for a valid field name (RFC 9110 token). / True for a value without control characters but HTAB.
[[nodiscard]] bool is_header_name(std::string_view name) noexcept;
[[nodiscard]] bool is_header_value(std::string_view value) noexcept;

}  // namespace sluice
