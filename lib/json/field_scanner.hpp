#pragma once
/// Reads a few top-level fields out of a JSON text that comes in pieces and is kept by nobody.
/// Right at every split; memory is bounded by the fields asked for, not by the text.

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
  struct Field {
    std::string key, value;
    bool seen = false, truncated = false;
  };
  std::vector<Field> fields_;
  std::size_t max_value_bytes_;
  std::uint32_t depth_ = 0;
  std::uint8_t state_ = 0;
  std::string key_;
  std::size_t capturing_ = static_cast<std::size_t>(-1);
};

}  // namespace sluice::json
