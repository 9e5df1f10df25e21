// Shapes in words, and JSON laid out for reading. Must not know which shapes there are.

#include "gateway/config_shape.hpp"

#include <fmt/format.h>

#include "json/document.hpp"
#include "json/writer.hpp"

namespace sluice::gateway::config {

namespace {

std::string one_of(const std::vector<std::string_view>& names, std::string_view joiner) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? joiner : std::string_view(", ");
    out += fmt::format("\"{}\"", names[i]);
  }
  return out;
}

std::string range(const Shape& shape) {
  return shape.min == shape.max ? fmt::format("{}", shape.min)
                                : fmt::format("an integer from {} to {}", shape.min, shape.max);
}

/// The same text without the blanks between its tokens, and its items one by one where it does not fit.
void lay_out(std::string& out, json::Value value, std::size_t indent, std::size_t width);

void on_one_line(std::string& out, json::Value value) {
  const bool object = value.is(json::Type::kObject);
  if (!object && !value.is(json::Type::kArray)) {
    out += value.raw();
    return;
  }
  out += object ? '{' : '[';
  bool first = true;
  for (json::Value item = value.first(); item; item = item.next()) {
    if (!first) out += ", ";
    first = false;
    if (object) fmt::format_to(std::back_inserter(out), "\"{}\": ", item.raw_key());
    on_one_line(out, item);
  }
  out += object ? '}' : ']';
}

void lay_out(std::string& out, json::Value value, std::size_t indent, std::size_t width) {
  const std::size_t line_start = out.rfind('\n') == std::string::npos ? 0 : out.rfind('\n') + 1;
  const bool object = value.is(json::Type::kObject);
  if ((!object && !value.is(json::Type::kArray)) || !value.first()) return on_one_line(out, value);
  if (indent > 0) {  // the document itself never stands on one line
    std::string line;
    on_one_line(line, value);
    if (out.size() - line_start + line.size() < width) {
      out += line;
      return;
    }
  }
  out += object ? '{' : '[';
  bool first = true;
  for (json::Value item = value.first(); item; item = item.next()) {
    out += first ? "\n" : ",\n";
    first = false;
    out.append(indent + 2, ' ');
    if (object) fmt::format_to(std::back_inserter(out), "\"{}\": ", item.raw_key());
    lay_out(out, item, indent + 2, width);
  }
  out += '\n';
  out.append(indent, ' ');
  out += object ? '}' : ']';
}

}  // namespace

std::string describe(const Shape& shape) {
  using Kind = Shape::Kind;
  switch (shape.kind) {
    case Kind::kAny:
      return "any JSON value";
    case Kind::kScalar:
      return "a text, a number, true, false or null";
    case Kind::kBoolean:
      return "true or false";
    case Kind::kTrue:
      return "true";
    case Kind::kInteger:
      return range(shape) + (shape.unit.empty() ? "" : fmt::format(" ({})", shape.unit));
    case Kind::kNumber:
      if (shape.low < -1e300) return "a number";
      return fmt::format("a number from {} to {}{}", shape.low, shape.high,
                         shape.unit.empty() ? "" : fmt::format(" ({})", shape.unit));
    case Kind::kText:
      return std::string(shape.form.what);
    case Kind::kName:
      return one_of(shape.names, " or ");
    case Kind::kList: {
      const std::string element = describe(*shape.element);
      return shape.one_alone ? fmt::format("{}, or a list of such", element) : fmt::format("a list, each {}", element);
    }
    case Kind::kMap:
      return fmt::format("an object of keys, each with {}", describe(*shape.element));
    case Kind::kObject:
      if (shape.exactly_one.empty()) return "an object";
      return fmt::format("an object with exactly one of {}", one_of(shape.exactly_one, " and "));
    case Kind::kEither:
      return fmt::format("{}, or {}", describe(*shape.alternatives[0]), describe(*shape.alternatives[1]));
  }
  return {};
}

bool is_annotation(std::string_view key) noexcept { return key == "$comment" || key == "$schema"; }

std::string laid_out(std::string_view text, std::size_t width) {
  const auto document = json::Document::parse(Body::copy(text));
  if (!document) return std::string(text);
  std::string out;
  out.reserve(text.size() * 2);
  lay_out(out, document->root(), 0, width);
  return out;
}

}  // namespace sluice::gateway::config
