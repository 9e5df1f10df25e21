// Which model is asked for and who may serve it. What the caller says is read as one of four forms:
//
//   @provider/model   that provider, that model, nobody else       (pinned: no failover, not even inside the provider)
//   pool:alias        the route's targets with that alias          (each sends its own model)
//   auto              every target that has a model of its own     (each sends its own)
//   anything else     a model's name                               (the targets that serve it)
//
// and judged against two allow-lists, the route's and the consumer's; both must agree.

#include "policy/model_policy.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/glob.hpp"
#include "policy/words.hpp"

namespace sluice::policy {
namespace {

constexpr std::string_view kPoolPrefix = "pool:";

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
  return out;
}

bool same_alias(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool fits_one(std::span<const std::string> globs, std::string_view name) noexcept {
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) { return base::glob_match(glob, name); });
}

enum class Intent : std::uint8_t { kModel, kProvider, kPool, kAuto };

/// What the caller's text asks for.
struct Asked {
  Intent intent = Intent::kModel;
  std::string_view text = {};   // as said
  std::string_view scope = {};  // provider or alias
  std::string_view model = {};  // the native name: behind the first slash, or the text itself
};

Result<Asked> read_intent(std::string_view text, bool intents) {
  Asked asked{.text = text, .model = text};
  if (!intents) return asked;
  if (text.starts_with('@')) {
    const std::size_t slash = text.find('/');
    asked.intent = Intent::kProvider;
    asked.scope = text.substr(1, slash == std::string_view::npos ? slash : slash - 1);
    asked.model = slash == std::string_view::npos ? std::string_view{} : text.substr(slash + 1);
    if (asked.scope.empty() || asked.model.empty()) {
      return fail(Code::kInvalidModel, fmt::format("model {} is no intent; write @provider/model, both parts named", shown(text)), "model");
    }
  } else if (same_alias(text.substr(0, kPoolPrefix.size()), kPoolPrefix)) {
    asked.intent = Intent::kPool;
    asked.scope = text.substr(kPoolPrefix.size());
    asked.model = {};
    if (asked.scope.empty()) return fail(Code::kInvalidModel, fmt::format("model {} names no pool; write pool:alias", shown(text)), "model");
  } else if (text == "auto") {
    asked.intent = Intent::kAuto;
    asked.model = {};
  }
  return asked;
}

/// One decision in the making.
class Judge {
 public:
  explicit Judge(const ModelQuestion& question) : q_(question), route_(*question.route) {}

  Result<Decision> decide() {
    const ModelPolicy& policy = route_.models;
    if (!q_.present) {
      if (!policy.default_model.empty()) return choose_default(fmt::format("the request named no model; the route's default {} was used", shown(policy.default_model)));
      if (!policy.allow.empty()) return refuse("a request without a model", by_route() + "; name one of them");
      if (!q_.allowed_for_consumer.empty()) return refuse("a request without a model", by_consumer() + "; name one of them");
      return choose_any();
    }
    decision_.requested = q_.model;
    if (q_.model.empty()) {
      if (!policy.allow.empty()) return refuse("the empty model name", by_route());
      if (!q_.allowed_for_consumer.empty()) return refuse("the empty model name", by_consumer());
      return choose_any();
    }
    const auto asked = read_intent(q_.model, policy.intents);
    if (!asked) return tl::unexpected(asked.error());
    route_list_ = policy.allow;
    auto chosen = choose(*asked);
    if (chosen || !denied_by_list_ || !policy.substitute || policy.default_model.empty()) return chosen;
    decision_ = Decision{};
    decision_.requested = q_.model;
    return choose_default(fmt::format("model {} is not allowed; the route's default {} was used", shown(q_.model), shown(policy.default_model)));
  }

 private:
  /// The model a target sends where the caller leaves the choice to it; empty = it has none.
  [[nodiscard]] const std::string& own_model(std::size_t target) const {
    const std::string& renamed = route_.upstreams[target].model;
    return renamed.empty() ? q_.upstreams[target]->default_model : renamed;
  }
  [[nodiscard]] bool serves(std::size_t target, std::string_view model) const {
    const std::vector<std::string>& models = q_.upstreams[target]->models;
    return models.empty() || fits_one(models, model);
  }

  [[nodiscard]] std::string by_route() const { return fmt::format("route {} allows {}", shown(route_.name), shown(route_.models.allow)); }
  [[nodiscard]] std::string by_consumer() const {
    return fmt::format("the consumer's groups allow {}", shown(q_.allowed_for_consumer));
  }
  [[nodiscard]] tl::unexpected<Error> refuse(std::string_view what, std::string_view rule) const {
    return fail(Code::kModelNotAllowed, fmt::format("{} is not allowed: {}", what, rule), "model");
  }

  /// The list knows the text as it was said (an alias in whatever case), or the native name it comes down to.
  [[nodiscard]] static bool listed(std::span<const std::string> list, const Asked& asked, std::string_view model) {
    if (list.empty() || fits_one(list, asked.text) || (!model.empty() && fits_one(list, model))) return true;
    if (asked.intent != Intent::kPool) return false;
    const std::string folded = lower(asked.text);
    return std::any_of(list.begin(), list.end(), [&](const std::string& glob) { return base::glob_match(lower(glob), folded); });
  }
  [[nodiscard]] bool allowed(const Asked& asked, std::string_view model) const {
    return listed(route_list_, asked, model) && listed(q_.allowed_for_consumer, asked, model);
  }
  [[nodiscard]] tl::unexpected<Error> refuse_by_list(const Asked& asked, std::string_view model) {
    denied_by_list_ = true;
    return refuse("model " + shown(asked.text), listed(route_list_, asked, model) ? by_consumer() : by_route());
  }

  /// Without anything said about models: every target, each sending its own name, or what the request says.
  Result<Decision> choose_any() {
    for (std::size_t i = 0; i < route_.upstreams.size(); ++i) {
      decision_.choices.push_back({i, route_.upstreams[i].model, "no model policy"});
    }
    return finish();
  }

  /// The operator's own word: the route's list, if any, does not judge it; the consumer's does.
  Result<Decision> choose_default(std::string note) {
    decision_.note = std::move(note);
    by_default_ = true;
    route_list_ = {};
    const auto asked = read_intent(route_.models.default_model, route_.models.intents);
    if (!asked) return tl::unexpected(asked.error());
    return choose(*asked);
  }

  Result<Decision> choose(const Asked& asked) {
    switch (asked.intent) {
      case Intent::kModel: return choose_model(asked);
      case Intent::kProvider: return choose_provider(asked);
      case Intent::kPool: return choose_pool(asked);
      case Intent::kAuto: return choose_own(asked, "auto", [](std::size_t) { return true; });
    }
    return finish();
  }

  Result<Decision> choose_model(const Asked& asked) {
    if (!allowed(asked, asked.model)) return refuse_by_list(asked, asked.model);
    for (std::size_t i = 0; i < route_.upstreams.size(); ++i) {
      const std::string& renamed = route_.upstreams[i].model;
      if (renamed.empty() && !serves(i, asked.model)) continue;
      // A name that stays is left out: the bytes that carry it are not touched.
      const bool stays = !by_default_ && (renamed.empty() || renamed == asked.model);
      std::string sent = stays ? std::string() : renamed.empty() ? std::string(asked.model) : renamed;
      std::string why = "serves " + shown(asked.model);
      if (!renamed.empty() && renamed != asked.model) why += " as " + shown(renamed);
      decision_.choices.push_back({i, std::move(sent), std::move(why)});
    }
    if (!decision_.choices.empty()) return finish();
    return refuse("model " + shown(asked.text), fmt::format("no upstream of route {} serves it", shown(route_.name)));
  }

  Result<Decision> choose_provider(const Asked& asked) {
    // An upstream's own name goes before the id of a provider, which several upstreams may share.
    const auto on_route = [&](auto member) {
      return std::any_of(q_.upstreams.begin(), q_.upstreams.end(), [&](const Upstream* upstream) { return upstream->*member == asked.scope; });
    };
    const auto name = on_route(&Upstream::name) ? &Upstream::name : &Upstream::provider;
    if (!on_route(name)) {
      return refuse("model " + shown(asked.text), fmt::format("route {} has no provider {}", shown(route_.name), shown(asked.scope)));
    }
    if (!allowed(asked, asked.model)) return refuse_by_list(asked, asked.model);
    for (std::size_t i = 0; i < route_.upstreams.size(); ++i) {
      if (q_.upstreams[i]->*name != asked.scope) continue;
      if (route_.upstreams[i].model != asked.model && !serves(i, asked.model)) continue;
      decision_.pinned = true;
      decision_.choices.push_back({i, std::string(asked.model), fmt::format("intent {}", shown(asked.text))});
      return finish();
    }
    return refuse("model " + shown(asked.text), fmt::format("provider {} does not serve {} on route {}", shown(asked.scope), shown(asked.model), shown(route_.name)));
  }

  Result<Decision> choose_pool(const Asked& asked) {
    const auto is_member = [&](std::size_t i) {
      const std::vector<std::string>& pools = route_.upstreams[i].pools;
      return std::any_of(pools.begin(), pools.end(), [&](const std::string& pool) { return same_alias(pool, asked.scope); });
    };
    for (std::size_t i = 0; i < route_.upstreams.size(); ++i) {
      if (is_member(i)) return choose_own(asked, fmt::format("member of pool {}", shown(asked.scope)), is_member);
    }
    return fail(Code::kInvalidModel, fmt::format("route {} has no pool {}", shown(route_.name), shown(asked.scope)), "model");
  }

  /// The targets that are wanted, have a model of their own, and may be asked for it.
  template <typename Wanted>
  Result<Decision> choose_own(const Asked& asked, std::string_view why, Wanted&& wanted) {
    std::optional<std::string_view> denied;
    for (std::size_t i = 0; i < route_.upstreams.size(); ++i) {
      const std::string& model = own_model(i);
      if (!wanted(i) || model.empty()) continue;
      if (!allowed(asked, model)) {
        denied = denied.value_or(model);
        continue;
      }
      decision_.choices.push_back({i, model, fmt::format("{}, with its own model {}", why, shown(model))});
    }
    if (!decision_.choices.empty()) return finish();
    if (denied) return refuse_by_list(asked, *denied);
    return fail(Code::kInvalidModel, fmt::format("{} names no model: no upstream it means on route {} has one of its own; name a model",
                                                 shown(asked.text), shown(route_.name)), "model");
  }

  Result<Decision> finish() { return std::move(decision_); }

  const ModelQuestion& q_;
  const Route& route_;
  std::span<const std::string> route_list_;  // empty = judges nothing
  Decision decision_;
  bool by_default_ = false;      // the name is ours, not the request's: it must be written
  bool denied_by_list_ = false;  // an allow-list said no, which a substitute can mend
};

}  // namespace

Result<Decision> decide_model(const ModelQuestion& question) { return Judge(question).decide(); }

}  // namespace sluice::policy
