// What follows when the plugins of a stage have ruled: the exchange's order of phases, as far as plugins stop it. A stage that
// nobody has to wait for comes by here too, within one call.

#include "dialect/dialect.hpp"
#include "gateway/core.hpp"
#include "gateway/exchange.hpp"
#include "gateway/exchange_plugins.hpp"
#include "gateway/header_policy.hpp"

namespace sluice::gateway {

using plugin::Ruling;
using plugin::Stage;

ExchangePlugins& Exchange::plugins() {
  if (!plugins_) plugins_ = std::make_unique<ExchangePlugins>(*this);
  return *plugins_;
}

chat::Operation Exchange::operation() const noexcept {
  return opaque_ || !known_operation_ ? chat::Operation::kOpaque : recognised_.operation;
}

std::uint32_t Exchange::plugin_wants() const noexcept {
  return snapshot_->wants | (route_ != nullptr ? route_->chain_wants : 0u);
}

void Exchange::on_ruling(Stage stage, const Ruling& ruling) {
  if (state_ == State::kEnded) return;
  switch (ruling.kind) {
    case Ruling::Kind::kWait: return rearm();
    case Ruling::Kind::kFail: return plugin_fails(ruling.verdict.error(), ruling.plugin);
    case Ruling::Kind::kReply:
      if (stage == Stage::kRequest) return answer_reply(ruling.verdict.reply());
      // On the head nobody knows yet whether a stream is asked for.
      plugins_->early_reply = ruling.verdict.reply();
      break;
    case Ruling::Kind::kGoOn: break;
  }
  switch (stage) {
    case Stage::kAuthenticate:
      plugins_->head_judged = true;
      if (state_ == State::kJudging) judge_request();
      return;
    case Stage::kRequest: return forward();
    case Stage::kAttempt: return send_attempt(std::move(plugins_->wire));
    case Stage::kHead: return head_judged();
    case Stage::kDelta: return;
    case Stage::kAnswerEnd: return answer_judged();
  }
}

void Exchange::authenticate() {
  plugins().head_judged = false;
  if (own_deadline_ && own_deadline_->count() != 0) total_deadline_ = started_ + *own_deadline_;  // no route says another yet
  on_ruling(Stage::kAuthenticate, plugins_->run.authenticate(snapshot_->head_chain));
}

/// The request is whole, and whoever judges heads has done so.
void Exchange::judge_request() {
  const auto passes = [this](Status (Exchange::*phase)()) {
    const Status done = (this->*phase)();
    if (!done) refuse(done.error());
    return done.has_value();
  };
  if (!passes(&Exchange::receive_body)) return;
  if (plugins_ && plugins_->early_reply) return answer_reply(*plugins_->early_reply);
  if (!passes(&Exchange::route) || !passes(&Exchange::before)) return;
  if (!route_->chain) return forward();
  if (!passes(&Exchange::read_for_plugins)) return;
  plugins().reader.forget();
  on_ruling(Stage::kRequest, plugins_->run.request(route_->chain));
}

/// By mail, behind what has been mailed already: a plugin whose answer is on its way has answered in time. A call's own
/// timeout, which resumes its plugin so, may fall due in the same turn.
void Exchange::time_out_plugins() {
  plugins_->timing_out = true;
  engine_.loop().post([engine = &engine_, id = id_] {
    Exchange* const exchange = engine->find(id);
    if (exchange == nullptr) return;
    exchange->plugins_->timing_out = false;
    exchange->plugins_->run.on_time(engine->loop().now());
    if (!exchange->ended()) exchange->rearm();
  });
}

/// Texts and tools that no route looks at, but a plugin of this one does.
Status Exchange::read_for_plugins() {
  const BodyEdits& edits = route_->config->body;
  const bool edited = !edits.set.empty() || !edits.remove.empty();  // what was read for routes is gone then
  if (!document_ || route_->chain_wants == 0 || ((route_->chain_wants & ~snapshot_->wants) == 0 && !edited)) return {};
  view_ = {};
  return inspect(*document_, plugin_wants(), view_);
}

void Exchange::ask_attempt(engine::WireRequest wire) {
  std::uint32_t number = 1;
  for (const Attempt& one : outcome_.attempts) number += one.skipped ? 0 : 1;
  plugins_->wire = std::move(wire);
  move(Happening::kPrepare);
  plugins_->waited_before = plugins_->run.waited();
  const std::string model = model_of_attempt();  // whatever becomes of the choice inside
  const Ruling ruling = plugins_->run.attempt(upstream().config->name, model, number, plugins_->wire.headers);
  on_ruling(Stage::kAttempt, ruling);
}

/// The caller gets a plugin's error: as a status while it has been given nothing; inside the stream that it reads already, a
/// judgement ends it as a filter's does, and a plugin's own failure as any other.
void Exchange::plugin_fails(Error error, std::string_view plugin) {
  const bool judgement = error.code != Code::kPluginError && error.code != Code::kPluginTimeout;
  error.origin = Origin::kPlugin;
  if (error.http_status == 0) error.http_status = judgement ? 403 : 500;
  if (state_ != State::kAnswering) return refuse(std::move(error));
  transfer_.reset();
  if (attempt().reason.empty()) close_attempt(error.code, "ended by plugin '" + std::string(plugin) + "': " + error.message);
  if (!judgement || mode_ != Mode::kStream || !(head_given_ || committed_ || has_content_)) return tell_failure(std::move(error), {}, 0);
  give_the_rest();
  release_head();
  give(early_end(error, {}, true));
  end(Happening::kFail, Ending::kFailed, std::move(error));
}

/// An answer a plugin gives, as the model's own would look. Where the operation has no text, the text is the body.
void Exchange::answer_reply(const PluginReply& reply) {
  const chat::Operation operation = this->operation();
  const bool generates = operation == chat::Operation::kChat || operation == chat::Operation::kCompletions;
  ResponseHead head;
  head.status = reply.status;
  std::string body;
  std::string_view type = "application/json";
  chat::Usage none;
  none.input_tokens = none.output_tokens = none.total_tokens = 0;
  outcome_.usage = none;
  if (reply.status >= 400) {
    Error error = make_error(Code::kPluginError, reply.text);
    error.http_status = reply.status;
    body = dialect_->encode_error(error, {});
    type = dialect_->error_content_type();
  } else if (!generates) {
    body = reply.text;
    if (!json::Document::parse(Body::copy(body))) type = "text/plain; charset=utf-8";
  } else {
    chat::Message message;
    message.id = outcome_.id;
    message.model = view_.model;
    message.created = std::chrono::duration_cast<std::chrono::seconds>(outcome_.started_at.time_since_epoch()).count();
    chat::Choice& choice = message.choices.emplace_back();
    choice.turn.parts.push_back({.value = chat::Text{.text = reply.text}});
    choice.finish = chat::FinishReason::kStop;
    message.usage = none;
    outcome_.finish_reason = "stop";
    if (view_.stream) {
      const auto encoder = dialect_->delta_encoder(answer_form());
      for (const chat::Delta& delta : chat::to_deltas(message)) encoder->encode(delta, body);
      encoder->end(body);
      type = http::content_type_of(recognised_.framing);
      outcome_.streamed = as_stream_ = true;
    } else {
      chat::LossReport losses;
      body = dialect_->encode_answer(message, answer_form(), losses);
    }
  }
  head.headers.add_trusted("content-type", type);
  head.headers.add_trusted("x-request-id", outcome_.id);
  for (const HeaderField field : reply.headers) {
    if (!is_gateways_own(field.name, false)) (void)head.headers.set(field.name, field.value);
  }
  if (!as_stream_) head.headers.add_trusted("content-length", std::to_string(body.size()));
  head_given_ = true;
  outcome_.status = head.status;
  caller_->on_head(head);
  give(body);
  end(Happening::kRefuse, Ending::kRefused, std::nullopt);
}

}  // namespace sluice::gateway
