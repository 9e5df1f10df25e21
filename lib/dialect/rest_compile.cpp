// Surfaces taken apart; what in one cannot be honoured, or would have no effect, is told by its place.

#include <algorithm>
#include <array>
#include <utility>

#include "dialect/rest_parts.hpp"
#include "http/target.hpp"
#include "sluice/headers.hpp"

namespace sluice::dialect::rest_parts {
namespace {

using json::Type;

constexpr std::string_view kModel = "{model}";

bool has_texts(Operation operation) noexcept { return operation == Operation::kChat || operation == Operation::kCompletions; }

Framing framing_of(RestFraming framing) noexcept {
  switch (framing) {
    case RestFraming::kSse: break;
    case RestFraming::kNdjson: return Framing::kNdjson;
    case RestFraming::kJsonArray: return Framing::kJsonArray;
    case RestFraming::kRaw: return Framing::kRaw;
  }
  return Framing::kSse;
}

class Judge {
 public:
  explicit Judge(std::vector<Fault>& faults) : faults_(faults) {}

  void add(std::string pointer, std::string message) { faults_.push_back({std::move(pointer), std::move(message)}); }

  void path(const std::string& text, const std::string& here) {
    std::string rest = text;
    for (std::size_t at = 0; (at = rest.find(kModel)) != std::string::npos;) rest.replace(at, kModel.size(), "m");
    const bool plain = std::none_of(rest.begin(), rest.end(), [](char c) {
      return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f || c == '#' || c == '{' || c == '}';
    });
    if (!text.starts_with('/')) add(here, "must begin with '/': it stands behind the upstream's url");
    else if (!plain) add(here, "must be a path as it is sent, without blanks or '#'; of braces it knows {model} alone");
  }

  void pointer(const std::string& text, const std::string& here) {
    if (!text.empty() && !is_pointer(text)) add(here, "must be a JSON Pointer that begins with '/'");
  }

  void condition(const RestCondition& said, const std::string& here) {
    pointer(said.pointer, here + "/pointer");
    if (said.equals.empty()) return;
    const auto value = json::Document::parse(Body::copy(said.equals));
    const bool scalar = value && (value->root().is(Type::kString) || value->root().is(Type::kNumber) || value->root().is(Type::kBool));
    if (!scalar) add(here + "/equals", "must be a text, a number or a boolean");
    if (said.pointer.empty()) add(here, "needs \"pointer\", where to look");
  }

  /// `places` of an answer or an event: those its operation has, and no others.
  void places(const RestAnswer& said, Operation operation, bool event, const std::string& here) {
    const bool texts = has_texts(operation), chat = operation == Operation::kChat, ranks = operation == Operation::kRerank,
               judges = operation == Operation::kModerations, vectors = operation == Operation::kEmbeddings;
    const auto place = [&](std::string_view key, const std::string& text, bool fits) {
      const std::string there = here + '/' + std::string(key);
      pointer(text, there);
      if (!text.empty() && !fits) add(there, "has no effect: " + std::string(event ? "an event" : to_string(operation)) + " has none");
    };
    place("text", said.text, texts);
    place("reasoning", said.reasoning, chat);
    place("tool_calls", said.tool_calls, chat);
    place("finish", said.finish, texts);
    place("input_tokens", said.input_tokens, true);
    place("output_tokens", said.output_tokens, texts);
    place("id", said.id, true);
    place("model", said.model, true);
    place("list", said.list, !texts);
    place("vector", said.vector, vectors);
    place("index", said.index, ranks);
    place("score", said.score, ranks || judges);
    place("category", said.category, judges);
    if (said.scale != RestAnswer{}.scale && !judges) add(here + "/scale", "has no effect: only moderations have scores to be divided");
    if (!(said.scale > 0)) add(here + "/scale", "must be above 0");
    if (said.flagged_from != RestAnswer{}.flagged_from && !judges) add(here + "/flagged_from", "has no effect: only moderations flag");
    if (texts && said.text.empty() && said.tool_calls.empty()) add(here, "needs \"text\", where the text stands");
    if (judges && said.category.empty()) add(here, "needs \"category\", where in an element of the list its name stands");
    if (judges && said.score.empty()) add(here, "needs \"score\", where in an element of the list the score stands");
  }

  void stream(const RestStream& said, Operation operation, const std::string& here) {
    if (!has_texts(operation)) return add(here, "has no effect: " + std::string(to_string(operation)) + " is never streamed");
    if (!said.path.empty()) path(said.path, here + "/path");
    condition(said.skip_if, here + "/skip_if");
    condition(said.end_if, here + "/end_if");
    if (said.framing != RestFraming::kRaw) {
      places(said.event, operation, true, here + "/event");
      if (said.framing == RestFraming::kJsonArray && !said.end_data.empty()) {
        add(here + "/end_data", "has no effect: the elements of a JSON array are JSON");
      }
      return;
    }
    const auto no_effect = [&](std::string_view key, bool set) {
      if (set) add(here + '/' + std::string(key), "has no effect: a raw stream is its text and nothing else");
    };
    no_effect("event", !(said.event == RestAnswer{}));
    no_effect("cumulative", said.cumulative);
    no_effect("skip_if", !said.skip_if.pointer.empty());
    no_effect("end_if", !said.end_if.pointer.empty());
    no_effect("end_data", !said.end_data.empty());
  }

  void words(const RestOperation& said, Operation operation, const std::string& here) {
    if (said.words.empty() || operation == Operation::kModerations) return;
    const bool finishes = !said.answer.finish.empty() || (said.stream && !said.stream->event.finish.empty());
    if (!has_texts(operation) || !finishes) return add(here, "has no effect: no \"finish\" says where the words stand");
    constexpr std::array<std::string_view, 4> kWords{"stop", "length", "tool_calls", "content_filter"};
    for (const auto& [native, word] : said.words) {
      if (std::find(kWords.begin(), kWords.end(), word) != kWords.end()) continue;
      add(here + '/' + native, "must be stop, length, tool_calls or content_filter (is \"" + word + "\")");
    }
  }

  /// What a request of the operation cannot go without.
  void references(const Template& request, const RestOperation& said, Operation operation, const std::string& here) {
    const auto uses = [&request](Said one) { return request.uses(one); };
    const std::string there = here + "/request";
    switch (operation) {
      case Operation::kChat:
        if (!uses(Said::kPrompt) && !uses(Said::kMessages) && !uses(Said::kLastUser)) {
          add(there, "refers to nothing that was said: a chat needs '/messages', '/prompt' or '/last_user'");
        }
        break;
      case Operation::kCompletions:
        if (!uses(Said::kPrompt)) add(there, "needs a reference to '/prompt'");
        break;
      case Operation::kRerank:
        if (!uses(Said::kQuery)) add(there, "needs a reference to '/query'");
        if (!uses(Said::kDocuments)) add(there, "needs a reference to '/documents'");
        break;
      case Operation::kModerations:
        if (!uses(Said::kInput)) add(there, "needs a reference to '/input'");
        break;
      default:
        if (!uses(Said::kInput) && !uses(Said::kInputs)) add(there, "needs a reference to '/inputs' or '/input'");
        break;
    }
    if (!uses(Said::kTools)) return;
    if (said.answer.tool_calls.empty()) add(here + "/answer", "needs \"tool_calls\": the request offers tools");
    if (said.stream && said.stream->event.tool_calls.empty()) add(here + "/stream", "needs \"tool_calls\" in its \"event\": the request offers tools");
  }

 private:
  std::vector<Fault>& faults_;
};

}  // namespace

Path::Path(std::string_view text) {
  for (std::size_t at; (at = text.find(kModel)) != std::string_view::npos; text.remove_prefix(at + kModel.size())) {
    pieces_.emplace_back(text.substr(0, at));
  }
  pieces_.emplace_back(text);
}

std::string Path::with(std::string_view model) const {
  std::string out;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    if (i > 0) out += http::percent_encode(model);
    out += pieces_[i];
  }
  return out;
}

Places::Places(const RestAnswer& said)
    : text(said.text), reasoning(said.reasoning), tool_calls(said.tool_calls), finish(said.finish), input_tokens(said.input_tokens),
      output_tokens(said.output_tokens), id(said.id), model(said.model), list(said.list), vector(said.vector), index(said.index),
      score(said.score), category(said.category), scale(said.scale), flagged_from(said.flagged_from) {}

Stream::Stream(const RestStream& said)
    : framing(framing_of(said.framing)), event(said.event), cumulative(said.cumulative), skip_if(said.skip_if), end_if(said.end_if),
      end_data(said.end_data),
      ends_itself(said.end_if.pointer.empty() && said.end_data.empty() && said.event.finish.empty()) {}

const Spoken* Surface::find(Operation operation) const noexcept {
  const auto found = std::find_if(spoken.begin(), spoken.end(), [operation](const Spoken& one) { return one.operation == operation; });
  return found == spoken.end() ? nullptr : &*found;
}

Surface compile(std::string_view name, const RestOptions& options, std::vector<Fault>& faults) {
  Judge judge(faults);
  Surface out{.name = std::string(name), .spoken = {}, .prompt = options.prompt, .error_if = Condition(options.error_if),
              .error_message = Place(options.error_message)};
  bool prompts = false;
  const auto add = [&](const std::optional<RestOperation>& said, Operation operation, const std::string& here) {
    if (!said) return;
    judge.path(said->path, here + "/path");
    const std::size_t before = faults.size();
    Template request(said->request, operation, here + "/request", faults);
    const bool readable = faults.size() == before;
    judge.places(said->answer, operation, false, here + "/answer");
    judge.words(*said, operation, here + "/words");
    if (said->stream) judge.stream(*said->stream, operation, here + "/stream");
    if (readable) judge.references(request, *said, operation, here);
    prompts = prompts || (operation == Operation::kChat && request.uses(Said::kPrompt));
    const std::string& streamed = said->stream && !said->stream->path.empty() ? said->stream->path : said->path;
    out.spoken.push_back({.operation = operation,
                          .path = Path(said->path),
                          .stream_path = Path(streamed),
                          .request = std::move(request),
                          .answer = Places(said->answer),
                          .stream = said->stream ? std::optional<Stream>(*said->stream) : std::nullopt,
                          .words = {said->words.begin(), said->words.end()}});
  };
  add(options.chat, Operation::kChat, "/chat");
  add(options.completions, Operation::kCompletions, "/completions");
  add(options.embeddings, Operation::kEmbeddings, "/embeddings");
  add(options.rerank, Operation::kRerank, "/rerank");
  add(options.moderations, Operation::kModerations, "/moderations");
  if (out.spoken.empty()) judge.add("", "says no operation: chat, completions, embeddings, rerank or moderations");
  if (options.prompt && !prompts) judge.add("/prompt", "has no effect: no chat refers to '/prompt'");
  judge.condition(options.error_if, "/error_if");
  judge.pointer(options.error_message, "/error_message");
  if (!options.credential_header.empty() && !is_header_name(options.credential_header)) {
    judge.add("/credential_header", "is no header field name");
  }
  return out;
}

}  // namespace sluice::dialect::rest_parts
