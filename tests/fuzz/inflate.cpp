// Compressed request bodies: damaged or hostile data is refused within the limit. (SEC-36)
#include "fuzz/check.hpp"
#include "gateway/inflate.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t kLimit = 1 << 20;
  for (const std::string_view coding : {"gzip", "deflate"}) {
    const auto decoded = sluice::gateway::inflate(sluice::fuzz::text(data, size), coding, kLimit);
    if (decoded) FUZZ_CHECK(decoded->size() <= kLimit);
  }
  return 0;
}
