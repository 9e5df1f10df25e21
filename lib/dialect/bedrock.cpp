// The Bedrock dialect as a whole: the one object everybody else sees. Each method is one of the parts.

#include "dialect/bedrock.hpp"

namespace sluice::dialect {
namespace {

class Bedrock final : public Dialect {
 public:
  std::string_view name() const noexcept override { return bedrock_parts::kName; }

  std::optional<Recognised> recognise(std::string_view method, std::string_view path, std::string_view, const Headers&) const override {
    return bedrock_parts::recognise(method, path);
  }
  Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view) const override {
    return bedrock_parts::inspect(document, operation, wants, view);
  }
  Result<chat::Request> decode_request(const json::Document& document, Operation operation) const override {
    return bedrock_parts::decode_request(document, operation);
  }
  std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss) const override {
    return bedrock_parts::encode_answer(answer, form, loss);
  }
  std::string encode_error(const Error& error, const ErrorContext& context) const override {
    return bedrock_parts::encode_error(error, context);
  }
  void add_error_headers(const Error& error, Headers& headers) const override {
    headers.add_trusted("x-amzn-errortype", bedrock_parts::error_type(error));
  }
  std::unique_ptr<DeltaEncoder> delta_encoder(const AnswerForm& form) const override { return bedrock_parts::make_delta_encoder(form); }
  std::string encode_stream_error(const Error& error, const ErrorContext& context, Framing framing) const override {
    return bedrock_parts::encode_stream_error(error, context, framing);
  }
  // Clients know no frame that means nothing: an event they have no name for is an error to some.
  std::string_view stream_ping(Framing) const noexcept override { return {}; }

  bool serves(Operation operation) const noexcept override { return bedrock_parts::serves(operation); }
  std::string target_of(const Sending& sending) const override { return bedrock_parts::target_of(sending); }
  std::string encode_request(const chat::Request& request, const Sending& sending, chat::LossReport& loss) const override {
    return bedrock_parts::encode_request(request, sending, loss);
  }
  Result<chat::Message> decode_answer(std::string_view body, const Asked& asked) const override {
    return bedrock_parts::decode_answer(body, asked);
  }
  std::unique_ptr<DeltaDecoder> delta_decoder(const Asked& asked) const override { return bedrock_parts::make_delta_decoder(asked); }
  std::unique_ptr<AnswerTap> tap(const TapOptions& options) const override { return bedrock_parts::make_tap(options); }
  std::unique_ptr<AnswerEditor> answer_editor(Operation operation, bool streaming) const override {
    if (operation != Operation::kChat) return nullptr;
    return streaming ? bedrock_parts::make_stream_editor() : bedrock_parts::make_whole_editor();
  }
  // The last event of every stream states it.
  Result<bool> ask_for_usage(base::EditedBody&, const json::Document&, const chat::RequestView&) const override { return false; }
  // The path names the model, target_of() writes it: the body has no place for it and needs none.
  Status set_model(base::EditedBody&, const json::Document&, const chat::RequestView&, std::string_view) const override { return {}; }
  bool is_error_body(std::string_view body) const override { return bedrock_parts::is_error_body(body); }
  /// As SDKs show them: an object whose one member is named like the event.
  http::NamedEvent framed(std::string_view data) const override { return bedrock_parts::framed(data); }
  std::string event_text(std::string_view data) const override { return bedrock_parts::event_text(data); }
};

}  // namespace

const Dialect& bedrock() noexcept {
  static const Bedrock dialect;
  return dialect;
}

}  // namespace sluice::dialect
