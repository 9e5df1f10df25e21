#pragma once
/// AWS STS, AssumeRole: the request's form and the answer's XML. Pure functions. Knows version 2011-06-15 of the API; must not
/// know how the request is signed (sigv4.hpp), where it goes, or the clock.
/// Source: "AssumeRole" in the STS API reference.

#include <chrono>
#include <string>
#include <string_view>

#include "sluice/clock.hpp"
#include "sluice/error.hpp"

namespace sluice::auth::sts {

inline constexpr std::string_view kFormType = "application/x-www-form-urlencoded; charset=utf-8";

struct AssumeRole {
  std::string_view role_arn, session_name;
  std::string_view external_id = {};   ///< empty = none is sent
  std::chrono::seconds duration{3600};
};

/// The body that asks for it.
[[nodiscard]] std::string form(const AssumeRole& asked);

/// Temporary keys of the role.
struct Session {
  std::string access_key_id, secret_access_key, session_token;
  WallTime expiration{};
};

/// Reads the answer. Errors: kUpstreamCredential, a clause that goes on from the endpoint's name ("answered 403: AccessDenied:
/// ..."): with its own words, bounded, never with a key.
[[nodiscard]] Result<Session> read_answer(int status, std::string_view body);

}  // namespace sluice::auth::sts
