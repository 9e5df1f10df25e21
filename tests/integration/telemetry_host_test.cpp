// Events of a gateway without threads: who drives it carries the lines.

#include <catch2/catch.hpp>

#include "sluice/testing.hpp"
#include "telemetry_support.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

std::size_t threads_here() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator()));
}

std::string host_driven(const Backend& a, const std::string& file) {
  return document(a.entry(), route_to("a"), R"(,"gateway":{"threads":0},"telemetry":{"files":[{"path":")" + file + "\"}]}");
}

}  // namespace

TEST_CASE("a host-driven gateway starts no thread for its files, and a line is in its file when drive returns") {
  Directory directory;
  Backend a("a");
  const std::size_t before = threads_here();
  auto gateway = Gateway::open_json(host_driven(a, directory.file("e")));
  REQUIRE(gateway);
  CHECK(threads_here() == before);
  for (std::size_t n = 1; n <= 3; ++n) {
    const auto caller = std::make_shared<Counting>();
    REQUIRE(gateway->submit(Request::post("/v1/chat/completions", chat_body("m")), caller));
    REQUIRE(eventually([&] {
      (void)gateway->drive(Milliseconds{1});
      return caller->ends() != 0;
    }));
    CHECK(lines_of(directory.file("e")).size() == n);
    CHECK(gateway->statistics().events.files.at(0).queued_bytes == 0);
  }
  REQUIRE(gateway->send(Request::post("/v1/chat/completions", chat_body("m"))).get());
  CHECK(lines_of(directory.file("e")).size() == 4);
  CHECK(threads_here() == before);
  // What is open when it closes is told, too.
  a->on_request([](const RawRequest&) { return Reply::nothing().then_stall(); });
  REQUIRE(gateway->submit(Request::post("/v1/chat/completions", chat_body("m")), std::make_shared<Counting>()));
  REQUIRE(eventually([&] {
    (void)gateway->drive(Milliseconds{1});
    return a->request_count() == 5;
  }));
  REQUIRE(gateway->close());
  const auto lines = lines_of(directory.file("e"));
  CHECK(lines.size() == 5);
  for (const std::string& line : lines) CHECK(fits_schema(line));
}

TEST_CASE("a simulated gateway writes its files in virtual time, and a dead one does not keep it from coming to an end") {
  Directory directory;
  const bool dead = GENERATE(false, true);
  testing::ManualClock clock;
  testing::Simulation simulation(clock, 1);
  OpenOptions options;
  options.clock = &clock;
  options.transport = simulation.transport();
  const std::string file = dead ? directory.file("no/such/e") : directory.file("e");
  auto gateway = Gateway::open_json(document(R"({"name":"a","url":"http://a.test/v1"})", route_to("a"), R"(,"gateway":{"threads":0},"telemetry":{"files":[{"path":")" + file + "\"}]}"), options);
  REQUIRE(gateway);
  for (int i = 0; i < 3; ++i) CHECK(simulation.run(*gateway, Request::post("/v1/chat/completions", chat_body("m"))).status() == 200);
  simulation.settle(*gateway);
  const EventFileStatistics told = gateway->statistics().events.files.at(0);
  CHECK(told.error.empty() == !dead);
  CHECK(told.written == (dead ? 0 : 3));
  if (!dead) CHECK(lines_of(file).size() == 3);
  REQUIRE(gateway->close());
  CHECK(gateway->statistics().events.files.at(0).dropped_error == (dead ? 3 : 0));
}
