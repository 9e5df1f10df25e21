// Phases 4 and 5 where caller and upstream speak different dialects: the request is written anew, and the answer comes back
// as the caller's own dialect would have brought it; behind that, nobody knows that it was translated. What cannot be carried
// is kept in the account, or refuses the upstream. Knows which dialects meet; must not know what either looks like.

#include "chat/request_tokens.hpp"
#include "gateway/core.hpp"
#include "gateway/exchange.hpp"
#include "gateway/translation.hpp"

namespace sluice::gateway {
namespace {

/// So much text of a request is cut and merged for who asks for a count, in some 15 ms; the rest is taken to be like it.
constexpr std::size_t kCountedBytes = 256 * 1024;
constexpr std::size_t kWholeBytes = 16u << 20;  // of an answer that has to be whole before it can be translated

}  // namespace

/// What is spoken to the upstream: the caller's dialect where its servers know that one too.
const dialect::Dialect& Exchange::upstream_dialect() const {
  const CompiledUpstream& to = upstream();
  return to.alternate == dialect_ ? *dialect_ : *to.dialect;
}

bool Exchange::translates() const { return !passes_as_it_is() && &upstream_dialect() != dialect_; }

/// Where the caller's bytes will not do: another dialect, or a server that would refuse what is in them.
bool Exchange::writes_anew() {
  if (translates()) return true;
  const std::uint32_t quirks = upstream().provider->quirks & dialect::kRewrites;
  if (quirks == 0 || !document_ || passes_as_it_is()) return false;
  return read_canonical() && !dialect::takes_as_it_is(*canonical_, quirks);
}

/// The request in no dialect; read once, for the first attempt that asks.
Status Exchange::read_canonical() {
  if (canonical_) return {};
  if (!document_) {
    canonical_ = std::make_unique<chat::Request>();
    canonical_->operation = view_.operation;
    canonical_->input = chat::ModelsInput{};
    return {};
  }
  auto read = dialect_->decode_request(*document_, view_.operation);
  if (!read) return tl::unexpected(read.error());
  canonical_ = std::make_unique<chat::Request>(*std::move(read));
  return {};
}

/// What the attempt is about, in the upstream's terms.
dialect::Sending Exchange::sending() const {
  return {.operation = view_.operation, .model = sent_model_, .streaming = view_.stream, .quirks = upstream().provider->quirks};
}

/// Errors: those of the request itself, as the caller's dialect tells them; kUnsupportedOperation and kUnsupportedParameter
/// where this upstream cannot carry it, though another might.
Status Exchange::translate_request(engine::WireRequest& wire) {
  const CompiledUpstream& to = upstream();
  const dialect::Dialect& target = upstream_dialect();
  const std::string who = "upstream '" + to.config->name + "', which speaks " + std::string(target.name());
  if (!target.serves(view_.operation)) {
    return fail(Code::kUnsupportedOperation, who + ", has no operation " + std::string(to_string(view_.operation)));
  }
  if (Status read = read_canonical(); !read) return read;
  // How a text stood on the wire (a string, a list of one) means something to its own dialect alone.
  if (auto* chat = canonical_->chat(); chat != nullptr && translates()) {
    for (chat::Turn& turn : chat->turns) turn.form = chat::ContentForm::kAuto;
  }
  chat::Request& request = *canonical_;
  request.model = sent_model_;
  request.stream = view_.stream;
  if (view_.stream && (to.provider->quirks & dialect::kRefusesStreamOptions) == 0) request.usage_in_stream = true;
  losses_.clear();
  const bool has_body = document_.has_value();
  std::string body = has_body ? target.encode_request(request, sending(), losses_) : std::string();
  const bool strict = route_->config->fidelity == Fidelity::kStrict;
  if (const chat::Loss* lost = losses_.first_at_least(strict ? chat::LossSeverity::kCosmetic : chat::LossSeverity::kSemantic)) {
    return fail(Code::kUnsupportedParameter, who + ", cannot take '" + lost->field + "': " + lost->reason, lost->field);
  }
  wire.body = base::EditedBody(Body::from(std::move(body)));
  wire.has_body = has_body;
  return {};
}

/// Tokens of a request as its first choice would read it: by the model's vocabulary, or estimated and corrected.
Usage Exchange::count_locally() const {
  const policy::Choice& choice = decision_.choices.front();
  const std::string model = choice.model.empty() ? std::string(view_.model) : choice.model;
  Usage usage;
  usage.estimated = true;
  if (const chat::tokens::Bpe* vocabulary = snapshot_->vocabularies->of(model)) {
    const chat::tokens::Count count = chat::count_tokens(*canonical_, *vocabulary, kCountedBytes);
    usage.input_tokens = count.tokens;
    usage.estimated_by = count.exact ? EstimatedBy::kTokenizer : EstimatedBy::kTokenizerPartly;
    return usage;
  }
  std::uint64_t tokens = chat::estimate_tokens(*canonical_, chat::tokens::tokenizer_of(model));
  const std::string& upstream = route_->config->upstreams[choice.target].upstream;
  if (snapshot_->config.gateway.tokens.learn &&
      engine_.core().token_ratios().correct(policy::TokenRatios::Side::kInput, upstream, model, tokens)) {
    usage.estimated_by = EstimatedBy::kCorrected;
  }
  usage.input_tokens = tokens;
  return usage;
}

/// No upstream of the route counts tokens: the caller gets the gateway's own number, which says that it is one, and how it
/// was come to.
void Exchange::answer_count() {
  if (Status read = read_canonical(); !read) return refuse(read.error());
  chat::Message message;
  message.usage = count_locally();
  chat::LossReport losses;
  const std::string body = dialect_->encode_answer(message, answer_form(), losses);
  ResponseHead head;
  head.status = 200;
  head.headers.add_trusted("content-type", "application/json");
  head.headers.add_trusted("x-request-id", outcome_.id);
  head.headers.add_trusted("x-sluice-estimated", "true");
  head.headers.add_trusted("x-sluice-estimated-by", to_string(message.usage->estimated_by));
  head.headers.add_trusted("content-length", std::to_string(body.size()));
  outcome_.usage = *message.usage;
  outcome_.status = head.status;
  head_given_ = true;
  caller_->on_head(head);
  give(body);
  end(Happening::kRefuse, Ending::kRefused, std::nullopt);
}

/// What of the request was lost on the way to the upstream whose answer it is.
void Exchange::tell_losses() {
  outcome_.losses.clear();
  for (const chat::Loss& loss : losses_.entries()) outcome_.losses.push_back({loss.field, loss.reason, std::string(to_string(loss.severity))});
  outcome_.losses_beyond = losses_.beyond();
}

/// `seed (cosmetic), tools[0].strict (note)`: for callers who want to know at once.
std::string Exchange::losses_in_words() const {
  constexpr std::size_t kLongest = 1024;
  std::string words;
  for (const chat::Loss& loss : losses_.entries()) {
    const std::string one = loss.field + " (" + std::string(to_string(loss.severity)) + ")";
    if (words.size() + one.size() > kLongest) return words + ", ...";
    words.append(words.empty() ? "" : ", ").append(one);
  }
  std::replace_if(words.begin(), words.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e; }, '?');
  return words;
}

/// A head has come with an answer in it that the caller cannot read as it is.
void Exchange::open_translation(std::optional<http::Framing> framing) {
  mode_ = view_.stream ? Mode::kStream : Mode::kWhole;
  const auto asked_at = std::chrono::duration_cast<std::chrono::seconds>(outcome_.started_at.time_since_epoch());
  translation_ = std::make_unique<Translation>(Translation::Ways{.from = upstream_dialect(),
                                                                 .to = *dialect_,
                                                                 .stream_in = framing,
                                                                 .stream_out = view_.stream,
                                                                 .max_event_bytes = snapshot_->config.gateway.limits.event_bytes,
                                                                 .max_bytes = kWholeBytes,
                                                                 .exchange = outcome_.id,
                                                                 .asked_at = asked_at.count()},
                                               dialect::Asked{.operation = view_.operation, .request = canonical_.get()}, answer_form());
}

void Exchange::translate_bytes(std::string_view bytes) {
  std::string told;
  const Status read = translation_->feed(bytes, told);
  take_translated(told);
  if (!read && state_ == State::kAnswering) fail_translated(read.error());
}

/// Bytes as the caller reads them go the way of all others.
void Exchange::take_translated(std::string_view told) {
  if (told.empty() || state_ != State::kAnswering) return;
  if (mode_ == Mode::kStream) return stream_bytes(told);
  whole_bytes(told);
}

void Exchange::fail_translated(Error error) {
  const std::string text = translation_->provider_text();
  if (!text.empty()) return fail_in_stream(std::move(error), text, {});
  if (error.code == Code::kUpstreamTruncated) {
    error.message = "upstream '" + upstream().config->name + "' ended the stream before it was finished";
    return fail_with(std::move(error));
  }
  fail_with(of_upstream(std::move(error)), {}, head_.status);
}

/// The upstream has ended. False: the exchange has, too, or another attempt follows.
bool Exchange::end_translation() {
  std::string told;
  chat::LossReport lost;
  const Status ended = translation_->end({.operation = view_.operation, .request = canonical_.get()}, answer_form(), told, lost);
  for (const chat::Loss& loss : lost.entries()) {
    // What an answer says in other words (its usage, its reasons) is no news: every answer does.
    if (loss.severity != chat::LossSeverity::kNote) losses_.add(loss.field, loss.reason, loss.severity);
  }
  if (ended && mode_ == Mode::kWhole) {
    head_.headers.remove("content-length");
    head_.headers.add_trusted("content-length", std::to_string(told.size()));
  }
  const std::uint64_t attempts = outcome_.attempts.size();
  take_translated(told);
  if (state_ != State::kAnswering || outcome_.attempts.size() != attempts || translation_ == nullptr) return false;
  if (ended) return true;
  fail_translated(ended.error());
  return false;
}

}  // namespace sluice::gateway
