// Items of a stream as they are said again.

#include "dialect/responses_streamed_item.hpp"

#include "dialect/responses.hpp"
#include "dialect/responses_items.hpp"

namespace sluice::dialect::responses_parts {

void write_item(json::Writer& w, const StreamedItem& item, std::string_view status) {
  using Kind = StreamedItem::Kind;
  switch (item.kind) {
    case Kind::kMessage: {
      w.begin_object().field("type", "message");
      chat::Turn described;
      if (!item.described.empty()) described.extras.push_back({kName, std::string(key::kMessages), item.described});
      Messages(described).write(w, {item.id, status});
      w.field("role", "assistant").key("content").begin_array();
      for (const SaidPart& said : item.parts) write_part(w, said, true);
      w.end_array().end_object();
      return;
    }
    case Kind::kReasoning: write_reasoning(w, item.thinking, {item.id, {}}); return;
    case Kind::kCall:
      if (status == "in_progress") {
        // Its arguments come in deltas: an empty string, not yet an empty object.
        const bool custom = item.call.kind == chat::ToolKind::kCustom;
        w.begin_object().field("type", custom ? "custom_tool_call" : "function_call").field("id", item.id).field("status", status);
        w.field("call_id", item.call.id).field("name", item.call.name).field(custom ? "input" : "arguments", "");
        for (const chat::Extra& extra : item.call.extras) {
          if (extra.dialect == kName && extra.key != "id" && extra.key != "status") w.key(extra.key).raw(extra.json);
        }
        w.end_object();
      } else {
        write_call(w, item.call, {item.id, status});
      }
      return;
    case Kind::kOwn: w.raw(item.json); return;
  }
}

void write_part(json::Writer& w, const SaidPart& said, bool whole) {
  if (said.refusal) {
    w.begin_object().field("type", "refusal").field("refusal", whole ? std::string_view(said.text) : std::string_view()).end_object();
    return;
  }
  w.begin_object().field("type", "output_text").field("text", whole ? std::string_view(said.text) : std::string_view());
  w.key("annotations").begin_array();
  for (const std::string& annotation : said.annotations) w.raw(annotation);
  w.end_array().key("logprobs");
  write_logprobs(w, said.logprobs);
  w.end_object();
}

}  // namespace sluice::dialect::responses_parts
