// The Responses dialect as a whole: the one object everybody else sees. Each method is one of the parts.

#include "dialect/responses.hpp"

#include "http/sse.hpp"

namespace sluice::dialect {
namespace {

class OpenAiResponses final : public Dialect {
 public:
  std::string_view name() const noexcept override { return responses_parts::kName; }

  std::optional<Recognised> recognise(std::string_view method, std::string_view path, std::string_view, const Headers&) const override {
    return responses_parts::recognise(method, path);
  }
  Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view) const override {
    return responses_parts::inspect(document, operation, wants, view);
  }
  Result<chat::Request> decode_request(const json::Document& document, Operation operation) const override {
    return responses_parts::decode_request(document, operation);
  }
  std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss) const override {
    return responses_parts::encode_answer(answer, form, loss);
  }
  std::string encode_error(const Error& error, const ErrorContext& context) const override {
    return responses_parts::encode_error(error, context);
  }
  std::unique_ptr<DeltaEncoder> delta_encoder(const AnswerForm& form) const override {
    return responses_parts::make_delta_encoder(form);
  }
  std::string encode_stream_error(const Error& error, const ErrorContext& context, Framing) const override {
    // Which number the event would have is not known here: readers want one, and look at it no further.
    std::string out;
    http::append_event(out, responses_parts::error_event(error, context.provider_text, 0), "error");
    return out;
  }
  // A comment: readers of event streams pass it over (WHATWG HTML 9.2.6).
  std::string_view stream_ping(Framing) const noexcept override { return ": keep-alive\n\n"; }

  bool serves(Operation operation) const noexcept override { return responses_parts::serves(operation); }
  std::string target_of(const Sending& sending) const override { return responses_parts::suffix_of(sending.operation); }
  std::string encode_request(const chat::Request& request, const Sending& sending, chat::LossReport& loss) const override {
    return responses_parts::encode_request(request, sending, loss);
  }
  Result<chat::Message> decode_answer(std::string_view body, const Asked& asked) const override {
    return responses_parts::decode_answer(body, asked.operation);
  }
  std::unique_ptr<DeltaDecoder> delta_decoder(const Asked&) const override { return responses_parts::make_delta_decoder(); }
  std::unique_ptr<AnswerTap> tap(const TapOptions& options) const override { return responses_parts::make_tap(options); }
  std::unique_ptr<AnswerEditor> answer_editor(Operation operation, bool streaming) const override {
    if (operation != Operation::kChat) return nullptr;
    return streaming ? responses_parts::make_stream_editor() : responses_parts::make_whole_editor();
  }
  // Every stream states its usage.
  Result<bool> ask_for_usage(base::EditedBody&, const json::Document&, const chat::RequestView&) const override { return false; }
  Status set_model(base::EditedBody& body, const json::Document& document, const chat::RequestView& view,
                   std::string_view model) const override {
    return responses_parts::set_model(body, document, view, model);
  }
  bool is_error_body(std::string_view body) const override { return responses_parts::is_error_body(body); }
  std::string event_text(std::string_view data) const override { return responses_parts::event_text(data); }
};

}  // namespace

const Dialect& openai_responses() noexcept {
  static const OpenAiResponses dialect;
  return dialect;
}

}  // namespace sluice::dialect
