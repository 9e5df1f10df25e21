// Listens to answers of the Cohere dialect on their way to the caller. Nothing of them is changed: usage comes with the last
// event of every stream, asked for or not. Cohere does not say which model answered.

#include <array>

#include "dialect/chunk.hpp"
#include "dialect/cohere.hpp"
#include "dialect/openai_stream.hpp"
#include "dialect/provider_words.hpp"
#include "dialect/reading.hpp"
#include "dialect/root_tap.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::cohere_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using reading::text;

class StreamTap final : public AnswerTap {
 public:
  TapVerdict on_event(std::string_view name, std::string_view data) override {
    TapVerdict verdict;
    verdict.finished = finished_;
    if (chunk::skip_blanks(data, 0) == data.size()) return verdict;  // a ping
    if (openai_parts::is_done(data)) {
      verdict.terminal = true;
      return verdict;
    }
    // Most events are a piece of text, and the event's name says so: nothing of these is parsed.
    if (name == "content-delta") {
      verdict.content = says(data, "\"text\"") || says(data, "\"thinking\"");
      return verdict;
    }
    const auto document = json::Document::parse(Body::copy(data));
    if (!document || !document->root().is(Type::kObject)) return verdict;
    const Value root = document->root();
    const std::string type = text(root, "type");
    const Value delta = member(root, "delta"), message = member(delta, "message");
    if (type == "content-delta" || type == "content-start") {
      const Value content = member(message, "content");
      verdict.content = !text(content, "text").empty() || !text(content, "thinking").empty();
    } else if (type == "tool-plan-delta" || type == "tool-call-start" || type == "tool-call-delta") {
      verdict.content = true;
    } else if (type == "message-end") {
      finish(delta, verdict);
    } else if (type.empty() && (member(root, "message").is(Type::kString) || member(root, "error"))) {
      verdict.error = embedded_error(root);
    }
    verdict.finished = finished_;
    return verdict;
  }

  Status on_bytes(std::string_view) override { return {}; }
  Status on_end() override { return {}; }
  const chat::Usage& usage() const noexcept override { return usage_; }
  std::string_view model() const noexcept override { return {}; }
  std::string_view finish_reason() const noexcept override { return finish_; }
  const std::optional<Error>& error() const noexcept override { return error_; }

 private:
  static bool says(std::string_view data, std::string_view quoted_key) noexcept {
    const chunk::Member found = chunk::find_member(data, quoted_key);
    return found && !chunk::string_at(data, found.value).empty();
  }

  void finish(const Value& delta, TapVerdict& verdict) {
    finished_ = true;
    finish_ = text(delta, "finish_reason").substr(0, 64);
    chat::merge(usage_, read_usage(member(delta, "usage")));
    if (is_failure(finish_) || member(delta, "error")) verdict.error = failure_of(delta, finish_);
  }

  chat::Usage usage_;
  const std::optional<Error> error_ = std::nullopt;  // a stream tells its errors as they come
  std::string finish_;
  bool finished_ = false;
};

class WholeTap final : public RootTap {
 public:
  WholeTap() : RootTap(kFields) {}

 private:
  enum Field : std::size_t { kUsage, kMeta, kFinish, kMessage, kError };
  static constexpr std::array<std::string_view, 5> kFields{"usage", "meta", "finish_reason", "message", "error"};

  void read() override {
    usage_ = parse_usage(raw(kUsage).empty() ? raw(kMeta) : raw(kUsage));
    finish_ = text(kFinish).substr(0, 64);
    // An answer's message is an object; an error's is its words.
    if (!is_failure(finish_) && text(kMessage).empty()) return;
    std::string said = text(kError).empty() ? text(kMessage) : text(kError);
    const auto words = json::Document::parse(Body::from(json::quoted(said)));
    error_ = failure_of(words ? words->root() : Value{}, finish_);
  }
};

}  // namespace

std::unique_ptr<AnswerTap> make_tap(const TapOptions& options) {
  if (options.streaming) return std::make_unique<StreamTap>();
  return std::make_unique<WholeTap>();
}

}  // namespace sluice::dialect::cohere_parts
