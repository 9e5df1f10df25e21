// See gemini.hpp. Keys are those of the recordings; tests/unit/sim compares.
#include "sim/gemini.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "sim/text.hpp"

namespace sluice::sim {
namespace {

using json::Type;
using json::Value;
using Lines = Phrases::Lines;

constexpr std::string_view kJson = "application/json; charset=UTF-8";
constexpr std::string_view kModels = "/models/";
constexpr std::uint64_t kMostCandidates = 8;  // the API's own bound

enum class Operation : std::uint8_t { kGenerate, kStream, kCount, kEmbed, kEmbedBatch, kNone };

Operation operation_of(std::string_view path) noexcept {
  static constexpr std::pair<std::string_view, Operation> kOperations[] = {
      {":generateContent", Operation::kGenerate}, {":streamGenerateContent", Operation::kStream}, {":countTokens", Operation::kCount},
      {":embedContent", Operation::kEmbed}, {":batchEmbedContents", Operation::kEmbedBatch}};
  if (path.find(kModels) == std::string_view::npos) return Operation::kNone;
  const auto* const found = std::find_if(std::begin(kOperations), std::end(kOperations), [&](const auto& o) { return path.ends_with(o.first); });
  return found == std::end(kOperations) ? Operation::kNone : found->second;
}

/// The API takes both spellings.
Value either(const Value& object, std::string_view camel, std::string_view snake) {
  const Value value = member(object, camel);
  return value ? value : member(object, snake);
}

std::uint64_t tokens_of_part(const Value& part) {
  const Value call = either(part, "functionCall", "function_call");
  const Value result = either(part, "functionResponse", "function_response");
  return tokens_of(member(part, "text")) + tokens_of(member(call, "name")) + tokens_of_object(member(call, "args")) +
         tokens_of_object(member(result, "response"));
}

std::uint64_t tokens_of_content(const Value& content) {
  const Value parts = member(content, "parts");
  if (parts.is(Type::kObject)) return tokens_of_part(parts);
  if (!parts.is(Type::kArray)) return 0;
  std::uint64_t tokens = 0;
  for (Value part = parts.first(); part; part = part.next()) tokens += tokens_of_part(part);
  return tokens;
}

std::string text_of_content(const Value& content) {
  const Value parts = member(content, "parts");
  std::string text;
  for (Value part = parts.first(); part; part = part.next()) text += text_of(member(part, "text"));
  return text;
}

void read_contents(const Value& root, Asked& asked) {
  const Value contents = member(root, "contents");
  if (contents.is(Type::kArray) && contents.first()) {
    for (Value content = contents.first(); content; content = content.next()) asked.prompt_tokens += tokens_of_content(content);
  } else if (contents.is(Type::kObject)) {
    asked.prompt_tokens += tokens_of_content(contents);
  } else {
    asked.problem = Problem{400, "* GenerateContentRequest.contents: contents is not specified\n", {}, {}};
  }
  asked.prompt_tokens += tokens_of_content(either(root, "systemInstruction", "system_instruction"));
  const Value config = either(root, "generationConfig", "generation_config");
  asked.max_tokens = positive(either(config, "maxOutputTokens", "max_output_tokens"));
  const auto candidates = positive(either(config, "candidateCount", "candidate_count"));
  asked.choices = static_cast<std::uint32_t>(std::min(candidates.value_or(1), kMostCandidates));
}

void read_embedding(const Value& request, Asked& asked) {
  const Value content = member(request, "content");
  if (!member(content, "parts").is(Type::kArray)) {
    asked.problem = Problem{400, "* EmbedContentRequest.content: content is not specified\n", {}, {}};
    return;
  }
  asked.inputs.push_back(text_of_content(content));
  asked.prompt_tokens += count_tokens(asked.inputs.back());
  asked.dimensions = dimensions_of(either(request, "outputDimensionality", "output_dimensionality"));
}

void read_body(const Value& root, Operation operation, Asked& asked) {
  switch (operation) {
    case Operation::kEmbed: return read_embedding(root, asked);
    case Operation::kEmbedBatch: {
      const Value requests = member(root, "requests");
      if (!requests.is(Type::kArray) || !requests.first()) {
        asked.problem = Problem{400, "* BatchEmbedContentsRequest.requests: at least one request is required\n", {}, {}};
        return;
      }
      for (Value request = requests.first(); request && !asked.problem; request = request.next()) read_embedding(request, asked);
      return;
    }
    case Operation::kCount: {
      const Value request = either(root, "generateContentRequest", "generate_content_request");
      return read_contents(request ? request : root, asked);
    }
    default: return read_contents(root, asked);
  }
}

/// `"key":[{"modality":"TEXT","tokenCount":n}]`
void append_details(std::string& out, std::string_view key, std::uint64_t tokens) {
  out.append("\"").append(key).append(R"(":[{"modality":"TEXT","tokenCount":)");
  append_number(out, tokens);
  out += "}]";
}

void append_usage(std::string& out, const Composition& what, std::uint64_t output) {
  const Counts& counts = what.counts;
  out += R"(,"usageMetadata":{"promptTokenCount":)";
  append_number(out, counts.input);
  out += R"(,"candidatesTokenCount":)";
  append_number(out, output);
  out += R"(,"totalTokenCount":)";
  append_number(out, counts.input + output);
  if (counts.cached > 0) {
    out += R"(,"cachedContentTokenCount":)";
    append_number(out, counts.cached);
  }
  out += ',';
  append_details(out, "promptTokensDetails", counts.input);
  if (counts.cached > 0) {
    out += ',';
    append_details(out, "cacheTokensDetails", counts.cached);
  }
  out += '}';
}

/// Usage and what else stands behind the candidates.
void append_tail(std::string& out, const Composition& what, std::uint64_t output) {
  if (!what.settings->no_usage) append_usage(out, what, output);
  out += R"(,"modelVersion":)" + quote(what.asked.model) + R"(,"responseId":")" + what.name.substr(0, 22) + "\"}";
}

std::string text_part(std::string_view text) { return R"({"text":)" + quote(text) + "}"; }

std::string call_part(const testing::ScriptedToolCall& tool) {
  std::string out = R"({"functionCall":{)";
  if (!tool.id.empty()) out += R"("id":)" + quote(tool.id) + ",";
  return out + R"("name":)" + quote(tool.name) + R"(,"args":)" + object_text(tool.arguments) + "}}";
}

/// A candidate that says `parts`, and ends where `ending` is given.
std::string candidate(std::string_view parts, std::size_t index, const Choice* ending) {
  const bool refusal = ending != nullptr && ending->refusal;
  std::string out = R"({"content":{)";
  if (!refusal) out.append(R"("parts":[)").append(parts).append(R"(],"role":"model")");
  out += '}';
  if (ending != nullptr) {
    const bool length = ending->ending == Ending::kLength;
    out.append(R"(,"finishReason":")").append(refusal ? "SAFETY" : length ? "MAX_TOKENS" : "STOP").append("\"");
  }
  if (refusal) {
    out += R"(,"safetyRatings":[{"category":"HARM_CATEGORY_DANGEROUS_CONTENT","probability":"LOW","blocked":true}],"finishMessage":)";
    append_quoted(out, ending->text);
  }
  out += R"(,"index":)";
  append_number(out, index);
  return out + "}";
}

std::string generated(const Composition& what) {
  std::string out = R"({"candidates":[)";
  for (std::size_t i = 0; i < what.choices.size(); ++i) {
    const Choice& choice = what.choices[i];
    std::string parts;
    for (const auto& tool : choice.tools) parts += (parts.empty() ? "" : ",") + call_part(tool);
    if (choice.tools.empty()) parts = text_part(choice.text);
    out += (i == 0 ? "" : ",") + candidate(parts, i, &choice);
  }
  out += ']';
  append_tail(out, what, what.counts.output);
  return out;
}

std::string embeddings(const Composition& what) {
  const bool batch = what.asked.alternate;
  std::string out = batch ? R"({"embeddings":[)" : R"({"embedding":)";
  for (std::size_t i = 0; i < what.asked.inputs.size(); ++i) {
    out += i == 0 ? R"({"values":[)" : R"(,{"values":[)";
    const auto vector = embed(what.asked.inputs[i], what);
    for (std::size_t k = 0; k < vector.size(); ++k) {
      if (k > 0) out += ',';
      append_float(out, vector[k]);
    }
    out += "]}";
  }
  if (batch) out += ']';
  if (!what.settings->no_usage) {
    out += R"(,"usageMetadata":{"promptTokenCount":)";
    append_number(out, what.counts.input);
    out += ',';
    append_details(out, "promptTokenDetails", what.counts.input);
    out += '}';
  }
  return out + "}";
}

std::string counted(const Composition& what) {
  std::string out = R"({"totalTokens":)";
  append_number(out, what.counts.input);
  out += ',';
  append_details(out, "promptTokensDetails", what.counts.input);
  return out + "}";
}

std::string_view status_name(int status) noexcept {
  switch (status) {
    case 401: return "UNAUTHENTICATED";
    case 403: return "PERMISSION_DENIED";
    case 404: return "NOT_FOUND";
    case 408:
    case 504: return "DEADLINE_EXCEEDED";
    case 409: return "ABORTED";
    case 429: return "RESOURCE_EXHAUSTED";
    case 502:
    case 503:
    case 529: return "UNAVAILABLE";
    default: return status >= 500 ? "INTERNAL" : "INVALID_ARGUMENT";
  }
}

std::string_view fault_words(int status) noexcept {
  switch (status) {
    case 401: return "The request has no valid authentication credentials.";
    case 403: return "The caller does not have permission.";
    case 404: return "The model is not found for API version v1beta.";
    case 429: return "The quota is exhausted. Please try again later.";
    case 503: return "The model is overloaded. Please try again later.";
    default: return status >= 500 ? "An internal error has occurred." : "The request was refused by the simulator.";
  }
}

std::string error(int status, std::string_view message, std::int64_t retry_after = 0) {
  std::string out = R"({"error":{"code":)";
  append_number(out, static_cast<std::uint64_t>(status));
  out += R"(,"message":)" + quote(message) + R"(,"status":")";
  out.append(status_name(status)).append("\"");
  if (retry_after > 0) {
    out += R"(,"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":")" + std::to_string(retry_after) + "s\"}]";
  }
  return out + "}}";
}

/// Events and elements of the array alike: each is a whole answer that says only what is new.
class ContentPhrases final : public Phrases {
 public:
  explicit ContentPhrases(std::shared_ptr<const Composition> what) : what_(std::move(what)) {}

  void token(const Place& place, std::string_view text, Lines& lines) override {
    ++said_;
    if (!place.tool && !choice(place.choice).refusal) say(candidate(text_part(text), place.choice, nullptr), said_, lines);
  }
  void end(const Place& place, Lines& lines) override {
    if (place.tool) say(candidate(call_part(choice(place.choice).tools[place.part]), place.choice, nullptr), said_, lines);
  }
  void finish(std::size_t index, Lines& lines) override {
    const bool last = index + 1 == what_->choices.size();
    say(candidate(text_part({}), index, &choice(index)), last ? what_->counts.output : said_, lines);
  }
  void close(Lines& lines) override {
    if (array()) lines.emplace_back("]");
  }
  std::string failure(std::uint64_t said, bool over) const override {
    const std::string text = error(500, fault_words(500));
    if (!array()) return "data: " + text + "\n\n";
    return over ? std::string() : (said == 0 ? "[" : ",\n") + indented(text) + "\n]";
  }

 private:
  const Choice& choice(std::size_t index) const { return what_->choices.at(index); }
  bool array() const { return what_->asked.alternate; }

  void say(std::string_view candidate, std::uint64_t output, Lines& lines) {
    std::string out = R"({"candidates":[)";
    out.append(candidate).append("]");
    append_tail(out, *what_, std::min(output, what_->counts.output));
    lines.push_back(array() ? (spoken_ ? ",\n" : "[") + indented(out) + "\n" : "data: " + out + "\n\n");
    spoken_ = true;
  }

  std::shared_ptr<const Composition> what_;
  std::uint64_t said_ = 0;  // tokens
  bool spoken_ = false;
};

class Gemini final : public Voice {
 public:
  Asked read(std::string_view method, std::string_view target, const Body& body) const override {
    const std::string_view path = path_of(target);
    const Operation operation = operation_of(path);
    Asked asked;
    asked.stream = operation == Operation::kStream;
    asked.alternate = operation == Operation::kEmbedBatch || (asked.stream && target.find("alt=sse") == std::string_view::npos);
    const std::size_t name = path.rfind(kModels) + kModels.size();
    asked.model = percent_decoded(path.substr(name, path.rfind(':') - name));
    const bool embeds = operation == Operation::kEmbed || operation == Operation::kEmbedBatch;
    asked.subject = embeds ? Subject::kEmbeddings : operation == Operation::kCount ? Subject::kCountTokens : Subject::kChat;
    const auto document = json::Document::parse(body);
    if (method != "POST") {
      asked.problem = Problem{404, "The requested URL was not found for this method.", {}, {}};
    } else if (!document || !document->root().is(Type::kObject)) {
      asked.problem = Problem{400, "Invalid JSON payload received. An object is expected.", {}, {}};
    } else {
      read_body(document->root(), operation, asked);
    }
    return asked;
  }
  Manner manner(const Asked& asked) const override {
    const bool array = asked.stream && asked.alternate;
    Manner manner;
    manner.whole_type = kJson;
    manner.stream_type = array ? kJson : "text/event-stream";
    manner.error_type = asked.stream ? manner.stream_type : kJson;  // and still the body is no event
    manner.framing = array ? Framing::kArray : Framing::kEventStream;
    if (array) manner.ping = {};
    manner.call_ids.size = 0;
    return manner;
  }
  void greet(Headers& fields, std::string_view) const override { fields.add_trusted("vary", "Origin, X-Origin, Referer"); }
  std::string whole(const Composition& what) const override {
    switch (what.asked.subject) {
      case Subject::kEmbeddings: return indented(embeddings(what)) + "\n";
      case Subject::kCountTokens: return indented(counted(what)) + "\n";
      default: return indented(generated(what)) + "\n";
    }
  }
  std::unique_ptr<Events> stream(Composition what) const override {
    auto shared = std::make_shared<const Composition>(std::move(what));
    return std::make_unique<Recital>(shared, std::make_unique<ContentPhrases>(shared));
  }
  std::string refuse(const Asked& asked, const Problem& problem) const override { return framed(asked, error(problem.status, problem.message)); }
  Problem unknown_model(const std::string& model) const override {
    return {404, "models/" + model + " is not found for API version v1beta, or does not support this method.", {}, {}};
  }
  std::string fault(const Asked& asked, int status, std::int64_t retry_after) const override {
    return framed(asked, error(status, fault_words(status), retry_after));
  }

 private:
  static std::string framed(const Asked& asked, std::string_view error) {
    const bool array = asked.stream && asked.alternate;
    return (array ? "[" : "") + indented(error) + "\n" + (array ? "]" : "");
  }
};

}  // namespace

bool is_gemini(std::string_view path) noexcept { return operation_of(path) != Operation::kNone; }

const Voice& gemini_voice() {
  static const Gemini voice;
  return voice;
}

}  // namespace sluice::sim
