// Values with paths into a JSON text: containers are opened and closed as the path moves on.

#include "dialect/gemini_partial_args.hpp"

#include <algorithm>

#include "dialect/gemini_keys.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using json::Type;
using json::Value;

constexpr std::size_t kMaxSteps = 64;

}  // namespace

/// `$.a.b[0]['c d']`, as JSONPath (RFC 9535) has single places.
std::vector<PartialArguments::Step> PartialArguments::steps_of(std::string_view path) {
  std::vector<Step> steps;
  std::size_t at = path.starts_with('$') ? 1 : 0;
  while (at < path.size() && steps.size() < kMaxSteps) {
    if (path[at] == '[') {
      const bool quoted = at + 1 < path.size() && (path[at + 1] == '\'' || path[at + 1] == '"');
      const std::size_t begin = at + (quoted ? 2 : 1);
      const std::size_t end = quoted ? path.find(std::string({path[at + 1], ']'}), begin) : path.find(']', begin);
      if (end == std::string_view::npos) break;
      steps.push_back({!quoted, std::string(path.substr(begin, end - begin))});
      at = end + (quoted ? 2 : 1);
    } else {
      const std::size_t begin = path[at] == '.' ? at + 1 : at;
      const std::size_t end = std::min(path.find_first_of(".[", begin), path.size());
      if (end == begin) break;
      steps.push_back({false, std::string(path.substr(begin, end - begin))});
      at = end;
    }
  }
  return steps;
}

void PartialArguments::end_string(std::string& out) {
  if (in_string_) out += '"';
  in_string_ = false;
}

void PartialArguments::open(const std::vector<Step>& path, std::string& out) {
  // Each step stands in a container of its own, which is closed where the ways part.
  const auto common = static_cast<std::size_t>(std::mismatch(at_.begin(), at_.end(), path.begin(), path.end()).first - at_.begin());
  if (begun_) {
    for (std::size_t i = at_.size(); i > common + 1; --i) out += at_[i - 1].element ? ']' : '}';
    out += ',';
  }
  for (std::size_t i = common; i < path.size(); ++i) {
    if (!begun_ || i != common) out += path[i].element ? '[' : '{';
    if (path[i].element) continue;
    json::append_string(out, path[i].name);
    out += ':';
  }
  at_ = path;
  begun_ = true;
}

void PartialArguments::add(const Value& piece, std::string& out) {
  const std::vector<Step> path = steps_of(text(piece, "jsonPath"));
  // An argument has a name: what has none adds nothing.
  if (path.empty() || path.front().element) return;
  if (!begun_ || path != at_) {
    // Two values at places where one would have to be both a value and a container are no JSON: the later one is left out.
    const std::size_t shorter = std::min(path.size(), at_.size());
    if (begun_ && std::equal(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(shorter), at_.begin())) return;
    end_string(out);
    const auto parts = static_cast<std::size_t>(std::mismatch(at_.begin(), at_.end(), path.begin(), path.end()).first - at_.begin());
    if (begun_ && at_[parts].element != path[parts].element) return;
    open(path, out);
  } else if (!in_string_) {
    return;  // said before
  }
  const bool goes_on = flag(piece, "willContinue");
  if (const Value said = member(piece, "stringValue"); said.is(Type::kString)) {
    std::string quoted;
    json::append_string(quoted, text(piece, "stringValue"));
    if (!in_string_) out += '"';
    out.append(quoted, 1, quoted.size() - 2);
    in_string_ = true;
    if (!goes_on) end_string(out);
    return;
  }
  if (in_string_) {
    if (!goes_on) end_string(out);
    return;
  }
  for (const std::string_view name : {"numberValue", "boolValue"}) {
    if (const Value said = member(piece, name)) {
      out += said.raw();
      return;
    }
  }
  if (goes_on) {
    out += '"';
    in_string_ = true;
    return;
  }
  out += "null";
}

void PartialArguments::close(std::string& out) {
  if (!begun_) {
    out += "{}";
    return;
  }
  end_string(out);
  for (std::size_t i = at_.size(); i > 0; --i) out += at_[i - 1].element ? ']' : '}';
}

}  // namespace sluice::dialect::gemini_parts
