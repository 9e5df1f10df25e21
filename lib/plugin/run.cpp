// The run's door: nothing is made before somebody is asked.

#include "plugin/run.hpp"

#include "plugin/run_state.hpp"

namespace sluice::plugin {

Run::~Run() {
  if (state_ != nullptr) state_->release();
}

RunState& Run::state() {
  if (state_ == nullptr) state_ = new RunState(host_);
  return *state_;
}

Ruling Run::authenticate(const std::shared_ptr<const Chain>& chain) {
  return chain->authenticating() == 0 ? Ruling{} : state().authenticate(chain);
}

Ruling Run::request(const std::shared_ptr<const Chain>& chain) {
  return chain->empty() && state_ == nullptr ? Ruling{} : state().request(chain);
}

Ruling Run::attempt(std::string_view upstream, std::string_view model, std::uint32_t number, Headers& headers) {
  return state_ == nullptr ? Ruling{} : state_->attempt(upstream, model, number, headers);
}

Ruling Run::head(int status, Headers& headers) {
  return state_ == nullptr ? Ruling{} : state_->head(status, headers);
}

Ruling Run::delta(Delta& delta) {
  return state_ == nullptr ? Ruling{} : state_->delta(delta);
}

Ruling Run::answer_end() {
  return state_ == nullptr ? Ruling{} : state_->answer_end();
}

bool Run::waiting() const noexcept { return state_ != nullptr && state_->waiting(); }

std::optional<TimePoint> Run::next_deadline() const noexcept {
  return state_ == nullptr ? std::nullopt : state_->next_deadline();
}

void Run::on_time(TimePoint now) {
  if (state_ != nullptr) state_->on_time(now);
}

void Run::stop() noexcept {
  if (state_ != nullptr) state_->stop();
}

void Run::account(Outcome& outcome) {
  if (state_ != nullptr) state_->account(outcome);
}

Duration Run::waited() const noexcept { return state_ == nullptr ? Duration{0} : state_->waited(); }

void Run::finish(const Outcome& outcome) {
  if (state_ != nullptr) state_->finish(outcome);
}

}  // namespace sluice::plugin
