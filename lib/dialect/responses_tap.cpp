// Usage, model and ending out of responses that pass by. A stream says all of it in the response objects it begins and ends
// with; between them only the kind of each event is looked at.

#include <algorithm>
#include <array>
#include <utility>

#include "dialect/chunk.hpp"
#include "dialect/excerpt.hpp"
#include "dialect/provider_words.hpp"
#include "dialect/reading.hpp"
#include "dialect/responses.hpp"
#include "dialect/responses_answer.hpp"
#include "dialect/responses_events.hpp"
#include "json/field_scanner.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::responses_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view word_of(chat::FinishReason reason, const std::string& native) noexcept {
  return native.empty() ? chat::to_string(reason) : std::string_view(native);
}

bool is_call(std::string_view item_type) noexcept { return item_type == "function_call" || item_type == "custom_tool_call"; }

class StreamTap final : public AnswerTap {
 public:
  TapVerdict on_event(std::string_view name, std::string_view data) override {
    TapVerdict verdict;
    verdict.finished = finished_;
    const std::size_t first = chunk::skip_blanks(data, 0);
    if (first == data.size()) return verdict;  // a ping
    if (data[first] != '{') {
      is_done(data) ? static_cast<void>(verdict.terminal = true) : static_cast<void>(verdict.error = no_event(data));
      return verdict;
    }
    switch (const Event event = event_of(type_of(name, data))) {
      case Event::kTextDelta:
      case Event::kRefusalDelta:
      case Event::kSummaryDelta:
      case Event::kReasoningDelta:
      case Event::kArgumentsDelta:
      case Event::kInputDelta:
        verdict.content = !chunk::string_at(data, chunk::find_member(data, "\"delta\"").value).empty();
        break;
      case Event::kItemAdded: verdict.content = adds_call(data); break;
      case Event::kResponse:
        if (model_.empty()) look_at(data, event, verdict);
        break;
      case Event::kEnd:
      case Event::kFailed:
      case Event::kError: look_at(data, event, verdict); break;
      default: break;
    }
    return verdict;
  }

  Status on_bytes(std::string_view) override { return {}; }
  Status on_end() override { return {}; }
  const chat::Usage& usage() const noexcept override { return usage_; }
  std::string_view model() const noexcept override { return model_; }
  std::string_view finish_reason() const noexcept override { return finish_; }
  const std::optional<Error>& error() const noexcept override { return error_; }

 private:
  bool adds_call(std::string_view data) {
    const chunk::Member item = chunk::find_member(data, "\"item\"");
    if (!item || !is_call(type_of({}, data.substr(item.value)))) return false;
    called_ = true;
    return true;
  }

  void look_at(std::string_view data, Event event, TapVerdict& verdict) {
    verdict.terminal = event == Event::kEnd || event == Event::kFailed;
    const auto document = json::Document::parse(Body::copy(data));
    if (!document) {
      verdict.error = no_event(data);
      return;
    }
    const Value root = document->root(), response = member(root, "response");
    if (model_.empty()) model_ = reading::text(response, "model");
    if (event == Event::kResponse) return;
    if (const Value usage = member(response, "usage"); usage.is(Type::kObject)) chat::merge(usage_, read_usage(usage));
    if (event == Event::kError) verdict.error = embedded_error(root);
    if (event == Event::kFailed) verdict.error = failure_of(response);
    if (event != Event::kEnd) return;
    const std::string status = reading::text(response, "status"), reason = reading::text(member(response, "incomplete_details"), "reason");
    const Ending ending = read_ending(status.empty() ? "completed" : status, reason, called_ || calls(response));
    finish_ = word_of(ending.reason, ending.native).substr(0, 64);
    finished_ = verdict.finished = true;
  }

  static bool calls(const Value& response) {
    for (Value item = member(response, "output").first(); item; item = item.next()) {
      if (is_call(reading::text(item, "type"))) return true;
    }
    return false;
  }

  chat::Usage usage_;
  const std::optional<Error> error_ = std::nullopt;  // a stream tells its errors as they come
  std::string model_, finish_;
  bool called_ = false, finished_ = false;
};

/// Whether a text that comes in pieces holds an item of a call. Inside strings quotes are escaped, so that the type with its
/// quotes is never a piece of a model's text.
class CallFinder {
 public:
  void feed(std::string_view bytes) {
    if (found_ || bytes.empty()) return;
    carry_.append(bytes.substr(0, std::min(bytes.size(), kReach)));
    found_ = holds(carry_) || holds(bytes);
    if (bytes.size() >= kReach) {
      carry_.assign(bytes.substr(bytes.size() - kReach));
    } else if (carry_.size() > kReach) {
      carry_.erase(0, carry_.size() - kReach);
    }
  }
  [[nodiscard]] bool found() const noexcept { return found_; }

 private:
  static constexpr std::string_view kFunction = "\"function_call\"", kCustom = "\"custom_tool_call\"";
  static constexpr std::size_t kReach = kCustom.size() - 1;
  static bool holds(std::string_view text) noexcept {
    return text.find(kFunction) != std::string_view::npos || text.find(kCustom) != std::string_view::npos;
  }

  std::string carry_;
  bool found_ = false;
};

class WholeTap final : public AnswerTap {
 public:
  explicit WholeTap(Operation operation) : operation_(operation), scanner_(kFields, kMaxFieldBytes) {}

  TapVerdict on_event(std::string_view, std::string_view) override { return {}; }

  Status on_bytes(std::string_view bytes) override {
    if (!started_) {
      const std::size_t first = bytes.find_first_not_of(kBlanks);
      if (first == std::string_view::npos) return {};
      started_ = true;
      if (bytes[first] != '{') {
        return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer is no JSON object; it begins with \"" + excerpt(bytes.substr(first), 80) + "\"");
      }
    }
    scanner_.feed(bytes);
    calls_.feed(bytes);
    return {};
  }

  Status on_end() override {
    if (const Value usage = field(kUsage); usage.is(Type::kObject)) usage_ = read_usage(usage);
    if (operation_ == Operation::kCountTokens) {
      usage_.input_tokens = reading::count(field(kInputTokens));
    }
    model_ = reading::text(field(kModel));
    const std::string status = reading::text(field(kStatus));
    if (status == "completed" || status == "incomplete") {
      const Ending ending = read_ending(status, reading::text(field(kIncomplete), "reason"), calls_.found());
      finish_ = word_of(ending.reason, ending.native).substr(0, 64);
    }
    look_for_error(status);
    if (scanner_.complete()) return {};
    return fail(Code::kUpstreamTruncated, started_ ? "the upstream's answer ended before its JSON did"
                                                   : "the upstream's answer is empty; a JSON answer was due");
  }

  const chat::Usage& usage() const noexcept override { return usage_; }
  std::string_view model() const noexcept override { return model_; }
  std::string_view finish_reason() const noexcept override { return finish_; }
  const std::optional<Error>& error() const noexcept override { return error_; }

 private:
  static constexpr std::array<std::string_view, 6> kFields{"usage", "model", "status", "incomplete_details", "error", "input_tokens"};
  static constexpr std::size_t kUsage = 0, kModel = 1, kStatus = 2, kIncomplete = 3, kError = 4, kInputTokens = 5;
  static constexpr std::size_t kMaxFieldBytes = 16 << 10;

  /// Lifetime: until the next call.
  Value field(std::size_t which) {
    const std::string_view raw = scanner_.value(which);
    if (raw.empty()) return {};
    auto document = json::Document::parse(Body::copy(raw));
    if (!document) return {};
    document_ = std::make_unique<json::Document>(*std::move(document));
    return document_->root();
  }

  void look_for_error(const std::string& status) {
    const Value error = field(kError);
    const bool stated = error.is(Type::kObject) || error.is(Type::kString);
    if (!stated && status != "failed") return;
    const std::string wrapped = R"({"status":)" + json::quoted(status) + R"(,"error":)" + (stated ? std::string(error.raw()) : "null") + "}";
    const auto document = json::Document::parse(Body::copy(wrapped));
    if (document) error_ = failure_of(document->root());
  }

  const Operation operation_;
  json::FieldScanner scanner_;
  CallFinder calls_;
  std::unique_ptr<json::Document> document_;
  chat::Usage usage_;
  std::optional<Error> error_;
  std::string model_, finish_;
  bool started_ = false;
};

}  // namespace

std::unique_ptr<AnswerTap> make_tap(const TapOptions& options) {
  if (options.streaming) return std::make_unique<StreamTap>();
  return std::make_unique<WholeTap>(options.operation);
}

}  // namespace sluice::dialect::responses_parts
