#pragma once
/// What an exchange has beside itself where its route has plugins: the run of their hooks, and what waits for it. It is the
/// run's host: it answers questions and passes on what happens. What follows a ruling, the exchange knows (ruling.cpp,
/// answer_plugins.cpp).

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/answer_editor.hpp"
#include "engine/transport.hpp"
#include "gateway/call_out.hpp"
#include "gateway/exchange_view.hpp"
#include "plugin/run.hpp"

namespace sluice::gateway {

class Exchange;

/// One event of a stream whose texts go along the plugins, or a whole answer. It has bytes of its own where it waits.
struct DecodedEvent {
  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);
  dialect::AnswerTexts texts = {};
  std::string raw = {};                 ///< as it goes on while nothing in it changes, framing included
  std::size_t data_at = kNowhere;       ///< where its data stands in `raw`; kNowhere: not in one piece
  std::size_t data_size = 0;
  std::string name = {};                ///< `event`, for a framing of our own
  std::size_t answered = 0;             ///< of its texts: those that are through
  bool content = false;                 ///< as the tap says
  std::optional<Error> error = {};      ///< it tells an error, or cannot be read
};

/// Thread: the exchange's.
class ExchangePlugins final : public plugin::Host {
 public:
  explicit ExchangePlugins(Exchange& exchange);
  ExchangePlugins(const ExchangePlugins&) = delete;
  ExchangePlugins& operator=(const ExchangePlugins&) = delete;

  // plugin::Host.
  [[nodiscard]] const ExchangeView& view() const noexcept override { return reader; }
  [[nodiscard]] TimePoint now() const noexcept override;
  [[nodiscard]] std::shared_ptr<plugin::Post> post() override;
  [[nodiscard]] std::unique_ptr<plugin::RequestDraft> draft(std::string_view plugin) override;
  [[nodiscard]] bool owns_header(plugin::Stage stage, std::string_view name) const noexcept override;
  void call(std::string_view plugin, std::string_view upstream, Request request, CallBounds bounds,
            std::function<void(Result<CallAnswer>)> done) override;
  void pause_upstream() override;
  void resume_upstream() override;
  void count(plugin::Count what, std::string_view plugin) noexcept override;
  void deadline_changed() override;
  void on_ruling(plugin::Stage stage, const plugin::Ruling& ruling) override;
  void on_delta(Delta& delta, plugin::Change change) override;

  /// Adds what plugins have set, whatever of the client's fields may pass.
  void pass_headers(const Headers& from, Headers& to) const;
  [[nodiscard]] Duration waited_since_attempt() const noexcept { return run.waited() - waited_before; }
  /// Whether no more bytes of the answer are wanted now.
  [[nodiscard]] bool pauses() const noexcept { return deltas_wait || head_waits || queued_bytes > kQueuedBytes; }
  /// Something of the answer has not come out yet, so that its end must wait.
  [[nodiscard]] bool busy() const noexcept { return head_waits || !queue.empty() || end_waits; }
  /// The end of the answer is kept back: the plugins have not been told that it has come, or have not let it go.
  [[nodiscard]] bool holds_end() const noexcept { return editor != nullptr && !end_given; }
  /// What no plugin could read is not quoted either: its words may be those that a guard keeps back.
  [[nodiscard]] Error unquoted(Error error) const;
  void hold(DecodedEvent event);
  void forget_answer() noexcept;

  plugin::Run run;
  ExchangeReader reader;
  CallOuts calls;

  // The request.
  bool head_judged = true;                          // false: a plugin that authenticates is waited for
  std::optional<PluginReply> early_reply;                 // said on the head; told once the request is whole
  std::vector<std::string> set_headers;             // names of the fields that plugins have set
  bool timing_out = false;                          // who is late is told so by the next mail
  bool chose = false;                               // a plugin has said which upstreams, and in which order
  engine::WireRequest wire;                         // of the attempt that is asked about
  Duration waited_before{};                         // when the attempt was prepared, then when it began

  // The answer.
  static constexpr std::size_t kQueuedBytes = 64 * 1024;
  static constexpr std::size_t kWholeBytes = 16u << 20;
  bool head_waits = false;
  bool deltas_wait = false;                         // the run has as many as it takes
  std::string kept;                                 // bytes that came meanwhile
  std::optional<engine::TransferEnd> transfer_end;  // which came meanwhile
  engine::TransferEnd last_end;                     // the same, whether or not it had to wait
  std::string error_body;                           // goes out once the head of an error answer is through
  std::unique_ptr<dialect::AnswerEditor> editor;    // null: nobody wants this answer decoded
  DecodedEvent direct;                              // the event at hand; a whole answer as it waits for its end
  Delta text_at_hand;                               // of that: memory that is used again
  std::list<DecodedEvent> queue;                    // the first waits for a plugin, the others behind it
  std::size_t queued_bytes = 0;
  std::list<DecodedEvent> ends;                     // kept back until on_answer_end
  bool parted = false;                              // the texts in `ends` went out before them
  bool end_waits = false, end_given = false, end_completes = false;
  bool in_piece = false;                            // bytes of the upstream are being taken apart
  bool whole_read = false;                          // `direct` is a whole answer

 private:
  Exchange& exchange_;
};

}  // namespace sluice::gateway
