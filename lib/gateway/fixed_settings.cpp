// The few settings that are fixed while a gateway runs, each compared and named.

#include "gateway/fixed_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace sluice::gateway {

namespace {

void compare(std::vector<Problem>& found, std::string pointer, std::string_view running, std::string_view wanted) {
  if (running == wanted) return;
  const auto shown = [](std::string_view value) { return value.empty() ? std::string_view("unset") : value; };
  found.push_back({std::move(pointer), fmt::format("is {} and would be {}; it is fixed while a gateway runs", shown(running), shown(wanted))});
}

}  // namespace

std::vector<Problem> changed_fixed_settings(const Config& running, const Config& wanted) {
  std::vector<Problem> found;
  const GatewayOptions &before = running.gateway, &after = wanted.gateway;
  compare(found, "/gateway/threads", std::to_string(before.threads), std::to_string(after.threads));
  compare(found, "/gateway/statistics_address", before.statistics_address, after.statistics_address);
  for (std::size_t i = 0; i < std::max(before.listen.size(), after.listen.size()); ++i) {
    const auto address = [i](const std::vector<Listen>& list) { return i < list.size() ? std::string_view(list[i].address) : std::string_view(); };
    compare(found, fmt::format("/gateway/listen/{}/address", i), address(before.listen), address(after.listen));
  }
  return found;
}

}  // namespace sluice::gateway
