#pragma once
/// Decides which route takes a request: routes top-down, first match wins. Compiled once, immutable.
/// Knows routes and what a request says; must not know HTTP connections, upstreams or the clock.
///
/// Cost grows with the routes that could match: paths and path prefixes, models and what globs begin with, hosts,
/// consumers and exact header values are indexed together (route_index.hpp).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/request_view.hpp"
#include "json/document.hpp"
#include "sluice/error.hpp"
#include "sluice/headers.hpp"
#include "sluice/route.hpp"

namespace sluice::policy {

/// What matching looks at. Borrowed for the call.
struct Subject {
  std::string_view method = {};
  std::string_view host = {};          ///< lower case, without port; an IPv6 literal with or without brackets
  std::string_view path = {};          ///< normalised
  const Headers* headers = nullptr;
  const chat::RequestView* view = nullptr;      ///< null for opaque bodies: body, prompt, tool, model and stream rules fail then
  const json::Document* document = nullptr;
  std::string_view consumer = {};
};

struct Captures {
  std::vector<std::pair<std::string, std::string>> values = {};  ///< `{name}` -> the segment, decoded
  [[nodiscard]] const std::string* find(std::string_view name) const noexcept;
};

struct Found {
  std::size_t route = 0;               ///< index in the list it was compiled from
  Captures captures = {};
};

/// Why a route was passed over, for explain: the first rule that failed, in words.
struct Passed {
  std::size_t route = 0;
  std::string why = {};                ///< `model "gpt-9" fits none of "gpt-4*"`
};

class Matcher {
 public:
  /// Errors: kInvalidConfiguration with every bad pattern (path, regex over its size cap, pointer), one a line, each
  /// behind its JSON Pointer into the document (`/routes/3/match/headers/x-team/regex`).
  [[nodiscard]] static Result<Matcher> compile(const std::vector<Route>& routes);
  Matcher(Matcher&&) noexcept;
  Matcher& operator=(Matcher&&) noexcept;
  ~Matcher();

  /// Which parts of a request view any route looks at (chat::Want bits).
  [[nodiscard]] std::uint32_t wants() const noexcept;

  /// The first route that takes the request; nothing where none does. `examined`, where given, is how many routes were
  /// looked at.
  /// Errors: kDuplicateKey where a rule looked at a field that stands twice.
  /// Cost: some hash lookups and the routes that agree in every indexed part; no heap unless the path captures.
  [[nodiscard]] Result<std::optional<Found>> match(const Subject& subject, std::size_t* examined = nullptr) const;
  /// The methods some route would take for this host and path, sorted, for a 405; empty where no route knows the path,
  /// and where one that does takes any method: a 405 would be untrue.
  [[nodiscard]] std::vector<std::string> methods_for(std::string_view host, std::string_view path) const;
  /// Could any route take a request for this host and path? Lets the head be refused before the body is read.
  [[nodiscard]] bool path_known(std::string_view host, std::string_view path) const;
  /// Every route up to the one that takes it, with the reason each was passed over. Values of headers that carry
  /// credentials are not repeated. Cost: every route is asked, without the index.
  [[nodiscard]] std::vector<Passed> explain(const Subject& subject) const;

 private:
  struct Impl;
  explicit Matcher(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Routes that can never be reached because an earlier one takes everything they would: (shadowed, by) indices.
/// Sure cases only: it never names a route that some request could reach.
[[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> shadowed(const std::vector<Route>& routes);

/// The names a path pattern captures, in order. Errors: kInvalidConfiguration for a bad pattern.
[[nodiscard]] Result<std::vector<std::string>> captures_of(const Match& match);

}  // namespace sluice::policy
