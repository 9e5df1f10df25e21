// Dialects made of configurations, as everybody else sees them. Clients speak none: what concerns them is never asked.

#include "dialect/rest.hpp"

#include <utility>

#include "dialect/openai.hpp"
#include "dialect/rest_parts.hpp"

namespace sluice::dialect {
namespace {

class Rest final : public Dialect {
 public:
  explicit Rest(rest_parts::Surface surface) : surface_(std::move(surface)) {}

  std::string_view name() const noexcept override { return surface_.name; }

  // Inbound. Nobody is recognised, so that nobody's requests are read and nobody is answered.
  std::optional<Recognised> recognise(std::string_view, std::string_view, std::string_view, const Headers&) const override {
    return std::nullopt;
  }
  Status inspect(const json::Document&, Operation, std::uint32_t, chat::RequestView&) const override {
    return fail(Code::kInvalidRequest, "no client speaks '" + surface_.name + "'");
  }
  Result<chat::Request> decode_request(const json::Document&, Operation) const override {
    return fail(Code::kInvalidRequest, "no client speaks '" + surface_.name + "'");
  }
  std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss) const override {
    return openai_parts::encode_answer(answer, form.operation, loss, form.model);
  }
  std::string encode_error(const Error& error, const ErrorContext& context) const override { return openai_parts::encode_error(error, context); }
  std::unique_ptr<DeltaEncoder> delta_encoder(const AnswerForm& form) const override {
    return openai_parts::make_delta_encoder(form.operation, form.usage);
  }
  std::string encode_stream_error(const Error& error, const ErrorContext& context, Framing framing) const override {
    std::string out;
    http::append_event(out, framing, openai_parts::encode_error(error, context));
    return out;
  }
  std::string_view stream_ping(Framing) const noexcept override { return {}; }

  // Outbound.
  bool serves(Operation operation) const noexcept override { return surface_.find(operation) != nullptr; }
  std::string target_of(const Sending& sending) const override {
    const rest_parts::Spoken* spoken = surface_.find(sending.operation);
    if (spoken == nullptr) return {};
    return (sending.streaming ? spoken->stream_path : spoken->path).with(sending.model);
  }
  std::string encode_request(const chat::Request& request, const Sending& sending, chat::LossReport& loss) const override {
    const rest_parts::Spoken* spoken = surface_.find(request.operation);
    if (spoken != nullptr) return rest_parts::encode_request(request, surface_, *spoken, sending, loss);
    loss.add("", "'" + surface_.name + "' has no " + std::string(to_string(request.operation)), chat::LossSeverity::kSemantic);
    return {};
  }
  Result<chat::Message> decode_answer(std::string_view body, const Asked& asked) const override {
    const rest_parts::Spoken* spoken = surface_.find(asked.operation);
    if (spoken == nullptr) return fail(Code::kUnsupportedOperation, "'" + surface_.name + "' has no " + std::string(to_string(asked.operation)));
    return rest_parts::decode_answer(body, surface_, *spoken, asked);
  }
  std::unique_ptr<DeltaDecoder> delta_decoder(const Asked& asked) const override {
    const rest_parts::Spoken* spoken = surface_.find(asked.operation);
    // A stream from who was said to have none: OpenAI's is the likeliest.
    if (spoken == nullptr || !spoken->stream) return openai_parts::make_delta_decoder(asked.operation);
    return rest_parts::make_delta_decoder(surface_, *spoken);
  }
  std::optional<Framing> stream_framing(Operation operation) const noexcept override {
    const rest_parts::Spoken* spoken = surface_.find(operation);
    return spoken != nullptr && spoken->stream ? std::optional(spoken->stream->framing) : std::nullopt;
  }
  // Callers speak another dialect, always: their answers are heard and changed as that one.
  std::unique_ptr<AnswerTap> tap(const TapOptions& options) const override { return openai_parts::make_tap(options); }
  std::unique_ptr<AnswerEditor> answer_editor(Operation, bool) const override { return nullptr; }
  Result<bool> ask_for_usage(base::EditedBody&, const json::Document&, const chat::RequestView&) const override { return false; }
  Status set_model(base::EditedBody&, const json::Document&, const chat::RequestView&, std::string_view) const override {
    return fail(Code::kInvalidModel, "no client speaks '" + surface_.name + "'");
  }
  bool is_error_body(std::string_view) const override { return false; }
  std::string event_text(std::string_view) const override { return {}; }

 private:
  const rest_parts::Surface surface_;
};

}  // namespace

std::vector<RestFault> judge_rest(const RestOptions& options) {
  std::vector<rest_parts::Fault> faults;
  (void)rest_parts::compile("", options, faults);
  std::vector<RestFault> out;
  for (rest_parts::Fault& fault : faults) out.push_back({std::move(fault.pointer), std::move(fault.message)});
  return out;
}

Result<std::shared_ptr<const Dialect>> make_rest_dialect(std::string_view name, const RestOptions& options) {
  std::vector<rest_parts::Fault> faults;
  rest_parts::Surface surface = rest_parts::compile(name, options, faults);
  if (!faults.empty()) {
    return fail(Code::kInvalidConfiguration, "rest" + faults.front().pointer + " " + faults.front().message, "rest" + faults.front().pointer);
  }
  return std::make_shared<const Rest>(std::move(surface));
}

RestOptions surface_of(std::string_view provider, const RestOptions& own) {
  const RestOptions* surface = find_surface(provider);
  if (surface == nullptr) return own;
  RestOptions out = *surface;
  if (own.prompt) out.prompt = own.prompt;
  return out;
}

bool takes_prompts(const RestOptions& surface) {
  std::vector<rest_parts::Fault> faults;
  const rest_parts::Surface compiled = rest_parts::compile("", surface, faults);
  const rest_parts::Spoken* chat = compiled.find(Operation::kChat);
  return chat != nullptr && chat->request.uses(rest_parts::Said::kPrompt);
}

}  // namespace sluice::dialect
