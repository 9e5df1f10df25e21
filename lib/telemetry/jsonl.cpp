// The queue in front of a file, and its writer.

#include "telemetry/jsonl.hpp"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "telemetry/jsonl_file.hpp"

namespace sluice::telemetry {
namespace {

/// Lines are gathered in pieces: a piece is one write. Small enough that making one takes an engine microseconds.
constexpr std::size_t kPiece = 64 * 1024;

}  // namespace

struct JsonlSink::State {
  State(const EventFile& settings, Disk& disk, Duration patience)
      : gathering(patience), queue_bytes(settings.queue_bytes), file(settings, disk) {}

  struct Bounds {
    std::uint64_t rotate_bytes;
    std::uint32_t keep;
  };

  const Duration gathering;

  // With `mutex` held, which never is over anything that can block.
  mutable std::mutex mutex;
  std::condition_variable wake;  // the writer waits
  std::condition_variable done;  // flush and close wait
  std::uint64_t queue_bytes;
  std::optional<Bounds> new_bounds;  // to be taken over by the writer
  std::deque<std::string> pieces;
  std::string spare;                 // an empty piece with room
  std::size_t queued = 0;            // bytes, those being written included
  std::uint64_t accepted = 0;        // lines
  std::uint64_t settled = 0;         // of these: written or dropped
  std::uint64_t dropped_full = 0, dropped_error = 0;
  std::uint64_t asked = 0, answered = 0;  // flushes, and how many of them the disk has answered
  bool stopping = false, abandoned = false, gone = false;
  TimePoint give_up = TimePoint::min();   // once stopping
  // What the file says of itself, after each piece.
  std::uint64_t written = 0, rotations = 0;
  std::string error;
  bool dead = false;

  // The writer's alone: the thread's, or that of who drains.
  JsonlFile file;

  [[nodiscard]] bool hurried() const noexcept { return stopping || asked != answered || queued >= kPiece; }

  /// Everything that is left goes unwritten.
  void drop_all() noexcept {
    dropped_error += accepted - settled;
    settled = accepted;
    queued = 0;
    pieces.clear();
  }

  /// Carries the first piece, or whole lines of its front up to `most` bytes, one at least, to the disk; gives the
  /// bytes. The lock is open meanwhile.
  std::size_t carry(std::unique_lock<std::mutex>& lock, std::size_t most, TimePoint now) {
    std::string piece = std::move(pieces.front());
    pieces.pop_front();
    const auto bounds = std::exchange(new_bounds, std::nullopt);
    lock.unlock();
    if (bounds) file.set_bounds(bounds->rotate_bytes, bounds->keep);
    std::string_view lines = piece;
    if (lines.size() > most) {
      const std::size_t last = most == 0 ? std::string_view::npos : lines.rfind('\n', most - 1);
      lines = lines.substr(0, (last == std::string_view::npos ? lines.find('\n') : last) + 1);
    }
    const std::size_t carried = file.append(lines, now);
    std::string why = file.error();
    piece.erase(0, carried);
    lock.lock();
    if (abandoned) return 0;  // close() has counted them
    if (!piece.empty()) pieces.push_front(std::move(piece));
    else if (piece.capacity() <= 2 * kPiece) spare.swap(piece);
    queued -= carried;
    settled += file.written() - std::exchange(written, file.written());
    rotations = file.rotations();
    error.swap(why);
    dead = file.dead();
    if (carried != 0) done.notify_all();
    return carried;
  }

  /// The thread's life.
  void work();

  /// Carries what stands there now, or, `to_the_end`, until nothing is left. What comes meanwhile is gathered again, or each
  /// line of a busy gateway would be a write. False where the disk refuses.
  bool carry_all(std::unique_lock<std::mutex>& lock, TimePoint now, bool to_the_end) {
    for (std::size_t left = pieces.size(); !pieces.empty() && (to_the_end || left > 0); --left) {
      if (carry(lock, kPiece, now) == 0) return false;
    }
    return true;
  }
};

JsonlSink::JsonlSink(std::shared_ptr<State> state, std::string path)
    : path_(std::move(path)), state_(std::move(state)) {}

Result<std::unique_ptr<JsonlSink>> JsonlSink::open(EventFile file, Writing writing, Disk& disk, Duration gathering) {
  std::unique_ptr<JsonlSink> sink(new JsonlSink(std::make_shared<State>(file, disk, gathering), file.path));
  if (writing == Writing::kHost) return sink;
  // Signals are the host's.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::string why;
  try {
    sink->thread_ = std::thread([state = sink->state_] { run(*state); });
  } catch (const std::system_error& error) {
    why = error.what();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (why.empty()) return sink;
  return fail(Code::kSystem, "no thread can be had for the events of '" + file.path + "': " + why +
                                 "; raise the limit of processes");
}

JsonlSink::~JsonlSink() {
  if (mark_.in_child()) {
    // The writer does not live here, and the lock may have been anybody's at the fork: everything is let lie.
    if (thread_.joinable()) thread_.detach();
    (void)new std::shared_ptr<State>(std::move(state_));
    return;
  }
  if (!thread_.joinable()) {
    close({});
    return;
  }
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_one();
  thread_.detach();
}

void JsonlSink::set_bounds(const EventFile& file) noexcept {
  if (mark_.in_child()) return;
  const std::lock_guard lock(state_->mutex);
  state_->queue_bytes = file.queue_bytes;
  state_->new_bounds = {file.rotate_bytes, file.keep};
}

bool JsonlSink::write(std::string_view line) noexcept {
  if (mark_.in_child()) return false;
  State& state = *state_;
  const std::size_t size = line.size() + 1;
  bool wake = false;
  {
    const std::lock_guard lock(state.mutex);
    std::uint64_t& drops = state.error.empty() ? state.dropped_full : state.dropped_error;
    if (state.stopping || state.queued + size > state.queue_bytes) {
      ++drops;
      return false;
    }
    const bool was_empty = state.pieces.empty();
    try {
      if (was_empty || state.pieces.back().size() + size > state.pieces.back().capacity()) {
        std::string piece = std::exchange(state.spare, {});
        piece.reserve(std::max(kPiece, size));
        state.pieces.push_back(std::move(piece));
      }
    } catch (...) {  // no memory: as good as no room
      ++drops;
      return false;
    }
    state.pieces.back().append(line).push_back('\n');
    const bool was_hurried = state.hurried();
    state.queued += size;
    ++state.accepted;
    wake = was_empty || state.hurried() != was_hurried;
  }
  if (wake) state.wake.notify_one();
  return true;
}

std::size_t JsonlSink::drain(std::size_t budget_bytes, TimePoint now) {
  if (mark_.in_child()) return 0;
  std::size_t sum = 0;
  std::unique_lock lock(state_->mutex);
  while (!state_->pieces.empty() && (sum == 0 || sum < budget_bytes)) {
    const std::size_t carried = state_->carry(lock, budget_bytes - sum, now);
    if (carried == 0) break;
    sum += carried;
  }
  return sum;
}

bool JsonlSink::pending() const {
  if (mark_.in_child()) return false;
  const std::lock_guard lock(state_->mutex);
  return state_->queued != 0;
}

bool JsonlSink::flush(TimePoint deadline) {
  if (mark_.in_child()) return false;
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  const std::uint64_t target = state.accepted;
  if (state.stopping) return state.settled >= target;
  if (!thread_.joinable()) {
    state.file.retry_now();
    state.carry_all(lock, deadline, true);
    return state.settled >= target;
  }
  const std::uint64_t mine = ++state.asked;
  state.wake.notify_one();
  state.done.wait_until(lock, deadline,
                        [&] { return state.settled >= target || (state.dead && state.answered >= mine); });
  return state.settled >= target;
}

void JsonlSink::close(TimePoint deadline) {
  if (mark_.in_child()) return;
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  if (std::exchange(state.stopping, true)) return;
  state.give_up = deadline;
  if (!thread_.joinable()) {
    state.file.retry_now();
    state.carry_all(lock, deadline, true);
    state.drop_all();
    return;
  }
  state.wake.notify_one();
  if (state.done.wait_until(lock, deadline, [&] { return state.gone; })) {
    lock.unlock();
    thread_.join();
    return;
  }
  state.abandoned = true;
  state.drop_all();
  thread_.detach();
}

EventFileStatistics JsonlSink::statistics() const {
  if (mark_.in_child()) return {.path = path_};
  const std::lock_guard lock(state_->mutex);
  return {.path = path_,
          .written = state_->written,
          .dropped_full = state_->dropped_full,
          .dropped_error = state_->dropped_error,
          .rotations = state_->rotations,
          .queued_bytes = state_->queued,
          .error = state_->error};
}

void JsonlSink::run(State& state) noexcept {
  (void)pthread_setname_np(pthread_self(), "sluice-events");
  try {
    state.work();
  } catch (...) {
    // No memory even for a message. Lines are dropped from now on; the host goes on.
  }
  const std::lock_guard lock(state.mutex);
  state.stopping = true;
  state.drop_all();
  state.gone = true;
  state.done.notify_all();
}

void JsonlSink::State::work() {
  std::unique_lock lock(mutex);
  for (;;) {
    wake.wait(lock, [&] { return stopping || !pieces.empty(); });
    wake.wait_for(lock, gathering, [&] { return hurried(); });
    const std::uint64_t answering = asked;
    const bool last = stopping;
    const bool waited_for = last || answering != answered;
    if (waited_for) file.retry_now();
    const bool carried = carry_all(lock, std::chrono::steady_clock::now(), waited_for);
    answered = answering;
    done.notify_all();
    if (carried) {
      if (stopping && pieces.empty()) break;
      continue;
    }
    // The disk refuses. Lines that come meanwhile wait with the others, or find no room.
    const TimePoint now = std::chrono::steady_clock::now();
    if (last && (dead || now >= give_up)) break;
    wake.wait_until(lock, file.retry_at().value_or(now), [&] { return stopping != last || asked != answered; });
  }
}

}  // namespace sluice::telemetry
