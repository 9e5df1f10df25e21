#include "engine/loop.hpp"

// What both back ends share: the timer heap, tasks, and the order of things in one turn. The back ends are in
// loop_epoll.cpp and loop_poll.cpp.

#include <utility>

#include "engine/loop_backends.hpp"

namespace sluice::engine {

namespace {

// The address of a thread's own byte names the thread: cheaper to store in an atomic than std::thread::id.
std::uintptr_t this_thread_mark() noexcept {
  static thread_local char mark;
  return reinterpret_cast<std::uintptr_t>(&mark);
}

}  // namespace

Timer::~Timer() {
  if (loop_ == nullptr) return;
  if (loop_->firing_ == this) loop_->firing_ = nullptr;
  if (armed()) loop_->disarm(*this);
}

class Loop::Turning {
 public:
  explicit Turning(Loop& loop) : loop_(loop) {
    loop_.turning_ = true;
    loop_.thread_.store(this_thread_mark(), std::memory_order_relaxed);
  }
  Turning(const Turning&) = delete;
  Turning& operator=(const Turning&) = delete;
  ~Turning() {
    loop_.thread_.store(0, std::memory_order_relaxed);
    loop_.turning_ = false;
    if (!loop_.deferred_.empty()) loop_.wake();
    loop_.hand_out();
  }

 private:
  Loop& loop_;
};

Result<std::unique_ptr<Loop>> Loop::create(Backend backend, const Clock& clock) {
  return backend == Backend::kPoll ? make_poll_loop(clock) : make_epoll_loop(clock);
}

Loop::~Loop() {
  for (Timer* timer : heap_) {
    timer->index_ = Timer::kIdle;
    timer->loop_ = nullptr;
  }
}

// --- turns ---------------------------------------------------------------------------------------------------------

std::size_t Loop::turn(std::optional<TimePoint> until) {
  const Turning turning(*this);
  return turn_once(until);
}

void Loop::run() {
  const Turning turning(*this);
  while (!stopped_.load(std::memory_order_acquire)) turn_once(std::nullopt);
  stopped_.store(false, std::memory_order_relaxed);
  run_tasks();  // what was posted before stop()
}

void Loop::stop() {
  stopped_.store(true, std::memory_order_release);
  wake();
}

std::size_t Loop::turn_once(std::optional<TimePoint> until) {
  refresh_now();
  wait(patience(until));
  const TimePoint began = refresh_now();
  std::size_t calls = dispatch();
  calls += fire_due();
  calls += run_tasks();
  const std::int64_t took = (clock_.now() - began).count();
  // Only this thread raises the figure; a reader that resets it in between loses nothing but this one turn.
  if (took > lag_ns_.load(std::memory_order_relaxed)) lag_ns_.store(took, std::memory_order_relaxed);
  return calls;
}

Duration Loop::patience(std::optional<TimePoint> until) const noexcept {
  if (clock_.is_manual() || !deferred_.empty() || posted_.load(std::memory_order_acquire)) return Duration::zero();
  if (!heap_.empty() && (!until || heap_.front()->deadline_ < *until)) until = heap_.front()->deadline_;
  if (!until) return Duration(-1);
  return *until > now_ ? *until - now_ : Duration::zero();
}

bool Loop::on_loop_thread() const noexcept { return thread_.load(std::memory_order_relaxed) == this_thread_mark(); }

Duration Loop::take_lag() noexcept { return Duration(lag_ns_.exchange(0, std::memory_order_relaxed)); }

// --- tasks ---------------------------------------------------------------------------------------------------------

void Loop::post(base::Task task) {
  if (!mailbox_.push(std::move(task))) return;
  posted_.store(true, std::memory_order_release);
  wake();
}

void Loop::defer(base::Task task) {
  deferred_.push_back(std::move(task));
  if (!turning_) wake();  // the host learns by fd() that a turn is due
}

std::size_t Loop::run_tasks() {
  std::size_t calls = 0;
  if (posted_.exchange(false, std::memory_order_acquire)) {
    mailbox_.take(running_);
    for (base::Task& task : running_) task();
    calls += running_.size();
    running_.clear();
  }
  // What these defer in turn waits for the next turn, so that no task can keep the loop to itself.
  if (!deferred_.empty()) {
    running_.swap(deferred_);
    for (base::Task& task : running_) task();
    calls += running_.size();
    running_.clear();
  }
  return calls;
}

// --- timers --------------------------------------------------------------------------------------------------------

void Loop::arm(Timer& timer, TimePoint deadline) {
  timer.deadline_ = deadline;
  timer.order_ = ++armed_;
  timer.loop_ = this;
  if (timer.armed()) {
    sift_up(timer.index_);
    sift_down(timer.index_);
  } else {
    heap_.push_back(&timer);
    timer.index_ = heap_.size() - 1;
    sift_up(timer.index_);
  }
  deadline_moved();
}

void Loop::disarm(Timer& timer) noexcept {
  if (!timer.armed()) return;
  take_out(timer.index_);
  if (firing_ != &timer) timer.loop_ = nullptr;
  deadline_moved();
}

std::optional<TimePoint> Loop::next_deadline() const noexcept {
  if (heap_.empty()) return std::nullopt;
  return heap_.front()->deadline_;
}

void Loop::deadline_moved() noexcept {
  if (!turning_) hand_out();
}

std::size_t Loop::fire_due() {
  std::size_t calls = 0;
  // A timer that arms itself again for "now" fires at most as often as there were timers: other work gets its turn.
  for (std::size_t left = heap_.size(); left > 0 && !heap_.empty() && heap_.front()->deadline_ <= now_; --left) {
    fire(*heap_.front());
    ++calls;
  }
  return calls;
}

void Loop::fire(Timer& timer) {
  take_out(timer.index_);
  // The callback may destroy its own timer, and with it the function that runs: so it runs from here.
  std::function<void()> running = std::move(timer.fire_);
  firing_ = &timer;
  running();
  if (firing_ != &timer) return;
  firing_ = nullptr;
  timer.fire_ = std::move(running);
  if (!timer.armed()) timer.loop_ = nullptr;
}

void Loop::place(std::size_t index, Timer* timer) noexcept {
  heap_[index] = timer;
  timer->index_ = index;
}

bool Loop::earlier(const Timer& a, const Timer& b) noexcept {
  return a.deadline_ != b.deadline_ ? a.deadline_ < b.deadline_ : a.order_ < b.order_;
}

void Loop::sift_up(std::size_t index) noexcept {
  Timer* const timer = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (!earlier(*timer, *heap_[parent])) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, timer);
}

void Loop::sift_down(std::size_t index) noexcept {
  Timer* const timer = heap_[index];
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && earlier(*heap_[child + 1], *heap_[child])) ++child;
    if (!earlier(*heap_[child], *timer)) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, timer);
}

void Loop::take_out(std::size_t index) noexcept {
  Timer* const timer = heap_[index];
  Timer* const last = heap_.back();
  heap_.pop_back();
  timer->index_ = Timer::kIdle;
  if (last == timer) return;
  place(index, last);
  sift_up(index);
  sift_down(last->index_);
}

}  // namespace sluice::engine
