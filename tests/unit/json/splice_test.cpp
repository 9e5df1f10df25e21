// Changes to a body: the rest of it stays as it is, and whatever is combined stays JSON.

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "json/splice.hpp"
#include "unit/json/model.hpp"

using namespace sluice;
using base::EditedBody;
using json::Document;
using json::Editor;
using test::Tree;

namespace {

Document parsed(std::string_view text) {
  auto document = Document::parse(Body::copy(text));
  INFO(text);
  if (!document) FAIL(document.error().message);
  return *std::move(document);
}

// The result of one change, or its error's message.
template <typename Change>
std::string after(std::string_view text, Change change) {
  const Document document = parsed(text);
  EditedBody body(document.body());
  const Status done = change(body, document.root());
  if (!done) return done.error().message;
  const std::string result = body.to_string();
  INFO(result);
  CHECK(Document::parse(Body::copy(result)));
  return result;
}

std::string with(std::string_view text, std::string_view pointer, std::string value) {
  return after(text, [&](EditedBody& body, json::Value root) { return json::set_at(body, root, pointer, std::move(value)); });
}
std::string without(std::string_view text, std::string_view pointer) {
  return after(text, [&](EditedBody& body, json::Value root) { return json::remove_at(body, root, pointer); });
}

std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

}  // namespace

// ROUTE-13, SEC-31
TEST_CASE("a renamed model leaves every other byte as it was") {
  const std::string text =
      "\t{ \"temperature\" : 0.70000000000000000001, \"model\"\n:  \"gpt-4o\" ,\"seed\":1E+2, \"n\": 18446744073709551616,\r\n"
      "\"messages\":[{\"role\":\"user\",\"content\":\"caf\\u00e9 \\/ caf\xC3\xA9\"}], \"z\":-0 , \"a\":1.0}\n";
  const Document document = parsed(text);
  const json::Value model = *document.root().find("model");
  EditedBody body(document.body());
  json::replace(body, model, "\"llama-3\"");
  const std::string sent = body.to_string();
  const std::size_t at = text.find("\"gpt-4o\""), behind = at + 8;
  CHECK(model.offset() == at);
  CHECK(fnv1a(std::string_view(sent).substr(0, at)) == fnv1a(std::string_view(text).substr(0, at)));
  CHECK(fnv1a(std::string_view(sent).substr(at + 9)) == fnv1a(std::string_view(text).substr(behind)));
  CHECK(sent.substr(at, 9) == "\"llama-3\"");
  CHECK(sent.size() == text.size() + 1);
  // What is policed is what is sent: the new text holds the model once, with the value that was set.
  const Document read_again = parsed(sent);
  CHECK(read_again.root().find("model")->equals("llama-3"));
}

TEST_CASE("a member is replaced in place or inserted first") {
  CHECK(with(R"({"a":1,"b":2})", "/b", "[3]") == R"({"a":1,"b":[3]})");
  CHECK(with(R"({"a":1})", "/b", "2") == R"({"b":2,"a":1})");
  CHECK(with(R"({ "a":1})", "/b", "2") == R"({"b":2, "a":1})");
  CHECK(with("{}", "/b", "2") == R"({"b":2})");
  CHECK(with("{ }", "/b", "2") == R"({"b":2 })");
  CHECK(with(R"({"mod\u0065l":1})", "/model", "2") == R"({"mod\u0065l":2})");
  CHECK(with("{}", "/a\"~1~0", "0") == R"({"a\"/~":0})");
  CHECK(with("[1,2]", "", "null") == "null");
  CHECK(with("[1,2,3]", "/1", "\"x\"") == R"([1,"x",3])");
  CHECK(with("[[],[2]]", "/1/0", "9") == "[[],[9]]");
}

TEST_CASE("parents that are missing are made, but not inside scalars or behind arrays") {
  CHECK(with("{}", "/a/b/c", "true") == R"({"a":{"b":{"c":true}}})");
  CHECK(with(R"({"a":{"x":1}})", "/a/b/c", "true") == R"({"a":{"b":{"c":true},"x":1}})");
  const std::string nowhere = "the JSON Pointer leads through a value that has no such place: `/b` is left over";
  CHECK(with(R"({"a":1})", "/a/b", "2") == nowhere);
  CHECK(with(R"({"a":[0]})", "/a/b", "2") == nowhere);
  CHECK(with(R"({"a":[0]})", "/a/1", "2").ends_with("`/1` is left over"));
  CHECK(with(R"({"a":null})", "/a/b/c", "2").ends_with("`/b/c` is left over"));
  CHECK(with(R"({"a":1,"a":2})", "/a", "2").starts_with("the key `a` stands more than once"));
  CHECK(with("{}", "a", "2").find("does not begin with a slash") != std::string::npos);
  CHECK(with("{}", "/a/b~", "2").find("neither ~0 nor ~1") != std::string::npos);
}

TEST_CASE("a removed child takes its comma along") {
  CHECK(without(R"({"a":1})", "/a") == "{}");
  CHECK(without(R"({ "a" : 1 })", "/a") == "{  }");
  CHECK(without(R"({"a":1,"b":2,"c":3})", "/a") == R"({"b":2,"c":3})");
  CHECK(without(R"({"a":1,"b":2,"c":3})", "/b") == R"({"a":1,"c":3})");
  CHECK(without(R"({"a":1,"b":2,"c":3})", "/c") == R"({"a":1,"b":2})");
  CHECK(without(R"({ "a" : 1 , "b" : 2 })", "/b") == R"({ "a" : 1 })");
  CHECK(without("[1,2,3]", "/0") == "[2,3]");
  CHECK(without("[1 , 2 , 3]", "/2") == "[1 , 2]");
  CHECK(without("[[1],[2]]", "/1/0") == "[[1],[]]");
  CHECK(without("{}", "/a") == "{}");
  CHECK(without("{}", "/a/b") == "{}");
  CHECK(without("[1]", "/7") == "[1]");
  CHECK(without(R"({"a":1})", "/a/b").find("no such place") != std::string::npos);
  CHECK(without("{}", "").find("cannot be removed") != std::string::npos);
}

TEST_CASE("the free functions by handle do the same") {
  const Document document = parsed(R"({"a":1,"b":{"c":2}})");
  const json::Value root = document.root();
  EditedBody body(document.body());
  REQUIRE(json::set(body, *root.find("b"), "d", "3"));
  json::remove(body, root, *root.find("a"));
  CHECK(body.to_string() == R"({"b":{"d":3,"c":2}})");
  CHECK(json::set(body, *root.find("a"), "d", "3").error().code == Code::kInvalidRequest);
}

TEST_CASE("changes that meet in one object share its commas rightly") {
  const auto edited = [](std::string_view text, auto... changes) {
    return after(text, [&](EditedBody& body, json::Value root) -> Status {
      Editor editor;
      (changes(editor, root), ...);
      editor.apply(body);
      return {};
    });
  };
  const auto set = [](const char* pointer, const char* value) {
    return [=](Editor& editor, json::Value root) { REQUIRE(editor.set_at(root, pointer, value)); };
  };
  const auto remove = [](const char* pointer) {
    return [=](Editor& editor, json::Value root) { REQUIRE(editor.remove_at(root, pointer)); };
  };
  CHECK(edited("{}", set("/a", "1"), set("/b", "2")) == R"({"a":1,"b":2})");
  CHECK(edited(R"({"c":3})", set("/a", "1"), set("/b", "2")) == R"({"a":1,"b":2,"c":3})");
  CHECK(edited(R"({"c":3})", remove("/c"), set("/b", "2")) == R"({"b":2})");
  CHECK(edited(R"({"c":3,"d":4})", remove("/c"), set("/b", "2")) == R"({"b":2,"d":4})");
  CHECK(edited(R"({"c":3,"d":4})", remove("/d"), set("/b", "2")) == R"({"b":2,"c":3})");
  CHECK(edited(R"({"c":3, "d":4 })", remove("/d"), remove("/c")) == "{ }");
  CHECK(edited(R"({"c":3,"d":4,"e":5})", remove("/d"), remove("/c")) == R"({"e":5})");
  CHECK(edited(R"({"c":3,"d":4,"e":5})", remove("/d"), remove("/e")) == R"({"c":3})");
  CHECK(edited(R"({"c":3,"d":4,"e":5})", remove("/c"), remove("/e")) == R"({"d":4})");
  CHECK(edited("[0,1,2,3,4]", remove("/0"), remove("/2"), remove("/4")) == "[1,3]");
  CHECK(edited("{}", set("/x/y", "1"), set("/x/z", "2")) == R"({"x":{"z":2,"y":1}})");
  CHECK(edited("{}", set("/x/y", "1"), remove("/x/y")) == R"({"x":{}})");
  CHECK(edited("{}", set("/x", "1"), remove("/x")) == "{}");
  CHECK(edited("{}", set("/x", "1"), set("/x", "2")) == R"({"x":2})");
  CHECK(edited(R"({"a":1,"b":2})", remove("/a"), set("/a", "3")) == R"({"a":3,"b":2})");
  CHECK(edited(R"({"a":{"b":1},"c":2})", set("/a/b", "5"), remove("/a")) == R"({"c":2})");
  CHECK(edited(R"({"a":{"b":1},"c":2})", set("/a/n", "5"), remove("/a"), set("/a/d", "6")) == R"({"a":{"d":6},"c":2})");
  CHECK(edited(R"({"a":{"b":1},"c":2})", set("/a", "{\"q\":0}"), set("/a/d", "6"), remove("/a/q")) == R"({"a":{"d":6},"c":2})");
  CHECK(edited(R"({"a":{"b":[1,2]}})", set("/a/b/1", "[7,8]"), set("/a/b/1/0", "9"), remove("/a/b/0")) == R"({"a":{"b":[[9,8]]}})");
  CHECK(edited(R"({"a":1})", remove("/a"), remove("/a"), remove("/a/b")) == "{}");
}

TEST_CASE("a change by handle below a replaced value goes with it") {
  const Document document = parsed(R"({"a":{"b":{"c":1}},"d":2})");
  const json::Value root = document.root();
  Editor editor;
  CHECK(editor.empty());
  REQUIRE(editor.set(*root.at("/a/b"), "x", "1"));
  editor.remove(*root.at("/a/b"), *root.at("/a/b/c"));
  editor.replace(*root.find("a"), "0");
  CHECK_FALSE(editor.empty());
  EditedBody body(document.body());
  editor.apply(body);
  CHECK(body.to_string() == R"({"a":0,"d":2})");
}

namespace {

// The reference: the same changes on a plain tree, one after the other.
struct Step {
  bool set;
  std::vector<std::string> path;
  std::string value;
};

bool apply(Tree& tree, const Step& step, std::size_t level = 0) {
  if (level == step.path.size()) {
    tree = test::TreeReader::read(step.value);
    return true;
  }
  const std::string& token = step.path[level];
  const bool last = level + 1 == step.path.size();
  if (tree.kind != Tree::kObject) return false;
  Tree* member = tree.member(token);
  if (!step.set) {
    if (member == nullptr) return true;
    if (!last) return apply(*member, step, level + 1);
    std::erase_if(tree.members, [&](const auto& m) { return m.first == token; });
    return true;
  }
  if (member == nullptr) {
    tree.members.emplace_back(token, Tree{Tree::kObject});
    member = &tree.members.back().second;
  }
  return apply(*member, step, level + 1);
}

}  // namespace

TEST_CASE("thousands of random series of changes give what a plain tree gives, and valid JSON") {
  std::size_t changed = 0;
  for (unsigned seed = 0; seed != 6000; ++seed) {
    test::RandomJson random(seed);
    const std::string text = random.text();
    const Document document = parsed(text);
    Tree tree = test::TreeReader::read(text);
    Editor editor;
    std::string story = text;
    for (unsigned n = 1 + random.below(8); n != 0; --n) {
      Step step{random.below(2) == 0, {}, random.text(2)};
      std::string pointer;
      for (unsigned levels = 1 + random.below(3); levels != 0; --levels) {
        step.path.push_back("k" + std::to_string(random.below(6)));
        pointer += "/" + step.path.back();
      }
      Tree expected = tree;
      const bool possible = apply(expected, step);
      story += step.set ? "\nset " + pointer + " " + step.value : "\nremove " + pointer;
      const Status done = step.set ? editor.set_at(document.root(), pointer, step.value) : editor.remove_at(document.root(), pointer);
      // Removing below an array is no error with us: there is nothing to remove.
      if (done.has_value() != possible && step.set) FAIL(story);
      if (possible) tree = expected;
    }
    EditedBody body(document.body());
    editor.apply(body);
    const std::string result = body.to_string();
    if (!Document::parse(Body::copy(result))) FAIL(story << "\ngives " << result);
    if (test::TreeReader::read(result).sorted() != tree.sorted()) FAIL(story << "\ngives " << result);
    changed += body.edited() ? 1 : 0;
  }
  CHECK(changed > 1000);
}

TEST_CASE("random elements and members removed in any number leave the others as they were") {
  for (unsigned seed = 0; seed != 3000; ++seed) {
    test::RandomJson random(seed);
    const std::string text = random.text();
    const Document document = parsed(text);
    Tree expected = test::TreeReader::read(text);
    Editor editor;
    // Some children of the root, by handle.
    std::size_t kept = 0, index = 0;
    for (json::Value child = document.root().first(); child; child = child.next(), ++index) {
      if (random.below(2) == 0) {
        ++kept;
        continue;
      }
      editor.remove(document.root(), child);
      const auto at = static_cast<std::ptrdiff_t>(kept);
      if (expected.kind == Tree::kArray) expected.elements.erase(expected.elements.begin() + at);
      if (expected.kind == Tree::kObject) expected.members.erase(expected.members.begin() + at);
    }
    EditedBody body(document.body());
    editor.apply(body);
    if (test::TreeReader::read(body.to_string()) != expected) FAIL(text << "\ngives " << body.to_string());
  }
}

TEST_CASE("the golden splices come out byte for byte") {
  std::ifstream file(std::string(SLUICE_SOURCE_DIR) + "/tests/golden/json/splices.json", std::ios::binary);
  std::ostringstream contents;
  contents << file.rdbuf();
  const Document cases = parsed(contents.str());
  std::size_t seen = 0;
  for (json::Value row = cases.root().first(); row; row = row.next(), ++seen) {
    std::string name, text, result, verb, pointer, value;
    INFO(row.find("name")->text(name));
    const Document document = parsed(row.find("text")->text(text));
    Editor editor;
    for (json::Value edit = row.find("edits")->first(); edit; edit = edit.next()) {
      const std::string_view where = edit.element(1).text(pointer);
      if (edit.element(0).equals("set")) {
        REQUIRE(editor.set_at(document.root(), where, std::string(edit.element(2).text(value))));
      } else {
        REQUIRE(editor.remove_at(document.root(), where));
      }
    }
    EditedBody body(document.body());
    editor.apply(body);
    CHECK(body.to_string() == row.find("result")->text(result));
  }
  CHECK(seen >= 5);
}
