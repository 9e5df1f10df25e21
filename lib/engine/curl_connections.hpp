#pragma once
/// One CURLM on the loop, and the connections it keeps: at most kTransfersPerShard transfers, for libcurl's connection
/// cache is searched one by one. Knows sockets and their places in the budget; must not know what a transfer carries.

#include <curl/curl.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/curl_engine.hpp"
#include "engine/loop.hpp"
#include "sluice/error.hpp"

namespace sluice::engine {

class CurlShard final : private IoHandler {
 public:
  /// User time per transfer by number in flight on one CURLM: 64: 12 us, 256: 15.5, 1,024: 31, 4,096: 147.
  static constexpr std::uint32_t kTransfersPerShard = 64;

  CurlShard(CurlEngine& engine, CurlChannel& channel);
  ~CurlShard();
  CurlShard(const CurlShard&) = delete;
  CurlShard& operator=(const CurlShard&) = delete;

  [[nodiscard]] CurlChannel& channel() const noexcept { return channel_; }
  [[nodiscard]] bool usable() const noexcept { return multi_ != nullptr; }
  [[nodiscard]] std::uint32_t in_flight() const noexcept { return in_flight_; }
  /// Connections that carry nothing and may be used again.
  [[nodiscard]] std::uint32_t idle() const noexcept { return idle_; }
  [[nodiscard]] bool full() const noexcept { return in_flight_ >= kTransfersPerShard; }
  /// No transfer has been here since this was last asked.
  [[nodiscard]] bool rested() noexcept { return in_flight_ == 0 && !std::exchange(used_, false); }
  /// Nothing runs and no connection is worth keeping, but dead ones may wait for libcurl to look at them.
  [[nodiscard]] bool stale() const noexcept { return in_flight_ == 0 && idle_ == 0 && !sockets_.empty(); }

  /// Never inside a callback of libcurl. False: libcurl refused.
  [[nodiscard]] bool add(CurlTransfer& transfer);
  /// An idle connection is left that no transfer was sent here for. / This transfer was sent here for one, so it has no
  /// place of its own in the budget.
  [[nodiscard]] bool may_hope() const noexcept { return idle_ > hopes_; }
  void hope(CurlTransfer& transfer) noexcept;
  void hope_ended(CurlTransfer& transfer) noexcept;
  /// Closes the transfer's connection unless its answer was complete. Never inside a callback of libcurl.
  void remove(CurlTransfer& transfer);
  /// Closes one idle connection, as far as its peer and the budget can see. False: there is none.
  bool spare_one();
  /// Which transfer is finished, and how. False: none more.
  [[nodiscard]] bool take_finished(CurlTransfer*& transfer, CURLcode& result);
  /// A call of libcurl failed: nothing is known of the transfers any more.
  [[nodiscard]] bool broken() const noexcept { return broken_; }
  /// At most once in a turn of the loop.
  void act_on_timeout();

  /// Called by libcurl through the transfer that opens. CURL_SOCKET_BAD where the address or the budget forbids it.
  [[nodiscard]] curl_socket_t open_socket(CurlTransfer& transfer, const curl_sockaddr& address);
  static int close_socket(void* shard, curl_socket_t fd);
  /// Called by libcurl through the transfer that has a connection now, perhaps one that another has left.
  void connected(CurlTransfer& transfer, bool reused, int local_port);

  /// Which addresses this CURLM's cache holds for the endpoint; 0 = none yet.
  std::uint64_t addresses_loaded = 0;

 private:
  void on_ready(int fd, std::uint32_t ready) override;
  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* shard, void* unused);
  static int on_timer(CURLM* multi, long milliseconds, void* shard);
  void act(curl_socket_t fd, int events);
  void release(CurlSocket& socket);
  [[nodiscard]] bool forget_if_closed(int fd, CurlSocket& socket);
  void let_go(CurlTransfer& transfer);
  void set_owner(int fd, CurlSocket& socket, CurlTransfer* owner);
  void retire(int fd, CurlSocket& socket);
  void idle_changed();

  CurlEngine& engine_;
  CurlChannel& channel_;
  CURLM* multi_ = nullptr;
  Timer timer_;
  std::uint32_t in_flight_ = 0, idle_ = 0, hopes_ = 0;
  bool used_ = false, broken_ = false, closing_ = false;
  std::vector<int> sockets_;
};

}  // namespace sluice::engine
