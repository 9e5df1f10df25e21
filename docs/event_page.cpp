// Writes what is generated in docs/telemetry.md: the tables of the event's fields, out of their schema
// (docs/schema/event.schema.json), and the example, out of the event writer itself. The text around is written by hand.
//
//   sluice_event_page write DIRECTORY    puts them into the page of the source tree at DIRECTORY
//   sluice_event_page check DIRECTORY    exit 1 where the page says something else
//   sluice_event_page print N            prints the sample events and N random ones, a line each
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "json/document.hpp"
#include "unit/telemetry/event_samples.hpp"

namespace {

using sluice::json::Document;
using sluice::json::Type;
using sluice::json::Value;

std::string text_of(Value value) {
  std::string scratch;
  return std::string(value.text(scratch));
}

Value member(Value object, std::string_view key) { return object.find(key).value_or(Value{}); }

std::string in_table(std::string_view text) {
  std::string out;
  for (const char c : text) (out += c == '|' ? "\\" : "") += c;
  return out;
}

/// An object of the event: `name` is empty for the event itself.
struct Section {
  std::string name;
  Value shape;
};

/// Objects in the order of the fields; one inside a list is called `name[]`.
void collect(const std::string& name, Value shape, std::vector<Section>& sections) {
  if (const Value items = member(shape, "items")) return collect(name + "[]", items, sections);
  const Value properties = member(shape, "properties");
  if (!properties) return;
  sections.push_back({name, shape});
  std::string scratch;
  for (Value field = properties.first(); field; field = field.next()) {
    const std::string key(field.key(scratch));
    collect(name.empty() ? key : name + "." + key, field, sections);
  }
}

std::string kind_of(Value field) {
  if (const Value names = member(field, "enum")) {
    std::string out;
    for (Value one = names.first(); one; one = one.next()) (out += out.empty() ? "" : ", ") += "`" + text_of(one) + "`";
    return out;
  }
  if (const Value only = member(field, "const")) return only.is(Type::kBool) ? "true" : "`" + text_of(only) + "`";
  const std::string type = text_of(member(field, "type"));
  if (type == "array") return "list";
  if (type == "string") return "text";
  return type == "boolean" ? "true or false" : type;
}

std::string field_tables(Value schema) {
  std::vector<Section> sections;
  collect("", schema, sections);
  std::string out;
  for (const Section& section : sections) {
    if (!section.name.empty()) {
      fmt::format_to(std::back_inserter(out), "\n### `{}`\n", section.name);
      if (const Value meaning = member(section.shape, "description")) out += "\n" + text_of(meaning) + "\n";
    }
    out += "\n| field | value | meaning |\n|---|---|---|\n";
    std::string scratch;
    for (Value field = member(section.shape, "properties").first(); field; field = field.next()) {
      const std::string key(field.key(scratch));
      bool always = false;
      const Value required = member(section.shape, "required");
      for (Value one = required ? required.first() : Value{}; one; one = one.next()) always = always || one.equals(key);
      fmt::format_to(std::back_inserter(out), "| `{}`{} | {} | {} |\n", key, always ? "" : "?",
                     in_table(kind_of(field)), in_table(text_of(member(field, "description"))));
    }
  }
  return out;
}

/// What stands between the marks called `name` becomes `text`. False where there are no such marks.
bool replace(std::string& page, const std::string& name, const std::string& text) {
  const std::string begin = "<!-- " + name + ": written by sluice_event_page -->\n", end = "<!-- end -->\n";
  const std::size_t from = page.find(begin);
  const std::size_t to = from == std::string::npos ? from : page.find(end, from);
  if (to == std::string::npos) return false;
  page.replace(from + begin.size(), to - from - begin.size(), text);
  return true;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

int print(int random_ones) {
  for (const auto& sample : sluice::tests::event_samples()) fmt::print("{}\n", sample.line());
  sluice::Random random(1);
  for (int i = 0; i < random_ones; ++i) fmt::print("{}\n", sluice::tests::random_sample(random).line());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc == 3 ? argv[1] : "";
  if (command == "print") return print(std::atoi(argv[2]));
  if (command != "write" && command != "check") {
    fmt::print(stderr, "usage: sluice_event_page write|check DIRECTORY, or print N\n");
    return 2;
  }
  const std::string root = argv[2], path = root + "/docs/telemetry.md";
  const auto schema = Document::parse(sluice::Body::copy(read_file(root + "/docs/schema/event.schema.json")));
  if (!schema) {
    fmt::print(stderr, "docs/schema/event.schema.json: {}\n", schema.error().message);
    return 1;
  }
  const std::string before = read_file(path);
  std::string page = before;
  if (!replace(page, "fields", field_tables(schema->root())) ||
      !replace(page, "example", "```json\n" + sluice::tests::event_sample("failover").line() + "\n```\n")) {
    fmt::print(stderr, "docs/telemetry.md has lost a mark: see docs/event_page.cpp\n");
    return 1;
  }
  if (command == "write") {
    std::ofstream(path, std::ios::binary) << page;
  } else if (page != before) {
    fmt::print(stderr, "docs/telemetry.md is not what schema and writer say: run sluice_event_page write {}\n", root);
    return 1;
  }
  return 0;
}
