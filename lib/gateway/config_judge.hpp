#pragma once
/// Judges a configuration that fits the table: names that lead nowhere, pairs that cannot both hold, settings that would
/// do nothing. Knows what the settings mean to each other; reads no secret and touches no network.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config.hpp"

namespace sluice::gateway::config {

/// Where a judge puts what it finds, with the names everybody refers to.
class Findings {
 public:
  Findings(const Config& config, std::vector<Problem>& problems);

  [[nodiscard]] const Config& config() const noexcept { return config_; }
  void add(std::string pointer, std::string message) { problems_.push_back({std::move(pointer), std::move(message)}); }

  /// True where something was said about this very place.
  [[nodiscard]] bool said(std::string_view pointer) const noexcept;

  /// The same of this place or anything below it.
  [[nodiscard]] bool said_within(std::string_view pointer) const noexcept;

  /// The upstream called `name`; null where there is none.
  [[nodiscard]] const Upstream* upstream(std::string_view name) const noexcept;
  /// True where the target's upstream does its own routing; false where there is none of that name.
  [[nodiscard]] bool is_security(const Target& target) const noexcept;
  /// Reports `name` unless it is one of `known`. Silent while a name is missing among them: nobody knows what it was to be.
  void need_name(const std::string& pointer, std::string_view what, std::string_view name,
                 const std::vector<std::string_view>& known);

  std::vector<std::string_view> groups, consumers, upstreams, routes;

 private:
  const Config& config_;
  std::vector<Problem>& problems_;
};

void judge_gateway(Findings& findings);
void judge_consumers(Findings& findings);
void judge_tls(Findings& findings, const std::string& pointer, const ListenTls& tls);
void judge_networks(Findings& findings, const std::string& pointer, std::string_view key, const std::vector<std::string>& networks);
void judge_cors(Findings& findings, const std::string& pointer, const Cors& cors);
/// When keys end, and whose certificates are whose.
void judge_access(Findings& findings);
void judge_upstreams(Findings& findings);
/// `whole`: every route was read without a mistake; otherwise nothing is said about routes that shadow each other.
void judge_routes(Findings& findings, bool whole);
void judge_header_edits(Findings& findings, const std::string& pointer, const HeaderEdits& edits,
                        bool towards_upstream);
void judge_body_edits(Findings& findings, const std::string& pointer, const BodyEdits& edits);
void judge_rewrite(Findings& findings, const std::string& pointer, const Route& route);
void judge_balance(Findings& findings, const std::string& pointer, const Route& route);
void judge_plugins(Findings& findings);
void judge_telemetry(Findings& findings);

/// All of the above.
void judge(const Config& config, bool whole, std::vector<Problem>& problems);

/// `/upstreams/3`, `/upstreams/3/url`, and one step more.
[[nodiscard]] std::string at(std::string_view list, std::size_t index, std::string_view key = {});
[[nodiscard]] std::string below(std::string pointer, std::string_view key);
[[nodiscard]] std::string below(std::string pointer, std::string_view key, std::size_t index);

/// True where one of the globs fits. No globs: true.
[[nodiscard]] bool fits_any(const std::vector<std::string>& globs, std::string_view name) noexcept;

}  // namespace sluice::gateway::config
