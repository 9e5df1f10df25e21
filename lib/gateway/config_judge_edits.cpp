// What a route may change about a request or an answer, and what it must leave to the gateway.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <map>

#include "gateway/config_codec.hpp"
#include "gateway/config_judge.hpp"
#include "gateway/config_reader.hpp"
#include "json/document.hpp"
#include "policy/edit_rules.hpp"
#include "policy/match.hpp"

namespace sluice::gateway::config {

namespace {

constexpr std::int64_t kRegexBytes = 1 << 20;  // the same bound as regular expressions of matches

class HeaderEditJudge {
 public:
  HeaderEditJudge(Findings& findings, const std::string& here, bool towards_upstream)
      : findings_(findings), here_(here), request_(towards_upstream) {}

  void judge_field(const std::string& where, const std::string& name) {
    if (is_annotation(name)) return findings_.add(where, shown(name) + " is no header field name");
    const Status may = policy::may_edit_field(name, request_ ? policy::Towards::kUpstream : policy::Towards::kCaller);
    if (!may) findings_.add(where, may.error().message);
  }

  /// SEC-15: what would split or end a header is refused before it is anywhere near a wire.
  void judge_fields(std::string_view key, const std::map<std::string, std::string>& fields) {
    std::map<std::string, std::string_view> seen;
    for (const auto& [name, value] : fields) {
      const std::string where = below(below(here_, key), name);
      judge_field(where, name);
      if (!is_header_value(value))
        findings_.add(where, "the value of " + shown(name) + " holds a control character (CR, LF, NUL or another)");
      once(where, name, seen);
    }
  }

  void once(const std::string& where, const std::string& name, std::map<std::string, std::string_view>& seen) {
    const auto same =
        std::find_if(seen.begin(), seen.end(), [&](const auto& one) { return same_name(one.first, name); });
    if (same == seen.end())
      seen.emplace(name, name);
    else
      findings_.add(where, "the same field as " + shown(same->second) + "; case does not count in field names");
  }

  void run(const HeaderEdits& edits) {
    judge_fields("set", edits.set);
    judge_fields("add", edits.add);
    std::map<std::string, std::string_view> seen;
    for (const auto& [name, value] : edits.set) seen.emplace(name, name);
    for (std::size_t i = 0; i < edits.remove.size(); ++i) {
      const std::string where = below(here_, "remove", i);
      judge_field(where, edits.remove[i]);
      once(where, edits.remove[i], seen);
    }
  }

 private:
  Findings& findings_;
  const std::string& here_;
  bool request_;
};

/// The names in braces of a path template, or what is wrong with it.
Result<std::vector<std::string>> template_names(std::string_view text) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '}') return fail(Code::kInvalidConfiguration, "a '}' without its '{'");
    if (text[i] != '{') continue;
    const std::size_t end = text.find_first_of("{}", i + 1);
    if (end == std::string_view::npos || text[end] == '{')
      return fail(Code::kInvalidConfiguration, "a '{' without its '}'");
    names.emplace_back(text.substr(i + 1, end - i - 1));
    i = end;
  }
  return names;
}

void judge_template(Findings& findings, const std::string& where, const Route& route) {
  const std::string& path = route.rewrite.path;
  if (path.front() != '/') findings.add(where, "must begin with '/' (is " + shown(path) + ")");
  if (path.find_first_of("?# \t\r\n") != std::string::npos)
    findings.add(where, "must be a path alone, without query, fragment or blanks (is " + shown(path) + ")");
  const auto names = template_names(path);
  if (!names) return findings.add(where, names.error().message + " (in " + shown(path) + ")");
  const auto captured = policy::captures_of(route.match);
  if (!captured) return;  // the match itself is reported
  const std::vector<std::string_view> known(captured->begin(), captured->end());
  for (const std::string& name : *names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string message = fmt::format("the match captures no {{{}}}{}", name, did_you_mean(name, known));
    if (known.empty()) message += "; write \"path\" with names in braces, as in \"/v1/{tail}\"";
    findings.add(where, std::move(message));
  }
}

void judge_regex(Findings& findings, const std::string& here, const PathRewrite& rewrite) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexBytes);
  const RE2 regex(rewrite.regex, options);
  if (!regex.ok()) return findings.add(here + "/regex", fmt::format("{} (is {})", regex.error(), shown(rewrite.regex)));
  std::string why;
  if (!regex.CheckRewriteString(rewrite.replacement, &why))
    findings.add(here + "/replacement", fmt::format("{} (is {})", why, shown(rewrite.replacement)));
}

/// Everything before the first wildcard or name.
std::string_view literal_part(std::string_view pattern) { return pattern.substr(0, pattern.find_first_of("*{")); }

void judge_prefix(Findings& findings, const std::string& where, const Route& route) {
  const std::string& prefix = route.rewrite.strip_prefix;
  if (prefix.front() != '/' || prefix.find_first_of("?#*{} \t\r\n") != std::string::npos) {
    return findings.add(where, "must be a path that begins with '/', without patterns (is " + shown(prefix) + ")");
  }
  for (const std::string& rule : {route.match.path, route.match.path_prefix}) {
    const std::string_view literal = literal_part(rule);
    const std::size_t both = std::min(literal.size(), prefix.size());
    const bool whole = literal.size() == rule.size() && rule == route.match.path;  // an exact path is all there is
    if (rule.empty() || (literal.substr(0, both) == std::string_view(prefix).substr(0, both) &&
                         (!whole || literal.size() >= prefix.size())))
      continue;
    findings.add(where, fmt::format("has no effect: no path that fits {} begins with {}", shown(rule), shown(prefix)));
  }
}

}  // namespace

void judge_header_edits(Findings& findings, const std::string& pointer, const HeaderEdits& edits,
                        bool towards_upstream) {
  HeaderEditJudge(findings, pointer, towards_upstream).run(edits);
}

void judge_body_edits(Findings& findings, const std::string& pointer, const BodyEdits& edits) {
  std::vector<std::pair<std::string_view, std::string>> seen;  // pointer into the body, pointer into the configuration
  const auto judge_one = [&](std::string_view member, const std::string& where) {
    if (const Status may = policy::may_edit_member(member); !may) return findings.add(where, may.error().message);
    for (const auto& [other, there] : seen) {
      if (policy::covers(other, member) || policy::covers(member, other))
        return findings.add(where, fmt::format("{} overlaps {} ({})", shown(member), shown(other), there));
    }
    seen.emplace_back(member, where);
  };
  for (const auto& [member, text] : edits.set) {
    const std::string where = below(pointer + "/set", member);
    if (!kPointerForm.fits(member)) {
      findings.add(where, "the key must be " + std::string(kPointerForm.what) + " (is " + shown(member) + ")");
      continue;
    }
    judge_one(member, where);
    const auto value = json::Document::parse(Body::copy(text));
    if (!value) findings.add(where, fmt::format("{} (value {})", value.error().message, shown(text)));
  }
  for (std::size_t i = 0; i < edits.remove.size(); ++i) {
    if (kPointerForm.fits(edits.remove[i])) judge_one(edits.remove[i], below(pointer, "remove", i));
  }
}

void judge_rewrite(Findings& findings, const std::string& pointer, const Route& route) {
  const PathRewrite& rewrite = route.rewrite;
  const int forms = !rewrite.strip_prefix.empty() + !rewrite.path.empty() + !rewrite.regex.empty();
  if (forms > 1)
    findings.add(pointer, "holds several forms: one of \"strip_prefix\", \"path\" and \"regex\" with \"replacement\"");
  if (rewrite.regex.empty() && !rewrite.replacement.empty())
    findings.add(pointer + "/replacement", "has no effect without \"regex\"");
  if (!rewrite.strip_prefix.empty()) judge_prefix(findings, pointer + "/strip_prefix", route);
  if (!rewrite.path.empty()) judge_template(findings, pointer + "/path", route);
  if (!rewrite.regex.empty()) judge_regex(findings, pointer, rewrite);
}

}  // namespace sluice::gateway::config
