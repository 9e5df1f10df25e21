#pragma once
/// The match of one route, compiled: every condition that must hold, cheapest first, each able to say why it does not.
/// Knows one route's conditions; must not know the other routes, their order or the index.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/match.hpp"
#include "policy/path_pattern.hpp"
#include "policy/regex.hpp"

namespace sluice::policy {

/// Names and globs, any of which must fit. Exact names are found by binary search. An empty list holds nothing.
class NameSet {
 public:
  NameSet() = default;
  explicit NameSet(const std::vector<std::string>& patterns);
  [[nodiscard]] bool contains(std::string_view name) const noexcept;
  [[nodiscard]] bool empty() const noexcept { return exact_.empty() && globs_.empty(); }

 private:
  std::vector<std::string> exact_;  // sorted
  std::vector<std::string> globs_;
};

/// Where a problem of a configuration stands, and what it is; one list for all routes.
struct Problems {
  std::vector<std::string> lines;
  void add(std::string_view pointer, std::string_view what);
};

/// One look of one route at one request.
struct Look {
  std::string* why = nullptr;      ///< filled with the first condition that failed, where somebody wants to know
  std::optional<Error> error = {}; ///< a rule looked at something that cannot be judged: the request is refused
};

class alignas(64) Rules {
 public:
  /// `pointer` leads to the route: `/routes/3`. What does not compile is added to `problems` and left out.
  [[nodiscard]] static Rules compile(const Route& route, const std::string& pointer, Problems& problems);
  Rules(Rules&&) noexcept;
  Rules& operator=(Rules&&) noexcept;
  ~Rules();

  /// True where every condition holds. Conditions on the body come last, so that one that is never read is never judged.
  [[nodiscard]] bool hold(const Subject& subject, Look& look) const;
  /// True where host and path fit.
  [[nodiscard]] bool place_fits(std::string_view host, std::string_view path) const noexcept;

  [[nodiscard]] const std::vector<std::string>& methods() const noexcept { return methods_; }
  [[nodiscard]] std::uint32_t wants() const noexcept;
  /// What the path pattern captured, decoded. Once hold() was true.
  [[nodiscard]] Captures captures(std::string_view path) const;

 private:
  struct Content;  // what only some routes look at, out of the way of those that do not
  enum Says : std::uint16_t {
    kPath = 1, kPrefix = 2, kMethods = 4, kHosts = 8, kConsumers = 16, kModels = 32, kStream = 64, kNoStream = 128,
    kHeaders = 256, kTools = 512, kBody = 1024, kPrompt = 2048,
    kContent = kHeaders | kTools | kBody | kPrompt,  // any of these
  };
  Rules();
  [[nodiscard]] bool says(Says part) const noexcept { return (says_ & part) != 0; }
  [[nodiscard]] bool path_fits(std::string_view path) const;
  [[nodiscard]] bool host_fits(std::string_view host) const noexcept;
  [[nodiscard]] bool method_fits(std::string_view method) const noexcept;
  [[nodiscard]] bool model_fits(const Subject& subject, Look& look) const;
  [[nodiscard]] bool headers_hold(const Subject& subject, Look& look) const;
  [[nodiscard]] bool tools_hold(const Subject& subject, Look& look) const;
  [[nodiscard]] bool body_holds(const Subject& subject, Look& look) const;
  [[nodiscard]] bool prompt_holds(const Subject& subject, Look& look) const;

  // Of many routes one is looked at, cold: what every route needs stands in one cache line, and the other parts are
  // touched only where the match says something about them.
  std::uint16_t says_ = 0;
  std::uint16_t common_methods_ = 0;     // bits of method_bit()
  PathPattern path_;
  std::unique_ptr<Content> content_;
  NameSet models_;
  std::vector<std::string> hosts_;       // lower case
  std::vector<std::string> consumers_;   // sorted
  std::string prefix_;
  std::string default_model_;
  std::vector<std::string> methods_;     // as configured, as is model_list_
  std::vector<std::string> model_list_;
};

/// True where `host` (lower case, no port) is `pattern` or, for `*.x`, exactly one label more than `x`.
[[nodiscard]] bool host_matches(std::string_view pattern, std::string_view host) noexcept;
/// A host of a rule in the form host_matches() wants. Errors: kInvalidConfiguration.
[[nodiscard]] Result<std::string> compile_host(std::string_view text);
/// A host without the brackets of an IPv6 literal, as rules are compared with.
[[nodiscard]] std::string_view bare_host(std::string_view host) noexcept;

}  // namespace sluice::policy
