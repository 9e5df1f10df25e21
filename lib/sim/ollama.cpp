// See ollama.hpp. Keys are those of the recordings; tests/unit/sim compares.
#include "sim/ollama.hpp"

#include <algorithm>
#include <utility>

#include "sim/text.hpp"

namespace sluice::sim {
namespace {

using json::Type;
using json::Value;
using Lines = Phrases::Lines;

constexpr std::string_view kChat = "/api/chat";
constexpr std::string_view kGenerate = "/api/generate";
constexpr std::string_view kEmbed = "/api/embed";
/// Nanoseconds that answers say a token took, and a model to load: no clock is read for them.
constexpr std::uint64_t kTokenNs = 10'000'000, kPromptTokenNs = 1'000'000, kLoadNs = 50'000'000;

// --- requests ---

std::uint64_t tokens_of_message(const Value& message) {
  std::uint64_t tokens = tokens_of(member(message, "content")) + tokens_of(member(message, "thinking"));
  const Value calls = member(message, "tool_calls");
  if (!calls.is(Type::kArray)) return tokens;
  for (Value call = calls.first(); call; call = call.next()) {
    const Value function = member(call, "function");
    tokens += tokens_of(member(function, "name")) + tokens_of_object(member(function, "arguments"));
  }
  return tokens;
}

/// Whether there is anything to answer: without it the model is only loaded.
bool read_prompt(const Value& root, Asked& asked) {
  if (asked.subject == Subject::kChat) {
    const Value messages = member(root, "messages");
    if (!messages.is(Type::kArray) || !messages.first()) return false;
    for (Value message = messages.first(); message; message = message.next()) asked.prompt_tokens += tokens_of_message(message);
    return true;
  }
  asked.prompt_tokens = tokens_of(member(root, "prompt")) + tokens_of(member(root, "suffix")) + tokens_of(member(root, "system"));
  return !text_of(member(root, "prompt")).empty();
}

void read_generation(const Value& root, Asked& asked) {
  const Value stream = member(root, "stream");
  asked.stream = !stream.is(Type::kBool) || is_true(stream);
  asked.max_tokens = positive(member(member(root, "options"), "num_predict"));
  asked.alternate = !read_prompt(root, asked);
  if (asked.alternate) asked.stream = false;
}

void read_embed(const Value& root, Asked& asked) {
  asked.subject = Subject::kEmbeddings;
  asked.dimensions = dimensions_of(member(root, "dimensions"));
  const Value input = member(root, "input");
  if (input.is(Type::kString)) asked.inputs.push_back(text_of(input));
  for (Value text = input.is(Type::kArray) ? input.first() : Value{}; text; text = text.next()) asked.inputs.push_back(text_of(text));
  for (const std::string& text : asked.inputs) asked.prompt_tokens += count_tokens(text);
  if (asked.inputs.empty()) asked.problem = Problem{400, "missing input", {}, {}};
}

// --- answers ---

bool chat(const Composition& what) { return what.asked.subject == Subject::kChat; }

/// An object up to what it says: `{"model":...,"created_at":...`
std::string head(const Composition& what) {
  return R"({"model":)" + quote(what.asked.model) + R"(,"created_at":")" + utc_time(what.created) + "\"";
}

/// `calls` are the elements of a list, or empty.
std::string said(const Composition& what, std::string_view text, std::string_view calls) {
  if (!chat(what)) return R"(,"response":)" + quote(text);
  std::string out = R"(,"message":{"role":"assistant","content":)" + quote(text);
  if (!calls.empty()) out.append(R"(,"tool_calls":[)").append(calls).append("]");
  return out + "}";
}

std::string call(const Choice& choice, std::size_t index) {
  const auto& tool = choice.tools[index];
  return R"({"id":)" + quote(tool.id) + R"(,"function":{"index":)" + std::to_string(index) + R"(,"name":)" + quote(tool.name) +
         R"(,"arguments":)" + object_text(tool.arguments) + "}}";
}

void append_member(std::string& out, std::string_view key, std::uint64_t n) {
  out.append(",\"").append(key).append("\":");
  append_number(out, n);
}

/// What stands behind the last words: why, and what it took.
std::string done(const Composition& what) {
  const Counts& counts = what.counts;
  const bool usage = !what.settings->no_usage;
  std::string out = R"(,"done":true,"done_reason":")";
  out += what.asked.alternate ? "load" : what.choices.at(0).ending == Ending::kLength ? "length" : "stop";
  out += '"';
  if (what.asked.alternate) return out + "}";
  if (!chat(what)) {
    out += R"(,"context":[)";
    const std::uint64_t kept = std::min<std::uint64_t>(counts.input + counts.output, 8);
    for (std::uint64_t i = 0; i < kept; ++i) out += (i == 0 ? "" : ",") + std::to_string(stable_hash(what.name + std::to_string(i)) % 128'000);
    out += ']';
  }
  append_member(out, "total_duration", kLoadNs + counts.input * kPromptTokenNs + counts.output * kTokenNs);
  append_member(out, "load_duration", kLoadNs);
  if (usage) append_member(out, "prompt_eval_count", counts.input);
  append_member(out, "prompt_eval_duration", counts.input * kPromptTokenNs);
  if (usage) append_member(out, "eval_count", counts.output);
  append_member(out, "eval_duration", counts.output * kTokenNs);
  return out + "}";
}

std::string generated(const Composition& what) {
  const Choice& choice = what.choices.at(0);
  std::string calls;
  for (std::size_t i = 0; i < choice.tools.size(); ++i) calls += (i == 0 ? "" : ",") + call(choice, i);
  return head(what) + said(what, what.asked.alternate ? std::string_view() : choice.text, calls) + done(what);
}

std::string embeddings(const Composition& what) {
  std::string out = R"({"model":)" + quote(what.asked.model) + R"(,"embeddings":[)";
  for (std::size_t i = 0; i < what.asked.inputs.size(); ++i) {
    out += i == 0 ? "[" : ",[";
    const auto vector = embed(what.asked.inputs[i], what);
    for (std::size_t k = 0; k < vector.size(); ++k) {
      if (k > 0) out += ',';
      append_float(out, vector[k]);
    }
    out += ']';
  }
  out += ']';
  append_member(out, "total_duration", kLoadNs + what.counts.input * kPromptTokenNs);
  append_member(out, "load_duration", kLoadNs);
  if (!what.settings->no_usage) append_member(out, "prompt_eval_count", what.counts.input);
  return out + "}";
}

std::string error(std::string_view message) { return R"({"error":)" + quote(message) + "}"; }

std::string_view fault_words(int status) noexcept {
  switch (status) {
    case 401: return "unauthorized";
    case 404: return "model not found";
    case 429: return "too many concurrent requests";
    case 503: return "server busy, please try again. maximum pending requests exceeded";
    default: return status >= 500 ? "an error was encountered while running the model" : "the request was refused by the simulator";
  }
}

class LinePhrases final : public Phrases {
 public:
  explicit LinePhrases(std::shared_ptr<const Composition> what) : what_(std::move(what)) {}

  void token(const Place& place, std::string_view text, Lines& lines) override {
    if (!place.tool) say(said(*what_, text, {}), lines);
  }
  void end(const Place& place, Lines& lines) override {
    if (place.tool) say(said(*what_, {}, call(what_->choices.at(0), place.part)), lines);
  }
  void close(Lines& lines) override { lines.push_back(head(*what_) + said(*what_, {}, {}) + done(*what_) + "\n"); }
  std::string failure(std::uint64_t, bool) const override { return error(fault_words(500)) + "\n"; }

 private:
  void say(std::string_view words, Lines& lines) {
    std::string out = head(*what_);
    lines.push_back(out.append(words).append(",\"done\":false}\n"));
  }

  std::shared_ptr<const Composition> what_;
};

class Ollama final : public Voice {
 public:
  Asked read(std::string_view method, std::string_view target, const Body& body) const override {
    if (method != "POST") return refused(405, "method not allowed");
    const auto document = json::Document::parse(body);
    if (!document || !document->root().is(Type::kObject)) return refused(400, "invalid request: the body is no JSON object");
    const Value root = document->root();
    const std::string_view path = path_of(target);
    Asked asked;
    asked.model = text_of(member(root, "model"));
    if (asked.model.empty()) return refused(400, "model is required");
    asked.subject = path.ends_with(kGenerate) ? Subject::kCompletions : Subject::kChat;
    if (path.ends_with(kEmbed)) read_embed(root, asked);
    else read_generation(root, asked);
    return asked;
  }
  Manner manner(const Asked&) const override {
    Manner manner;
    manner.whole_type = "application/json; charset=utf-8";
    manner.stream_type = "application/x-ndjson";
    manner.error_type = manner.whole_type;
    manner.framing = Framing::kLines;
    manner.ping = {};
    manner.call_ids = {"call_", 8};
    return manner;
  }
  void greet(Headers&, std::string_view) const override {}  // it gives its answers no names
  std::string whole(const Composition& what) const override {
    return what.asked.subject == Subject::kEmbeddings ? embeddings(what) : generated(what);
  }
  std::unique_ptr<Events> stream(Composition what) const override {
    auto shared = std::make_shared<const Composition>(std::move(what));
    return std::make_unique<Recital>(shared, std::make_unique<LinePhrases>(shared));
  }
  std::string refuse(const Asked&, const Problem& problem) const override { return error(problem.message); }
  Problem unknown_model(const std::string& model) const override { return {404, "model '" + model + "' not found", {}, {}}; }
  std::string fault(const Asked&, int status, std::int64_t) const override { return error(fault_words(status)); }
};

}  // namespace

bool is_ollama(std::string_view path) noexcept { return path.ends_with(kChat) || path.ends_with(kGenerate) || path.ends_with(kEmbed); }

const Voice& ollama_voice() {
  static const Ollama voice;
  return voice;
}

}  // namespace sluice::sim
