// What edits must leave alone: three lists.

#include "policy/edit_rules.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "policy/words.hpp"
#include "sluice/headers.hpp"

namespace sluice::policy {
namespace {

/// Fields that frame the message or belong to one connection: the gateway writes them itself.
constexpr std::array<std::string_view, 12> kFraming{
    "connection", "content-encoding", "content-length",    "expect",
    "host",       "http2-settings",   "keep-alive",        "proxy-connection",
    "te",         "trailer",          "transfer-encoding", "upgrade"};
/// Fields that carry credentials: those come from the upstream, bound to its origin.
constexpr std::array<std::string_view, 6> kCredentials{"api-key",   "authorization", "cookie", "proxy-authorization",
                                                       "x-api-key", "x-goog-api-key"};

/// Members the gateway reads or writes itself: a change behind its back would make it wrong about the request.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kOwnMembers{
    std::pair<std::string_view, std::string_view>{"/model", "use \"model\" of the route's upstream, or \"models\""},
    {"/stream", "the caller decides whether the answer is streamed"},
    {"/stream_options", "the gateway asks for usage itself"}};

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, std::string_view name) noexcept {
  return std::any_of(names.begin(), names.end(), [name](std::string_view one) { return same_name(one, name); });
}

}  // namespace

Status may_edit_field(std::string_view name, Towards towards) {
  const bool up = towards == Towards::kUpstream;
  if (!is_header_name(name)) return fail(Code::kInvalidConfiguration, shown(name) + " is no header field name");
  if (is_one_of(kFraming, name)) {
    return fail(Code::kInvalidConfiguration, "cannot be changed: the gateway writes " + shown(name) + " itself");
  }
  if (up && is_one_of(kCredentials, name)) {
    return fail(Code::kInvalidConfiguration, shown(name) + " carries a credential: it comes from the upstream's \"credential\", or by its exact "
                                                           "name in \"forward_headers\"");
  }
  if (up && same_name(name, "accept-encoding")) {
    return fail(Code::kInvalidConfiguration, "cannot be changed: the upstream's \"compressed\" decides");
  }
  return {};
}

Status may_edit_member(std::string_view pointer) {
  for (const auto& [own, instead] : kOwnMembers) {
    if (covers(own, pointer)) return fail(Code::kInvalidConfiguration, fmt::format("{} cannot be changed here: {}", shown(pointer), instead));
  }
  return {};
}

bool covers(std::string_view upper, std::string_view pointer) noexcept {
  return pointer.starts_with(upper) && (pointer.size() == upper.size() || pointer[upper.size()] == '/');
}

}  // namespace sluice::policy
