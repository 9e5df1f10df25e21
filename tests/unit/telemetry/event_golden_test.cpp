// The lines of the samples, byte for byte. SLUICE_WRITE_GOLDEN=1 writes them anew: a line that changes is a change that
// those who read events can see.

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>

#include "support/files.hpp"
#include "unit/telemetry/event_samples.hpp"

using namespace sluice;

TEST_CASE("the events of the samples are those on file") {
  const std::string path = "tests/golden/telemetry/events.jsonl";
  std::string lines;
  for (const tests::EventSample& sample : tests::event_samples()) lines += sample.line() + '\n';
  if (std::getenv("SLUICE_WRITE_GOLDEN") != nullptr) {
    std::ofstream(std::string(SLUICE_SOURCE_DIR) + "/" + path, std::ios::binary) << lines;
  }
  CHECK(tests::source_file(path) == lines);
}
