// How long json::Document::parse takes for the bodies a gateway sees. Needs no framework: it prints the fastest of many
// short batches (an undisturbed one, on a machine that does other work too) and the median, in ns for one parse.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "json/document.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using sluice::Body;
using sluice::json::Document;

// English words; `escape_every` n puts an escape behind one word in n (0: none).
std::string prose(std::mt19937& random, std::size_t bytes, unsigned escape_every) {
  static constexpr const char* kWords[] = {"the", "gateway", "forwards", "every", "byte", "of", "a", "request", "unless", "someone", "asked"};
  std::string out;
  while (out.size() < bytes) {
    out += kWords[random() % std::size(kWords)];
    const bool escape = escape_every != 0 && random() % escape_every == 0;
    out += !escape ? " " : random() % 2 == 0 ? "\\n" : "\\\"";
  }
  return out;
}

std::string chat(std::size_t bytes, std::size_t message_bytes, unsigned escape_every = 0) {
  std::mt19937 random(1);
  std::string out = R"({"model":"gpt-4o-mini","stream":true,"temperature":0.7,"max_tokens":512,"messages":[)";
  for (int turn = 0; out.size() + 400 < bytes; ++turn) {
    out += turn == 0 ? "" : ",";
    out += turn % 2 == 0 ? R"({"role":"user","content":")" : R"({"role":"assistant","content":")";
    out += prose(random, std::min(message_bytes, bytes - out.size() - 390), escape_every) + "\"}";
  }
  return out + R"(],"tools":[{"type":"function","function":{"name":"get_weather","description":"Weather of a city","parameters":)"
               R"({"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},"required":["city"]}}}]})";
}

void report(const char* name, const std::string& text) {
  const Body body = Body::copy(text);
  const int batch = std::max(1, static_cast<int>(20000 / (text.size() + 1)));
  std::vector<double> times;
  const auto until = Clock::now() + std::chrono::milliseconds(400);
  while (Clock::now() < until) {
    const auto began = Clock::now();
    for (int i = 0; i != batch; ++i) {
      const auto document = Document::parse(body);
      if (!document) {
        std::printf("%s: %s\n", name, document.error().message.c_str());
        return;
      }
    }
    times.push_back(std::chrono::duration<double, std::nano>(Clock::now() - began).count() / batch);
  }
  std::sort(times.begin(), times.end());
  std::printf("%-28s %9zu B  best %10.0f ns  median %10.0f ns  %6.2f GB/s\n", name, text.size(), times.front(),
              times[times.size() / 2], static_cast<double>(text.size()) / times.front());
}

std::string repeated(std::string text, const char* piece, std::size_t bytes, const char* end) {
  while (text.size() < bytes) text += piece;
  return text + end;
}

}  // namespace

int main() {
  report("chat 2.3 KB", chat(2300, 250));
  report("chat 51 KB", chat(51000, 800));
  report("chat 1 MB", chat(1'000'000, 4000));
  report("chat 1 MB, escape in 8 words", chat(1'000'000, 4000, 8));
  report("chat 1 MB, escape each word", chat(1'000'000, 4000, 1));
  report("1 MB of \\uXXXX", repeated("{\"a\":\"", "\\u4f60\\u597d", 1'000'000, "\"}"));
  report("1 MB of Japanese", repeated("{\"a\":\"", "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 1'000'000, "\"}"));
  std::string numbers = "{\"input\":[0", members = "{\"k\":0";
  for (int i = 0; i != 200'000; ++i) {
    numbers += "," + std::to_string(i % 100'000);
    members += ",\"k" + std::to_string(i) + "\":1";
  }
  report("200,000 numbers", numbers + "]}");
  report("200,000 members", members + "}");
}
