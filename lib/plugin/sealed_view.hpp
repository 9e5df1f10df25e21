#pragma once
/// An exchange whose content is sealed: identity can be read, body, prompt and tools are empty. What an observer is opened
/// with, and what is left to see of an exchange that is gone.

#include "sluice/plugin.hpp"

namespace sluice::plugin {

class SealedView final : public ExchangeView {
 public:
  /// Of nothing: everything is empty.
  SealedView() = default;
  /// Lifetime: `inside` is borrowed.
  explicit SealedView(const ExchangeView& inside) noexcept : inside_(&inside) {}

  std::string_view id() const noexcept override { return inside_ ? inside_->id() : std::string_view{}; }
  std::string_view operation() const noexcept override { return inside_ ? inside_->operation() : std::string_view{}; }
  std::string_view dialect() const noexcept override { return inside_ ? inside_->dialect() : std::string_view{}; }
  std::string_view consumer() const noexcept override { return inside_ ? inside_->consumer() : std::string_view{}; }
  std::string_view tenant() const noexcept override { return inside_ ? inside_->tenant() : std::string_view{}; }
  std::string_view route() const noexcept override { return inside_ ? inside_->route() : std::string_view{}; }
  std::string_view method() const noexcept override { return inside_ ? inside_->method() : std::string_view{}; }
  std::string_view path() const noexcept override { return inside_ ? inside_->path() : std::string_view{}; }
  const Headers& headers() const noexcept override { return inside_ ? inside_->headers() : none_; }
  std::string_view model() const noexcept override { return inside_ ? inside_->model() : std::string_view{}; }
  bool stream() const noexcept override { return inside_ && inside_->stream(); }
  std::string_view body() const noexcept override { return {}; }
  std::span<const PromptPart> prompt() const override { return {}; }
  std::span<const std::string_view> tools_offered() const override { return {}; }
  std::string_view tool_forced() const noexcept override { return {}; }
  std::span<const std::string_view> tools_called() const override { return {}; }
  const RequestShape& shape() const override { return shapeless_; }
  std::uint64_t estimated_input_tokens() const override { return inside_ ? inside_->estimated_input_tokens() : 0; }
  TimePoint now() const noexcept override { return inside_ ? inside_->now() : TimePoint{}; }
  std::optional<TimePoint> deadline() const noexcept override { return inside_ ? inside_->deadline() : std::nullopt; }

 private:
  const ExchangeView* inside_ = nullptr;
  const Headers none_ = {};
  const RequestShape shapeless_ = {};
};

}  // namespace sluice::plugin
