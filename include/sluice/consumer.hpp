#pragma once
/// Who calls: a name, and the keys that prove it. Plain values.

#include <string>
#include <vector>

#include "sluice/secret.hpp"

namespace [[gnu::visibility("default")]] sluice {

/// One key of a consumer, by its SHA-256 (64 hex digits) or by a reference to the key itself.
struct ConsumerKey {
  std::string sha256 = {};
  Secret value = {};
  std::string expires = {};  ///< RFC 3339 with an offset, `2027-01-31T00:00:00Z`: from then on it is refused; empty = never
};

/// A client certificate, by a name it states or by its fingerprint: one of the two.
struct ConsumerCertificate {
  std::string san = {};     ///< a DNS name, URI or e-mail address among its subject alternative names, exactly
  std::string sha256 = {};  ///< of its DER form, 64 hex digits; colons between them are allowed
};

/// A pair of keys as AWS' clients hold them: requests come signed with it (Signature Version 4), it is never sent.
struct AwsKey {
  std::string access_key_id = {};    ///< who signs; no secret
  Secret secret_access_key = {};
};

struct Consumer {
  std::string name = {};
  std::string tenant = {};
  std::vector<std::string> groups = {};
  std::vector<ConsumerKey> keys = {};
  std::vector<AwsKey> aws_keys = {};
  std::vector<ConsumerCertificate> certificates = {};
};

}  // namespace sluice
