// The queue in front of a file, and its writer: whole lines, in order, and a process that forks.

#include "telemetry/jsonl.hpp"

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "unit/telemetry/jsonl_rig.hpp"

using namespace sluice;
using namespace std::chrono_literals;
using telemetry::JsonlSink;
using telemetry::Writing;
using namespace sluice::tests;

TEST_CASE("lines reach the file whole, in order, and flush waits for them") {
  const Folder folder;
  const auto sink = opened({.path = folder / "e"}, Writing::kThread);
  for (int i = 0; i < 1000; ++i) CHECK(sink->write("line " + std::to_string(i)));
  REQUIRE(sink->flush(in(60s)));
  const auto lines = lines_of(folder.text("e"));
  REQUIRE(lines.size() == 1000);
  for (std::size_t i = 0; i < lines.size(); ++i) CHECK(lines[i] == "line " + std::to_string(i));
  const EventFileStatistics statistics = sink->statistics();
  CHECK(statistics.path == folder / "e");
  CHECK(statistics.written == 1000);
  CHECK(statistics.queued_bytes == 0);
  CHECK(statistics.dropped_full + statistics.dropped_error == 0);
}

TEST_CASE("lines come to the file without anybody flushing") {
  BrokenDisk disk;
  const auto sink = opened({.path = "e"}, Writing::kThread, disk);
  CHECK(sink->write("one"));
  disk.wait_for_writes(1);
  // Nor does a writer that sleeps stay asleep.
  for (int i = 2; i < 7; ++i) {
    CHECK(sink->flush(in(60s)));
    CHECK(sink->write("more"));
    disk.wait_for_writes(i);
  }
  sink->close(in(60s));
  CHECK(disk.text("e") == "one\nmore\nmore\nmore\nmore\nmore\n");
}

TEST_CASE("a queue that fills up wakes its writer before the gathering is over, and so does a flush") {
  BrokenDisk disk;
  const auto sink = opened({.path = "e"}, Writing::kThread, disk, 24h);
  for (int round = 0; round < 10; ++round) {
    CHECK(sink->write("one"));
    // Time for the writer to begin its gathering: it must be woken out of it, too, not only find the queue full.
    for (int i = 0; i < 500; ++i) std::this_thread::yield();
    const int before = disk.asked_for_writes();
    for (int i = 0; i < 70; ++i) CHECK(sink->write(std::string(1000, 'x')));
    disk.wait_for_writes(before + 1);
    CHECK(sink->flush(in(60s)));
  }
  CHECK(lines_of(disk.text("e")).size() == 710);
}

TEST_CASE("lines that come while the writer writes are gathered again, not written one by one") {
  BrokenDisk disk;
  const auto sink = opened({.path = "e"}, Writing::kThread, disk, 24h);
  const auto fill = [&] {
    for (int i = 0; i < 64; ++i) CHECK(sink->write(std::string(1023, 'x')));  // 64 KiB, which is one piece
  };
  disk.hang();
  fill();
  disk.wait_for_hanging();
  CHECK(sink->write("late"));
  disk.let_go();
  fill();
  CHECK(sink->flush(in(60s)));
  CHECK(disk.asked_for_writes() == 3);  // the first piece; the one that "late" began; the line that did not fit into it
  CHECK(lines_of(disk.text("e")).size() == 129);
}

TEST_CASE("the lines of many threads are whole, each thread's in its order") {
  const Folder folder;
  const auto sink = opened({.path = folder / "e", .rotate_bytes = 0}, Writing::kThread);
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t) {
    writers.emplace_back([&sink, t] {
      for (int i = 0; i < 2000; ++i) (void)sink->write(std::to_string(t) + " " + std::to_string(i) + " " + std::string(static_cast<std::size_t>(i % 50), 'x'));
    });
  }
  for (std::thread& writer : writers) writer.join();
  REQUIRE(sink->flush(in(60s)));
  std::vector<int> next(4, 0);
  for (const std::string& line : lines_of(folder.text("e"))) {
    const auto t = static_cast<std::size_t>(line[0] - '0');
    REQUIRE(line == std::to_string(t) + " " + std::to_string(next[t]) + " " + std::string(static_cast<std::size_t>(next[t] % 50), 'x'));
    ++next[t];
  }
  CHECK(next == std::vector<int>(4, 2000));
}

TEST_CASE("close writes what is queued") {
  const Folder folder;
  const auto sink = opened({.path = folder / "e"}, Writing::kThread);
  for (int i = 0; i < 10; ++i) CHECK(sink->write("one"));
  sink->close(in(60s));
  CHECK(lines_of(folder.text("e")).size() == 10);
  CHECK_FALSE(sink->write("two"));
}

TEST_CASE("a sink that is dropped without a close does not wait, and its writer finishes alone") {
  const Folder folder;
  {
    const std::unique_ptr<JsonlSink> dropped(opened({.path = folder / "e"}, Writing::kThread).release());
    CHECK(dropped->write("one"));
  }
  while (folder.text("e").empty()) std::this_thread::yield();
  CHECK(folder.text("e") == "one\n");
  wait_for_no_writer();
}

TEST_CASE("a line that is longer than a piece goes as it is") {
  BrokenDisk disk;
  const auto sink = opened({.path = "e"}, Writing::kThread, disk);
  const std::string big(300'000, 'b');
  CHECK(sink->write("one"));
  CHECK(sink->write(big));
  CHECK(sink->write("two"));
  CHECK(sink->flush(in(60s)));
  CHECK(disk.text("e") == "one\n" + big + "\ntwo\n");
  sink->close(in(60s));
}

TEST_CASE("the writer blocks every signal and has a name") {
  BrokenDisk disk;
  const auto sink = opened({.path = "e"}, Writing::kThread, disk);
  CHECK(sink->write("one"));
  CHECK(sink->flush(in(60s)));
  const auto all = threads();
  REQUIRE(all.contains("sluice-events"));
  // Everything but what cannot be blocked: KILL, STOP and the two of the C library (32 and 33).
  CHECK((std::stoull(all.at("sluice-events"), nullptr, 16) | 0x1'8004'0100) == 0xffff'ffff'ffff'ffff);
  sink->close(in(60s));
}

TEST_CASE("a child of fork writes nothing, waits for nothing, and leaves the parent's lines alone") {
  const Folder folder;
  auto sink = opened({.path = folder / "e"}, Writing::kThread);
  auto driven = opened({.path = folder / "d"}, Writing::kHost);
  CHECK(sink->write("one"));
  CHECK(driven->write("one"));
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // No assertion here: the child has no test of its own to fail.
    bool good = !sink->write("child") && !driven->write("child");
    good = good && !sink->flush(in(1h)) && !driven->flush(in(1h)) && driven->drain(1000, {}) == 0 && !driven->pending();
    good = good && sink->statistics().written == 0;
    sink->close(in(1h));
    driven->close(in(1h));
    sink.reset();
    driven.reset();
    ::_exit(good ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(sink->write("two"));
  CHECK(driven->write("two"));
  CHECK(sink->flush(in(60s)));
  CHECK(driven->flush(in(60s)));
  CHECK(folder.text("e") == "one\ntwo\n");
  CHECK(folder.text("d") == "one\ntwo\n");
  sink->close(in(60s));
}

TEST_CASE("a child of fork goes its way whatever the parent's threads were doing in that moment") {
  BrokenDisk disk;
  auto sink = opened({.path = "e"}, Writing::kThread, disk);
  std::atomic<bool> enough{false};
  std::thread other([&] {
    while (!enough) (void)sink->write("x");  // the lock is held half of the time
  });
  int lost = 0;
  for (int i = 0; i < 100; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(20);  // for a child that waits for a thread it does not have
      (void)sink->write("child");
      sink.reset();
      ::_exit(0);
    }
    int status = -1;
    if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0) ++lost;
    if (lost != 0) break;
  }
  enough = true;
  other.join();
  CHECK(lost == 0);
}
