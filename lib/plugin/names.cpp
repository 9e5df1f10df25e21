// Names of phases, channels and hooks, and the two verdicts that hold something.

#include "plugin/chain.hpp"
#include "sluice/plugin.hpp"

namespace sluice {

std::string_view to_string(Phase phase) noexcept {
  switch (phase) {
    case Phase::kAuthenticate: return "authenticate";
    case Phase::kGuard: return "guard";
    case Phase::kTransform: return "transform";
    case Phase::kRoute: return "route";
    case Phase::kObserve: return "observe";
  }
  return "guard";
}

std::string_view to_string(Channel channel) noexcept {
  switch (channel) {
    case Channel::kText: return "text";
    case Channel::kReasoning: return "reasoning";
    case Channel::kToolArguments: return "tool_arguments";
    case Channel::kRefusal: return "refusal";
  }
  return "text";
}

Verdict Verdict::reply(PluginReply reply) {
  return Verdict(Kind::kReply, std::make_shared<const PluginReply>(std::move(reply)));
}

Verdict Verdict::fail(Error error) {
  return Verdict(Kind::kFail, std::make_shared<const Error>(std::move(error)));
}

namespace plugin {

std::string_view hook_name(Stage stage) noexcept {
  switch (stage) {
    case Stage::kAuthenticate:
    case Stage::kRequest: return "request";
    case Stage::kAttempt: return "attempt";
    case Stage::kHead: return "head";
    case Stage::kDelta: return "delta";
    case Stage::kAnswerEnd: return "answer_end";
  }
  return "request";
}

}  // namespace plugin
}  // namespace sluice
