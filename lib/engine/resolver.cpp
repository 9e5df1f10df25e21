#include "engine/resolver.hpp"

// c-ares owns the DNS protocol, /etc/hosts and resolv.conf; the loop owns its sockets and its clock. Look-ups of one
// name share one query; a look-up that is dropped leaves the query to fill the cache.

#include <ares.h>
#include <netdb.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "engine/address.hpp"

namespace sluice::engine {
namespace {

using namespace std::chrono_literals;

constexpr Duration kShortestLife = 1s, kLongestLife = 5min, kFailureLife = 1s;
constexpr int kQueryTimeoutMs = 2000, kQueryTries = 3;
constexpr std::size_t kCacheEntries = 4096;

Status start_library() {
  static std::once_flag once;
  static int rc = ARES_SUCCESS;
  std::call_once(once, [] { rc = ares_library_init(ARES_LIB_INIT_ALL); });
  if (rc != ARES_SUCCESS) return fail(Code::kSystem, std::string("c-ares does not start: ") + ares_strerror(rc));
  return {};
}

class CaresResolver;

/// Somebody who waits for a name. Whoever drops the look-up empties `done`.
struct Waiter {
  Resolver::Callback done;
};

class CaresLookup final : public Lookup {
 public:
  explicit CaresLookup(std::shared_ptr<Waiter> waiter) : waiter_(std::move(waiter)) {}
  ~CaresLookup() override { waiter_->done = nullptr; }

 private:
  std::shared_ptr<Waiter> waiter_;
};

/// One name being asked for, and those who wait for it.
struct Query {
  CaresResolver* resolver;
  std::string host;
  std::vector<std::shared_ptr<Waiter>> waiting;
};

class CaresResolver final : public Resolver, private IoHandler {
 public:
  explicit CaresResolver(Loop& loop) : loop_(loop), timer_([this] { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }) {}
  ~CaresResolver() override {
    closing_ = true;
    if (channel_ != nullptr) ares_destroy(channel_);
  }

  [[nodiscard]] Status open() {
    if (Status started = start_library(); !started) return started;
    ares_options options{};
    options.timeout = kQueryTimeoutMs;
    options.tries = kQueryTries;
    options.sock_state_cb = &CaresResolver::socket_state;
    options.sock_state_cb_data = this;
    const int rc = ares_init_options(&channel_, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (rc != ARES_SUCCESS) {
      channel_ = nullptr;
      return fail(Code::kSystem, std::string("the resolver does not start: ") + ares_strerror(rc) + "; look at /etc/resolv.conf");
    }
    return {};
  }

  [[nodiscard]] std::unique_ptr<Lookup> resolve(const std::string& host, Callback done) override {
    const std::string plain = plain_address(host);
    if (is_address(plain)) {
      done(Addresses{{plain}, TimePoint::max()});
      return nullptr;
    }
    if (const auto known = cache_.find(host); known != cache_.end()) {
      if (known->second.until > loop_.now()) {
        Result<Addresses> answer = known->second.answer;  // the callback may change the cache
        done(std::move(answer));
        return nullptr;
      }
      cache_.erase(known);
    }
    auto found = queries_.find(host);
    const bool fresh = found == queries_.end();
    if (fresh) found = queries_.emplace(host, std::make_unique<Query>(Query{this, host, {}})).first;
    Query& query = *found->second;
    const auto waiter = std::make_shared<Waiter>(Waiter{std::move(done)});
    query.waiting.push_back(waiter);
    if (!fresh) return std::make_unique<CaresLookup>(waiter);

    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &CaresResolver::answer, &query);
    rearm();
    if (!waiter->done) return nullptr;  // /etc/hosts answers inside the call
    return std::make_unique<CaresLookup>(waiter);
  }

 private:
  struct Known {
    Result<Addresses> answer;
    TimePoint until;
  };

  void on_ready(int fd, std::uint32_t ready) override {
    const bool in = (ready & (kReadable | kBroken)) != 0, out = (ready & (kWritable | kBroken)) != 0;
    process(in ? fd : ARES_SOCKET_BAD, out ? fd : ARES_SOCKET_BAD);
  }

  void process(ares_socket_t in, ares_socket_t out) {
    ares_process_fd(channel_, in, out);
    rearm();
  }

  void rearm() {
    timeval room{};
    const timeval* left = ares_timeout(channel_, nullptr, &room);
    if (left == nullptr) return loop_.disarm(timer_);
    loop_.arm_in(timer_, std::chrono::seconds(left->tv_sec) + std::chrono::microseconds(left->tv_usec));
  }

  static void socket_state(void* self, ares_socket_t fd, int readable, int writable) {
    auto& resolver = *static_cast<CaresResolver*>(self);
    if (readable == 0 && writable == 0) return resolver.loop_.unwatch(fd);
    resolver.loop_.watch(fd, (readable != 0 ? kReadable : 0u) | (writable != 0 ? kWritable : 0u), resolver);
  }

  static void answer(void* arg, int status, int, ares_addrinfo* found) {
    auto& query = *static_cast<Query*>(arg);
    query.resolver->answered(query, status, found);
    if (found != nullptr) ares_freeaddrinfo(found);
  }

  void answered(Query& finished, int status, const ares_addrinfo* found) {
    if (closing_) return;
    const auto entry = queries_.find(finished.host);
    const std::unique_ptr<Query> query = std::move(entry->second);
    queries_.erase(entry);

    const TimePoint now = loop_.now();
    Result<Addresses> answer = fail(Code::kUpstreamResolveFailed,
                                    "the name '" + query->host + "' has no address: " + ares_strerror(status) +
                                        "; correct the host, or look at the DNS servers of this machine");
    TimePoint until = now + kFailureLife;
    if (status == ARES_SUCCESS) {
      Addresses addresses = read(found, now);
      if (!addresses.list.empty()) {
        until = addresses.valid_until;
        answer = std::move(addresses);
      }
    }
    if (cache_.size() >= kCacheEntries) forget_old(now);
    cache_.insert_or_assign(query->host, Known{answer, until});
    for (const std::shared_ptr<Waiter>& waiter : query->waiting) {
      const Callback done = std::exchange(waiter->done, nullptr);
      if (done) done(answer);
    }
  }

  static Addresses read(const ares_addrinfo* found, TimePoint now) {
    Addresses addresses;
    Duration life = kLongestLife;
    for (const ares_addrinfo_node* node = found->nodes; node != nullptr; node = node->ai_next) {
      char text[NI_MAXHOST];
      if (::getnameinfo(node->ai_addr, node->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) continue;
      life = std::min<Duration>(life, std::chrono::seconds(node->ai_ttl));
      if (std::find(addresses.list.begin(), addresses.list.end(), text) == addresses.list.end()) addresses.list.emplace_back(text);
    }
    addresses.valid_until = now + std::max(life, kShortestLife);
    return addresses;
  }

  void forget_old(TimePoint now) {
    for (auto entry = cache_.begin(); entry != cache_.end();) {
      entry = entry->second.until <= now ? cache_.erase(entry) : std::next(entry);
    }
    if (cache_.size() >= kCacheEntries) cache_.clear();
  }

  Loop& loop_;
  Timer timer_;
  ares_channel channel_ = nullptr;
  bool closing_ = false;
  std::unordered_map<std::string, Known> cache_;
  std::map<std::string, std::unique_ptr<Query>> queries_;
};

}  // namespace

Result<std::unique_ptr<Resolver>> make_cares_resolver(Loop& loop) {
  auto resolver = std::make_unique<CaresResolver>(loop);
  if (Status opened = resolver->open(); !opened) return tl::unexpected<Error>(std::move(opened.error()));
  return resolver;
}

}  // namespace sluice::engine
