// See events.hpp.
#include "sim/events.hpp"

#include <algorithm>

#include "sim/text.hpp"

namespace sluice::sim {

Recital::Recital(std::shared_ptr<const Composition> what, std::unique_ptr<Phrases> phrases)
    : what_(std::move(what)), phrases_(std::move(phrases)), positions_(what_->choices.size()) {
  for (std::size_t i = 0; i < positions_.size(); ++i) {
    positions_[i].over = what_->choices[i].tools.empty() && what_->choices[i].text.empty();
  }
  phrases_->open(lines_);
  queue(Event{true, 0});
  settle();
}

std::optional<Events::Event> Recital::peek() const {
  if (ready_.empty()) return std::nullopt;
  return ready_.front().first;
}

void Recital::take(std::string& out) {
  if (ready_.empty()) return;
  out += ready_.front().second;
  ready_.pop_front();
  settle();
}

void Recital::queue(const Event& when) {
  for (std::string& line : lines_) ready_.emplace_back(when, std::move(line));
  lines_.clear();
}

/// Goes on until there is something to say, or nothing left: a step may pass in silence.
void Recital::settle() {
  while (ready_.empty() && !closed_) {
    bool said = false;
    for (std::size_t i = 0; i < positions_.size(); ++i) {
      if (positions_[i].over) continue;
      step(i);
      said = true;
    }
    queue(Event{false, step_});
    if (std::all_of(positions_.begin(), positions_.end(), [](const Position& p) { return p.over; })) {
      for (std::size_t i = 0; i < positions_.size(); ++i) phrases_->finish(i, lines_);
      phrases_->close(lines_);
      queue(Event{false, step_});
      closed_ = true;
    }
    if (said) ++step_;
  }
}

void Recital::step(std::size_t index) {
  const Choice& choice = what_->choices[index];
  Position& position = positions_[index];
  const bool tool = !choice.tools.empty();
  const Place place{index, position.tool, tool};
  const std::string_view text = tool ? std::string_view(choice.tools[position.tool].arguments) : std::string_view(choice.text);
  const bool opens = !position.opened;
  if (opens) {
    phrases_->begin(place, lines_);
    position.opened = true;
  }
  if (!tool || !opens) {
    const std::size_t end = token_end(text, position.at);
    phrases_->token(place, text.substr(position.at, end - position.at), lines_);
    position.at = end;
  }
  if (position.at < text.size()) return;
  phrases_->end(place, lines_);
  const bool over = !tool || position.tool + 1 == choice.tools.size();
  position = Position{0, position.tool + 1, false, over};
}

}  // namespace sluice::sim
