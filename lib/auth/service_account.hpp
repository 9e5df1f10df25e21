#pragma once
/// Google service accounts: the key document that is handed out for one, and statements signed with it (RS256). Knows the
/// document, JWTs and OpenSSL; must not know what a statement is exchanged for, nor the clock.
/// Source: "Using OAuth 2.0 for server to server applications" (developers.google.com), RFC 7515, RFC 7519.

#include <memory>
#include <string>
#include <string_view>

#include "sluice/clock.hpp"
#include "sluice/error.hpp"

struct evp_pkey_st;

namespace sluice::auth {

/// One account and its key. Immutable. Thread: any, concurrently. Copying shares the key.
class ServiceAccount {
 public:
  /// Reads the JSON document. Errors: kInvalidConfiguration says which member is missing or wrong, never with a value.
  [[nodiscard]] static Result<ServiceAccount> parse(std::string_view document);

  /// `name@project.iam.gserviceaccount.com`.
  [[nodiscard]] const std::string& email() const noexcept { return email_; }
  /// Where statements are exchanged, and whom they are made for; Google's own where the document names none.
  [[nodiscard]] const std::string& token_uri() const noexcept { return token_uri_; }

  /// That this account asks for `scope`, from `now` on for an hour: a JWT, signed. Errors: kInternal where OpenSSL cannot
  /// sign. Cost: one RSA signature, below 1 ms for 2048 bits.
  [[nodiscard]] Result<std::string> assertion(std::string_view scope, WallTime now) const;

 private:
  ServiceAccount() = default;
  std::string email_, key_id_, token_uri_;
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace sluice::auth
