// Ollama's dialect as a whole: the one object everybody else sees. Each method is one of the parts.

#include "dialect/ollama.hpp"

#include "dialect/openai.hpp"

namespace sluice::dialect {
namespace {

class Ollama final : public Dialect {
 public:
  std::string_view name() const noexcept override { return ollama_parts::kName; }

  std::optional<Recognised> recognise(std::string_view method, std::string_view path, std::string_view,
                                      const Headers&) const override {
    return ollama_parts::recognise(method, path);
  }
  Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view) const override {
    return ollama_parts::inspect(document, operation, wants, view);
  }
  Result<chat::Request> decode_request(const json::Document& document, Operation operation) const override {
    return ollama_parts::decode_request(document, operation);
  }
  std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss) const override {
    return ollama_parts::encode_answer(answer, form, loss);
  }
  std::string encode_error(const Error& error, const ErrorContext& context) const override {
    return ollama_parts::encode_error(error, context);
  }
  std::unique_ptr<DeltaEncoder> delta_encoder(const AnswerForm& form) const override { return ollama_parts::make_delta_encoder(form); }
  std::string encode_stream_error(const Error& error, const ErrorContext& context, Framing) const override {
    return ollama_parts::encode_error(error, context) + "\n";
  }
  // Its clients parse every line.
  std::string_view stream_ping(Framing) const noexcept override { return {}; }

  bool serves(Operation operation) const noexcept override { return !ollama_parts::suffix_of(operation).empty(); }
  std::string target_of(const Sending& sending) const override { return std::string(ollama_parts::suffix_of(sending.operation)); }
  std::string encode_request(const chat::Request& request, const Sending&, chat::LossReport& loss) const override {
    return ollama_parts::encode_request(request, loss);
  }
  Result<chat::Message> decode_answer(std::string_view body, const Asked& asked) const override {
    return ollama_parts::decode_answer(body, asked.operation);
  }
  std::unique_ptr<DeltaDecoder> delta_decoder(const Asked&) const override { return ollama_parts::make_delta_decoder(); }
  std::unique_ptr<AnswerTap> tap(const TapOptions& options) const override { return ollama_parts::make_tap(options); }
  std::unique_ptr<AnswerEditor> answer_editor(Operation operation, bool streaming) const override {
    return operation == Operation::kChat ? ollama_parts::make_editor(streaming) : nullptr;
  }
  // The last line of every stream states it.
  Result<bool> ask_for_usage(base::EditedBody&, const json::Document&, const chat::RequestView&) const override { return false; }
  Status set_model(base::EditedBody& body, const json::Document& document, const chat::RequestView& view,
                   std::string_view model) const override {
    return openai_parts::set_model(body, document, view, model);
  }
  bool is_error_body(std::string_view body) const override { return ollama_parts::is_error_body(body); }
  std::string event_text(std::string_view data) const override { return ollama_parts::event_text(data); }
};

}  // namespace

const Dialect& ollama() noexcept {
  static const Ollama dialect;
  return dialect;
}

}  // namespace sluice::dialect
