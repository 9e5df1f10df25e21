#pragma once
/// A value that must not be seen: it prints as ***, and is wiped when it goes.

#include <string>
#include <string_view>

#include "sluice/error.hpp"

namespace [[gnu::visibility("default")]] sluice {

/// Where a secret comes from. It is a reference: nothing is read before resolve().
class Secret {
 public:
  enum class Source { kNone, kLiteral, kEnvironment, kFile };

  Secret() = default;
  /// The value itself; for programs and tests. A configuration file refers to secrets instead.
  [[nodiscard]] static Secret literal(std::string value);
  /// The environment variable `name`, read when the gateway opens or reloads.
  [[nodiscard]] static Secret env(std::string name);
  /// The file at `path`, one trailing newline stripped, read when the gateway opens or reloads.
  [[nodiscard]] static Secret file(std::string path);

  Secret(const Secret&) = default;
  Secret(Secret&&) noexcept = default;
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&&) noexcept = default;
  ~Secret();

  [[nodiscard]] Source source() const noexcept { return source_; }
  [[nodiscard]] bool empty() const noexcept { return source_ == Source::kNone; }
  /// The variable or path it refers to; empty for a literal. Lifetime: this object.
  [[nodiscard]] std::string_view reference() const noexcept;

  /// The value. Errors: kSecretMissing names the variable or file. Thread: any.
  [[nodiscard]] Result<std::string> resolve() const;

  /// Same reference (or same literal), so the same credential across a reload.
  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  Source source_ = Source::kNone;
  std::string text_;  // literal value, variable name or path
};

/// `***` for a literal, the reference otherwise.
[[nodiscard]] std::string to_string(const Secret& secret);

}  // namespace sluice
