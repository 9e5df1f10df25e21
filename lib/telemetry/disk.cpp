// The machine's files, by POSIX.

#include "telemetry/disk.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>

namespace sluice::telemetry {
namespace {

/// While it lives, this thread blocks what a write can raise: SIGPIPE by a FIFO whose reader left, SIGXFSZ by a file
/// that has reached the process's limit. A writer thread blocks both anyway; a host that drains on its own does not.
class QuietWrite {
 public:
  QuietWrite() noexcept {
    sigemptyset(&raised_);
    sigaddset(&raised_, SIGPIPE);
    sigaddset(&raised_, SIGXFSZ);
    active_ = pthread_sigmask(SIG_BLOCK, &raised_, &before_) == 0;
    if (!active_) return;
    // What the thread had blocked before may be pending already, and is the host's.
    for (const int number : {SIGPIPE, SIGXFSZ}) {
      if (sigismember(&before_, number) == 1) sigdelset(&raised_, number);
    }
    active_ = sigismember(&raised_, SIGPIPE) == 1 || sigismember(&raised_, SIGXFSZ) == 1;
  }
  QuietWrite(const QuietWrite&) = delete;
  QuietWrite& operator=(const QuietWrite&) = delete;
  ~QuietWrite() {
    if (!active_) return;
    const timespec at_once{};
    while (sigtimedwait(&raised_, nullptr, &at_once) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t raised_{}, before_{};
  bool active_ = false;
};

class SystemDisk final : public Disk {
 public:
  int open(const std::string& path, DiskFile& file) noexcept override {
    // O_NONBLOCK means nothing to a regular file, and keeps a FIFO from waiting.
    constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    const int descriptor = ::open(path.c_str(), kFlags, 0640);
    if (descriptor < 0) return errno;
    struct stat found{};
    if (::fstat(descriptor, &found) != 0) {
      const int why = errno;
      ::close(descriptor);
      return why;
    }
    const bool regular = S_ISREG(found.st_mode);
    file = {.descriptor = descriptor,
            .regular = regular,
            .size = regular ? static_cast<std::uint64_t>(found.st_size) : 0,
            .device = found.st_dev,
            .inode = found.st_ino};
    return 0;
  }

  int write(const DiskFile& file, std::string_view bytes, std::size_t& written) noexcept override {
    const QuietWrite quiet;
    for (;;) {
      const ssize_t n = ::write(file.descriptor, bytes.data(), bytes.size());
      if (n >= 0) {
        written = static_cast<std::size_t>(n);
        return 0;
      }
      if (errno != EINTR) return errno;
    }
  }

  int truncate(const DiskFile& file, std::uint64_t size) noexcept override {
    return ::ftruncate(file.descriptor, static_cast<off_t>(size)) == 0 ? 0 : errno;
  }

  void close(DiskFile& file) noexcept override {
    ::close(file.descriptor);
    file = {};
  }

  bool names(const std::string& path, const DiskFile& file) noexcept override {
    struct stat found{};
    return ::stat(path.c_str(), &found) == 0 && found.st_dev == file.device && found.st_ino == file.inode;
  }

  std::string tail(const std::string& path, std::size_t bytes) noexcept override {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return {};
    std::string out;
    if (const off_t size = ::lseek(descriptor, 0, SEEK_END); size > 0) {
      const std::size_t wanted = std::min(bytes, static_cast<std::size_t>(size));
      out.resize(wanted);
      const ssize_t n = ::pread(descriptor, out.data(), wanted, size - static_cast<off_t>(wanted));
      out.resize(n == static_cast<ssize_t>(wanted) ? wanted : 0);
    }
    ::close(descriptor);
    return out;
  }

  int rename(const std::string& from, const std::string& to) noexcept override {
    return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  }

  int remove(const std::string& path) noexcept override { return ::unlink(path.c_str()) == 0 ? 0 : errno; }
};

}  // namespace

Disk& system_disk() noexcept {
  static SystemDisk& disk = *new SystemDisk;  // never destroyed
  return disk;
}

}  // namespace sluice::telemetry
