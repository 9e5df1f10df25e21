// See cohere.hpp. Keys are those of the recordings; tests/unit/sim compares.
#include "sim/cohere.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/text.hpp"

namespace sluice::sim {
namespace {

using json::Type;
using json::Value;
using Lines = Phrases::Lines;

constexpr std::string_view kChat = "/v2/chat";
constexpr std::string_view kEmbed = "/v2/embed";
constexpr std::string_view kRerank = "/v2/rerank";
constexpr std::string_view kMeta = R"("meta":{"api_version":{"version":"2"},"billed_units":{)";

// --- requests ---

std::uint64_t tokens_of_message(const Value& message) {
  std::uint64_t tokens = tokens_of_parts(member(message, "content")) + tokens_of(member(message, "tool_plan"));
  const Value content = member(message, "content");
  if (content.is(Type::kArray)) {
    for (Value part = content.first(); part; part = part.next()) {
      tokens += tokens_of(member(part, "thinking")) + tokens_of_object(member(member(part, "document"), "data"));
    }
  }
  const Value calls = member(message, "tool_calls");
  if (calls.is(Type::kArray)) {
    for (Value call = calls.first(); call; call = call.next()) {
      const Value function = member(call, "function");
      tokens += tokens_of(member(function, "name")) + tokens_of(member(function, "arguments"));
    }
  }
  return tokens;
}

void read_chat(const Value& root, Asked& asked) {
  asked.subject = Subject::kChat;
  asked.stream = is_true(member(root, "stream"));
  asked.max_tokens = positive(member(root, "max_tokens"));
  const Value messages = member(root, "messages");
  if (!messages.is(Type::kArray) || !messages.first()) {
    asked = refused(400, "invalid request: messages must have at least one message");
    return;
  }
  for (Value message = messages.first(); message; message = message.next()) asked.prompt_tokens += tokens_of_message(message);
}

/// A text, or the texts of an input's content.
std::string text_of_input(const Value& input) {
  if (input.is(Type::kString)) return text_of(input);
  std::string all;
  const Value content = member(input, "content");
  for (Value part = content.first(); part; part = part.next()) {
    const std::string text = text_of(member(part, "text"));
    if (!text.empty()) all += (all.empty() ? "" : " ") + text;
  }
  return all;
}

void read_embed(const Value& root, Asked& asked) {
  asked.subject = Subject::kEmbeddings;
  asked.dimensions = dimensions_of(member(root, "output_dimension"));
  for (const std::string_view key : {"texts", "inputs", "images"}) {
    const Value list = member(root, key);
    if (!list.is(Type::kArray)) continue;
    for (Value input = list.first(); input; input = input.next()) {
      asked.inputs.push_back(text_of_input(input));
      if (key != "images") asked.prompt_tokens += count_tokens(asked.inputs.back());
    }
    asked.alternate = asked.alternate || key != "texts";  // then no texts are repeated
  }
  const Value kinds = member(root, "embedding_types");
  if (kinds.is(Type::kArray)) {
    for (Value kind = kinds.first(); kind; kind = kind.next()) asked.kinds.push_back(text_of(kind));
  }
  if (asked.kinds.empty()) asked.kinds.emplace_back("float");
  if (asked.inputs.empty()) {
    asked = refused(400, "invalid request: at least one of texts, images or inputs is required");
  } else if (text_of(member(root, "input_type")).empty()) {
    asked = refused(400, "invalid request: input_type is required");
  }
}

void read_rerank(const Value& root, Asked& asked) {
  asked.subject = Subject::kRerank;
  asked.query = text_of(member(root, "query"));
  asked.most = static_cast<std::size_t>(positive(member(root, "top_n")).value_or(0));
  const Value documents = member(root, "documents");
  for (Value document = documents.is(Type::kArray) ? documents.first() : Value{}; document; document = document.next()) {
    asked.inputs.push_back(document.is(Type::kString) ? text_of(document) : text_of(member(document, "text")));
  }
  if (asked.query.empty()) asked = refused(400, "invalid request: query must not be empty");
  else if (asked.inputs.empty()) asked = refused(400, "invalid request: documents must have at least one document");
}

// --- whole answers ---

std::string_view reason(const Choice& choice) noexcept {
  switch (choice.ending) {
    case Ending::kLength: return "MAX_TOKENS";
    case Ending::kToolCalls: return "TOOL_CALL";
    case Ending::kStop:
    case Ending::kRefusal: break;
  }
  return "COMPLETE";
}

std::string tokens(std::string_view key, const Counts& counts) {
  std::string out = "\"" + std::string(key) + R"(":{"input_tokens":)";
  append_number(out, counts.input);
  out += R"(,"output_tokens":)";
  append_number(out, counts.output);
  return out + "}";
}

/// `,"usage":{...}`, or nothing.
std::string usage(const Composition& what) {
  if (what.settings->no_usage) return {};
  std::string out = R"(,"usage":{)" + tokens("billed_units", what.counts) + "," + tokens("tokens", what.counts) + R"(,"cached_tokens":)";
  append_number(out, what.counts.cached);
  return out + "}";
}

/// A call, with its arguments where they are known.
std::string call(const testing::ScriptedToolCall& tool, std::string_view arguments) {
  return R"({"id":)" + quote(tool.id) + R"(,"type":"function","function":{"name":)" + quote(tool.name) + R"(,"arguments":)" +
         quote(arguments) + "}}";
}

std::string chat_answer(const Composition& what) {
  const Choice& choice = what.choices.at(0);
  std::string out = R"({"id":")" + uuid(what.name) + R"(","message":{"role":"assistant",)";
  if (choice.tools.empty()) {
    out += R"("content":[{"type":"text","text":)" + quote(choice.text) + "}]";
  } else {
    out += R"("tool_calls":[)";
    for (std::size_t i = 0; i < choice.tools.size(); ++i) out += (i == 0 ? "" : ",") + call(choice.tools[i], choice.tools[i].arguments);
    out += ']';
  }
  out.append(R"(},"finish_reason":")").append(reason(choice)).append("\"");
  return out + usage(what) + "}";
}

int whole_number(float x, float scale) { return static_cast<int>(std::lround(x * scale)); }

/// The signs of eight numbers, the first in the highest bit.
int signs(const std::vector<float>& vector, std::size_t from) {
  int byte = 0;
  for (std::size_t i = from; i < from + 8; ++i) byte = byte << 1 | (i < vector.size() && vector[i] >= 0 ? 1 : 0);
  return byte;
}

/// A vector in one of the number formats, as text.
std::string vector_text(const std::vector<float>& vector, std::string_view kind) {
  if (kind == "base64") return "\"" + base64(little_endian(vector)) + "\"";
  const bool packed = kind == "binary" || kind == "ubinary";
  std::string out = "[";
  for (std::size_t i = 0; i < vector.size(); i += packed ? 8 : 1) {
    if (i > 0) out += ',';
    if (kind == "int8") out += std::to_string(whole_number(vector[i], 127));
    else if (kind == "uint8") out += std::to_string(whole_number(vector[i], 127) + 128);
    else if (packed) out += std::to_string(signs(vector, i) - (kind == "binary" ? 128 : 0));
    else append_float(out, vector[i]);
  }
  return out + "]";
}

std::string embed_answer(const Composition& what) {
  const Asked& asked = what.asked;
  std::string out = R"({"id":")" + uuid(what.name) + R"(","embeddings":{)";
  for (std::size_t k = 0; k < asked.kinds.size(); ++k) {
    out += (k == 0 ? "" : ",") + quote(asked.kinds[k]) + ":[";
    for (std::size_t i = 0; i < asked.inputs.size(); ++i) out += (i == 0 ? "" : ",") + vector_text(embed(asked.inputs[i], what), asked.kinds[k]);
    out += ']';
  }
  out += R"(},"texts":[)";
  for (std::size_t i = 0; i < asked.inputs.size() && !asked.alternate; ++i) out += (i == 0 ? "" : ",") + quote(asked.inputs[i]);
  out.append("],").append(kMeta);
  if (!what.settings->no_usage) {
    out += R"("input_tokens":)";
    append_number(out, what.counts.input);
  }
  return out + R"(}},"response_type":"embeddings_by_type"})";
}

/// How many of the query's tokens the document has, and a trace of both texts, so that no two are alike.
double relevance(std::string_view query, std::string_view document) {
  std::uint64_t shared = 0, all = 0;
  for (std::size_t at = 0; at < query.size(); ++all) {
    const std::size_t end = token_end(query, at);
    std::string_view token = query.substr(at, end - at);
    while (token.starts_with(' ')) token.remove_prefix(1);
    if (document.find(token) != std::string_view::npos) ++shared;
    at = end;
  }
  const double trace = static_cast<double>(stable_hash(std::string(query) + '\n' + std::string(document)) % 100'000) / 1e6;
  return 0.9 * static_cast<double>(shared) / static_cast<double>(std::max<std::uint64_t>(1, all)) + trace;
}

std::string rerank_answer(const Composition& what) {
  std::vector<std::pair<double, std::size_t>> ranked;
  for (std::size_t i = 0; i < what.asked.inputs.size(); ++i) ranked.emplace_back(relevance(what.asked.query, what.asked.inputs[i]), i);
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  if (what.asked.most > 0 && what.asked.most < ranked.size()) ranked.resize(what.asked.most);
  std::string out = R"({"id":")" + uuid(what.name) + R"(","results":[)";
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    out += (i == 0 ? R"({"index":)" : R"(,{"index":)") + std::to_string(ranked[i].second) + R"(,"relevance_score":)";
    append_float(out, ranked[i].first);
    out += '}';
  }
  out.append("],").append(kMeta);
  if (!what.settings->no_usage) out += R"("search_units":1)";
  return out + "}}}";
}

// --- streams ---

/// `members` stand behind the type, and begin with a comma where there are any.
std::string event(std::string_view type, std::string_view members) {
  std::string out("event: ");
  out.append(type).append("\ndata: {\"type\":\"").append(type).append("\"").append(members).append("}\n\n");
  return out;
}

class ChatPhrases final : public Phrases {
 public:
  explicit ChatPhrases(std::shared_ptr<const Composition> what) : what_(std::move(what)) {}

  void open(Lines& lines) override {
    lines.push_back(event("message-start", R"(,"id":")" + uuid(what_->name) +
                                               R"(","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}})"));
  }
  void begin(const Place& place, Lines& lines) override {
    if (place.tool) {
      lines.push_back(event("tool-call-start", index(place) + R"(,"delta":{"message":{"tool_calls":)" + call(choice().tools[place.part], {}) + "}}"));
    } else {
      lines.push_back(event("content-start", index(place) + R"(,"delta":{"message":{"content":{"type":"text","text":""}}})"));
    }
  }
  void token(const Place& place, std::string_view text, Lines& lines) override {
    if (place.tool) {
      lines.push_back(event("tool-call-delta",
                            index(place) + R"(,"delta":{"message":{"tool_calls":{"function":{"arguments":)" + quote(text) + "}}}}"));
    } else {
      lines.push_back(event("content-delta", index(place) + R"(,"delta":{"message":{"content":{"text":)" + quote(text) + "}}}"));
    }
  }
  void end(const Place& place, Lines& lines) override { lines.push_back(event(place.tool ? "tool-call-end" : "content-end", index(place))); }
  void close(Lines& lines) override {
    lines.push_back(event("message-end", R"(,"delta":{"finish_reason":")" + std::string(reason(choice())) + "\"" + usage(*what_) + "}"));
    lines.emplace_back("data: [DONE]\n\n");
  }
  std::string failure(std::uint64_t, bool) const override {
    return event("message-end", R"(,"delta":{"finish_reason":"ERROR","usage":{},"error":"internal server error"})") + "data: [DONE]\n\n";
  }

 private:
  const Choice& choice() const { return what_->choices.at(0); }
  static std::string index(const Place& place) { return ",\"index\":" + std::to_string(place.part); }

  std::shared_ptr<const Composition> what_;
};

// --- errors ---

std::string error(std::string_view message) { return R"({"id":")" + uuid(message) + R"(","message":)" + quote(message) + "}"; }

std::string_view fault_words(int status) noexcept {
  switch (status) {
    case 401: return "invalid api token";
    case 403: return "api token is not allowed to use this resource";
    case 404: return "model not found";
    case 429: return "you are past the rate limit, please wait and try again later";
    case 503: return "service temporarily unavailable";
    default: return status >= 500 ? "internal server error" : "the request was refused by the simulator";
  }
}

class Cohere final : public Voice {
 public:
  Asked read(std::string_view method, std::string_view target, const Body& body) const override {
    if (method != "POST") return refused(405, "method not allowed");
    const auto document = json::Document::parse(body);
    if (!document || !document->root().is(Type::kObject)) return refused(400, "invalid request: the body is no JSON object");
    const Value root = document->root();
    Asked asked;
    asked.model = text_of(member(root, "model"));
    if (asked.model.empty()) return refused(400, "invalid request: model is required");
    const std::string_view path = path_of(target);
    if (path.ends_with(kEmbed)) read_embed(root, asked);
    else if (path.ends_with(kRerank)) read_rerank(root, asked);
    else read_chat(root, asked);
    return asked;
  }
  Manner manner(const Asked&) const override {
    Manner manner;
    manner.stream_type = "text/event-stream";
    manner.call_ids = {"call_", 12};
    return manner;
  }
  void greet(Headers& fields, std::string_view name) const override { fields.add_trusted("x-debug-trace-id", name); }
  std::string whole(const Composition& what) const override {
    switch (what.asked.subject) {
      case Subject::kEmbeddings: return embed_answer(what);
      case Subject::kRerank: return rerank_answer(what);
      default: return chat_answer(what);
    }
  }
  std::unique_ptr<Events> stream(Composition what) const override {
    auto shared = std::make_shared<const Composition>(std::move(what));
    return std::make_unique<Recital>(shared, std::make_unique<ChatPhrases>(shared));
  }
  std::string refuse(const Asked&, const Problem& problem) const override { return error(problem.message); }
  Problem unknown_model(const std::string& model) const override {
    return {404, "model '" + model + "' not found, or you have no access to it", {}, {}};
  }
  std::string fault(const Asked&, int status, std::int64_t) const override { return error(fault_words(status)); }
};

}  // namespace

bool is_cohere(std::string_view path) noexcept { return path.ends_with(kChat) || path.ends_with(kEmbed) || path.ends_with(kRerank); }

const Voice& cohere_voice() {
  static const Cohere voice;
  return voice;
}

}  // namespace sluice::sim
