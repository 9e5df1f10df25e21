// Writes what is generated in docs/dialects.md: which dialects there are, which providers, and for every pair of dialects
// what of a request arrives, as the library's own loss reports say it.
//
//   sluice_dialects_page write DIRECTORY    puts it into the page of the source tree at DIRECTORY
//   sluice_dialects_page check DIRECTORY    exit 1 where the page says something else
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "dialect/dialect.hpp"
#include "dialect/providers.hpp"

namespace {

using namespace sluice;
using chat::Operation;
using chat::Part;
using dialect::Dialect;

/// Something a request can hold, put into one and found in one.
struct Feature {
  std::string_view name;
  std::function<void(chat::Request&)> put;
  std::function<bool(const chat::Request&)> holds;
};

const chat::ChatInput& input_of(const chat::Request& request) { return *request.chat(); }

template <typename T>
bool any_part(const chat::Request& request, const std::function<bool(const T&)>& fits) {
  const std::function<bool(const std::vector<Part>&)> look = [&](const std::vector<Part>& parts) {
    for (const Part& part : parts) {
      if (const T* found = part.as<T>(); found != nullptr && fits(*found)) return true;
      if (const auto* result = part.as<chat::ToolResult>(); result != nullptr && look(result->parts)) return true;
    }
    return false;
  };
  for (const chat::Turn& turn : input_of(request).turns) {
    if (look(turn.parts)) return true;
  }
  return false;
}

void add_to_user(chat::Request& request, Part part) { request.chat()->turns[0].parts.push_back(std::move(part)); }

/// An assistant's turn and what follows it.
void add_history(chat::Request& request, std::vector<Part> said, std::vector<Part> result) {
  auto& turns = request.chat()->turns;
  turns.push_back({.role = chat::Role::kAssistant, .parts = std::move(said)});
  turns.push_back({.role = result.empty() ? chat::Role::kUser : chat::Role::kTool,
                   .parts = result.empty() ? std::vector<Part>{{chat::Text{.text = "And now?"}}} : std::move(result)});
}

const std::string kSchema = R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"]})";

void add_tool(chat::Request& request) { request.chat()->tools.push_back({.name = "weather", .description = "d", .parameters = kSchema}); }

chat::Request base() {
  chat::Request request;
  request.model = "m";
  request.sampling.max_output_tokens = 64;
  request.input = chat::ChatInput{.turns = {{.role = chat::Role::kUser, .parts = {{chat::Text{.text = "Hello"}}}}}};
  return request;
}

Part call() { return {chat::ToolCall{.id = "call12345", .name = "weather", .arguments = R"({"city":"Rome"})"}}; }
Part result(std::vector<Part> parts, bool is_error = false) {
  return {chat::ToolResult{.call_id = "call12345", .name = "weather", .parts = std::move(parts), .is_error = is_error}};
}
Part image() { return {chat::Image{.source = {.data = "iVBORw0KGgo=", .media_type = "image/png"}}}; }

std::vector<Feature> features() {
  using R = chat::Request;
  const auto tool_choice = [](chat::ToolChoice choice) {
    return [choice](R& r) { add_tool(r), r.chat()->tool_choice = choice; };
  };
  const auto choice_is = [](chat::ToolChoice::Kind kind) {
    return [kind](const R& r) { return input_of(r).tool_choice && input_of(r).tool_choice->kind == kind; };
  };
  using Kind = chat::ToolChoice::Kind;
  using Format = chat::ResponseFormat::Kind;
  return {
      {"system prompt", [](R& r) { r.chat()->turns.insert(r.chat()->turns.begin(), {.role = chat::Role::kSystem, .parts = {{chat::Text{.text = "Be brief"}}}}); },
       [](const R& r) { return input_of(r).turns[0].role == chat::Role::kSystem; }},
      {"image, inline", [](R& r) { add_to_user(r, image()); },
       [](const R& r) { return any_part<chat::Image>(r, [](const chat::Image& i) { return !i.source.data.empty(); }); }},
      {"image, by URL", [](R& r) { add_to_user(r, {chat::Image{.source = {.url = "https://example.com/a.png"}}}); },
       [](const R& r) { return any_part<chat::Image>(r, [](const chat::Image& i) { return !i.source.url.empty(); }); }},
      {"audio", [](R& r) { add_to_user(r, {chat::Audio{.source = {.data = "UklGRg==", .media_type = "audio/wav"}, .format = "wav"}}); },
       [](const R& r) { return any_part<chat::Audio>(r, [](const chat::Audio&) { return true; }); }},
      {"document (PDF, inline)", [](R& r) { add_to_user(r, {chat::Document{.source = {.data = "JVBERi0=", .media_type = "application/pdf"}, .name = "a.pdf"}}); },
       [](const R& r) { return any_part<chat::Document>(r, [](const chat::Document&) { return true; }); }},
      {"tools", add_tool, [](const R& r) { return !input_of(r).tools.empty() && input_of(r).tools[0].name == "weather"; }},
      {"custom tool (free text)", [](R& r) { r.chat()->tools.push_back({.kind = chat::ToolKind::kCustom, .name = "note", .description = "d"}); },
       [](const R& r) { return !input_of(r).tools.empty() && input_of(r).tools[0].kind == chat::ToolKind::kCustom; }},
      {"tool choice: none", tool_choice({.kind = Kind::kNone}), choice_is(Kind::kNone)},
      {"tool choice: required", tool_choice({.kind = Kind::kRequired}), choice_is(Kind::kRequired)},
      {"tool choice: one tool", tool_choice({.kind = Kind::kNamed, .tools = {{.name = "weather"}}}),
       [](const R& r) { return input_of(r).tool_choice && (input_of(r).tool_choice->kind == Kind::kNamed || input_of(r).tool_choice->kind == Kind::kAllowed); }},
      {"no parallel tool calls", [](R& r) { add_tool(r), r.chat()->parallel_tool_calls = false; },
       [](const R& r) { return input_of(r).parallel_tool_calls == false; }},
      {"tool call and result", [](R& r) { add_tool(r), add_history(r, {call()}, {result({{chat::Text{.text = "sunny"}}})}); },
       [](const R& r) { return any_part<chat::ToolResult>(r, [](const chat::ToolResult&) { return true; }); }},
      {"image in a tool result", [](R& r) { add_tool(r), add_history(r, {call()}, {result({{chat::Text{.text = "see"}}, image()})}); },
       [](const R& r) {
         return any_part<chat::ToolResult>(r, [](const chat::ToolResult& t) {
           return std::any_of(t.parts.begin(), t.parts.end(), [](const Part& part) { return part.as<chat::Image>() != nullptr; });
         });
       }},
      {"failed tool", [](R& r) { add_tool(r), add_history(r, {call()}, {result({{chat::Text{.text = "no"}}}, true)}); },
       [](const R& r) { return any_part<chat::ToolResult>(r, [](const chat::ToolResult& t) { return t.is_error; }); }},
      {"earlier thinking, signed", [](R& r) { add_history(r, {{chat::Thinking{.text = "hm", .signature = "c2ln"}}, {chat::Text{.text = "Hi"}}}, {}); },
       [](const R& r) { return any_part<chat::Thinking>(r, [](const chat::Thinking& t) { return !t.signature.empty(); }); }},
      {"earlier thinking, redacted", [](R& r) { add_history(r, {{chat::Thinking{.redacted = "ZW5j"}}, {chat::Text{.text = "Hi"}}}, {}); },
       [](const R& r) { return any_part<chat::Thinking>(r, [](const chat::Thinking& t) { return !t.redacted.empty(); }); }},
      {"cache mark", [](R& r) { r.chat()->turns[0].parts[0].as<chat::Text>()->cache = chat::CacheMark{.type = "ephemeral"}; },
       [](const R& r) { return any_part<chat::Text>(r, [](const chat::Text& t) { return t.cache.has_value(); }); }},
      {"JSON answer", [](R& r) { r.chat()->response_format = chat::ResponseFormat{.kind = Format::kJsonObject}; },
       [](const R& r) { return input_of(r).response_format && input_of(r).response_format->kind == Format::kJsonObject; }},
      {"JSON answer by schema", [](R& r) { r.chat()->response_format = chat::ResponseFormat{.kind = Format::kJsonSchema, .name = "a", .schema = kSchema}; },
       [](const R& r) { return input_of(r).response_format && input_of(r).response_format->kind == Format::kJsonSchema; }},
      {"reasoning effort", [](R& r) { r.chat()->reasoning = chat::Reasoning{.effort = "high"}; },
       [](const R& r) { return input_of(r).reasoning && !input_of(r).reasoning->effort.empty(); }},
      {"reasoning budget", [](R& r) { r.chat()->reasoning = chat::Reasoning{.budget_tokens = 2048, .enabled = true}; r.sampling.max_output_tokens = 8192; },
       [](const R& r) { return input_of(r).reasoning && input_of(r).reasoning->budget_tokens; }},
      {"temperature", [](R& r) { r.sampling.temperature = 0.5; }, [](const R& r) { return r.sampling.temperature.has_value(); }},
      {"top_p", [](R& r) { r.sampling.top_p = 0.5; }, [](const R& r) { return r.sampling.top_p.has_value(); }},
      {"top_k", [](R& r) { r.sampling.top_k = 5; }, [](const R& r) { return r.sampling.top_k.has_value(); }},
      {"stop texts", [](R& r) { r.sampling.stop = std::vector<std::string>{"END"}; }, [](const R& r) { return r.sampling.stop.has_value(); }},
      {"seed", [](R& r) { r.sampling.seed = 7; }, [](const R& r) { return r.sampling.seed.has_value(); }},
      {"penalties", [](R& r) { r.sampling.frequency_penalty = r.sampling.presence_penalty = 0.5; },
       [](const R& r) { return r.sampling.frequency_penalty.has_value(); }},
      {"logit bias", [](R& r) { r.sampling.logit_bias = {{"5", 1.0}}; }, [](const R& r) { return !r.sampling.logit_bias.empty(); }},
      {"log probabilities", [](R& r) { r.sampling.logprobs = true, r.sampling.top_logprobs = 2; },
       [](const R& r) { return r.sampling.logprobs.value_or(false); }},
      {"several answers (n)", [](R& r) { r.sampling.choices = 2; }, [](const R& r) { return r.sampling.choices == 2u; }},
      {"service tier", [](R& r) { r.service_tier = "flex"; }, [](const R& r) { return !r.service_tier.empty(); }},
      {"user tag", [](R& r) { r.user = "u"; }, [](const R& r) { return !r.user.empty(); }},
      {"metadata", [](R& r) { r.metadata = {{"a", "b"}}; }, [](const R& r) { return !r.metadata.empty(); }},
  };
}

std::vector<const Dialect*> all_dialects() {
  std::vector<const Dialect*> out;
  for (const std::string_view name : dialect::dialect_names()) {
    const Dialect* one = dialect::find_dialect(name);
    if (one->serves(Operation::kChat)) out.push_back(one);
  }
  return out;
}

/// What becomes of `feature` between two dialects: a word of the table.
std::string_view fate(const Feature& feature, const Dialect& in, const Dialect& out) {
  const dialect::Sending sending{.operation = Operation::kChat, .model = "m"};
  chat::Request request = base();
  feature.put(request);
  chat::LossReport ignored;
  const auto document = json::Document::parse(Body::copy(in.encode_request(request, sending, ignored)));
  const auto said = document ? in.decode_request(*document, Operation::kChat) : Result<chat::Request>(fail(Code::kInternal, ""));
  if (!said || !feature.holds(*said)) return "";  // its clients cannot say it
  if (&in == &out) return "exact";
  chat::Request plain = base();
  plain.sampling.max_output_tokens = said->sampling.max_output_tokens;
  chat::LossReport usual, report;
  (void)out.encode_request(plain, sending, usual);
  chat::Request translated = *said;
  translated.model = "m";
  (void)out.encode_request(translated, sending, report);
  std::optional<chat::LossSeverity> worst;
  for (const chat::Loss& loss : report.entries()) {
    const bool anyway = std::find(usual.entries().begin(), usual.entries().end(), loss) != usual.entries().end();
    if (!anyway && (!worst || loss.severity > *worst)) worst = loss.severity;
  }
  if (!worst) return "exact";
  switch (*worst) {
    case chat::LossSeverity::kNote: return "emulated";
    case chat::LossSeverity::kCosmetic: return "dropped";
    case chat::LossSeverity::kSemantic: return "refused";
  }
  return "";
}

std::string tables() {
  std::string text;
  const auto all = all_dialects();
  for (const Dialect* in : all) {
    fmt::format_to(std::back_inserter(text), "\n### From {}\n\n| a request's |", in->name());
    for (const Dialect* out : all) fmt::format_to(std::back_inserter(text), " {} |", out->name());
    text += "\n|---|";
    for (std::size_t i = 0; i < all.size(); ++i) text += "---|";
    text += '\n';
    for (const Feature& feature : features()) {
      std::string row;
      bool any = false;
      for (const Dialect* out : all) {
        const std::string_view word = fate(feature, *in, *out);
        any = any || !word.empty();
        fmt::format_to(std::back_inserter(row), " {} |", word);
      }
      if (any) fmt::format_to(std::back_inserter(text), "| {} |{}\n", feature.name, row);
    }
  }
  return text;
}

std::string operations() {
  using enum Operation;
  std::string text = "\n| dialect | chat | completions | embeddings | moderations | rerank | models | count tokens |\n|---|---|---|---|---|---|---|---|\n";
  for (const std::string_view name : dialect::dialect_names()) {
    const Dialect* one = dialect::find_dialect(name);
    fmt::format_to(std::back_inserter(text), "| `{}` |", name);
    for (const Operation operation : {kChat, kCompletions, kEmbeddings, kModerations, kRerank, kListModels, kCountTokens}) {
      fmt::format_to(std::back_inserter(text), " {} |", one->serves(operation) ? "yes" : "");
    }
    text += '\n';
  }
  return text;
}

std::string providers() {
  std::string text = "\n| provider | who | dialect | base URL |\n|---|---|---|---|\n";
  for (const dialect::Provider& one : dialect::providers()) {
    fmt::format_to(std::back_inserter(text), "| `{}` | {} | `{}` | {} |\n", one.name, one.label, one.dialect,
                   one.url.empty() ? "yours" : fmt::format("`{}`", one.url));
  }
  return text;
}

/// `text` with what stands between the marks of `name` replaced. Empty where the page has no such marks.
std::string with_section(const std::string& text, std::string_view name, const std::string& section) {
  const std::string begin = fmt::format("<!-- {} -->\n", name), end = fmt::format("<!-- end of {} -->", name);
  const std::size_t from = text.find(begin), to = text.find(end);
  if (from == std::string::npos || to == std::string::npos || to < from) return {};
  return text.substr(0, from + begin.size()) + section + "\n" + text.substr(to);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc == 3 ? argv[1] : "";
  if (command != "write" && command != "check") {
    fmt::print(stderr, "usage: sluice_dialects_page write|check DIRECTORY\n");
    return 2;
  }
  const std::string path = fmt::format("{}/docs/dialects.md", argv[2]);
  std::ostringstream read;
  read << std::ifstream(path, std::ios::binary).rdbuf();
  std::string text = with_section(read.str(), "operations", operations());
  if (!text.empty()) text = with_section(text, "providers", providers());
  if (!text.empty()) text = with_section(text, "tables", tables());
  if (text.empty()) {
    fmt::print(stderr, "docs/dialects.md lacks the marks of its generated parts\n");
    return 1;
  }
  if (command == "write") {
    std::ofstream(path, std::ios::binary) << text;
    return 0;
  }
  if (text == read.str()) return 0;
  fmt::print(stderr, "docs/dialects.md is not what the dialects say: run sluice_dialects_page write {}\n", argv[2]);
  return 1;
}
