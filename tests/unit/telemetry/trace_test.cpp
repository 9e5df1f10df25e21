// W3C trace context: valid ones are continued, everything else begins a new trace. TELE-08
// Source: the ids are those of the recommendation's own examples.

#include "telemetry/trace.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>

using namespace sluice;
using telemetry::join_trace;
using telemetry::joined_tracestate;
using telemetry::parse_traceparent;
using telemetry::Trace;

namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736", kSpan = "00f067aa0ba902b7";
const std::string kValid = "00-" + kTrace + "-" + kSpan + "-01";

Headers with(const std::string& traceparent) { return {{"traceparent", traceparent}}; }

bool continued(const Headers& headers) {
  Random random(1);
  const Trace trace = join_trace(headers, true, random);
  return trace.parent_span_id.has_value() && trace.trace_id.text() == kTrace;
}

std::string state(std::initializer_list<HeaderField> fields) { return joined_tracestate(Headers(fields)); }

}  // namespace

// TELE-08
TEST_CASE("a valid traceparent is continued: its trace, its span as the parent, a span of our own") {
  Random random(7);
  const Trace trace = join_trace(with(kValid), true, random);
  CHECK(trace.trace_id.text() == kTrace);
  REQUIRE(trace.parent_span_id);
  CHECK(trace.parent_span_id->text() == kSpan);
  CHECK(trace.span_id.text() != kSpan);
  CHECK(trace.sampled);
  CHECK(telemetry::traceparent(trace) == "00-" + kTrace + "-" + std::string(trace.span_id.text()) + "-01");
  CHECK(parse_traceparent(telemetry::traceparent(trace)));
}

TEST_CASE("the name of the field is the same in any case") { CHECK(continued({{"TraceParent", kValid}})); }

TEST_CASE("whether the caller sampled is handed on, other flags are not") {
  for (const auto& [flags, sampled] : {std::pair("00", false), {"01", true}, {"02", false}, {"ff", true}, {"fe", false}}) {
    Random random(1);
    const Trace trace = join_trace(with("00-" + kTrace + "-" + kSpan + "-" + flags), true, random);
    REQUIRE(trace.parent_span_id);
    CHECK(trace.sampled == sampled);
    CHECK(telemetry::traceparent(trace).substr(53) == (sampled ? "01" : "00"));
  }
}

// TELE-08
TEST_CASE("a traceparent of zeros, in upper case or malformed begins a new trace") {
  const std::string zeros16(16, '0'), zeros32(32, '0');
  const std::string wrong[] = {
      "",
      "00",
      "00-" + zeros32 + "-" + kSpan + "-01",
      "00-" + kTrace + "-" + zeros16 + "-01",
      "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + kSpan + "-01",
      "00-" + kTrace + "-00F067AA0BA902B7-01",
      "00-" + kTrace + "-" + kSpan + "-0A",
      "0A-" + kTrace + "-" + kSpan + "-01",
      "ff-" + kTrace + "-" + kSpan + "-01",
      "0-" + kTrace + "-" + kSpan + "-01",
      "00-" + kTrace + "-" + kSpan,
      "00-" + kTrace + "-" + kSpan + "-1",
      "00-" + kTrace + "-" + kSpan + "-01-",
      "00-" + kTrace + "-" + kSpan + "-01-what-is-this",
      "00-" + kTrace.substr(1) + "-" + kSpan + "-01",
      "00-g" + kTrace.substr(1) + "-" + kSpan + "-01",
      "00-" + kTrace + "0" + kSpan + "-01",
      "00_" + kTrace + "-" + kSpan + "-01",
      "00-" + kTrace + "-" + kSpan + "_01",
      ".0-" + kTrace + "-" + kSpan + "-01",
      "00-" + kTrace + "-" + kSpan + "-.1",
      "00-" + kTrace + "-" + kSpan + "-01.",
  };
  for (const std::string& value : wrong) {
    INFO(value);
    CHECK_FALSE(parse_traceparent(value));
    CHECK_FALSE(continued(with(value)));
  }
}

TEST_CASE("every byte of a traceparent counts") {
  // Any byte that is replaced by one that may not stand there, and any length but the right one.
  for (std::size_t i = 0; i < kValid.size(); ++i) {
    for (const char wrong : {'G', 'F', ' ', '\0', '\xff', '-'}) {
      std::string value = kValid;
      if (value[i] == wrong) continue;
      value[i] = wrong;
      INFO(i << ": " << value);
      CHECK_FALSE(parse_traceparent(value));
    }
    CHECK_FALSE(parse_traceparent(kValid.substr(0, i)));
  }
}

// TELE-08
TEST_CASE("a later version is read as far as it is known, and answered in version 00") {
  for (const std::string version : {"01", "cc", "fe"}) {
    const std::string value = version + kValid.substr(2);
    CHECK(continued(with(value)));
    CHECK(continued(with(value + "-")));
    CHECK(continued(with(value + "-of-what-is-to-come")));
    CHECK_FALSE(continued(with(value + ".of-what-is-to-come")));
    CHECK_FALSE(continued(with(value + "f")));
  }
  Random random(1);
  CHECK(telemetry::traceparent(join_trace(with("cc" + kValid.substr(2) + "-more"), true, random)).starts_with("00-"));
}

TEST_CASE("two traceparents are nobody's") {
  CHECK_FALSE(continued({{"traceparent", kValid}, {"traceparent", kValid}}));
}

// TELE-08
TEST_CASE("a caller that is not trusted begins a new trace, and its state goes no further") {
  const Headers headers = {{"traceparent", kValid}, {"tracestate", "a=1"}};
  Random one(3), other(3);
  const Trace trusted = join_trace(headers, true, one), untrusted = join_trace(headers, false, other);
  CHECK(trusted.state == "a=1");
  CHECK_FALSE(untrusted.parent_span_id);
  CHECK(untrusted.trace_id.text() != kTrace);
  CHECK(untrusted.state.empty());
  CHECK(untrusted.sampled);
}

TEST_CASE("a state without a valid traceparent goes no further") {
  Random random(3);
  CHECK(join_trace({{"traceparent", "00-what"}, {"tracestate", "a=1"}}, true, random).state.empty());
  CHECK(join_trace({{"tracestate", "a=1"}}, true, random).state.empty());
}

TEST_CASE("new ids are valid, all different, and the same for the same seed") {
  Random random(5), again(5);
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    const Trace trace = join_trace({}, true, random);
    const std::string parent = telemetry::traceparent(trace);
    REQUIRE(parse_traceparent(parent));
    CHECK(parent == telemetry::traceparent(join_trace({}, true, again)));
    ids.insert(std::string(trace.trace_id.text()));
    ids.insert(std::string(trace.span_id.text()));
  }
  CHECK(ids.size() == 2000);
}

TEST_CASE("the state keeps its members in order, without blanks and empty ones, over all its fields") {
  CHECK(state({}).empty());
  CHECK(state({{"tracestate", ""}}).empty());
  CHECK(state({{"tracestate", "foo=1"}}) == "foo=1");
  CHECK(state({{"tracestate", "foo=1 , \t bar=2\t,, ,baz=3,"}}) == "foo=1,bar=2,baz=3");
  CHECK(state({{"tracestate", "foo=1,"}, {"x", "y"}, {"TraceState", "bar=2"}, {"tracestate", ""}}) == "foo=1,bar=2");
  CHECK(state({{"tracestate", "foo= a b"}}) == "foo= a b");  // blanks in front belong to the value
  CHECK(state({{"tracestate", "0foo=1,fw529a3039@dt=2,a_-*/@9=3"}}) == "0foo=1,fw529a3039@dt=2,a_-*/@9=3");
  CHECK(state({{"tracestate", "a=!\"#$%&'()*+-./0:;<>?@AZ[\\]^_`az{|}~"}}) == "a=!\"#$%&'()*+-./0:;<>?@AZ[\\]^_`az{|}~");
}

TEST_CASE("a state with a malformed member or a key twice is dropped as a whole") {
  for (const std::string wrong : {"foo", "foo=", "=1", "foo =1", "Foo=1", "foo=1=2", "foo.bar=1", "@foo=1", "foo=1,bar",
                                  "f\xC3\xB6=1", "foo=\xC3\xB6", "foo=1,foo=2", "foo=1,bar=2,foo=1"}) {
    INFO(wrong);
    CHECK(state({{"tracestate", wrong}}).empty());
    CHECK(continued({{"traceparent", kValid}, {"tracestate", wrong}}));  // and the trace goes on
  }
  CHECK(state({{"tracestate", "foo=1"}, {"tracestate", "foo=2"}}).empty());
  CHECK(state({{"tracestate", std::string(256, 'k') + "=" + std::string(256, 'v')}}).empty());  // valid, and too long
  CHECK(state({{"tracestate", std::string(257, 'k') + "=v,a=1"}}).empty());
  CHECK(state({{"tracestate", "k=" + std::string(257, 'v') + ",a=1"}}).empty());
  CHECK(state({{"tracestate", "foo=1,foobar=2"}}) == "foo=1,foobar=2");
}

// TELE-08
TEST_CASE("a state has at most 32 members") {
  const auto members = [](int n) {
    std::string out;
    for (int i = 0; i < n; ++i) out += (i == 0 ? "" : ",") + ("k" + std::to_string(i)) + "=v";
    return out;
  };
  CHECK(state({{"tracestate", members(32)}}) == members(32));
  CHECK(state({{"tracestate", members(33)}}).empty());
  CHECK(state({{"tracestate", members(32) + ",,, "}}) == members(32));
}

// TELE-08
TEST_CASE("a state of more than 512 characters loses whole members: long ones first, then the last") {
  const auto member = [](char key, std::size_t size) { return std::string(1, key) + "=" + std::string(size - 2, 'v'); };
  const std::string full = member('a', 128) + "," + member('b', 128) + "," + member('c', 128) + "," + member('d', 125);
  REQUIRE(full.size() == 512);
  CHECK(state({{"tracestate", full}}) == full);
  CHECK(state({{"tracestate", full + "v"}}) == full.substr(0, 3 * 128 + 2));
  CHECK(state({{"tracestate", member('z', 129) + "," + full}}) == full);
  CHECK(state({{"tracestate", "y=1," + member('z', 200)}}) == "y=1," + member('z', 200));  // fits as it is
  CHECK(state({{"tracestate", member('z', 256) + "," + member('y', 257)}}).empty());
}
