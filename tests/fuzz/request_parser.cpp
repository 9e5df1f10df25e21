// Any bytes, in any pieces: the request parser gives the same requests, and none that a stricter reader would not give.

#include <cstdint>
#include <cstdlib>

#include "unit/http/strict_http.hpp"
#include "unit/http/transcript.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::http::test;
  if (size == 0 || size > 16 * 1024) return 0;
  // The first byte seeds the cuts.
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::uint32_t state = data[0] + 1u;
  const auto cut = [&](std::size_t) {
    state = state * 1664525u + 1013904223u;
    return std::size_t{1} + (state >> 24) % 40;
  };
  const Outcome whole = run_whole(bytes);
  if (run(bytes, cut).text() != whole.text()) std::abort();
  const StrictServer strict{std::string(bytes)};
  if (whole.requests.size() > strict.requests.size()) std::abort();
  for (std::size_t i = 0; i < whole.requests.size(); ++i) {
    const Seen& a = whole.requests[i];
    const StrictRequest& b = strict.requests[i];
    if (a.head.method != b.method || a.head.target != b.target) std::abort();
    if (a.complete && (!b.whole || a.body != b.body)) std::abort();
  }
  return 0;
}
