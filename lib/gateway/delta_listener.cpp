// Answers as deltas: event by event where they are streams, as a whole where they are not.

#include "gateway/delta_listener.hpp"

#include <string>
#include <utility>
#include <vector>

#include "dialect/dialect.hpp"
#include "http/event_reader.hpp"
#include "http/target.hpp"
#include "sluice/plugin.hpp"

namespace sluice::gateway {
namespace {

// What one event may hold; the gateway has bounded it before.
constexpr std::size_t kEventBytes = 1u << 20;
constexpr std::size_t kKeptBytes = 64 * 1024;  // of a buffer between two pieces

class DeltaListener final : public ExchangeListener {
 public:
  DeltaListener(const dialect::Dialect& dialect, const dialect::Recognised& recognised, std::shared_ptr<ExchangeListener> to)
      : dialect_(dialect), operation_(recognised.operation), framing_(recognised.framing), to_(std::move(to)) {}

  void on_start(std::uint64_t exchange) override { to_->on_start(exchange); }

  void on_head(const ResponseHead& head) override {
    // A type that tells nothing: a JSON array may be a stream, or one answer in brackets.
    const bool array = framing_ == http::Framing::kJsonArray;
    streamed_ = http::is_stream_type(head.headers.get("content-type").value_or(""), framing_) || array;
    if (head.status < 400) editor_ = dialect_.answer_editor(operation_, streamed_);
    if (editor_ && streamed_) reader_ = http::make_event_reader(framing_, kEventBytes);
    to_->on_head(head);
  }

  void on_bytes(std::string_view bytes) override {
    if (!editor_) return to_->on_bytes(bytes);
    if (!reader_) {
      whole_.append(bytes);
      return;
    }
    reader_->feed(bytes);
    http::StreamEvent event;
    for (;;) {
      const auto more = reader_->next(event);
      if (!more || !*more) break;
      if (event.has_data) read(event.data, event.raw);
    }
    tell();
  }

  void on_end(const Outcome& outcome) override {
    http::StreamEvent event;
    if (reader_ && reader_->finish(event) && event.has_data) read(event.data, event.raw);
    if (!whole_.empty()) read(whole_, whole_);
    tell();
    to_->on_end(outcome);
  }

 private:
  /// Notes the texts of one event, or of a whole answer. What the dialect has no reading for goes on as it came.
  void read(std::string_view data, std::string_view raw) {
    if (!editor_->read(data, texts_)) {
      tell();
      return to_->on_bytes(raw);
    }
    for (const dialect::AnswerText& text : texts_.texts()) {
      if (text.text.empty() && text.tool_name.empty()) continue;
      deltas_.push_back({text.address.choice, static_cast<Channel>(text.address.channel), text.address.tool_index, {}, {}});
      sizes_.emplace_back(text.tool_name.size(), text.text.size());
      bytes_.append(text.tool_name).append(text.text);
    }
  }

  void tell() {
    if (deltas_.empty()) return;
    std::string_view rest = bytes_;
    for (std::size_t i = 0; i < deltas_.size(); ++i) {
      deltas_[i].tool_name = rest.substr(0, sizes_[i].first);
      deltas_[i].text = rest.substr(sizes_[i].first, sizes_[i].second);
      rest.remove_prefix(sizes_[i].first + sizes_[i].second);
    }
    to_->on_deltas(deltas_);
    deltas_.clear();
    sizes_.clear();
    bytes_.clear();
    if (bytes_.capacity() > kKeptBytes) bytes_ = {};
  }

  const dialect::Dialect& dialect_;
  const dialect::Operation operation_;
  http::Framing framing_;
  const std::shared_ptr<ExchangeListener> to_;
  bool streamed_ = false;
  std::unique_ptr<dialect::AnswerEditor> editor_;   // null: the answer has no texts
  std::unique_ptr<http::EventReader> reader_;       // null: it is no stream
  std::string whole_;                               // of an answer that is none
  dialect::AnswerTexts texts_;
  // Of one piece: deltas, how long their names and texts are, and these themselves.
  std::vector<AnswerDelta> deltas_;
  std::vector<std::pair<std::size_t, std::size_t>> sizes_;
  std::string bytes_;
};

}  // namespace

std::shared_ptr<ExchangeListener> read_deltas(const Request& request, std::shared_ptr<ExchangeListener> listener) {
  const auto target = http::parse_target(request.target);
  if (!target) return listener;
  dialect::Recognised recognised;
  const dialect::Dialect* spoken = dialect::recognise(request.method, target->path, target->query, request.headers, recognised);
  if (spoken == nullptr) return listener;
  return std::make_shared<DeltaListener>(*spoken, recognised, std::move(listener));
}

}  // namespace sluice::gateway
