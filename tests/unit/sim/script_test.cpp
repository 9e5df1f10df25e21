#include "sim/script.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::testing;
using namespace std::chrono_literals;
using Kind = Fault::Kind;

namespace {

/// The status the next request at `now` meets; 0 = no fault.
int met(Script& script, Duration now = 0s) {
  const auto cue = script.impl().cue(now);
  return cue.fault ? cue.fault->fault.status : 0;
}

}  // namespace

TEST_CASE("a fault without limits stands until another is set or all are taken back") {
  Script script;
  CHECK(met(script) == 0);
  script.fails_with(503);
  CHECK(met(script) == 503);
  script.fails_with(429);
  CHECK(met(script) == 429);
  script.fails({});
  CHECK(met(script) == 0);
}

TEST_CASE("a fault holds inside its window, its end not included") {
  Script script;
  script.fails_with(503).from(10s).until(90s);
  CHECK(met(script, 10s - 1ns) == 0);
  CHECK(met(script, 10s) == 503);
  CHECK(met(script, 90s - 1ns) == 503);
  CHECK(met(script, 90s) == 0);
}

TEST_CASE("counted faults follow one another in the order they were set") {
  Script script;
  script.fails_with(503).times(2).fails_with(429).times(1).fails_with(500).from(1min);
  CHECK(met(script) == 503);
  CHECK(met(script) == 503);
  CHECK(met(script) == 429);
  CHECK(met(script) == 0);
  CHECK(met(script, 2min) == 500);
}

TEST_CASE("a request under way keeps the settings it began with") {
  Script script;
  script.answers("one");
  const auto cue = script.impl().cue(0s);
  script.answers("two");
  CHECK(cue.settings->text == "one");
  CHECK(script.impl().cue(0s).settings->text == "two");
}

TEST_CASE("connections are refused while an uncounted refusal is the fault that applies") {
  Script script;
  Fault refuse;
  refuse.kind = Kind::kRefuse;
  script.fails(refuse).from(5s).until(7s);
  const auto& impl = script.impl();
  CHECK_FALSE(impl.refuses_connections(4s));
  CHECK(impl.refuses_connections(5s));
  CHECK_FALSE(impl.refuses_connections(7s));
  CHECK(impl.next_change(0s) == Duration(5s));
  CHECK(impl.next_change(5s) == Duration(7s));
  CHECK_FALSE(impl.next_change(7s));
  script.fails({}).fails(refuse).times(1);
  CHECK_FALSE(impl.refuses_connections(5s));
}

TEST_CASE("a header no message may hold is dropped") {
  Script script;
  script.header("x-good", "1").header("x bad", "1").header("x-evil", "a\r\nb: c");
  CHECK(script.impl().cue(0s).settings->headers.size() == 1);
}

TEST_CASE("the same seed draws the same chance") {
  Script a, b, c;
  a.impl().seed(1);
  b.impl().seed(1);
  c.impl().seed(2);
  for (int i = 0; i < 10; ++i) {
    const auto drawn = a.impl().cue(0s).random.next();
    CHECK(b.impl().cue(0s).random.next() == drawn);
    CHECK(c.impl().cue(0s).random.next() != drawn);
  }
}
