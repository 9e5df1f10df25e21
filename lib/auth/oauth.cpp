// OAuth 2.0 grants: the bodies of requests, and answers read strictly.

#include "auth/oauth.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "auth/endpoint_words.hpp"
#include "http/target.hpp"
#include "json/document.hpp"
#include "sluice/headers.hpp"

namespace sluice::auth::oauth {
namespace {

tl::unexpected<Error> refuse(std::string why) { return fail(Code::kUpstreamCredential, std::move(why)); }

/// The text of a member; empty where there is none, or it is no text.
std::string text_of(json::Value root, std::string_view key) {
  const auto found = root.find(key);
  std::string scratch;
  return found && found->is(json::Type::kString) ? std::string(found->text(scratch)) : std::string();
}

/// What an error answer says: `invalid_client: AADSTS7000215: Invalid client secret provided`. Google's other services say
/// it in an object.
std::string told(json::Value root) {
  const auto error = root.find("error");
  if (error && error->is(json::Type::kObject)) {
    const std::string status = text_of(*error, "status"), message = text_of(*error, "message");
    return endpoint_words(status.empty() ? message : status + ": " + message);
  }
  const std::string code = text_of(root, "error"), description = text_of(root, "error_description");
  return endpoint_words(code.empty() || description.empty() ? code + description : code + ": " + description);
}

/// A number of seconds, or a text that is one: older servers quote it. Nothing where it is neither.
std::optional<std::int64_t> seconds_of(json::Value value) {
  if (value.is(json::Type::kNumber)) {
    const auto n = value.number();
    if (!n) return std::nullopt;
    return static_cast<std::int64_t>(std::clamp(*n, -1.0, static_cast<double>(kLongestLifetime.count())));
  }
  if (!value.is(json::Type::kString)) return std::nullopt;
  std::string scratch;
  const std::string_view text = value.text(scratch);
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

bool same_word(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x | 0x20) : x) == (y >= 'A' && y <= 'Z' ? static_cast<char>(y | 0x20) : y);
  });
}

}  // namespace

std::string client_credentials(std::string_view client_id, std::string_view client_secret, std::string_view scope) {
  return "grant_type=client_credentials&client_id=" + http::percent_encode(client_id) + "&client_secret=" + http::percent_encode(client_secret) +
         "&scope=" + http::percent_encode(scope);
}

std::string jwt_bearer(std::string_view assertion) {
  return "grant_type=" + http::percent_encode("urn:ietf:params:oauth:grant-type:jwt-bearer") + "&assertion=" + http::percent_encode(assertion);
}

Result<Granted> read_answer(int status, std::string_view body) {
  const auto document = json::Document::parse(Body::copy(body));
  const bool object = document && document->root().is(json::Type::kObject);
  if (status < 200 || status >= 300) {
    const std::string words = object ? told(document->root()) : std::string();
    return refuse(words.empty() ? fmt::format("answered {}", status) : fmt::format("answered {}: {}", status, words));
  }
  if (!object) return refuse(fmt::format("answered {} with what is no JSON object", status));
  const json::Value root = document->root();
  for (const std::string_view key : {"access_token", "token_type", "expires_in"}) {
    if (!root.find(key)) return refuse(fmt::format("states its \"{}\" twice", key));
  }
  Granted granted;
  granted.token = text_of(root, "access_token");
  if (granted.token.empty()) {
    const std::string words = told(root);
    return refuse(words.empty() ? "answered without an \"access_token\"" : "answered without an \"access_token\": " + words);
  }
  if (!is_header_value(granted.token)) return refuse("granted a token with a control character, which no header may hold");
  const std::string type = text_of(root, "token_type");
  if (!same_word(type, "bearer")) return refuse("granted a token that is no bearer token: its type is '" + endpoint_words(type) + "'");
  granted.lifetime = kUnsaidLifetime;
  if (const json::Value stated = *root.find("expires_in")) {
    const auto n = seconds_of(stated);
    if (!n) return refuse("states \"expires_in\", but not as a number of seconds");
    if (*n <= 0) return refuse("granted a token that has expired already");
    granted.lifetime = std::min(std::chrono::seconds(*n), kLongestLifetime);
  }
  return granted;
}

}  // namespace sluice::auth::oauth
