#pragma once
/// Append-only JSON text. Knows commas, colons and escapes; must not know who reads it.

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::json {

/// Appends `text` as a JSON string, quotes included; invalid UTF-8 becomes U+FFFD.
void append_string(std::string& out, std::string_view text);
[[nodiscard]] std::string quoted(std::string_view text);

/// Writes one JSON text. It puts commas and colons; the caller balances begin and end (asserted).
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  Writer& begin_object() { return open('{'); }
  Writer& end_object() { return close('}'); }
  Writer& begin_array() { return open('['); }
  Writer& end_array() { return close(']'); }
  Writer& key(std::string_view name);
  Writer& string(std::string_view text);
  Writer& integer(std::int64_t n);
  Writer& unsigned_integer(std::uint64_t n);
  Writer& number(double n);  ///< shortest form that reads back; not finite = null
  Writer& boolean(bool b);
  Writer& null();
  /// A JSON text that is known to be valid, as it is.
  Writer& raw(std::string_view json);

  Writer& field(std::string_view name, std::string_view text) { return key(name).string(text); }

 private:
  Writer& open(char c);
  Writer& close(char c);
  void separate();
  std::string& out_;
  std::uint32_t depth_ = 0;
  bool first_ = true;  // no comma before the next key or element
  bool after_key_ = false;
};

}  // namespace sluice::json
