// What the hooks of one session are handed.

#include "plugin/context.hpp"

#include "plugin/ledger.hpp"
#include "plugin/resumer.hpp"
#include "plugin/run_state.hpp"

namespace sluice::plugin {

const Chain::Entry& Context::entry() const noexcept { return run_.entry(seat_); }

bool Context::open() const noexcept {
  return (at_ == At::kInside || at_ == At::kSuspended) && !run_.stopped();
}

const ExchangeView& Context::exchange() const noexcept {
  return draft_ != nullptr && !run_.gone() ? draft_->view() : run_.view();
}

Resumer Context::resumer() {
  if (!open()) return {};
  if (taken_) return Resumer(resumer_.lock());
  taken_ = true;
  auto state = std::make_shared<Resumer::State>(run_.post(), run_.anchor(), Suspension{seat_, number_});
  resumer_ = state;
  return Resumer(std::move(state));
}

void Context::call(std::string_view upstream, Request request, CallBounds bounds,
                   std::function<void(Result<CallAnswer>)> done) {
  if (!run_.stopped()) run_.call(seat_, upstream, std::move(request), bounds, std::move(done));
}

void Context::report(Detection detection) {
  if (run_.stopped()) return;
  if (found_.size() < Ledger::kMostDetections) return found_.push_back(std::move(detection));
  run_.count(Count::kUnrecorded, seat_);
}

void Context::set_fault(Error error) {
  if (fault_ == nullptr) fault_ = std::make_unique<Error>(std::move(error));  // the first one says it
}

Status Context::refuse(std::string_view what) {
  Error error = make_error(Code::kPluginError, "plugin '" + std::string(entry().name) + "' " + std::string(what));
  if (open()) {
    set_fault(error);
  } else if (!run_.stopped()) {
    run_.count(Count::kError, seat_);
  }
  return tl::unexpected(std::move(error));
}

Status Context::open_draft(bool choosing) {
  if (!open() || (stage_ != Stage::kRequest && stage_ != Stage::kAuthenticate)) {
    return refuse("changes the request outside of its on_request");
  }
  if (choosing && entry().phase != Phase::kRoute) return refuse("chooses upstreams, and is not of phase route");
  if (!choosing && !entry().has(kWantsRequestEdits)) return refuse("changes the request, and has not asked for kWantsRequestEdits");
  if (draft_ == nullptr) draft_ = run_.draft(seat_);
  return {};
}

Status Context::open_headers(std::string_view name) {
  if (!open() || (stage_ != Stage::kAttempt && stage_ != Stage::kHead)) return refuse("changes headers outside of the hook they belong to");
  if (stage_ == Stage::kAttempt && !entry().has(kWantsRequestEdits)) {
    return refuse("changes the headers of an attempt, and has not asked for kWantsRequestEdits");
  }
  if (run_.owns_header(stage_, name)) {
    return fail(Code::kInvalidParameter, "the header '" + std::string(name) + "' is the gateway's own; leave it as it is", std::string(name));
  }
  if (headers_ == nullptr) headers_ = std::make_unique<Headers>(run_.headers_of(stage_));
  return {};
}

Status Context::set_header(std::string_view name, std::string_view value) {
  if (stage_ == Stage::kAttempt || stage_ == Stage::kHead) {
    if (Status opened = open_headers(name); !opened) return opened;
    return headers_->set(name, value);
  }
  if (Status opened = open_draft(false); !opened) return opened;
  return draft_->set_header(name, value);
}

void Context::remove_header(std::string_view name) {
  if (stage_ == Stage::kAttempt || stage_ == Stage::kHead) {
    if (open_headers(name)) headers_->remove(name);
  } else if (open_draft(false)) {
    draft_->remove_header(name);
  }
}

Status Context::set_body(std::string body) {
  if (Status opened = open_draft(false); !opened) return opened;
  return draft_->set_body(std::move(body));
}

Status Context::set_json(std::string_view pointer, std::string_view json) {
  if (Status opened = open_draft(false); !opened) return opened;
  return draft_->set_json(pointer, json);
}

Status Context::remove_json(std::string_view pointer) {
  if (Status opened = open_draft(false); !opened) return opened;
  return draft_->remove_json(pointer);
}

Status Context::set_prompt_text(std::size_t part, std::string_view text) {
  if (Status opened = open_draft(false); !opened) return opened;
  return draft_->set_prompt_text(part, text);
}

Status Context::choose(std::vector<RouteChoice> choices) {
  if (Status opened = open_draft(true); !opened) return opened;
  Status chosen = draft_->choose(std::move(choices));
  // A router that goes on after this would leave the exchange to a choice it did not make.
  if (!chosen) set_fault(make_error(Code::kPluginError, "plugin '" + std::string(entry().name) + "': " + chosen.error().message));
  return chosen;
}

std::string_view Context::upstream() const noexcept { return run_.attempted().upstream; }
std::string_view Context::model() const noexcept { return run_.attempted().model; }
std::uint32_t Context::number() const noexcept { return run_.attempted().number; }
int Context::status() const noexcept { return run_.status(); }
const Headers& Context::headers() const noexcept {
  if (headers_ != nullptr) return *headers_;
  return open() && stage_ == Stage::kHead ? run_.headers_of(Stage::kHead) : run_.no_headers();  // the host's are borrowed for the stage
}

void Context::emit(Delta delta) {
  if (!open() || stage_ != Stage::kAnswerEnd) {
    (void)refuse("adds text outside of its on_answer_end");
  } else if (!entry().has(kWantsDeltaEdits)) {
    (void)refuse("adds text, and has not asked for kWantsDeltaEdits");
  } else {
    emitted_.push_back(std::move(delta));
  }
}

void Context::close() noexcept {
  at_ = At::kOutside;
  taken_ = false;
  took_ = Duration{0};
  deadline_.reset();
  resumer_.reset();
  verdict_ = Verdict::go_on();
  fault_.reset();
  thrown_.clear();
  found_.clear();
  draft_.reset();
  headers_.reset();
  emitted_.clear();
}

}  // namespace sluice::plugin
