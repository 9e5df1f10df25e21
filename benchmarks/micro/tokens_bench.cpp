// How long counting token classes takes, for the texts a gateway sees and for those that are quadratic elsewhere. Prints
// the fastest of many short batches (an undisturbed one, on a machine that does other work too) and the median.
// `tokens_bench NAME` runs one text alone, ten times and without a clock: for counting instructions.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/tokens.hpp"

namespace {

using Clock = std::chrono::steady_clock;
namespace tokens = sluice::chat::tokens;

constexpr std::size_t kBytes = 1'000'000;

std::string repeated(std::string_view piece) {
  std::string out;
  while (out.size() < kBytes) out += piece;
  return out;
}

std::string prose() {
  static constexpr const char* kWords[] = {"the", "gateway", "forwards", "every", "byte", "of", "a", "request", "unless", "someone", "asked"};
  std::mt19937 random(1);
  std::string out;
  while (out.size() < kBytes) out += std::string(kWords[random() % std::size(kWords)]) + (random() % 12 == 0 ? ". " : " ");
  return out;
}

std::string printable() {
  std::mt19937 random(1);
  std::string out(kBytes, ' ');
  for (char& c : out) c = static_cast<char>(' ' + random() % 95);
  return out;
}

std::vector<std::pair<const char*, std::string>> texts() {
  return {
      {"prose", prose()},
      {"json", repeated(R"({"ts":"2026-03-01T12:00:00.113Z","level":"info","msg":"order accepted","id":883120,"ok":true},)")},
      {"code", repeated("  for (size_t i = 0; i < length; i++) {\n    sum = (sum << 5) ^ readByte(data, i);\n  }\n")},
      {"russian", repeated("Ночной поезд отправился с опозданием на час, и дождь прекратился. ")},
      {"chinese", repeated("夜班火车晚点一个小时才出发，到达海边的时候雨已经停了。")},
      {"emoji", repeated("🚀🙏📈")},
      {"random", printable()},
      {"a", std::string(kBytes, 'a')},
      {"space", std::string(kBytes, ' ')},
      {"^", std::string(kBytes, '^')},
      {"_", std::string(kBytes, '_')},
  };
}

void report(const char* name, const std::string& text) {
  std::vector<double> times;
  std::uint64_t estimate = 0;
  const auto until = Clock::now() + std::chrono::milliseconds(400);
  while (Clock::now() < until) {
    const auto began = Clock::now();
    estimate = tokens::estimate(text, {});
    times.push_back(std::chrono::duration<double, std::nano>(Clock::now() - began).count());
  }
  std::sort(times.begin(), times.end());
  const auto speed = [&](double took) { return static_cast<double>(text.size()) * 1000 / took; };
  std::printf("%-10s %8zu B  %8llu tokens  best %6.0f MB/s  median %6.0f MB/s\n", name, text.size(),
              static_cast<unsigned long long>(estimate), speed(times.front()), speed(times[times.size() / 2]));
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto& [name, text] : texts()) {
    if (argc == 1) {
      report(name, text);
    } else if (std::string_view(argv[1]) == name) {
      std::uint64_t sum = 0;
      for (int i = 0; i != 10; ++i) sum += tokens::estimate(text, {});
      std::printf("%llu\n", static_cast<unsigned long long>(sum));
    }
  }
}
