#pragma once
/// Events read back.

#include <catch2/catch.hpp>

#include <string>
#include <utility>
#include <vector>

#include "json/document.hpp"
#include "support/files.hpp"
#include "support/schema_checker.hpp"

namespace sluice::tests {

inline json::Document parsed(const std::string& line) {
  auto document = json::Document::parse(Body::copy(line));
  INFO(line);
  REQUIRE(document);
  return std::move(*document);
}

/// The value a path of names and numbers leads to, as it is written; empty where there is none.
inline std::string at(const std::string& line, const std::vector<const char*>& path) {
  const auto document = parsed(line);
  json::Value value = document.root();
  for (const std::string_view step : path) {
    if (value.is(json::Type::kArray)) {
      value = value.first();
      for (int n = std::stoi(std::string(step)); n > 0 && value; --n) value = value.next();
    } else {
      value = member(value, step);
    }
    if (!value) return {};
  }
  return std::string(value.raw());
}

inline const json::Document& event_schema() {
  static const json::Document document = parsed(source_file("docs/schema/event.schema.json"));
  return document;
}

}  // namespace sluice::tests
