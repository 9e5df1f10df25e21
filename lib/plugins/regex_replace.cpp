// `regex_replace`: the texts of an exchange, each through all rules.

#include "plugins/regex_replace.hpp"

#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "plugins/replace_stream.hpp"
#include "policy/replace_rule.hpp"

namespace sluice::plugins {
namespace {

using Rules = std::vector<policy::ReplaceRule>;

/// One text on its way through all rules.
class Replacer {
 public:
  explicit Replacer(const Rules& rules) {
    stages_.reserve(rules.size());
    for (const policy::ReplaceRule& rule : rules) stages_.emplace_back(rule);
    told_.resize(rules.size());
  }

  /// What comes out for `text`, and with `ended` all the rest.
  std::string through(std::string text, bool ended) {
    for (ReplaceStream& stage : stages_) {
      std::string out;
      stage.take(text, out);
      if (ended) stage.end(out);
      text = std::move(out);
    }
    return text;
  }

  /// Reports what has fitted for the first time.
  void report(HookContext& context, const std::string& where) {
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      if (told_[i] || !stages_[i].fitted()) continue;
      told_[i] = true;
      context.report({.kind = fmt::format("rule.{}", i), .where = where});
    }
  }

 private:
  std::vector<ReplaceStream> stages_;
  std::vector<bool> told_;
};

std::string place_of(Channel channel) { return "answer." + std::string(to_string(channel)); }

class RegexReplace final : public Plugin {
 public:
  RegexReplace(std::string name, Rules rules, Wants wants) : name_(std::move(name)), rules_(std::move(rules)), wants_(wants) {}
  std::string_view name() const noexcept override { return name_; }
  Phase phase() const noexcept override { return Phase::kTransform; }
  Wants wants() const noexcept override { return wants_; }
  std::unique_ptr<PluginSession> open(const ExchangeView&) const override { return std::make_unique<Session>(*this); }

 private:
  class Session final : public PluginSession {
   public:
    explicit Session(const RegexReplace& plugin) : plugin_(plugin) {}

    Verdict on_request(RequestContext& context) override {
      std::vector<std::pair<std::size_t, std::string>> changed;  // told when all are read: a change makes another prompt
      const auto prompt = context.exchange().prompt();
      for (std::size_t i = 0; i < prompt.size(); ++i) {
        Replacer replacer(plugin_.rules_);
        std::string text = replacer.through(std::string(prompt[i].text), true);
        replacer.report(context, fmt::format("prompt[{}]", i));
        if (text != prompt[i].text) changed.emplace_back(i, std::move(text));
      }
      for (const auto& [part, text] : changed) {
        if (const Status set = context.set_prompt_text(part, text); !set) {
          return Verdict::fail(make_error(Code::kPluginError, fmt::format("plugin '{}' cannot change the prompt: {}", plugin_.name_, set.error().message)));
        }
      }
      return Verdict::go_on();
    }

    /// What was held back belongs to an answer that reached nobody.
    Verdict on_attempt(AttemptContext&) override {
      texts_.clear();
      index_.clear();
      return Verdict::go_on();
    }

    Verdict on_delta(DeltaContext& context, Delta& delta) override {
      if (delta.channel == Channel::kToolArguments) return Verdict::go_on();
      Text& text = text_of(delta);
      delta.text = text.replacer.through(std::move(delta.text), false);
      text.replacer.report(context, place_of(delta.channel));
      return Verdict::go_on();
    }

    Verdict on_answer_end(AnswerEndContext& context) override {
      for (Text& text : texts_) {
        std::string rest = text.replacer.through({}, true);
        text.replacer.report(context, place_of(text.channel));
        if (!rest.empty()) context.emit({.choice = text.choice, .channel = text.channel, .text = std::move(rest)});
      }
      return Verdict::go_on();
    }

   private:
    struct Text {
      std::uint32_t choice;
      Channel channel;
      Replacer replacer;
    };

    Text& text_of(const Delta& delta) {
      const auto [found, fresh] = index_.try_emplace({delta.choice, delta.channel}, texts_.size());
      if (fresh) texts_.push_back({delta.choice, delta.channel, Replacer(plugin_.rules_)});
      return texts_[found->second];
    }

    const RegexReplace& plugin_;
    std::vector<Text> texts_;  // as they began
    std::map<std::pair<std::uint32_t, Channel>, std::size_t> index_;
  };

  const std::string name_;
  const Rules rules_;
  const Wants wants_;
};

}  // namespace

Result<std::shared_ptr<const Plugin>> make_regex_replace(std::string name, const RegexReplacePlugin& settings) {
  if (settings.rules.empty()) return fail(Code::kInvalidConfiguration, "needs at least one rule", "/rules");
  if (!settings.request && !settings.response) {
    return fail(Code::kInvalidConfiguration, "replaces nothing; set \"request\", \"response\" or both to true");
  }
  if (settings.max_match_bytes == 0 || settings.max_match_bytes > kMostMatchBytes) {
    return fail(Code::kInvalidConfiguration, fmt::format("must be from 1 to {} (is {})", kMostMatchBytes, settings.max_match_bytes), "/max_match_bytes");
  }
  Rules rules;
  for (std::size_t i = 0; i < settings.rules.size(); ++i) {
    auto rule = policy::ReplaceRule::compile(settings.rules[i].pattern, settings.rules[i].replacement, settings.max_match_bytes);
    if (!rule) {
      Error error = std::move(rule.error());
      error.param = fmt::format("/rules/{}/{}", i, error.param);
      return tl::unexpected(std::move(error));
    }
    rules.push_back(std::move(*rule));
  }
  Wants wants = kWantsNothing;
  if (settings.request) wants |= kWantsPrompt | kWantsRequestEdits;
  if (settings.response) wants |= kWantsDeltaEdits | kWantsAttempts;
  return std::make_shared<const RegexReplace>(std::move(name), std::move(rules), wants);
}

}  // namespace sluice::plugins
