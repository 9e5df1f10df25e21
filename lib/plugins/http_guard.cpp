// `http_guard`: one question, one answer, one verdict.

#include "plugins/http_guard.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "json/document.hpp"
#include "json/writer.hpp"
#include "policy/content_rules.hpp"
#include "policy/words.hpp"

namespace sluice::plugins {
namespace {

using namespace std::chrono_literals;
using policy::shown;

constexpr auto kNoBound = std::chrono::milliseconds(24h);  // the exchange's own deadline is sooner
constexpr json::Limits kAnswerLimits{.depth = 64, .values = 100'000};

/// What a call needs when its answer comes: it may come when the plugin is out of every snapshot.
struct Guard {
  std::string name;
  HttpGuardPlugin settings;
  policy::BodyRule refuse_if;
  CallBounds bounds;
};

std::string_view role_name(PromptPart::Role role) noexcept {
  switch (role) {
    case PromptPart::Role::kSystem: return "system";
    case PromptPart::Role::kUser: return "user";
    case PromptPart::Role::kAssistant: return "assistant";
    case PromptPart::Role::kTool: return "tool";
  }
  return "user";
}

std::string question(const ExchangeView& exchange, HttpGuardPlugin::Text text) {
  std::string out;
  json::Writer json(out);
  json.begin_object();
  json.field("exchange", exchange.id()).field("route", exchange.route()).field("consumer", exchange.consumer());
  json.field("model", exchange.model()).key("text").begin_array();
  for (const PromptPart& part : exchange.prompt()) {
    if (text == HttpGuardPlugin::Text::kLastUser && !part.last_user) continue;
    json.begin_object().field("role", role_name(part.role)).field("text", part.text).end_object();
  }
  json.end_array().end_object();
  return out;
}

Verdict fails(const Guard& guard, std::string_view what, int http_status = 500) {
  Error error = make_error(Code::kPluginError, fmt::format("plugin '{}': its guard '{}' {}", guard.name, guard.settings.upstream, what));
  error.http_status = http_status;
  return Verdict::fail(std::move(error));
}

Verdict is_away(const Guard& guard, std::string_view what) { return fails(guard, what, 502); }

/// A guard that keeps the gateway out has judged nothing, and no fail mode may take that for a yes.
Verdict is_locked(const Guard& guard, int status) {
  Error error = make_error(Code::kUpstreamCredential, fmt::format("plugin '{}': its guard '{}' refuses the gateway's own credential with status {}",
                                                                  guard.name, guard.settings.upstream, status));
  error.origin = Origin::kPlugin;
  return Verdict::fail(std::move(error));
}

Verdict refusal(const Guard& guard) {
  std::string message = guard.settings.message;
  if (message.empty()) message = fmt::format("plugin '{}' does not let this request pass; change what it asks for", guard.name);
  Error error = make_error(Code::kInvalidRequest, std::move(message));
  error.http_status = guard.settings.status;
  return Verdict::fail(std::move(error));
}

/// Whether a call that brought no answer met nobody: at fault is then the way to the guard, or the guard.
bool met_nobody(Code code) noexcept {
  switch (code) {
    case Code::kPluginError:             // the gateway has no such upstream
    case Code::kUpstreamAnswerTooLarge:  // somebody is there, and says too much
    case Code::kUpstreamDecodedTooLarge:
    case Code::kUpstreamHeadTooLarge:
    case Code::kInvalidRequest:
    case Code::kInvalidHeader:
    case Code::kAddressRefused:          // the gateway's own rules keep it from asking
    case Code::kAddressNotAllowed: return false;
    default: return true;
  }
}

Verdict judge(const Guard& guard, Result<CallAnswer> answer) {
  if (!answer) {
    const std::string what = fmt::format("gave no answer ({})", to_string(answer.error().code));
    return met_nobody(answer.error().code) ? is_away(guard, what) : fails(guard, what);
  }
  const int status = answer->status;
  if (status == 401 || status == 403) return is_locked(guard, status);
  if (status == 429 || status >= 500) return is_away(guard, fmt::format("answered with status {}", status));
  if (status < 200 || status > 299) return fails(guard, fmt::format("answered with status {}", status));
  const auto document = json::Document::parse(Body::from(std::move(answer->body)), kAnswerLimits);
  if (!document) return fails(guard, fmt::format("answered with no JSON it could be judged by ({})", to_string(document.error().code)));
  const Result<bool> refuse = guard.refuse_if.holds(*document);
  if (!refuse) return fails(guard, fmt::format("answered with JSON whose {} is not clear ({})", shown(guard.settings.refuse_if.pointer), to_string(refuse.error().code)));
  return *refuse ? refusal(guard) : Verdict::go_on();
}

class HttpGuard final : public Plugin {
 public:
  explicit HttpGuard(std::shared_ptr<const Guard> guard) : guard_(std::move(guard)) {}
  std::string_view name() const noexcept override { return guard_->name; }
  Phase phase() const noexcept override { return Phase::kGuard; }
  Wants wants() const noexcept override { return kWantsPrompt; }
  std::unique_ptr<PluginSession> open(const ExchangeView&) const override { return std::make_unique<Session>(guard_); }

 private:
  class Session final : public PluginSession {
   public:
    explicit Session(std::shared_ptr<const Guard> guard) : guard_(std::move(guard)) {}

    Verdict on_request(RequestContext& context) override {
      Request request = Request::post(guard_->settings.path, question(context.exchange(), guard_->settings.text));
      // Nothing of this session is in it: it may be gone when the answer comes, and a verdict that is late does nothing.
      auto done = [guard = guard_, resumer = context.resumer()](Result<CallAnswer> answer) { resumer.resume(judge(*guard, std::move(answer))); };
      context.call(guard_->settings.upstream, std::move(request), guard_->bounds, std::move(done));
      return Verdict::suspend();
    }

   private:
    const std::shared_ptr<const Guard> guard_;
  };

  const std::shared_ptr<const Guard> guard_;
};

/// Origin-form, percent-encoded: a path, and a query if need be.
bool is_target(std::string_view text) noexcept {
  return text.starts_with('/') && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f' && c != '#'; });
}

}  // namespace

Result<std::shared_ptr<const Plugin>> make_http_guard(std::string name, const HttpGuardPlugin& settings, std::chrono::milliseconds timeout) {
  if (settings.upstream.empty()) return fail(Code::kInvalidConfiguration, "must name an upstream of the gateway", "/upstream");
  if (!is_target(settings.path)) {
    return fail(Code::kInvalidConfiguration, "must be a path that begins with '/', percent-encoded (is " + shown(settings.path) + ")", "/path");
  }
  if (settings.status < 400 || settings.status > 599) {
    return fail(Code::kInvalidConfiguration, fmt::format("must be a status that refuses, from 400 to 599 (is {})", settings.status), "/status");
  }
  auto rule = policy::BodyRule::compile(settings.refuse_if);
  if (!rule) {
    Error error = std::move(rule.error());
    error.param = error.param.empty() ? "/refuse_if" : "/refuse_if/" + error.param;
    return tl::unexpected(std::move(error));
  }
  CallBounds bounds{.timeout = kNoBound, .answer_bytes = kGuardAnswerBytes};
  if (timeout > 0ms) bounds.timeout = std::max(timeout - 1ms, 1ms);
  return std::make_shared<const HttpGuard>(
      std::make_shared<const Guard>(Guard{std::move(name), settings, std::move(*rule), bounds}));
}

}  // namespace sluice::plugins
