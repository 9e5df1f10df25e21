// Listens to answers of Ollama's dialect on their way to the caller, and its errors: {"error":"text"}, also as a line of a 200.

#include <array>

#include "dialect/chunk.hpp"
#include "dialect/ollama.hpp"
#include "dialect/ollama_words.hpp"
#include "dialect/provider_words.hpp"
#include "dialect/reading.hpp"
#include "dialect/root_tap.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::ollama_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using reading::text;

class StreamTap final : public AnswerTap {
 public:
  TapVerdict on_event(std::string_view, std::string_view data) override {
    TapVerdict verdict;
    verdict.finished = finished_;
    const auto document = json::Document::parse(Body::copy(data));
    if (!document || !document->root().is(Type::kObject)) return verdict;
    const Value root = document->root(), message = member(root, "message");
    if (member(root, "error")) {
      verdict.error = embedded_error(root);
      return verdict;
    }
    if (model_.empty()) model_ = text(root, "model");
    const Value said = message ? message : root;
    verdict.content = !text(said, message ? "content" : "response").empty() || !text(said, "thinking").empty() ||
                      static_cast<bool>(member(said, "tool_calls").first());
    if (member(root, "done").boolean() == true) {
      finished_ = verdict.finished = verdict.terminal = true;
      finish_ = text(root, "done_reason").substr(0, 64);
      chat::merge(usage_, read_usage(root));
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
  chat::Usage usage_;
  const std::optional<Error> error_ = std::nullopt;  // a stream tells its errors as they come
  std::string model_, finish_;
  bool finished_ = false;
};

class WholeTap final : public RootTap {
 public:
  explicit WholeTap(Operation operation) : RootTap(kFields), embeds_(operation == Operation::kEmbeddings) {}

 private:
  enum Field : std::size_t { kModel, kReason, kInput, kOutput, kError };
  static constexpr std::array<std::string_view, 5> kFields{"model", "done_reason", "prompt_eval_count", "eval_count", "error"};

  void read() override {
    model_ = text(kModel);
    finish_ = text(kReason).substr(0, 64);
    usage_.input_tokens = count(kInput);
    usage_.output_tokens = count(kOutput);
    if (embeds_) usage_.total_tokens = usage_.input_tokens;
    if (const std::string_view error = raw(kError); !error.empty() && error != "null") {
      const auto words = json::Document::parse(Body::copy(error));
      if (words) error_ = embedded_error(words->root());
    }
  }
  [[nodiscard]] std::optional<std::uint64_t> count(Field field) const {
    const auto number = json::Document::parse(Body::copy(raw(field)));
    return number ? reading::count(number->root()) : std::nullopt;
  }

  const bool embeds_;
};

}  // namespace

std::unique_ptr<AnswerTap> make_tap(const TapOptions& options) {
  if (options.streaming) return std::make_unique<StreamTap>();
  return std::make_unique<WholeTap>(options.operation);
}

std::string encode_error(const Error& error, const ErrorContext& context) {
  const bool provider = error.code == Code::kUpstreamStatus || error.code == Code::kUpstreamError;
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  writer.field("error", provider && !context.provider_text.empty() ? context.provider_text : std::string_view(error.message));
  writer.end_object();
  return out;
}

bool is_error_body(std::string_view body) {
  const auto document = json::Document::parse(Body::copy(body));
  return document && member(document->root(), "error").is(Type::kString);
}

}  // namespace sluice::dialect::ollama_parts
