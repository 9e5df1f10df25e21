#pragma once
/// A plugin that is a table of C functions. Knows which function is which hook; must not know what they decide.

#include <memory>
#include <string>

#include "sluice/plugin.h"
#include "sluice/plugin.hpp"

namespace sluice::capi {

class TablePlugin final : public Plugin {
 public:
  TablePlugin(const sluice_plugin_t& table, std::string name) : table_(table), name_(std::move(name)) {}
  ~TablePlugin() override {
    if (table_.finalize != nullptr) table_.finalize(table_.user);
  }
  TablePlugin(const TablePlugin&) = delete;
  TablePlugin& operator=(const TablePlugin&) = delete;

  [[nodiscard]] std::string_view name() const noexcept override { return name_; }
  [[nodiscard]] Phase phase() const noexcept override { return static_cast<Phase>(table_.phase); }
  [[nodiscard]] Wants wants() const noexcept override { return table_.wants; }
  [[nodiscard]] std::unique_ptr<PluginSession> open(const ExchangeView& exchange) const override;

 private:
  const sluice_plugin_t table_;
  const std::string name_;
};

}  // namespace sluice::capi
