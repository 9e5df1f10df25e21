// The judge of who may call, and from where: networks, origins of pages, ends of keys, client certificates. Knows how browsers
// and tools write these; asks no clock: a key that has expired is a key, refused when it comes.

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "auth/certificate_index.hpp"
#include "base/address_range.hpp"
#include "gateway/config_judge.hpp"
#include "gateway/config_reader.hpp"
#include "policy/civil_date.hpp"

namespace sluice::gateway::config {

namespace {

constexpr std::string_view kAny = "*";

bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// What is wrong with an origin; empty where it is one, as browsers write it. Source: RFC 6454, 6.2
std::string_view wrong_with_origin(std::string_view origin) {
  constexpr std::string_view kForm = "is no origin, such as \"https://app.example.com\" or \"http://localhost:3000\"";
  if (origin == "null") return "names no page: any document without an origin states null";
  if (origin.find('*') != std::string_view::npos) return "holds a `*`: list whole origins, or \"*\" alone for any";
  if (std::any_of(origin.begin(), origin.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
    return "is compared byte by byte, and browsers write it in lower case";
  const std::size_t mark = origin.find("://");
  if (mark == std::string_view::npos || mark == 0 || !is_lower(origin.front())) return kForm;
  const std::string_view scheme = origin.substr(0, mark), rest = origin.substr(mark + 3);
  const auto of_scheme = [](char c) { return is_lower(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; };
  if (!std::all_of(scheme.begin(), scheme.end(), of_scheme) || rest.empty()) return kForm;
  if (rest.find('/') != std::string_view::npos) return "holds a path: an origin ends with its host or port";
  if (std::any_of(rest.begin(), rest.end(), [](char c) { return c <= ' ' || c >= 0x7f || std::string_view("@?#\"\\,").find(c) != std::string_view::npos; }))
    return kForm;

  const std::size_t host_end = rest.front() == '[' ? std::min(rest.find(']'), rest.size() - 1) + 1 : std::min(rest.find(':'), rest.size());
  const std::string_view host = rest.substr(0, host_end), port = rest.substr(host_end);
  if (host.empty()) return kForm;
  if (host.front() == '[' && (host.back() != ']' || !base::Address::parse(host.substr(1, host.size() - 2)))) return kForm;
  if (port.empty()) return {};
  if (port.front() != ':' || port.size() < 2 || port.size() > 6 || !std::all_of(port.begin() + 1, port.end(), is_digit)) return kForm;
  if ((scheme == "http" && port == ":80") || (scheme == "https" && port == ":443")) return "names the scheme's own port, which browsers leave out";
  return {};
}

void judge_fields(Findings& findings, const std::string& pointer, std::string_view key, const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == kAny) findings.add(below(pointer, key, i), "with `*` browsers disagree on credentials: name the header fields");
    else if (!is_header_name(names[i])) findings.add(below(pointer, key, i), shown(names[i]) + " is no name of a header field");
  }
}

}  // namespace

void judge_tls(Findings& findings, const std::string& pointer, const ListenTls& tls) {
  for (std::size_t i = 0; i < tls.certificates.size(); ++i) {
    const std::vector<std::string>& names = tls.certificates[i].names;
    for (std::size_t k = 0; k < names.size(); ++k) {
      const std::string_view name = std::string_view(names[k]).substr(names[k].starts_with("*.") ? 2 : 0);
      if (!name.empty() && name.front() != '.' && name.find_first_of("*:/ ") == std::string_view::npos) continue;
      findings.add(below(below(pointer, "certificates", i), "names", k),
                   shown(names[k]) + " is no host name, nor `*.` and one: ports, paths and other stars have no place here");
    }
  }
}

void judge_networks(Findings& findings, const std::string& pointer, std::string_view key, const std::vector<std::string>& networks) {
  for (std::size_t i = 0; i < networks.size(); ++i) {
    if (const auto range = base::AddressRange::parse(networks[i]); !range) findings.add(below(pointer, key, i), range.error().message);
  }
}

void judge_cors(Findings& findings, const std::string& pointer, const Cors& cors) {
  const auto& origins = cors.allow_origins;
  const bool any = std::find(origins.begin(), origins.end(), kAny) != origins.end();
  for (std::size_t i = 0; i < origins.size(); ++i) {
    if (origins[i] == kAny && origins.size() > 1) findings.add(below(pointer, "allow_origins", i), "\"*\" lets any origin in, so it stands alone");
    if (origins[i].empty() || origins[i] == kAny) continue;  // the table has asked for one
    if (const std::string_view wrong = wrong_with_origin(origins[i]); !wrong.empty())
      findings.add(below(pointer, "allow_origins", i), fmt::format("{} {}", shown(origins[i]), wrong));
  }
  if (any && cors.allow_credentials) {
    findings.add(below(pointer, "allow_credentials"),
                 "not together with \"*\": any page could then call as whoever looks at it; list the origins");
  }
  for (std::size_t i = 0; i < cors.allow_methods.size(); ++i) {
    const std::string& method = cors.allow_methods[i];
    const bool capitals = std::all_of(method.begin(), method.end(), [](char c) { return c < 'a' || c > 'z'; });
    if (method == kAny || !is_header_name(method) || !capitals)
      findings.add(below(pointer, "allow_methods", i), shown(method) + " is no method, such as \"POST\"");
  }
  judge_fields(findings, pointer, "allow_headers", cors.allow_headers);
  judge_fields(findings, pointer, "expose_headers", cors.expose_headers);
}

void judge_access(Findings& findings) {
  const auto& listen = findings.config().gateway.listen;
  const bool never_asked = !listen.empty() && std::none_of(listen.begin(), listen.end(), [](const Listen& one) { return one.tls && one.tls->clients; });
  std::map<std::string, std::string, std::less<>> certificates;  // name or fingerprint -> where it stood first
  const auto& consumers = findings.config().consumers;
  for (std::size_t i = 0; i < consumers.size(); ++i) {
    for (std::size_t k = 0; k < consumers[i].keys.size(); ++k) {
      const std::string& expires = consumers[i].keys[k].expires;
      if (expires.empty() || policy::parse_rfc3339(expires)) continue;
      findings.add(below(below(at("consumers", i), "keys", k), "expires"),
                   shown(expires) + " is no date and time with an offset, such as \"2027-01-31T00:00:00Z\"");
    }
    if (never_asked && !consumers[i].certificates.empty())
      findings.add(at("consumers", i, "certificates"), "no listener asks for client certificates: set \"clients\" in the \"tls\" of one");
    for (std::size_t k = 0; k < consumers[i].certificates.size(); ++k) {
      const ConsumerCertificate& one = consumers[i].certificates[k];
      const std::string here = below(at("consumers", i), "certificates", k);
      const auto fingerprint = auth::parse_fingerprint(one.sha256);
      const std::string id = fingerprint ? "sha256 " + auth::hex_text(*fingerprint) : "san " + one.san;
      if (!fingerprint && one.san.empty()) continue;  // the table has asked for one
      const auto [first, fresh] = certificates.emplace(id, here);
      if (!fresh) findings.add(here, "the same certificate stands at " + first->second + "; a certificate stands for one consumer, once");
    }
  }
}

}  // namespace sluice::gateway::config
