// Phase 5 where plugins look at the answer: its head waits for them, its texts go along them one by one, and its end is kept
// back until they have said all they have to say. What cannot be read is never passed on unread. Knows the order of bytes,
// texts and ends; must not know what a plugin does with a text. Where no plugin wants texts, none of this runs but the head.

#include <algorithm>

#include "gateway/core.hpp"
#include "gateway/exchange.hpp"
#include "gateway/exchange_plugins.hpp"
#include "gateway/translation.hpp"
#include "http/sse.hpp"

namespace sluice::gateway {

using plugin::Change;
using plugin::Ruling;
using plugin::Stage;

namespace {

dialect::TextAddress address_of(const Delta& delta) noexcept {
  return {delta.choice, static_cast<dialect::TextChannel>(delta.channel), delta.tool_index};
}

/// Where `part` stands inside `whole`, if it is a view of it.
std::size_t place_in(std::string_view whole, std::string_view part) noexcept {
  if (part.data() < whole.data() || part.data() + part.size() > whole.data() + whole.size()) return DecodedEvent::kNowhere;
  return static_cast<std::size_t>(part.data() - whole.data());
}

/// The event with `data` in the place of its own.
std::string framed(const DecodedEvent& event, std::string_view data, http::Framing framing) {
  std::string out;
  const bool sealed = framing == http::Framing::kAwsEvents;  // lengths and checksums are part of it
  if (event.data_at == DecodedEvent::kNowhere || sealed) {
    http::append_event(out, framing, data, event.name);
    return out;
  }
  const std::string_view raw = event.raw;
  out.append(raw.substr(0, event.data_at)).append(data).append(raw.substr(event.data_at + event.data_size));
  return out;
}

bool says_nothing(const dialect::AnswerTexts& texts) noexcept {
  return std::all_of(texts.texts().begin(), texts.texts().end(), [](const dialect::AnswerText& one) { return one.final_text().empty(); });
}

}  // namespace

bool Exchange::head_waits() const noexcept { return plugins_ && plugins_->head_waits; }
bool Exchange::holds_end() const noexcept { return plugins_ && plugins_->holds_end(); }
bool Exchange::decodes() const noexcept { return plugins_ && plugins_->editor != nullptr; }

// The head.

void Exchange::ask_head() {
  if ((mode_ == Mode::kStream || mode_ == Mode::kWhole) && route_->chain->wants(kWantsDeltas)) {
    plugins_->editor = dialect_->answer_editor(view_.operation, mode_ == Mode::kStream);
  }
  plugins_->head_waits = true;
  on_ruling(Stage::kHead, plugins_->run.head(head_.status, head_.headers));
  if (state_ == State::kAnswering && head_waits()) settle_pause();
}

/// The head is through: what came behind it meanwhile follows.
void Exchange::head_judged() {
  if (state_ != State::kAnswering || !head_waits()) return;
  plugins_->head_waits = false;
  if (mode_ == Mode::kErrorBody) return give_error_body(std::exchange(plugins_->error_body, {}));
  if (mode_ == Mode::kBytes) commit();
  if (const std::string kept = std::exchange(plugins_->kept, {}); !kept.empty()) take_bytes(kept);
  if (state_ != State::kAnswering) return;
  settle_pause();
  if (state_ == State::kAnswering) catch_up();
}

/// Nothing waits any more: an end of the transfer that came meanwhile is heard now.
void Exchange::catch_up() {
  last_read_ = engine_.loop().now();  // silence that plugins asked for is not the upstream's
  if (plugins_->busy() || !plugins_->transfer_end) return rearm();
  const engine::TransferEnd end = *std::exchange(plugins_->transfer_end, std::nullopt);
  on_done(end);
}

/// True: the transfer's end has to wait until the plugins are through with what came before it.
bool Exchange::keeps_end(const engine::TransferEnd& end) {
  if (!plugins_) return false;
  plugins_->last_end = end;
  if (!plugins_->busy()) return false;
  plugins_->transfer_end = end;
  idle_limit_ = {};  // nothing more can come
  transfer_.reset();
  return true;
}

/// The head of an error answer that is the caller's: asked about before it is given.
void Exchange::relay_error(std::string_view body) {
  if (!plugins_) return give_error_body(body);
  plugins_->error_body.assign(body);
  ask_head();
}

// Texts of a stream.

/// One event of a stream that is decoded. False: the exchange has ended.
bool Exchange::decode_event(const http::StreamEvent& event) {
  ExchangePlugins& desk = *plugins_;
  DecodedEvent& at_hand = desk.direct;
  at_hand.texts.take({});
  at_hand.answered = 0;
  at_hand.content = false;
  at_hand.error.reset();
  std::string_view raw = event.raw, data = event.data;
  std::string rewritten;
  const bool moves = event.has_position && !passes_as_it_is();
  if (moves) {
    http::append_without_position(rewritten, event.raw);
    raw = rewritten;
  }
  if (event.has_data) {
    const dialect::TapVerdict verdict = judge(event);
    if (verdict.error && !stream_terminal_ && !passes_as_it_is()) {  // else the upstream's own words, which pass
      Error error = desk.unquoted(*verdict.error);
      if (desk.queue.empty()) return fail_in_stream(event, std::move(error)), false;
      at_hand.error = std::move(error);
    }
    stream_terminal_ = stream_terminal_ || verdict.terminal;
    stream_finished_ = stream_finished_ || verdict.finished;
    at_hand.content = verdict.content;
    if (verdict.content) first_delta_deadline_.reset();
    if (verdict.action == dialect::TapAction::kWithhold) return ask_end_if_over();
    if (verdict.action == dialect::TapAction::kReplace) data = verdict.replacement;
    if (!at_hand.error) {
      engine_.counters().decoded.fetch_add(1, std::memory_order_relaxed);
      if (Status read = desk.editor->read(data, at_hand.texts); !read) {
        Error error = of_upstream(read.error());
        if (desk.queue.empty()) return fail_with(std::move(error), {}, head_.status), false;
        at_hand.error = std::move(error);
      }
    }
  }
  // Where it stands, for who may change it or keep it.
  const bool replaced = event.has_data && data.data() != event.data.data();
  at_hand.data_at = event.has_data && !moves ? place_in(event.raw, event.data) : DecodedEvent::kNowhere;
  at_hand.data_size = event.data.size();
  const bool waits = !desk.queue.empty();
  bool through = !waits;
  for (dialect::AnswerText& text : at_hand.texts.texts()) {
    const Ruling ruling = ask_delta(text);
    if (state_ == State::kEnded) return false;
    if (ruling.kind == Ruling::Kind::kGoOn) {
      if (ruling.change != Change::kNone) text.replacement = desk.text_at_hand.text;
      ++at_hand.answered;
    } else if (ruling.kind == Ruling::Kind::kFail) {
      on_ruling(Stage::kDelta, ruling);
      return false;
    } else {
      through = false;
    }
  }
  if (through && !at_hand.texts.ends() && !at_hand.texts.changed() && !replaced && !moves) {
    note_said(at_hand);
    desk.editor->gave(at_hand.texts);
    append_run(event.raw);  // the common case: the bytes as they came, not copied
    return true;
  }
  at_hand.name = event.name;
  at_hand.raw.assign(raw);
  if (replaced) {
    at_hand.raw = at_hand.data_at == DecodedEvent::kNowhere ? std::string() : framed(at_hand, data, recognised_.framing);
    if (at_hand.data_at == DecodedEvent::kNowhere) http::append_event(at_hand.raw, recognised_.framing, data, at_hand.name);
    at_hand.data_size = data.size();
  }
  if (!through) {
    desk.hold(std::exchange(at_hand, {}));
    if (desk.pauses()) settle_pause();
    return state_ != State::kEnded;
  }
  if (!release(at_hand)) return false;
  return ask_end_if_over();
}

Ruling Exchange::ask_delta(const dialect::AnswerText& text) {
  Delta& delta = plugins_->text_at_hand;
  delta.choice = text.address.choice;
  delta.channel = static_cast<Channel>(text.address.channel);
  delta.tool_index = text.address.tool_index;
  delta.tool_name.assign(text.tool_name);
  delta.text.assign(text.text);
  return plugins_->run.delta(delta);
}

/// Content counts once a text of it is the caller's: an emptied one is held back, and no commit. What is noted of it for the
/// event of the exchange is what the caller gets.
void Exchange::note_said(const DecodedEvent& event) {
  if (!event.content || (!event.texts.texts().empty() && says_nothing(event.texts))) return;
  if (notes_) {
    std::string written;
    if (event.texts.changed()) plugins_->editor->write(event.texts, written);
    notes_->answer_event(event.name, event.texts.changed() ? std::string_view(written) : event.texts.data(), engine_.loop().now());
  }
  count_said();
}

void Exchange::count_said() {
  ++outcome_.deltas;
  if (std::exchange(has_content_, true)) return;
  content_began();
}

/// An event whose texts are through: it goes on, or, where it tells an end, is kept until the plugins have been told it.
/// False: the exchange has ended.
bool Exchange::release(DecodedEvent& event) {
  if (event.error) {
    const http::StreamEvent told{.raw = event.raw,
                              .data = event.data_at == DecodedEvent::kNowhere ? std::string_view{} : std::string_view(event.raw).substr(event.data_at, event.data_size),
                              .name = event.name,
                              .has_data = true};
    fail_in_stream(told, *event.error);
    return false;
  }
  if (event.texts.ends()) {
    plugins_->ends.push_back(std::exchange(event, {}));
    return true;
  }
  note_said(event);
  give_event(event);
  return true;
}

void Exchange::give_event(const DecodedEvent& event) {
  plugins_->editor->gave(event.texts);
  if (!event.texts.changed()) return patch(event.raw, {}, {});
  std::string data;
  plugins_->editor->write(event.texts, data);
  patch(framed(event, data, recognised_.framing), {}, {});
}

/// A delta that had to wait is through, or a plugin has added one.
void Exchange::on_plugin_delta(Delta& delta, Change change) {
  if (state_ != State::kAnswering || !decodes()) return;  // of an attempt that was given up
  ExchangePlugins& desk = *plugins_;
  if (change == Change::kAdded) return add_text(delta);
  if (mode_ == Mode::kWhole) {
    if (desk.direct.answered == desk.direct.texts.texts().size()) return;
    dialect::AnswerText& text = desk.direct.texts.texts()[desk.direct.answered++];
    if (change != Change::kNone) text.replacement = std::move(delta.text);
    if (desk.direct.answered == desk.direct.texts.texts().size()) ask_end();
    return;
  }
  if (desk.queue.empty()) return;
  DecodedEvent& first = desk.queue.front();
  dialect::AnswerText& text = first.texts.texts()[first.answered++];
  if (change != Change::kNone) text.replacement = std::move(delta.text);
  while (!desk.queue.empty() && desk.queue.front().answered == desk.queue.front().texts.texts().size()) {
    DecodedEvent event = std::move(desk.queue.front());
    desk.queue.pop_front();
    desk.queued_bytes -= event.raw.size() + sizeof(DecodedEvent);
    if (!release(event)) return;
  }
  if (!desk.in_piece) flush_run();
  if (state_ != State::kAnswering || !desk.queue.empty()) return;
  last_read_ = engine_.loop().now();
  if (!ask_end_if_over()) return;
  if (!desk.in_piece) settle_pause();
  // Not from inside the run's own call: it may have more to say of this delta's stage.
  if (state_ == State::kAnswering && desk.transfer_end) {
    engine_.loop().defer([engine = &engine_, id = id_] {
      Exchange* const exchange = engine->find(id);
      if (exchange != nullptr && exchange->state_ == State::kAnswering && exchange->plugins_) exchange->catch_up();
    });
  }
}

// The end.

/// The upstream's stream is whole.
void Exchange::finish_stream() {
  if (!holds_end()) return complete();
  if (plugins_->busy()) {
    // The last event came without its blank line, and a plugin waits over it.
    plugins_->transfer_end = plugins_->last_end;
    transfer_.reset();
    return rearm();
  }
  plugins_->end_completes = true;
  ask_end();
}

/// Once the stream has said that it is over, and every text before that is through. False: the exchange has ended.
bool Exchange::ask_end_if_over() {
  ExchangePlugins& desk = *plugins_;
  if (stream_terminal_ && !desk.end_given && !desk.end_waits && desk.queue.empty()) {
    ask_end();
    if (state_ == State::kEnded) return false;
    idle_limit_ = Milliseconds{1'000};  // for the upstream to end its body: as where nobody decodes
    rearm();
  }
  return state_ != State::kEnded;
}

void Exchange::ask_end() {
  plugins_->end_waits = true;
  on_ruling(Stage::kAnswerEnd, plugins_->run.answer_end());
}

/// Text a plugin held back, or made up, in front of the end.
void Exchange::add_text(const Delta& delta) {
  ExchangePlugins& desk = *plugins_;
  if (delta.text.empty()) return;
  const dialect::TextAddress to = address_of(delta);
  if (mode_ == Mode::kWhole) {
    if (Status added = desk.editor->add_text(to, delta.text, desk.direct.texts); !added) plugin_fails(added.error(), "");
    return;
  }
  if (!std::exchange(desk.parted, true)) {
    // Texts that came in one event with the end go first, so that what is added stands between them and it.
    for (DecodedEvent& event : desk.ends) {
      if (event.texts.texts().empty()) continue;
      std::string said, end;
      if (Status parted = desk.editor->split(event.texts, said, end); !parted) return plugin_fails(parted.error(), "");
      note_said(event);
      patch(framed(event, said, recognised_.framing), {}, {});
      event.raw = framed(event, end, recognised_.framing);
      event.data_size = end.size();
      event.texts = {};
      event.content = false;
    }
  }
  std::string data, out;
  if (Status added = desk.editor->add_event(to, delta.text, data); !added) return plugin_fails(added.error(), "");
  desk.editor->frame_added(data, recognised_.framing, out);
  if (notes_) notes_->answer_event({}, data, engine_.loop().now());
  count_said();
  patch(out, {}, {});
  if (!desk.in_piece) flush_run();
}

/// The plugins have let the end go.
void Exchange::answer_judged() {
  ExchangePlugins& desk = *plugins_;
  if (state_ != State::kAnswering || !desk.end_waits) return;
  desk.end_waits = false;
  desk.end_given = true;
  if (mode_ == Mode::kWhole) return give_whole();
  for (DecodedEvent& event : std::exchange(desk.ends, {})) {
    note_said(event);
    give_event(event);
  }
  if (desk.in_piece) return;  // it is flushed with its piece
  flush_run();
  if (state_ != State::kAnswering) return;
  if (desk.end_completes) return complete();
  last_read_ = engine_.loop().now();
  rearm();
  if (desk.transfer_end) {
    const engine::TransferEnd end = *std::exchange(desk.transfer_end, std::nullopt);
    on_done(end);
  }
}

// Whole answers.

/// Bytes of a whole answer that is decoded once it is there.
void Exchange::gather_whole(std::string_view bytes) {
  std::string& whole = plugins_->direct.raw;
  if (whole.size() + bytes.size() <= ExchangePlugins::kWholeBytes) {
    whole.append(bytes);
    return;
  }
  fail_with(make_error(Code::kUpstreamAnswerTooLarge, "upstream '" + upstream().config->name + "' answered with more than the " +
                                                          std::to_string(ExchangePlugins::kWholeBytes) + " bytes that plugins can look at"),
            {}, head_.status);
}

void Exchange::decode_whole() {
  DecodedEvent& whole = plugins_->direct;
  engine_.counters().decoded.fetch_add(1, std::memory_order_relaxed);
  if (Status read = plugins_->editor->read(whole.raw, whole.texts); !read) {
    return fail_with(of_upstream(read.error()), {}, head_.status);
  }
  idle_limit_ = {};  // nothing more can come
  std::vector<dialect::AnswerText>& texts = whole.texts.texts();
  const std::size_t count = texts.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Ruling ruling = ask_delta(texts[i]);
    if (state_ != State::kAnswering) return;
    if (ruling.kind == Ruling::Kind::kFail) return on_ruling(Stage::kDelta, ruling);
    if (ruling.kind == Ruling::Kind::kWait) continue;
    if (ruling.change != Change::kNone) texts[i].replacement = plugins_->text_at_hand.text;
    ++whole.answered;
  }
  if (whole.answered == count) return ask_end();
  rearm();
}

void Exchange::give_whole() {
  DecodedEvent& whole = plugins_->direct;
  if (whole.texts.changed()) {
    std::string written;
    plugins_->editor->write(whole.texts, written);
    whole.raw = std::move(written);
  }
  if (notes_) notes_->answer_bytes(whole.raw);
  head_.headers.remove("content-length");
  head_.headers.add_trusted("content-length", std::to_string(whole.raw.size()));
  held_ = std::move(whole.raw);
  complete();
}

}  // namespace sluice::gateway
