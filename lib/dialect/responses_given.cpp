// The end of a response that was broken off, out of what its caller has.

#include "dialect/responses_given.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "dialect/reading.hpp"
#include "dialect/responses.hpp"
#include "dialect/responses_envelope.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::responses_parts {
namespace {

using json::Value;
using reading::member;

using Members = std::vector<std::pair<std::string_view, std::string>>;

/// An object with `instead` in the place of members of its own; those that it has not go behind.
std::string with(std::string_view object, Members instead) {
  std::string out;
  const auto document = json::Document::parse(Body::copy(object));
  json::Writer writer(out);
  writer.begin_object();
  std::string scratch;
  for (Value m = document ? document->root().first() : Value{}; m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    const auto other = std::find_if(instead.begin(), instead.end(), [&](const auto& one) { return one.first == key; });
    writer.key(key).raw(other == instead.end() ? m.raw() : std::string_view(other->second));
    if (other != instead.end()) instead.erase(other);
  }
  for (const auto& [key, json] : instead) writer.key(key).raw(json);
  writer.end_object();
  return out;
}

bool has(std::string_view object, std::string_view key) {
  const auto document = json::Document::parse(Body::copy(object));
  return document && static_cast<bool>(member(document->root(), key));
}

std::string list_of(const std::vector<std::string>& elements) {
  std::string out;
  json::Writer writer(out);
  writer.begin_array();
  for (const std::string& one : elements) writer.raw(one);
  writer.end_array();
  return out;
}

}  // namespace

void GivenResponse::take(Event event, const Value& root) {
  const std::int64_t output = reading::integer(member(root, "output_index")).value_or(0);
  const auto index = [&root](std::string_view key) { return reading::integer(member(root, key)).value_or(0); };
  const auto keep = [this, &root](std::string_view key, std::string& to) {
    const Value value = member(root, key);
    bytes_ += value ? value.raw().size() : 0;
    to = value ? std::string(value.raw()) : std::string();
  };
  switch (event) {
    case Event::kResponse:
      bytes_ -= response_.size();
      return keep("response", response_);
    case Event::kItemAdded: {
      Item& item = items_[output];
      item.id = reading::text(member(root, "item"), "id");
      item.type = reading::text(member(root, "item"), "type");
      return keep("item", item.json);
    }
    case Event::kPartAdded:
    case Event::kSummaryPartAdded: {
      const bool summary = event == Event::kSummaryPartAdded;
      Part& part = part_of(output, summary, index(summary ? "summary_index" : "content_index"));
      part.refusal = reading::text(member(root, "part"), "type") == "refusal";
      return keep("part", part.json);
    }
    case Event::kAnnotation: return keep("annotation", part_of(output, false, index("content_index")).annotations.emplace_back());
    default: return;
  }
}

GivenResponse::Part& GivenResponse::part_of(std::int64_t output, bool summary, std::int64_t index) {
  Item& item = items_[output];
  return (summary ? item.summary : item.content)[index];
}

void GivenResponse::say(const TextKey& key, std::string_view text) {
  bytes_ += text.size();
  if (key.channel == TextChannel::kToolArguments) {
    items_[key.output].arguments += text;
    return;
  }
  Part& part = part_of(key.output, key.channel == TextChannel::kReasoning && !key.in_content, key.part);
  part.refusal = key.channel == TextChannel::kRefusal;
  part.text += text;
}

std::string GivenResponse::written(const Part& part, bool summary, bool reasoning) {
  const bool plain = !summary && !reasoning && !part.refusal;
  std::string_view json = part.json;
  if (json.empty()) {
    json = summary        ? R"({"type":"summary_text"})"
           : reasoning    ? R"({"type":"reasoning_text"})"
           : part.refusal ? R"({"type":"refusal"})"
                          : R"({"type":"output_text"})";
  }
  Members members{{part.refusal ? "refusal" : "text", json::quoted(part.text)}};
  if (plain) members.emplace_back("annotations", list_of(part.annotations));
  return with(json, std::move(members));
}

std::string GivenResponse::written(const Item& item, bool whole) {
  const bool reasoning = item.type == "reasoning", message = item.type == "message", custom = item.type == "custom_tool_call";
  Members members;
  if (!reasoning || has(item.json, "status")) members.emplace_back("status", whole ? R"("completed")" : R"("incomplete")");
  const auto parts = [&](const std::map<std::int64_t, Part>& all, bool summary) {
    std::vector<std::string> out;
    for (const auto& [index, part] : all) out.push_back(written(part, summary, reasoning));
    return list_of(out);
  };
  if (message || !item.content.empty()) members.emplace_back("content", parts(item.content, false));
  if (reasoning) members.emplace_back("summary", parts(item.summary, true));
  if (custom || item.type == "function_call") members.emplace_back(custom ? "input" : "arguments", json::quoted(item.arguments));
  return with(item.json, std::move(members));
}

template <typename F>
void GivenResponse::event(std::string_view type, http::Framing framing, std::string& out, F&& write) {
  std::string data;
  {
    json::Writer writer(data);
    writer.begin_object().field("type", type).key("sequence_number").integer(++last_number_);
    write(writer);
    writer.end_object();
  }
  http::append_event(out, framing, data, type);
}

void GivenResponse::close_parts(std::int64_t output, const Item& item, bool summary, http::Framing framing, std::string& out) {
  const bool reasoning = item.type == "reasoning";
  for (const auto& [index, part] : summary ? item.summary : item.content) {
    const auto place = [&, at = index](json::Writer& w) {
      w.field("item_id", item.id).key("output_index").integer(output).key(summary ? "summary_index" : "content_index").integer(at);
    };
    const bool plain = !summary && !reasoning && !part.refusal;
    event(summary        ? "response.reasoning_summary_text.done"
          : reasoning    ? "response.reasoning_text.done"
          : part.refusal ? "response.refusal.done"
                         : "response.output_text.done",
          framing, out, [&, &said = part](json::Writer& w) {
            place(w);
            w.field(said.refusal ? "refusal" : "text", said.text);
            if (plain) w.key("logprobs").begin_array().end_array();
          });
    if (part.json.empty()) continue;  // nobody said that it began
    event(summary ? "response.reasoning_summary_part.done" : "response.content_part.done", framing, out, [&, &said = part](json::Writer& w) {
      place(w);
      w.key("part").raw(written(said, summary, reasoning));
    });
  }
}

void GivenResponse::close(std::int64_t output, const Item& item, bool whole, http::Framing framing, std::string& out) {
  close_parts(output, item, true, framing, out);
  close_parts(output, item, false, framing, out);
  const bool custom = item.type == "custom_tool_call";
  if (whole && (custom || item.type == "function_call")) {
    event(custom ? "response.custom_tool_call_input.done" : "response.function_call_arguments.done", framing, out, [&](json::Writer& w) {
      w.field("item_id", item.id).key("output_index").integer(output).field(custom ? "input" : "arguments", item.arguments);
    });
  }
  event("response.output_item.done", framing, out, [&](json::Writer& w) { w.key("output_index").integer(output).key("item").raw(written(item, whole)); });
}

bool GivenResponse::write_end(const EarlyEnd& end, const std::function<bool(std::int64_t)>& whole, std::string& out) {
  if (response_.empty()) return false;
  if (!end.filtered) {
    http::append_event(out, end.framing, error_event(end.error, end.provider_text, static_cast<std::uint64_t>(++last_number_)), "error");
  }
  std::vector<std::string> output;
  for (const auto& [index, item] : items_) {
    if (item.json.empty()) continue;  // nobody said that it began
    // What a failure leaves open stays unfinished: the failure says so.
    if (end.filtered) close(index, item, whole(index), end.framing, out);
    output.push_back(written(item, whole(index)));
  }
  Members members{{"status", end.filtered ? R"("incomplete")" : R"("failed")"}};
  if (end.filtered) {
    members.emplace_back("incomplete_details", R"({"reason":"content_filter"})");
  } else {
    write_failure(members.emplace_back("error", std::string()).second, end.error, end.provider_text);
  }
  members.emplace_back("output", list_of(output));
  if (!chat::empty(end.usage)) members.emplace_back("usage", write_usage(end.usage));
  const std::string response = with(response_, std::move(members));
  event(end.filtered ? "response.incomplete" : "response.failed", end.framing, out, [&](json::Writer& w) { w.key("response").raw(response); });
  return true;
}

}  // namespace sluice::dialect::responses_parts
