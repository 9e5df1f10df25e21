#pragma once
/// What a listener answers by itself, without an exchange: whether the process is alive and ready and, on the address that is
/// for it, what it has done. Knows paths and what they tell; must not know connections.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/core.hpp"
#include "http/request_parser.hpp"

namespace sluice::server {

/// What an address is for.
enum class Serves : std::uint8_t {
  kExchanges,   ///< requests; of the pages only the probes
  kStatistics,  ///< the pages alone
};

/// What the connections of the statistics' address are held to. Lifetime: static.
[[nodiscard]] const Listen& statistics_listen();

struct Page {
  int status = 200;
  std::string_view content_type;  ///< of a literal
  std::string body;
};

/// `/healthz`, `/readyz` and, where statistics are served, `/statistics` by GET or HEAD; there everything else is a 404.
/// Nothing where the request is an exchange's. Thread: any.
[[nodiscard]] std::optional<Page> page_for(const http::RequestHead& head, Serves serves, const gateway::Core& core);

/// The body of `/statistics`: one JSON object, every field of docs/operating.md. Thread: any.
[[nodiscard]] std::string statistics_json(const gateway::Core& core);

}  // namespace sluice::server
