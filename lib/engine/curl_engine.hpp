#pragma once
/// What the channels of one engine share: the order in which libcurl is called. libcurl must not be entered again from
/// inside one of its callbacks, and sinks may do anything inside theirs; so what they ask for is put on lists here and
/// done when libcurl has returned, still in the same turn of the loop. Knows order; must not know HTTP.

#include <curl/curl.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "engine/connection_budgets.hpp"
#include "engine/loop.hpp"
#include "engine/resolver.hpp"

namespace sluice::engine {

class CurlChannel;
class CurlShard;
class CurlTransfer;

/// A socket libcurl asked for, from OPENSOCKETFUNCTION to CLOSESOCKETFUNCTION.
struct CurlSocket {
  CurlShard* shard = nullptr;         // nullptr: no such socket
  CurlTransfer* owner = nullptr;      // the transfer it carries; nullptr: idle
  Place place;                        // in the upstream's budget
  int wanted = CURL_POLL_NONE;        // what libcurl asked to be told
  std::uint32_t watched = kNothing;   // what the loop watches it for
  int local_port = 0;                 // by which a transfer that uses it again is known; 0: not known
  bool spared = false;                // shut down by us while idle; libcurl finds it dead when it looks
  std::uint64_t inode = 0;            // tells it from a later socket of the same number; 0: not known
};

/// Engine thread only.
class CurlEngine : public std::enable_shared_from_this<CurlEngine> {
 public:
  CurlEngine(Loop& loop, std::shared_ptr<ConnectionBudgets> budgets, std::unique_ptr<Resolver> resolver);
  ~CurlEngine();

  [[nodiscard]] Loop& loop() const noexcept { return loop_; }
  [[nodiscard]] Resolver& resolver() const noexcept { return *resolver_; }
  [[nodiscard]] ConnectionBudgets& budgets() const noexcept { return *budgets_; }
  [[nodiscard]] CurlSocket& socket(int fd);

  /// Everything that may lead to a sink runs inside a Scope; at the end of the outermost one the lists are worked off.
  class Scope {
   public:
    explicit Scope(CurlEngine& engine) : engine_(engine) { ++engine_.depth_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() {
      if (engine_.depth_ == 1) engine_.settle();
      --engine_.depth_;
    }

   private:
    CurlEngine& engine_;
  };
  /// Marks that libcurl is being called and may call back.
  class Call {
   public:
    explicit Call(CurlEngine& engine) : engine_(engine), before_(std::exchange(engine.in_curl_, true)) {}
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call() { engine_.in_curl_ = before_; }

   private:
    CurlEngine& engine_;
    bool before_;
  };
  [[nodiscard]] bool in_curl() const noexcept { return in_curl_; }

  // To be done when libcurl has returned.

  /// The shard's timeouts are due: one action at the end of this turn, however often this is said.
  void kick(CurlShard& shard);
  /// The shard may have finished transfers.
  void look_at(CurlShard& shard);
  void cancel(CurlTransfer& transfer);
  void launch(CurlTransfer& transfer);
  void resume(CurlTransfer& transfer);
  /// The transfer failed before libcurl saw it; its sink is told outside of Channel::start.
  void report(CurlTransfer& transfer);

  CurlChannel& adopt(std::unique_ptr<CurlChannel> channel);
  /// Ends a channel once nobody stands inside it.
  void bury(CurlChannel& channel);
  /// Takes `shard` off all lists; it is about to end.
  void forget(CurlShard& shard) noexcept;
  void forget(CurlTransfer& transfer) noexcept;

 private:
  /// A transfer as it was when it was put on a list: transfers are used again.
  struct Entry {
    CurlTransfer* transfer;
    std::uint64_t serial;
  };
  using List = std::deque<Entry>;
  void put(List& list, CurlTransfer& transfer);
  [[nodiscard]] static CurlTransfer* take(List& list);
  void schedule();
  void settle();
  bool settle_one();
  void run_kicked();

  Loop& loop_;
  std::shared_ptr<ConnectionBudgets> budgets_;
  std::unique_ptr<Resolver> resolver_;
  std::deque<CurlSocket> sockets_;   // by descriptor; a deque, for references stay good when it grows
  int depth_ = 0;
  bool in_curl_ = false, scheduled_ = false;
  List cancelled_, launches_, resumes_, reports_;
  std::vector<CurlShard*> kicked_, acting_, dirty_;
  std::vector<std::unique_ptr<CurlChannel>> channels_, buried_;
};

}  // namespace sluice::engine
