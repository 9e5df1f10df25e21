#pragma once
/// What the hooks of one session are handed: all five contexts in one object, made when its first hook runs and kept for
/// the next ones. Knows what the hook that is open may do; must not know what becomes of it: RunState judges.
///
/// A plugin that holds on to its context too long does no harm: outside of a hook, reading shows what there is, and
/// changing does nothing.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/chain.hpp"
#include "plugin/run.hpp"
#include "sluice/plugin.hpp"

namespace sluice::plugin {

class Context final : public RequestContext,
                      public AttemptContext,
                      public HeadContext,
                      public DeltaContext,
                      public AnswerEndContext {
 public:
  Context(RunState& run, std::uint32_t seat) noexcept : run_(run), seat_(seat) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // HookContext.
  const ExchangeView& exchange() const noexcept override;
  Resumer resumer() override;
  void call(std::string_view upstream, Request request, CallBounds bounds,
            std::function<void(Result<CallAnswer>)> done) override;
  void report(Detection detection) override;

  // RequestContext; the headers are those of the hook that is open: request, attempt or head.
  Status set_header(std::string_view name, std::string_view value) override;
  void remove_header(std::string_view name) override;
  Status set_body(std::string body) override;
  Status set_json(std::string_view pointer, std::string_view json) override;
  Status remove_json(std::string_view pointer) override;
  Status set_prompt_text(std::size_t part, std::string_view text) override;
  Status choose(std::vector<RouteChoice> choices) override;

  // AttemptContext.
  std::string_view upstream() const noexcept override;
  std::string_view model() const noexcept override;
  std::uint32_t number() const noexcept override;

  // HeadContext.
  int status() const noexcept override;
  const Headers& headers() const noexcept override;

  // AnswerEndContext.
  void emit(Delta delta) override;

 private:
  friend class RunState;
  enum class At : std::uint8_t {
    kOutside,    // no hook is open
    kInside,     // it is on the stack
    kSuspended,  // it has returned; its verdict has not come
    kSettled,    // its verdict is in, and waits for those of other plugins
  };

  [[nodiscard]] bool open() const noexcept;
  [[nodiscard]] const Chain::Entry& entry() const noexcept;
  /// Nothing to judge but the verdict itself.
  [[nodiscard]] bool quiet() const noexcept {
    return fault_ == nullptr && found_.empty() && headers_ == nullptr && emitted_.empty() && took_ == Duration{0};
  }
  /// The hook that is open has failed with this, whatever it returns.
  void set_fault(Error error);
  /// The plugin does what it may not: a fault of the hook that is open; counted where none is.
  Status refuse(std::string_view what);
  /// A version of the request to change, or why there is none.
  Status open_draft(bool choosing);
  /// The headers of an attempt or a head to change, or why there are none.
  Status open_headers(std::string_view name);
  void close() noexcept;

  RunState& run_;
  const std::uint32_t seat_;            // among the chain's entries
  Stage stage_ = Stage::kRequest;       // of the hook that is open, or was last
  At at_ = At::kOutside;
  bool taken_ = false;                  // its Resumer
  std::uint64_t number_ = 0;            // of the hook, among all of this run
  std::weak_ptr<Resumer::State> resumer_;
  Verdict verdict_ = Verdict::go_on();  // kSettled: weighed
  TimePoint began_{};
  Duration took_{};                     // a suspension, once it is over
  Duration deltas_took_{};              // all of those of on_delta
  std::optional<TimePoint> deadline_;   // kSuspended
  std::unique_ptr<Error> fault_;
  std::string thrown_;                  // what an exception said
  std::vector<Detection> found_;
  std::unique_ptr<RequestDraft> draft_;
  std::unique_ptr<Headers> headers_;    // those of the attempt or head, changed
  std::vector<Delta> emitted_;
};

}  // namespace sluice::plugin
