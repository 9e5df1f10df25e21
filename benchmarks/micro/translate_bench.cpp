// What a translation costs: a chat request of 2 KB read in one dialect and written in another, its answer the other way, one
// delta of a stream, and a megabyte of history, read and written apart. For every pair of dialects the fastest of many short
// batches and the median, in ns; the history in MB/s, the median. Arguments name the pairs, `openai anthropic`; without, all.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "chat/message.hpp"
#include "dialect/dialect.hpp"

namespace {

using namespace sluice;
using namespace std::chrono_literals;
using chat::Operation;
using dialect::Dialect;
using Clock = std::chrono::steady_clock;

struct Times {
  double fastest = 0, median = 0;
};

template <typename Work>
Times timed(int batch, const Work& work) {
  std::vector<double> times;
  const auto until = Clock::now() + 120ms;
  while (Clock::now() < until) {
    const auto began = Clock::now();
    for (int i = 0; i != batch; ++i) work();
    times.push_back(std::chrono::duration<double, std::nano>(Clock::now() - began).count() / batch);
  }
  std::sort(times.begin(), times.end());
  return {times.front(), times[times.size() / 2]};
}

/// A conversation with tools, of about `bytes` of text.
chat::Request conversation(std::size_t bytes) {
  const std::string text = "The quick brown fox jumps over the lazy dog and asks itself whether \"quotes\" have to be escaped.\n";
  chat::Request request;
  request.model = "m";
  request.sampling.max_output_tokens = 256;
  request.sampling.temperature = 0.5;
  chat::ChatInput input;
  input.turns.push_back({.role = chat::Role::kSystem, .parts = {{chat::Text{.text = "Be brief."}}}});
  input.tools.push_back({.name = "weather", .description = "The weather in a city.", .parameters = R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"]})"});
  std::size_t size = 0;
  for (int i = 0; size < bytes; ++i) {
    std::string said;
    while (said.size() < 400) said += text;
    size += said.size();
    input.turns.push_back({.role = i % 2 == 0 ? chat::Role::kUser : chat::Role::kAssistant, .parts = {{chat::Text{.text = std::move(said)}}}});
  }
  if (input.turns.size() % 2 != 0) input.turns.push_back({.role = chat::Role::kUser, .parts = {{chat::Text{.text = "And?"}}}});
  request.input = std::move(input);
  return request;
}

std::size_t sink = 0;

void measure(const Dialect& from, const Dialect& to) {
  const dialect::Sending sending{.operation = Operation::kChat, .model = "m"};
  const auto written = [&](const chat::Request& request) {
    chat::LossReport loss;
    return from.encode_request(request, sending, loss);
  };
  const auto read_request = [&](const std::string& body) {
    const auto document = json::Document::parse(Body::copy(body));
    auto request = document ? from.decode_request(*document, Operation::kChat) : Result<chat::Request>(fail(Code::kInternal, ""));
    if (!request) std::fprintf(stderr, "%s cannot read its own request\n", std::string(from.name()).c_str());
    return request;
  };
  const auto translate = [&](const std::string& body) {
    const auto request = read_request(body);
    if (!request) return;
    chat::LossReport loss;
    sink += to.encode_request(*request, sending, loss).size();
  };
  const std::string small = written(conversation(1400));
  const Times request = timed(50, [&] { translate(small); });

  // An answer, and a stream, as the other dialect's servers would give them.
  chat::Message message;
  message.id = "x1";
  message.model = "m";
  message.created = 1'700'000'000;
  chat::Choice& choice = message.choices.emplace_back();
  choice.turn.parts.push_back({chat::Text{.text = std::string(400, 'a')}});
  choice.finish = chat::FinishReason::kStop;
  message.usage.emplace();
  message.usage->input_tokens = 300;
  message.usage->output_tokens = 100;
  chat::LossReport loss;
  const std::string whole = to.encode_answer(message, {}, loss);
  const Times answer = timed(50, [&] {
    const auto read = to.decode_answer(whole, {});
    chat::LossReport lost;
    if (read) sink += from.encode_answer(*read, {}, lost).size();
  });

  dialect::AnswerForm form;
  for (const auto framing : {http::Framing::kSse, http::Framing::kNdjson, http::Framing::kAwsEvents}) {
    form.framing = framing;  // the one the dialect has: others come out empty below
    std::string stream;
    const auto encoder = to.delta_encoder(form);
    for (const chat::Delta& delta : chat::to_deltas(message)) {
      encoder->encode(delta, stream);
      for (int i = 0; i < 1000 && delta.as<chat::TextDelta>(); ++i) encoder->encode({0, chat::TextDelta{.text = " token"}}, stream);
    }
    const auto reader = http::make_event_reader(framing, 1u << 20);
    reader->feed(stream);
    http::StreamEvent event;
    std::vector<std::pair<std::string, std::string>> events;
    for (auto more = reader->next(event); more && *more; more = reader->next(event)) {
      if (event.has_data) events.emplace_back(event.name, event.data);
    }
    if (events.size() < 900) continue;
    const auto& [name, data] = events[events.size() / 2];
    const auto decoder = to.delta_decoder({});
    std::vector<chat::Delta> deltas;
    for (const auto& [first_name, first] : events) {
      deltas.clear();
      (void)decoder->on_event(first_name, first, deltas);
      if (&first == &data) break;
    }
    const auto back = from.delta_encoder({});
    std::string out;
    back->encode({0, chat::AnswerStart{.id = "x", .model = "m"}}, out);
    back->encode({0, chat::TurnStart{}}, out);
    const Times delta = timed(500, [&] {
      deltas.clear();
      out.clear();
      (void)decoder->on_event(name, data, deltas);
      for (const chat::Delta& one : deltas) back->encode(one, out);
      sink += out.size();
    });
    const std::string large = written(conversation(1'000'000));
    const Times reading = timed(1, [&] { sink += read_request(large) ? 1 : 0; });
    const auto history = read_request(large);
    if (!history) return;
    const Times writing = timed(1, [&] {
      chat::LossReport lost;
      sink += to.encode_request(*history, sending, lost).size();
    });
    std::printf("%-17s %-17s request of %zu bytes %7.0f %7.0f   answer %7.0f %7.0f   delta %6.0f %6.0f   history read %5.0f written %5.0f MB/s\n", std::string(from.name()).c_str(),
                std::string(to.name()).c_str(), small.size(), request.fastest, request.median, answer.fastest, answer.median, delta.fastest, delta.median,
                static_cast<double>(large.size()) / reading.median * 1000, static_cast<double>(large.size()) / writing.median * 1000);
    return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto named = [&](std::string_view name, int at) { return argc <= at || name == argv[at]; };
  for (const std::string_view from : dialect::dialect_names()) {
    for (const std::string_view to : dialect::dialect_names()) {
      const Dialect &a = *dialect::find_dialect(from), &b = *dialect::find_dialect(to);
      if (!named(from, 1) || !named(to, 2) || !a.serves(Operation::kChat) || !b.serves(Operation::kChat)) continue;
      measure(a, b);
    }
  }
  return sink == 0 ? 1 : 0;
}
