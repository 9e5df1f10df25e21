// Content: dropped, redacted, masked and cut, in this order. Redaction sees whole texts, for half a telephone number is
// no longer recognised as one.

#include "telemetry/content.hpp"

#include "base/utf8.hpp"

namespace sluice::telemetry {
namespace {

// What a message or a call counts beside its texts: a thousand empty ones are long, too.
constexpr std::size_t kFrame = 16;

/// What is left of one part's bytes.
class Allowance {
 public:
  Allowance(std::size_t bytes, bool& truncated) : left_(bytes), truncated_(truncated) {}
  /// Room for an element's frame and names; false where there is none, or something in front of it was cut.
  [[nodiscard]] bool take(std::size_t bytes) noexcept {
    if (bytes > left_) {
      truncated_ = true;
      return false;
    }
    left_ -= bytes;
    return true;
  }
  /// Cuts `text` to what is left.
  void cut(std::string& text) {
    if (take(text.size())) return;
    text.resize(base::truncate_utf8(text, left_).size());
    left_ = 0;  // nothing stands behind a cut
  }
  /// Empties `text` where it does not fit whole.
  void keep_whole(std::string& text) {
    if (!take(text.size())) text.clear();
  }

 private:
  std::size_t left_;
  bool& truncated_;
};

template <typename Clean>
void clean_all(Content& content, const Clean& clean) {
  for (Content::Message& message : content.prompt) clean(message.role), clean(message.text);
  clean(content.answer);
  for (Content::ToolCall& call : content.tool_calls) clean(call.id), clean(call.name), clean(call.arguments);
}

void cut_prompt(std::vector<Content::Message>& prompt, Allowance allowance) {
  for (auto message = prompt.begin(); message != prompt.end(); ++message) {
    if (!allowance.take(kFrame + message->role.size())) {
      prompt.erase(message, prompt.end());
      return;
    }
    allowance.cut(message->text);
  }
}

void cut_tool_calls(std::vector<Content::ToolCall>& calls, Allowance allowance) {
  for (auto call = calls.begin(); call != calls.end(); ++call) {
    if (!allowance.take(kFrame + call->id.size() + call->name.size())) {
      calls.erase(call, calls.end());
      return;
    }
    allowance.keep_whole(call->arguments);
  }
}

}  // namespace

bool keep_content(std::optional<Content>& content, const TelemetryOptions& options, std::span<const Redactor> redactors,
                  const SecretMask& mask) {
  if (!content) return true;
  if (!options.prompt && !options.answer && !options.tool_calls) {
    content.reset();
    return true;
  }
  if (!options.prompt) content->prompt.clear();
  if (!options.answer) content->answer.clear();
  if (!options.tool_calls) content->tool_calls.clear();
  try {
    clean_all(*content, [&](std::string& text) {
      if (text.empty()) return;
      for (const Redactor& redact : redactors) redact(text);
      (void)mask.apply(text);
    });
  } catch (...) {
    content = Content{.truncated = true};
    return false;
  }
  const Allowance each(options.content_bytes, content->truncated);
  cut_prompt(content->prompt, each);
  Allowance(each).cut(content->answer);
  cut_tool_calls(content->tool_calls, each);
  return true;
}

}  // namespace sluice::telemetry
