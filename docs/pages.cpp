// Writes the pages that are generated: docs/schema/config.schema.json, docs/configuration.md and docs/errors.md.
//
//   sluice_pages write DIRECTORY     puts them below the source tree at DIRECTORY
//   sluice_pages check DIRECTORY     exit 1 where one of them is not what it would write
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "gateway/config_table.hpp"
#include "sluice/config.hpp"
#include "sluice/error.hpp"

namespace {

using sluice::gateway::config::Member;
using sluice::gateway::config::Shape;

/// One object of the document, and every place it stands at.
struct Section {
  const Shape* shape;
  std::vector<std::string> places;
};

std::string in_table(std::string_view text) {
  std::string out;
  for (const char c : text) (out += c == '|' ? "\\" : "") += c;
  return out;
}

std::string code(std::string_view text) { return text.empty() ? std::string() : fmt::format("`{}`", in_table(text)); }

std::string anchor(std::string_view title) {
  std::string out;
  for (const char c : title) out += c == ' ' ? '-' : static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return out;
}

/// What may stand there, with a link where it is an object with a section of its own.
std::string value_of(const Shape& shape) {
  switch (shape.kind) {
    case Shape::Kind::kObject:
      return fmt::format("[{}](#{})", shape.title, anchor(shape.title));
    case Shape::Kind::kList: {
      const std::string element = value_of(*shape.element);
      return shape.one_alone ? fmt::format("{}, or a list of such", element) : fmt::format("a list: {}", element);
    }
    case Shape::Kind::kMap:
      return fmt::format("an object: key -> {}", value_of(*shape.element));
    case Shape::Kind::kEither:
      return fmt::format("{}, or {}", value_of(*shape.alternatives[0]), value_of(*shape.alternatives[1]));
    case Shape::Kind::kName: {
      std::string out;
      for (const auto& name : shape.names) (out += out.empty() ? "" : ", ") += fmt::format("`\"{}\"`", name);
      return out;
    }
    default:
      return describe(shape);
  }
}

/// Objects in the order of the document; one with the same title as an earlier one is the same one, elsewhere.
void collect(const Shape& shape, const std::string& place, std::vector<Section>& sections) {
  if (shape.kind == Shape::Kind::kObject) {
    for (Section& known : sections) {
      if (known.shape->title == shape.title) return known.places.push_back(place);
    }
    sections.push_back({&shape, {place}});
    for (const Member& member : shape.members)
      collect(*member.shape, place.empty() ? std::string(member.key) : fmt::format("{}.{}", place, member.key),
              sections);
  }
  if (shape.element) collect(*shape.element, place + (shape.kind == Shape::Kind::kList ? "[]" : ".*"), sections);
  for (const auto& one : shape.alternatives) collect(*one, place, sections);
}

std::string configuration_page() {
  std::vector<Section> sections;
  collect(sluice::gateway::config::document_shape(), "", sections);
  std::string out = R"(# The configuration

This page is written by `sluice_pages` from the table the parser itself works by (`lib/gateway/config_table*.cpp`); do not edit it.
The same table makes the [JSON Schema](schema/config.schema.json): name it in `"$schema"` and an editor helps while you write.
How requests find their route is told in [routing.md](routing.md).

- The document is strict: an unknown key, a value of the wrong type or out of range, a name that leads nowhere, two settings that
  exclude each other and a setting that would do nothing are refused, all of them at once, each with its JSON Pointer.
- `sluiced CONFIG.json --check` says whether a document is good without starting anything, `--dump` prints it with every default.
- Times are whole milliseconds (`_ms`), sizes are bytes. Texts and lists, where they stand, are not empty; leave the key out instead.
- Patterns: a *glob* knows `*` (any run) and `?` (one character); a *regular expression* is [RE2](https://github.com/google/re2/wiki/Syntax),
  found anywhere in the text unless `^` and `$` tie it.
)";
  for (const Section& section : sections) {
    const Shape& shape = *section.shape;
    std::string where;
    for (const auto& place : section.places) (where += where.empty() ? "" : ", ") += fmt::format("`{}`", place);
    fmt::format_to(std::back_inserter(out), "\n## {}\n\n", shape.title);
    if (where != "``") fmt::format_to(std::back_inserter(out), "At {}. ", where);
    out += shape.meaning;
    if (!shape.exactly_one.empty()) {
      out += " Exactly one of";
      for (const auto& key : shape.exactly_one)
        fmt::format_to(std::back_inserter(out), "{} `{}`", &key == shape.exactly_one.data() ? "" : ",", key);
      out += " stands there.";
    }
    out += "\n\n| key | meaning | value | default | example |\n|---|---|---|---|---|\n";
    for (const Member& member : shape.members) {
      fmt::format_to(std::back_inserter(out), "| `{}`{} | {} | {} | {} | {} |\n", member.key,
                     member.required ? " (required)" : "", in_table(member.meaning), in_table(value_of(*member.shape)),
                     code(member.default_json), code(member.example));
    }
  }
  return out;
}

std::string errors_page() {
  std::string out = R"(# Errors

This page is written by `sluice_pages` from the catalogue of codes (`lib/base/error.cpp`); do not edit it.

An error says what happened (its code), who caused it, and how to answer. In answers the code stands in the shape of the caller's
dialect, with a sentence that names the value at fault. Numbers are the same in C and C++ and never change their meaning; `0` for
the status means that no HTTP answer goes with it. An upstream's own error status reaches the caller as it is.

Who: *caller* changes the request; *gateway* is the operator's; *upstream* is the provider or the way to it; *plugin* is an extension.

| code | number | status | who | cause | remedy |
|---|---|---|---|---|---|
)";
  for (const sluice::CodeInfo& row : sluice::all_codes()) {
    fmt::format_to(std::back_inserter(out), "| `{}` | {} | {} | {} | {} | {} |\n", row.name, static_cast<int>(row.code),
                   row.http_status, sluice::to_string(row.origin), in_table(row.cause), in_table(row.remedy));
  }
  return out;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc == 3 ? argv[1] : "";
  if (command != "write" && command != "check") {
    fmt::print(stderr, "usage: sluice_pages write|check DIRECTORY\n");
    return 2;
  }
  const std::map<std::string, std::string> pages{
      {"docs/schema/config.schema.json", std::string(sluice::config_schema())},
      {"docs/configuration.md", configuration_page()},
      {"docs/errors.md", errors_page()}};
  int status = 0;
  for (const auto& [path, text] : pages) {
    const std::string full = fmt::format("{}/{}", argv[2], path);
    if (command == "write") {
      std::ofstream(full, std::ios::binary) << text;
    } else if (read_file(full) != text) {
      fmt::print(stderr, "{} is not what the tables say: run sluice_pages write {}\n", path, argv[2]);
      status = 1;
    }
  }
  return status;
}
