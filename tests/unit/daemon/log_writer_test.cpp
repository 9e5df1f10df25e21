// The daemon's log: whole lines in their order, and nobody who waits for a reader.

#include "log_writer.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using sluiced::LogWriter;

namespace {

std::string told(std::uint64_t lines) { return std::to_string(lines) + " lines were dropped here\n"; }

/// A pipe; what nobody reads stays in it.
class Pipe {
 public:
  Pipe() { REQUIRE(::pipe2(ends_.data(), O_CLOEXEC) == 0); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_reader();
    close_writer();
  }
  [[nodiscard]] int writer() const noexcept { return ends_[1]; }
  void close_reader() { close_end(ends_[0]); }
  void close_writer() { close_end(ends_[1]); }
  /// Until nobody writes any more.
  std::string all() {
    std::string out;
    std::array<char, 4096> piece{};
    for (ssize_t n = 0; (n = ::read(ends_[0], piece.data(), piece.size())) > 0;) out.append(piece.data(), static_cast<std::size_t>(n));
    return out;
  }

 private:
  static void close_end(int& fd) {
    if (fd >= 0) ::close(std::exchange(fd, -1));
  }
  std::array<int, 2> ends_{-1, -1};
};

}  // namespace

TEST_CASE("lines of several threads arrive whole, each thread's in their order") {
  Pipe pipe;
  std::string read;
  std::thread reader([&] { read = pipe.all(); });
  {
    LogWriter log(pipe.writer(), told);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&log, t] {
        for (int i = 0; i < 500; ++i) log.add(std::to_string(t) + " " + std::to_string(i) + std::string(60, '.') + "\n", false);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  pipe.close_writer();
  reader.join();
  std::array<int, 4> next{};
  std::size_t lines = 0, wrong = 0;
  for (std::size_t at = 0, end; (end = read.find('\n', at)) != std::string::npos; at = end + 1, ++lines) {
    const auto thread = static_cast<std::size_t>(read[at] - '0');
    if (thread > 3 || std::stoi(read.substr(at + 2)) != next[thread]++ || end - at < 63) ++wrong;
  }
  CHECK(lines == 2000);
  CHECK(wrong == 0);
}

TEST_CASE("what was taken is written once it is flushed") {
  Pipe pipe;
  LogWriter log(pipe.writer(), told);
  log.add("one\n", false);
  log.flush();
  log.add("two\n", true);
  log.flush();
  pipe.close_writer();
  CHECK(pipe.all() == "one\ntwo\n");
}

// AVAIL-04
TEST_CASE("a reader that has stopped costs lines, told in their place, and no time") {
  Pipe pipe;
  std::string read;
  {
    LogWriter log(pipe.writer(), told);
    const std::string line = std::string(1023, 'x') + "\n";
    for (int i = 0; i < 4096; ++i) log.add(line, false);  // four times what there is room for: were it waited for, this test would hang
    std::thread reader([&] { read = pipe.all(); });
    log.flush();
    log.add("after\n", true);
    log.flush();
    log.add("and no more\n", true);
    log.flush();
    pipe.close_writer();
    reader.join();
  }
  CHECK(read.ends_with(" lines were dropped here\nafter\nand no more\n"));
  CHECK(read.size() < 2'500'000);
}

// AVAIL-04
TEST_CASE("a reader that is gone ends nothing but the lines") {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  pipe.close_reader();
  LogWriter log(pipe.writer(), told);
  log.add("nobody\n", true);
  log.flush();
  log.add("nobody\n", true);
  log.flush();
  ::signal(SIGPIPE, before);
  SUCCEED("nothing was waited for");
}
