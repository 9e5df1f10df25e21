// The request parser says the same of the same bytes, however they are cut. (SEC-36)
#include <string>

#include "fuzz/check.hpp"
#include "http/request_parser.hpp"

namespace {

using namespace sluice;

// Everything the parser says, as one text; bodies are joined, since their cuts are the input's.
struct Transcript final : http::RequestSink {
  std::string said;
  void on_head(http::RequestHead&& head) override {
    said += "head " + head.method + " " + head.target + (head.keep_alive ? " keep" : " last");
    for (const HeaderField field : head.headers) said.append("\n  ").append(field.name).append(": ").append(field.value);
    said += head.has_body ? "\nbody " : "\n";
  }
  void on_body(std::string_view bytes) override { said += bytes; }
  void on_complete() override { said += "\nwhole\n"; }
};

std::string read(std::string_view input, std::size_t piece) {
  Transcript transcript;
  http::RequestParser parser(transcript, {.header_bytes = 2048, .headers = 16});
  while (!input.empty()) {
    const std::string_view now = input.substr(0, piece);
    const auto taken = parser.feed(now);
    if (!taken) {
      transcript.said += "\nerror " + std::string(to_string(taken.error().code));
      break;
    }
    FUZZ_CHECK(*taken == now.size());  // nobody paused it
    input.remove_prefix(now.size());
  }
  return transcript.said;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto input = fuzz::text(data, size);
  const std::size_t piece = 1 + fuzz::take(input) % 16;
  FUZZ_CHECK(read(input, piece) == read(input, std::string_view::npos));
  return 0;
}
