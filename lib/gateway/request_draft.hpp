#pragma once
/// The request as one plugin changes it: a version to be. Body changes are splices over the version before, made together
/// when somebody looks or when the version is published. Knows requests and their dialect's reading; must not know plugins.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/exchange_view.hpp"
#include "json/document.hpp"
#include "json/splice.hpp"
#include "plugin/run.hpp"
#include "policy/model_policy.hpp"

namespace sluice::gateway {

class RequestDraft final : public plugin::RequestDraft {
 public:
  explicit RequestDraft(Exchange& exchange) : exchange_(exchange), reader_(exchange, *this) {}

  [[nodiscard]] const ExchangeView& view() const noexcept override { return reader_; }
  [[nodiscard]] Status set_header(std::string_view name, std::string_view value) override;
  void remove_header(std::string_view name) override;
  [[nodiscard]] Status set_body(std::string body) override;
  [[nodiscard]] Status set_json(std::string_view pointer, std::string_view json) override;
  [[nodiscard]] Status remove_json(std::string_view pointer) override;
  [[nodiscard]] Status set_prompt_text(std::size_t part, std::string_view text) override;
  [[nodiscard]] Status choose(std::vector<RouteChoice> choices) override;
  [[nodiscard]] Status publish() override;

 private:
  /// What the plugin sees of its own changes.
  class Reader final : public ExchangeReader {
   public:
    Reader(const Exchange& exchange, RequestDraft& draft) noexcept : ExchangeReader(exchange), draft_(draft) {}
    [[nodiscard]] std::span<const PromptPart> prompt() const override;

   protected:
    [[nodiscard]] const Headers& fields() const noexcept override;
    [[nodiscard]] const Body& text() const noexcept override;
    [[nodiscard]] const json::Document* document() const noexcept override;
    [[nodiscard]] const chat::RequestView& request() const noexcept override;

   private:
    RequestDraft& draft_;
  };
  /// A body of its own, parsed.
  struct Version {
    Body body;
    std::optional<json::Document> document;
    std::optional<chat::RequestView> view;  // once somebody has looked
  };

  [[nodiscard]] Headers& headers();
  [[nodiscard]] Status has_json() const;
  [[nodiscard]] const json::Document& base() const;
  [[nodiscard]] const chat::RequestView& seen();
  /// Makes the changes so far; a mistake in them is kept for publish(), and what was there stays.
  void settle();
  [[nodiscard]] Status take(Body body);
  [[nodiscard]] Status publish_body();

  Exchange& exchange_;
  Reader reader_;
  std::optional<Headers> headers_;
  std::vector<std::string> set_;                         // names of fields that were set
  std::unique_ptr<Version> version_;                     // null: the exchange's own body
  json::Editor changes_;                                 // to that
  bool reshaped_ = false;                                // of these, some may have moved or made prompt parts
  std::vector<std::pair<std::size_t, std::string_view>> retold_;   // prompt parts with another text
  std::deque<std::string> texts_;                        // those
  std::optional<Error> mistake_;
  std::optional<std::vector<policy::Choice>> chosen_;
};

}  // namespace sluice::gateway
