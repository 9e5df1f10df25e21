// Golden streams: `NAME.FROM.sse` is what an upstream of one dialect sends, `NAME.TO.sse` what a caller of the other gets. Read at
// every split.

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "http/sse.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;

namespace {

std::string contents(const std::string& name) {
  std::ifstream file(std::filesystem::path(SLUICE_SOURCE_DIR) / "tests/golden/anthropic" / name, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The stream a caller gets when the upstream's bytes come cut at `cut`.
std::string given(const dialect::Dialect& from, const dialect::Dialect& to, std::string_view stream, std::size_t cut) {
  const auto decoder = from.delta_decoder({});
  const auto encoder = to.delta_encoder({.usage = true});
  http::SseReader reader;
  std::vector<chat::Delta> deltas;
  std::string out;
  for (const std::string_view piece : {stream.substr(0, cut), stream.substr(cut)}) {
    reader.feed(piece);
    http::SseEvent event;
    while (*reader.next(event)) {
      if (!event.has_data) continue;
      deltas.clear();
      if (!decoder->on_event(event.name, event.data, deltas)) return "refused";
      for (const chat::Delta& delta : deltas) encoder->encode(delta, out);
    }
  }
  if (!decoder->over() || !decoder->on_end()) return "not over";
  encoder->end(out);
  return out;
}

}  // namespace

// DIAL-01, DIAL-18, DIAL-20
TEST_CASE("golden streams are given in the other dialect, the same at every split") {
  struct Row {
    std::string name, from, to;
  };
  const auto row = GENERATE(values<Row>({{"parallel_calls", "openai", "anthropic"}, {"thinking", "anthropic", "openai"}}));
  const std::string stream = contents(row.name + "." + row.from + ".sse"), expected = contents(row.name + "." + row.to + ".sse");
  INFO(row.name);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    const std::string out = given(*dialect::find_dialect(row.from), *dialect::find_dialect(row.to), stream, cut);
    if (out != expected) INFO("cut at " << cut);
    REQUIRE(out == expected);
  }
}
