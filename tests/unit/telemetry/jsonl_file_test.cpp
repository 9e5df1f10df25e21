// One file of lines, on a disk that breaks: whole lines in front, none lost that the disk could take, none twice.

#include "telemetry/jsonl_file.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <vector>

#include "unit/telemetry/broken_disk.hpp"

using namespace sluice;
using namespace std::chrono_literals;
using telemetry::JsonlFile;
using tests::BrokenDisk;

namespace {

constexpr TimePoint kStart{};
const EventFile kPlain{.path = "e", .rotate_bytes = 0};

/// Whole lines, or nothing.
bool is_whole(const std::string& text) { return text.empty() || text.back() == '\n'; }

}  // namespace

TEST_CASE("lines are appended to what is there, and nothing is opened before the first") {
  BrokenDisk disk;
  disk.put("e", "old\n");
  JsonlFile file(kPlain, disk);
  CHECK(disk.opens == 0);
  CHECK(file.append("one\ntwo\n", kStart) == 8);
  CHECK(file.append("three\n", kStart) == 6);
  CHECK(disk.text("e") == "old\none\ntwo\nthree\n");
  CHECK(file.written() == 3);
  CHECK(disk.opens == 1);
  CHECK(disk.writes == 2);
  CHECK(file.error().empty());
  CHECK_FALSE(file.retry_at());
}

TEST_CASE("a write that takes a part is completed, whatever the part") {
  for (std::size_t most = 1; most < 12; ++most) {
    BrokenDisk disk;
    disk.most = most;
    JsonlFile file(kPlain, disk);
    CHECK(file.append("one\ntwo\nthree\n", kStart) == 14);
    CHECK(disk.text("e") == "one\ntwo\nthree\n");
    CHECK(file.written() == 3);
  }
}

// AVAIL-04
TEST_CASE("a disk that fills up at any byte keeps whole lines, and gets the rest once there is room") {
  const std::string lines = "one\ntwo\nthree\n";
  for (const bool keeps_torn : {false, true}) {
    for (std::size_t room = 0; room < lines.size(); ++room) {
      INFO(room << " bytes, " << (keeps_torn ? "and it cannot be cut back" : ""));
      BrokenDisk disk;
      disk.room = room;
      disk.truncate_error = keeps_torn ? EIO : 0;
      JsonlFile file(kPlain, disk);
      const std::size_t done = file.append(lines, kStart);
      const std::size_t whole = room == 0 ? 0 : lines.rfind('\n', room - 1) + 1;
      CHECK(done == whole);
      CHECK(file.dead());
      REQUIRE(file.retry_at());
      if (!keeps_torn) CHECK(disk.text("e") == lines.substr(0, whole));
      disk.room = BrokenDisk::kEndless;
      disk.truncate_error = 0;
      CHECK(file.append(lines.substr(done), *file.retry_at()) == lines.size() - done);
      // A torn line that could not be cut back and is not recognised as ours stands alone: these lines are no events.
      if (!keeps_torn) CHECK(disk.text("e") == lines);
      CHECK(file.written() == 3);
      CHECK_FALSE(file.dead());
      CHECK(file.error().empty());
    }
  }
}

// AVAIL-04
TEST_CASE("an event torn by a disk that could not even cut it back is cut when the file is opened again") {
  const std::string first = R"({"schema":"sluice.event/1","id":"a"})" "\n";
  const std::string second = R"({"schema":"sluice.event/1","id":"b"})" "\n";
  for (std::size_t room = first.size() + 1; room < first.size() + second.size(); ++room) {
    BrokenDisk disk;
    disk.room = room;
    disk.truncate_error = EIO;
    JsonlFile file(kPlain, disk);
    CHECK(file.append(first + second, kStart) == first.size());
    CHECK(disk.text("e").size() == room);
    disk.room = BrokenDisk::kEndless;
    disk.truncate_error = 0;
    CHECK(file.append(second, *file.retry_at()) == second.size());
    CHECK(disk.text("e") == first + second);
  }
}

TEST_CASE("an event that an earlier process left torn is cut off, at every byte") {
  const std::string whole = R"({"schema":"sluice.event/1","id":"a"})" "\n";
  for (std::size_t n = 0; n <= whole.size(); ++n) {
    for (const std::string& before : {std::string(), std::string("old\n")}) {
      BrokenDisk disk;
      disk.put("e", before + whole.substr(0, n));
      JsonlFile file(kPlain, disk);
      CHECK(file.append("next\n", kStart) == 5);
      CHECK(disk.text("e") == before + (n == whole.size() ? whole : "") + "next\n");
    }
  }
}

TEST_CASE("somebody else's unfinished text is never cut, and our lines do not end up behind it") {
  BrokenDisk disk;
  disk.put("e", "what is this");
  JsonlFile file(kPlain, disk);
  CHECK(file.append("next\n", kStart) == 5);
  CHECK(disk.text("e") == "what is this\nnext\n");
  CHECK(disk.truncates == 0);
}

TEST_CASE("a file that cannot be read is appended to all the same") {
  BrokenDisk disk;
  disk.put("e", "torn");
  disk.readable = false;
  JsonlFile file(kPlain, disk);
  CHECK(file.append("next\n", kStart) == 5);
  CHECK(disk.text("e") == "tornnext\n");
}

TEST_CASE("a dead disk is asked ever more rarely, up to every ten seconds, and its answer is told") {
  const std::pair<int, const char*> kFailures[] = {{ENOSPC, "No space left"}, {EIO, "Input/output error"}, {EROFS, "Read-only"}};
  for (const auto& [error, words] : kFailures) {
    BrokenDisk disk;
    disk.open_error = error;
    JsonlFile file(kPlain, disk);
    TimePoint now = kStart;
    for (const auto pause : {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 10'000ms, 10'000ms}) {
      const int before = disk.opens;
      CHECK(file.append("one\n", now) == 0);
      CHECK(disk.opens == before + 1);
      CHECK(file.retry_at() == now + pause);
      CHECK(file.append("one\n", now + pause - 1ns) == 0);
      CHECK(disk.opens == before + 1);  // not yet
      now += pause;
    }
    CHECK(file.error().find("'e' takes no lines: ") == 0);
    CHECK(file.error().find(words) != std::string::npos);
    disk.open_error = 0;
    CHECK(file.append("one\n", now) == 4);
    CHECK(file.error().empty());
    disk.write_error = error;
    CHECK(file.append("two\n", now) == 0);
    CHECK(file.retry_at() == now + 100ms);  // from the beginning
    file.retry_now();
    disk.write_error = 0;
    CHECK(file.append("two\n", now) == 4);
    CHECK(disk.text("e") == "one\ntwo\n");
  }
}

TEST_CASE("a file that is moved or removed gets a successor of its name") {
  BrokenDisk disk;
  JsonlFile file(kPlain, disk);
  CHECK(file.append("one\n", kStart) == 4);
  CHECK(disk.rename("e", "elsewhere") == 0);
  CHECK(file.append("two\n", kStart) == 4);
  disk.take_away("e");
  CHECK(file.append("three\n", kStart) == 6);
  CHECK(disk.text("elsewhere") == "one\n");
  CHECK(disk.text("e") == "three\n");
  CHECK(file.rotations() == 0);
}

TEST_CASE("a file is rotated before the line that would make it too long, and so many are kept") {
  BrokenDisk disk;
  JsonlFile file({.path = "e", .rotate_bytes = 8, .keep = 2}, disk);
  CHECK(file.append("aaa\nbbb\n", kStart) == 8);  // exactly as long as it may be
  CHECK(file.rotations() == 0);
  CHECK(file.append("ccc\n", kStart) == 4);
  CHECK(file.rotations() == 1);
  CHECK(disk.text("e") == "ccc\n");
  CHECK(disk.text("e.1") == "aaa\nbbb\n");
  CHECK(file.append("ddd\neee\nfff\nggg\nhhh\niii\n", kStart) == 24);  // several in one call
  CHECK(disk.text("e") == "iii\n");
  CHECK(disk.text("e.1") == "ggg\nhhh\n");
  CHECK(disk.text("e.2") == "eee\nfff\n");
  CHECK(disk.count() == 3);
  CHECK(file.rotations() == 4);
  CHECK(file.written() == 9);
}

TEST_CASE("what is there when a file is opened counts towards its size") {
  BrokenDisk disk;
  disk.put("e", "old line\n");
  JsonlFile file({.path = "e", .rotate_bytes = 10, .keep = 1}, disk);
  CHECK(file.append("new\n", kStart) == 4);
  CHECK(disk.text("e.1") == "old line\n");
  CHECK(disk.text("e") == "new\n");
}

TEST_CASE("a line that is longer than a file may be has one of its own") {
  BrokenDisk disk;
  JsonlFile file({.path = "e", .rotate_bytes = 4, .keep = 9}, disk);
  CHECK(file.append("a\nlonger\nb\nc\n", kStart) == 13);
  CHECK(disk.text("e.2") == "a\n");
  CHECK(disk.text("e.1") == "longer\n");
  CHECK(disk.text("e") == "b\nc\n");
}

TEST_CASE("with nothing to be kept a full file is begun anew") {
  BrokenDisk disk;
  JsonlFile file({.path = "e", .rotate_bytes = 4, .keep = 0}, disk);
  CHECK(file.append("aaa\nbbb\n", kStart) == 8);
  CHECK(disk.text("e") == "bbb\n");
  CHECK(disk.count() == 1);
  CHECK(file.rotations() == 1);
}

TEST_CASE("where names cannot be changed the file goes on, and no line is lost") {
  BrokenDisk disk;
  disk.rename_error = EACCES;
  JsonlFile file({.path = "e", .rotate_bytes = 4, .keep = 1}, disk);
  CHECK(file.append("aaa\nbbb\nlonger than it may be\nccc\n", kStart) == 34);
  CHECK(disk.text("e") == "aaa\nbbb\nlonger than it may be\nccc\n");
  CHECK(file.rotations() == 0);
  disk.rename_error = 0;
  CHECK(file.append("ddd\neee\n", kStart) == 8);
  CHECK(file.rotations() >= 1);
  CHECK(disk.text("e").find("eee\n") != std::string::npos);
}

TEST_CASE("a disk that dies during a rotation loses nothing") {
  BrokenDisk disk;
  JsonlFile file({.path = "e", .rotate_bytes = 4, .keep = 1}, disk);
  CHECK(file.append("aaa\n", kStart) == 4);
  disk.open_error = EMFILE;
  CHECK(file.append("bbb\n", kStart) == 0);
  CHECK(file.dead());
  disk.open_error = 0;
  CHECK(file.append("bbb\n", *file.retry_at()) == 4);
  CHECK(disk.text("e.1") == "aaa\n");
  CHECK(disk.text("e") == "bbb\n");
}

TEST_CASE("new bounds hold from the next line on") {
  BrokenDisk disk;
  JsonlFile file({.path = "e", .rotate_bytes = 0, .keep = 0}, disk);
  CHECK(file.append("aaa\nbbb\n", kStart) == 8);
  file.set_bounds(4, 1);
  CHECK(file.append("ccc\n", kStart) == 4);
  CHECK(disk.text("e") == "ccc\n");
  CHECK(disk.text("e.1") == "aaa\nbbb\n");
}

TEST_CASE("a FIFO that is full for a moment gets the rest of the line first, at every byte") {
  const std::string lines = "one\ntwo\nthree\n";
  for (std::size_t room = 0; room < lines.size(); ++room) {
    BrokenDisk disk;
    disk.regular = false;
    disk.room = room;
    JsonlFile file({.path = "e", .rotate_bytes = 4}, disk);  // and it is never rotated
    const std::size_t done = file.append(lines, kStart);
    CHECK(is_whole(lines.substr(0, done)));
    CHECK(file.retry_at() == kStart + JsonlFile::kFullPause);
    CHECK_FALSE(file.dead());
    CHECK(file.error().find("is full") != std::string::npos);
    disk.room = 1;
    const std::size_t more = file.append(lines.substr(done), *file.retry_at());
    disk.room = BrokenDisk::kEndless;
    CHECK(file.append(lines.substr(done + more), kStart + 1s) == lines.size() - done - more);
    CHECK(disk.text("e") == lines);
    CHECK(file.written() == 3);
    CHECK(disk.opens == 1);
    CHECK(disk.truncates == 0);
  }
}

TEST_CASE("the next reader of a FIFO begins with a whole line") {
  BrokenDisk disk;
  disk.regular = false;
  disk.room = 6;
  JsonlFile file(kPlain, disk);
  CHECK(file.append("one\ntwo\n", kStart) == 4);
  disk.write_error = EPIPE;  // the reader left in the middle of a line
  CHECK(file.append("two\n", kStart + 1s) == 0);
  CHECK(file.dead());
  disk.put("e", "");
  disk.write_error = 0;
  disk.room = BrokenDisk::kEndless;
  CHECK(file.append("two\n", kStart + 2s) == 4);
  CHECK(disk.text("e") == "two\n");
}

TEST_CASE("a write that takes nothing and says nothing is a failure, not a loop") {
  class Silent final : public telemetry::Disk {
   public:
    int open(const std::string&, telemetry::DiskFile& file) noexcept override { return file.descriptor = 3, 0; }
    int write(const telemetry::DiskFile&, std::string_view, std::size_t& written) noexcept override { return written = 0, 0; }
    int truncate(const telemetry::DiskFile&, std::uint64_t) noexcept override { return 0; }
    void close(telemetry::DiskFile& file) noexcept override { file = {}; }
    bool names(const std::string&, const telemetry::DiskFile&) noexcept override { return true; }
    std::string tail(const std::string&, std::size_t) noexcept override { return {}; }
    int rename(const std::string&, const std::string&) noexcept override { return 0; }
    int remove(const std::string&) noexcept override { return 0; }
  } disk;
  JsonlFile file(kPlain, disk);
  CHECK(file.append("one\n", kStart) == 0);
  CHECK(file.dead());
}

TEST_CASE("moments at the end of the axis do not overflow") {
  BrokenDisk disk;
  disk.open_error = EIO;
  JsonlFile file(kPlain, disk);
  CHECK(file.append("one\n", TimePoint::max()) == 0);
  CHECK(file.retry_at() == TimePoint::max());
}
