#pragma once
/// The request --explain asks about, as a JSON file.

#include <string>
#include <string_view>

#include "sluice/gateway.hpp"

namespace sluiced {

struct AskedRequest {
  sluice::Request request;
  sluice::CallOptions options;
};

/// Reads `{"method", "target", "headers": {}, "body": {...} or a text, "consumer"}`; only "target" must be there.
/// Errors: kFileUnreadable, kInvalidRequest with every mistake, one a line.
[[nodiscard]] sluice::Result<AskedRequest> load_request(const std::string& path);
[[nodiscard]] sluice::Result<AskedRequest> parse_request(std::string_view json);

}  // namespace sluiced
