// Any bytes as target, URL, address and escapes: no crash, a normal form that stays, and no dot segment left in it.

#include <cstdint>
#include <cstdlib>

#include "http/target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto target = parse_target(text)) {
    const std::string& path = target->path;
    if (!path.starts_with('/') || path.find("//") != std::string::npos) std::abort();
    const std::string closed = path + "/";
    if (closed.find("/./") != std::string::npos || closed.find("/../") != std::string::npos) std::abort();
    const auto again = parse_target(path);
    if (!again || again->path != path || again->has_query) std::abort();
  }
  if (const auto url = parse_url(text)) {
    const auto again = parse_url((url->tls ? "https://" : "http://") + url->authority + url->path);
    if (!again || again->host != url->host || again->port != url->port || again->path != url->path) std::abort();
  }
  if (const auto address = parse_host_port(text); address && address->host.empty()) std::abort();
  if (percent_decode(percent_encode(text)) != text) std::abort();
  (void)percent_decode(text);
  return 0;
}
