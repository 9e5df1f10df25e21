// The real disk: what it says when it is full, gone, or not read, and that no signal of it reaches the process.

#include "telemetry/disk.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "unit/telemetry/broken_disk.hpp"

using namespace sluice;
using telemetry::Disk;
using telemetry::DiskFile;
using telemetry::system_disk;
using tests::Folder;

namespace {

/// Writes everything; 0 or an errno.
int write_all(const DiskFile& file, std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t written = 0;
    if (const int why = system_disk().write(file, bytes, written); why != 0) return why;
    bytes.remove_prefix(written);
  }
  return 0;
}

struct OpenFile {
  DiskFile file;
  int why;
  explicit OpenFile(const std::string& path) : why(system_disk().open(path, file)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (file.is_open()) system_disk().close(file);
  }
};

}  // namespace

TEST_CASE("a file is made with mode 0640, appended to, and not inherited") {
  const Folder folder;
  const mode_t before = ::umask(0);
  const OpenFile one(folder / "e");
  ::umask(before);
  REQUIRE(one.why == 0);
  CHECK(one.file.regular);
  CHECK(one.file.size == 0);
  struct stat found{};
  REQUIRE(::stat((folder / "e").c_str(), &found) == 0);
  CHECK((found.st_mode & 07777) == 0640);
  CHECK((::fcntl(one.file.descriptor, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((::fcntl(one.file.descriptor, F_GETFL) & O_APPEND) != 0);
  CHECK(write_all(one.file, "one\n") == 0);
  const OpenFile other(folder / "e");
  CHECK(other.file.size == 4);
  CHECK(write_all(other.file, "two\n") == 0);
  CHECK(write_all(one.file, "three\n") == 0);  // behind what the other has written
  CHECK(folder.text("e") == "one\ntwo\nthree\n");
  CHECK(system_disk().truncate(one.file, 4) == 0);
  CHECK(write_all(other.file, "four\n") == 0);
  CHECK(folder.text("e") == "one\nfour\n");
}

TEST_CASE("a path names a file until the file is moved, removed or replaced") {
  const Folder folder;
  const OpenFile one(folder / "e");
  CHECK(system_disk().names(folder / "e", one.file));
  CHECK(system_disk().rename(folder / "e", folder / "e.1") == 0);
  CHECK_FALSE(system_disk().names(folder / "e", one.file));
  CHECK(system_disk().names(folder / "e.1", one.file));
  const OpenFile other(folder / "e");
  CHECK_FALSE(system_disk().names(folder / "e", one.file));
  CHECK(system_disk().remove(folder / "e") == 0);
  CHECK_FALSE(system_disk().names(folder / "e", other.file));
  CHECK(system_disk().remove(folder / "e") == ENOENT);
  CHECK(system_disk().rename(folder / "e", folder / "x") == ENOENT);
}

TEST_CASE("the end of a file is read, or nothing where it cannot be") {
  const Folder folder;
  const OpenFile one(folder / "e");
  CHECK(system_disk().tail(folder / "e", 5).empty());
  CHECK(write_all(one.file, "0123456789") == 0);
  CHECK(system_disk().tail(folder / "e", 5) == "56789");
  CHECK(system_disk().tail(folder / "e", 10) == "0123456789");
  CHECK(system_disk().tail(folder / "e", 99) == "0123456789");
  CHECK(system_disk().tail(folder / "none", 5).empty());
}

TEST_CASE("a directory that is missing or removed, and a path that is one, are told") {
  const Folder folder;
  CHECK(OpenFile(folder / "none/e").why == ENOENT);
  CHECK(OpenFile(folder.path()).why == EISDIR);
  const OpenFile kept(folder / "e");
  std::filesystem::remove_all(folder.path());
  CHECK(OpenFile(folder / "e").why == ENOENT);
  CHECK_FALSE(system_disk().names(folder / "e", kept.file));
}

// AVAIL-04
TEST_CASE("a FIFO that nobody reads is not waited for, and one whose reader leaves raises no signal") {
  const Folder folder;
  REQUIRE(::mkfifo((folder / "e").c_str(), 0600) == 0);
  CHECK(OpenFile(folder / "e").why == ENXIO);
  const int reader = ::open((folder / "e").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(reader >= 0);
  const OpenFile one(folder / "e");
  REQUIRE(one.why == 0);
  CHECK_FALSE(one.file.regular);
  CHECK(write_all(one.file, "one\n") == 0);
  CHECK(write_all(one.file, std::string(1 << 20, 'x')) == EAGAIN);  // full, and not waited for
  ::close(reader);
  CHECK(write_all(one.file, "two\n") == EPIPE);  // and the process lives
  sigset_t pending;
  sigpending(&pending);
  CHECK(sigismember(&pending, SIGPIPE) == 0);
}

// AVAIL-04
TEST_CASE("a file at the process's limit is told, and raises no signal") {
  const Folder folder;
  const OpenFile one(folder / "e");
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit small = before;
  small.rlim_cur = 10;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::size_t written = 0;
  const int first = system_disk().write(one.file, "0123456789abc", written);
  std::size_t none = 0;
  const int second = system_disk().write(one.file, "abc", none);
  ::setrlimit(RLIMIT_FSIZE, &before);
  CHECK(first == 0);
  CHECK(written == 10);
  CHECK(second == EFBIG);
  CHECK(none == 0);
}

TEST_CASE("a signal that was the host's before stays its own") {
  sigset_t pipe, before;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, &before);
  pthread_kill(pthread_self(), SIGPIPE);
  const Folder folder;
  const OpenFile one(folder / "e");
  CHECK(write_all(one.file, "one\n") == 0);
  sigset_t pending;
  sigpending(&pending);
  CHECK(sigismember(&pending, SIGPIPE) == 1);
  const timespec at_once{};
  CHECK(sigtimedwait(&pipe, nullptr, &at_once) == SIGPIPE);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("a device that is always full says so") {
  if (::access("/dev/full", W_OK) != 0) return;
  const OpenFile full("/dev/full");
  REQUIRE(full.why == 0);
  CHECK_FALSE(full.file.regular);
  CHECK(write_all(full.file, "one\n") == ENOSPC);
}
