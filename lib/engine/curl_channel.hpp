#pragma once
/// The transfers to one endpoint on one engine: which wait for a name or for a connection's place, which CURLM runs them,
/// and the handles they are made with. Knows order and limits; must not know what a transfer carries.

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "engine/connection_budgets.hpp"
#include "engine/curl_connections.hpp"
#include "engine/curl_engine.hpp"
#include "engine/curl_tls.hpp"
#include "engine/curl_transfer.hpp"
#include "engine/transport.hpp"

namespace sluice::engine {

/// What a caller holds of a transfer.
class CurlHandle final : public Transfer {
 public:
  explicit CurlHandle(CurlTransfer* transfer) : transfer_(transfer) {}
  ~CurlHandle() override;
  void pause() override {
    if (transfer_ != nullptr) transfer_->pause();
  }
  void resume() override {
    if (transfer_ != nullptr) transfer_->resume();
  }
  /// The transfer ended by itself.
  void let_go() noexcept { transfer_ = nullptr; }

 private:
  CurlTransfer* transfer_;
};

/// Engine thread only.
class CurlChannel final : private BudgetMember {
 public:
  /// Errors: kInvalidConfiguration (HTTP/2 without TLS, address rules behind a proxy), kFileUnreadable.
  [[nodiscard]] static Result<std::unique_ptr<CurlChannel>> open(CurlEngine& engine, const Endpoint& endpoint);
  ~CurlChannel();

  [[nodiscard]] std::unique_ptr<Transfer> start(WireRequest request, TransferSink& sink);
  void trim();
  /// Nobody asks for it any more: transfers end untold.
  void close();

  // Called by the engine, outside of libcurl.
  /// Finds the transfer a name, a place and a CURLM, or a queue to wait in.
  void admit(CurlTransfer& transfer);
  void collect(CurlShard& shard);
  void go_on(CurlTransfer& transfer);
  void finish(CurlTransfer& transfer, CURLcode result);
  /// The caller has gone.
  void abandon(CurlTransfer& transfer);
  void cancel(CurlTransfer& transfer);
  void idle_changed();

  [[nodiscard]] CurlEngine& engine() const noexcept { return engine_; }
  [[nodiscard]] const Endpoint& endpoint() const noexcept { return endpoint_; }
  [[nodiscard]] Budget& budget() const noexcept { return *budget_; }
  [[nodiscard]] const CurlTls* tls() const noexcept { return tls_.get(); }
  /// Where its upstream is, taken apart: libcurl takes a URL as text apart again for every transfer. Lifetime: the channel.
  [[nodiscard]] CURLU* url() const noexcept { return url_.get(); }
  [[nodiscard]] const std::string& proxy_url() const noexcept { return proxy_url_; }
  /// What stands before the target when a plain proxy is asked; else empty.
  [[nodiscard]] const std::string& target_prefix() const noexcept { return target_prefix_; }
  /// The Host field where libcurl would not write the same by itself; else empty.
  [[nodiscard]] const std::string& host_field() const noexcept { return host_field_; }

 private:
  CurlChannel(CurlEngine& engine, const Endpoint& endpoint);
  [[nodiscard]] CurlTransfer* take_handle();
  void recycle(CurlTransfer& transfer);
  void fail_later(CurlTransfer& transfer, Code code, std::string detail);
  void withdraw(CurlTransfer& transfer);

  // Names.
  [[nodiscard]] const std::string& connects_to() const noexcept;
  [[nodiscard]] bool addresses_known();
  void look_up();
  void on_addresses(Result<Addresses> answer);
  [[nodiscard]] Status accept_addresses(Addresses&& addresses);

  // Places.
  [[nodiscard]] bool capped() const noexcept { return endpoint_.max_connections != 0; }
  [[nodiscard]] bool try_launch(CurlTransfer& transfer);
  void launch(CurlTransfer& transfer, CurlShard& shard);
  void enqueue(CurlTransfer& transfer, bool in_front);
  void serve_queue();
  void on_place(std::uint64_t ticket, Place place) override;
  void on_asked_to_spare() override;
  bool spare_one();

  // CURLMs.
  [[nodiscard]] CurlShard* shard_with_idle() const;
  [[nodiscard]] CurlShard* shard_with_room();
  void rebuild(CurlShard& shard);
  void tidy();

  CurlEngine& engine_;
  const Endpoint endpoint_;
  std::shared_ptr<Budget> budget_;
  std::uint64_t member_ = 0;
  std::unique_ptr<CurlTls> tls_;
  struct FreeUrl {
    void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
  };
  std::unique_ptr<CURLU, FreeUrl> url_;
  std::string proxy_url_, target_prefix_, host_field_;
  bool closed_ = false;

  std::unique_ptr<Lookup> lookup_;
  bool looking_up_ = false;
  std::shared_ptr<const ResolveEntry> resolve_;   // nullptr: no addresses yet
  TimePoint addresses_until_{};
  std::uint64_t generations_ = 0;

  std::vector<std::unique_ptr<CurlShard>> shards_;   // filled from the front, emptied from the back
  Timer tidy_timer_;
  std::vector<std::unique_ptr<CurlTransfer>> transfers_;
  std::vector<CurlTransfer*> free_;
  std::deque<CurlTransfer*> unresolved_, queue_;
};

}  // namespace sluice::engine
