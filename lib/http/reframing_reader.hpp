#pragma once
/// Streams in another framing than they came in: for callers who speak the upstream's dialect and expect it framed otherwise.
/// Knows framings; what an event is called in the new one it is told.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/event_reader.hpp"

namespace sluice::http {

/// Gives the events of `inner` as they stand in `framing`: their `raw` is written anew. Events that tell an error (`!`) keep
/// their name and are left as they came, for whoever has to tell them. Comments and other events without data are left out.
class ReframingReader final : public EventReader {
 public:
  using Ask = std::function<NamedEvent(std::string_view data)>;
  ReframingReader(std::unique_ptr<EventReader> inner, Framing framing, Ask ask);

  void feed(std::string_view bytes) override { inner_->feed(bytes); }
  [[nodiscard]] Result<bool> next(StreamEvent& event) override;
  [[nodiscard]] bool finish(StreamEvent& event) override;
  [[nodiscard]] std::size_t held() const noexcept override { return inner_->held(); }
  void shrink() override;

 private:
  void reframe(StreamEvent& event);

  std::unique_ptr<EventReader> inner_;
  Framing framing_;
  Ask ask_;
  std::string raw_, name_;
};

}  // namespace sluice::http
