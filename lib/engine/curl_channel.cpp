#include "engine/curl_channel.hpp"

// A transfer's way: start -> names known -> a place for a connection, or the hope of an idle one -> a CURLM -> finish.
// Where names come from and which CURLM is chosen is in curl_routes.cpp.

#include <algorithm>
#include <chrono>
#include <new>

namespace sluice::engine {
namespace {

using namespace std::chrono_literals;

// How much longer than ours somebody on another engine must have waited to be given our idle connection: each hand-over
// costs a new connection.
constexpr Duration kHandOverAfter = 10ms;

std::string bracketed(const std::string& host) { return host.find(':') == std::string::npos ? host : '[' + host + ']'; }

std::string with_port(const std::string& host, std::uint16_t port) { return bracketed(host) + ':' + std::to_string(port); }

}  // namespace

CurlHandle::~CurlHandle() {
  if (transfer_ != nullptr) transfer_->channel().cancel(*transfer_);
}

CurlChannel::CurlChannel(CurlEngine& engine, const Endpoint& endpoint)
    : engine_(engine), endpoint_(endpoint), budget_(engine.budgets().of(endpoint.name)), tidy_timer_([this] { tidy(); }) {
  const std::string scheme = endpoint.tls ? "https://" : "http://";
  const bool own_port = endpoint.port == (endpoint.tls ? 443 : 80);
  const std::string derived = own_port ? bracketed(endpoint.host) : with_port(endpoint.host, endpoint.port);
  if (endpoint.authority != derived) host_field_ = endpoint.authority;
  if (!endpoint.proxy_host.empty()) {
    proxy_url_ = "http://" + with_port(endpoint.proxy_host, endpoint.proxy_port);
    if (!endpoint.tls) target_prefix_ = scheme + endpoint.authority;
  }
}

Result<std::unique_ptr<CurlChannel>> CurlChannel::open(CurlEngine& engine, const Endpoint& endpoint) {
  if (endpoint.http2 && !endpoint.tls) {
    return fail(Code::kInvalidConfiguration, "upstream '" + endpoint.name +
                                                 "' asks for HTTP/2 without TLS, which libcurl 7.88 cannot keep a connection for; "
                                                 "use an https URL or turn http2 off");
  }
  if (endpoint.http2 && (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2) == 0) {
    return fail(Code::kInvalidConfiguration, "upstream '" + endpoint.name + "' asks for HTTP/2, which this libcurl was built without");
  }
  if (endpoint.public_addresses_only && !endpoint.proxy_host.empty()) {
    return fail(Code::kInvalidConfiguration, "upstream '" + endpoint.name +
                                                 "' is bound to public addresses but goes through a proxy, which resolves names by itself; "
                                                 "drop one of the two");
  }
  std::unique_ptr<CurlChannel> channel(new CurlChannel(engine, endpoint));
  const std::string url = (endpoint.tls ? "https://" : "http://") + with_port(endpoint.host, endpoint.port) + '/';
  channel->url_.reset(curl_url());
  if (channel->url_ == nullptr) return fail(Code::kOutOfMemory, "no memory is left for the address of upstream '" + endpoint.name + "'; retry later");
  if (const CURLUcode taken = curl_url_set(channel->url_.get(), CURLUPART_URL, url.c_str(), 0); taken != CURLUE_OK) {
    return fail(Code::kInvalidConfiguration, "upstream '" + endpoint.name + "' has a host that is none: " + curl_url_strerror(taken));
  }
  if (endpoint.tls) {
    Result<std::unique_ptr<CurlTls>> tls = CurlTls::open(endpoint);
    if (!tls) return tl::unexpected<Error>(std::move(tls.error()));
    channel->tls_ = std::move(*tls);
  }
  channel->budget_->set_limit(endpoint.max_connections);
  if (channel->capped()) channel->member_ = channel->budget_->join(engine.loop(), *channel);
  return channel;
}

CurlChannel::~CurlChannel() {
  closed_ = true;
  lookup_.reset();
  transfers_.clear();
  shards_.clear();
  if (member_ != 0) budget_->leave(member_);
}

// --- a transfer's life ---------------------------------------------------------------------------------------------

std::unique_ptr<Transfer> CurlChannel::start(WireRequest request, TransferSink& sink) {
  CurlTransfer* const transfer = take_handle();
  if (transfer == nullptr) throw std::bad_alloc();  // what an easy handle is made of is memory alone
  auto handle = std::make_unique<CurlHandle>(transfer);
  transfer->begin(std::move(request), sink, *handle);
  if (engine_.in_curl()) {
    transfer->state = CurlTransfer::State::kStarting;
    engine_.launch(*transfer);
  } else {
    admit(*transfer);
  }
  return handle;
}

void CurlChannel::admit(CurlTransfer& transfer) {
  if (!addresses_known()) {
    transfer.state = CurlTransfer::State::kResolving;
    unresolved_.push_back(&transfer);
    look_up();
    return;
  }
  transfer.set_resolved(engine_.loop().now());
  if (!queue_.empty() || !try_launch(transfer)) enqueue(transfer, false);
}

bool CurlChannel::try_launch(CurlTransfer& transfer) {
  if (capped()) {
    CurlShard* const warm = transfer.repeatable() ? shard_with_idle() : nullptr;
    if (warm != nullptr) {
      warm->hope(transfer);
      launch(transfer, *warm);
      return true;
    }
    Place place = budget_->take();
    if (!place && !transfer.repeatable() && spare_one()) place = budget_->take();
    if (!place) return false;
    transfer.reserve(std::move(place));
  }
  if (CurlShard* const shard = shard_with_room()) {
    launch(transfer, *shard);
  } else {
    fail_later(transfer, Code::kOutOfMemory, "libcurl gives no further multi handle");
  }
  return true;
}

void CurlChannel::launch(CurlTransfer& transfer, CurlShard& shard) {
  transfer.prepare(shard, shard.addresses_loaded == resolve_->generation ? nullptr : resolve_);
  if (!shard.add(transfer)) return fail_later(transfer, Code::kInternal, "libcurl refused the transfer");
  transfer.state = CurlTransfer::State::kRunning;
}

void CurlChannel::collect(CurlShard& shard) {
  CurlTransfer* transfer = nullptr;
  CURLcode result = CURLE_OK;
  while (shard.take_finished(transfer, result)) {
    if (const ResolveEntry* entry = transfer->resolve_entry()) shard.addresses_loaded = entry->generation;
    if (transfer->starved() && transfer->sink() != nullptr) {
      shard.remove(*transfer);
      transfer->begin_again();
      enqueue(*transfer, true);
    } else {
      finish(*transfer, result);
    }
  }
  if (shard.broken() || shard.stale()) rebuild(shard);
}

void CurlChannel::finish(CurlTransfer& transfer, CURLcode result) {
  TransferSink* const sink = transfer.sink();
  if (result == CURLE_OK && sink != nullptr && transfer.holds_bytes()) {
    // The handle stays in its CURLM until the sink has taken what was decoded; libcurl is finished with it.
    transfer.state = CurlTransfer::State::kDraining;
    return;
  }
  if (transfer.shard() != nullptr) transfer.shard()->remove(transfer);
  if (CurlHandle* const handle = transfer.handle()) handle->let_go();
  const TransferEnd end = transfer.account(result);
  recycle(transfer);
  if (sink != nullptr) sink->on_done(end);
}

void CurlChannel::go_on(CurlTransfer& transfer) {
  CurlShard* const shard = transfer.shard();
  const CURLcode result = transfer.go_on();
  if (result != CURLE_OK || (transfer.state == CurlTransfer::State::kDraining && !transfer.holds_bytes())) {
    finish(transfer, result);
  } else if (shard != nullptr) {
    engine_.look_at(*shard);
  }
}

void CurlChannel::cancel(CurlTransfer& transfer) {
  transfer.detach();
  if (engine_.in_curl()) {
    engine_.cancel(transfer);
  } else {
    abandon(transfer);
  }
}

void CurlChannel::abandon(CurlTransfer& transfer) {
  withdraw(transfer);
  if (transfer.shard() != nullptr) transfer.shard()->remove(transfer);
  recycle(transfer);
}

/// Takes it out of whatever it waits in.
void CurlChannel::withdraw(CurlTransfer& transfer) {
  if (transfer.state == CurlTransfer::State::kResolving) std::erase(unresolved_, &transfer);
  if (transfer.state == CurlTransfer::State::kQueued) {
    std::erase(queue_, &transfer);
    budget_->cancel(transfer.ticket);
  }
}

void CurlChannel::fail_later(CurlTransfer& transfer, Code code, std::string detail) {
  transfer.fail_with(code, std::move(detail));
  transfer.state = CurlTransfer::State::kFailed;
  engine_.report(transfer);
}

CurlTransfer* CurlChannel::take_handle() {
  if (!free_.empty()) {
    CurlTransfer* const transfer = free_.back();
    free_.pop_back();
    return transfer;
  }
  std::unique_ptr<CurlTransfer> transfer = CurlTransfer::create(*this);
  if (transfer == nullptr) return nullptr;
  transfers_.push_back(std::move(transfer));
  return transfers_.back().get();
}

void CurlChannel::recycle(CurlTransfer& transfer) {
  transfer.clear();
  free_.push_back(&transfer);
  if (capped()) serve_queue();
}

void CurlChannel::close() {
  closed_ = true;
  for (const auto& transfer : transfers_) {
    if (CurlHandle* const handle = transfer->handle()) handle->let_go();
    transfer->detach();
  }
  engine_.bury(*this);
}

// --- places --------------------------------------------------------------------------------------------------------

void CurlChannel::enqueue(CurlTransfer& transfer, bool in_front) {
  transfer.state = CurlTransfer::State::kQueued;
  transfer.queued_at = engine_.loop().now();
  if (in_front) {
    queue_.push_front(&transfer);
  } else {
    queue_.push_back(&transfer);
  }
  transfer.ticket = budget_->wait(member_, transfer.queued_at);
}

/// A connection of ours may have fallen idle: who gets it?
void CurlChannel::serve_queue() {
  if (closed_) return;
  while (!queue_.empty()) {
    CurlTransfer& first = *queue_.front();
    if (budget_->owes(member_, first.queued_at - kHandOverAfter) || !first.repeatable()) {
      spare_one();  // whoever is first in the budget's queue gets the place; it may be us
      return;
    }
    CurlShard* const warm = shard_with_idle();
    if (warm == nullptr) return;
    queue_.pop_front();
    budget_->cancel(first.ticket);
    first.ticket = 0;
    warm->hope(first);
    launch(first, *warm);
  }
  if (budget_->owes(member_, TimePoint::max())) spare_one();
}

void CurlChannel::on_place(std::uint64_t ticket, Place place) {
  if (closed_ || queue_.empty()) return;
  auto found = std::find_if(queue_.begin(), queue_.end(), [&](const CurlTransfer* t) { return t->ticket == ticket; });
  if (found == queue_.end()) found = queue_.begin();  // who asked has gone; the next one takes it
  CurlTransfer& transfer = **found;
  queue_.erase(found);
  budget_->cancel(transfer.ticket);
  transfer.ticket = 0;
  transfer.reserve(std::move(place));
  if (CurlShard* const shard = shard_with_room()) {
    launch(transfer, *shard);
  } else {
    fail_later(transfer, Code::kOutOfMemory, "libcurl gives no further multi handle");
  }
}

void CurlChannel::on_asked_to_spare() {
  const CurlEngine::Scope scope(engine_);
  spare_one();
  idle_changed();
}

bool CurlChannel::spare_one() {
  for (auto shard = shards_.rbegin(); shard != shards_.rend(); ++shard) {
    if ((*shard)->spare_one()) {
      engine_.look_at(**shard);
      return true;
    }
  }
  return false;
}

void CurlChannel::trim() {
  while (spare_one()) {
  }
}

void CurlChannel::idle_changed() {
  if (closed_ || !capped()) return;
  std::uint32_t idle = 0;
  for (const auto& shard : shards_) idle += shard->idle();
  budget_->set_idle(member_, idle);
}

}  // namespace sluice::engine
