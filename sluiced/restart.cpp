// Both configurations as documents, defaults included, and the parts of them that are read at start alone, compared value by
// value: a setting that a listener learns later is among them by itself.

#include "restart.hpp"

#include <fmt/format.h>

#include <string>

#include "gateway/config_table.hpp"
#include "json/document.hpp"

namespace sluiced {

namespace {

namespace json = sluice::json;

class Comparison {
 public:
  void compare(const std::string& pointer, json::Value running, json::Value wanted) {
    const std::string_view before = shown(running), after = shown(wanted);
    if (before == after) return;
    found.push_back({pointer, fmt::format("is {} and would be {}; sluiced takes it at start, so restart it for that", before, after)});
  }
  /// Every setting of one listener.
  void compare_listeners(const std::string& pointer, json::Value running, json::Value wanted) {
    std::string scratch;
    for (json::Value member = running.first(); member; member = member.next()) {
      const std::string key(member.key(scratch));
      const json::Value other = find(wanted, key);
      if (key != "tls" || !other) compare(pointer + '/' + key, member, other);
    }
    for (json::Value member = wanted.first(); member; member = member.next()) {
      const std::string key(member.key(scratch));
      if (!find(running, key)) compare(pointer + '/' + key, {}, member);
    }
  }

  [[nodiscard]] static json::Value find(json::Value object, std::string_view key) { return object.find(key).value_or(json::Value{}); }

  std::vector<sluice::Problem> found;

 private:
  static std::string_view shown(json::Value value) { return value ? value.raw() : std::string_view("unset"); }
};

sluice::Result<json::Document> document_of(const sluice::Config& config) {
  sluice::Config part;
  part.gateway.threads = config.gateway.threads;
  part.gateway.listen = config.gateway.listen;
  part.gateway.statistics_address = config.gateway.statistics_address;
  return json::Document::parse(sluice::Body::from(sluice::gateway::config::written(part)));
}

}  // namespace

std::vector<sluice::Problem> needs_restart(const sluice::Config& running, const sluice::Config& wanted) {
  const auto before = document_of(running), after = document_of(wanted);
  if (!before || !after) return {{"/gateway", "cannot be compared with what runs"}};
  const json::Value old_gateway = Comparison::find(before->root(), "gateway"), gateway = Comparison::find(after->root(), "gateway");
  Comparison comparison;
  for (const char* key : {"threads", "statistics_address"}) {
    comparison.compare(fmt::format("/gateway/{}", key), Comparison::find(old_gateway, key), Comparison::find(gateway, key));
  }
  const json::Value old_listen = Comparison::find(old_gateway, "listen"), listen = Comparison::find(gateway, "listen");
  const std::size_t count = running.gateway.listen.size();
  if (wanted.gateway.listen.size() != count) {
    comparison.found.push_back({"/gateway/listen", fmt::format("has {} and would have {} addresses; sluiced binds them at start, so restart it for that",
                                                               count, wanted.gateway.listen.size())});
    return comparison.found;
  }
  for (std::size_t i = 0; i < count; ++i) {
    comparison.compare_listeners(fmt::format("/gateway/listen/{}", i), old_listen.element(i), listen.element(i));
  }
  return comparison.found;
}

}  // namespace sluiced
