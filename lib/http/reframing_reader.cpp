// One event at a time: what was given is dead at the next call, as with every reader.

#include "http/reframing_reader.hpp"

#include <utility>

namespace sluice::http {

ReframingReader::ReframingReader(std::unique_ptr<EventReader> inner, Framing framing, Ask ask)
    : inner_(std::move(inner)), framing_(framing), ask_(std::move(ask)) {}

Result<bool> ReframingReader::next(StreamEvent& event) {
  for (;;) {
    auto more = inner_->next(event);
    if (!more || !*more) return more;
    if (!event.has_data) continue;
    reframe(event);
    return true;
  }
}

bool ReframingReader::finish(StreamEvent& event) {
  while (inner_->finish(event)) {
    if (!event.has_data) continue;
    reframe(event);
    return true;
  }
  return false;
}

void ReframingReader::shrink() {
  inner_->shrink();
  raw_ = {};
}

void ReframingReader::reframe(StreamEvent& event) {
  event.has_position = false;
  if (event.name.starts_with('!')) return;
  NamedEvent as = ask_(event.data);
  name_ = std::move(as.name);
  raw_.clear();
  append_event(raw_, framing_, as.data, name_);
  event = {.raw = raw_, .data = as.data, .name = name_, .has_data = true, .has_position = false};
}

}  // namespace sluice::http
