// The Gemini dialect as a whole: the one object everybody else sees. Each method is one of the parts.

#include "dialect/gemini.hpp"

namespace sluice::dialect {
namespace {

class Gemini final : public Dialect {
 public:
  std::string_view name() const noexcept override { return gemini_parts::kName; }

  std::optional<Recognised> recognise(std::string_view method, std::string_view path, std::string_view query,
                                      const Headers& headers) const override {
    return gemini_parts::recognise(method, path, query, headers);
  }
  Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view) const override {
    return gemini_parts::inspect(document, operation, wants, view);
  }
  Result<chat::Request> decode_request(const json::Document& document, Operation operation) const override {
    return gemini_parts::decode_request(document, operation);
  }
  std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss) const override {
    return gemini_parts::encode_answer(answer, form, loss);
  }
  std::string encode_error(const Error& error, const ErrorContext& context) const override {
    return gemini_parts::encode_error(error, context);
  }
  std::unique_ptr<DeltaEncoder> delta_encoder(const AnswerForm& form) const override { return gemini_parts::make_delta_encoder(form); }
  std::string encode_stream_error(const Error& error, const ErrorContext& context, Framing framing) const override {
    // Behind the elements that were sent, and the last of them.
    std::string out;
    http::append_event(out, framing, gemini_parts::encode_error(error, context));
    if (framing == Framing::kJsonArray) out += "\n]\n";
    return out;
  }
  // A comment of an event stream; blanks between the elements of an array.
  std::string_view stream_ping(Framing framing) const noexcept override { return framing == Framing::kJsonArray ? "\n" : ": keep-alive\n\n"; }

  bool serves(Operation operation) const noexcept override { return gemini_parts::serves(operation); }
  std::string target_of(const Sending& sending) const override { return gemini_parts::target_of(sending); }
  std::string encode_request(const chat::Request& request, const Sending& sending, chat::LossReport& loss) const override {
    return gemini_parts::encode_request(request, sending, loss);
  }
  Result<chat::Message> decode_answer(std::string_view body, const Asked& asked) const override {
    return gemini_parts::decode_answer(body, asked.operation);
  }
  std::unique_ptr<DeltaDecoder> delta_decoder(const Asked&) const override { return gemini_parts::make_delta_decoder(); }
  std::unique_ptr<AnswerTap> tap(const TapOptions& options) const override { return gemini_parts::make_tap(options); }
  std::unique_ptr<AnswerEditor> answer_editor(Operation operation, bool streaming) const override {
    if (operation != Operation::kChat) return nullptr;
    return streaming ? gemini_parts::make_stream_editor() : gemini_parts::make_whole_editor();
  }
  Result<bool> ask_for_usage(base::EditedBody&, const json::Document&, const chat::RequestView&) const override { return false; }
  Status set_model(base::EditedBody& body, const json::Document& document, const chat::RequestView&, std::string_view model) const override {
    return gemini_parts::set_model(body, document, model);
  }
  bool is_error_body(std::string_view body) const override { return gemini_parts::is_error_body(body); }
  std::string event_text(std::string_view data) const override { return gemini_parts::event_text(data); }
};

}  // namespace

const Dialect& gemini() noexcept {
  static const Gemini dialect;
  return dialect;
}

}  // namespace sluice::dialect
