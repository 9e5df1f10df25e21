// The other half of a channel: which addresses its host has, and which CURLM a transfer goes to.

#include <algorithm>
#include <chrono>

#include "engine/address.hpp"
#include "engine/curl_channel.hpp"

namespace sluice::engine {
namespace {

using namespace std::chrono_literals;

// Addresses past their time still serve this long while they are asked for again: no request waits for a refresh.
constexpr Duration kStaleAddresses = 60s;
// A CURLM nobody used between two looks is closed with its connections; servers close idle ones after 60 s and more.
constexpr Duration kTidyEvery = 60s;
constexpr std::size_t kSpareHandles = 64;

}  // namespace

// --- names ---------------------------------------------------------------------------------------------------------

const std::string& CurlChannel::connects_to() const noexcept {
  return endpoint_.proxy_host.empty() ? endpoint_.host : endpoint_.proxy_host;
}

bool CurlChannel::addresses_known() {
  if (resolve_ == nullptr) return false;
  const TimePoint now = engine_.loop().now();
  if (now < addresses_until_) return true;
  if (now - addresses_until_ > kStaleAddresses) return false;
  look_up();
  return resolve_ != nullptr;
}

void CurlChannel::look_up() {
  if (looking_up_) return;
  looking_up_ = true;
  lookup_ = engine_.resolver().resolve(connects_to(), [this](Result<Addresses> answer) { on_addresses(std::move(answer)); });
}

void CurlChannel::on_addresses(Result<Addresses> answer) {
  looking_up_ = false;
  Status accepted = answer ? accept_addresses(std::move(*answer)) : Status(tl::unexpected<Error>(std::move(answer.error())));
  if (!accepted && accepted.error().code == Code::kAddressRefused) resolve_.reset();
  std::deque<CurlTransfer*> waiting;
  waiting.swap(unresolved_);
  for (CurlTransfer* const transfer : waiting) {
    if (accepted) {
      admit(*transfer);
    } else {
      fail_later(*transfer, accepted.error().code, accepted.error().message);
    }
  }
}

Status CurlChannel::accept_addresses(Addresses&& addresses) {
  if (endpoint_.public_addresses_only) {
    const std::string first = addresses.list.empty() ? std::string("no address") : addresses.list.front();
    std::erase_if(addresses.list, [](const std::string& address) { return is_private_address(address); });
    if (addresses.list.empty()) {
      return fail(Code::kAddressRefused, "'" + endpoint_.host + "' leads to " + first +
                                             ", which is not on the public network; such addresses are refused here");
    }
  }
  if (addresses.list.empty()) return fail(Code::kUpstreamResolveFailed, "the name '" + connects_to() + "' has no address");
  auto entry = std::make_shared<ResolveEntry>();
  if (!is_address(connects_to())) {
    const std::uint16_t port = endpoint_.proxy_host.empty() ? endpoint_.port : endpoint_.proxy_port;
    entry->text = connects_to() + ':' + std::to_string(port) + ':';
    for (const std::string& address : addresses.list) {
      if (&address != &addresses.list.front()) entry->text += ',';
      const bool v6 = address.find(':') != std::string::npos;
      entry->text.append(v6 ? "[" : "").append(address).append(v6 ? "]" : "");
    }
  }
  addresses_until_ = addresses.valid_until;
  if (resolve_ != nullptr && resolve_->text == entry->text) return {};
  entry->generation = ++generations_;
  entry->node.data = entry->text.data();
  resolve_ = std::move(entry);
  return {};
}

// --- CURLMs --------------------------------------------------------------------------------------------------------

CurlShard* CurlChannel::shard_with_idle() const {
  for (const auto& shard : shards_) {
    if (!shard->full() && shard->may_hope()) return shard.get();
  }
  return nullptr;
}

CurlShard* CurlChannel::shard_with_room() {
  CurlShard* cold = nullptr;
  for (const auto& shard : shards_) {
    if (shard->full()) continue;
    if (shard->idle() > 0) return shard.get();
    if (cold == nullptr) cold = shard.get();
  }
  if (cold != nullptr) return cold;
  auto shard = std::make_unique<CurlShard>(engine_, *this);
  if (!shard->usable()) return nullptr;
  shards_.push_back(std::move(shard));
  if (!tidy_timer_.armed()) engine_.loop().arm_in(tidy_timer_, kTidyEvery);
  return shards_.back().get();
}

/// Ends a CURLM that failed, with its transfers, or one that keeps nothing but dead connections.
void CurlChannel::rebuild(CurlShard& shard) {
  for (std::size_t i = 0; i < transfers_.size(); ++i) {  // by index: a sink may start another one
    CurlTransfer& transfer = *transfers_[i];
    if (transfer.shard() != &shard) continue;
    transfer.fail_with(Code::kInternal, "libcurl lost track of its transfers; they were ended");
    finish(transfer, CURLE_FAILED_INIT);
  }
  std::erase_if(shards_, [&](const auto& owned) { return owned.get() == &shard; });
}

void CurlChannel::tidy() {
  while (!shards_.empty() && shards_.back()->rested()) shards_.pop_back();
  while (free_.size() > kSpareHandles) {
    const CurlTransfer* const spare = free_.back();
    free_.pop_back();
    std::erase_if(transfers_, [&](const auto& owned) { return owned.get() == spare; });
  }
  if (!shards_.empty() || free_.size() > kSpareHandles) engine_.loop().arm_in(tidy_timer_, kTidyEvery);
}

}  // namespace sluice::engine
