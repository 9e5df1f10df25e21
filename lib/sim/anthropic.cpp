// See anthropic.hpp. Keys are those of the recordings; tests/unit/sim compares.
#include "sim/anthropic.hpp"

#include <algorithm>
#include <utility>

#include "sim/text.hpp"

namespace sluice::sim {
namespace {

using json::Type;
using json::Value;
using Lines = Phrases::Lines;

constexpr std::string_view kMessages = "/messages";
constexpr std::string_view kCountTokens = "/messages/count_tokens";
constexpr std::string_view kPing = "event: ping\ndata: {\"type\": \"ping\"}\n\n";
constexpr std::string_view kFailed = "Internal server error";

std::uint64_t tokens_of_block(const Value& block) {
  std::uint64_t tokens = tokens_of(member(block, "text")) + tokens_of(member(block, "thinking"));
  if (text_of(member(block, "type")) == "tool_use") {
    tokens += tokens_of(member(block, "name")) + tokens_of_object(member(block, "input"));
  }
  return tokens + tokens_of_parts(member(block, "content"));  // of a tool's result
}

std::uint64_t tokens_of_message(const Value& message) {
  const Value content = member(message, "content");
  if (!content.is(Type::kArray)) return tokens_of(content);
  std::uint64_t tokens = 0;
  for (Value block = content.first(); block; block = block.next()) tokens += tokens_of_block(block);
  return tokens;
}

Asked read_messages(const Value& root, Subject subject) {
  Asked asked;
  asked.subject = subject;
  asked.model = text_of(member(root, "model"));
  asked.max_tokens = positive(member(root, "max_tokens"));
  asked.stream = subject == Subject::kChat && is_true(member(root, "stream"));
  if (asked.model.empty()) return refused(400, "model: Field required");
  if (subject == Subject::kChat && !asked.max_tokens) return refused(400, "max_tokens: Field required");
  const Value messages = member(root, "messages");
  if (!messages.is(Type::kArray)) return refused(400, "messages: Field required");
  if (!messages.first()) return refused(400, "messages: at least one message is required");
  asked.prompt_tokens = tokens_of_parts(member(root, "system"));
  for (Value message = messages.first(); message; message = message.next()) {
    const std::string role = text_of(member(message, "role"));
    if (role != "user" && role != "assistant") return refused(400, "messages: a role is either \"user\" or \"assistant\"");
    asked.prompt_tokens += tokens_of_message(message);
  }
  return asked;
}

std::string_view reason(Ending ending) noexcept {
  switch (ending) {
    case Ending::kLength: return "max_tokens";
    case Ending::kToolCalls: return "tool_use";
    case Ending::kRefusal: return "refusal";
    case Ending::kStop: break;
  }
  return "end_turn";
}

/// What a choice ends with, between the braces of a message or of the delta that ends it.
void append_stop(std::string& out, const Choice& choice) {
  const Ending ending = choice.refusal ? Ending::kRefusal : choice.ending;
  out.append(R"("stop_reason":")").append(reason(ending)).append(R"(","stop_sequence":null,"stop_details":)");
  if (!choice.refusal) {
    out += "null";
    return;
  }
  out += R"({"type":"refusal","category":"cyber","explanation":)";
  append_quoted(out, choice.text);
  out += '}';
}

/// The counts all usages have, without what was written.
void append_input(std::string& out, const Counts& counts) {
  out += R"("usage":{"input_tokens":)";
  append_number(out, counts.input - counts.cached);
  out += R"(,"cache_creation_input_tokens":0,"cache_read_input_tokens":)";
  append_number(out, counts.cached);
}

void append_usage(std::string& out, const Counts& counts, std::uint64_t output) {
  append_input(out, counts);
  out += R"(,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":)";
  append_number(out, output);
  out += R"(,"service_tier":"standard","inference_geo":"not_available"})";
}

void append_head(std::string& out, const Composition& what) {
  out += R"({"model":)";
  append_quoted(out, what.asked.model);
  out.append(R"(,"id":"msg_)").append(what.name.substr(0, 24)).append(R"(","type":"message","role":"assistant","content":[)");
}

std::string message(const Composition& what) {
  const Choice& choice = what.choices.at(0);
  std::string out;
  append_head(out, what);
  for (std::size_t i = 0; i < choice.tools.size(); ++i) {
    const auto& tool = choice.tools[i];
    if (i > 0) out += ',';
    out += R"({"type":"tool_use","id":)" + quote(tool.id) + R"(,"name":)" + quote(tool.name);
    out += R"(,"input":)" + object_text(tool.arguments) + "}";
  }
  if (choice.tools.empty() && !choice.refusal && !choice.text.empty()) {
    out += R"({"type":"text","text":)" + quote(choice.text) + "}";
  }
  out += "],";
  append_stop(out, choice);
  if (!what.settings->no_usage) {
    out += ',';
    append_usage(out, what.counts, what.counts.output);
  }
  out += '}';
  return out;
}

std::string event(std::string_view type, std::string_view members) {
  std::string out("event: ");
  out.append(type).append("\ndata: {\"type\":\"").append(type).append("\"");
  if (!members.empty()) out.append(",").append(members);
  out += "}\n\n";
  return out;
}

class MessagePhrases final : public Phrases {
 public:
  explicit MessagePhrases(std::shared_ptr<const Composition> what) : what_(std::move(what)) {}

  void open(Lines& lines) override {
    std::string start(R"("message":)");
    append_head(start, *what_);
    start += R"(],"stop_reason":null,"stop_sequence":null,"stop_details":null)";
    if (!what_->settings->no_usage) {
      start += ',';
      append_usage(start, what_->counts, std::min<std::uint64_t>(1, what_->counts.output));
    }
    start += '}';
    lines.push_back(event("message_start", start));
  }

  void begin(const Place& place, Lines& lines) override {
    if (choice().refusal) return;
    std::string start = index(place) + R"(,"content_block":)";
    if (place.tool) {
      const auto& tool = choice().tools[place.part];
      start += R"({"type":"tool_use","id":)" + quote(tool.id) + R"(,"name":)" + quote(tool.name) + R"(,"input":{}})";
    } else {
      start += R"({"type":"text","text":""})";
    }
    lines.push_back(event("content_block_start", start));
    if (place.part == 0) lines.emplace_back(kPing);
    if (place.tool) lines.push_back(event("content_block_delta", index(place) + R"(,"delta":{"type":"input_json_delta","partial_json":""})"));
  }

  void token(const Place& place, std::string_view text, Lines& lines) override {
    if (choice().refusal) return;
    std::string delta = index(place);
    delta += place.tool ? R"(,"delta":{"type":"input_json_delta","partial_json":)" : R"(,"delta":{"type":"text_delta","text":)";
    append_quoted(delta, text);
    delta += '}';
    lines.push_back(event("content_block_delta", delta));
  }

  void end(const Place& place, Lines& lines) override {
    if (!choice().refusal) lines.push_back(event("content_block_stop", index(place)));
  }

  void close(Lines& lines) override {
    std::string delta(R"("delta":{)");
    append_stop(delta, choice());
    delta += '}';
    if (!what_->settings->no_usage) {
      delta += ',';
      append_input(delta, what_->counts);
      delta += R"(,"output_tokens":)";
      append_number(delta, what_->counts.output);
      delta += '}';
    }
    lines.push_back(event("message_delta", delta));
    lines.push_back(event("message_stop", {}));
  }

  std::string failure(std::uint64_t, bool) const override {
    return event("error", R"("error":{"type":"api_error","message":)" + quote(kFailed) + "}");
  }

 private:
  const Choice& choice() const { return what_->choices.at(0); }
  static std::string index(const Place& place) { return "\"index\":" + std::to_string(place.part); }

  std::shared_ptr<const Composition> what_;
};

std::string error(std::string_view type, std::string_view message) {
  return R"({"type":"error","error":{"type":)" + quote(type) + R"(,"message":)" + quote(message) + R"(},"request_id":null})";
}

std::string_view error_type(int status) noexcept {
  switch (status) {
    case 401: return "authentication_error";
    case 402: return "billing_error";
    case 403: return "permission_error";
    case 404: return "not_found_error";
    case 408:
    case 504: return "timeout_error";
    case 409: return "conflict_error";
    case 413: return "request_too_large";
    case 429: return "rate_limit_error";
    case 503:
    case 529: return "overloaded_error";
    default: return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

std::string_view fault_words(int status) noexcept {
  switch (status) {
    case 401: return "invalid x-api-key";
    case 403: return "This key may not use the requested resource.";
    case 404: return "model: not found";
    case 429: return "This request would exceed the rate limit of the organization. Please try again later.";
    case 503:
    case 529: return "Overloaded";
    default: return status >= 500 ? kFailed : std::string_view("The request was refused by the simulator.");
  }
}

class Anthropic final : public Voice {
 public:
  Asked read(std::string_view method, std::string_view target, const Body& body) const override {
    if (method != "POST") return refused(405, "Method Not Allowed");
    const auto document = json::Document::parse(body);
    if (!document || !document->root().is(Type::kObject)) return refused(400, "The request body is not valid JSON: an object is expected.");
    return read_messages(document->root(), path_of(target).ends_with(kCountTokens) ? Subject::kCountTokens : Subject::kChat);
  }
  Manner manner(const Asked&) const override {
    Manner manner;
    manner.ping = kPing;
    manner.call_ids.prefix = "toolu_";
    return manner;
  }
  void greet(Headers& fields, std::string_view name) const override {
    fields.add_trusted("request-id", "req_" + std::string(name.substr(0, 24)));
    fields.add_trusted("anthropic-organization-id", "00000000-0000-4000-8000-000000000000");
  }
  std::string whole(const Composition& what) const override {
    if (what.asked.subject == Subject::kChat) return message(what);
    std::string out(R"({"input_tokens":)");
    append_number(out, what.counts.input);
    return out + "}";
  }
  std::unique_ptr<Events> stream(Composition what) const override {
    auto shared = std::make_shared<const Composition>(std::move(what));
    return std::make_unique<Recital>(shared, std::make_unique<MessagePhrases>(shared));
  }
  std::string refuse(const Asked&, const Problem& problem) const override { return error(error_type(problem.status), problem.message); }
  Problem unknown_model(const std::string& model) const override { return {404, "model: " + model, {}, {}}; }
  std::string fault(const Asked&, int status, std::int64_t) const override { return error(error_type(status), fault_words(status)); }
};

}  // namespace

bool is_anthropic(std::string_view path) noexcept { return path.ends_with(kMessages) || path.ends_with(kCountTokens); }

const Voice& anthropic_voice() {
  static const Anthropic voice;
  return voice;
}

}  // namespace sluice::sim
