// What one delta of a stream costs inside the gateway, once its bytes are there: nobody wants it (tap alone), somebody reads
// it (tap, texts read), somebody changes it (tap, texts read, event written). Prints the fastest of many short batches and
// the median, in ns for one event. `delta_bench CASE N` runs one case N times and prints nothing: for an instruction counter.

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

/// The data of an event whose framing makes it one of 226 bytes, as in benchmarks/proxy.
std::string chunk(std::string_view text) {
  return R"({"id":"chatcmpl-9dHvXJZ5Kq2sT7uW","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":")" +
         std::string(text) + R"("},"logprobs":null,"finish_reason":null}]})";
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

void report(const char* name, Case run, const std::string& data) {
  constexpr int kBatch = 200;
  Stream stream;
  std::vector<double> times;
  std::size_t bytes = 0;
  const auto until = Clock::now() + std::chrono::milliseconds(600);
  while (Clock::now() < until) {
    const auto began = Clock::now();
    for (int i = 0; i != kBatch; ++i) bytes += (stream.*run)(data);
    times.push_back(std::chrono::duration<double, std::nano>(Clock::now() - began).count() / kBatch);
  }
  std::sort(times.begin(), times.end());
  std::printf("%-10s %4zu B  best %6.0f ns  median %6.0f ns%s\n", name, data.size(), times.front(), times[times.size() / 2], bytes == 0 ? "  (nothing read)" : "");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string plain = chunk(" reasonable"), escaped = chunk(" \\\"na\\u00efve\\\"");
  if (argc == 3) {
    Stream stream;
    for (const auto& [name, run] : kCases) {
      for (long i = std::string_view(argv[1]) == name ? std::atol(argv[2]) : 0; i > 0; --i) (void)(stream.*run)(plain);
    }
    return 0;
  }
  for (const std::string* data : {&plain, &escaped}) {
    for (const auto& [name, run] : kCases) report(name, run, *data);
  }
}
