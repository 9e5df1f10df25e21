// See openai_responses.hpp. Keys are those of the recordings; tests/unit/sim compares.
#include "sim/openai_responses.hpp"

#include <algorithm>
#include <utility>

#include "sim/openai.hpp"
#include "sim/text.hpp"

namespace sluice::sim {
namespace {

using json::Type;
using json::Value;
using Lines = Phrases::Lines;

constexpr std::string_view kFailed = "The server had an error while processing your request. Sorry about that!";

/// What an answer repeats, and what it says where the request does not. In the order it stands, around the answer's own.
struct Echo {
  std::string_view key, otherwise;
};
constexpr Echo kBeforeOutput[] = {{"instructions", "null"}, {"max_output_tokens", "null"}, {"max_tool_calls", "null"}};
constexpr Echo kBehindOutput[] = {{"parallel_tool_calls", "true"}, {"previous_response_id", "null"}, {"prompt_cache_key", "null"},
                                  {"prompt_cache_retention", "null"}, {"reasoning", R"({"effort":null,"summary":null})"},
                                  {"safety_identifier", "null"}};
constexpr Echo kBehindTier[] = {{"store", "true"}, {"temperature", "1.0"}, {"text", R"({"format":{"type":"text"},"verbosity":"medium"})"},
                                {"tool_choice", "\"auto\""}, {"tools", "[]"}, {"top_logprobs", "0"}, {"top_p", "1.0"},
                                {"truncation", "\"disabled\""}};
constexpr Echo kBehindUsage[] = {{"user", "null"}, {"metadata", "{}"}};

template <std::size_t N>
void keep(const Value& root, const Echo (&list)[N], Asked& asked) {
  for (const Echo& echo : list) {
    const Value value = member(root, echo.key);
    if (value && !value.is(Type::kNull)) asked.echoed.emplace_back(echo.key, object_text(value.raw()));
  }
}

std::uint64_t tokens_of_item(const Value& item) {
  std::uint64_t tokens = tokens_of_parts(member(item, "content"));
  const Value content = member(item, "content");
  if (content.is(Type::kArray)) {
    for (Value part = content.first(); part; part = part.next()) tokens += tokens_of(member(part, "refusal"));
  }
  const std::string type = text_of(member(item, "type"));
  if (type == "function_call") tokens += tokens_of(member(item, "name")) + tokens_of(member(item, "arguments"));
  if (type == "function_call_output") tokens += tokens_of_parts(member(item, "output"));
  return tokens;
}

Asked read_response_request(const Value& root) {
  Asked asked;
  asked.subject = Subject::kChat;
  asked.model = text_of(member(root, "model"));
  if (asked.model.empty()) return refused(400, "Missing required parameter: 'model'.", "model", "missing_required_parameter");
  const Value input = member(root, "input");
  if (input.is(Type::kArray)) {
    for (Value item = input.first(); item; item = item.next()) asked.prompt_tokens += tokens_of_item(item);
  } else if (input.is(Type::kString)) {
    asked.prompt_tokens += tokens_of(input);
  } else {
    return refused(400, "Missing required parameter: 'input'.", "input", "missing_required_parameter");
  }
  asked.prompt_tokens += tokens_of(member(root, "instructions"));
  asked.max_tokens = positive(member(root, "max_output_tokens"));
  asked.stream = is_true(member(root, "stream"));
  keep(root, kBeforeOutput, asked);
  keep(root, kBehindOutput, asked);
  keep(root, kBehindTier, asked);
  keep(root, kBehindUsage, asked);
  return asked;
}

template <std::size_t N>
void append_echoes(std::string& out, const Echo (&list)[N], const Asked& asked) {
  for (const Echo& echo : list) {
    const auto said = std::find_if(asked.echoed.begin(), asked.echoed.end(), [&](const auto& kept) { return kept.first == echo.key; });
    out.append(",\"").append(echo.key).append("\":").append(said == asked.echoed.end() ? echo.otherwise : std::string_view(said->second));
  }
}

std::string item_id(const Composition& what, const Place& place) {
  return (place.tool ? "fc_" : "msg_") + what.name + std::to_string(place.part);
}

/// A part of a message's content; `text` is a refusal where the choice is one.
std::string part(const Choice& choice, std::string_view text) {
  if (choice.refusal) return R"({"type":"refusal","refusal":)" + quote(text) + "}";
  return R"({"type":"output_text","annotations":[],"logprobs":[],"text":)" + quote(text) + "}";
}

enum class Stage : std::uint8_t { kBegun, kDone };

std::string item(const Composition& what, const Place& place, Stage stage) {
  const Choice& choice = what.choices.at(0);
  const bool done = stage == Stage::kDone;
  std::string out = R"({"id":")" + item_id(what, place);
  const std::string_view status = !done ? "in_progress" : choice.ending == Ending::kLength ? "incomplete" : "completed";
  if (place.tool) {
    const auto& tool = choice.tools[place.part];
    out.append(R"(","type":"function_call","status":")").append(status).append(R"(","arguments":)");
    out += done ? quote(tool.arguments) : "\"\"";
    out += R"(,"call_id":)" + quote(tool.id) + R"(,"name":)" + quote(tool.name) + "}";
  } else {
    out.append(R"(","type":"message","status":")").append(status).append(R"(","content":[)");
    if (done) out += part(choice, choice.text);
    out += R"(],"role":"assistant"})";
  }
  return out;
}

std::string usage(const Counts& counts) {
  std::string out = R"({"input_tokens":)";
  append_number(out, counts.input);
  out += R"(,"input_tokens_details":{"cached_tokens":)";
  append_number(out, counts.cached);
  out += R"(},"output_tokens":)";
  append_number(out, counts.output);
  out += R"(,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":)";
  append_number(out, counts.input + counts.output);
  return out + "}";
}

/// `error` is a value of its own, or `null`.
std::string response(const Composition& what, std::string_view status, std::string_view error) {
  const Choice& choice = what.choices.at(0);
  const bool over = status == "completed" || status == "incomplete";
  std::string out = R"({"id":"resp_)" + what.name + R"(","object":"response","created_at":)" + std::to_string(what.created);
  out.append(R"(,"status":")").append(status).append(R"(","background":false,"completed_at":)");
  out += status == "completed" ? std::to_string(what.created) : "null";
  out.append(R"(,"error":)").append(error).append(R"(,"incomplete_details":)");
  out += status == "incomplete" ? R"({"reason":"max_output_tokens"})" : "null";
  append_echoes(out, kBeforeOutput, what.asked);
  out += R"(,"model":)" + quote(what.asked.model) + R"(,"output":[)";
  if (over) {
    for (std::size_t i = 0; i < choice.tools.size(); ++i) out += (i == 0 ? "" : ",") + item(what, {0, i, true}, Stage::kDone);
    if (choice.tools.empty() && !choice.text.empty()) out += item(what, {}, Stage::kDone);
  }
  out += ']';
  append_echoes(out, kBehindOutput, what.asked);
  out.append(R"(,"service_tier":")").append(over ? "default" : "auto").append("\"");
  append_echoes(out, kBehindTier, what.asked);
  out += R"(,"usage":)" + (over && !what.settings->no_usage ? usage(what.counts) : "null");
  append_echoes(out, kBehindUsage, what.asked);
  return out + "}";
}

std::string final_status(const Composition& what) {
  return what.choices.at(0).ending == Ending::kLength ? "incomplete" : "completed";
}

/// `members` begin with a comma, or are empty.
std::string event(std::string_view type, std::uint64_t number, std::string_view members) {
  std::string out("event: ");
  out.append(type).append("\ndata: {\"type\":\"").append(type).append("\",\"sequence_number\":");
  append_number(out, number);
  out.append(members).append("}\n\n");
  return out;
}

class ResponsePhrases final : public Phrases {
 public:
  explicit ResponsePhrases(std::shared_ptr<const Composition> what) : what_(std::move(what)) {}

  void open(Lines& lines) override {
    const std::string begun = R"(,"response":)" + response(*what_, "in_progress", "null");
    say("response.created", begun, lines);
    say("response.in_progress", begun, lines);
  }
  void begin(const Place& place, Lines& lines) override {
    say("response.output_item.added", index(place) + R"(,"item":)" + item(*what_, place, Stage::kBegun), lines);
    if (!place.tool) say("response.content_part.added", here(place) + R"(,"part":)" + part(choice(), {}), lines);
  }
  void token(const Place& place, std::string_view text, Lines& lines) override {
    const std::string_view type = place.tool ? "response.function_call_arguments.delta"
                                  : choice().refusal ? "response.refusal.delta" : "response.output_text.delta";
    say(type, here(place) + R"(,"delta":)" + quote(text) + logprobs(place), lines);
  }
  void end(const Place& place, Lines& lines) override {
    if (place.tool) {
      say("response.function_call_arguments.done", here(place) + R"(,"arguments":)" + quote(choice().tools[place.part].arguments), lines);
    } else {
      say(choice().refusal ? "response.refusal.done" : "response.output_text.done",
          here(place) + (choice().refusal ? R"(,"refusal":)" : R"(,"text":)") + quote(choice().text) + logprobs(place), lines);
      say("response.content_part.done", here(place) + R"(,"part":)" + part(choice(), choice().text), lines);
    }
    say("response.output_item.done", index(place) + R"(,"item":)" + item(*what_, place, Stage::kDone), lines);
  }
  void close(Lines& lines) override {
    const std::string status = final_status(*what_);
    say("response." + status, R"(,"response":)" + response(*what_, status, "null"), lines);
  }
  std::string failure(std::uint64_t said, bool) const override {
    const std::string message = R"("message":)" + quote(kFailed);
    return event("error", said, R"(,"error":{"type":"server_error","code":"server_error",)" + message + R"(,"param":null})") +
           event("response.failed", said + 1,
                 R"(,"response":)" + response(*what_, "failed", R"({"code":"server_error",)" + message + "}"));
  }

 private:
  const Choice& choice() const { return what_->choices.at(0); }
  std::string logprobs(const Place& place) const { return place.tool || choice().refusal ? "" : R"(,"logprobs":[])"; }
  static std::string index(const Place& place) { return R"(,"output_index":)" + std::to_string(place.part); }
  std::string here(const Place& place) const {
    return R"(,"item_id":")" + item_id(*what_, place) + "\"" + index(place) + (place.tool ? "" : R"(,"content_index":0)");
  }
  void say(std::string_view type, std::string_view members, Lines& lines) { lines.push_back(event(type, number_++, members)); }

  std::shared_ptr<const Composition> what_;
  std::uint64_t number_ = 0;
};

class OpenAiResponses final : public Voice {
 public:
  Asked read(std::string_view method, std::string_view target, const Body& body) const override {
    if (method != "POST") return refused(405, "Not allowed to " + std::string(method) + " on " + std::string(path_of(target)) + ".", {}, "method_not_supported");
    const auto document = json::Document::parse(body);
    if (!document || !document->root().is(Type::kObject)) {
      return refused(400, "We could not parse the JSON body of your request: it is not a valid JSON object.");
    }
    return read_response_request(document->root());
  }
  Manner manner(const Asked& asked) const override { return openai_voice().manner(asked); }
  void greet(Headers& fields, std::string_view name) const override { openai_voice().greet(fields, name); }
  std::string whole(const Composition& what) const override { return indented(response(what, final_status(what), "null")) + "\n"; }
  std::unique_ptr<Events> stream(Composition what) const override {
    auto shared = std::make_shared<const Composition>(std::move(what));
    return std::make_unique<Recital>(shared, std::make_unique<ResponsePhrases>(shared));
  }
  std::string refuse(const Asked& asked, const Problem& problem) const override { return openai_voice().refuse(asked, problem); }
  Problem unknown_model(const std::string& model) const override {
    return {400, "The requested model '" + model + "' does not exist.", "model", "model_not_found"};
  }
  std::string fault(const Asked& asked, int status, std::int64_t retry_after) const override {
    return openai_voice().fault(asked, status, retry_after);
  }
};

}  // namespace

bool is_openai_responses(std::string_view path) noexcept { return path.ends_with("/responses"); }

const Voice& openai_responses_voice() {
  static const OpenAiResponses voice;
  return voice;
}

}  // namespace sluice::sim
