// What a path and a method mean to Bedrock's clients. The model stands in the middle of the path: an id (`%3A` in it or `:`,
// clients differ), or an ARN, whose slashes some clients escape and some do not.

#include <array>

#include "dialect/bedrock.hpp"
#include "dialect/providers.hpp"
#include "http/target.hpp"

namespace sluice::dialect::bedrock_parts {
namespace {

struct Known {
  std::string_view action;
  Operation operation;
  bool stream;
};

constexpr std::array kKnown{
    Known{"/converse", Operation::kChat, false},
    Known{"/converse-stream", Operation::kChat, true},
    Known{"/count-tokens", Operation::kCountTokens, false},
};

constexpr std::string_view kModel = "/model/";

}  // namespace

std::optional<Recognised> recognise(std::string_view method, std::string_view path) {
  const std::size_t at = path.find(kModel);
  if (at == std::string_view::npos) return std::nullopt;
  for (const Known& known : kKnown) {
    if (!path.ends_with(known.action)) continue;
    const std::size_t begin = at + kModel.size(), end = path.size() - known.action.size();
    if (end <= begin) return std::nullopt;
    auto model = http::percent_decode(path.substr(begin, end - begin));
    if (!model) return std::nullopt;
    Recognised out{.operation = known.operation,
                   .suffix = path.substr(at),
                   .model = *std::move(model),
                   .stream = known.stream,
                   .method_ok = method == "POST",
                   .allow = "POST"};
    if (known.stream) out.framing = Framing::kAwsEvents;
    return out;
  }
  return std::nullopt;
}

std::string target_of(const Sending& sending) {
  if ((sending.quirks & kInvoked) != 0) return invoke_target(sending);
  for (const Known& known : kKnown) {
    const bool stream = sending.streaming && sending.operation == Operation::kChat;
    if (known.operation != sending.operation || known.stream != stream) continue;
    return std::string(kModel).append(http::percent_encode(sending.model)).append(known.action);
  }
  return {};
}

bool serves(Operation operation) noexcept { return operation == Operation::kChat || operation == Operation::kCountTokens; }

}  // namespace sluice::dialect::bedrock_parts
