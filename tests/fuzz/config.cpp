// A configuration document: every text is either refused with problems that say where, or taken, judged and printed. (SEC-36)
#include "fuzz/check.hpp"
#include "sluice/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config = sluice::Config::parse(sluice::fuzz::text(data, size));
  if (!config) {
    FUZZ_CHECK(config.error().code == sluice::Code::kInvalidConfiguration && !config.error().message.empty());
    return 0;
  }
  for (const auto& problem : sluice::validate(*config)) FUZZ_CHECK(!problem.message.empty());
  FUZZ_CHECK(!config->dump().empty());
  return 0;
}
