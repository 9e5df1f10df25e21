// How long exact counts take: `bpe_bench o200k_base|cl100k_base FILE`, a rank file. Prints how long the file takes to load and
// what it holds in memory, the speed for the texts a gateway sees and for those that are quadratic elsewhere, and what a prompt
// of 2 KB takes. Times are the thread's own, for machines that do other work too: the fastest of many batches, and the median.

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/bpe.hpp"

namespace {

using namespace sluice::chat::tokens;

constexpr std::size_t kBytes = 1'000'000;

double microseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

std::string repeated(std::string_view piece) {
  std::string out;
  while (out.size() < kBytes) out += piece;
  return out;
}

std::string prose() {
  static constexpr const char* kWords[] = {"the", "gateway", "forwards", "every", "byte", "of", "a", "request", "unless", "someone", "asked",
                                           "internationalization", "misspeled", "Kubernetes", "unanswerable"};
  std::mt19937 random(1);
  std::string out;
  while (out.size() < kBytes) out += std::string(kWords[random() % std::size(kWords)]) + (random() % 12 == 0 ? ". " : " ");
  return out;
}

std::string of_letters(std::string_view letters) {
  std::mt19937 random(1);
  std::string out(kBytes, ' ');
  for (char& c : out) c = letters[random() % letters.size()];
  return out;
}

std::string printable() {
  std::string all;
  for (char c = ' '; c != 127; ++c) all += c;
  return of_letters(all);
}

/// Pieces just short of where they are cut off.
std::string longest_pieces() {
  const std::string letters = of_letters("acgt");
  std::string out;
  while (out.size() < kBytes) {
    out += ' ';
    out += letters.substr(out.size() % 900'000, Bpe::kLongestPiece - 1);
  }
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
      {"base64", of_letters("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")},
      {"longest", longest_pieces()},
      {"a", std::string(kBytes, 'a')},
      {"space", std::string(kBytes, ' ')},
      {"_", std::string(kBytes, '_')},
      {"newline", std::string(kBytes, '\n')},
  };
}

void report(const Bpe& bpe, const char* name, std::string_view text) {
  std::vector<double> times;
  Count count;
  const double until = microseconds() + 300'000;
  while (microseconds() < until || times.size() < 3) {
    const double began = microseconds();
    count = bpe.count(text);
    times.push_back(microseconds() - began);
  }
  std::sort(times.begin(), times.end());
  const auto speed = [&](double took) { return static_cast<double>(text.size()) / took; };
  std::printf("%-10s %8zu B  %8llu tokens%s  best %6.1f MB/s  median %6.1f MB/s  best %9.1f us\n", name, text.size(),
              static_cast<unsigned long long>(count.tokens), count.exact ? "        " : " (guess)", speed(times.front()),
              speed(times[times.size() / 2]), times.front());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bpe_bench o200k_base|cl100k_base FILE\n");
    return 2;
  }
  std::ifstream file(argv[2], std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const double began = microseconds();
  auto ranks = RankTable::parse(text);
  if (!ranks) {
    std::fprintf(stderr, "%s: %s\n", argv[2], ranks.error().message.c_str());
    return 1;
  }
  std::printf("%zu tokens, the longest of %zu bytes: loaded in %.1f ms, %.1f MB\n", ranks->size(), ranks->longest(),
              (microseconds() - began) / 1e3, static_cast<double>(ranks->memory_bytes()) / 1e6);
  const Bpe bpe(std::string_view(argv[1]) == "cl100k_base" ? Vocabulary::kCl100k : Vocabulary::kO200k, std::move(*ranks));
  report(bpe, "prompt", prose().substr(0, 2048));
  for (const auto& [name, one] : texts()) report(bpe, name, one);
}
