// Golden translations: `NAME.request.openai.json` is what an OpenAI caller asks, `NAME.request.gemini.json` what a gemini
// server is sent for it, `NAME.request.loss.txt` what the report says; `NAME.stream.gemini.sse` is what the server answers and
// `NAME.stream.openai.sse` what the caller gets, wherever the server's bytes are cut.

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "http/sse.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::Operation;

namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  INFO(path);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <typename F>
int each_golden(std::string_view ending, F&& visit) {
  const std::filesystem::path folder = std::filesystem::path(SLUICE_SOURCE_DIR) / "tests/golden/gemini";
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(ending)) continue;
    ++seen;
    INFO(name);
    const std::string stem = name.substr(0, name.size() - ending.size());
    visit(contents(entry.path()), [&](std::string_view other) { return contents(folder / (stem + std::string(other))); });
  }
  return seen;
}

std::string streamed(std::string_view stream, std::size_t cut) {
  const auto decoder = dialect::gemini().delta_decoder({Operation::kChat});
  const auto encoder = dialect::openai().delta_encoder({});
  http::SseReader reader;
  std::string out;
  for (const std::string_view piece : {stream.substr(0, cut), stream.substr(cut)}) {
    reader.feed(piece);
    http::SseEvent event;
    while (*reader.next(event)) {
      std::vector<chat::Delta> deltas;
      if (event.has_data) REQUIRE(decoder->on_event(event.name, event.data, deltas));
      for (const chat::Delta& delta : deltas) encoder->encode(delta, out);
    }
  }
  REQUIRE(decoder->on_end());
  encoder->end(out);
  return out;
}

}  // namespace

// DIAL-01, DIAL-03
TEST_CASE("golden requests are sent to gemini servers as they should be") {
  const int seen = each_golden(".request.openai.json", [](const std::string& asked, auto&& other) {
    const auto request = dialect::openai().decode_request(test::parsed(asked), Operation::kChat);
    REQUIRE(request);
    chat::LossReport loss;
    const std::string sent = dialect::gemini().encode_request(*request, {.operation = Operation::kChat, .model = request->model}, loss);
    std::string lines;
    for (const chat::Loss& lost : loss.entries()) lines += std::string(to_string(lost.severity)) + " " + lost.field + ": " + lost.reason + "\n";
    CHECK(test::canonical(sent) == test::canonical(other(".request.gemini.json")));
    CHECK(lines == other(".request.loss.txt"));
  });
  CHECK(seen >= 2);
}

// DIAL-01, DIAL-18
TEST_CASE("golden streams of gemini servers reach OpenAI callers as they should, at every split") {
  const int seen = each_golden(".stream.gemini.sse", [](const std::string& stream, auto&& other) {
    const std::string expected = other(".stream.openai.sse");
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) REQUIRE(streamed(stream, cut) == expected);
  });
  CHECK(seen >= 2);
}
