#pragma once
/// Reads a few top-level fields out of a JSON text that comes in pieces and is kept by nobody.
/// Right at every split; memory is bounded by the fields asked for, not by the text.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::json {

/// Feed it an answer's bytes as they pass; it captures the raw values of the named members of the root object.
/// It does not validate what it skips. Cost: about memchr speed inside strings.
class FieldScanner {
 public:
  /// `fields` are root keys; a value longer than `max_value_bytes` is dropped (truncated() says so).
  FieldScanner(std::span<const std::string_view> fields, std::size_t max_value_bytes);
  void feed(std::string_view bytes);
  /// The raw JSON text of field i; empty while it has not been seen whole. The last one wins where a key repeats.
  [[nodiscard]] std::string_view value(std::size_t i) const noexcept;
  [[nodiscard]] bool truncated(std::size_t i) const noexcept;
  /// The root was an object and it has been closed.
  [[nodiscard]] bool complete() const noexcept;
  /// What came first is no JSON object or array at all.
  [[nodiscard]] bool not_json() const noexcept;

 private:
  enum class State : std::uint8_t;
  struct Field {
    std::string key, value;
    bool whole = false, truncated = false;
  };
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  const char* skip_string(const char* p, const char* end, State behind);
  const char* skip_container(const char* p, const char* end);
  void add_to_key(const char* begin, const char* end);
  void end_key();
  void add_to_value(const char* begin, const char* end);
  void begin_value();
  void end_value();

  std::vector<Field> fields_;
  std::size_t max_value_bytes_;
  std::size_t max_key_bytes_ = 0;  // raw; a longer key is none of the fields'
  std::size_t depth_ = 0;          // of arrays and objects open inside the root's member
  std::size_t capturing_ = kNone;  // the field whose value is being read
  State state_;
  bool escaped_ = false;           // the byte before was a backslash in a string
  bool key_escaped_ = false;
  std::string key_;                // raw, as far as it came
};

}  // namespace sluice::json
