// Templates taken apart, and what is wrong with them told by name.

#include "dialect/rest_template.hpp"

#include <array>

#include "base/nearest.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::rest_parts {
namespace {

using chat::Operation;
using json::Type;
using json::Value;

constexpr std::uint32_t kChat = bit(Operation::kChat), kPrompts = bit(Operation::kCompletions), kVectors = bit(Operation::kEmbeddings),
                        kRank = bit(Operation::kRerank), kJudge = bit(Operation::kModerations), kTexts = kChat | kPrompts,
                        kAll = kTexts | kVectors | kRank | kJudge;

constexpr std::array<SaidRow, static_cast<std::size_t>(Said::kCount)> kRows{{
    {"/prompt", kTexts},
    {"/messages", kChat, "messages"},
    {"/system", kChat},
    {"/last_user", kChat},
    {"/model", kAll},
    {"/max_tokens", kTexts},
    {"/temperature", kTexts},
    {"/top_p", kTexts},
    {"/top_k", kTexts},
    {"/min_p", kTexts},
    {"/frequency_penalty", kTexts},
    {"/presence_penalty", kTexts},
    {"/repetition_penalty", kTexts},
    {"/seed", kTexts},
    {"/stop", kTexts},
    {"/stream", kTexts},
    {"/user", kAll},
    {"/tools", kChat, "tools"},
    {"/tool_choice", kChat, "tool_choice"},
    {"/parallel_tool_calls", kChat, "parallel_tool_calls"},
    {"/response_format", kChat, "response_format"},
    {"/json_schema", kChat},
    {"/reasoning_effort", kChat, "reasoning_effort"},
    {"/suffix", kPrompts},
    {"/input", kVectors | kJudge},
    {"/inputs", kVectors},
    {"/input_count", kVectors},
    {"/dimensions", kVectors},
    {"/input_type", kVectors},
    {"/query", kRank},
    {"/documents", kRank},
    {"/top_n", kRank},
    {"/return_documents", kRank},
    {"/truncate", kRank},
}};

/// Says something to people alone, here as everywhere in a configuration.
constexpr std::string_view kComment = "$comment";

/// The numbers among them: what bounds can be put to.
bool is_number(Said said) noexcept {
  switch (said) {
    case Said::kMaxTokens:
    case Said::kTemperature:
    case Said::kTopP:
    case Said::kTopK:
    case Said::kMinP:
    case Said::kFrequencyPenalty:
    case Said::kPresencePenalty:
    case Said::kRepetitionPenalty:
    case Said::kSeed:
    case Said::kInputCount:
    case Said::kDimensions:
    case Said::kTopN: return true;
    default: return false;
  }
}

std::string escaped(std::string_view key) {
  std::string out;
  for (const char c : key) {
    if (c == '~') out += "~0";
    else if (c == '/') out += "~1";
    else out += c;
  }
  return out;
}

}  // namespace

const SaidRow& row_of(Said said) noexcept { return kRows[static_cast<std::size_t>(said)]; }

Template::Template(std::string_view json, chat::Operation operation, const std::string& here, std::vector<Fault>& faults)
    : operation_(operation), faults_(&faults) {
  const auto document = json::Document::parse(Body::copy(json));
  if (!document) {
    fault(here, json.empty() ? "needs \"request\", the body that is sent" : "is no JSON: " + document.error().message);
  } else if (!document->root().is(Type::kObject) || reading::member(document->root(), "$from") || reading::member(document->root(), "$if")) {
    fault(here, "must be a JSON object with references in it");
  } else {
    root_ = compile(document->root(), here);
  }
  faults_ = nullptr;
}

Node Template::compile(const Value& value, const std::string& here) {
  Node out;
  if (value.is(Type::kObject)) {
    std::string scratch;
    if (reading::member(value, "$from")) return compile_reference(value, false, here);
    if (reading::member(value, "$if")) return compile_reference(value, true, here);
    out.kind = Node::Kind::kObject;
    for (Value m = value.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (key == kComment) continue;
      const std::string below = here + '/' + escaped(key);
      if (key.starts_with('$')) fault(below, "is no reference; an object stands for something with \"$from\" or \"$if\"");
      out.keys.emplace_back(key);
      out.children.push_back(compile(m, below));
    }
    return out;
  }
  if (value.is(Type::kArray)) {
    out.kind = Node::Kind::kList;
    std::size_t n = 0;
    for (Value item = value.first(); item; item = item.next()) out.children.push_back(compile(item, here + '/' + std::to_string(n++)));
    return out;
  }
  out.text = value.raw();
  return out;
}

Node Template::compile_reference(const Value& value, bool is_if, const std::string& here) {
  Node out;
  out.kind = is_if ? Node::Kind::kIf : Node::Kind::kFrom;
  std::string scratch;
  Value then, otherwise;
  for (Value m = value.first(); m; m = m.next()) {
    const std::string key(m.key(scratch));
    if (key == kComment) continue;
    const std::string below = here + '/' + escaped(key);
    if (key == (is_if ? "$if" : "$from")) {
      const std::string pointer = reading::text(m);
      std::vector<std::string_view> names;
      for (std::size_t i = 0; i < kRows.size(); ++i) {
        if ((kRows[i].operations & bit(operation_)) == 0) continue;
        names.push_back(kRows[i].pointer);
        if (kRows[i].pointer == pointer) out.said = static_cast<Said>(i);
      }
      if (out.said != Said::kCount) continue;
      const std::string_view near = base::nearest(pointer, names);
      std::string message = "callers of " + std::string(to_string(operation_)) + " say no " + (pointer.empty() ? "such thing" : "'" + pointer + "'");
      if (!near.empty()) {
        message += ", did you mean '" + std::string(near) + "'?";
      } else {
        message += "; they say";
        for (const std::string_view& name : names) message.append(&name == names.data() ? " " : ", ").append(name);
      }
      fault(below, std::move(message));
    } else if (key == "above" || key == "below") {
      (key == "above" ? out.bounds.above : out.bounds.below) = m.number();
      if (!m.number()) fault(below, "must be a number");
    } else if (key == "default" && !is_if) {
      out.text = m.raw();
    } else if (key == "then" && is_if) {
      then = m;
    } else if (key == "else" && is_if) {
      otherwise = m;
    } else {
      fault(below, is_if ? "stands in no \"$if\"; known there: above, below, then, else" : "stands in no \"$from\"; known there: above, below, default");
    }
  }
  if (out.said == Said::kCount) return out;
  uses_ |= std::uint64_t{1} << static_cast<unsigned>(out.said);
  openai_ = openai_ || !row_of(out.said).openai.empty();
  if (out.bounds.said() && !is_number(out.said)) fault(here, "has bounds, and '" + std::string(row_of(out.said).pointer) + "' is no number");
  if (!is_if) return out;
  if (!then) {
    fault(here, "needs \"then\", what stands there where it was said");
    return out;
  }
  out.children.push_back(compile(then, here + "/then"));
  if (otherwise) out.children.push_back(compile(otherwise, here + "/else"));
  return out;
}

}  // namespace sluice::dialect::rest_parts
