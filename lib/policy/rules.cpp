// The match of one route, compiled. hold() asks what is cheap and known on the head first; the order is the same in
// words (explain) as on the hot path, because it is the same function.

#include "policy/rules.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/glob.hpp"
#include "http/target.hpp"
#include "policy/content_rules.hpp"
#include "policy/words.hpp"

namespace sluice::policy {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Fills in why a condition failed, where somebody wants to know; words cost nothing otherwise.
template <typename Words>
bool miss(Look& look, Words&& words) {
  if (look.why) *look.why = words();
  return false;
}

/// The step of a JSON Pointer to one condition: header rules are an object by name, the others a list.
std::string step(const HeaderMatch& match, std::size_t) {
  std::string out = "/";
  for (const char c : match.name) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

template <typename T>
std::string step(const T&, std::size_t i) {
  return fmt::format("/{}", i);
}

/// A bit for each method everybody uses, so that they are compared without touching a text; 0 for the others.
std::uint16_t method_bit(std::string_view method) noexcept {
  constexpr std::string_view kCommon[] = {"POST", "GET", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"};
  for (std::size_t i = 0; i < std::size(kCommon); ++i) {
    if (method == kCommon[i]) return static_cast<std::uint16_t>(1u << i);
  }
  return 0;
}

bool any_fits(const NameSet& names, const std::vector<std::string_view>& said) noexcept {
  return std::any_of(said.begin(), said.end(), [&](std::string_view name) { return names.contains(name); });
}

}  // namespace

NameSet::NameSet(const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) (base::is_glob(pattern) ? globs_ : exact_).push_back(pattern);
  std::sort(exact_.begin(), exact_.end());
}

bool NameSet::contains(std::string_view name) const noexcept {
  if (std::binary_search(exact_.begin(), exact_.end(), name, std::less<>{})) return true;
  return std::any_of(globs_.begin(), globs_.end(), [&](const std::string& glob) { return base::glob_match(glob, name); });
}

void Problems::add(std::string_view pointer, std::string_view what) { lines.push_back(fmt::format("{}: {}", pointer, what)); }

std::string_view bare_host(std::string_view host) noexcept {
  return host.size() > 2 && host.front() == '[' && host.back() == ']' ? host.substr(1, host.size() - 2) : host;
}

bool host_matches(std::string_view pattern, std::string_view host) noexcept {
  if (!pattern.starts_with("*.")) return pattern == host;
  const std::size_t dot = host.find('.');
  return dot != std::string_view::npos && dot > 0 && host.substr(dot) == pattern.substr(1);
}

Result<std::string> compile_host(std::string_view text) {
  std::string host(bare_host(text));
  std::transform(host.begin(), host.end(), host.begin(), lower);
  const bool wildcard = host.starts_with("*.");
  const std::string_view name = wildcard ? std::string_view(host).substr(2) : std::string_view(host);
  if (name.empty()) return fail(Code::kInvalidConfiguration, fmt::format("{} names no host", shown(text)));
  if (name.find('*') != std::string_view::npos) {
    return fail(Code::kInvalidConfiguration, fmt::format("{}: '*' stands for the first label alone: *.example.com", shown(text)));
  }
  const bool ipv6 = std::count(name.begin(), name.end(), ':') > 1;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    if (letter || (ipv6 && c == ':')) continue;
    return fail(Code::kInvalidConfiguration, fmt::format("{} is no host name; it has no scheme, port or path", shown(text)));
  }
  if (name.front() == '.' || name.back() == '.' || name.find("..") != std::string_view::npos) {
    return fail(Code::kInvalidConfiguration, fmt::format("{} has an empty label", shown(text)));
  }
  return host;
}

struct Rules::Content {
  std::vector<HeaderRule> headers;
  NameSet offered, forced, last_called;
  ToolMatch tools;  // as configured, for words
  std::vector<BodyRule> body;
  std::vector<PromptRule> prompt;
};

Rules::Rules() = default;
Rules::Rules(Rules&&) noexcept = default;
Rules& Rules::operator=(Rules&&) noexcept = default;
Rules::~Rules() = default;

Rules Rules::compile(const Route& route, const std::string& pointer, Problems& problems) {
  const Match& match = route.match;
  const std::string at = pointer + "/match/";
  Rules rules;
  if (!match.path.empty()) {
    auto path = PathPattern::compile(match.path);
    if (path) rules.path_ = std::move(*path), rules.says_ = kPath;
    else problems.add(at + "path", fmt::format("{}: {}", shown(match.path), path.error().message));
  }
  if (!match.path_prefix.empty()) {
    auto prefix = compile_prefix(match.path_prefix);
    if (prefix) rules.prefix_ = std::move(*prefix), rules.says_ = static_cast<std::uint16_t>(rules.says_ | kPrefix);
    else problems.add(at + "path_prefix", fmt::format("{}: {}", shown(match.path_prefix), prefix.error().message));
  }
  for (std::size_t i = 0; i < match.hosts.size(); ++i) {
    auto host = compile_host(match.hosts[i]);
    if (host) rules.hosts_.push_back(std::move(*host));
    else problems.add(fmt::format("{}host/{}", at, i), host.error().message);
  }
  for (std::size_t i = 0; i < match.methods.size(); ++i) {
    const std::string& method = match.methods[i];
    // Methods are compared with their case, and every registered one is in upper case.
    if (!is_header_name(method) || std::any_of(method.begin(), method.end(), [](char c) { return c >= 'a' && c <= 'z'; })) {
      problems.add(fmt::format("{}method/{}", at, i), fmt::format("{} is no method in upper case, as in \"POST\"", shown(method)));
    }
    rules.common_methods_ = static_cast<std::uint16_t>(rules.common_methods_ | method_bit(method));
  }
  rules.methods_ = match.methods;
  rules.consumers_ = match.consumers;
  std::sort(rules.consumers_.begin(), rules.consumers_.end());
  rules.models_ = NameSet(match.models);
  rules.model_list_ = match.models;
  rules.default_model_ = route.models.default_model;
  const auto note = [&rules](bool something, Says part) { rules.says_ = static_cast<std::uint16_t>(rules.says_ | (something ? part : 0)); };
  note(!match.methods.empty(), kMethods);
  note(!match.hosts.empty(), kHosts);
  note(!match.consumers.empty(), kConsumers);
  note(!match.models.empty(), kModels);
  note(match.stream == true, kStream);
  note(match.stream == false, kNoStream);
  note(!match.headers.empty(), kHeaders);
  note(!match.tools.offered.empty() || !match.tools.forced.empty() || !match.tools.last_called.empty(), kTools);
  note(!match.body.empty(), kBody);
  note(!match.prompt.empty(), kPrompt);
  if (!rules.says(kContent)) return rules;

  const ToolMatch& tools = match.tools;
  rules.content_ = std::make_unique<Content>();
  Content& content = *rules.content_;
  content.tools = tools;
  content.offered = NameSet(tools.offered);
  content.forced = NameSet(tools.forced);
  content.last_called = NameSet(tools.last_called);
  const auto compile_all = [&](const auto& matches, std::string_view list, auto& out) {
    using Rule = typename std::decay_t<decltype(out)>::value_type;
    for (std::size_t i = 0; i < matches.size(); ++i) {
      auto rule = Rule::compile(matches[i]);
      if (rule) out.push_back(std::move(*rule));
      else problems.add(at + std::string(list) + step(matches[i], i) + (rule.error().param.empty() ? "" : "/") + rule.error().param, rule.error().message);
    }
  };
  compile_all(match.headers, "headers", content.headers);
  compile_all(match.body, "body", content.body);
  compile_all(match.prompt, "prompt", content.prompt);
  return rules;
}

std::uint32_t Rules::wants() const noexcept {
  return (says(kPrompt) ? chat::kWantPrompt : 0u) | (says(kTools) ? chat::kWantTools : 0u);
}

bool Rules::path_fits(std::string_view path) const {
  return (!says(kPath) || path_.matches(path)) && (!says(kPrefix) || below(prefix_, path));
}

bool Rules::host_fits(std::string_view host) const noexcept {
  return !says(kHosts) || std::any_of(hosts_.begin(), hosts_.end(), [&](const std::string& one) { return host_matches(one, host); });
}

bool Rules::method_fits(std::string_view method) const noexcept {
  if (!says(kMethods)) return true;
  if (const std::uint16_t bit = method_bit(method)) return (common_methods_ & bit) != 0;
  return std::find(methods_.begin(), methods_.end(), method) != methods_.end();
}

bool Rules::place_fits(std::string_view host, std::string_view path) const noexcept {
  return path_fits(path) && host_fits(bare_host(host));
}

bool Rules::model_fits(const Subject& subject, Look& look) const {
  if (!says(kModels)) return true;
  if (!subject.view) return miss(look, [] { return std::string("the request names no model: its body is not read"); });
  if (subject.view->model_present) {
    if (models_.contains(subject.view->model)) return true;
    return miss(look, [&] { return fmt::format("model {} fits none of {}", shown(subject.view->model), shown(model_list_)); });
  }
  if (!default_model_.empty() && models_.contains(default_model_)) return true;
  return miss(look, [&] {
    if (default_model_.empty()) return fmt::format("the request names no model and the route has no default; {} is wanted", shown(model_list_));
    return fmt::format("the request names no model, and the route's default {} fits none of {}", shown(default_model_), shown(model_list_));
  });
}

bool Rules::hold(const Subject& subject, Look& look) const {
  if (!path_fits(subject.path)) {
    return miss(look, [&] {
      if (says(kPath) && !path_.matches(subject.path)) return fmt::format("path {} is not {}", shown(subject.path), shown(path_.text()));
      return fmt::format("path {} is not below {}", shown(subject.path), shown(prefix_));
    });
  }
  if (!method_fits(subject.method)) {
    return miss(look, [&] { return fmt::format("method {} is not {}", shown(subject.method), shown(methods_)); });
  }
  if (!host_fits(bare_host(subject.host))) {
    return miss(look, [&] { return fmt::format("host {} is not {}", shown(subject.host), shown(hosts_)); });
  }
  if (says(kConsumers) && !std::binary_search(consumers_.begin(), consumers_.end(), subject.consumer, std::less<>{})) {
    return miss(look, [&] {
      if (subject.consumer.empty()) return fmt::format("the caller is no known consumer; {} is wanted", shown(consumers_));
      return fmt::format("consumer {} is not {}", shown(subject.consumer), shown(consumers_));
    });
  }
  if (!model_fits(subject, look)) return false;
  if (says(kStream) && !(subject.view && subject.view->stream)) return miss(look, [] { return std::string("the request asks for no stream"); });
  if (says(kNoStream) && !(subject.view && !subject.view->stream)) return miss(look, [] { return std::string("the request asks for a stream"); });
  if (!says(kContent)) return true;
  if (says(kHeaders) && !headers_hold(subject, look)) return false;
  if (says(kTools) && !tools_hold(subject, look)) return false;
  if (says(kBody) && !body_holds(subject, look)) return false;
  return !says(kPrompt) || prompt_holds(subject, look);
}

bool Rules::headers_hold(const Subject& subject, Look& look) const {
  for (const HeaderRule& rule : content_->headers) {
    if (subject.headers && rule.holds(*subject.headers)) continue;
    return miss(look, [&] { return rule.why_not(subject.headers ? *subject.headers : Headers()); });
  }
  return true;
}

bool Rules::tools_hold(const Subject& subject, Look& look) const {
  const chat::RequestView* const view = subject.view;
  if (!content_->forced.empty() && (!view || view->tool_forced.empty() || !content_->forced.contains(view->tool_forced))) {
    return miss(look, [&] { return fmt::format("the request does not force tool {}", shown(content_->tools.forced)); });
  }
  if (!content_->offered.empty() && (!view || !any_fits(content_->offered, view->tools_offered))) {
    return miss(look, [&] { return fmt::format("the request does not offer tool {}", shown(content_->tools.offered)); });
  }
  if (!content_->last_called.empty() && (!view || !any_fits(content_->last_called, view->tools_called))) {
    return miss(look, [&] { return fmt::format("the last assistant message did not call tool {}", shown(content_->tools.last_called)); });
  }
  return true;
}

bool Rules::body_holds(const Subject& subject, Look& look) const {
  for (const BodyRule& rule : content_->body) {
    if (!subject.view || !subject.document) return miss(look, [] { return std::string("the body is not read as JSON here"); });
    auto holds = rule.holds(*subject.document);
    if (!holds) {
      look.error = std::move(holds.error());
      return miss(look, [&] { return look.error->message; });
    }
    if (!*holds) return miss(look, [&] { return rule.why_not(*subject.document); });
  }
  return true;
}

bool Rules::prompt_holds(const Subject& subject, Look& look) const {
  for (const PromptRule& rule : content_->prompt) {
    if (!subject.view || !rule.holds(*subject.view)) return miss(look, [&] { return rule.why_not(); });
  }
  return true;
}

Captures Rules::captures(std::string_view path) const {
  Captures captures;
  if (!says(kPath) || path_.exact()) return captures;
  std::vector<PathPattern::Capture> raw;
  if (!path_.matches(path, &raw)) return captures;
  for (const auto& [name, text] : raw) captures.values.emplace_back(name, http::percent_decode(text).value_or(std::string(text)));
  return captures;
}

}  // namespace sluice::policy
