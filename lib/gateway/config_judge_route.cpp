// The judge of routes: names, models, pools, and what an opaque route or a security upstream rules out. Patterns are
// the matcher's to judge; it is asked, and its lines become problems of the document.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/glob.hpp"
#include "dialect/dialect.hpp"
#include "dialect/providers.hpp"
#include "dialect/rest.hpp"
#include "gateway/config_judge.hpp"
#include "gateway/config_reader.hpp"
#include "policy/match.hpp"

namespace sluice::gateway::config {

namespace {

/// `pool:Fast` and `pool:fast` are one pool.
std::string folded(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

class RouteJudge {
 public:
  RouteJudge(Findings& findings, std::size_t index)
      : findings_(findings), route_(findings.config().routes[index]), here_(at("routes", index)) {}

  void run() {
    judge_consumers();
    judge_header_names();
    judge_targets();
    judge_models();
    judge_keep_alive();
    if (route_.operation == RouteOperation::kOpaque) judge_opaque();
    judge_security();
    judge_operation();
    judge_rewrite(findings_, here_ + "/rewrite", route_);
    judge_header_edits(findings_, here_ + "/request_headers", route_.request_headers, true);
    judge_header_edits(findings_, here_ + "/response_headers", route_.response_headers, false);
    judge_forwarded();
    judge_body_edits(findings_, here_ + "/body", route_.body);
    judge_balance(findings_, here_, route_);
  }

 private:
  void add(std::string_view key, std::string message) {
    findings_.add(here_ + "/" + std::string(key), std::move(message));
  }
  [[nodiscard]] std::string target(std::size_t i, std::string_view key = {}) const {
    return at(here_.substr(1) + "/upstreams", i, key);
  }

  void judge_consumers() {
    const auto& named = route_.match.consumers;
    for (std::size_t i = 0; i < named.size(); ++i)
      findings_.need_name(here_ + at("match/consumer", i), "consumer", named[i], findings_.consumers);
    std::vector<std::string_view> admitted = findings_.consumers;
    admitted.insert(admitted.end(), findings_.groups.begin(), findings_.groups.end());
    for (std::size_t i = 0; i < route_.admit.size(); ++i)
      findings_.need_name(here_ + at("admit", i), "consumer or group", route_.admit[i], admitted);
  }

  void judge_header_names() {
    std::map<std::string, std::string> seen;
    for (const HeaderMatch& rule : route_.match.headers) {
      const std::string here = below(here_ + "/match/headers", rule.name);
      if (is_annotation(rule.name))
        findings_.add(here, shown(rule.name) + " is a comment in a document, not a header field name");
      if (rule.op == HeaderMatch::Op::kExact && !is_header_value(rule.value))
        findings_.add(here, "no header field can hold this value");
      const auto [first, fresh] = seen.emplace(folded(rule.name), rule.name);
      if (!fresh)
        findings_.add(here, "tests the same field as " + shown(first->second) + "; case does not count in field names");
    }
  }

  void judge_targets() {
    std::map<std::pair<std::string_view, std::string_view>, std::size_t> seen;
    for (std::size_t i = 0; i < route_.upstreams.size(); ++i) {
      const Target& one = route_.upstreams[i];
      findings_.need_name(target(i, "name"), "upstream", one.upstream, findings_.upstreams);
      const auto [first, fresh] =
          seen.emplace(std::pair(std::string_view(one.upstream), std::string_view(one.model)), i);
      if (!fresh && !one.upstream.empty())
        findings_.add(target(i), fmt::format("the same upstream and model stand at {} already", target(first->second)));
      const Upstream* upstream = findings_.upstream(one.upstream);
      if (!one.model.empty()) {
        if (base::is_glob(one.model))
          findings_.add(target(i, "model"), "must be one model, not a pattern (is " + shown(one.model) + ")");
        else if (upstream != nullptr && !fits_any(upstream->models, one.model)) {
          findings_.add(target(i, "model"), fmt::format("{} fits none of the \"models\" of upstream {}",
                                                        shown(one.model), shown(one.upstream)));
        }
      }
      if (!one.pools.empty()) judge_pools(i, upstream);
    }
  }

  void judge_pools(std::size_t i, const Upstream* upstream) {
    const Target& one = route_.upstreams[i];
    if (!route_.models.intents)
      findings_.add(target(i, "pools"),
                    "has no effect: \"models\" switches \"intents\" off, so nobody can ask for a pool");
    if (one.model.empty() && upstream != nullptr && upstream->default_model.empty() &&
        upstream->mode == UpstreamMode::kEmbedded) {
      findings_.add(target(i, "pools"), fmt::format("a caller who asks for a pool names no model: give this entry a "
                                                    "\"model\", or upstream {} a \"default_model\"",
                                                    shown(one.upstream)));
    }
    std::set<std::string> seen;
    for (std::size_t p = 0; p < one.pools.size(); ++p) {
      if (!seen.insert(folded(one.pools[p])).second)
        findings_.add(below(target(i), "pools", p),
                      "stands there twice (" + shown(one.pools[p]) + "); case does not count");
    }
  }

  void judge_models() {
    const ModelPolicy& models = route_.models;
    if (!models.default_model.empty()) {
      if (base::is_glob(models.default_model))
        add("models/default", "must be one model, not a pattern (is " + shown(models.default_model) + ")");
      else if (!fits_any(models.allow, models.default_model))
        add("models/default", shown(models.default_model) + " fits none of \"allow\"");
    }
    if (!models.substitute) return;
    if (models.default_model.empty()) add("models/substitute", "needs \"default\": the model to put in its place");
    if (models.allow.empty()) add("models/substitute", "has no effect: without \"allow\" every model is allowed");
  }

  [[nodiscard]] bool edits_body() const { return !route_.body.set.empty() || !route_.body.remove.empty(); }
  [[nodiscard]] bool has_tool_rules() const {
    const ToolMatch& tools = route_.match.tools;
    return !tools.offered.empty() || !tools.forced.empty() || !tools.last_called.empty();
  }

  void judge_opaque() {
    const auto refuse = [this](std::string_view key, bool set) {
      if (set) add(key, "cannot be honoured: operation \"opaque\" never looks into the body");
    };
    const Match& match = route_.match;
    refuse("match/model", !match.models.empty());
    refuse("match/body", !match.body.empty());
    refuse("match/prompt", !match.prompt.empty());
    refuse("match/tools", has_tool_rules());
    refuse("match/stream", match.stream.has_value());
    refuse("models/allow", !route_.models.allow.empty());
    refuse("models/default", !route_.models.default_model.empty());
    refuse("body", edits_body());
    refuse("stream_keep_alive_ms", route_.stream_keep_alive.count() != 0);
    for (std::size_t i = 0; i < route_.upstreams.size(); ++i) {
      refuse(fmt::format("upstreams/{}/model", i), !route_.upstreams[i].model.empty());
      refuse(fmt::format("upstreams/{}/pools", i), !route_.upstreams[i].pools.empty());
    }
  }

  void judge_keep_alive() {
    if (route_.stream_keep_alive.count() != 0 && route_.match.stream == false)
      add("stream_keep_alive_ms", "has no effect: \"match\" takes no streamed answers");
  }

  void judge_security() {
    const auto is_security = [this](const Target& one) { return findings_.is_security(one); };
    const auto found = std::find_if(route_.upstreams.begin(), route_.upstreams.end(), is_security);
    if (found == route_.upstreams.end()) return;
    const std::string who = fmt::format("upstream {} is in mode \"security\"", shown(found->upstream));
    const auto refuse = [&](std::string_view key, bool set) {
      if (set) add(key, "cannot be honoured: " + who + ", requests pass byte for byte");
    };
    if (route_.upstreams.size() > 1)
      add("upstreams", who + ", which does its own routing: it must be the route's only one");
    refuse("body", edits_body());
    refuse("stream_keep_alive_ms", route_.stream_keep_alive.count() != 0);
    refuse("models/default", !route_.models.default_model.empty());
    for (std::size_t i = 0; i < route_.upstreams.size(); ++i) {
      if (!is_security(route_.upstreams[i])) continue;
      refuse(fmt::format("upstreams/{}/model", i), !route_.upstreams[i].model.empty());
      refuse(fmt::format("upstreams/{}/pools", i), !route_.upstreams[i].pools.empty());
    }
  }

  /// A path that names an operation: every upstream must have it, whatever dialect it is asked in.
  void judge_operation() {
    const std::string& path = route_.match.path;
    if (route_.operation == RouteOperation::kOpaque || path.empty() || path.find_first_of("*{") != std::string::npos) return;
    dialect::Recognised meant;
    const std::string_view method = route_.match.methods.empty() ? std::string_view("POST") : std::string_view(route_.match.methods.front());
    const dialect::Dialect* spoken = dialect::recognise(method, path, {}, {}, meant);
    if (spoken == nullptr) return;
    for (std::size_t i = 0; i < route_.upstreams.size(); ++i) {
      const Upstream* upstream = findings_.upstream(route_.upstreams[i].upstream);
      const dialect::Provider* provider = upstream == nullptr ? nullptr : dialect::find_provider(upstream->provider);
      if (provider == nullptr || upstream->mode == UpstreamMode::kSecurity) continue;
      const std::string_view speaks = upstream->dialect.empty() ? provider->dialect : std::string_view(upstream->dialect);
      const auto made = speaks == dialect::kRest ? dialect::make_rest_dialect(provider->name, dialect::surface_of(provider->name, upstream->rest))
                                                 : Result<std::shared_ptr<const dialect::Dialect>>(nullptr);
      if (!made) continue;  // its upstream is told what is wrong
      const dialect::Dialect* target = *made ? made->get() : dialect::find_dialect(speaks);
      if (target == nullptr || target == spoken || target->serves(meant.operation)) continue;
      findings_.add(this->target(i), fmt::format("cannot be honoured: upstream {} speaks {}, which has no operation {}",
                                                   shown(upstream->name), target->name(), to_string(meant.operation)));
    }
  }

  void judge_forwarded() {
    for (std::size_t i = 0; i < route_.forward_headers.size(); ++i) {
      std::string name = route_.forward_headers[i];
      std::replace(name.begin(), name.end(), '?', 'x');  // the one wildcard that is no token character
      if (!is_header_name(name))
        findings_.add(here_ + at("forward_headers", i),
                      shown(route_.forward_headers[i]) + " is no header field name or glob of such");
    }
  }

  Findings& findings_;
  const Route& route_;
  std::string here_;
};

/// What the matcher says, a line each: `/routes/3/match/headers/x-team/regex: why`. What is known already is not said twice.
void judge_patterns(Findings& findings) {
  const auto& routes = findings.config().routes;
  const auto compiled = policy::Matcher::compile(routes);
  if (compiled) return;
  const std::string& lines = compiled.error().message;
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', begin), lines.size());
    const std::string line = lines.substr(begin, end - begin);
    const std::size_t colon = line.starts_with('/') ? line.find(": ") : std::string::npos;
    std::string pointer = colon == std::string::npos ? "/routes" : line.substr(0, colon);
    if (!line.empty() && !findings.said(pointer))
      findings.add(std::move(pointer), colon == std::string::npos ? line : line.substr(colon + 2));
    begin = end + 1;
  }
}

}  // namespace

void judge_routes(Findings& findings, bool whole) {
  const auto& routes = findings.config().routes;
  for (std::size_t i = 0; i < routes.size(); ++i) RouteJudge(findings, i).run();
  judge_patterns(findings);
  if (!whole) return;
  for (const auto& [later, earlier] : policy::shadowed(routes)) {
    findings.add(
        at("routes", later),
        fmt::format(
            "route {} is never reached: route {} ({}) takes every request it would; put it first, or narrow the other",
            shown(routes[later].name), shown(routes[earlier].name), at("routes", earlier)));
  }
}

}  // namespace sluice::gateway::config
