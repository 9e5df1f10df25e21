// The account of an exchange as one line, with what was kept of its texts.

#include "plugins/request_log.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "plugins/log_line.hpp"

namespace sluice::plugins {
namespace {

constexpr std::uint32_t kMostBytes = 1'048'576;

/// The beginning of a text, and how long all of it is. One byte more than is shown, so that the line sees that it was cut.
class Beginning {
 public:
  void add(std::string_view text, std::size_t longest) {
    kept_.append(text.substr(0, longest + 1 - std::min(longest + 1, kept_.size())));
    bytes_ += text.size();
  }
  void clear() noexcept {
    kept_.clear();
    bytes_ = 0;
  }
  void write(LogLine& line, std::string_view name, std::size_t longest) const {
    if (bytes_ == 0) return;
    line.field(name, kept_, longest).field(std::string(name).append("_bytes"), bytes_);
  }

 private:
  std::string kept_;
  std::uint64_t bytes_ = 0;
};

class RequestLog final : public Observer {
 public:
  RequestLog(std::string name, const RequestLogPlugin& settings, std::function<void(std::string_view)> log)
      : name_(std::move(name)), settings_(settings), log_(std::move(log)) {}
  std::string_view name() const noexcept override { return name_; }
  Wants wants() const noexcept override {
    // The head says that an answer begins: what was kept of one before it, which failed, is not what the caller got.
    return kWantsFinish | (settings_.request_body ? kWantsRequest : kWantsNothing) |
           (settings_.response_text ? kWantsHead | kWantsDeltas : kWantsNothing);
  }
  std::unique_ptr<ObserverSession> open(const ExchangeView&) const override { return std::make_unique<Session>(*this); }

 private:
  class Session final : public ObserverSession {
   public:
    explicit Session(const RequestLog& log) : log_(log) {}

    void on_request(const ExchangeView& exchange) override {
      body_.clear();
      body_.add(exchange.body(), log_.settings_.max_bytes);
    }
    void on_head(const ExchangeView&, int, const Headers&) override { text_.clear(); }
    void on_delta(const ExchangeView&, const Delta& delta) override {
      if (delta.choice == 0 && delta.channel == Channel::kText) text_.add(delta.text, log_.settings_.max_bytes);
    }
    void on_finish(const Outcome& outcome) noexcept override {
      try {
        LogLine line("exchange");
        log_.write(line, outcome);
        if (log_.settings_.request_body) body_.write(line, "body", log_.settings_.max_bytes);
        if (log_.settings_.response_text) text_.write(line, "text", log_.settings_.max_bytes);
        log_.log_(line.text());
      } catch (...) {  // the exchange is over: a line that cannot be written has nobody left to tell
      }
    }

   private:
    const RequestLog& log_;
    Beginning body_, text_;
  };

  static void write(LogLine& line, const Outcome& outcome) {
    const Attempt* last = nullptr;
    std::uint64_t attempts = 0;
    for (const Attempt& attempt : outcome.attempts) {
      if (attempt.skipped) continue;
      last = &attempt;
      ++attempts;
    }
    line.field("id", outcome.id).field("consumer", outcome.consumer).field("tenant", outcome.tenant).field("route", outcome.route);
    line.field("dialect", outcome.dialect).field("operation", outcome.operation).field("model", outcome.requested_model);
    if (outcome.served_model != outcome.requested_model) line.field("served_model", outcome.served_model);
    if (last != nullptr) line.field("upstream", last->upstream);
    line.field("attempts", attempts).field("status", static_cast<std::uint64_t>(std::max(0, outcome.status)));
    line.field("ending", to_string(outcome.ending));
    if (outcome.error) {
      line.field("error", to_string(outcome.error->code)).field("origin", to_string(outcome.error->origin));
      line.field("message", outcome.error->message);
    }
    line.field("streamed", outcome.streamed ? std::string_view("true") : std::string_view("false"));
    line.field("bytes_in", outcome.bytes_in).field("bytes_out", outcome.bytes_out).field("queue_ms", outcome.queue_time);
    if (outcome.first_delta.count() > 0) line.field("first_delta_ms", outcome.first_delta);
    line.field("total_ms", outcome.total);
    if (outcome.usage.input_tokens) line.field("input_tokens", *outcome.usage.input_tokens);
    if (outcome.usage.output_tokens) line.field("output_tokens", *outcome.usage.output_tokens);
    line.field("finish_reason", outcome.finish_reason);
  }

  const std::string name_;
  const RequestLogPlugin settings_;
  const std::function<void(std::string_view)> log_;
};

}  // namespace

Result<std::shared_ptr<const Observer>> make_request_log(std::string name, const RequestLogPlugin& settings,
                                                         std::function<void(std::string_view line)> log) {
  if (settings.max_bytes == 0 || settings.max_bytes > kMostBytes) {
    return fail(Code::kInvalidConfiguration, fmt::format("max_bytes is {}; it must be from 1 to {}", settings.max_bytes, kMostBytes), "/max_bytes");
  }
  if (!log) return fail(Code::kInvalidConfiguration, "request_log has nowhere to log to; set OpenOptions::log, or take it out");
  return std::make_shared<const RequestLog>(std::move(name), settings, std::move(log));
}

}  // namespace sluice::plugins
