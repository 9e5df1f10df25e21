// Reads usage and stop reason out of answers of the Bedrock dialect that pass by. They name no model. Nothing is taken out:
// every stream states its usage, whether or not its caller wants it.

#include <array>
#include <utility>

#include "dialect/bedrock.hpp"
#include "dialect/bedrock_events.hpp"
#include "dialect/chunk.hpp"
#include "dialect/excerpt.hpp"
#include "dialect/provider_words.hpp"
#include "dialect/reading.hpp"
#include "json/field_scanner.hpp"

namespace sluice::dialect::bedrock_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;

constexpr std::size_t kLongestReason = 64;

/// A delta adds something a reader would see: words, thinking, arguments.
bool adds_content(std::string_view delta) noexcept {
  if (chunk::find_member(delta, "\"citation\"")) return false;
  for (const std::string_view key : {"\"text\"", "\"input\"", "\"redactedContent\""}) {
    const chunk::Member said = chunk::find_member(delta, key);
    if (said && !chunk::string_at(delta, said.value).empty()) return true;
  }
  return false;
}

class StreamTap final : public AnswerTap {
 public:
  TapVerdict on_event(std::string_view name, std::string_view data) override {
    TapVerdict verdict;
    if (name.starts_with('!')) {
      verdict.error = exception_error(name.substr(1), data);
    } else if (const std::size_t first = chunk::skip_blanks(data, 0); first == data.size() || data[first] != '{') {
      verdict.error = no_event(data);
    } else if (const EventKind kind = kind_of(name); kind == EventKind::kBlockDelta) {
      verdict.content = adds_content(data);
    } else if (kind == EventKind::kBlockStart) {
      verdict.content = static_cast<bool>(chunk::find_member(data, "\"toolUse\""));
    } else if (kind != EventKind::kMessageStart && kind != EventKind::kBlockStop) {
      read(name, data, verdict);
    }
    verdict.finished = stopped_;
    verdict.terminal = stopped_ && counted_;
    return verdict;
  }

  Status on_bytes(std::string_view) override { return {}; }
  Status on_end() override { return {}; }
  const chat::Usage& usage() const noexcept override { return usage_; }
  std::string_view model() const noexcept override { return {}; }
  std::string_view finish_reason() const noexcept override { return finish_; }
  const std::optional<Error>& error() const noexcept override { return error_; }

 private:
  void read(std::string_view name, std::string_view data, TapVerdict& verdict) {
    const auto document = json::Document::parse(Body::copy(data));
    if (!document) {
      verdict.error = no_event(data);
      return;
    }
    const Event event = event_of(name, document->root());
    if (event.kind == EventKind::kMessageStop) {
      stopped_ = true;
      if (finish_.empty()) finish_ = reading::text(event.value, "stopReason").substr(0, kLongestReason);
    } else if (event.kind == EventKind::kMetadata) {
      counted_ = true;
      chat::merge(usage_, read_usage(member(event.value, "usage")));
    } else if (event.kind == EventKind::kException) {
      verdict.error = exception_error(event.type, event.value.raw());
    } else if (name.empty() && event.kind == EventKind::kBlockDelta) {
      verdict.content = adds_content(data);
    }
  }

  chat::Usage usage_;
  const std::optional<Error> error_ = std::nullopt;  // a stream tells its errors as they come
  std::string finish_;
  bool stopped_ = false, counted_ = false;
};

class WholeTap final : public AnswerTap {
 public:
  WholeTap() : scanner_(kFields, kMaxFieldBytes) {}

  TapVerdict on_event(std::string_view, std::string_view) override { return {}; }

  Status on_bytes(std::string_view bytes) override {
    if (!started_) {
      const std::size_t first = bytes.find_first_not_of(" \t\r\n");
      if (first == std::string_view::npos) return {};
      started_ = true;
      if (bytes[first] != '{') {
        return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer is no JSON object; it begins with \"" + excerpt(bytes.substr(first), 80) + "\"");
      }
    }
    scanner_.feed(bytes);
    return {};
  }

  Status on_end() override {
    if (!scanner_.complete()) {
      return fail(Code::kUpstreamTruncated, started_ ? "the upstream's answer ended before its JSON did"
                                                     : "the upstream's answer is empty; a JSON answer was due");
    }
    if (const auto usage = json::Document::parse(Body::copy(scanner_.value(kUsage)))) usage_ = read_usage(usage->root());
    if (const auto count = json::Document::parse(Body::copy(scanner_.value(kCount)))) {
      const auto n = reading::integer(count->root());
      if (n && *n >= 0) usage_.input_tokens = static_cast<std::uint64_t>(*n);
    }
    if (const auto reason = json::Document::parse(Body::copy(scanner_.value(kReason)))) finish_ = reading::text(reason->root()).substr(0, kLongestReason);
    const bool answered = !scanner_.value(kReason).empty() || !scanner_.value(kUsage).empty() || !scanner_.value(kCount).empty();
    if (!answered && scanner_.value(kMessage).starts_with('"')) {
      const auto said = json::Document::parse(Body::from(std::string(R"({"message":)").append(scanner_.value(kMessage)) + "}"));
      if (said) error_ = embedded_error(said->root());
    }
    return {};
  }

  const chat::Usage& usage() const noexcept override { return usage_; }
  std::string_view model() const noexcept override { return {}; }
  std::string_view finish_reason() const noexcept override { return finish_; }
  const std::optional<Error>& error() const noexcept override { return error_; }

 private:
  static constexpr std::array<std::string_view, 4> kFields{"usage", "stopReason", "inputTokens", "message"};
  static constexpr std::size_t kUsage = 0, kReason = 1, kCount = 2, kMessage = 3;
  static constexpr std::size_t kMaxFieldBytes = 16 << 10;

  json::FieldScanner scanner_;
  chat::Usage usage_;
  std::optional<Error> error_;
  std::string finish_;
  bool started_ = false;
};

}  // namespace

std::unique_ptr<AnswerTap> make_tap(const TapOptions& options) {
  if (options.streaming) return std::make_unique<StreamTap>();
  return std::make_unique<WholeTap>();
}

}  // namespace sluice::dialect::bedrock_parts
