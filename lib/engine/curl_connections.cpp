#include "engine/curl_connections.hpp"

// libcurl says which sockets it wants watched, and when to look at its timeouts; the loop does it. Registration is lazy:
// between two transfers libcurl forgets a kept connection and asks for it again, and a socket that stays registered for
// input all the while costs no system call. It also tells at once when an idle connection is closed by its peer, or gets
// bytes nobody asked for: such a connection is never used again.

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "engine/address.hpp"
#include "engine/curl_channel.hpp"
#include "engine/curl_transfer.hpp"
#include "engine/sigpipe.hpp"

namespace sluice::engine {
namespace {

/// What tells a socket from another that gets its number later; 0 where the number is nobody's.
std::uint64_t inode_of(int fd) noexcept {
  struct stat about {};
  return ::fstat(fd, &about) == 0 ? static_cast<std::uint64_t>(about.st_ino) : 0;
}

constexpr std::uint32_t interest(int wanted) noexcept {
  switch (wanted) {
    case CURL_POLL_IN: return kReadable;
    case CURL_POLL_OUT:
    case CURL_POLL_INOUT: return kReadable | kWritable;
    default: return kNothing;
  }
}

}  // namespace

CurlShard::CurlShard(CurlEngine& engine, CurlChannel& channel)
    : engine_(engine), channel_(channel), multi_(curl_multi_init()), timer_([this] { act_on_timeout(); }) {
  if (multi_ == nullptr) return;
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlShard::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlShard::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  // Below the peak in flight, connections are closed as soon as they are made: three times the cost.
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(kTransfersPerShard));
}

CurlShard::~CurlShard() {
  closing_ = true;
  if (multi_ != nullptr) {
    const CurlEngine::Call call(engine_);
    const SigpipeGuard quiet;
    curl_multi_cleanup(multi_);
  }
  for (const int fd : sockets_) {  // none, unless libcurl lost one
    engine_.loop().unwatch(fd);
    engine_.socket(fd) = CurlSocket{};
  }
  engine_.forget(*this);
}

// --- transfers -----------------------------------------------------------------------------------------------------

bool CurlShard::add(CurlTransfer& transfer) {
  const CurlEngine::Call call(engine_);
  if (curl_multi_add_handle(multi_, transfer.easy()) != CURLM_OK) return false;
  ++in_flight_;
  used_ = true;
  transfer.set_shard(this);
  return true;
}

void CurlShard::remove(CurlTransfer& transfer) {
  {
    const CurlEngine::Call call(engine_);
    std::optional<SigpipeGuard> quiet;
    if (channel_.endpoint().tls) quiet.emplace();  // closing may write a TLS goodbye
    curl_multi_remove_handle(multi_, transfer.easy());
  }
  --in_flight_;
  let_go(transfer);
  transfer.set_shard(nullptr);
}

bool CurlShard::take_finished(CurlTransfer*& transfer, CURLcode& result) {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    char* owner = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
    transfer = reinterpret_cast<CurlTransfer*>(owner);
    result = message->data.result;
    return true;
  }
  return false;
}

void CurlShard::act_on_timeout() {
  engine_.loop().disarm(timer_);
  act(CURL_SOCKET_TIMEOUT, 0);
}

void CurlShard::act(curl_socket_t fd, int events) {
  const CurlEngine::Scope scope(engine_);
  int running = 0;
  CURLMcode rc = CURLM_OK;
  {
    const CurlEngine::Call call(engine_);
    if (channel_.endpoint().tls) {
      const SigpipeGuard quiet;
      rc = curl_multi_socket_action(multi_, fd, events, &running);
    } else {
      rc = curl_multi_socket_action(multi_, fd, events, &running);
    }
  }
  if (rc != CURLM_OK) broken_ = true;
  engine_.look_at(*this);
}

// --- what libcurl and the loop say ---------------------------------------------------------------------------------

void CurlShard::on_ready(int fd, std::uint32_t ready) {
  CurlSocket& socket = engine_.socket(fd);
  if (socket.shard != this) return engine_.loop().unwatch(fd);
  if (interest(socket.wanted) == kNothing) {
    // libcurl does not look at it. Level-triggered readiness would come back for ever, so the watch ends here; a paused
    // transfer asks for it again.
    if (socket.owner == nullptr && !channel_.endpoint().http2) {
      const CurlEngine::Scope scope(engine_);
      engine_.look_at(*this);
      return retire(fd, socket);
    }
    if (forget_if_closed(fd, socket)) return;  // its registration went with it, and the number may be another thread's
    engine_.loop().unwatch(fd);
    socket.watched = kNothing;
    return;
  }
  int events = 0;
  if ((ready & kReadable) != 0) events |= CURL_CSELECT_IN;
  if ((ready & kWritable) != 0) events |= CURL_CSELECT_OUT;
  if ((ready & kBroken) != 0) events |= CURL_CSELECT_ERR;
  act(fd, events);
}

int CurlShard::on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void*) {
  auto& shard = *static_cast<CurlShard*>(self);
  CurlSocket& socket = shard.engine_.socket(fd);
  if (socket.shard != &shard) {
    if (what == CURL_POLL_REMOVE || what == CURL_POLL_NONE) return 0;
    socket = CurlSocket{};  // one that libcurl opened without us
    socket.shard = &shard;
    shard.sockets_.push_back(fd);
  }
  socket.wanted = what == CURL_POLL_REMOVE ? CURL_POLL_NONE : what;
  const std::uint32_t wish = interest(socket.wanted);
  if (wish == kNothing) {
    // Stays watched for input alone; writable is nearly always true and would wake us for nothing.
    if ((socket.watched & kWritable) != 0) {
      if (shard.forget_if_closed(fd, socket)) return 0;
      shard.engine_.loop().watch(fd, kReadable, shard);
      socket.watched = kReadable;
    }
    return 0;
  }
  char* owner = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
  if (owner != nullptr) {
    auto* const transfer = reinterpret_cast<CurlTransfer*>(owner);
    transfer->set_socket(fd);
    shard.set_owner(fd, socket, transfer);
  }
  if (socket.watched != wish) {
    shard.engine_.loop().watch(fd, wish, shard);
    socket.watched = wish;
  }
  return 0;
}

int CurlShard::on_timer(CURLM*, long milliseconds, void* self) {
  auto& shard = *static_cast<CurlShard*>(self);
  if (shard.closing_) return 0;
  constexpr long kNever = 24L * 3600 * 1000;  // libcurl's own timeouts are set beyond this: there is nothing to wait for
  if (milliseconds < 0 || milliseconds > kNever) {
    shard.engine_.loop().disarm(shard.timer_);
  } else if (milliseconds == 0) {
    shard.engine_.loop().disarm(shard.timer_);
    shard.engine_.kick(shard);
  } else {
    shard.engine_.loop().arm_in(shard.timer_, std::chrono::milliseconds(milliseconds));
  }
  return 0;
}

// --- sockets -------------------------------------------------------------------------------------------------------

curl_socket_t CurlShard::open_socket(CurlTransfer& transfer, const curl_sockaddr& address) {
  const Endpoint& endpoint = channel_.endpoint();
  if (endpoint.public_addresses_only && is_private_address(&address.addr)) {
    transfer.refuse_address(to_text(&address.addr));
    return CURL_SOCKET_BAD;
  }
  Place place = transfer.take_reserved();
  if (!place) place = channel_.budget().take();
  if (!place) {
    transfer.starve();
    return CURL_SOCKET_BAD;
  }
  int type = address.socktype;
#ifdef SOCK_CLOEXEC
  type |= SOCK_CLOEXEC;
#endif
  const int fd = ::socket(address.family, type, address.protocol);
  if (fd < 0) {
    transfer.reserve(std::move(place));
    return CURL_SOCKET_BAD;
  }
  CurlSocket& socket = engine_.socket(fd);
  socket = CurlSocket{};
  socket.shard = this;
  socket.owner = &transfer;
  socket.place = std::move(place);
  socket.inode = inode_of(fd);
  sockets_.push_back(fd);
  transfer.opened_socket(fd);
  return fd;
}

int CurlShard::close_socket(void* self, curl_socket_t fd) {
  auto& shard = *static_cast<CurlShard*>(self);
  CurlSocket& socket = shard.engine_.socket(fd);
  if (socket.shard == &shard) {
    if (socket.watched != kNothing) shard.engine_.loop().unwatch(fd);
    shard.release(socket);
    std::erase(shard.sockets_, fd);
    socket = CurlSocket{};
  }
  return ::close(fd);
}

/// Its owner may be trying the next address, or sending again on another connection: it keeps the place.
void CurlShard::release(CurlSocket& socket) {
  if (socket.owner != nullptr) {
    socket.owner->lost_socket();
    if (!closing_) socket.owner->reserve(std::move(socket.place));
  } else if (!socket.spared) {
    --idle_;
    idle_changed();
  }
  socket.place.release();
}

/// Libcurl asks for the socket of a transfer to be watched, but not of one that is paused before it has had to wait: its
/// answer was there at once. Such a connection is not idle either.
void CurlShard::connected(CurlTransfer& transfer, bool reused, int local_port) {
  if (channel_.endpoint().http2) return;  // one connection carries many
  for (const int fd : sockets_) {
    CurlSocket& socket = engine_.socket(fd);
    if (!reused && socket.owner == &transfer) socket.local_port = local_port;
    if (!reused || socket.owner != nullptr || socket.local_port != local_port || local_port == 0) continue;
    transfer.set_socket(fd);
    return set_owner(fd, socket, &transfer);
  }
}

void CurlShard::set_owner(int fd, CurlSocket& socket, CurlTransfer* owner) {
  if (socket.owner == owner || socket.spared) return;
  if (socket.owner == nullptr) --idle_;
  if (owner == nullptr) {
    ++idle_;
    if (socket.watched == kNothing) {
      engine_.loop().watch(fd, kReadable, *this);
      socket.watched = kReadable;
    }
  }
  const bool changed = (socket.owner == nullptr) != (owner == nullptr);
  socket.owner = owner;
  if (changed) idle_changed();
}

void CurlShard::hope(CurlTransfer& transfer) noexcept {
  transfer.hopes = true;
  ++hopes_;
}

void CurlShard::hope_ended(CurlTransfer& transfer) noexcept {
  if (std::exchange(transfer.hopes, false)) --hopes_;
}

void CurlShard::let_go(CurlTransfer& transfer) {
  hope_ended(transfer);
  if (transfer.sockets_opened() > 1) {
    const std::vector<int> sockets = sockets_;  // what was closed is taken out of it
    for (const int fd : sockets) {
      CurlSocket& socket = engine_.socket(fd);
      if (socket.owner == &transfer && !forget_if_closed(fd, socket)) set_owner(fd, socket, nullptr);
    }
  } else if (transfer.socket() >= 0) {
    const int fd = transfer.socket();
    CurlSocket& socket = engine_.socket(fd);
    const bool ours = socket.shard == this && socket.owner == &transfer;
    if (ours && (transfer.ever_connected() || !forget_if_closed(fd, socket))) set_owner(fd, socket, nullptr);
  }
  transfer.set_socket(-1);
}

/// libcurl (7.88, cf-socket.c) closes a socket that was never connected without telling: a cancel or a refusal while it
/// connects, and the loser of two address families. Its number may be anybody's by now, another thread's too: nothing may
/// be done to it any more.
bool CurlShard::forget_if_closed(int fd, CurlSocket& socket) {
  if (socket.inode == 0 || inode_of(fd) == socket.inode) return false;
  release(socket);
  std::erase(sockets_, fd);
  socket = CurlSocket{};
  return true;
}

void CurlShard::retire(int fd, CurlSocket& socket) {
  engine_.loop().unwatch(fd);
  ::shutdown(fd, SHUT_RDWR);
  socket.watched = kNothing;
  socket.spared = true;
  --idle_;
  idle_changed();
  socket.place.release();
}

bool CurlShard::spare_one() {
  for (const int fd : sockets_) {
    CurlSocket& socket = engine_.socket(fd);
    if (socket.owner != nullptr || socket.spared) continue;
    if (channel_.endpoint().http2 && in_flight_ > 0) return false;  // streams share it, whoever opened it
    retire(fd, socket);
    return true;
  }
  return false;
}

void CurlShard::idle_changed() {
  if (!closing_) channel_.idle_changed();
}

}  // namespace sluice::engine
