#pragma once
/// A wire dialect, both directions: what a client speaks, what an upstream speaks. One file per dialect implements it.
/// Knows the wire format; must not know routes, upstreams or sockets.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/edit_list.hpp"
#include "chat/loss.hpp"
#include "chat/message.hpp"
#include "chat/delta.hpp"
#include "chat/request.hpp"
#include "chat/request_view.hpp"
#include "chat/usage.hpp"
#include "dialect/answer_editor.hpp"
#include "http/event_reader.hpp"
#include "json/document.hpp"
#include "sluice/error.hpp"
#include "sluice/headers.hpp"

namespace sluice::dialect {

using chat::Operation;
using http::Framing;

/// What a client asked for, as far as the shape of its answer hangs on it.
struct AnswerForm {
  Operation operation = Operation::kChat;
  bool usage = true;                  ///< streams: the client asked for usage where its dialect lets it choose
  Framing framing = Framing::kSse;
  std::string_view model = {};        ///< as the client named it; for answers that name none
  const json::Document* request = nullptr;  ///< the client's own, for dialects that echo it; null where it is gone. Lifetime: the call.
};

/// What is sent to an upstream, and to what kind of server.
struct Sending {
  Operation operation = Operation::kChat;
  std::string_view model = {};        ///< the upstream's name for it; empty: the request names none
  bool streaming = false;
  std::uint32_t quirks = 0;           ///< of the provider (providers.hpp)
};

/// What an upstream was asked for, as far as its answer must be read by it.
struct Asked {
  Operation operation = Operation::kChat;
  const chat::Request* request = nullptr;  ///< null: the caller speaks the same dialect. Lifetime: the call.
};

/// What a path and method mean in a dialect.
struct Recognised {
  Operation operation = Operation::kOpaque;
  std::string_view suffix = {};       ///< the operation's own part of the path: `/chat/completions`
  std::string model = {};             ///< where the path names it (GET /models/{model})
  std::optional<bool> stream = {};    ///< where the path says it, not the body (`:streamGenerateContent`)
  Framing framing = Framing::kSse;    ///< of the answer's stream, where there is one
  bool method_ok = true;              ///< false: the path is known, the method is not
  std::string_view allow = {};        ///< the methods it takes, as an Allow value
};

/// What an error answer carries beside the Error.
struct ErrorContext {
  std::string_view request_id;        ///< the provider's own, where there is one
  std::string_view provider_text;     ///< the provider's message or body excerpt, already bounded and redacted
  int provider_status = 0;
};

/// How a tap judged one event of a stream.
enum class TapAction : std::uint8_t {
  kForward,   ///< send it on as it came
  kReplace,   ///< send `replacement` as its data
  kWithhold,  ///< the caller did not ask for it
};
struct TapVerdict {
  TapAction action = TapAction::kForward;
  std::string_view replacement;       ///< lives until the next event
  bool content = false;               ///< it adds content a reader would see (text, reasoning, tool arguments, refusal)
  bool terminal = false;              ///< the stream has said it is over ([DONE], or the dialect's own end)
  bool finished = false;              ///< a finish reason has been seen: an end without `terminal` is complete
  std::optional<Error> error;         ///< a structured error inside the stream
};

/// Reads usage, model and finish reason from an answer that passes by, and takes out what the gateway itself asked for.
/// One per attempt. Decodes nothing but what it looks for.
class AnswerTap {
 public:
  virtual ~AnswerTap() = default;
  /// Streamed answers: one event's data.
  [[nodiscard]] virtual TapVerdict on_event(std::string_view name, std::string_view data) = 0;
  /// Whole answers: bytes as they pass. Errors: kUpstreamInvalidAnswer as soon as they can be no JSON.
  [[nodiscard]] virtual Status on_bytes(std::string_view bytes) = 0;
  /// The end of a whole answer. Errors: kUpstreamTruncated where the JSON was not closed.
  [[nodiscard]] virtual Status on_end() = 0;
  [[nodiscard]] virtual const chat::Usage& usage() const noexcept = 0;
  [[nodiscard]] virtual std::string_view model() const noexcept = 0;
  [[nodiscard]] virtual std::string_view finish_reason() const noexcept = 0;
  /// Whole answers, after on_end: a structured error where the answer should be. Long answers are not asked.
  [[nodiscard]] virtual const std::optional<Error>& error() const noexcept = 0;
};

/// How the request was prepared, which its tap must know.
struct TapOptions {
  Operation operation = Operation::kChat;
  bool streaming = false;
  bool withhold_usage = false;        ///< the gateway injected include_usage: take the chunk and the nulls out again
};

/// Reads an upstream's stream into deltas, event by event. One per attempt. Asks for nothing it has not been given:
/// unknown events and members are kept as extras or passed over.
class DeltaDecoder {
 public:
  virtual ~DeltaDecoder() = default;
  /// Appends what one event says. Errors: kUpstreamInvalidAnswer for data that is not this dialect's.
  [[nodiscard]] virtual Status on_event(std::string_view name, std::string_view data, std::vector<chat::Delta>& out) = 0;
  /// The stream has said that it is over: nothing more is to be waited for.
  [[nodiscard]] virtual bool over() const noexcept = 0;
  /// What the end of the stream means where nothing in it said so; to be asked once, before on_end().
  virtual void conclude(std::vector<chat::Delta>&) {}
  /// The end of the stream. Errors: kUpstreamTruncated where it had neither said it was over nor given a finish reason.
  [[nodiscard]] virtual Status on_end() = 0;
};

/// Writes deltas as a client's stream, framing included. One per exchange. A stream that fails ends with an ErrorDelta, and
/// no end() behind it.
class DeltaEncoder {
 public:
  virtual ~DeltaEncoder() = default;
  virtual void encode(const chat::Delta& delta, std::string& out) = 0;
  /// The stream is complete: what the dialect ends it with.
  virtual void end(std::string& out) = 0;
};

/// Thread: immutable, any.
class Dialect {
 public:
  virtual ~Dialect() = default;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;

  // Inbound: what clients send.

  /// What `path` (normalised) means here, by its longest known suffix; nothing for a path this dialect does not know.
  /// `query` as it stands behind the `?`: it may say how a stream is framed (`alt=sse`).
  [[nodiscard]] virtual std::optional<Recognised> recognise(std::string_view method, std::string_view path,
                                                            std::string_view query, const Headers& headers) const = 0;
  /// Reads what policy needs. Errors: kDuplicateKey, kInvalidModel, kInvalidParameter, kInvalidRequest, each naming the field.
  [[nodiscard]] virtual Status inspect(const json::Document& document, Operation operation, std::uint32_t wants,
                                       chat::RequestView& view) const = 0;
  /// wire -> canonical.
  [[nodiscard]] virtual Result<chat::Request> decode_request(const json::Document& document, Operation operation) const = 0;
  /// canonical -> wire, for a client: answers and errors.
  [[nodiscard]] virtual std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss) const = 0;
  [[nodiscard]] virtual std::string encode_error(const Error& error, const ErrorContext& context) const = 0;
  /// Header fields of an error's answer that its clients read beside the body.
  virtual void add_error_headers(const Error&, Headers&) const {}
  /// True where an encoder's end() ends a stream that it did not begin: nothing of it has to be closed.
  [[nodiscard]] virtual bool ends_anywhere() const noexcept { return false; }
  /// canonical -> wire, for a client's stream.
  [[nodiscard]] virtual std::unique_ptr<DeltaEncoder> delta_encoder(const AnswerForm& form) const = 0;
  /// An error after the stream began: the bytes of the event (or events) that end it, framing included.
  [[nodiscard]] virtual std::string encode_stream_error(const Error& error, const ErrorContext& context, Framing framing) const = 0;
  /// What keeps a silent stream alive between two events and means nothing to a client, framing included; empty where the
  /// framing has no such thing.
  [[nodiscard]] virtual std::string_view stream_ping(Framing framing) const noexcept = 0;
  [[nodiscard]] virtual std::string_view error_content_type() const noexcept { return "application/json"; }

  // Outbound: what upstreams take and give.

  /// True where its servers have the operation.
  [[nodiscard]] virtual bool serves(Operation operation) const noexcept = 0;
  /// Where a request goes, behind the base URL: `/chat/completions`; perhaps with a query.
  [[nodiscard]] virtual std::string target_of(const Sending& sending) const = 0;
  /// Header fields its servers want beside content type and credential, where the request does not bring them.
  virtual void add_headers(const Sending&, Headers&) const {}
  /// canonical -> wire. What cannot be carried is put on the report: kSemantic means that it must not be sent.
  [[nodiscard]] virtual std::string encode_request(const chat::Request& request, const Sending& sending, chat::LossReport& loss) const = 0;
  /// wire -> canonical. Errors: kUpstreamInvalidAnswer; kUpstreamError for an error that calls itself a success.
  [[nodiscard]] virtual Result<chat::Message> decode_answer(std::string_view body, const Asked& asked) const = 0;
  [[nodiscard]] virtual std::unique_ptr<DeltaDecoder> delta_decoder(const Asked& asked) const = 0;
  /// An event that came in frames of another's, as this dialect's clients know it: its name, and what it says.
  [[nodiscard]] virtual http::NamedEvent framed(std::string_view data) const { return {{}, data}; }
  /// How its servers frame a stream, where their content type does not tell; nothing where it always does.
  [[nodiscard]] virtual std::optional<Framing> stream_framing(Operation) const noexcept { return std::nullopt; }
  [[nodiscard]] virtual std::unique_ptr<AnswerTap> tap(const TapOptions& options) const = 0;
  /// For an answer whose caller speaks this dialect too: changes its text in place. Null where the operation's answers have
  /// no text.
  [[nodiscard]] virtual std::unique_ptr<AnswerEditor> answer_editor(Operation operation, bool streaming) const = 0;
  /// Asks the upstream for usage in the stream: splices `stream_options.include_usage`. True where something changed.
  [[nodiscard]] virtual Result<bool> ask_for_usage(base::EditedBody& body, const json::Document& document,
                                                   const chat::RequestView& view) const = 0;
  /// Splices the model's name. Errors: kInvalidModel where there is no place for it.
  [[nodiscard]] virtual Status set_model(base::EditedBody& body, const json::Document& document, const chat::RequestView& view,
                                         std::string_view model) const = 0;
  /// True where `body` is an error answer in this dialect's own shape, fit to be passed on as it is.
  [[nodiscard]] virtual bool is_error_body(std::string_view body) const = 0;
  /// What a streamed answer's text is in one event's data; for in-process callers.
  [[nodiscard]] virtual std::string event_text(std::string_view data) const = 0;
};

/// OpenAI chat completions, completions, embeddings, moderations, models. Lifetime: static.
[[nodiscard]] const Dialect& openai() noexcept;
/// Gemini generateContent, streamGenerateContent, countTokens, embedContent, batchEmbedContents, models; also as Vertex AI
/// has them. Lifetime: static.
[[nodiscard]] const Dialect& gemini() noexcept;
/// Anthropic messages, count_tokens, models. Lifetime: static.
[[nodiscard]] const Dialect& anthropic() noexcept;
/// AWS Bedrock: Converse, ConverseStream, CountTokens. Lifetime: static.
[[nodiscard]] const Dialect& bedrock() noexcept;
/// OpenAI Responses, and counting the tokens of its requests. Lifetime: static.
[[nodiscard]] const Dialect& openai_responses() noexcept;
/// Cohere's chat, embed and rerank, version 2. Lifetime: static.
[[nodiscard]] const Dialect& cohere() noexcept;
/// Ollama's own chat, generate, embed and tags. Lifetime: static.
[[nodiscard]] const Dialect& ollama() noexcept;
/// Rankings and embeddings as Voyage has them. Lifetime: static.
[[nodiscard]] const Dialect& voyage() noexcept;
/// Rankings and embeddings as Jina has them, and servers that follow it (llama.cpp, vLLM). Lifetime: static.
[[nodiscard]] const Dialect& jina() noexcept;
/// By name; null where unknown. / All names.
[[nodiscard]] const Dialect* find_dialect(std::string_view name) noexcept;
[[nodiscard]] std::vector<std::string_view> dialect_names();
/// The dialect a path, its query and its headers speak: the longest known suffix. Null where none knows it.
[[nodiscard]] const Dialect* recognise(std::string_view method, std::string_view path, std::string_view query,
                                       const Headers& headers, Recognised& out);

}  // namespace sluice::dialect
