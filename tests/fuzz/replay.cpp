// Runs one fuzzer over its corpus as an ordinary test, so that an input that once broke something stays mended.

#include <catch2/catch.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

TEST_CASE("every input of the corpus passes, and so does every prefix of it") {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SLUICE_CORPUS)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    CAPTURE(entry.path().filename().string());
    for (std::size_t size = 0; size <= bytes.size(); ++size)
      REQUIRE(LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), size) == 0);
    ++files;
  }
  REQUIRE(files > 0);
}
