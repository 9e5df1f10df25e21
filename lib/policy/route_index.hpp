#pragma once
/// Which routes could take a request: routes filed by the literal parts of their matches, found by hashing.
/// Knows keys and positions in the list; must not know whether a route takes a request (rules.hpp judges that).
///
///   route   -> one key per combination of its hosts, models and consumers:
///              (path or prefix | host or *.host | model or its literal beginning | consumer | header value),
///              0 where its match says nothing about a part
///   request -> for each part the ids it could have (its path and the prefixes above it, ...); every combination of them
///              is looked up, and the lists found are merged in the order of the routes
///
/// So a request looks at the routes that agree with it in all parts at once, not at all those that share one of them.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/few.hpp"
#include "policy/match.hpp"

namespace sluice::policy {

/// The literal parts of one route's match, as the index files them. An empty list says nothing about that part.
struct RouteKeys {
  std::optional<std::string> path = {};  ///< the one path it takes
  std::string path_prefix = {};          ///< every path it takes is this or lies below; "" = says nothing
  std::vector<std::string> hosts = {};   ///< lower case, without brackets; `*.x` for one label more
  std::vector<std::string> models = {};  ///< names and globs
  bool absent_model = false;             ///< takes a request without a model although `models` is not empty
  std::vector<std::string> consumers = {};
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< fields that must have exactly these values
};

class RouteIndex {
 public:
  /// Files route i under keys[i].
  explicit RouteIndex(std::span<const RouteKeys> keys);

  /// A walk over the routes that could take a request, in order, each once. Lifetime: the index.
  class Candidates {
   public:
    /// The next route, or nothing.
    std::optional<std::uint32_t> next() noexcept;

   private:
    friend class RouteIndex;
    Few<std::span<const std::uint32_t>, 16> lists_;  // none of them empty, each ascending
  };

  /// A superset of the routes that take `subject`. Cost: some hash lookups, however many routes there are; no heap
  /// unless more than sixteen combinations are on file.
  [[nodiscard]] Candidates candidates(const Subject& subject) const;

 private:
  enum Part : std::size_t { kPath, kHost, kModel, kConsumer, kHeader, kParts };
  using Id = std::uint32_t;  // 0 = says nothing
  using Key = std::array<Id, kParts>;
  using FewIds = Few<Id, 8>;

  /// Texts to ids. It keeps hashes alone, in one flat table, so a text is found with one cache line; two texts of one hash
  /// get one id, which costs a look at a route that does not fit.
  class Ids {
   public:
    /// The id of `text`, given out after `last` where it is new.
    Id add(std::string_view text, Id& last);
    /// 0 where it is not on file.
    [[nodiscard]] Id find(std::string_view text) const noexcept;
    [[nodiscard]] bool empty() const noexcept { return used_ == 0; }

   private:
    struct Slot {
      std::uint64_t hash = 0;
      Id id = 0;  // 0 = free
    };
    [[nodiscard]] std::size_t slot_of(std::uint64_t hash) const noexcept;
    std::vector<Slot> slots_ = std::vector<Slot>(4);  // open addressing, a power of two, at most three quarters full
    std::size_t used_ = 0;
  };

  /// A list of routes under the hash of its key; a list of one is the route itself. Two keys of one hash share a list.
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t begin = 0, size = 0;  // in order_, or the route where size is 1; size 0 = free
  };

  // Building.
  Id file(Ids& ids, std::string_view text, Part part) { return ids.add(text, last_[part]); }
  [[nodiscard]] std::vector<Id> file_models(const RouteKeys& keys);
  [[nodiscard]] Id file_header(const RouteKeys& keys);
  [[nodiscard]] std::vector<Key> file_route(const RouteKeys& keys);

  // Looking up.
  [[nodiscard]] static std::uint64_t hash(const Key& key) noexcept;
  [[nodiscard]] std::size_t slot_of(std::uint64_t hash) const noexcept;
  void find_paths(std::string_view path, FewIds& out) const;
  void find_models(const chat::RequestView& view, FewIds& out) const;
  void find_headers(const Headers& headers, FewIds& out) const;
  static void find(const Ids& ids, std::string_view text, FewIds& out);

  Ids paths_, prefixes_;
  Ids hosts_, parents_;  // parents_: what follows the first label, dot included
  Ids models_, beginnings_;
  Ids consumers_;
  std::vector<std::pair<std::string, Ids>> headers_;  // by name, then value
  Key last_ = {};                                     // the last id given out, by part
  Id absent_model_ = 0;
  std::size_t deepest_prefix_ = 0;                    // slashes in the deepest of prefixes_
  std::vector<std::size_t> beginning_sizes_;          // of beginnings_, ascending

  std::uint32_t some_ = 0;      // bit p: some route says something about part p
  std::uint32_t every_ = 0;     // bit p: every route does
  std::vector<Slot> slots_;     // open addressing, a power of two, at most three quarters full
  std::vector<std::uint32_t> order_;
};

}  // namespace sluice::policy
