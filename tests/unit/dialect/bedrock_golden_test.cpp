// Golden cases: `NAME.asked.json` is a request of the OpenAI dialect, `NAME.sent.json` the one of Converse it becomes.
// `NAME.events` is a stream of Converse, an event a line (its type, its data), `NAME.given.sse` what a caller of the OpenAI
// dialect gets of it, at every split of the frames.

#include <filesystem>
#include <fstream>
#include <iterator>

#include "unit/dialect/bedrock_support.hpp"

using namespace sluice;

namespace {

const std::filesystem::path kFolder = std::filesystem::path(SLUICE_SOURCE_DIR) / "tests/golden/bedrock";

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  INFO(path);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Every file of that ending, with its partner of the other.
int each_pair(std::string_view ending, std::string_view other, const std::function<void(const std::string&, const std::string&)>& visit) {
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(ending)) continue;
    INFO(name);
    visit(contents(entry.path()), contents(kFolder / (name.substr(0, name.size() - ending.size()) + std::string(other))));
    ++seen;
  }
  return seen;
}

std::string framed(std::string_view lines) {
  std::string out;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    const std::size_t space = line.find(' ');
    http::append_event(out, http::Framing::kAwsEvents, line.substr(space + 1), line.substr(0, space));
  }
  return out;
}

/// The stream a caller gets when the upstream's bytes come cut at `cut`.
std::string given(std::string_view stream, std::size_t cut) {
  chat::Request asked;
  asked.model = "anthropic.claude-sonnet-4";
  const auto decoder = test::bedrock().delta_decoder({chat::Operation::kChat, &asked});
  const auto encoder = test::openai().delta_encoder({});
  const auto reader = http::make_event_reader(http::Framing::kAwsEvents, 1 << 20);
  std::string out;
  bool failed = false;
  for (const std::string_view bytes : {stream.substr(0, cut), stream.substr(cut)}) {
    const std::string piece(bytes);
    reader->feed(piece);
    http::StreamEvent event;
    while (*reader->next(event)) {
      std::vector<chat::Delta> deltas;
      REQUIRE(decoder->on_event(event.name, event.data, deltas));
      for (const chat::Delta& delta : deltas) {
        encoder->encode(delta, out);
        failed = failed || delta.as<chat::ErrorDelta>() != nullptr;
      }
    }
  }
  REQUIRE(decoder->over());
  if (!failed) encoder->end(out);
  return out;
}

}  // namespace

// DIAL-01
TEST_CASE("bedrock: golden requests of the OpenAI dialect become golden requests of Converse") {
  const int seen = each_pair(".asked.json", ".sent.json", [](const std::string& asked, const std::string& sent) {
    CHECK(test::canonical(test::ToBedrock(asked).text) == test::canonical(sent));
  });
  CHECK(seen == 2);
}

// DIAL-01, DIAL-04, DIAL-25
TEST_CASE("bedrock: golden streams are given as golden streams of the OpenAI dialect, at every split") {
  const int seen = each_pair(".events", ".given.sse", [](const std::string& events, const std::string& expected) {
    const std::string stream = framed(events);
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
      const std::string got = given(stream, cut);
      if (got != expected) FAIL("cut at " << cut << ":\n" << got);
    }
  });
  CHECK(seen == 3);
}
