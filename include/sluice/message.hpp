#pragma once
/// What goes in and what comes out: a request, the head of an answer, the increments of it.

#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/body.hpp"
#include "sluice/headers.hpp"

namespace [[gnu::visibility("default")]] sluice {

/// One request as a client states it. The target is origin-form: path and query, percent-encoded.
struct Request {
  std::string method = "GET";
  std::string target = "/";
  Headers headers;
  Body body;

  /// A POST of a JSON text.
  [[nodiscard]] static Request post(std::string target, std::string json);
  [[nodiscard]] static Request get(std::string target);
};

/// Status line and header fields of an answer, end-to-end fields only.
struct ResponseHead {
  int status = 0;
  Headers headers;
};

}  // namespace sluice
