// Server-sent events: no byte is lost, and the events are the same however the stream is cut. (SEC-36)
#include <string>
#include <vector>

#include "fuzz/check.hpp"
#include "http/sse.hpp"

namespace {

using namespace sluice;

struct Reading {
  std::string raw;                // of all events, one after the other
  std::vector<std::string> data;  // of those that have any, with their names
  bool too_large = false;
};

void note(Reading& reading, const http::SseEvent& event) {
  reading.raw += event.raw;
  if (event.has_data) reading.data.push_back(std::string(event.name) + "|" + std::string(event.data));
}

Reading read(std::string_view input, std::size_t piece, std::size_t max_event_bytes) {
  Reading reading;
  http::SseReader reader(max_event_bytes);
  http::SseEvent event;
  for (; !input.empty() && !reading.too_large; input.remove_prefix(std::min(piece, input.size()))) {
    reader.feed(input.substr(0, piece));
    for (;;) {
      const auto whole = reader.next(event);
      if (!whole) reading.too_large = true;
      if (!whole || !*whole) break;
      note(reading, event);
    }
  }
  if (!reading.too_large && reader.finish(event)) note(reading, event);
  return reading;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto input = fuzz::text(data, size);
  const std::size_t piece = 1 + fuzz::take(input) % 16;
  const Reading cut = read(input, piece, size + 1), whole = read(input, std::string_view::npos, size + 1);
  FUZZ_CHECK(!cut.too_large && !whole.too_large);
  FUZZ_CHECK(cut.data == whole.data);
  FUZZ_CHECK(whole.raw == input && cut.raw == input);

  // At a limit the two may differ by an LF that came too late to be counted, but what was given is a beginning of the rest.
  const Reading bounded = read(input, piece, 64);
  FUZZ_CHECK(input.starts_with(bounded.raw) && (bounded.too_large || bounded.raw == input));

  // What is written as one event is read as one event, whatever it holds.
  std::string written;
  http::append_event(written, input.substr(0, 100));
  FUZZ_CHECK(read(written, piece, written.size()).data.size() == 1);
  return 0;
}
