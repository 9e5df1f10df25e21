#pragma once
/// Which requests are meant: tests on their path, header, model, body, prompt and tools. Plain values.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace [[gnu::visibility("default")]] sluice {

/// A test on one header field. A missing field never matches; of several with one name, one must fit. A regular
/// expression (RE2, here and below) is looked for anywhere: `^` and `$` tie it to the ends.
struct HeaderMatch {
  std::string name = {};
  enum class Op : std::uint8_t { kExact, kPrefix, kGlob, kRegex, kPresent } op = Op::kPresent;
  std::string value = {};
};

/// A JSON scalar in a rule.
using Scalar = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string>;

/// A typed test on one field of the JSON body, found by JSON Pointer. A missing field never matches (kExists aside).
/// Numbers are compared by value (1 is 1.0, exactly), globs and expressions fit strings only: "1" is not 1.
struct BodyMatch {
  std::string pointer = {};
  enum class Op : std::uint8_t { kEquals, kIn, kExists, kLess, kLessEqual, kGreater, kGreaterEqual, kGlob, kRegex } op = Op::kExists;
  std::vector<Scalar> values = {};  ///< one, or several for kIn; for kExists one bool: whether it must be there
};

/// A test on the decoded text of the prompt, each part by itself. Ignoring case folds one character to one, as Unicode's
/// simple case folding does, in every script.
struct PromptMatch {
  enum class Where : std::uint8_t { kAny, kLastUser, kSystem } where = Where::kAny;
  enum class Op : std::uint8_t { kContains, kRegex } op = Op::kContains;
  std::string value = {};
  bool ignore_case = false;
};

/// A test on tools: any of the named globs must fit. Empty lists test nothing.
struct ToolMatch {
  std::vector<std::string> offered = {};      ///< a tool the request offers
  std::vector<std::string> forced = {};       ///< the tool `tool_choice` forces
  std::vector<std::string> last_called = {};  ///< a tool the last assistant message called
};

/// All that is set must hold. Nothing set = every request.
struct Match {
  /// Exact, or a pattern where it holds `*` (within one segment), `**` (last: any rest, none included) or `{name}` (one
  /// segment or, as in `{model}:generate`, part of one, captured). Stars and names stand for something: never for an
  /// empty segment.
  std::string path = {};
  /// This path and everything below it: `/v1` takes `/v1/x`, not `/v1x`.
  std::string path_prefix = {};
  /// `api.example.com`, or `*.example.com` for exactly one label more. Any of them.
  std::vector<std::string> hosts = {};
  std::vector<std::string> methods = {};
  std::vector<HeaderMatch> headers = {};
  /// Globs on the model asked for, as the request says it. An absent model takes the route's default model.
  std::vector<std::string> models = {};
  std::vector<BodyMatch> body = {};
  std::vector<PromptMatch> prompt = {};
  ToolMatch tools = {};
  std::optional<bool> stream = {};
  std::vector<std::string> consumers = {};
};

}  // namespace sluice
