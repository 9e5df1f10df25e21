#pragma once
/// OAuth 2.0 grants without a person: what is asked of a token endpoint, and what its answer means. Pure functions.
/// Knows forms and JSON; must not know where the endpoint is, how a request gets there, or the clock.
/// Source: RFC 6749 (4.4 client credentials, 5.1 and 5.2 answers), RFC 7523 (2.1 assertions as grants).

#include <chrono>
#include <string>
#include <string_view>

#include "sluice/error.hpp"

namespace sluice::auth::oauth {

/// What both bodies are.
inline constexpr std::string_view kFormType = "application/x-www-form-urlencoded";

/// The body that asks for a token in the name of a client. It holds the secret.
[[nodiscard]] std::string client_credentials(std::string_view client_id, std::string_view client_secret, std::string_view scope);
/// The body that asks for a token with a signed statement.
[[nodiscard]] std::string jwt_bearer(std::string_view assertion);

/// A token, and for how long it is good, counted from the moment it was asked for.
struct Granted {
  std::string token;
  std::chrono::seconds lifetime{};
};

/// An endpoint may leave out how long its token is good; then it is taken for so long.
inline constexpr std::chrono::seconds kUnsaidLifetime{300};
/// No token is kept longer, whatever is said.
inline constexpr std::chrono::seconds kLongestLifetime = std::chrono::hours(24);

/// Reads the endpoint's answer. Errors: kUpstreamCredential, a clause that goes on from the endpoint's name ("answered 401:
/// invalid_client: ..."): with the endpoint's own words, bounded, never with what it granted.
[[nodiscard]] Result<Granted> read_answer(int status, std::string_view body);

}  // namespace sluice::auth::oauth
