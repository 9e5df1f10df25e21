// Listens to an answer on its way to the caller. Streams: every event is searched for a few keys and nothing is parsed
// until one of them holds something; whole answers: two root fields and the finish reason, picked out as bytes pass.
//
// Where usage was asked for by the gateway and not by the caller (withhold_usage), the caller gets the stream of one who
// never asked: the chunk that carries usage alone is withheld, and the root's `usage` member, null or not, is cut out of
// every other chunk. Members below the root (`x_groq.usage`) are the provider's own and stay.

#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "dialect/chunk.hpp"
#include "dialect/excerpt.hpp"
#include "dialect/openai.hpp"
#include "dialect/openai_stream.hpp"
#include "json/field_scanner.hpp"

namespace sluice::dialect::openai_parts {
namespace {

using chunk::Member;
using json::Type;
using json::Value;

constexpr std::string_view kBlanks = " \t\r\n";

/// The answer is no JSON at all: says so with a piece of what came.
Error no_json(std::string_view text) {
  return make_error(Code::kUpstreamInvalidAnswer, "the upstream's answer is no JSON; it begins with \"" + excerpt(text, 80) +
                                                      "\"; check the upstream's url");
}

/// True where the value at `at` holds something: text that is not "", a list or object that is not empty.
bool holds_something(std::string_view json, std::size_t at) noexcept {
  if (json[at] == '"') return at + 1 < json.size() && json[at + 1] != '"';
  if (json[at] != '[' && json[at] != '{') return false;
  const std::size_t inside = chunk::skip_blanks(json, at + 1);
  return inside < json.size() && json[inside] != ']' && json[inside] != '}';
}

/// Members of a delta that a reader would see. Padding, roles and ids are not among them.
bool is_content_key(std::string_view key) noexcept {
  switch (key.size()) {
    case 5: return key == "audio";
    case 7: return key == "content" || key == "refusal";
    case 9: return key == "reasoning";
    case 10: return key == "tool_calls";
    case 13: return key == "function_call";
    case 17: return key == "reasoning_content" || key == "reasoning_details";
    default: return false;
  }
}

/// A chat chunk's deltas add content. Choices are few: in practice one a chunk.
bool chat_content(std::string_view json) noexcept {
  for (Member delta = chunk::find_member(json, "\"delta\""); delta; delta = chunk::find_member(json, "\"delta\"", delta.value)) {
    if (json[delta.value] != '{') continue;
    std::size_t at = chunk::skip_blanks(json, delta.value + 1);
    while (at < json.size() && json[at] == '"') {
      const std::string_view key = chunk::string_at(json, at);
      at = chunk::skip_blanks(json, at + key.size() + 2);
      if (at >= json.size() || json[at] != ':') break;
      at = chunk::skip_blanks(json, at + 1);
      if (at >= json.size()) break;
      if (is_content_key(key) && holds_something(json, at)) return true;
      at = chunk::skip_blanks(json, chunk::skip_value(json, at));
      if (at >= json.size() || json[at] != ',') break;
      at = chunk::skip_blanks(json, at + 1);
    }
  }
  return false;
}

bool completion_content(std::string_view json) noexcept {
  for (Member text = chunk::find_member(json, "\"text\""); text; text = chunk::find_member(json, "\"text\"", text.value)) {
    if (holds_something(json, text.value)) return true;
  }
  return false;
}

class StreamTap final : public AnswerTap {
 public:
  explicit StreamTap(const TapOptions& options) : options_(options) {}

  TapVerdict on_event(std::string_view name, std::string_view data) override {
    TapVerdict verdict;
    verdict.finished = finished_;
    const std::size_t first = chunk::skip_blanks(data, 0);
    if (first == data.size()) return verdict;  // a ping
    if (data[first] != '{') {
      if (is_done(data)) {
        verdict.terminal = true;
      } else if (data[first] != '[') {
        verdict.error = no_json(data);
      }
      return verdict;
    }
    verdict.content = options_.operation == Operation::kCompletions ? completion_content(data) : chat_content(data);
    if (model_.empty() && model_looks_ < kMaxModelLooks) look_for_model(data);
    look_for_finish(data);
    verdict.finished = finished_;
    // Errors come without content; Groq names the event, too.
    if (!verdict.content || !name.empty()) look_for_error(name, data, verdict);
    look_for_usage(data, verdict);
    return verdict;
  }

  Status on_bytes(std::string_view) override { return {}; }
  Status on_end() override { return {}; }
  const chat::Usage& usage() const noexcept override { return usage_; }
  std::string_view model() const noexcept override { return model_; }
  std::string_view finish_reason() const noexcept override { return finish_; }
  const std::optional<Error>& error() const noexcept override { return error_; }

 private:
  /// Azure's first chunk says "".
  static constexpr int kMaxModelLooks = 8;

  void look_for_model(std::string_view data) {
    ++model_looks_;
    const auto document = json::Document::parse(Body::copy(data));
    if (!document) return;
    const auto model = document->root().find("model");
    std::string scratch;
    if (model && model->is(Type::kString)) model_ = model->text(scratch);
  }

  void look_for_finish(std::string_view data) {
    constexpr std::string_view kKey = "\"finish_reason\"";
    for (Member reason = chunk::find_member(data, kKey); reason; reason = chunk::find_member(data, kKey, reason.value)) {
      const std::string_view word = chunk::string_at(data, reason.value);
      if (word.empty()) continue;
      finished_ = true;
      ++finishes_;
      if (finish_.empty()) finish_ = word.substr(0, 64);
    }
  }

  static void look_for_error(std::string_view name, std::string_view data, TapVerdict& verdict) {
    const bool named = name == "error";
    const Member member = chunk::find_member(data, "\"error\"");
    if (!named && (!member || data[member.value] == 'n')) return;
    const auto document = json::Document::parse(Body::copy(data));
    if (!document) {
      if (named) verdict.error = make_error(Code::kUpstreamError, excerpt(data));
      return;
    }
    const auto error = document->root().find("error");
    const bool present = error && *error && !error->is(Type::kNull) && error->boolean() != std::optional(false);
    if (named || present) verdict.error = embedded_error(document->root());
  }

  void look_for_usage(std::string_view data, TapVerdict& verdict) {
    constexpr std::string_view kKey = "\"usage\"";
    std::size_t kept = 0;  // how far the replacement has come
    bool cut = false;
    for (Member member = chunk::find_member(data, kKey); member;) {
      const bool null = data[member.value] == 'n';
      const std::size_t end = null && !options_.withhold_usage ? member.value : chunk::skip_value(data, member.value);
      const Member next = chunk::find_member(data, kKey, end);
      if (!null || options_.withhold_usage) {
        const bool at_root = chunk::depth_at(data, end) == 1;
        if (!null && count(data, member, end, at_root) && options_.withhold_usage && at_root) {
          verdict.action = TapAction::kWithhold;
          return;
        }
        if (options_.withhold_usage && at_root) {
          if (!cut) replacement_.clear();
          const chunk::Cut range = chunk::cut_of(data, member, end, kept);
          replacement_.append(data.substr(kept, range.begin - kept));
          kept = range.end;
          cut = true;
        }
      }
      member = next;
    }
    if (!cut) return;
    replacement_.append(data.substr(kept));
    verdict.action = TapAction::kReplace;
    verdict.replacement = replacement_;
  }

  /// Takes the counts. True where the chunk carries nothing else: no choices, no error.
  bool count(std::string_view data, const Member& member, std::size_t end, bool at_root) {
    if (data[member.value] != '{') return false;
    const chat::Usage stated = parse_usage(data.substr(member.value, end - member.value));
    if (!at_root) {
      // Groq states usage in x_groq, asked or not. The root's counts more.
      if (!root_usage_ && chunk::find_member(data, "\"x_groq\"")) chat::merge(usage_, stated);
      return false;
    }
    const Member choices = chunk::find_member(data, "\"choices\"");
    const bool alone = (!choices || (data[choices.value] == '[' && !holds_something(data, choices.value))) &&
                       !chunk::find_member(data, "\"error\"");
    if (alone && alone_ && finishes_ > finishes_when_alone_) {
      // llama.cpp ends each of n candidates with a chunk of its own: what it wrote adds up, what it read does not.
      chat::Usage more = stated;
      const auto add = [](std::optional<std::uint64_t>& n, const std::optional<std::uint64_t>& before) {
        if (n && before) *n += *before;
      };
      add(more.output_tokens, usage_.output_tokens);
      add(more.reasoning_tokens, usage_.reasoning_tokens);
      if (more.total_tokens && more.output_tokens && stated.output_tokens) *more.total_tokens += *more.output_tokens - *stated.output_tokens;
      chat::merge(usage_, more);
    } else {
      chat::merge(usage_, stated);
    }
    root_usage_ = true;
    if (alone) {
      alone_ = true;
      finishes_when_alone_ = finishes_;
    }
    return alone;
  }

  TapOptions options_;
  chat::Usage usage_;
  const std::optional<Error> error_ = std::nullopt;  // a stream tells its errors as they come
  std::string model_, finish_, replacement_;
  int model_looks_ = 0;
  std::uint32_t finishes_ = 0, finishes_when_alone_ = 0;
  bool finished_ = false, root_usage_ = false, alone_ = false;
};

/// Finds `"finish_reason":"…"` in a text that comes in pieces; the first one that is no null counts.
class FinishFinder {
 public:
  void feed(std::string_view bytes) {
    if (!found_.empty() || bytes.empty()) return;
    // A piece that begins in the middle of the member: the end of the last one goes before it.
    if (!carry_.empty()) {
      const std::size_t borrowed = std::min(bytes.size(), kReach);
      carry_.append(bytes.substr(0, borrowed));
      search(carry_);
      if (!found_.empty()) return;
    }
    search(bytes);
    if (bytes.size() >= kReach) {
      carry_.assign(bytes.substr(bytes.size() - kReach));
    } else if (carry_.empty()) {
      carry_.assign(bytes);
    } else if (carry_.size() > kReach) {
      carry_.erase(0, carry_.size() - kReach);
    }
  }
  [[nodiscard]] const std::string& found() const noexcept { return found_; }

 private:
  /// Key, colon, blanks and the longest reason that is kept.
  static constexpr std::size_t kReach = 128;

  void search(std::string_view text) {
    constexpr std::string_view kKey = "\"finish_reason\"";
    for (Member reason = chunk::find_member(text, kKey); reason; reason = chunk::find_member(text, kKey, reason.value)) {
      if (text[reason.value] != '"') continue;
      const std::size_t end = chunk::skip_value(text, reason.value);
      if (end == text.size() && text.back() != '"') continue;  // cut off: the next piece has the rest
      const std::string_view word = chunk::string_at(text, reason.value);
      if (word.empty()) continue;
      found_ = word.substr(0, 64);
      return;
    }
  }

  std::string carry_, found_;
};

class WholeTap final : public AnswerTap {
 public:
  explicit WholeTap(const TapOptions& options) : options_(options) {}

  TapVerdict on_event(std::string_view, std::string_view) override { return {}; }

  Status on_bytes(std::string_view bytes) override {
    if (!started_) {
      const std::size_t first = bytes.find_first_not_of(kBlanks);
      if (first == std::string_view::npos) return {};
      started_ = true;
      list_ = bytes[first] == '[';
      if (!list_ && bytes[first] != '{') return tl::unexpected(no_json(bytes.substr(first)));
    }
    if (list_) {
      follow_list(bytes);
      return {};
    }
    if (!scanner_ && kept_.size() + bytes.size() <= kKeptBytes) {
      // Most answers come in one piece: the room for it is the room a parse needs.
      if (kept_.empty()) kept_.reserve(bytes.size() + Body::kPadding);
      kept_.append(bytes);
    } else {
      scan(std::exchange(kept_, {}));
      scan(bytes);
    }
    return {};
  }

  Status on_end() override {
    if (!scanner_) {
      const Body whole = Body::from(std::move(kept_));
      if (!list_ && read(whole)) return {};
      scan(whole.view());
    }
    if (const std::string_view raw = scanner_->value(kUsageField); !raw.empty()) usage_ = parse_usage(raw);
    if (const std::string_view raw = scanner_->value(kModelField); raw.size() >= 2 && raw.front() == '"') {
      model_ = json::decode_string(raw.substr(1, raw.size() - 2));
    }
    if (list_ ? closed_ : scanner_->complete()) return {};
    return fail(Code::kUpstreamTruncated, started_ ? "the upstream's answer ended before its JSON did"
                                                   : "the upstream's answer is empty; a JSON answer was due");
  }

  const chat::Usage& usage() const noexcept override { return usage_; }
  std::string_view model() const noexcept override { return model_; }
  std::string_view finish_reason() const noexcept override { return finish_reason_.empty() ? finish_.found() : finish_reason_; }
  const std::optional<Error>& error() const noexcept override { return error_; }

 private:
  /// Up to here an answer is kept and parsed at its end, which costs a third of looking through it byte by byte.
  static constexpr std::size_t kKeptBytes = 16 << 10;

  void scan(std::string_view bytes) {
    if (!scanner_) scanner_.emplace(kFields, kMaxFieldBytes);
    scanner_->feed(bytes);
    if (asks_for_finish()) finish_.feed(bytes);
  }

  [[nodiscard]] bool asks_for_finish() const noexcept {
    return options_.operation == Operation::kChat || options_.operation == Operation::kCompletions;
  }

  /// False: it is no valid JSON, or says a thing twice; the scanner takes what there is.
  bool read(const Body& whole) {
    const auto document = json::Document::parse(whole);
    if (!document) return false;
    const Value root = document->root();
    const auto usage = root.find("usage"), model = root.find("model"), choices = root.find("choices");
    if (!usage || !model || !choices) return false;
    if (!*usage && !*choices) look_for_error(root);
    if (*usage) usage_ = read_usage(*usage);
    std::string scratch;
    if (model->is(Type::kString)) model_ = model->text(scratch);
    if (!asks_for_finish() || !choices->is(Type::kArray)) return true;
    for (Value choice = choices->first(); choice && finish_reason_.empty(); choice = choice.next()) {
      if (!choice.is(Type::kObject)) continue;
      const auto reason = choice.find("finish_reason");
      if (reason && reason->is(Type::kString)) finish_reason_ = reason->text(scratch).substr(0, 64);
    }
    return true;
  }

  void look_for_error(const Value& root) {
    const auto error = root.find("error");
    if (error && (error->is(Type::kObject) || error->is(Type::kString))) error_ = embedded_error(root);
  }

  static constexpr std::array<std::string_view, 2> kFields{"usage", "model"};
  static constexpr std::size_t kUsageField = 0, kModelField = 1;
  static constexpr std::size_t kMaxFieldBytes = 16 << 10;

  /// Together lists its models as a bare array, in which there is nothing to be found but its end.
  void follow_list(std::string_view bytes) noexcept {
    for (const char c : bytes) {
      if (in_string_) {
        if (escaped_) {
          escaped_ = false;
        } else if (c == '\\') {
          escaped_ = true;
        } else if (c == '"') {
          in_string_ = false;
        }
      } else if (c == '"') {
        in_string_ = true;
      } else if (c == '[' || c == '{') {
        ++depth_;
      } else if ((c == ']' || c == '}') && depth_ > 0 && --depth_ == 0) {
        closed_ = true;
      }
    }
  }

  TapOptions options_;
  std::optional<json::FieldScanner> scanner_;  // once the answer is too long to be kept, or no whole JSON
  FinishFinder finish_;
  chat::Usage usage_;
  std::optional<Error> error_;
  std::string model_, finish_reason_, kept_;
  bool started_ = false, list_ = false, closed_ = false, in_string_ = false, escaped_ = false;
  std::size_t depth_ = 0;
};

}  // namespace

std::unique_ptr<AnswerTap> make_tap(const TapOptions& options) {
  if (options.streaming) return std::make_unique<StreamTap>(options);
  return std::make_unique<WholeTap>(options);
}

}  // namespace sluice::dialect::openai_parts
