// Files of events: whole lines from every engine, over reloads, dead disks and the end.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <set>
#include <thread>

#include "telemetry_support.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

std::string file_entry(const std::string& path, const std::string& more = {}) { return R"({"path":")" + path + "\"" + more + "}"; }
std::string telling_to(const std::string& files) { return R"(,"telemetry":{"files":[)" + files + "]}"; }

/// Many requests from several callers at once; how many were answered.
std::size_t ask_many(Live& live, std::size_t callers, std::size_t each) {
  std::atomic<std::size_t> answered{0};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < callers; ++i) {
    threads.emplace_back([&] {
      for (std::size_t n = 0; n < each; ++n) {
        const auto answer = live.gateway().send(Request::post("/v1/chat/completions", chat_body("m"))).get();
        if (answer && answer->status == 200) answered.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return answered;
}

std::set<std::string> ids_of(const std::vector<std::string>& lines) {
  std::set<std::string> ids;
  for (const std::string& line : lines) {
    CHECK(fits_schema(line));
    ids.insert(at(line, {"id"}));
  }
  return ids;
}

void reload(Live& live, const std::string& text, std::uint32_t threads) {
  auto config = Config::parse(text);
  INFO((config ? std::string() : config.error().message));
  REQUIRE(config);
  config->gateway.threads = threads;
  config->gateway.listen.push_back({});
  const Status done = live.gateway().reload(std::move(*config));
  INFO((done ? std::string() : done.error().message));
  REQUIRE(done);
}

}  // namespace

// TELE-01
TEST_CASE("every exchange of every engine is one whole line in each file, and with the function") {
  const auto threads = GENERATE(1u, 4u);
  Directory directory;
  Events events;
  Backend a("a");
  auto live = std::make_unique<Live>(document(a.entry(), route_to("a"), telling_to(file_entry(directory.file("one")) + "," + file_entry(directory.file("two")))), threads, telling(events));
  CHECK(ask_many(*live, 8, 25) == 200);
  CHECK(events.wait(200).size() == 200);
  live->stop_server();
  REQUIRE(live->gateway().close());
  const EventStatistics statistics = live->gateway().statistics().events;
  REQUIRE(statistics.files.size() == 2);
  for (const EventFileStatistics& file : statistics.files) {
    CHECK(file.written == 200);
    CHECK(file.dropped_full + file.dropped_error == 0);
    CHECK(file.queued_bytes == 0);
  }
  const auto lines = lines_of(directory.file("one"));
  CHECK(lines.size() == 200);
  CHECK(ids_of(lines).size() == 200);
  CHECK(ids_of(lines_of(directory.file("two"))) == ids_of(events.all()));
}

TEST_CASE("a reload under load loses no line and doubles none, whether a file stays, goes or comes") {
  const auto threads = GENERATE(1u, 4u);
  Directory directory;
  Events events;
  Backend a("a");
  const auto config = [&](const std::string& files) { return document(a.entry(), route_to("a"), telling_to(files)); };
  const std::string stays = file_entry(directory.file("stays"));
  auto live = std::make_unique<Live>(config(stays + "," + file_entry(directory.file("goes"))), threads, telling(events));
  std::atomic<bool> done{false};
  std::size_t answered = 0;
  std::thread load([&] {
    answered = ask_many(*live, 4, 50);
    done.store(true);
  });
  for (int i = 0; i < 6 || !done.load(); ++i) {
    reload(*live, config(i % 2 == 0 ? stays + "," + file_entry(directory.file("comes")) : stays + "," + file_entry(directory.file("goes"))), threads);
  }
  load.join();
  CHECK(answered == 200);
  CHECK(events.wait(200).size() == 200);
  live->stop_server();
  REQUIRE(live->gateway().close());
  CHECK(lines_of(directory.file("stays")).size() == 200);
  CHECK(ids_of(lines_of(directory.file("stays"))).size() == 200);
  auto others = lines_of(directory.file("goes"));
  const auto comes = lines_of(directory.file("comes"));
  others.insert(others.end(), comes.begin(), comes.end());
  CHECK(others.size() == 200);
  CHECK(ids_of(others).size() == 200);
}

TEST_CASE("a reload takes files away and brings them back, and a refused one leaves them as they are") {
  Directory directory;
  Backend a("a");
  Live live(document(a.entry(), route_to("a"), telling_to(file_entry(directory.file("e")))), 2);
  CHECK(ask(live, plain_request()).status == 200);
  auto bad = Config::parse(document(a.entry(), route_to("a")));
  REQUIRE(bad);
  bad->gateway.threads = 2;
  bad->telemetry.files = {{.path = directory.file("x")}, {.path = directory.file("x")}};
  CHECK_FALSE(live.gateway().reload(*bad));
  CHECK(ask(live, plain_request()).status == 200);
  reload(live, document(a.entry(), route_to("a")), 2);
  CHECK(lines_of(directory.file("e")).size() == 2);  // the reload has seen to it
  CHECK(ask(live, plain_request()).status == 200);
  CHECK(live.gateway().statistics().events.files.empty());
  reload(live, document(a.entry(), route_to("a"), telling_to(file_entry(directory.file("e")))), 2);
  CHECK(ask(live, plain_request()).status == 200);
  live.stop_server();
  REQUIRE(live.gateway().close());
  CHECK(lines_of(directory.file("e")).size() == 3);
  CHECK_FALSE(std::filesystem::exists(directory.file("x")));
}

TEST_CASE("files are rotated as the configuration says") {
  Directory directory;
  Backend a("a");
  Live live(document(a.entry(), route_to("a"), telling_to(file_entry(directory.file("e"), R"(,"rotate_bytes":1500,"keep":2)"))), 1);
  for (int i = 0; i < 8; ++i) CHECK(ask(live, plain_request()).status == 200);
  live.stop_server();
  REQUIRE(live.gateway().close());
  CHECK(live.gateway().statistics().events.files.at(0).rotations >= 2);
  CHECK(std::filesystem::exists(directory.file("e.1")));
  CHECK(std::filesystem::exists(directory.file("e.2")));
  CHECK_FALSE(std::filesystem::exists(directory.file("e.3")));
}

// AVAIL-04
TEST_CASE("a dead file drops, counts and holds up nobody, not even the close") {
  const auto threads = GENERATE(1u, 4u);
  Directory directory;
  const std::string fifo = directory.file("fifo"), nowhere = directory.file("no/such/directory/e"), full = "/dev/full";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  Events events;
  Backend a("a");
  auto live = std::make_unique<Live>(document(a.entry(), route_to("a"), telling_to(file_entry(fifo, R"(,"queue_bytes":65536)") + "," + file_entry(nowhere, R"(,"queue_bytes":65536)") + "," +
                                                                                       file_entry(full, R"(,"queue_bytes":65536)") + "," + file_entry(directory.file("good")))),
                                     threads, telling(events));
  CHECK(ask_many(*live, 4, 50) == 200);
  CHECK(events.wait(200).size() == 200);
  CHECK(eventually([&] {
    const auto files = live->gateway().statistics().events.files;
    return std::all_of(files.begin(), files.begin() + 3, [](const EventFileStatistics& file) { return !file.error.empty() && file.dropped_error + file.dropped_full > 0; });
  }));
  const auto before = live->gateway().statistics().events.files;
  CHECK(before.at(0).queued_bytes <= 65536);
  live->stop_server();
  const auto began = std::chrono::steady_clock::now();
  REQUIRE(live->gateway().close());
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(3) * kSlowdown);
  const auto after = live->gateway().statistics().events.files;
  for (std::size_t i = 0; i < 3; ++i) {
    INFO(after[i].path);
    CHECK(after[i].written == 0);
    CHECK(after[i].dropped_error + after[i].dropped_full == 200);
    CHECK(after[i].queued_bytes == 0);
  }
  CHECK(after[3].written == 200);
}

TEST_CASE("a function that throws is counted, and the exchange and the files go on") {
  Directory directory;
  Backend a("a");
  OpenOptions options;
  options.on_event = [](std::string_view) { throw std::runtime_error("no"); };
  Live live(document(a.entry(), route_to("a"), telling_to(file_entry(directory.file("e")))), 2, std::move(options));
  for (int i = 0; i < 3; ++i) CHECK(ask(live, plain_request()).status == 200);
  (void)live.outcomes().wait(3);
  live.stop_server();
  REQUIRE(live.gateway().close());
  CHECK(live.gateway().statistics().events.callback_errors == 3);
  CHECK(lines_of(directory.file("e")).size() == 3);
}

#if !defined(__SANITIZE_THREAD__)  // forks a process that has threads
TEST_CASE("a child of fork writes nothing to the files, and leaves the parent's gateway alone") {
  Directory directory;
  Backend a("a");
  auto live = std::make_unique<Live>(document(a.entry(), route_to("a"), telling_to(file_entry(directory.file("e")))), 2);
  CHECK(ask(*live, plain_request()).status == 200);
  (void)live->outcomes().wait(1);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool kept = live->gateway().statistics().events.files.empty() && !live->gateway().close();
    ::_exit(kept ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(ask(*live, plain_request()).status == 200);
  live->stop_server();
  REQUIRE(live->gateway().close());
  CHECK(lines_of(directory.file("e")).size() == 2);
}
#endif
