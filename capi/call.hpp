#pragma once
/// One call: what its exchange brings becomes events of a queue. Knows queues, credit and the terminal event; must not know what
/// a batch is.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "queue.hpp"
#include "sluice/call.h"
#include "sluice/gateway.hpp"

namespace sluice::capi {

class Open;

/// A request as its table states it.
struct StatedRequest {
  Request request;
  CallOptions options;
  std::uint64_t credit = SLUICE_CREDIT_UNLIMITED;
};
/// Errors: kInvalidParameter, kInvalidHeader.
[[nodiscard]] Result<StatedRequest> request_in(const sluice_request_t* request);

/// Lives until its END was said and its exchange has let go of it.
class QueuedCall final : public ExchangeListener {
 public:
  QueuedCall(Open& open, std::shared_ptr<Queue> queue, std::uint64_t tag, std::uint64_t credit);

  // Any thread.
  [[nodiscard]] sluice_call_t id() const noexcept { return id_; }
  /// 0 until the engine has begun.
  [[nodiscard]] std::uint64_t exchange() const noexcept { return exchange_.load(std::memory_order_acquire); }
  void submitted(std::uint64_t exchange) noexcept { exchange_.store(exchange, std::memory_order_release); }
  [[nodiscard]] bool bounded() const noexcept { return bounded_; }
  /// True: the upstream is to go on.
  [[nodiscard]] bool give_credit(std::uint64_t bytes) noexcept;
  /// The gateway is gone, and no engine has ended this call.
  void closed() noexcept;

  // The engine's thread.
  void on_start(std::uint64_t exchange) override { submitted(exchange); }
  void on_head(const ResponseHead& head) override;
  void on_bytes(std::string_view bytes) override;
  void on_deltas(std::span<const AnswerDelta> deltas) override;
  void on_end(const Outcome& outcome) override;

 private:
  [[nodiscard]] sluice_event_t event(std::int32_t kind) const noexcept;
  template <typename Push>
  void told(std::size_t bytes, Push&& push) noexcept;
  void spend(std::size_t bytes);

  Open& open_;                    // which outlives every call of the engine
  const std::shared_ptr<Queue> queue_;
  const std::uint64_t tag_;
  const sluice_call_t id_;
  const bool bounded_;
  std::shared_ptr<CallEnd> end_;  // made here, so that the end needs no memory
  std::atomic<std::uint64_t> exchange_{0};
  bool lost_ = false;             // there was no memory for something: it ends with that

  std::mutex mutex_;
  // Under mutex_.
  std::int64_t credit_;
  bool paused_ = false;
};

}  // namespace sluice::capi
