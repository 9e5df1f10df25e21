// The Anthropic dialect as a whole: the one object everybody else sees. Each method is one of the parts.

#include "dialect/anthropic.hpp"

#include "http/event_reader.hpp"

namespace sluice::dialect {
namespace {

class Anthropic final : public Dialect {
 public:
  std::string_view name() const noexcept override { return anthropic_parts::kName; }

  std::optional<Recognised> recognise(std::string_view method, std::string_view path, std::string_view, const Headers& headers) const override {
    return anthropic_parts::recognise(method, path, headers);
  }
  Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view) const override {
    return anthropic_parts::inspect(document, operation, wants, view);
  }
  Result<chat::Request> decode_request(const json::Document& document, Operation operation) const override {
    return anthropic_parts::decode_request(document, operation);
  }
  std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss) const override {
    return anthropic_parts::encode_answer(answer, form, loss);
  }
  std::string encode_error(const Error& error, const ErrorContext& context) const override {
    return anthropic_parts::encode_error(error, context);
  }
  std::unique_ptr<DeltaEncoder> delta_encoder(const AnswerForm& form) const override {
    return anthropic_parts::make_delta_encoder(form);
  }
  std::string encode_stream_error(const Error& error, const ErrorContext& context, Framing framing) const override {
    std::string out;
    http::append_event(out, framing, anthropic_parts::encode_error(error, context), "error");
    return out;
  }
  // An event of the dialect's own, which its clients pass over; hosts with another framing send none.
  std::string_view stream_ping(Framing framing) const noexcept override {
    return framing == Framing::kSse ? "event: ping\ndata: {\"type\": \"ping\"}\n\n" : "";
  }

  bool serves(Operation operation) const noexcept override { return anthropic_parts::serves(operation); }
  std::string target_of(const Sending& sending) const override { return anthropic_parts::target_of(sending); }
  void add_headers(const Sending&, Headers& headers) const override { anthropic_parts::add_headers(headers); }
  std::string encode_request(const chat::Request& request, const Sending& sending, chat::LossReport& loss) const override {
    return anthropic_parts::encode_request(request, sending, loss);
  }
  Result<chat::Message> decode_answer(std::string_view body, const Asked& asked) const override {
    return anthropic_parts::decode_answer(body, asked.operation);
  }
  std::unique_ptr<DeltaDecoder> delta_decoder(const Asked&) const override { return anthropic_parts::make_delta_decoder(); }
  std::unique_ptr<AnswerTap> tap(const TapOptions& options) const override { return anthropic_parts::make_tap(options); }
  std::unique_ptr<AnswerEditor> answer_editor(Operation operation, bool streaming) const override {
    if (operation != Operation::kChat) return nullptr;
    return streaming ? anthropic_parts::make_stream_editor() : anthropic_parts::make_whole_editor();
  }
  // Every stream states its usage.
  Result<bool> ask_for_usage(base::EditedBody&, const json::Document&, const chat::RequestView&) const override { return false; }
  Status set_model(base::EditedBody& body, const json::Document& document, const chat::RequestView& view,
                   std::string_view model) const override {
    return anthropic_parts::set_model(body, document, view, model);
  }
  bool is_error_body(std::string_view body) const override { return anthropic_parts::is_error_body(body); }
  /// Named by their type.
  http::NamedEvent framed(std::string_view data) const override { return {anthropic_parts::event_name(data), data}; }
  std::string event_text(std::string_view data) const override { return anthropic_parts::event_text(data); }
};

}  // namespace

const Dialect& anthropic() noexcept {
  static const Anthropic dialect;
  return dialect;
}

}  // namespace sluice::dialect
