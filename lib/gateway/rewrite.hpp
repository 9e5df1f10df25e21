#pragma once
/// How a route changes the path. Compiled once; pure.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policy/match.hpp"
#include "sluice/error.hpp"
#include "sluice/route.hpp"

namespace re2 {
class RE2;
}

namespace sluice::gateway {

/// `base` and `path` as one; a path that begins with the base already is not given it twice, so that an opaque route sends
/// `/v1/files` to `https://host/v1` as the client said it.
[[nodiscard]] std::string join_paths(std::string_view base, std::string_view path);

class Rewrite {
 public:
  /// Errors: kInvalidConfiguration names the pattern. `rewrite` must set exactly one form.
  [[nodiscard]] static Result<Rewrite> compile(const PathRewrite& rewrite);
  Rewrite(Rewrite&&) noexcept;
  Rewrite& operator=(Rewrite&&) noexcept;
  ~Rewrite();

  /// The new path of `path`; the query is nobody's business here. Captured names are percent-encoded.
  [[nodiscard]] std::string apply(std::string_view path, const policy::Captures& captures) const;

 private:
  struct Piece {
    std::string literal;  // before the name
    std::string name;     // empty for the last piece
  };
  Rewrite() = default;
  std::string prefix_;
  std::vector<Piece> pieces_;
  std::unique_ptr<re2::RE2> regex_;
  std::string replacement_;
};

}  // namespace sluice::gateway
