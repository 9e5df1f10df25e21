// See composition.hpp.
#include "sim/composition.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <tuple>

#include "sim/text.hpp"

namespace sluice::sim {
namespace {

using Content = Settings::Content;

Choice compose_choice(const Asked& asked, const Settings& settings, const CallIds& ids, Random& random) {
  Choice choice;
  const bool chat = asked.subject == Subject::kChat;
  if (settings.content == Content::kToolCalls && chat) {
    choice.tools = settings.tools;
    choice.ending = Ending::kToolCalls;
    for (testing::ScriptedToolCall& tool : choice.tools) {
      if (tool.id.empty() && ids.size > 0) tool.id = std::string(ids.prefix) + random_name(random, ids.size);
      choice.tokens += count_tokens(tool.name) + count_tokens(tool.arguments);
    }
    if (!choice.tools.empty()) return choice;
    choice.ending = Ending::kStop;
  }
  choice.text = settings.content == Content::kGenerated ? generate_text(random, settings.generated_tokens) : settings.text;
  choice.refusal = settings.content == Content::kRefusal && chat;
  choice.ending = choice.refusal ? Ending::kRefusal : Ending::kStop;
  choice.tokens = count_tokens(choice.text);
  if (asked.max_tokens && choice.tokens > *asked.max_tokens) {
    choice.text.resize(first_tokens(choice.text, *asked.max_tokens).size());
    choice.tokens = *asked.max_tokens;
    choice.ending = Ending::kLength;
  }
  return choice;
}

}  // namespace

Composition compose(Asked asked, std::shared_ptr<const Settings> settings, const CallIds& ids, Random& random, std::int64_t created) {
  Composition what;
  what.created = created;
  what.name = random_name(random, 29);
  what.fingerprint = random_name(random, 10);
  if (!asked.problem && (asked.subject == Subject::kChat || asked.subject == Subject::kCompletions)) {
    what.choices.reserve(asked.choices);
    for (std::uint32_t i = 0; i < asked.choices; ++i) {
      what.choices.push_back(compose_choice(asked, *settings, ids, random));
      what.counts.output += what.choices.back().tokens;
    }
  }
  what.counts.input = asked.prompt_tokens;
  if (settings->usage) std::tie(what.counts.input, what.counts.output) = *settings->usage;
  if (asked.subject == Subject::kEmbeddings) what.counts.output = 0;
  what.counts.cached = std::min(settings->cached, what.counts.input);
  what.asked = std::move(asked);
  what.settings = std::move(settings);
  return what;
}

bool serves(const Settings& settings, std::string_view model) {
  return settings.models.empty() || std::find(settings.models.begin(), settings.models.end(), model) != settings.models.end();
}

std::vector<float> embed(std::string_view text, const Composition& what) {
  Random random(stable_hash(text));
  std::vector<float> vector(what.asked.dimensions != 0 ? what.asked.dimensions : what.settings->dimensions);
  double square = 0;
  for (float& x : vector) {
    x = static_cast<float>(random.unit() * 2 - 1);
    square += static_cast<double>(x) * static_cast<double>(x);
  }
  const double length = std::sqrt(square);
  if (length > 0) {
    for (float& x : vector) x = static_cast<float>(static_cast<double>(x) / length);
  }
  return vector;
}

std::string little_endian(const std::vector<float>& vector) {
  std::string bytes;
  bytes.reserve(vector.size() * 4);
  for (const float x : vector) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift & 0xff);
  }
  return bytes;
}

}  // namespace sluice::sim
