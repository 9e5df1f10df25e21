#pragma once
/// What stands for an API key where the key itself must not: enough to tell keys apart, too little to find one by.

#include <string>
#include <string_view>

namespace sluice::telemetry {

/// The first 8 hex digits of HMAC-SHA256 of `key` under `salt`. The salt is the gateway's own and secret: without it
/// nobody can try keys against what was recorded, and two gateways give one key two ids. Empty where OpenSSL has no
/// HMAC-SHA256 to give. Thread: any. Cost: about a microsecond, no allocation.
[[nodiscard]] std::string key_id(std::string_view key, std::string_view salt);

}  // namespace sluice::telemetry
