// A busy gateway's lines leave in few writes; a quiet one's leave at once, as people who watch see it.

#include "log_writer.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <climits>
#include <utility>

namespace sluiced {
namespace {

constexpr std::size_t kMostBytes = 1 << 20, kPiece = 64 * 1024;
constexpr std::chrono::milliseconds kGathering{20};
constexpr std::chrono::seconds kPatience{1};

/// What a reader's side may take at once: of a pipe what it has room for when it says it is ready, whole lines where they fit,
/// since others may write to it, too.
std::string_view next_of(std::string_view lines, bool pipe) noexcept {
  if (!pipe || lines.size() <= PIPE_BUF) return lines;
  const std::size_t end = lines.rfind('\n', PIPE_BUF - 1);
  return lines.substr(0, end == std::string_view::npos ? PIPE_BUF : end + 1);
}

bool is_pipe(int fd) noexcept {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

}  // namespace

LogWriter::LogWriter(int fd, Dropped dropped) : fd_(fd), pipe_(is_pipe(fd)), told_(std::move(dropped)), thread_([this] { work(); }) {}

LogWriter::~LogWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void LogWriter::add(std::string_view line, bool now) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (lines_.size() + line.size() > kMostBytes) {
      ++dropped_;
      return;
    }
    const bool was_empty = lines_.empty(), was_hurried = hurried_;
    if (dropped_ != 0) {
      const std::string told = told_(std::exchange(dropped_, 0));
      lines_ += told;
      taken_ += told.size();
    }
    lines_ += line;
    taken_ += line.size();
    hurried_ = hurried_ || now || lines_.size() >= kPiece;
    wake = was_empty || hurried_ != was_hurried;
  }
  if (wake) wake_.notify_one();
}

void LogWriter::flush() {
  std::unique_lock lock(mutex_);
  const std::uint64_t until = taken_;
  hurried_ = true;
  wake_.notify_one();
  (void)done_.wait_for(lock, kPatience, [&] { return written_ >= until; });
}

void LogWriter::work() {
  (void)pthread_setname_np(pthread_self(), "sluiced-log");
  std::string lines;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return stopping_ || !lines_.empty(); });
    wake_.wait_for(lock, kGathering, [&] { return stopping_ || hurried_; });
    if (lines_.empty()) {
      if (stopping_) return;
      hurried_ = false;
      continue;
    }
    hurried_ = false;
    lines.clear();
    lines.swap(lines_);
    lock.unlock();
    write_out(lines);
    lock.lock();
    written_ += lines.size();
    done_.notify_all();
  }
}

/// Where nobody reads any more the lines are gone; where somebody reads slowly they wait, unless the daemon is ending.
void LogWriter::write_out(std::string_view lines) {
  while (!lines.empty()) {
    pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
    const int found = ::poll(&ready, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count()));
    if (found < 0 && errno != EINTR) return;
    if (found <= 0) {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      continue;
    }
    const std::string_view next = next_of(lines, pipe_);
    const ssize_t written = ::write(fd_, next.data(), next.size());
    if (written < 0 && errno != EINTR && errno != EAGAIN) return;
    if (written > 0) lines.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace sluiced
