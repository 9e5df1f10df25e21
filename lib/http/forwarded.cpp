// X-Forwarded-For, read from its end: the nearest proxy's word first.

#include "http/forwarded.hpp"

#include <algorithm>
#include <optional>

namespace sluice::http {
namespace {

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_port(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`: as proxies write them.
std::optional<base::Address> parse_entry(std::string_view entry) noexcept {
  if (entry.starts_with('[')) {
    const std::size_t close = entry.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view rest = entry.substr(close + 1);
    if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return std::nullopt;
    return base::Address::parse(entry.substr(1, close - 1));
  }
  const std::size_t colon = entry.find(':');
  if (colon != std::string_view::npos && entry.find(':', colon + 1) == std::string_view::npos) {
    return is_port(entry.substr(colon + 1)) ? base::Address::parse(entry.substr(0, colon)) : std::nullopt;
  }
  return base::Address::parse(entry);
}

}  // namespace

std::string client_address(std::string_view peer, const Headers& headers, std::span<const base::AddressRange> trusted) {
  std::optional<base::Address> client = base::Address::parse(peer);
  if (!client) return std::string(peer);
  const auto is_trusted = [trusted](const base::Address& address) {
    return std::any_of(trusted.begin(), trusted.end(), [&address](const base::AddressRange& range) { return range.contains(address); });
  };
  if (!is_trusted(*client)) return client->text();

  std::size_t looked_at = 0;
  for (std::size_t i = headers.size(); i-- > 0;) {
    const HeaderField field = headers[i];
    if (!same_name(field.name, "x-forwarded-for") || field.value.empty()) continue;
    std::string_view list = field.value;
    while (true) {
      const std::size_t comma = list.rfind(',');
      const auto next = ++looked_at > kForwardedEntries ? std::nullopt : parse_entry(trimmed(list.substr(comma + 1)));
      if (!next) return client->text();
      client = next;
      if (!is_trusted(*client)) return client->text();
      if (comma == std::string_view::npos) break;
      list = list.substr(0, comma);
    }
  }
  return client->text();
}

}  // namespace sluice::http
