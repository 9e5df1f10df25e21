// See stage.hpp.
#include "sim/stage.hpp"

#include "sim/text.hpp"

namespace sluice::sim {

testing::Script& Stage::script(const std::string& upstream) {
  const std::lock_guard lock(mutex_);
  auto& script = scripts_[upstream];
  if (!script) {
    script = std::make_unique<testing::Script>();
    script->impl().seed(seed_ ^ stable_hash(upstream));
  }
  return *script;
}

std::unique_ptr<Telling> Stage::begin(const std::string& upstream, testing::SeenRequest request, TimePoint now, WallTime wall) {
  testing::Script::Impl& script = this->script(upstream).impl();
  auto telling = Telling::begin(script, {request.method, request.target, Body::copy(request.body), now - first_, wall});
  // A refused connection shows nobody a request.
  if (record_ && telling->opening() != Opening::kRefused) {
    request.upstream = upstream;
    request.at = now;
    const std::lock_guard lock(mutex_);
    seen_.push_back(std::move(request));
  }
  return telling;
}

void Stage::forget_seen() {
  const std::lock_guard lock(mutex_);
  seen_.clear();
}

}  // namespace sluice::sim
