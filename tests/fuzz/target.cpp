// Targets and URLs: what was normalised once stays as it is, and encoding is undone by decoding. (SEC-36)
#include <string>

#include "fuzz/check.hpp"
#include "http/target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  const auto input = fuzz::text(data, size);
  if (const auto target = http::parse_target(input)) {
    const auto again = http::parse_target(target->path + (target->has_query ? "?" + target->query : ""));
    FUZZ_CHECK(again && again->path == target->path && again->query == target->query);
    FUZZ_CHECK(target->path.find("/../") == std::string::npos && target->path.find('\0') == std::string::npos);
  }
  if (const auto url = http::parse_url(input)) {
    const auto again = http::parse_url((url->tls ? "https://" : "http://") + url->authority + url->path);
    FUZZ_CHECK(again && again->host == url->host && again->port == url->port && again->path == url->path);
  }
  (void)http::parse_host_port(input);
  FUZZ_CHECK(http::percent_decode(http::percent_encode(input)) == std::string(input));
  return 0;
}
