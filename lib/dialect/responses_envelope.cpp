// The echo of a request in its response. Source: ResponseResource of the Open Responses document, whose members are all
// required.

#include "dialect/responses_envelope.hpp"

#include <algorithm>
#include <array>

#include "dialect/reading.hpp"
#include "dialect/responses.hpp"
#include "dialect/responses_tools.hpp"

namespace sluice::dialect::responses_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;

struct Echoed {
  std::string_view key, otherwise;  // JSON; empty: left out
};
constexpr std::array kEchoed{
    Echoed{"background", "false"},
    Echoed{"frequency_penalty", "0"},
    Echoed{"instructions", "null"},
    Echoed{"max_output_tokens", "null"},
    Echoed{"max_tool_calls", "null"},
    Echoed{"metadata", "{}"},
    Echoed{"parallel_tool_calls", "true"},
    Echoed{"presence_penalty", "0"},
    Echoed{"previous_response_id", "null"},
    Echoed{"prompt_cache_key", "null"},
    Echoed{"reasoning", R"({"effort":null,"summary":null})"},
    Echoed{"safety_identifier", "null"},
    Echoed{"service_tier", R"("default")"},
    Echoed{"store", "false"},
    Echoed{"temperature", "1"},
    Echoed{"text", R"({"format":{"type":"text"}})"},
    Echoed{"tool_choice", R"("auto")"},
    Echoed{"tools", "[]"},
    Echoed{"top_logprobs", "0"},
    Echoed{"top_p", "1"},
    Echoed{"truncation", R"("disabled")"},
    Echoed{"user", ""},  // no part of Open Responses, and never null in OpenAI's document
};

/// A member's JSON text, null where there is none.
void put(json::Writer& writer, const Value& object, std::string_view key) {
  const Value value = member(object, key);
  writer.key(key);
  value ? writer.raw(value.raw()) : writer.null();
}

/// Members the caller said beside those in `done`.
template <std::size_t N>
void put_others(json::Writer& writer, const Value& object, const std::string_view (&done)[N]) {
  std::string scratch;
  for (Value m = object.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (std::find(std::begin(done), std::end(done), key) == std::end(done)) writer.key(key).raw(m.raw());
  }
}

/// Functions with all that they may leave out said.
void echo_tools(json::Writer& writer, const Value& tools) {
  writer.begin_array();
  for (Value tool = tools.first(); tool; tool = tool.next()) {
    const chat::Tool read = read_tool(tool);
    if (read.kind != chat::ToolKind::kFunction) {
      writer.raw(tool.raw());
      continue;
    }
    writer.begin_object().field("type", "function").field("name", read.name);
    put(writer, tool, "description");
    put(writer, tool, "parameters");
    writer.key("strict").boolean(read.strict.value_or(false));
    put_others(writer, tool, {"type", "name", "description", "parameters", "strict"});
    writer.end_object();
  }
  writer.end_array();
}

void echo_text(json::Writer& writer, const Value& text) {
  const Value format = member(text, "format");
  writer.begin_object().key("format");
  if (!format.is(Type::kObject)) {
    writer.begin_object().field("type", "text").end_object();
  } else if (reading::text(format, "type") == "json_schema") {
    writer.begin_object().field("type", "json_schema");
    if (const Value description = member(format, "description"); description.is(Type::kString)) writer.key("description").raw(description.raw());
    for (const std::string_view key : {"name", "schema"}) put(writer, format, key);
    writer.key("strict").boolean(member(format, "strict").boolean().value_or(false));
    writer.end_object();
  } else {
    writer.raw(format.raw());
  }
  put_others(writer, text, {"format"});
  writer.end_object();
}

void echo_reasoning(json::Writer& writer, const Value& reasoning) {
  writer.begin_object();
  put(writer, reasoning, "effort");
  put(writer, reasoning, "summary");
  put_others(writer, reasoning, {"effort", "summary"});
  writer.end_object();
}

std::string echo_of(std::string_view key, const Value& value) {
  std::string out;
  json::Writer writer(out);
  if (key == "tools" && value.is(Type::kArray)) {
    echo_tools(writer, value);
  } else if (key == "text" && value.is(Type::kObject)) {
    echo_text(writer, value);
  } else if (key == "reasoning" && value.is(Type::kObject)) {
    echo_reasoning(writer, value);
  } else {
    writer.raw(value.raw());
  }
  return out;
}

const std::string* find(const std::vector<std::pair<std::string, std::string>>& members, std::string_view key) {
  const auto found = std::find_if(members.begin(), members.end(), [&](const auto& one) { return one.first == key; });
  return found == members.end() ? nullptr : &found->second;
}

}  // namespace

Envelope::Envelope(const AnswerForm& form) {
  const Value root = form.request != nullptr ? form.request->root() : Value{};
  for (const Echoed& echoed : kEchoed) {
    const Value said = member(root, echoed.key);
    if (said || !echoed.otherwise.empty()) members_.emplace_back(echoed.key, said ? echo_of(echoed.key, said) : std::string(echoed.otherwise));
  }
  members_.emplace_back("model", json::quoted(form.model));
}

void Envelope::begin(std::string_view id, std::string_view model, std::optional<std::int64_t> created) {
  if (id_.empty()) id_ = id;
  if (model_.empty() && !model.empty()) model_ = model;
  if (!created_) created_ = created;
}

void Envelope::set(const chat::Extra& extra) {
  if (extra.dialect != kName) return;
  for (auto& [key, json] : own_) {
    if (key != extra.key) continue;
    json = extra.json;
    return;
  }
  own_.emplace_back(extra.key, extra.json);
}

void Envelope::write(json::Writer& writer, const State& state) const {
  const auto put_json = [&writer](std::string_view key, const std::string* own, std::string_view json) {
    writer.key(key);
    own != nullptr ? writer.raw(*own) : json.empty() ? writer.null() : writer.raw(json);
  };
  const auto own = [this](std::string_view key) { return find(own_, key); };
  writer.begin_object().field("id", id_.empty() ? std::string_view("resp_0") : std::string_view(id_)).field("object", "response");
  writer.key("created_at").integer(created_.value_or(0));
  writer.field("status", state.status);
  put_json("completed_at", own("completed_at"), {});
  put_json("error", nullptr, state.error);
  writer.key("incomplete_details");
  if (state.incomplete_reason.empty()) {
    writer.null();
  } else {
    writer.begin_object().field("reason", state.incomplete_reason).end_object();
  }
  for (const auto& [key, json] : members_) {
    if (key == "model" && !model_.empty()) {
      writer.field("model", model_);
    } else {
      put_json(key, own(key), json);
    }
  }
  writer.key("output").raw(state.output);
  put_json("usage", state.usage.empty() ? nullptr : own("usage"), state.usage);
  for (const auto& [key, json] : own_) {
    if (key != "completed_at" && key != "usage" && find(members_, key) == nullptr) writer.key(key).raw(json);
  }
  writer.end_object();
}

}  // namespace sluice::dialect::responses_parts
