// What one delta of a stream costs inside the gateway, once its bytes are there: nobody wants it (tap alone), somebody reads
// it (tap, texts read), somebody changes it (tap, texts read, event written). Prints the fastest of many short batches and
// the median, in ns for one event. `delta_bench STREAM CASE N` runs one case (`0 wanted`) N times and prints nothing: for an
// instruction counter.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/dialect.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using namespace sluice;

/// The data of an event that is one of 226 bytes with its framing, as in benchmarks/proxy. Escapes in the text make it longer.
std::string chunk(std::string_view text, std::string_view created = "1760000000") {
  return R"({"id":"chatcmpl-9f2c61d0a3b8","object":"chat.completion.chunk","created":)" + std::string(created) +
         R"(,"model":"bench-7","system_fingerprint":null,"choices":[{"index":0,"delta":{"content":")" + std::string(text) +
         R"("},"logprobs":null,"finish_reason":null}]})";
}

class Stream {
 public:
  /// One event, as far as the case goes. Gives a byte count, so that nothing is optimised away.
  std::size_t unwanted(std::string_view data) { return tap_->on_event({}, data).content ? data.size() : 0; }
  std::size_t wanted(std::string_view data) {
    std::size_t bytes = unwanted(data);
    if (editor_->read(data, texts_)) {
      for (const dialect::AnswerText& text : texts_.texts()) bytes += text.text.size();
    }
    return bytes;
  }
  std::size_t edited(std::string_view data) {
    (void)wanted(data);
    for (dialect::AnswerText& text : texts_.texts()) text.replacement = "*** masked";
    out_.clear();
    editor_->write(texts_, out_);
    return out_.size();
  }

 private:
  std::unique_ptr<dialect::AnswerTap> tap_ = dialect::openai().tap({chat::Operation::kChat, true, false});
  std::unique_ptr<dialect::AnswerEditor> editor_ = dialect::openai().answer_editor(chat::Operation::kChat, true);
  dialect::AnswerTexts texts_;
  std::string out_;
};

using Case = std::size_t (Stream::*)(std::string_view);
constexpr struct {
  const char* name;
  Case run;
} kCases[] = {{"unwanted", &Stream::unwanted}, {"wanted", &Stream::wanted}, {"edited", &Stream::edited}};

void report(const char* what, const char* name, Case run, const std::vector<std::string>& events) {
  constexpr int kBatch = 200;
  Stream stream;
  std::vector<double> times;
  std::size_t bytes = 0;
  const auto until = Clock::now() + std::chrono::milliseconds(600);
  while (Clock::now() < until) {
    const auto began = Clock::now();
    for (std::size_t i = 0; i != kBatch; ++i) bytes += (stream.*run)(events[i % events.size()]);
    times.push_back(std::chrono::duration<double, std::nano>(Clock::now() - began).count() / kBatch);
  }
  std::sort(times.begin(), times.end());
  std::printf("%-28s %-9s %4zu B  best %6.0f ns  median %6.0f ns%s\n", what, name, events[0].size(), times.front(), times[times.size() / 2],
              bytes == 0 ? "  (nothing read)" : "");
}

}  // namespace

int main(int argc, char** argv) {
  // Texts differ from event to event; in the last stream so does the rest, and every event has to be parsed.
  const struct {
    const char* what;
    std::vector<std::string> events;
  } streams[] = {{"events alike", {chunk(" clear"), chunk(" quite")}},
                 {"with escapes", {chunk(R"(\n\"na\u00efve\")"), chunk(R"(\\\u00e9t\u00e9\n!)")}},
                 {"each of another shape", {chunk(" clear"), chunk(" quite", "1760000001")}}};
  if (argc == 4) {
    const auto& events = streams[static_cast<std::size_t>(std::atoi(argv[1])) % std::size(streams)].events;
    Stream stream;
    for (const auto& [name, run] : kCases) {
      for (long i = std::string_view(argv[2]) == name ? std::atol(argv[3]) : 0; i > 0; --i) (void)(stream.*run)(events[static_cast<std::size_t>(i) % events.size()]);
    }
    return 0;
  }
  for (const auto& [what, events] : streams) {
    for (const auto& [name, run] : kCases) report(what, name, run, events);
  }
}
