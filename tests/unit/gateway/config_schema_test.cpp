#include <catch2/catch.hpp>

#include <functional>

#include "gateway/config_table.hpp"
#include "sluice/config.hpp"
#include "support/files.hpp"
#include "support/schema_checker.hpp"

using namespace sluice;
using gateway::config::Member;
using gateway::config::Shape;

namespace {

/// Every object of the table, once for each place it stands at.
void each_object(const Shape& shape, const std::string& place,
                 const std::function<void(const Shape&, const std::string&)>& visit) {
  if (shape.kind == Shape::Kind::kObject) {
    visit(shape, place);
    for (const Member& member : shape.members) each_object(*member.shape, place + "/" + std::string(member.key), visit);
  }
  if (shape.element) each_object(*shape.element, place + "/*", visit);
  for (const auto& one : shape.alternatives) each_object(*one, place, visit);
}

}  // namespace

TEST_CASE("the published schema is the one the table makes") {
  CHECK(tests::source_file("docs/schema/config.schema.json") == config_schema());
}

// OPS-09
TEST_CASE("the parser and the schema agree on every document of the corpus") {
  const auto schema = json::Document::parse(Body::copy(config_schema()));
  REQUIRE(schema);
  const auto corpus = json::Document::parse(Body::copy(tests::source_file("tests/golden/config_corpus.json")));
  REQUIRE(corpus);
  std::size_t count = 0;
  for (auto entry = corpus->root().first(); entry; entry = entry.next(), ++count) {
    const auto document = tests::member(entry, "document");
    const auto problems = gateway::config::structure_of(document.raw());
    INFO(tests::text_of(tests::member(entry, "name")) << ": " << to_string(problems));
    CHECK(problems.empty() == tests::valid(schema->root(), document));
    CHECK(problems.empty() == !tests::member(entry, "verdict").equals("form"));
  }
  CHECK(count >= 60);
}

TEST_CASE("every key of the table says what it means, and its example and default are valid") {
  const auto schema = json::Document::parse(Body::copy(config_schema()));
  REQUIRE(schema);
  each_object(gateway::config::document_shape(), "", [](const Shape& object, const std::string& place) {
    for (const Member& member : object.members) {
      INFO(place << "/" << member.key);
      CHECK(member.meaning.ends_with('.'));
      for (const std::string_view text : {member.example, std::string_view(member.default_json)}) {
        if (!text.empty()) CHECK(json::Document::parse(Body::copy(text)));
      }
      CHECK_FALSE((member.required && !member.default_json.empty()));
    }
  });
  // Every "default" and every "examples" of the schema fits the schema it stands in.
  const std::function<void(json::Value)> walk = [&](json::Value node) {
    if (node.is(json::Type::kObject)) {
      if (const auto value = tests::member(node, "default"); value && tests::member(node, "description")) {
        INFO(node.raw());
        CHECK(tests::valid(node, value));
      }
      if (const auto values = tests::member(node, "examples"); values && values.is(json::Type::kArray)) {
        INFO(node.raw());
        CHECK(tests::valid(node, values.first()));
      }
    }
    if (!node.is(json::Type::kObject) && !node.is(json::Type::kArray)) return;
    for (auto child = node.first(); child; child = child.next()) walk(child);
  };
  walk(schema->root());
}
