// The dialects of Voyage and Jina as a whole: the objects everybody else sees. Their embeddings are answered as OpenAI's are.

#include "dialect/ranker.hpp"

#include <array>

#include "dialect/openai.hpp"
#include "dialect/reading.hpp"
#include "http/sse.hpp"
#include "json/writer.hpp"

namespace sluice::dialect {
namespace {

using ranker_parts::Words;

struct Known {
  std::string_view suffix;
  Operation operation;
};
constexpr std::array kKnown{Known{"/rerank", Operation::kRerank}, Known{"/embeddings", Operation::kEmbeddings}};

class Ranker final : public Dialect {
 public:
  explicit Ranker(const Words& words) : words_(words) {}

  std::string_view name() const noexcept override { return words_.name; }

  std::optional<Recognised> recognise(std::string_view method, std::string_view path, std::string_view,
                                      const Headers&) const override {
    for (const Known& known : kKnown) {
      if (!path.ends_with(known.suffix)) continue;
      return Recognised{.operation = known.operation,
                        .suffix = path.substr(path.size() - known.suffix.size()),
                        .method_ok = method == "POST",
                        .allow = "POST"};
    }
    return std::nullopt;
  }
  Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view) const override {
    return ranker_parts::inspect(document, operation, wants, view, words_);
  }
  Result<chat::Request> decode_request(const json::Document& document, Operation operation) const override {
    return ranker_parts::decode_request(document, operation, words_);
  }
  std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss) const override {
    if (form.operation == Operation::kRerank) return ranker_parts::encode_ranking(answer, form, words_);
    return openai_parts::encode_answer(answer, form.operation, loss, form.model, openai_parts::UsageForm::kTotalAlone);
  }
  std::string encode_error(const Error& error, const ErrorContext& context) const override {
    const bool provider = error.code == Code::kUpstreamStatus || error.code == Code::kUpstreamError;
    std::string out;
    json::Writer writer(out);
    writer.begin_object();
    writer.field("detail", provider && !context.provider_text.empty() ? context.provider_text : std::string_view(error.message));
    writer.end_object();
    return out;
  }
  // Nothing of these servers is a stream: what follows for streams is OpenAI's, and never asked.
  std::unique_ptr<DeltaEncoder> delta_encoder(const AnswerForm& form) const override {
    return openai_parts::make_delta_encoder(form.operation, form.usage);
  }
  std::string encode_stream_error(const Error& error, const ErrorContext& context, Framing framing) const override {
    std::string out;
    http::append_event(out, framing, encode_error(error, context));
    return out;
  }
  std::string_view stream_ping(Framing) const noexcept override { return {}; }

  bool serves(Operation operation) const noexcept override { return !suffix_of(operation).empty(); }
  std::string target_of(const Sending& sending) const override { return std::string(suffix_of(sending.operation)); }
  std::string encode_request(const chat::Request& request, const Sending&, chat::LossReport& loss) const override {
    return ranker_parts::encode_request(request, words_, loss);
  }
  Result<chat::Message> decode_answer(std::string_view body, const Asked& asked) const override {
    if (asked.operation == Operation::kRerank) return ranker_parts::decode_ranking(body, asked, words_);
    return openai_parts::decode_answer(body, asked.operation);
  }
  std::unique_ptr<DeltaDecoder> delta_decoder(const Asked& asked) const override { return openai_parts::make_delta_decoder(asked.operation); }
  std::unique_ptr<AnswerTap> tap(const TapOptions&) const override { return ranker_parts::make_tap(); }
  std::unique_ptr<AnswerEditor> answer_editor(Operation, bool) const override { return nullptr; }
  Result<bool> ask_for_usage(base::EditedBody&, const json::Document&, const chat::RequestView&) const override { return false; }
  Status set_model(base::EditedBody& body, const json::Document& document, const chat::RequestView& view,
                   std::string_view model) const override {
    return openai_parts::set_model(body, document, view, model);
  }
  bool is_error_body(std::string_view body) const override {
    const auto document = json::Document::parse(Body::copy(body));
    return document && reading::member(document->root(), "detail");
  }
  std::string event_text(std::string_view) const override { return {}; }

 private:
  static std::string_view suffix_of(Operation operation) noexcept {
    for (const Known& known : kKnown) {
      if (known.operation == operation) return known.suffix;
    }
    return {};
  }

  const Words& words_;
};

constexpr Words kVoyage{.name = "voyage",
                        .top_n = "top_k",
                        .truncation = "truncation",
                        .results = "data",
                        .text_documents = true,
                        .counts_always = true,
                        .dimensions = "output_dimension",
                        .encoding = "encoding_format",
                        .purpose = "input_type",
                        .query = "query",
                        .document = "document"};
constexpr Words kJina{.name = "jina",
                      .top_n = "top_n",
                      .truncation = "truncate",
                      .results = "results",
                      .text_documents = false,
                      .counts_always = false,
                      .dimensions = "dimensions",
                      .encoding = "embedding_type",
                      .purpose = "task",
                      .query = "retrieval.query",
                      .document = "retrieval.passage"};

}  // namespace

const Dialect& voyage() noexcept {
  static const Ranker dialect(kVoyage);
  return dialect;
}

const Dialect& jina() noexcept {
  static const Ranker dialect(kJina);
  return dialect;
}

}  // namespace sluice::dialect
