// See script.hpp and sluice/simulator.hpp.
#include "sim/script.hpp"

#include <algorithm>

namespace sluice::testing {

using Content = sim::Settings::Content;

void Script::Impl::seed(std::uint64_t seed) {
  const std::lock_guard lock(mutex);
  random = Random(seed);
}

sim::Cue Script::Impl::cue(Duration now) {
  const std::lock_guard lock(mutex);
  // Each request has chance of its own, drawn in the order of arrival: how one answer is consumed changes no other.
  sim::Cue cue{settings, std::nullopt, Random(random.next())};
  for (sim::FaultRule& rule : faults) {
    if (!rule.applies(now)) continue;
    if (rule.left) --*rule.left;
    cue.fault = rule;
    break;
  }
  return cue;
}

bool Script::Impl::refuses_connections(Duration now) const {
  const std::lock_guard lock(mutex);
  for (const sim::FaultRule& rule : faults) {
    if (rule.applies(now)) return rule.fault.kind == Fault::Kind::kRefuse && !rule.left;
  }
  return false;
}

std::optional<Duration> Script::Impl::next_change(Duration now) const {
  const std::lock_guard lock(mutex);
  std::optional<Duration> next;
  for (const sim::FaultRule& rule : faults) {
    for (const Duration moment : {rule.from, rule.until}) {
      if (moment > now && moment != Duration::max() && (!next || moment < *next)) next = moment;
    }
  }
  return next;
}

Script::Script() : impl_(std::make_unique<Impl>()) {}
Script::~Script() = default;

Script& Script::answers(std::string text) {
  impl_->change([&](sim::Settings& s) {
    s.content = Content::kText;
    s.text = std::move(text);
  });
  return *this;
}

Script& Script::generates(std::size_t tokens) {
  impl_->change([&](sim::Settings& s) {
    s.content = Content::kGenerated;
    s.generated_tokens = tokens;
  });
  return *this;
}

Script& Script::calls(std::vector<ScriptedToolCall> tools) {
  impl_->change([&](sim::Settings& s) {
    s.content = Content::kToolCalls;
    s.tools = std::move(tools);
  });
  return *this;
}

Script& Script::refuses(std::string text) {
  impl_->change([&](sim::Settings& s) {
    s.content = Content::kRefusal;
    s.text = std::move(text);
  });
  return *this;
}

Script& Script::pace(Pace pace) {
  impl_->change([&](sim::Settings& s) { s.pace = pace; });
  return *this;
}

Script& Script::usage(std::uint64_t input, std::uint64_t output) {
  impl_->change([&](sim::Settings& s) {
    s.usage.emplace(input, output);
    s.no_usage = false;
  });
  return *this;
}

Script& Script::cached(std::uint64_t input) {
  impl_->change([&](sim::Settings& s) { s.cached = input; });
  return *this;
}

Script& Script::no_usage() {
  impl_->change([](sim::Settings& s) { s.no_usage = true; });
  return *this;
}

Script& Script::embeds(std::size_t dimensions) {
  impl_->change([&](sim::Settings& s) { s.dimensions = dimensions; });
  return *this;
}

Script& Script::models(std::vector<std::string> names) {
  impl_->change([&](sim::Settings& s) { s.models = std::move(names); });
  return *this;
}

Script& Script::header(std::string name, std::string value) {
  if (!is_header_name(name) || !is_header_value(value)) return *this;
  impl_->change([&](sim::Settings& s) { s.headers.emplace_back(std::move(name), std::move(value)); });
  return *this;
}

Script& Script::body(std::string content_type, std::string bytes) {
  if (!is_header_value(content_type)) content_type = "application/octet-stream";
  impl_->change([&](sim::Settings& s) { s.body.emplace(std::move(content_type), std::move(bytes)); });
  return *this;
}

Script& Script::stream_bytes(std::string bytes) {
  impl_->change([&](sim::Settings& s) { s.stream_bytes = std::move(bytes); });
  return *this;
}

Script& Script::piece_bytes(std::size_t n) {
  impl_->change([&](sim::Settings& s) { s.piece_bytes = n; });
  return *this;
}

Script& Script::fails_with(int status, std::string body) {
  const std::lock_guard lock(impl_->mutex);
  Fault fault;
  fault.kind = Fault::Kind::kStatus;
  fault.status = status;
  fails(fault);
  impl_->faults.back().body = std::move(body);
  return *this;
}

Script& Script::fails(Fault fault) {
  const std::lock_guard lock(impl_->mutex);
  auto& faults = impl_->faults;
  if (fault.kind == Fault::Kind::kNone) {
    faults.clear();
    return *this;
  }
  std::erase_if(faults, [](const sim::FaultRule& rule) { return !rule.limited(); });
  sim::FaultRule rule;
  rule.fault = fault;
  faults.push_back(std::move(rule));
  return *this;
}

Script& Script::from(Duration at) {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->faults.empty()) impl_->faults.back().from = at;
  return *this;
}

Script& Script::until(Duration at) {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->faults.empty()) impl_->faults.back().until = at;
  return *this;
}

Script& Script::times(std::uint32_t n) {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->faults.empty()) impl_->faults.back().left = n;
  return *this;
}

}  // namespace sluice::testing
