// The settings of a listener, compiled.

#include "server/listen_rules.hpp"

#include <string>

namespace sluice::server {

ListenRules::ListenRules(const Listen& listen) {
  for (const std::string& text : listen.trusted_proxies) {
    if (const auto range = base::AddressRange::parse(text)) trusted_proxies.push_back(*range);
  }
  if (listen.cors) cors.emplace(*listen.cors);
}

}  // namespace sluice::server
