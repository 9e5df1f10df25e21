#pragma once
/// The conditions that read a request: header fields, body fields, prompt text and tools. Each holds or says why not.
/// Knows the form of one condition; must not know routes.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/request_view.hpp"
#include "json/document.hpp"
#include "policy/regex.hpp"
#include "sluice/headers.hpp"
#include "sluice/route.hpp"

namespace sluice::policy {

/// A test on a header field. Where a name stands several times, one of its values must fit.
class HeaderRule {
 public:
  /// Errors: kInvalidConfiguration; `param` is the key the mistake stands under, empty for the rule as a whole.
  [[nodiscard]] static Result<HeaderRule> compile(const HeaderMatch& match);
  [[nodiscard]] bool holds(const Headers& headers) const;
  /// `header x-team is "b", not "a"`
  [[nodiscard]] std::string why_not(const Headers& headers) const;

 private:
  explicit HeaderRule(const HeaderMatch& match) : match_(match) {}
  [[nodiscard]] bool fits(std::string_view value) const;
  HeaderMatch match_;
  std::optional<Regex> regex_;
};

/// A typed test on a field of the body.
class BodyRule {
 public:
  [[nodiscard]] static Result<BodyRule> compile(const BodyMatch& match);
  /// Errors: kDuplicateKey where the pointer leads over a key that stands twice.
  [[nodiscard]] Result<bool> holds(const json::Document& document) const;
  [[nodiscard]] std::string why_not(const json::Document& document) const;

 private:
  explicit BodyRule(const BodyMatch& match) : match_(match) {}
  [[nodiscard]] bool fits(const json::Value& value) const;
  BodyMatch match_;
  std::optional<Regex> regex_;
};

/// A test on the decoded text of the prompt. Each run of text is looked at by itself: a match spans no two parts.
class PromptRule {
 public:
  [[nodiscard]] static Result<PromptRule> compile(const PromptMatch& match);
  [[nodiscard]] bool holds(const chat::RequestView& view) const;
  [[nodiscard]] std::string why_not() const;

 private:
  PromptRule(const PromptMatch& match, Regex regex) : match_(match), regex_(std::move(regex)) {}
  PromptMatch match_;
  Regex regex_;
};

/// True where the JSON value is the scalar: numbers by value (1 is 1.0, exactly compared), everything else by type too.
[[nodiscard]] bool equals(const Scalar& scalar, const json::Value& value);
/// A scalar as it would stand in JSON.
[[nodiscard]] std::string in_json(const Scalar& scalar);

/// The key a form stands under in a configuration: `prefix`, `lt`.
[[nodiscard]] std::string_view key_of(HeaderMatch::Op op) noexcept;
[[nodiscard]] std::string_view key_of(BodyMatch::Op op) noexcept;
[[nodiscard]] std::string_view key_of(PromptMatch::Op op) noexcept;

}  // namespace sluice::policy
