// A disk that hangs, is full, or is gone: nobody waits for it, memory is bounded, every line is accounted for. AVAIL-04

#include "telemetry/jsonl.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "unit/telemetry/jsonl_rig.hpp"

using namespace sluice;
using namespace std::chrono_literals;
using telemetry::JsonlSink;
using telemetry::Writing;
using namespace sluice::tests;

// AVAIL-04
TEST_CASE("while the disk hangs in a write nobody waits, memory is bounded, and every line is accounted for") {
  BrokenDisk disk;
  auto sink = opened({.path = "e", .queue_bytes = 100'000}, Writing::kThread, disk);
  disk.hang();
  const std::string line(99, 'x');
  CHECK(sink->write(line));
  disk.wait_for_hanging();
  // All of this passes while the writer is inside its system call: were there a lock it holds, we would never get on.
  std::uint64_t accepted = 1;
  for (int i = 0; i < 20'000; ++i) accepted += sink->write(line);
  CHECK(accepted == 1000);
  EventFileStatistics statistics = sink->statistics();
  CHECK(statistics.queued_bytes == 100'000);
  CHECK(statistics.dropped_full == 20'001 - accepted);
  CHECK(statistics.dropped_error == 0);
  CHECK(statistics.written == 0);
  CHECK_FALSE(sink->flush(in(1ms)));
  disk.let_go();
  CHECK(sink->flush(in(60s)));
  statistics = sink->statistics();
  CHECK(statistics.written == accepted);
  CHECK(statistics.queued_bytes == 0);
  CHECK(lines_of(disk.text("e")).size() == accepted);
  CHECK(sink->write(line));  // and it goes on
  CHECK(sink->flush(in(60s)));
}

// AVAIL-04
TEST_CASE("close does not wait for a disk that hangs, and counts what it leaves") {
  BrokenDisk disk;
  const auto sink = opened({.path = "e"}, Writing::kThread, disk);
  disk.hang();
  CHECK(sink->write("one"));
  disk.wait_for_hanging();
  CHECK(sink->write("two"));
  sink->close(in(1ms));
  const EventFileStatistics statistics = sink->statistics();
  CHECK(statistics.dropped_error == 2);
  CHECK(statistics.queued_bytes == 0);
  CHECK_FALSE(sink->write("three"));
  sink->close(in(1ms));  // a second time changes nothing
  CHECK(sink->flush(in(1ms)));
  // The thread is nobody's now. It ends once the disk answers, and changes no count any more.
  disk.let_go();
  wait_for_no_writer();
  CHECK(disk.text("e") == "one\n");
  CHECK(sink->statistics().queued_bytes == 0);
  CHECK(sink->statistics().dropped_error == 2);
  CHECK(sink->statistics().written == 0);
}

// AVAIL-04
TEST_CASE("a writer that was given up needs no sink any more") {
  BrokenDisk disk;
  auto sink = opened({.path = "e"}, Writing::kThread, disk);
  disk.hang();
  CHECK(sink->write("one"));
  disk.wait_for_hanging();
  sink->close(in(1ms));
  sink.reset();
  disk.let_go();
  wait_for_no_writer();
  CHECK(disk.text("e") == "one\n");
}

// AVAIL-04
TEST_CASE("a dead disk costs a full queue and nothing else; what finds no room is counted as the disk's fault") {
  for (const int why : {ENOSPC, EIO, EROFS, ENOENT}) {
    BrokenDisk disk;
    disk.open_error = why;
    const auto sink = opened({.path = "e", .queue_bytes = 10'000}, Writing::kThread, disk);
    CHECK(sink->write(std::string(99, 'x')));
    CHECK_FALSE(sink->flush(in(60s)));  // asked, and refused: it does not wait for the deadline
    std::uint64_t accepted = 1;
    for (int i = 0; i < 5000; ++i) accepted += sink->write(std::string(99, 'x'));
    EventFileStatistics statistics = sink->statistics();
    CHECK(accepted == 100);
    CHECK(statistics.queued_bytes == 10'000);
    CHECK(statistics.dropped_error == 5001 - accepted);
    CHECK(statistics.dropped_full == 0);
    CHECK(statistics.error.find("'e' takes no lines") == 0);
    // It lives again: what waited is written, and so is what comes.
    disk.change([&] { disk.open_error = 0; });
    CHECK(sink->flush(in(60s)));
    CHECK(sink->write("more"));
    CHECK(sink->flush(in(60s)));
    statistics = sink->statistics();
    CHECK(statistics.written == accepted + 1);
    CHECK(statistics.error.empty());
    CHECK(lines_of(disk.text("e")).size() == accepted + 1);
  }
}

// AVAIL-04
TEST_CASE("a disk that lives again is found by the writer itself") {
  BrokenDisk disk;
  disk.open_error = EIO;
  const auto sink = opened({.path = "e"}, Writing::kThread, disk);
  CHECK(sink->write("one"));
  CHECK_FALSE(sink->flush(in(60s)));
  disk.change([&] { disk.open_error = 0; });
  disk.wait_for_writes(1);  // nobody asks for it
  CHECK(sink->flush(in(60s)));
  CHECK(disk.text("e") == "one\n");
}

TEST_CASE("what a dead disk still refuses at the close is dropped, counted, and not waited for") {
  BrokenDisk disk;
  disk.open_error = EIO;
  const auto sink = opened({.path = "e"}, Writing::kThread, disk);
  for (int i = 0; i < 10; ++i) CHECK(sink->write("one"));
  sink->close(in(1h));
  CHECK(sink->statistics().dropped_error == 10);
  CHECK(sink->statistics().written == 0);
}

// AVAIL-04
TEST_CASE("a FIFO that nobody reads is a dead disk; once it is read, its reader gets whole lines") {
  const Folder folder;
  REQUIRE(::mkfifo((folder / "e").c_str(), 0600) == 0);
  const auto sink = opened({.path = folder / "e", .queue_bytes = 1 << 20}, Writing::kThread);
  const std::string line(999, 'x');
  for (int i = 0; i < 3000; ++i) (void)sink->write(line);
  CHECK_FALSE(sink->flush(in(60s)));
  const EventFileStatistics statistics = sink->statistics();
  CHECK(statistics.queued_bytes <= 1 << 20);
  CHECK(statistics.dropped_error + statistics.dropped_full == 3000 - (1 << 20) / 1000);
  CHECK(statistics.error.find("No such device or address") != std::string::npos);
  // A reader that is slower than the pipe is long: flush meanwhile waits for it.
  const int reader = ::open((folder / "e").c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  REQUIRE(reader >= 0);
  std::string got;
  bool flushed = false;
  std::thread other([&] { flushed = sink->flush(in(60s)); });
  while (got.size() < (1 << 20) / 1000 * 1000) {
    char buffer[4096];
    const ssize_t n = ::read(reader, buffer, sizeof buffer);
    if (n > 0) got.append(buffer, static_cast<std::size_t>(n));
    else std::this_thread::yield();
  }
  other.join();
  ::close(reader);
  CHECK(flushed);
  for (const std::string& one : lines_of(got)) REQUIRE(one == line);
  CHECK(sink->statistics().error.empty());
  sink->close(in(1s));
}
