#pragma once
/// What tests of the dialects share: parsed bodies, inspected views, JSON compared by meaning.

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dialect/dialect.hpp"
#include "json/document.hpp"

namespace sluice::test {

inline json::Document parsed(std::string_view text) {
  auto document = json::Document::parse(Body::copy(text));
  if (!document) {
    INFO(text);
    FAIL(document.error().message);
  }
  return *std::move(document);
}

/// A request as inspect() sees it. Not movable: the view points into the document.
struct Inspected {
  explicit Inspected(std::string_view body, chat::Operation operation = chat::Operation::kChat,
                     std::uint32_t wants = chat::kWantPrompt | chat::kWantTools)
      : document(parsed(body)), status(dialect::openai().inspect(document, operation, wants, view)) {}
  Inspected(const Inspected&) = delete;
  Inspected& operator=(const Inspected&) = delete;

  json::Document document;
  chat::RequestView view;
  Status status;
};

/// A JSON value in one spelling: members sorted, numbers as doubles, members that are null left out where asked for.
inline std::string canonical(const json::Value& value, bool nulls = false) {
  using json::Type;
  switch (value.type()) {
    case Type::kNull: return "null";
    case Type::kBool: return *value.boolean() ? "true" : "false";
    case Type::kNumber: {
      if (const auto n = value.integer()) return std::to_string(*n);
      char text[64];
      std::snprintf(text, sizeof text, "%.17g", value.number().value_or(0));
      return text;
    }
    case Type::kString: {
      std::string scratch;
      return '"' + std::string(value.text(scratch)) + '"';
    }
    case Type::kArray: {
      std::string out = "[";
      for (json::Value item = value.first(); item; item = item.next()) out += canonical(item, nulls) + ",";
      return out + "]";
    }
    case Type::kObject: {
      std::vector<std::pair<std::string, std::string>> members;
      std::string scratch;
      for (json::Value item = value.first(); item; item = item.next()) {
        if (item.is(Type::kNull) && !nulls) continue;
        members.emplace_back(std::string(item.key(scratch)), canonical(item, nulls));
      }
      std::sort(members.begin(), members.end());
      std::string out = "{";
      for (const auto& [key, text] : members) out.append(key).append(":").append(text).append(",");
      return out + "}";
    }
  }
  return {};
}
inline std::string canonical(std::string_view json, bool nulls = false) {
  const json::Document document = parsed(json);
  return canonical(document.root(), nulls);
}

}  // namespace sluice::test
