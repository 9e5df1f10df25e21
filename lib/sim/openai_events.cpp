// Streams of the OpenAI dialect: see openai.hpp. Order and spelling of keys are those of the recordings; tests/unit/sim
// compares.
#include "sim/openai.hpp"

#include <algorithm>
#include <utility>

#include "sim/text.hpp"

namespace sluice::sim {
namespace {

void append_usage(std::string& out, const Composition& what) {
  const Counts& counts = what.counts;
  out += R"({"prompt_tokens":)";
  append_number(out, counts.input);
  out += R"(,"completion_tokens":)";
  append_number(out, counts.output);
  out += R"(,"total_tokens":)";
  append_number(out, counts.input + counts.output);
  if (what.asked.subject == Subject::kChat) {
    out += R"(,"prompt_tokens_details":{"cached_tokens":)";
    append_number(out, counts.cached);
    out += R"(,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,)"
           R"("accepted_prediction_tokens":0,"rejected_prediction_tokens":0})";
  }
  out += '}';
}

constexpr std::string_view kFailure =
    "data: {\"error\":{\"message\":\"The server had an error while processing your request. Sorry about that!\","
    "\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n";

class OpenAiEvents final : public Events {
 public:
  explicit OpenAiEvents(Composition what);

  [[nodiscard]] std::optional<Event> peek() const override;
  void take(std::string& out) override;
  void break_off(std::string& out, std::uint64_t, bool) override { out += kFailure; }

 private:
  enum class Phase : std::uint8_t { kRole, kContent, kFinish, kUsage, kDone, kOver };
  struct Position {
    std::size_t at = 0;      // in the text, or in the arguments of the tool
    std::size_t tool = 0;
    bool opened = false;     // the tool's first delta is out
    bool over = false;
  };

  void settle();
  void take_content(std::string& out);
  [[nodiscard]] bool chat() const noexcept { return what_.asked.subject == Subject::kChat; }
  void open_choice(std::string& out, std::size_t choice) const;
  void close_choice(std::string& out, std::size_t choice, std::string_view finish) const;

  Composition what_;
  std::string before_, after_;       // of every choices array
  std::vector<Position> positions_;
  Phase phase_ = Phase::kRole;
  std::size_t choice_ = 0;
  std::uint64_t step_ = 0;           // each choice says one token a step
  bool said_ = false;                // something in this step
};

OpenAiEvents::OpenAiEvents(Composition what) : what_(std::move(what)), positions_(what_.choices.size()) {
  const bool usage = what_.asked.usage_in_stream && !what_.settings->no_usage;
  const std::string model = quote(what_.asked.model);
  before_ = "data: {\"id\":\"" + std::string(chat() ? "chatcmpl-" : "cmpl-") + what_.name + "\",\"object\":\"" + (chat() ? "chat.completion.chunk" : "text_completion") + "\",\"created\":";
  append_number(before_, static_cast<std::uint64_t>(what_.created));
  if (chat()) before_ += ",\"model\":" + model + ",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_" + what_.fingerprint + "\"";
  else after_ = ",\"model\":" + model;
  if (usage) after_ += ",\"usage\":null";
  after_ += "}\n\n";
  if (!chat()) phase_ = Phase::kContent;
  for (std::size_t i = 0; i < positions_.size(); ++i) {
    positions_[i].over = what_.choices[i].tools.empty() && what_.choices[i].text.empty();
  }
  settle();
}

std::optional<Events::Event> OpenAiEvents::peek() const {
  if (phase_ == Phase::kOver) return std::nullopt;
  const std::uint64_t last = step_ == 0 ? 0 : step_ - 1;
  return Event{phase_ == Phase::kRole, phase_ == Phase::kContent ? step_ : last};
}

/// Finds the next choice that has something to say in this phase, or the next phase.
void OpenAiEvents::settle() {
  for (;;) {
    if (phase_ == Phase::kContent) {
      while (choice_ < positions_.size() && positions_[choice_].over) ++choice_;
      if (choice_ < positions_.size()) return;
      choice_ = 0;
      if (said_) ++step_;
      said_ = false;
      const bool more = std::any_of(positions_.begin(), positions_.end(), [](const Position& p) { return !p.over; });
      if (!more) phase_ = Phase::kFinish;
    } else if ((phase_ == Phase::kRole || phase_ == Phase::kFinish) && choice_ == positions_.size()) {
      choice_ = 0;
      phase_ = phase_ == Phase::kRole ? Phase::kContent : Phase::kUsage;
    } else if (phase_ == Phase::kUsage && (!what_.asked.usage_in_stream || what_.settings->no_usage)) {
      phase_ = Phase::kDone;
    } else {
      return;
    }
  }
}

void OpenAiEvents::open_choice(std::string& out, std::size_t choice) const {
  out += before_;
  out += chat() ? R"(,"choices":[{"index":)" : R"(,"choices":[{"text":)";
  if (!chat()) return;
  append_number(out, choice);
  out += R"(,"delta":)";
}

void OpenAiEvents::close_choice(std::string& out, std::size_t choice, std::string_view finish) const {
  if (!chat()) {
    out += R"(,"index":)";
    append_number(out, choice);
  }
  out += R"(,"logprobs":null,"finish_reason":)";
  if (finish.empty()) out += "null";
  else out.append("\"").append(finish).append("\"");
  out += "}]";
  out += after_;
}

void OpenAiEvents::take_content(std::string& out) {
  const Choice& choice = what_.choices[choice_];
  Position& position = positions_[choice_];
  open_choice(out, choice_);
  if (choice.tools.empty()) {
    const std::size_t end = token_end(choice.text, position.at);
    if (chat()) out += choice.refusal ? R"({"refusal":")" : R"({"content":")";
    else out += '"';
    append_escaped(out, std::string_view(choice.text).substr(position.at, end - position.at));
    out += chat() ? "\"}" : "\"";
    position.at = end;
    position.over = end == choice.text.size();
  } else {
    const auto& tool = choice.tools[position.tool];
    out += R"({"tool_calls":[{"index":)";
    append_number(out, position.tool);
    if (!position.opened) {
      out += R"(,"id":)";
      append_quoted(out, tool.id);
      out += R"(,"type":"function","function":{"name":)";
      append_quoted(out, tool.name);
      out += R"(,"arguments":""}}]})";
      position.opened = true;
    } else {
      const std::size_t end = token_end(tool.arguments, position.at);
      out += R"(,"function":{"arguments":")";
      append_escaped(out, std::string_view(tool.arguments).substr(position.at, end - position.at));
      out += R"("}}]})";
      position.at = end;
    }
    if (position.at == tool.arguments.size()) {
      position = Position{0, position.tool + 1, false, position.tool + 1 == choice.tools.size()};
    }
  }
  close_choice(out, choice_, {});
  said_ = true;
}

void OpenAiEvents::take(std::string& out) {
  switch (phase_) {
    case Phase::kRole: {
      const Choice& choice = what_.choices[choice_];
      open_choice(out, choice_);
      if (!choice.tools.empty()) out += R"({"role":"assistant","content":null})";
      else if (choice.refusal) out += R"({"role":"assistant","content":null,"refusal":""})";
      else out += R"({"role":"assistant","content":"","refusal":null})";
      close_choice(out, choice_, {});
      ++choice_;
      break;
    }
    case Phase::kContent:
      take_content(out);
      ++choice_;
      break;
    case Phase::kFinish:
      open_choice(out, choice_);
      out += chat() ? "{}" : "\"\"";
      close_choice(out, choice_, openai_reason(what_.choices[choice_].ending));
      ++choice_;
      break;
    case Phase::kUsage:
      out += before_;
      if (!chat()) out += ",\"model\":" + quote(what_.asked.model);
      if (chat()) out += R"(,"choices":[])";
      out += R"(,"usage":)";
      append_usage(out, what_);
      if (!chat()) out += R"(,"choices":[])";
      out += "}\n\n";
      phase_ = Phase::kDone;
      break;
    case Phase::kDone:
      out += "data: [DONE]\n\n";
      phase_ = Phase::kOver;
      break;
    case Phase::kOver: return;
  }
  settle();
}

}  // namespace

std::unique_ptr<Events> openai_events(Composition what) { return std::make_unique<OpenAiEvents>(std::move(what)); }

}  // namespace sluice::sim
