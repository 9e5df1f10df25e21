#pragma once
/// Listens to a whole answer whose counts and reasons are members of its root: they are picked out as bytes pass, and nothing
/// is kept of the rest. Knows JSON; what the members mean, a dialect says.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "dialect/dialect.hpp"
#include "json/field_scanner.hpp"

namespace sluice::dialect {

class RootTap : public AnswerTap {
 public:
  /// `fields` are the root members to be picked out; a value longer than 16 KiB is passed over.
  explicit RootTap(std::span<const std::string_view> fields) : scanner_(fields, kMaxFieldBytes) {}

  TapVerdict on_event(std::string_view, std::string_view) final { return {}; }
  Status on_bytes(std::string_view bytes) final;
  Status on_end() final;
  const chat::Usage& usage() const noexcept final { return usage_; }
  std::string_view model() const noexcept final { return model_; }
  std::string_view finish_reason() const noexcept final { return finish_; }
  const std::optional<Error>& error() const noexcept final { return error_; }

 protected:
  /// What was picked out, once the answer is over: fills what follows.
  virtual void read() = 0;
  /// The member's JSON text; empty where there is none.
  [[nodiscard]] std::string_view raw(std::size_t field) const noexcept { return scanner_.value(field); }
  /// A member that is a string, decoded; empty for anything else.
  [[nodiscard]] std::string text(std::size_t field) const;

  chat::Usage usage_;
  std::string model_, finish_;
  std::optional<Error> error_;

 private:
  static constexpr std::size_t kMaxFieldBytes = 16 << 10;
  json::FieldScanner scanner_;
  bool started_ = false;
};

}  // namespace sluice::dialect
