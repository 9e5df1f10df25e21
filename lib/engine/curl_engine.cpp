#include "engine/curl_engine.hpp"

// Order inside settle(): first what must stop, then what is finished, then what goes on, last what begins.

#include <algorithm>

#include "engine/curl_channel.hpp"
#include "engine/curl_connections.hpp"
#include "engine/curl_transfer.hpp"

namespace sluice::engine {

CurlEngine::CurlEngine(Loop& loop, std::shared_ptr<ConnectionBudgets> budgets, std::unique_ptr<Resolver> resolver)
    : loop_(loop), budgets_(std::move(budgets)), resolver_(std::move(resolver)) {}

CurlEngine::~CurlEngine() {
  ++depth_;  // nothing is settled any more
  channels_.clear();
  buried_.clear();
}

CurlSocket& CurlEngine::socket(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= sockets_.size()) sockets_.resize(index + 1);
  return sockets_[index];
}

// --- lists ---------------------------------------------------------------------------------------------------------

void CurlEngine::put(List& list, CurlTransfer& transfer) {
  list.push_back({&transfer, transfer.serial()});
  if (depth_ == 0) schedule();
}

CurlTransfer* CurlEngine::take(List& list) {
  const Entry entry = list.front();
  list.pop_front();
  return entry.transfer->serial() == entry.serial ? entry.transfer : nullptr;
}

void CurlEngine::cancel(CurlTransfer& transfer) { put(cancelled_, transfer); }
void CurlEngine::launch(CurlTransfer& transfer) { put(launches_, transfer); }
void CurlEngine::resume(CurlTransfer& transfer) { put(resumes_, transfer); }
void CurlEngine::report(CurlTransfer& transfer) { put(reports_, transfer); }

void CurlEngine::kick(CurlShard& shard) {
  if (std::find(kicked_.begin(), kicked_.end(), &shard) == kicked_.end()) kicked_.push_back(&shard);
  schedule();
}

void CurlEngine::look_at(CurlShard& shard) {
  if (std::find(dirty_.begin(), dirty_.end(), &shard) == dirty_.end()) dirty_.push_back(&shard);
  if (depth_ == 0) schedule();
}

CurlChannel& CurlEngine::adopt(std::unique_ptr<CurlChannel> channel) {
  channels_.push_back(std::move(channel));
  return *channels_.back();
}

void CurlEngine::bury(CurlChannel& channel) {
  const auto place = std::find_if(channels_.begin(), channels_.end(), [&](const auto& c) { return c.get() == &channel; });
  if (place == channels_.end()) return;
  buried_.push_back(std::move(*place));
  channels_.erase(place);
  const Scope scope(*this);  // at once, where nobody stands inside
}

void CurlEngine::forget(CurlShard& shard) noexcept {
  for (auto* list : {&kicked_, &dirty_}) std::erase(*list, &shard);
  std::replace(acting_.begin(), acting_.end(), &shard, static_cast<CurlShard*>(nullptr));
}

void CurlEngine::forget(CurlTransfer& transfer) noexcept {
  for (List* list : {&cancelled_, &launches_, &resumes_, &reports_}) {
    std::erase_if(*list, [&](const Entry& entry) { return entry.transfer == &transfer; });
  }
}

// --- work ----------------------------------------------------------------------------------------------------------

void CurlEngine::schedule() {
  if (scheduled_) return;
  scheduled_ = true;
  loop_.defer([weak = weak_from_this()] {
    const std::shared_ptr<CurlEngine> self = weak.lock();
    if (self == nullptr) return;
    self->scheduled_ = false;
    const Scope scope(*self);
    self->run_kicked();
  });
}

void CurlEngine::run_kicked() {
  settle();  // what was put on lists from outside begins before the timeouts are looked at, not a turn later
  acting_.swap(kicked_);
  for (std::size_t i = 0; i < acting_.size(); ++i) {
    if (acting_[i] != nullptr) acting_[i]->act_on_timeout();
  }
  acting_.clear();
}

void CurlEngine::settle() {
  while (settle_one()) {
  }
}

bool CurlEngine::settle_one() {
  if (!cancelled_.empty()) {
    if (CurlTransfer* transfer = take(cancelled_)) transfer->channel().abandon(*transfer);
    return true;
  }
  if (!buried_.empty()) {
    const auto ended = std::move(buried_);
    buried_.clear();
    return true;
  }
  if (!dirty_.empty()) {
    CurlShard* const shard = dirty_.front();
    dirty_.erase(dirty_.begin());
    shard->channel().collect(*shard);
    return true;
  }
  if (!reports_.empty()) {
    if (CurlTransfer* transfer = take(reports_)) transfer->channel().finish(*transfer, CURLE_OK);
    return true;
  }
  if (!resumes_.empty()) {
    if (CurlTransfer* transfer = take(resumes_)) transfer->channel().go_on(*transfer);
    return true;
  }
  if (!launches_.empty()) {
    if (CurlTransfer* transfer = take(launches_)) transfer->channel().admit(*transfer);
    return true;
  }
  return false;
}

}  // namespace sluice::engine
