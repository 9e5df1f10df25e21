// Listens to an answer on its way to the caller. Streams: every event is parsed, for it says little beside its text; whole
// answers: a few root fields, picked out as bytes pass.

#include <array>
#include <utility>

#include "dialect/anthropic.hpp"
#include "dialect/anthropic_blocks.hpp"
#include "dialect/chunk.hpp"
#include "dialect/excerpt.hpp"
#include "dialect/reading.hpp"
#include "json/field_scanner.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using reading::text;

constexpr std::size_t kLongestReason = 64;

/// The answer is no JSON at all: says so with a piece of what came.
Error no_json(std::string_view text) {
  return make_error(Code::kUpstreamInvalidAnswer, "the upstream's answer is no JSON; it begins with \"" + excerpt(text, 80) +
                                                      "\"; check the upstream's url");
}

bool says_something(const Value& holder, std::string_view key) {
  const Value said = member(holder, key);
  return said.is(Type::kString) && !said.raw_string().empty();
}

/// What a block begins with that a reader would see: a call, or text of its own.
bool shows(const Value& block) {
  const Value type = member(block, "type");
  return type.is(Type::kString) && (type.equals("tool_use") || says_something(block, "text") || says_something(block, "thinking"));
}

bool adds(const Value& delta) {
  return says_something(delta, "text") || says_something(delta, "thinking") || says_something(delta, "partial_json");
}

class StreamTap final : public AnswerTap {
 public:
  TapVerdict on_event(std::string_view, std::string_view data) override {
    TapVerdict verdict;
    verdict.finished = finished_;
    const std::size_t first = chunk::skip_blanks(data, 0);
    if (first == data.size()) return verdict;
    const auto document = json::Document::parse(Body::copy(data));
    if (!document || !document->root().is(Type::kObject)) {
      // Broken JSON is the client's to find, as it is where nobody listens; what is none at all is an error page.
      if (data[first] != '{') verdict.error = no_json(data);
      return verdict;
    }
    const Value root = document->root(), type = member(root, "type");
    const auto is = [&type](std::string_view name) { return type.is(Type::kString) && type.equals(name); };
    if (is("content_block_delta")) {
      verdict.content = adds(member(root, "delta"));
    } else if (is("content_block_start")) {
      verdict.content = shows(member(root, "content_block"));
    } else if (is("message_start")) {
      const Value message = member(root, "message");
      if (model_.empty()) model_ = text(message, "model");
      // An answer that goes on with calls it had in store comes whole with its start.
      const Value content = member(message, "content");
      for (Value block = content.is(Type::kArray) ? content.first() : Value{}; block; block = block.next()) {
        verdict.content = verdict.content || shows(block);
      }
      stop(message, verdict);
      counts_.take(member(message, "usage"));
      usage_ = counts_.normalised();
    } else if (is("message_delta")) {
      stop(member(root, "delta"), verdict);
      counts_.take(member(root, "usage"));
      usage_ = counts_.normalised();
    } else if (is("message_stop")) {
      verdict.terminal = true;
    } else if (is("error") || (!type && member(root, "error"))) {
      verdict.error = error_of(root);
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
  void stop(const Value& holder, TapVerdict& verdict) {
    const std::string reason = text(holder, "stop_reason");
    if (finish_.empty()) finish_ = reason.substr(0, kLongestReason);
    finished_ = verdict.finished = finished_ || !reason.empty();
    verdict.content = verdict.content || !explanation_of(member(holder, "stop_details")).empty();
  }

  UsageCounts counts_;
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
    scanner_.feed(bytes);
    started_ = started_ || bytes.find_first_not_of(" \t\r\n") != std::string_view::npos;
    if (scanner_.not_json()) return tl::unexpected(no_json(bytes));
    return {};
  }

  Status on_end() override {
    read();
    if (scanner_.complete()) return {};
    return fail(Code::kUpstreamTruncated, started_ ? "the upstream's answer ended before its JSON did"
                                                   : "the upstream's answer is empty; a JSON answer was due");
  }

  const chat::Usage& usage() const noexcept override { return usage_; }
  std::string_view model() const noexcept override { return model_; }
  std::string_view finish_reason() const noexcept override { return finish_; }
  const std::optional<Error>& error() const noexcept override { return error_; }

 private:
  enum Field : std::size_t { kUsage, kModel, kStopReason, kError, kInputTokens };
  static constexpr std::array<std::string_view, 5> kFields{"usage", "model", "stop_reason", "error", "input_tokens"};
  static constexpr std::size_t kMaxFieldBytes = 16 << 10;

  void read() {
    const auto string = [this](Field field) {
      const std::string_view raw = scanner_.value(field);
      return raw.size() >= 2 && raw.front() == '"' ? json::decode_string(raw.substr(1, raw.size() - 2)) : std::string();
    };
    model_ = string(kModel);
    finish_ = string(kStopReason).substr(0, kLongestReason);
    if (const auto usage = json::Document::parse(Body::copy(scanner_.value(kUsage)))) {
      UsageCounts counts;
      counts.take(usage->root());
      usage_ = counts.normalised();
    }
    if (operation_ == Operation::kCountTokens) {
      const auto count = json::Document::parse(Body::copy(scanner_.value(kInputTokens)));
      const auto n = count ? reading::integer(count->root()) : std::nullopt;
      if (n && *n >= 0) usage_.input_tokens = static_cast<std::uint64_t>(*n);
    }
    const std::string_view error = scanner_.value(kError);
    if (!error.starts_with('{')) return;
    std::string root = R"({"error":)";
    root.append(error).append("}");
    const auto document = json::Document::parse(Body::from(std::move(root)));
    if (document) error_ = error_of(document->root());
  }

  const Operation operation_;
  json::FieldScanner scanner_;
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

}  // namespace sluice::dialect::anthropic_parts
