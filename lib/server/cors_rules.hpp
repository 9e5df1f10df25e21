#pragma once
/// Which pages of other origins may call from a browser (CORS), decided on a request's head alone, before anybody asks who
/// calls: a preflight carries no key. Knows the fields browsers send and read; must not know connections or dialects.
/// Source: the Fetch standard, 3.2, fetch.spec.whatwg.org

#include <optional>
#include <string>
#include <string_view>

#include "sluice/error.hpp"
#include "sluice/headers.hpp"
#include "sluice/listen.hpp"

namespace sluice::server {

/// The rules of one listener. Immutable. Thread: any, concurrently.
class CorsRules {
 public:
  explicit CorsRules(const Cors& options);

  /// A request with neither refusal nor preflight is served like any other.
  struct Judgement {
    std::string origin = {};                ///< of the page that sent it, where that may call; empty: no page, or another
    /// What it gets instead: kOriginNotAllowed; kInvalidRequest for two origins, or a preflight that does not say for which
    /// method or field; kMethodNotAllowed, with the methods there are in `param`, for one that asks for another.
    std::optional<Error> refusal = {};
    std::optional<Headers> preflight = {};  ///< it is one, and its answer is a 204 with these fields
  };
  [[nodiscard]] Judgement judge(std::string_view method, const Headers& request) const;

  /// Makes an answer's fields say what these rules say to `origin`, whatever an upstream has put there.
  void apply(std::string_view origin, Headers& answer) const;

 private:
  void allow(std::string_view origin, Headers& answer) const;
  [[nodiscard]] Result<Headers> preflight(std::string_view origin, const Headers& request) const;

  const Cors options_;
  const bool any_;
  const std::string methods_, headers_, exposed_;  // as they stand in a field
};

}  // namespace sluice::server
