// The queue without a thread: the host program carries the lines, by its own clock and within its own budget.

#include "telemetry/jsonl.hpp"

#include <catch2/catch.hpp>

#include <memory>

#include "unit/telemetry/jsonl_rig.hpp"

using namespace sluice;
using namespace std::chrono_literals;
using telemetry::JsonlSink;
using telemetry::Writing;
using namespace sluice::tests;

TEST_CASE("a line that is longer than the queue is dropped, and the next one is not") {
  BrokenDisk disk;
  const auto sink = opened({.path = "e", .queue_bytes = 100}, Writing::kHost, disk);
  CHECK_FALSE(sink->write(std::string(100, 'x')));  // its line break is the 101st byte
  CHECK(sink->write(std::string(99, 'x')));
  CHECK_FALSE(sink->write(""));
  CHECK(sink->drain(1000, {}) == 100);
  CHECK(sink->write(""));
  CHECK(sink->statistics().dropped_full == 2);
}

TEST_CASE("a host-driven sink has no thread: lines wait until they are drained, within the budget") {
  wait_for_no_writer();  // of an earlier test: the system shows a thread for a moment after it was joined
  BrokenDisk disk;
  const auto sink = opened({.path = "e"}, Writing::kHost, disk);
  CHECK_FALSE(threads().contains("sluice-events"));
  CHECK_FALSE(sink->pending());
  CHECK(sink->drain(1000, {}) == 0);
  for (int i = 0; i < 10; ++i) CHECK(sink->write("123456789"));
  CHECK(sink->pending());
  CHECK(disk.opens == 0);
  CHECK(sink->drain(0, {}) == 10);   // at least one line
  CHECK(sink->drain(1, {}) == 10);
  CHECK(sink->drain(35, {}) == 40);  // until the budget is used up, whole lines
  CHECK(sink->drain(20, {}) == 20);
  CHECK(sink->statistics().written == 8);
  CHECK(sink->drain(1000, {}) == 20);
  CHECK_FALSE(sink->pending());
  CHECK(lines_of(disk.text("e")).size() == 10);
}

TEST_CASE("lines keep their order over many pieces, carried in parts and refused in between") {
  BrokenDisk disk;
  const auto sink = opened({.path = "e", .rotate_bytes = 0}, Writing::kHost, disk);
  std::string all;
  for (int i = 0; i < 2000; ++i) {
    const std::string line = std::to_string(i) + std::string(100, 'x');
    CHECK(sink->write(line));
    all += line + "\n";
  }
  TimePoint now{};
  for (std::size_t budget = 1; sink->pending(); budget = budget * 3 % 70'001) {
    disk.write_error = budget % 2 == 0 ? EIO : 0;
    (void)sink->drain(budget, now);
    now += 1min;
  }
  CHECK(disk.text("e") == all);
}

TEST_CASE("a host-driven sink asks a dead disk again when the pause is over, by the host's clock") {
  BrokenDisk disk;
  disk.open_error = EIO;
  const auto sink = opened({.path = "e"}, Writing::kHost, disk);
  CHECK(sink->write("one"));
  TimePoint now{1h};
  CHECK(sink->drain(1000, now) == 0);
  disk.open_error = 0;
  CHECK(sink->drain(1000, now + 99ms) == 0);
  CHECK(disk.opens == 1);
  CHECK(sink->drain(1000, now + 100ms) == 4);
  disk.write_error = EIO;
  CHECK(sink->write("two"));
  CHECK_FALSE(sink->flush(now));
  disk.write_error = 0;
  CHECK(sink->flush(now));  // asks at once
  CHECK(disk.text("e") == "one\ntwo\n");
}

TEST_CASE("a host-driven sink writes what is left when it is closed, or dropped") {
  BrokenDisk disk;
  const auto sink = opened({.path = "e"}, Writing::kHost, disk);
  CHECK(sink->write("one"));
  sink->close({});
  CHECK(disk.text("e") == "one\n");
  CHECK_FALSE(sink->write("two"));
  std::unique_ptr<JsonlSink> dropped(opened({.path = "e"}, Writing::kHost, disk).release());
  CHECK(dropped->write("three"));
  dropped.reset();
  CHECK(disk.text("e") == "one\nthree\n");
}

TEST_CASE("new bounds hold from the next line on, the queue's at once") {
  BrokenDisk disk;
  const auto sink = opened({.path = "e", .rotate_bytes = 0, .queue_bytes = 8}, Writing::kHost, disk);
  CHECK(sink->write("aaa"));
  CHECK(sink->write("bbb"));
  CHECK_FALSE(sink->write("ccc"));
  sink->set_bounds({.path = "e", .rotate_bytes = 4, .keep = 1, .queue_bytes = 100});
  CHECK(sink->write("ccc"));
  CHECK(sink->drain(1000, {}) == 12);
  CHECK(disk.text("e") == "ccc\n");
  CHECK(disk.text("e.1") == "bbb\n");
  CHECK(sink->statistics().rotations == 2);
}
