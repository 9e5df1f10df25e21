// Listens to an answer on its way to the caller. Streams: every element is searched for a few keys, and only what they hold
// is parsed; whole answers: two root fields and the finish reason, picked out as bytes pass.

#include <algorithm>
#include <array>
#include <utility>

#include "dialect/chunk.hpp"
#include "dialect/excerpt.hpp"
#include "dialect/gemini.hpp"
#include "dialect/gemini_keys.hpp"
#include "json/field_scanner.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using chunk::Member;
using json::Type;
using json::Value;

constexpr std::size_t kMaxWord = 64;
/// How deep a candidate's members stand: {"candidates":[{ … }]}.
constexpr std::size_t kCandidateDepth = 3;

Error no_json(std::string_view text) {
  return make_error(Code::kUpstreamInvalidAnswer, "the upstream's answer is no JSON; it begins with \"" + excerpt(text, 80) +
                                                      "\"; check the upstream's url");
}

/// A part that a reader would see: text that is not empty, or anything that is no text.
bool has_content(std::string_view json) noexcept {
  for (Member text = chunk::find_member(json, "\"text\""); text; text = chunk::find_member(json, "\"text\"", text.value)) {
    if (!chunk::string_at(json, text.value).empty()) return true;
  }
  for (const std::string_view key : {"\"functionCall\"", "\"inlineData\"", "\"executableCode\"", "\"codeExecutionResult\"", "\"fileData\""}) {
    if (chunk::find_member(json, key)) return true;
  }
  return false;
}

/// The first finish reason of a candidate in a text that begins at the root.
std::string finish_in(std::string_view json) {
  constexpr std::string_view kKey = "\"finishReason\"";
  for (Member reason = chunk::find_member(json, kKey); reason; reason = chunk::find_member(json, kKey, reason.value)) {
    // Arguments of a call may have such a member, too.
    if (chunk::depth_at(json, reason.value) != kCandidateDepth) continue;
    const std::size_t end = chunk::skip_value(json, reason.value);
    if (std::string word = finish_word_of(json.substr(reason.value, end - reason.value)); !word.empty()) return word;
  }
  return {};
}

class StreamTap final : public AnswerTap {
 public:
  TapVerdict on_event(std::string_view, std::string_view data) override {
    TapVerdict verdict;
    verdict.finished = finished_;
    const std::size_t first = chunk::skip_blanks(data, 0);
    if (first == data.size()) return verdict;  // a ping
    if (data[first] != '{') {
      verdict.error = no_json(data);
      return verdict;
    }
    verdict.content = has_content(data);
    if (model_.empty()) look_for_model(data);
    if (const std::string word = finish_in(data); !word.empty()) {
      finished_ = true;
      if (finish_.empty()) finish_ = word;
    }
    if (const Member usage = chunk::find_member(data, "\"usageMetadata\""); usage && data[usage.value] == '{') {
      chat::merge(usage_, parse_usage(data.substr(usage.value, chunk::skip_value(data, usage.value) - usage.value)));
    }
    if (!verdict.content) look_for_end(data, verdict);
    verdict.finished = finished_;
    return verdict;
  }

  Status on_bytes(std::string_view) override { return {}; }
  Status on_end() override { return {}; }
  const chat::Usage& usage() const noexcept override { return usage_; }
  std::string_view model() const noexcept override { return model_; }
  std::string_view finish_reason() const noexcept override { return finish_; }
  const std::optional<Error>& error() const noexcept override { return error_; }

 private:
  void look_for_model(std::string_view data) {
    const Member model = chunk::find_member(data, "\"modelVersion\"");
    if (model) model_ = json::decode_string(chunk::string_at(data, model.value));
  }

  /// What stands where no content does: an error, or why the prompt was refused.
  void look_for_end(std::string_view data, TapVerdict& verdict) {
    const bool error = static_cast<bool>(chunk::find_member(data, "\"error\""));
    if (!error && !chunk::find_member(data, "\"blockReason\"")) return;
    const auto document = json::Document::parse(Body::copy(data));
    if (!document) return;
    const Value root = document->root();
    if (has(root, "error")) {
      verdict.error = embedded_error(root);
    } else if (const std::string reason = text(member(root, "promptFeedback"), "blockReason"); !reason.empty() && !has(root, "candidates")) {
      finished_ = true;
      if (finish_.empty()) finish_ = reason.substr(0, kMaxWord);
    }
  }

  chat::Usage usage_;
  const std::optional<Error> error_ = std::nullopt;  // a stream tells its errors as they come
  std::string model_, finish_;
  bool finished_ = false;
};

class WholeTap final : public AnswerTap {
 public:
  explicit WholeTap(Operation operation) : operation_(operation), scanner_(kFields, kMaxFieldBytes) {}

  TapVerdict on_event(std::string_view, std::string_view) override { return {}; }

  Status on_bytes(std::string_view bytes) override {
    if (!started_) {
      const std::size_t first = bytes.find_first_not_of(" \t\r\n");
      if (first == std::string_view::npos) return {};
      started_ = true;
      if (bytes[first] != '{') return tl::unexpected(no_json(bytes.substr(first)));
    }
    if (!scanning_ && kept_.size() + bytes.size() <= kKeptBytes) {
      kept_.append(bytes);
      return {};
    }
    if (!std::exchange(scanning_, true)) scan(std::exchange(kept_, {}));
    scan(bytes);
    return {};
  }

  Status on_end() override {
    if (!scanning_) {
      scan(kept_);
      finish_ = finish_in(kept_);
    }
    usage_ = read(scanner_.value(kUsage));
    if (operation_ == Operation::kCountTokens) usage_.input_tokens = count(scanner_.value(kTotal));
    if (const std::string_view raw = scanner_.value(kModel); raw.size() >= 2 && raw.front() == '"') {
      model_ = json::decode_string(raw.substr(1, raw.size() - 2));
    }
    read_rest();
    if (scanner_.complete()) return {};
    return fail(Code::kUpstreamTruncated, started_ ? "the upstream's answer ended before its JSON did"
                                                   : "the upstream's answer is empty; a JSON answer was due");
  }

  const chat::Usage& usage() const noexcept override { return usage_; }
  std::string_view model() const noexcept override { return model_; }
  std::string_view finish_reason() const noexcept override { return finish_; }
  const std::optional<Error>& error() const noexcept override { return error_; }

 private:
  static constexpr std::array<std::string_view, 5> kFields{"usageMetadata", "modelVersion", "totalTokens", "promptFeedback", "error"};
  static constexpr std::size_t kUsage = 0, kModel = 1, kTotal = 2, kFeedback = 3, kError = 4;
  static constexpr std::size_t kMaxFieldBytes = 16 << 10, kKeptBytes = 16 << 10, kTail = 128;

  static chat::Usage read(std::string_view raw) { return raw.empty() ? chat::Usage{} : parse_usage(raw); }

  static std::optional<std::uint64_t> count(std::string_view raw) {
    const auto document = json::Document::parse(Body::copy(raw));
    const auto n = document && document->root().is(Type::kNumber) ? document->root().integer() : std::nullopt;
    return n && *n >= 0 ? std::optional(static_cast<std::uint64_t>(*n)) : std::nullopt;
  }

  /// An answer that is no answer: an error, or a prompt that was refused.
  void read_rest() {
    if (const std::string_view raw = scanner_.value(kError); !raw.empty() && raw.front() == '{') {
      if (const auto document = json::Document::parse(Body::copy("{\"error\":" + std::string(raw) + "}"))) error_ = embedded_error(document->root());
    }
    const std::string_view feedback = scanner_.value(kFeedback);
    if (feedback.empty() || !finish_.empty()) return;
    if (const auto document = json::Document::parse(Body::copy(feedback))) finish_ = text(document->root(), "blockReason").substr(0, kMaxWord);
  }

  /// Long answers: the reason stands behind the content, wherever the pieces are cut.
  void scan(std::string_view bytes) {
    scanner_.feed(bytes);
    if (operation_ != Operation::kChat || !scanning_ || !finish_.empty()) return;
    tail_.append(bytes);
    constexpr std::string_view kKey = "\"finishReason\"";
    for (Member reason = chunk::find_member(tail_, kKey); reason; reason = chunk::find_member(tail_, kKey, reason.value)) {
      const std::size_t end = chunk::skip_value(tail_, reason.value);
      if (end >= tail_.size()) break;  // perhaps cut off: the next piece has the rest
      finish_ = finish_word_of(std::string_view(tail_).substr(reason.value, end - reason.value));
      if (!finish_.empty()) break;
    }
    if (tail_.size() > kTail) tail_.erase(0, tail_.size() - kTail);
  }

  Operation operation_;
  json::FieldScanner scanner_;
  chat::Usage usage_;
  std::optional<Error> error_;
  std::string model_, finish_, kept_, tail_;
  bool started_ = false, scanning_ = false;
};

}  // namespace

std::unique_ptr<AnswerTap> make_tap(const TapOptions& options) {
  if (options.streaming) return std::make_unique<StreamTap>();
  return std::make_unique<WholeTap>(options.operation);
}

}  // namespace sluice::dialect::gemini_parts
