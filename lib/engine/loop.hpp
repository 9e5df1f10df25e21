#pragma once
/// One engine thread's loop: descriptors, timers and a mailbox behind one small interface, with two back ends
/// (epoll, poll). Moves no bytes and knows nothing of HTTP.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/mailbox.hpp"
#include "sluice/clock.hpp"
#include "sluice/error.hpp"

namespace sluice::engine {

enum class Backend : std::uint8_t { kEpoll, kPoll };

/// What a descriptor is watched for, and what it turned out to be ready for. Bits.
enum Ready : std::uint32_t { kNothing = 0, kReadable = 1, kWritable = 2, kBroken = 4 };

/// Called when a watched descriptor is ready. Engine thread only.
class IoHandler {
 public:
  virtual void on_ready(int fd, std::uint32_t ready) = 0;

 protected:
  ~IoHandler() = default;
};

class Loop;

/// One deadline, owned by whoever waits for it; arming again moves it. Destroying it disarms. Engine thread only.
class Timer {
 public:
  explicit Timer(std::function<void()> fire) : fire_(std::move(fire)) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();
  [[nodiscard]] bool armed() const noexcept { return index_ != kIdle; }
  [[nodiscard]] TimePoint deadline() const noexcept { return deadline_; }

 private:
  friend class Loop;
  static constexpr std::size_t kIdle = static_cast<std::size_t>(-1);
  std::function<void()> fire_;
  Loop* loop_ = nullptr;       // while armed, and while fire_ runs
  std::size_t index_ = kIdle;  // in the loop's heap
  std::uint64_t order_ = 0;    // of arming: equal deadlines fire first come, first served
  TimePoint deadline_{};
};

/// Thread: one at a time (the engine's), except post(), stop() and take_lag(). Must not be turned from inside a callback.
class Loop {
 public:
  /// `clock` is borrowed and outlives the loop. With a manual clock no turn ever waits: whoever moves the clock turns
  /// the loop. Errors: kSystem.
  [[nodiscard]] static Result<std::unique_ptr<Loop>> create(Backend backend, const Clock& clock);
  virtual ~Loop();

  /// Watches `fd` for `interest` (Ready bits; kBroken is always reported). Watching again changes interest and
  /// handler. `handler` is borrowed until unwatch.
  virtual void watch(int fd, std::uint32_t interest, IoHandler& handler) = 0;
  /// After this the handler is not called for `fd` any more, not even for events of the current turn.
  virtual void unwatch(int fd) = 0;

  void arm(Timer& timer, TimePoint deadline);
  void arm_in(Timer& timer, Duration delay) { arm(timer, now() + delay); }
  void disarm(Timer& timer) noexcept;

  /// Runs `task` on the engine thread, soon. Tasks posted from one thread run in order; what was posted before stop()
  /// still runs. Thread: any.
  void post(base::Task task);
  /// Runs `task` at the end of the current turn, or of the next one; the way to do later what must not be done inside
  /// a callback. Engine thread only.
  void defer(base::Task task);

  /// The time as of this turn; refreshed before callbacks of each turn, exact enough for deadlines.
  [[nodiscard]] TimePoint now() const noexcept { return now_; }
  /// Asks the clock again; for measurements that must be exact.
  TimePoint refresh_now() noexcept { return now_ = clock_.now(); }
  [[nodiscard]] const Clock& clock() const noexcept { return clock_; }

  /// One turn: waits at most until `until` (or the next timer) for something to do, then does it. How many callbacks ran.
  std::size_t turn(std::optional<TimePoint> until);
  /// Turns until stop().
  void run();
  void stop();  ///< Thread: any.

  /// One descriptor that is readable when a turn has something to do, timers included; -1 where there is none (poll).
  [[nodiscard]] virtual int fd() const noexcept = 0;
  [[nodiscard]] std::optional<TimePoint> next_deadline() const noexcept;
  [[nodiscard]] bool on_loop_thread() const noexcept;
  /// The longest time one turn's callbacks took since this was last asked. Thread: any.
  [[nodiscard]] Duration take_lag() noexcept;

 protected:
  explicit Loop(const Clock& clock) : clock_(clock), now_(clock.now()) {}
  /// Waits for readiness at most `wait` (negative = for ever), calling nobody.
  virtual void wait(Duration wait) = 0;
  /// Calls the handlers of what wait() found ready. How many were called.
  virtual std::size_t dispatch() = 0;
  /// Interrupts wait(), or makes the next one return at once. Thread: any.
  virtual void wake() noexcept = 0;
  /// Control is outside and next_deadline() is what fd() has to turn readable for (epoll arms its timerfd here and
  /// nowhere else: a loop that runs needs none).
  virtual void hand_out() noexcept {}

 private:
  friend class Timer;
  class Turning;  // marks the thread that turns the loop
  std::size_t turn_once(std::optional<TimePoint> until);
  [[nodiscard]] Duration patience(std::optional<TimePoint> until) const noexcept;
  std::size_t fire_due();
  void fire(Timer& timer);
  std::size_t run_tasks();
  void deadline_moved() noexcept;
  [[nodiscard]] static bool earlier(const Timer& a, const Timer& b) noexcept;
  void place(std::size_t index, Timer* timer) noexcept;
  void sift_up(std::size_t index) noexcept;
  void sift_down(std::size_t index) noexcept;
  void take_out(std::size_t index) noexcept;

  // Engine thread only.
  const Clock& clock_;
  TimePoint now_;
  std::vector<Timer*> heap_;      // the earliest first
  std::uint64_t armed_ = 0;
  Timer* firing_ = nullptr;
  std::vector<base::Task> deferred_, running_;
  bool turning_ = false;

  // Any thread.
  base::Mailbox mailbox_;
  std::atomic<bool> posted_{false};
  std::atomic<bool> stopped_{false};
  std::atomic<std::int64_t> lag_ns_{0};
  std::atomic<std::uintptr_t> thread_{0};
};

}  // namespace sluice::engine
