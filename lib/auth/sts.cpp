// STS: a form out, XML in. Of XML just what STS writes is taken: elements and the five entities; anything that could change
// what stands between two tags (comments, CDATA, declarations of entities) is refused.

#include "auth/sts.hpp"

#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "auth/endpoint_words.hpp"
#include "auth/sigv4.hpp"
#include "http/target.hpp"
#include "sluice/headers.hpp"

namespace sluice::auth::sts {
namespace {

tl::unexpected<Error> refuse(std::string why) { return fail(Code::kUpstreamCredential, std::move(why)); }

/// What stands inside the one element of that name; nothing where there is none, or several.
std::optional<std::string_view> element(std::string_view xml, std::string_view name) {
  const std::string open = '<' + std::string(name), close = "</" + std::string(name) + '>';
  std::optional<std::string_view> found;
  for (std::size_t at = xml.find(open); at != std::string_view::npos; at = xml.find(open, at + 1)) {
    const std::size_t behind = at + open.size();
    if (behind >= xml.size() || (xml[behind] != '>' && xml[behind] != ' ')) continue;  // a longer name
    const std::size_t begin = xml.find('>', behind);
    const std::size_t end = xml.find(close, behind);
    if (found || begin == std::string_view::npos || end == std::string_view::npos || end < begin) return std::nullopt;
    found = xml.substr(begin + 1, end - begin - 1);
  }
  return found;
}

/// Text with its entities replaced; nothing where it holds a tag, or an entity nobody knows.
std::optional<std::string> plain(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, char>, 5> kEntities{
      {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};
  std::string out;
  while (!text.empty()) {
    if (text.front() == '<') return std::nullopt;
    if (text.front() != '&') {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    const std::size_t before = text.size();
    for (const auto& [entity, c] : kEntities) {
      if (!text.starts_with(entity)) continue;
      out += c;
      text.remove_prefix(entity.size());
      break;
    }
    if (text.size() == before) return std::nullopt;
  }
  return out;
}

std::string text_of(std::string_view xml, std::string_view name) {
  const auto inside = element(xml, name);
  const auto text = inside ? plain(*inside) : std::nullopt;
  return text.value_or(std::string());
}

/// `2026-11-26T18:00:00Z`, perhaps with a fraction of a second.
std::optional<WallTime> time_of(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':' || text.back() != 'Z') return std::nullopt;
  const std::string_view fraction = text.substr(19, text.size() - 20);
  if (!fraction.empty() && (fraction.front() != '.' || fraction.find_first_not_of("0123456789", 1) != std::string_view::npos)) return std::nullopt;
  std::string compact;
  for (const char c : text.substr(0, 19)) {
    if (c != '-' && c != ':') compact += c;
  }
  return sigv4::parse_amz_date(compact + 'Z');
}

}  // namespace

std::string form(const AssumeRole& asked) {
  std::string out = "Action=AssumeRole&Version=2011-06-15&RoleArn=" + http::percent_encode(asked.role_arn) +
                    "&RoleSessionName=" + http::percent_encode(asked.session_name) + "&DurationSeconds=" + std::to_string(asked.duration.count());
  if (!asked.external_id.empty()) out += "&ExternalId=" + http::percent_encode(asked.external_id);
  return out;
}

Result<Session> read_answer(int status, std::string_view body) {
  const bool readable = body.find("<!") == std::string_view::npos;
  if (status < 200 || status >= 300) {
    const std::string code = readable ? text_of(body, "Code") : std::string(), message = readable ? text_of(body, "Message") : std::string();
    const std::string words = endpoint_words(code.empty() || message.empty() ? code + message : code + ": " + message);
    return refuse(words.empty() ? fmt::format("answered {}", status) : fmt::format("answered {}: {}", status, words));
  }
  const auto answer = readable ? element(body, "AssumeRoleResponse") : std::nullopt;
  const auto credentials = answer ? element(*answer, "Credentials") : std::nullopt;
  if (!credentials) return refuse(fmt::format("answered {} with what is no answer to AssumeRole", status));
  Session session{.access_key_id = text_of(*credentials, "AccessKeyId"),
                  .secret_access_key = text_of(*credentials, "SecretAccessKey"),
                  .session_token = text_of(*credentials, "SessionToken")};
  for (const auto& [name, value] : {std::pair{"AccessKeyId", &session.access_key_id}, {"SecretAccessKey", &session.secret_access_key},
                                    {"SessionToken", &session.session_token}}) {
    if (value->empty()) return refuse(fmt::format("answered without {}", name));
    if (!is_header_value(*value)) return refuse(fmt::format("answered with a control character in {}", name));
  }
  const auto expiration = time_of(text_of(*credentials, "Expiration"));
  if (!expiration) return refuse("answered without an Expiration that is a time");
  session.expiration = *expiration;
  return session;
}

}  // namespace sluice::auth::sts
