// The settings of a listener, compiled.

#include "server/listen_rules.hpp"

#include <string>

namespace sluice::server {

namespace {

std::vector<base::AddressRange> ranges_of(const std::vector<std::string>& texts) {
  std::vector<base::AddressRange> out;
  for (const std::string& text : texts) {
    if (const auto range = base::AddressRange::parse(text)) out.push_back(*range);
  }
  return out;
}

}  // namespace

ListenRules::ListenRules(const Listen& listen)
    : allow_addresses(ranges_of(listen.allow_addresses)), trusted_proxies(ranges_of(listen.trusted_proxies)) {
  if (listen.cors) cors.emplace(*listen.cors);
}

}  // namespace sluice::server
