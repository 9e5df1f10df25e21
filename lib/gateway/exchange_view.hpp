#pragma once
/// What plugins read of an exchange: identity, the head, and the present version of the request. Knows where an exchange
/// keeps these; must not change any of it.

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "chat/request_view.hpp"
#include "json/document.hpp"
#include "sluice/plugin.hpp"

namespace sluice::gateway {

class Exchange;

/// Lifetime: that of the exchange. What is not read costs nothing. Thread: the exchange's.
class ExchangeReader : public ExchangeView {
 public:
  explicit ExchangeReader(const Exchange& exchange) noexcept : exchange_(exchange) {}
  virtual ~ExchangeReader() = default;
  ExchangeReader(const ExchangeReader&) = delete;
  ExchangeReader& operator=(const ExchangeReader&) = delete;

  [[nodiscard]] std::string_view id() const noexcept override;
  [[nodiscard]] std::string_view operation() const noexcept override;
  [[nodiscard]] std::string_view dialect() const noexcept override;
  [[nodiscard]] std::string_view consumer() const noexcept override;
  [[nodiscard]] std::string_view tenant() const noexcept override;
  [[nodiscard]] std::string_view route() const noexcept override;
  [[nodiscard]] std::string_view method() const noexcept override;
  [[nodiscard]] std::string_view path() const noexcept override;
  [[nodiscard]] const Headers& headers() const noexcept override;
  [[nodiscard]] std::string_view model() const noexcept override;
  [[nodiscard]] bool stream() const noexcept override;
  [[nodiscard]] std::string_view body() const noexcept override;
  [[nodiscard]] std::span<const PromptPart> prompt() const override;
  [[nodiscard]] std::span<const std::string_view> tools_offered() const override;
  [[nodiscard]] std::string_view tool_forced() const noexcept override;
  [[nodiscard]] std::span<const std::string_view> tools_called() const override;
  [[nodiscard]] const RequestShape& shape() const override;
  [[nodiscard]] std::uint64_t estimated_input_tokens() const override;
  [[nodiscard]] TimePoint now() const noexcept override;
  [[nodiscard]] std::optional<TimePoint> deadline() const noexcept override;

  /// The version that was read is not the present one any more. / Its texts alone are others.
  void forget() noexcept;
  void forget_tokens() noexcept { tokens_.reset(); }

 protected:
  // A version: that of the exchange, or one to be.
  [[nodiscard]] virtual const Headers& fields() const noexcept;
  [[nodiscard]] virtual const Body& text() const noexcept;
  [[nodiscard]] virtual const json::Document* document() const noexcept;
  [[nodiscard]] virtual const chat::RequestView& request() const noexcept;

  const Exchange& exchange_;
  mutable std::vector<PromptPart> parts_;

 private:
  // Made when first asked for.
  mutable std::optional<Headers> shown_;
  mutable bool parts_made_ = false;
  mutable std::optional<std::uint64_t> tokens_;
};

}  // namespace sluice::gateway
