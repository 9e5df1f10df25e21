// Golden streams: `NAME.asked.sse` is what an upstream sends when asked for usage, `NAME.given.sse` what a caller gets who
// did not ask. Both are read at every split.

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "http/sse.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;

namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The stream a caller gets when the upstream's bytes come cut at `cut`.
std::string given(std::string_view stream, std::size_t cut, chat::Usage& usage) {
  const auto tap = dialect::openai().tap({chat::Operation::kChat, true, true});
  http::SseReader reader;
  std::string out;
  for (const std::string_view piece : {stream.substr(0, cut), stream.substr(cut)}) {
    reader.feed(piece);
    http::SseEvent event;
    while (*reader.next(event)) {
      if (!event.has_data) {
        out += event.raw;
        continue;
      }
      const dialect::TapVerdict verdict = tap->on_event(event.name, event.data);
      if (verdict.action == dialect::TapAction::kForward) out += event.raw;
      if (verdict.action == dialect::TapAction::kReplace) http::append_event(out, verdict.replacement, event.name);
    }
  }
  usage = tap->usage();
  return out;
}

}  // namespace

// DIAL-12, DIAL-18
TEST_CASE("golden streams are given as if usage had never been asked for, at every split") {
  const std::filesystem::path folder = std::filesystem::path(SLUICE_SOURCE_DIR) / "tests/golden/openai";
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".asked.sse")) continue;
    ++seen;
    INFO(name);
    const std::string asked = contents(entry.path());
    const std::string expected = contents(folder / (name.substr(0, name.size() - 10) + ".given.sse"));
    for (std::size_t cut = 0; cut <= asked.size(); ++cut) {
      chat::Usage usage;
      const std::string got = given(asked, cut, usage);
      if (got != expected) {
        CHECK(got == expected);
        break;
      }
      REQUIRE(usage.input_tokens == 9u);
      REQUIRE(usage.output_tokens == 3u);
    }
  }
  CHECK(seen == 4);
}
