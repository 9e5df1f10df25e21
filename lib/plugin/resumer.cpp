// Resumers: what is said on any thread travels to the exchange's own, and finds the run there or nobody.

#include "plugin/resumer.hpp"

#include "plugin/run_state.hpp"

namespace sluice {

void Resumer::resume(Verdict verdict, std::function<void()> edit) const {
  if (state_) state_->resume(std::move(verdict), std::move(edit));
}

void Resumer::State::resume(Verdict verdict, std::function<void()> edit) {
  used_.store(true, std::memory_order_relaxed);  // of several, the run hears the first, and counts the others
  post_->post([anchor = anchor_, where = where_, verdict = std::move(verdict), edit = std::move(edit)] {
    if (anchor->run != nullptr) anchor->run->resumed(where, verdict, edit);
  });
}

Resumer::State::~State() {
  if (used_.load(std::memory_order_relaxed)) return;
  try {
    post_->post([anchor = anchor_, where = where_] {
      if (anchor->run != nullptr) anchor->run->let_go(where);
    });
  } catch (...) {
    // No memory for the message: the suspension's timeout says it instead.
  }
}

}  // namespace sluice
