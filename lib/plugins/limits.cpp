// Requests and answers held against the bounds of a LimitsPlugin. One table says what each bound is called, counts and
// answers; attachments are judged one by one.

#include "plugins/limits.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/glob.hpp"

namespace sluice::plugins {
namespace {

using Limit = std::optional<std::uint64_t> LimitsPlugin::*;

/// A bound of one number in the shape.
struct Bound {
  std::string_view name;   // of the setting
  Limit limit;
  Code code;
  std::uint64_t (*seen)(const RequestShape&);
  std::string_view has;    // "the request has {} messages"
  std::string_view remedy;
  std::string_view param;  // the request's field; empty: the request as a whole
};
constexpr std::string_view kContent = "*";  // in its place: the field the operation's texts stand in

constexpr Bound kBounds[] = {
    {"characters", &LimitsPlugin::characters, Code::kPromptTooLarge, [](const RequestShape& s) -> std::uint64_t { return s.characters; },
     "the texts of the request have {} characters", "send less text", kContent},
    {"messages", &LimitsPlugin::messages, Code::kTooManyMessages, [](const RequestShape& s) -> std::uint64_t { return s.messages; },
     "the request has {} messages", "send fewer", "messages"},
    {"parts", &LimitsPlugin::parts, Code::kTooManyParts, [](const RequestShape& s) -> std::uint64_t { return s.parts; },
     "the messages have {} content parts", "send fewer", "messages"},
    {"tools", &LimitsPlugin::tools, Code::kTooManyTools, [](const RequestShape& s) -> std::uint64_t { return s.tools; },
     "the request offers {} tools", "offer fewer", "tools"},
    {"json_depth", &LimitsPlugin::json_depth, Code::kJsonTooDeep, [](const RequestShape& s) -> std::uint64_t { return s.json_depth; },
     "the body nests arrays and objects {} deep", "flatten it", ""},
    {"attachments", &LimitsPlugin::attachments, Code::kTooManyAttachments,
     [](const RequestShape& s) -> std::uint64_t { return s.attachments.size(); }, "the request has {} attachments", "send fewer", kContent},
    {"inputs", &LimitsPlugin::inputs, Code::kTooManyInputs, [](const RequestShape& s) -> std::uint64_t { return s.inputs; },
     "the request has {} inputs", "send them in several requests", kContent},
    {"input_characters", &LimitsPlugin::input_characters, Code::kInputTooLarge,
     [](const RequestShape& s) -> std::uint64_t { return s.largest_input_characters; }, "the largest input has {} characters",
     "split it", kContent},
    {"input_tokens", &LimitsPlugin::input_tokens, Code::kInputTooLarge,
     [](const RequestShape& s) -> std::uint64_t { return s.largest_input_tokens; }, "the largest input has {} tokens", "split it", kContent},
    {"dimensions", &LimitsPlugin::dimensions, Code::kTooManyDimensions, [](const RequestShape& s) -> std::uint64_t { return s.dimensions; },
     "the request asks for {} dimensions", "ask for fewer", "dimensions"},
};

/// The field in which an operation's texts and media stand.
std::string_view content_field(std::string_view operation) noexcept {
  return operation == "chat" ? "messages" : operation == "completions" ? "prompt" : "input";
}

tl::unexpected<Error> senseless(std::string message, std::string pointer) {
  return fail(Code::kInvalidConfiguration, std::move(message), std::move(pointer));
}

class Limits final : public Plugin {
 public:
  Limits(std::string name, LimitsPlugin settings) : name_(std::move(name)), settings_(std::move(settings)) {
    const bool shape = settings_.attachment_bytes || !settings_.attachment_types.empty() ||
                       std::any_of(std::begin(kBounds), std::end(kBounds), [&](const Bound& bound) { return settings_.*bound.limit; });
    if (shape) wants_ |= kWantsShape;
    if (settings_.request_bytes) wants_ |= kWantsRequest;
    if (settings_.response_bytes) wants_ |= kWantsDeltas | kWantsAttempts;
  }
  std::string_view name() const noexcept override { return name_; }
  Phase phase() const noexcept override { return Phase::kGuard; }
  Wants wants() const noexcept override { return wants_; }
  std::unique_ptr<PluginSession> open(const ExchangeView&) const override { return std::make_unique<Session>(*this); }

 private:
  class Session final : public PluginSession {
   public:
    explicit Session(const Limits& limits) : limits_(limits) {}

    Verdict on_request(RequestContext& context) override {
      Judgement judgement(limits_, context);
      limits_.judge(context.exchange(), judgement);
      return judgement.verdict();
    }
    Verdict on_attempt(AttemptContext&) override {
      bytes_ = 0;
      told_ = false;
      return Verdict::go_on();
    }
    Verdict on_delta(DeltaContext& context, Delta& delta) override {
      bytes_ += delta.text.size();
      if (bytes_ <= *limits_.settings_.response_bytes || std::exchange(told_, true)) return Verdict::go_on();
      context.report({.kind = "size.response_bytes", .where = "answer"});
      return Verdict::fail(limits_.error(Code::kAnswerTooLarge, "response_bytes", *limits_.settings_.response_bytes,
                                         fmt::format("the answer has {} bytes of text so far", bytes_),
                                         "ask for a shorter one, with max_tokens", {}));
    }

   private:
    const Limits& limits_;
    std::uint64_t bytes_ = 0;  // of the answer under way
    bool told_ = false;        // observed, an answer goes on; that it is too long is said once
  };

  /// What is found in one request: all of it reported, the first of it an error.
  class Judgement {
   public:
    Judgement(const Limits& limits, RequestContext& context) : limits_(limits), context_(context) {}
    void too_large(Code code, std::string_view name, std::uint64_t limit, std::string has, std::string_view remedy, std::string_view param) {
      found(limits_.error(code, name, limit, std::move(has), remedy, param), name);
    }
    void found(Error error, std::string_view name) {
      context_.report({.kind = "size." + std::string(name), .where = error.param});
      if (!first_) first_ = std::move(error);
    }
    [[nodiscard]] Verdict verdict() { return first_ ? Verdict::fail(*std::move(first_)) : Verdict::go_on(); }

   private:
    const Limits& limits_;
    RequestContext& context_;
    std::optional<Error> first_;
  };

  void judge(const ExchangeView& exchange, Judgement& judgement) const {
    if (settings_.request_bytes && exchange.body().size() > *settings_.request_bytes) {
      judgement.too_large(Code::kBodyTooLarge, "request_bytes", *settings_.request_bytes,
                          fmt::format("the body has {} bytes", exchange.body().size()), "send less", {});
    }
    if ((wants_ & kWantsShape) != kWantsShape) return;
    const RequestShape& shape = exchange.shape();
    const std::string_view content = content_field(exchange.operation());
    for (const Bound& bound : kBounds) {
      const auto& limit = settings_.*bound.limit;
      const std::uint64_t seen = bound.seen(shape);
      if (limit && seen > *limit) {
        judgement.too_large(bound.code, bound.name, *limit, fmt::format(fmt::runtime(bound.has), seen), bound.remedy,
                            bound.param == kContent ? content : bound.param);
      }
      if (bound.limit == &LimitsPlugin::attachments) judge_media(shape, content, judgement);
    }
  }

  /// The first attachment that is too large, and the first whose type is not listed.
  void judge_media(const RequestShape& shape, std::string_view content, Judgement& judgement) const {
    const auto& all = shape.attachments;
    if (settings_.attachment_bytes) {
      const auto large = std::find_if(all.begin(), all.end(), [&](const Attachment& a) { return a.bytes > *settings_.attachment_bytes; });
      if (large != all.end()) {
        judgement.too_large(Code::kAttachmentTooLarge, "attachment_bytes", *settings_.attachment_bytes,
                            fmt::format("attachment {} has {} bytes", large - all.begin() + 1, large->bytes), "send a smaller one", content);
      }
    }
    if (settings_.attachment_types.empty()) return;
    const auto strange = std::find_if(all.begin(), all.end(), [&](const Attachment& a) { return !listed(a.media_type); });
    if (strange == all.end()) return;
    judgement.found(make_error(Code::kAttachmentTypeNotAllowed,
                               fmt::format("attachment {} is of {}, and the limit `attachment_types` of plugin '{}' lists {}; send one of these",
                                           strange - all.begin() + 1,
                                           strange->media_type.empty() ? "no type that is said" : "type " + std::string(strange->media_type), name_,
                                           fmt::join(settings_.attachment_types, ", ")),
                               std::string(content)),
                    "attachment_types");
  }

  [[nodiscard]] bool listed(std::string_view type) const noexcept {
    return std::any_of(settings_.attachment_types.begin(), settings_.attachment_types.end(),
                       [&](const std::string& glob) { return base::glob_match(glob, type); });
  }

  [[nodiscard]] Error error(Code code, std::string_view name, std::uint64_t limit, std::string has, std::string_view remedy,
                            std::string_view param) const {
    return make_error(code, fmt::format("{}, and the limit `{}` of plugin '{}' is {}; {}", has, name, name_, limit, remedy), std::string(param));
  }

  const std::string name_;
  const LimitsPlugin settings_;  // its media types in lower case
  Wants wants_ = kWantsNothing;
};

/// What makes no sense: a bound that lets nothing through, and one that another makes idle.
Status judge(const LimitsPlugin& settings) {
  const std::pair<std::string_view, std::optional<std::uint64_t>> kAtLeastOne[] = {
      {"request_bytes", settings.request_bytes}, {"characters", settings.characters},   {"messages", settings.messages},
      {"parts", settings.parts},                 {"json_depth", settings.json_depth},   {"inputs", settings.inputs},
      {"input_characters", settings.input_characters}, {"response_bytes", settings.response_bytes}};
  for (const auto& [name, limit] : kAtLeastOne) {
    if (limit == 0u) return senseless(fmt::format("{} is 0, which would let nothing through; set 1 or more, or leave it out", name), fmt::format("/{}", name));
  }
  const bool none_come = settings.attachments == 0u;
  if (none_come && settings.attachment_bytes) {
    return senseless("attachment_bytes bounds attachments, and `attachments` is 0: none comes; leave one of them out", "/attachment_bytes");
  }
  if (none_come && !settings.attachment_types.empty()) {
    return senseless("attachment_types lists what may come, and `attachments` is 0: none comes; leave one of them out", "/attachment_types");
  }
  if (settings.input_characters && settings.characters && *settings.input_characters > *settings.characters) {
    return senseless(fmt::format("input_characters is {} and can never be reached: `characters`, of all inputs together, is {}; lower it, or leave it out",
                                 *settings.input_characters, *settings.characters),
                     "/input_characters");
  }
  return {};
}

/// A media type has a slash; a glob without one fits a type where it begins or ends in a star.
bool fits_some_type(std::string_view glob) noexcept {
  return glob.find('/') != std::string_view::npos || glob.find('*') != std::string_view::npos;
}

}  // namespace

Result<std::shared_ptr<const Plugin>> make_limits(std::string name, const LimitsPlugin& settings) {
  if (Status judged = judge(settings); !judged) return tl::unexpected(judged.error());
  LimitsPlugin kept = settings;
  for (std::size_t i = 0; i < kept.attachment_types.size(); ++i) {
    std::string& glob = kept.attachment_types[i];
    if (!fits_some_type(glob)) {
      return senseless(fmt::format("'{}' fits no media type; write it as in `image/png` or `image/*`", glob), fmt::format("/attachment_types/{}", i));
    }
    std::transform(glob.begin(), glob.end(), glob.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  }
  auto plugin = std::make_shared<const Limits>(std::move(name), std::move(kept));
  if (plugin->wants() == kWantsNothing) return senseless("no limit is set, so that the plugin would do nothing; set one, or take it out", "");
  return plugin;
}

}  // namespace sluice::plugins
