// The OpenAI dialect as a whole: the one object everybody else sees. Each method is one of the parts.

#include "dialect/openai.hpp"

#include "dialect/providers.hpp"
#include "http/sse.hpp"

namespace sluice::dialect {
namespace {

class OpenAi final : public Dialect {
 public:
  std::string_view name() const noexcept override { return openai_parts::kName; }

  std::optional<Recognised> recognise(std::string_view method, std::string_view path, std::string_view,
                                      const Headers&) const override {
    return openai_parts::recognise(method, path);
  }
  Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view) const override {
    return openai_parts::inspect(document, operation, wants, view);
  }
  Result<chat::Request> decode_request(const json::Document& document, Operation operation) const override {
    return openai_parts::decode_request(document, operation);
  }
  std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss) const override {
    return openai_parts::encode_answer(answer, form.operation, loss, form.model);
  }
  std::string encode_error(const Error& error, const ErrorContext& context) const override {
    return openai_parts::encode_error(error, context);
  }
  bool ends_anywhere() const noexcept override { return true; }
  std::unique_ptr<DeltaEncoder> delta_encoder(const AnswerForm& form) const override {
    return openai_parts::make_delta_encoder(form.operation, form.usage, form.model);
  }
  std::string encode_stream_error(const Error& error, const ErrorContext& context, Framing) const override {
    // No [DONE] behind it: a stream that failed has not been completed.
    std::string out;
    http::append_event(out, openai_parts::encode_error(error, context));
    return out;
  }
  // A comment: readers of event streams pass it over (WHATWG HTML 9.2.6).
  std::string_view stream_ping(Framing) const noexcept override { return ": keep-alive\n\n"; }

  bool serves(Operation operation) const noexcept override { return openai_parts::serves(operation); }
  std::string target_of(const Sending& sending) const override {
    if ((sending.quirks & kInvoked) != 0) return invoke_target(sending);
    return (sending.quirks & kDeployments) != 0 ? openai_parts::deployment_target(sending.operation, sending.model)
                                                : openai_parts::suffix_of(sending.operation, sending.model);
  }
  std::string encode_request(const chat::Request& request, const Sending& sending, chat::LossReport& loss) const override {
    return openai_parts::encode_request(request, sending, loss);
  }
  Result<chat::Message> decode_answer(std::string_view body, const Asked& asked) const override {
    return openai_parts::decode_answer(body, asked.operation);
  }
  std::unique_ptr<DeltaDecoder> delta_decoder(const Asked& asked) const override {
    return openai_parts::make_delta_decoder(asked.operation);
  }
  std::unique_ptr<AnswerTap> tap(const TapOptions& options) const override { return openai_parts::make_tap(options); }
  std::unique_ptr<AnswerEditor> answer_editor(Operation operation, bool streaming) const override {
    if (operation != Operation::kChat && operation != Operation::kCompletions) return nullptr;
    return streaming ? openai_parts::make_stream_editor(operation) : openai_parts::make_whole_editor(operation);
  }
  Result<bool> ask_for_usage(base::EditedBody& body, const json::Document& document, const chat::RequestView& view) const override {
    return openai_parts::ask_for_usage(body, document, view);
  }
  Status set_model(base::EditedBody& body, const json::Document& document, const chat::RequestView& view,
                   std::string_view model) const override {
    return openai_parts::set_model(body, document, view, model);
  }
  bool is_error_body(std::string_view body) const override { return openai_parts::is_error_body(body); }
  std::string event_text(std::string_view data) const override { return openai_parts::event_text(data); }
};

}  // namespace

const Dialect& openai() noexcept {
  static const OpenAi dialect;
  return dialect;
}

}  // namespace sluice::dialect
