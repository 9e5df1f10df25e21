#pragma once
// What real services were recorded to say, and the shape of it: which members objects have, always or at times, and of
// which types. The simulator's answers are held against it. Read in place; skipped where the recordings are not there.

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "json/document.hpp"

namespace sluice::sim {

/// True where there are no recordings of this provider, and said so.
bool recordings_missing(const std::string& provider);

struct Recorded {
  std::string file;   ///< its name
  int status = 0;
  std::string body;   ///< as bytes
};

/// The answers in one file; `path` begins with the provider.
std::vector<Recorded> recorded_in(const std::string& path);
/// The text of a file that holds no exchanges.
std::string recorded_file(const std::string& path);
/// The answers in all files of one directory that have this status; 0 = any error.
std::vector<Recorded> recorded_under(const std::string& directory, int status = 200);

/// What was learned of objects, by where they stand. An object with a `type` stands apart from those of other types.
class Shapes {
 public:
  /// Members under these names hold what callers and tools decide.
  explicit Shapes(std::set<std::string> opaque = {}) : opaque_(std::move(opaque)) {}

  void learn(std::string_view text, const std::string& kind = {});
  [[nodiscard]] std::size_t learned() const noexcept { return learned_; }
  /// Where the text differs: members that were never recorded or never of this type, and recorded ones that are always
  /// there and missing. Empty = it could have been recorded.
  [[nodiscard]] std::string differences(std::string_view text, const std::string& kind = {}) const;

 private:
  struct Member {
    std::size_t seen = 0;
    std::set<json::Type> types;
  };
  struct Object {
    std::size_t seen = 0;
    std::map<std::string, Member> members;
  };

  void learn(const json::Value& value, std::string path);
  void compare(const json::Value& value, std::string path, std::string& differences) const;

  std::set<std::string> opaque_;
  std::map<std::string, Object> objects_;
  std::size_t learned_ = 0;
};

}  // namespace sluice::sim
