// Where servers of the OpenAI dialect depart from it: what a request must look like to be taken by one of them.

#include <algorithm>
#include <map>

#include "dialect/openai.hpp"
#include "dialect/providers.hpp"

namespace sluice::dialect::openai_parts {
namespace {

using chat::LossSeverity;

bool is_short_id(std::string_view id) noexcept {
  return id.size() == 9 && std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
         });
}

/// Nine letters and digits, the same for the same id every time: a call and its result must still meet. FNV-1a.
std::string short_id(std::string_view id) {
  constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  std::string out;
  for (int i = 0; i < 9; ++i, hash /= kDigits.size()) out += kDigits[hash % kDigits.size()];
  return out;
}

void shorten(std::string& id, chat::LossReport& loss) {
  if (id.empty() || is_short_id(id)) return;
  id = short_id(id);
  loss.add("messages.tool_calls.id", "ids of tool calls are rewritten to nine letters and digits", LossSeverity::kNote);
}

/// A result says whose it is by its call's id; servers with ids of their own want the tool's name beside it.
void shorten_ids(chat::ChatInput& chat, chat::LossReport& loss) {
  std::map<std::string, std::string> names;
  for (chat::Turn& turn : chat.turns) {
    for (chat::Part& part : turn.parts) {
      if (auto* call = part.as<chat::ToolCall>()) {
        shorten(call->id, loss);
        names[call->id] = call->name;
      } else if (auto* result = part.as<chat::ToolResult>()) {
        if (is_short_id(result->call_id)) continue;
        shorten(result->call_id, loss);
        if (const auto found = names.find(result->call_id); result->name.empty() && found != names.end()) result->name = found->second;
      }
    }
  }
}

void drop_unknown(chat::Request& request, chat::LossReport& loss) {
  constexpr std::string_view kWhy = "the server refuses requests with it";
  const auto drop = [&loss, kWhy](std::string_view field, bool present) {
    if (present) loss.add(std::string(field), std::string(kWhy), LossSeverity::kCosmetic);
    return present;
  };
  if (drop("user", !request.user.empty())) request.user.clear();
  if (drop("store", request.store.has_value())) request.store.reset();
  if (drop("service_tier", !request.service_tier.empty())) request.service_tier.clear();
  if (drop("logit_bias", !request.sampling.logit_bias.empty())) request.sampling.logit_bias.clear();
  if (auto* chat = request.chat(); chat != nullptr && drop("verbosity", !chat->verbosity.empty())) chat->verbosity.clear();
  if (request.sampling.logprobs.value_or(false) || request.sampling.top_logprobs) {
    loss.add("logprobs", std::string(kWhy), LossSeverity::kSemantic);
  }
  request.sampling.logprobs.reset();
  request.sampling.top_logprobs.reset();
}

/// The marks of `parts` and of what tools gave back in them. True: there were some.
bool drop_marks(std::vector<chat::Part>& parts) {
  bool dropped = false;
  for (chat::Part& part : parts) {
    std::visit(
        [&dropped](auto& value) {
          if constexpr (requires { value.cache; }) {
            dropped = dropped || value.cache;
            value.cache.reset();
          }
          if constexpr (requires { value.parts; }) dropped = drop_marks(value.parts) || dropped;
        },
        part.value);
  }
  return dropped;
}

/// Lists that are empty say nothing, and are refused.
void drop_empty_lists(chat::Turn& turn) {
  const auto is_content = [](const chat::Part& part) { return !part.as<chat::ToolCall>() && !part.as<chat::ToolResult>() && !part.as<chat::Thinking>(); };
  const bool list = turn.role == chat::Role::kAssistant && turn.form == chat::ContentForm::kParts;
  if (list && std::none_of(turn.parts.begin(), turn.parts.end(), is_content)) turn.form = chat::ContentForm::kAuto;
}

void drop_others_members(chat::Request& request, chat::LossReport& loss) {
  bool marks = false;
  if (request.sampling.stop && request.sampling.stop->empty()) request.sampling.stop.reset();
  if (auto* chat = request.chat()) {
    for (chat::Turn& turn : chat->turns) {
      marks = drop_marks(turn.parts) || marks;
      drop_empty_lists(turn);
    }
    for (chat::Tool& tool : chat->tools) {
      marks = marks || tool.cache;
      tool.cache.reset();
    }
  }
  if (marks) loss.add("cache_control", "the server caches prompts by itself, and refuses to be told", LossSeverity::kCosmetic);
  auto* embedding = std::get_if<chat::EmbeddingInput>(&request.input);
  if (embedding != nullptr && !embedding->input_type.empty()) {
    embedding->input_type.clear();
    loss.add("input_type", "the server's embeddings are the same for queries and documents", LossSeverity::kCosmetic);
  }
}

}  // namespace

bool has_quirks(std::uint32_t quirks) noexcept { return (quirks & (kRewrites | kMaxTokens | kRefusesStreamOptions | kOwnMembersOnly)) != 0; }

chat::Request with_quirks(chat::Request request, std::uint32_t quirks, chat::LossReport& loss) {
  auto* chat = request.chat();
  if ((quirks & kMaxTokens) != 0) request.sampling.max_tokens_is_legacy = true;
  if ((quirks & kShortToolIds) != 0 && chat != nullptr) shorten_ids(*chat, loss);
  if ((quirks & kRandomSeed) != 0 && request.sampling.seed) {
    request.extras.push_back({std::string(kName), "random_seed", std::to_string(*request.sampling.seed)});
    request.sampling.seed.reset();
  }
  if ((quirks & kKnownFieldsOnly) != 0) drop_unknown(request, loss);
  if ((quirks & kOwnMembersOnly) != 0) drop_others_members(request, loss);
  if ((quirks & kNoDeveloperRole) != 0 && chat != nullptr) {
    for (chat::Turn& turn : chat->turns) turn.developer = false;
  }
  if ((quirks & kRefusesStreamOptions) != 0) {
    request.usage_in_stream.reset();
    std::erase_if(request.extras, [](const chat::Extra& extra) { return extra.key.starts_with("stream_options."); });
  }
  return request;
}

}  // namespace sluice::dialect::openai_parts

namespace sluice::dialect {

bool takes_as_it_is(const chat::Request& request, std::uint32_t quirks) {
  chat::LossReport loss;
  return openai_parts::with_quirks(request, quirks, loss) == request && loss.empty();
}

}  // namespace sluice::dialect
