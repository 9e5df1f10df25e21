#include "engine/curl_transport.hpp"

// The doors to the rest: what callers hold are small objects, so that whatever they let go of inside a callback stays
// alive until libcurl has returned.

#include <curl/curl.h>

#include <mutex>
#include <utility>

#include "engine/curl_channel.hpp"
#include "engine/curl_engine.hpp"

namespace sluice::engine {
namespace {

Status start_library() {
  static std::once_flag once;
  static CURLcode rc = CURLE_OK;
  std::call_once(once, [] { rc = curl_global_init(CURL_GLOBAL_DEFAULT); });
  if (rc != CURLE_OK) return fail(Code::kSystem, std::string("libcurl does not start: ") + curl_easy_strerror(rc));
  return {};
}

class CurlChannelDoor final : public Channel {
 public:
  CurlChannelDoor(std::shared_ptr<CurlEngine> engine, CurlChannel& channel) : engine_(std::move(engine)), channel_(channel) {}
  ~CurlChannelDoor() override { channel_.close(); }
  [[nodiscard]] std::unique_ptr<Transfer> start(WireRequest request, TransferSink& sink) override {
    return channel_.start(std::move(request), sink);
  }
  void trim() override { channel_.trim(); }

 private:
  std::shared_ptr<CurlEngine> engine_;
  CurlChannel& channel_;
};

class CurlTransport final : public Transport {
 public:
  explicit CurlTransport(std::shared_ptr<CurlEngine> engine) : engine_(std::move(engine)) {}
  [[nodiscard]] Result<std::unique_ptr<Channel>> open(const Endpoint& endpoint) override {
    Result<std::unique_ptr<CurlChannel>> channel = CurlChannel::open(*engine_, endpoint);
    if (!channel) return tl::unexpected<Error>(std::move(channel.error()));
    return std::make_unique<CurlChannelDoor>(engine_, engine_->adopt(std::move(*channel)));
  }

 private:
  std::shared_ptr<CurlEngine> engine_;
};

}  // namespace

Result<std::unique_ptr<Transport>> make_curl_transport(Loop& loop, std::shared_ptr<ConnectionBudgets> budgets,
                                                       std::unique_ptr<Resolver> resolver) {
  if (Status started = start_library(); !started) return tl::unexpected<Error>(std::move(started.error()));
  if (resolver == nullptr) {
    Result<std::unique_ptr<Resolver>> cares = make_cares_resolver(loop);
    if (!cares) return tl::unexpected<Error>(std::move(cares.error()));
    resolver = std::move(*cares);
  }
  if (budgets == nullptr) budgets = make_connection_budgets();
  return std::make_unique<CurlTransport>(std::make_shared<CurlEngine>(loop, std::move(budgets), std::move(resolver)));
}

}  // namespace sluice::engine
