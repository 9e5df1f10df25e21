// CORS: origins compared byte by byte, as browsers write them.

#include "server/cors_rules.hpp"

#include <algorithm>
#include <vector>

namespace sluice::server {
namespace {

constexpr std::string_view kPrefix = "access-control-";
constexpr std::string_view kAny = "*";

bool has(const std::vector<std::string>& list, std::string_view one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& one : list) out += (out.empty() ? "" : ", ") + one;
  return out;
}

/// The names of fields a page asks to set, as one list; nothing where something else stands among them.
std::optional<std::string> asked_fields(const Headers& request) {
  std::string out;
  for (const HeaderField field : request) {
    if (!same_name(field.name, "access-control-request-headers")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      std::string_view name = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
      while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
      if (name.empty()) continue;
      if (!is_header_name(name)) return std::nullopt;
      (out += out.empty() ? "" : ", ") += name;
    }
  }
  return out;
}

}  // namespace

CorsRules::CorsRules(const Cors& options)
    : options_(options),
      any_(has(options.allow_origins, kAny)),
      methods_(joined(options.allow_methods)),
      headers_(joined(options.allow_headers)),
      exposed_(joined(options.expose_headers)) {}

CorsRules::Judgement CorsRules::judge(std::string_view method, const Headers& request) const {
  Judgement out;
  const auto origin = request.get("origin");
  if (!origin) return out;
  if (request.count("origin") > 1) {
    out.refusal = make_error(Code::kInvalidRequest, "the request states two origins; a page has one");
  } else if (!any_ && !has(options_.allow_origins, *origin)) {
    out.refusal = make_error(Code::kOriginNotAllowed, "pages of '" + std::string(*origin) +
                                                          "' may not call here; list the origin in the listener's cors.allow_origins");
  }
  if (out.refusal) return out;
  out.origin = *origin;
  if (method != "OPTIONS") return out;
  auto answer = preflight(*origin, request);
  if (answer) out.preflight = std::move(*answer);
  else out.refusal = std::move(answer.error());
  return out;
}

Result<Headers> CorsRules::preflight(std::string_view origin, const Headers& request) const {
  const auto method = request.get("access-control-request-method");
  if (!method) {
    return fail(Code::kInvalidRequest, "a preflight says in Access-Control-Request-Method what the page is about to send; this one does not");
  }
  if (!has(options_.allow_methods, *method)) {
    return fail(Code::kMethodNotAllowed, "pages of other origins may not send " + std::string(*method) + " here; use " + methods_, methods_);
  }
  const auto asked = asked_fields(request);
  if (!asked) return fail(Code::kInvalidRequest, "Access-Control-Request-Headers holds something that is no name of a header field");
  Headers answer;
  allow(origin, answer);
  answer.add_trusted("access-control-allow-methods", methods_);
  if (const std::string& fields = headers_.empty() ? *asked : headers_; !fields.empty()) answer.add_trusted("access-control-allow-headers", fields);
  answer.add_trusted("access-control-max-age", std::to_string(options_.max_age_seconds));
  answer.add_trusted("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  return answer;
}

void CorsRules::allow(std::string_view origin, Headers& answer) const {
  answer.add_trusted("access-control-allow-origin", any_ ? kAny : origin);
  if (options_.allow_credentials) answer.add_trusted("access-control-allow-credentials", "true");
}

void CorsRules::apply(std::string_view origin, Headers& answer) const {
  std::vector<std::string> foreign;
  for (const HeaderField field : answer) {
    if (field.name.size() > kPrefix.size() && same_name(field.name.substr(0, kPrefix.size()), kPrefix)) foreign.emplace_back(field.name);
  }
  for (const std::string& name : foreign) answer.remove(name);
  if (origin.empty()) return;
  allow(origin, answer);
  if (!exposed_.empty()) answer.add_trusted("access-control-expose-headers", exposed_);
  answer.add_trusted("vary", "Origin");  // beside what an upstream says it varies by
}

}  // namespace sluice::server
