#pragma once
/// Places in JSON answers and conditions on them, taken apart once. Private to the room. Knows JSON Pointers; must not know
/// what stands at them.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/document.hpp"
#include "sluice/rest.hpp"

namespace sluice::dialect::rest_parts {

/// A JSON Pointer, ready to be followed.
class Place {
 public:
  Place() = default;
  /// `pointer` must be one (see is_pointer), or empty.
  explicit Place(std::string_view pointer);

  /// True where nothing was said: it leads to the value itself.
  [[nodiscard]] bool itself() const noexcept { return steps_.empty(); }
  /// What stands there; absent for nothing, and for null.
  [[nodiscard]] json::Value find(json::Value value) const;

 private:
  struct Step {
    std::string key = {};
    std::optional<std::size_t> index = std::nullopt;  ///< where the value is a list
  };
  std::vector<Step> steps_;
};

/// True for a JSON Pointer that leads somewhere.
[[nodiscard]] bool is_pointer(std::string_view text) noexcept;

class Condition {
 public:
  Condition() = default;
  explicit Condition(const RestCondition& said);

  [[nodiscard]] bool said() const noexcept { return !place_.itself(); }
  [[nodiscard]] bool holds(const json::Value& value) const;

 private:
  Place place_;
  std::optional<json::Document> equals_;
};

}  // namespace sluice::dialect::rest_parts
