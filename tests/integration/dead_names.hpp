#pragma once
// A way into a gateway that no public header shows: names that never resolve.

#include <atomic>
#include <memory>
#include <string>

#include "engine/curl_transport.hpp"
#include "engine/resolver.hpp"
#include "engine/transport.hpp"

namespace sluice::test {

/// Names that end in `.dead` are asked for and never answered; all others are 127.0.0.1.
class DeadNames final : public TransportFactory {
 public:
  Result<std::unique_ptr<engine::Transport>> create(engine::Loop& loop) override {
    return engine::make_curl_transport(loop, budgets_, std::make_unique<Names>(asked_, dropped_));
  }
  [[nodiscard]] int asked() const { return asked_; }
  [[nodiscard]] int dropped() const { return dropped_; }

 private:
  struct Waiting final : engine::Lookup {
    explicit Waiting(std::atomic<int>& count) : dropped(count) {}
    ~Waiting() override { ++dropped; }
    std::atomic<int>& dropped;
  };
  struct Names final : engine::Resolver {
    Names(std::atomic<int>& asked_count, std::atomic<int>& dropped_count) : asked(asked_count), dropped(dropped_count) {}
    std::unique_ptr<engine::Lookup> resolve(const std::string& host, Callback done) override {
      if (host.size() > 5 && host.substr(host.size() - 5) == ".dead") {
        ++asked;
        return std::make_unique<Waiting>(dropped);
      }
      done(engine::Addresses{{"127.0.0.1"}, TimePoint::max()});
      return nullptr;
    }
    std::atomic<int>& asked;
    std::atomic<int>& dropped;
  };
  std::shared_ptr<engine::ConnectionBudgets> budgets_ = engine::make_connection_budgets();
  std::atomic<int> asked_{0}, dropped_{0};
};

}  // namespace sluice::test
