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
};

}  // namespace sluice
