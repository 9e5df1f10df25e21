// Any bytes, in any pieces: the same events, and the bytes of all events are the stream.

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "http/sse.hpp"

namespace {

struct Run {
  std::string events;
  std::string bytes;
  bool too_large = false;
};

template <typename Cut> Run read(std::string_view stream, Cut cut) {
  sluice::http::SseReader reader(512);
  sluice::http::SseEvent event;
  Run out;
  const auto take = [&] {
    out.bytes += event.raw;
    if (event.has_data) out.events.append(event.name).append(1, '\0').append(event.data).append(1, '\1');
  };
  for (std::size_t at = 0; at < stream.size();) {
    const std::size_t end = std::min(at + cut(), stream.size());
    const std::vector<char> piece(stream.begin() + static_cast<std::ptrdiff_t>(at),
                                  stream.begin() + static_cast<std::ptrdiff_t>(end));
    reader.feed({piece.data(), piece.size()});
    at = end;
    while (true) {
      const auto more = reader.next(event);
      if (!more) return out.too_large = true, out;
      if (!*more) break;
      take();
    }
  }
  if (reader.finish(event)) take();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::uint32_t state = data[0] + 1u;
  const Run whole = read(stream, [&] { return stream.size(); });
  const Run pieces = read(stream, [&] {
    state = state * 1664525u + 1013904223u;
    return std::size_t{1} + (state >> 24) % 7;
  });
  // An event that is one byte too long in one delivery may be just right in another: where its CR ended a piece, the LF
  // behind it counts for the next one.
  if (whole.too_large || pieces.too_large) return 0;
  if (whole.events != pieces.events || whole.bytes != stream || pieces.bytes != stream) std::abort();

  // What is written comes back as one event.
  std::string written;
  sluice::http::append_event(written, stream);
  sluice::http::SseReader reader(16 * written.size() + 16);
  sluice::http::SseEvent event;
  reader.feed(written);
  const auto first = reader.next(event);
  if (!first || !*first || !event.has_data || event.raw != written) std::abort();
  return 0;
}
