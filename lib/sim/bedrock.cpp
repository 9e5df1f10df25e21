// See bedrock.hpp. Keys are those of the recordings; tests/unit/sim compares.
#include "sim/bedrock.hpp"

#include <utility>

#include "sim/aws_frame.hpp"
#include "sim/text.hpp"

namespace sluice::sim {
namespace {

using json::Type;
using json::Value;
using Lines = Phrases::Lines;

constexpr std::string_view kModel = "/model/";
constexpr std::string_view kConverse = "/converse";
constexpr std::string_view kConverseStream = "/converse-stream";

// --- requests ---

std::uint64_t tokens_of_block(const Value& block) {
  std::uint64_t tokens = tokens_of(member(block, "text"));
  tokens += tokens_of(member(member(member(block, "reasoningContent"), "reasoningText"), "text"));
  const Value use = member(block, "toolUse");
  tokens += tokens_of(member(use, "name")) + tokens_of_object(member(use, "input"));
  const Value results = member(member(block, "toolResult"), "content");
  if (!results.is(Type::kArray)) return tokens;
  for (Value result = results.first(); result; result = result.next()) {
    tokens += tokens_of(member(result, "text")) + tokens_of_object(member(result, "json"));
  }
  return tokens;
}

std::uint64_t tokens_of_blocks(const Value& blocks) {
  std::uint64_t tokens = 0;
  if (!blocks.is(Type::kArray)) return tokens;
  for (Value block = blocks.first(); block; block = block.next()) tokens += tokens_of_block(block);
  return tokens;
}

void read_converse(const Value& root, Asked& asked) {
  const Value messages = member(root, "messages");
  if (!messages.is(Type::kArray) || !messages.first()) {
    asked.problem = Problem{400, "A conversation must start with a user message. Try again with a conversation that starts with one.", {}, {}};
    return;
  }
  asked.prompt_tokens = tokens_of_blocks(member(root, "system"));
  for (Value message = messages.first(); message; message = message.next()) asked.prompt_tokens += tokens_of_blocks(member(message, "content"));
  asked.max_tokens = positive(member(member(root, "inferenceConfig"), "maxTokens"));
}

// --- answers ---

std::string_view reason(const Choice& choice) noexcept {
  switch (choice.ending) {
    case Ending::kLength: return "max_tokens";
    case Ending::kToolCalls: return "tool_use";
    case Ending::kRefusal: return "content_filtered";
    case Ending::kStop: break;
  }
  return "end_turn";
}

void append_member(std::string& out, std::string_view key, std::uint64_t n) {
  out.append(out.back() == '{' ? "\"" : ",\"").append(key).append("\":");
  append_number(out, n);
}

/// How long it took, as answers say: no clock is read for it. 10 ms a token.
std::string metrics(const Counts& counts) {
  std::string out = R"("metrics":{)";
  append_member(out, "latencyMs", counts.output * 10);
  return out + "}";
}

std::string usage(const Counts& counts) {
  std::string out = R"("usage":{)";
  if (counts.cached > 0) {
    // Both spellings, as they come.
    append_member(out, "cacheReadInputTokenCount", counts.cached);
    append_member(out, "cacheReadInputTokens", counts.cached);
    append_member(out, "cacheWriteInputTokenCount", 0);
    append_member(out, "cacheWriteInputTokens", 0);
  }
  append_member(out, "inputTokens", counts.input - counts.cached);
  append_member(out, "outputTokens", counts.output);
  append_member(out, "totalTokens", counts.input + counts.output);
  return out + "}";
}

std::string converse_answer(const Composition& what) {
  const Choice& choice = what.choices.at(0);
  std::string out = "{" + metrics(what.counts) + R"(,"output":{"message":{"content":[)";
  for (std::size_t i = 0; i < choice.tools.size(); ++i) {
    const auto& tool = choice.tools[i];
    out += (i == 0 ? "" : ",") + (R"({"toolUse":{"input":)" + object_text(tool.arguments)) + R"(,"name":)" + quote(tool.name) +
           R"(,"toolUseId":)" + quote(tool.id) + "}}";
  }
  if (choice.tools.empty() && !choice.text.empty()) out += R"({"text":)" + quote(choice.text) + "}";
  out.append(R"(],"role":"assistant"}},"stopReason":")").append(reason(choice)).append("\"");
  if (!what.settings->no_usage) out += "," + usage(what.counts);
  return out + "}";
}

/// Padding, so that the length of a frame tells nothing about its text; of no meaning to a reader.
std::string padding(std::string_view payload) {
  static constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  return std::string(kLetters.substr(0, 1 + stable_hash(payload) % kLetters.size()));
}

/// `members` are not empty.
std::string event(std::string_view type, std::string_view members) {
  const std::string payload = "{" + std::string(members) + R"(,"p":")" + padding(members) + "\"}";
  return aws_frame({{":event-type", type}, {":content-type", "application/json"}, {":message-type", "event"}}, payload);
}

class FramePhrases final : public Phrases {
 public:
  explicit FramePhrases(std::shared_ptr<const Composition> what) : what_(std::move(what)) {}

  void open(Lines& lines) override { lines.push_back(event("messageStart", R"("role":"assistant")")); }
  void begin(const Place& place, Lines& lines) override {
    if (!place.tool) return;  // a text begins with its first words
    const auto& tool = choice().tools[place.part];
    lines.push_back(event("contentBlockStart", index(place) + R"(,"start":{"toolUse":{"name":)" + quote(tool.name) + R"(,"toolUseId":)" +
                                                   quote(tool.id) + "}}"));
    token(place, {}, lines);
  }
  void token(const Place& place, std::string_view text, Lines& lines) override {
    const std::string words = place.tool ? R"({"toolUse":{"input":)" + quote(text) + "}}" : R"({"text":)" + quote(text) + "}";
    lines.push_back(event("contentBlockDelta", index(place) + R"(,"delta":)" + words));
  }
  void end(const Place& place, Lines& lines) override { lines.push_back(event("contentBlockStop", index(place))); }
  void close(Lines& lines) override {
    lines.push_back(event("messageStop", R"("stopReason":")" + std::string(reason(choice())) + "\""));
    const std::string counted = what_->settings->no_usage ? std::string() : "," + usage(what_->counts);
    lines.push_back(event("metadata", metrics(what_->counts) + counted));
  }
  std::string failure(std::uint64_t, bool) const override {
    return aws_frame({{":exception-type", "internalServerException"}, {":content-type", "application/json"}, {":message-type", "exception"}},
                     R"({"message":"The system encountered an unexpected error during processing. Try your request again."})");
  }

 private:
  const Choice& choice() const { return what_->choices.at(0); }
  static std::string index(const Place& place) { return R"("contentBlockIndex":)" + std::to_string(place.part); }

  std::shared_ptr<const Composition> what_;
};

// --- errors ---

std::string_view error_type(int status) noexcept {
  switch (status) {
    case 401:
    case 403: return "AccessDeniedException";
    case 404: return "ResourceNotFoundException";
    case 408: return "ModelTimeoutException";
    case 424: return "ModelErrorException";
    case 429: return "ThrottlingException";
    case 503: return "ServiceUnavailableException";
    default: return status >= 500 ? "InternalServerException" : "ValidationException";
  }
}

std::string_view fault_words(int status) noexcept {
  switch (status) {
    case 401:
    case 403: return "You don't have access to the model with the specified model ID.";
    case 404: return "The specified resource was not found.";
    case 408: return "The model took too long.";
    case 429: return "Too many requests, please wait before trying again.";
    case 503: return "Too many connections, please wait before trying again.";
    default: return status >= 500 ? "The system encountered an unexpected error during processing. Try your request again."
                                  : "The request was refused by the simulator.";
  }
}

std::string error(std::string_view message) { return R"({"message":)" + quote(message) + "}"; }

class Bedrock final : public Voice {
 public:
  Asked read(std::string_view method, std::string_view target, const Body& body) const override {
    const std::string_view path = path_of(target);
    const std::size_t name = path.rfind(kModel) + kModel.size();
    Asked asked;
    asked.subject = Subject::kChat;
    asked.model = percent_decoded(path.substr(name, path.rfind('/') - name));
    asked.stream = path.ends_with(kConverseStream);
    const auto document = json::Document::parse(body);
    if (method != "POST") {
      asked.problem = Problem{404, "There is no such operation.", {}, {}};
    } else if (!document || !document->root().is(Type::kObject)) {
      asked.problem = Problem{400, "The request body is no JSON object.", {}, {}};
    } else {
      read_converse(document->root(), asked);
    }
    return asked;
  }
  Manner manner(const Asked&) const override {
    Manner manner;
    manner.stream_type = "application/vnd.amazon.eventstream";
    manner.framing = Framing::kFrames;
    manner.ping = {};
    manner.call_ids = {"tooluse_", 22};
    return manner;
  }
  void greet(Headers& fields, std::string_view name) const override { fields.add_trusted("x-amzn-requestid", uuid(name)); }
  void greet_error(Headers& fields, int status) const override {
    fields.add_trusted("x-amzn-errortype", std::string(error_type(status)) + ":http://internal.amazon.com/coral/com.amazon.bedrock/");
  }
  std::string whole(const Composition& what) const override { return converse_answer(what); }
  std::unique_ptr<Events> stream(Composition what) const override {
    auto shared = std::make_shared<const Composition>(std::move(what));
    return std::make_unique<Recital>(shared, std::make_unique<FramePhrases>(shared));
  }
  std::string refuse(const Asked&, const Problem& problem) const override { return error(problem.message); }
  Problem unknown_model(const std::string&) const override { return {400, "The provided model identifier is invalid.", {}, {}}; }
  std::string fault(const Asked&, int status, std::int64_t) const override { return error(fault_words(status)); }
};

}  // namespace

bool is_bedrock(std::string_view path) noexcept {
  return path.find(kModel) != std::string_view::npos && (path.ends_with(kConverse) || path.ends_with(kConverseStream));
}

const Voice& bedrock_voice() {
  static const Bedrock voice;
  return voice;
}

}  // namespace sluice::sim
