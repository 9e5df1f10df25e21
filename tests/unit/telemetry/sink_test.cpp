// Who gets the events of one configuration, and what stays the same across two.

#include "telemetry/sink.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include "unit/telemetry/broken_disk.hpp"

using namespace sluice;
using telemetry::EventSinks;
using telemetry::Writing;
using tests::BrokenDisk;

namespace {

std::shared_ptr<EventSinks> opened(const TelemetryOptions& options, EventCallback callback, BrokenDisk& disk,
                                   const EventSinks* previous = nullptr) {
  auto sinks = EventSinks::open(options, std::move(callback), Writing::kHost, previous, disk);
  REQUIRE(sinks);
  return std::move(*sinks);
}

TelemetryOptions files(const std::vector<std::string>& paths) {
  TelemetryOptions options;
  for (const std::string& path : paths) options.files.push_back({.path = path});
  return options;
}

}  // namespace

TEST_CASE("a line goes to the function at once and to every file, with its line break there") {
  BrokenDisk disk;
  std::vector<std::string> told;
  const auto sinks = opened(files({"a", "b"}), [&](std::string_view line) { told.emplace_back(line); }, disk);
  CHECK_FALSE(sinks->empty());
  sinks->write("one");
  CHECK(told == std::vector<std::string>{"one"});
  CHECK(sinks->pending());
  CHECK(sinks->drain(0, {}) == 4);  // the first file's
  CHECK(sinks->drain(100, {}) == 4);
  CHECK_FALSE(sinks->pending());
  CHECK(disk.text("a") == "one\n");
  CHECK(disk.text("b") == "one\n");
}

TEST_CASE("files that the next configuration does not name are closed, and the others go on") {
  BrokenDisk disk;
  const auto before = opened(files({"stays", "goes"}), {}, disk);
  before->write("one");
  const auto after = opened(files({"stays", "comes"}), {}, disk, before.get());
  before->close_all_but(*after, {});
  CHECK(disk.text("goes") == "one\n");
  before->write("late");  // nobody takes it for the file that is gone
  after->write("two");
  after->close({});
  CHECK(disk.text("goes") == "one\n");
  CHECK(disk.text("stays") == "one\nlate\ntwo\n");
  CHECK(disk.text("comes") == "two\n");
}

TEST_CASE("where nobody listens nothing need be written") {
  BrokenDisk disk;
  CHECK(opened({}, {}, disk)->empty());
  CHECK_FALSE(opened(files({"a"}), {}, disk)->empty());
  CHECK_FALSE(opened({}, [](std::string_view) {}, disk)->empty());
}

TEST_CASE("a function that throws is counted, and the files get the line all the same") {
  BrokenDisk disk;
  const auto sinks = opened(files({"a"}), [](std::string_view) { throw std::runtime_error("no"); }, disk);
  sinks->write("one");
  sinks->write("two");
  CHECK(sinks->flush({}));
  CHECK(disk.text("a") == "one\ntwo\n");
  CHECK(sinks->statistics().callback_errors == 2);
}

TEST_CASE("a file without a path and one that stands twice are refused by name") {
  for (const auto& [paths, words] : {std::pair(std::vector<std::string>{""}, "no path"), {{"a", "b", "a"}, "'a' twice"}}) {
    const auto sinks = EventSinks::open(files(paths), {}, Writing::kHost);
    REQUIRE_FALSE(sinks);
    CHECK(sinks.error().code == Code::kInvalidConfiguration);
    CHECK(sinks.error().message.find(words) != std::string::npos);
  }
}

TEST_CASE("a file that is named again keeps its queue and its counts, and takes over its new bounds") {
  BrokenDisk disk;
  auto first = opened(files({"a", "b"}), [](std::string_view) { throw 1; }, disk);
  first->write("one");
  CHECK(first->drain(4, {}) == 4);
  TelemetryOptions options = files({"c", "a"});
  options.files[1].queue_bytes = 8;
  const auto second = opened(options, {}, disk, first.get());
  second->write("two");
  first->write("late");  // an exchange that began under the first one
  CHECK(second->statistics().files.at(1).dropped_full == 1);
  first.reset();
  CHECK(disk.text("b") == "one\nlate\n");
  CHECK(second->flush({}));
  CHECK(disk.text("a") == "one\ntwo\n");
  CHECK(disk.text("c") == "two\n");
  const EventStatistics statistics = second->statistics();
  CHECK(statistics.files.at(0).path == "c");
  CHECK(statistics.files.at(1).written == 2);
  CHECK(statistics.callback_errors == 2 - 1);  // one was counted when the second began
}

TEST_CASE("a configuration that is refused changes nothing of the one in force") {
  BrokenDisk disk;
  const auto first = opened(files({"a"}), {}, disk);
  TelemetryOptions options = files({"a", ""});
  options.files[0].queue_bytes = 1;
  CHECK_FALSE(EventSinks::open(options, {}, Writing::kHost, first.get(), disk));
  first->write("one");
  CHECK(first->statistics().files.at(0).dropped_full == 0);
}

TEST_CASE("one dead file keeps no other from being flushed, and closed") {
  BrokenDisk disk;
  disk.broken = "a";
  const auto sinks = opened(files({"a", "b"}), {}, disk);
  sinks->write("one");
  CHECK_FALSE(sinks->flush({}));
  CHECK(disk.text("b") == "one\n");
  sinks->write("two");
  sinks->close({});
  CHECK(disk.text("b") == "one\ntwo\n");
  sinks->write("three");
  const EventStatistics statistics = sinks->statistics();
  CHECK(statistics.files.at(0).dropped_error == 2 + 1);
  CHECK(statistics.files.at(1).written == 2);
}
