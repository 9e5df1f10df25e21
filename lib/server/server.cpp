// The listener as a whole: one acceptor per address, a drain, an end.

#include "sluice/server.hpp"

#include <condition_variable>
#include <mutex>

#include "server/acceptor.hpp"

namespace sluice {

class Server::Impl {
 public:
  explicit Impl(gateway::Core& core) : core_(core) {}
  ~Impl() { stop(); }

  Status start() {
    const auto snapshot = core_.snapshot();
    if (snapshot->config.gateway.listen.empty()) {
      return fail(Code::kInvalidConfiguration, "/gateway/listen: no address is listed; add one to serve");
    }
    for (std::size_t i = 0; i < snapshot->config.gateway.listen.size(); ++i) {
      auto acceptor = server::Acceptor::bind(core_, i);
      if (!acceptor) return tl::unexpected(acceptor.error());
      addresses_.push_back((*acceptor)->address());
      acceptors_.push_back(std::move(*acceptor));
    }
    if (!snapshot->config.gateway.statistics_address.empty()) {
      auto acceptor = server::Acceptor::bind_statistics(core_);
      if (!acceptor) return tl::unexpected(acceptor.error());
      statistics_ = std::move(*acceptor);
      statistics_address_ = statistics_->address();
    }
    on_engine(0, [this] {
      for (const auto& acceptor : acceptors_) acceptor->open();
      if (statistics_) statistics_->open();
    });
    return {};
  }

  Status drain(Milliseconds deadline) {
    if (core_.on_engine_thread() && !core_.host_driven()) return fail(Code::kWouldDeadlock, "drain waits for the engines; call it from another thread");
    core_.set_draining(true);
    on_engine(0, [this] {
      for (const auto& acceptor : acceptors_) acceptor->stop();
    });
    struct Idle {
      std::mutex mutex;
      std::condition_variable changed;
      std::size_t busy = 0;
    };
    auto idle = std::make_shared<Idle>();
    idle->busy = core_.engines().size() * acceptors_.size();
    each_hub([idle](server::Hub& hub) {
      hub.drain([idle] {
        const std::lock_guard lock(idle->mutex);
        --idle->busy;
        idle->changed.notify_all();
      });
    });
    if (core_.host_driven()) {
      const TimePoint until = core_.clock().now() + deadline;
      while (idle->busy != 0 && core_.clock().now() < until) core_.host_engine().loop().turn(until);
    } else {
      std::unique_lock lock(idle->mutex);
      idle->changed.wait_for(lock, deadline, [&] { return idle->busy == 0; });
    }
    each_hub([](server::Hub& hub) { hub.cut(); });
    stop();
    return {};
  }

  const std::vector<std::string>& addresses() const { return addresses_; }
  const std::string& statistics_address() const { return statistics_address_; }

 private:
  /// Runs `task` on an engine's thread and waits for it.
  void on_engine(std::size_t index, const std::function<void()>& task) {
    engine::Loop& loop = core_.engines()[index]->loop();
    if (core_.host_driven() || loop.on_loop_thread() || !core_.usable()) return task();
    std::mutex mutex;
    std::condition_variable done;
    bool ran = false;
    loop.post([&] {
      task();
      const std::lock_guard lock(mutex);
      ran = true;
      done.notify_all();
    });
    std::unique_lock lock(mutex);
    done.wait(lock, [&] { return ran; });
  }

  template <typename Do>
  void each_hub(const Do& act) {
    for (std::size_t i = 0; i < core_.engines().size(); ++i) {
      on_engine(i, [&] {
        for (const auto& acceptor : acceptors_) act(*acceptor->hubs()[i]);
      });
    }
  }

  void stop() {
    if (acceptors_.empty()) return;
    if (statistics_) acceptors_.push_back(std::move(statistics_));  // a drain could be watched up to here
    on_engine(0, [this] {
      for (const auto& acceptor : acceptors_) acceptor->stop();
    });
    each_hub([](server::Hub& hub) { hub.close_all(); });
    // A turn more, so that what the hubs deferred has run before they go.
    for (std::size_t i = 0; i < core_.engines().size(); ++i) {
      on_engine(i, [&] {});
      if (core_.host_driven()) core_.host_engine().loop().turn(core_.clock().now());
    }
    acceptors_.clear();
  }

  gateway::Core& core_;
  std::vector<std::unique_ptr<server::Acceptor>> acceptors_;
  std::unique_ptr<server::Acceptor> statistics_;  // null where they are not served
  std::vector<std::string> addresses_;
  std::string statistics_address_;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

Result<Server> Server::start(Gateway& gateway) {
  auto impl = std::make_unique<Impl>(gateway.core());
  if (Status started = impl->start(); !started) return tl::unexpected(started.error());
  return Server(std::move(impl));
}

const std::vector<std::string>& Server::addresses() const { return impl_->addresses(); }

const std::string& Server::statistics_address() const { return impl_->statistics_address(); }

Status Server::drain(Milliseconds deadline) { return impl_->drain(deadline); }

}  // namespace sluice
