// AWS' event stream: frames in and out, at every split. The published vectors are in tests/fixtures.

#include "http/aws_events.hpp"

#include <catch2/catch.hpp>

#include <zlib.h>

#include <string>
#include <vector>

#include "unit/http/event_split.hpp"

using namespace sluice;
using namespace sluice::http;
using test::Told;
using test::told_of;

namespace {

using Events = std::vector<Told>;

std::string big_endian(std::size_t n) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift & 0xff);
  return out;
}

std::string crc_of(std::string_view bytes) {
  return big_endian(::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

/// A frame made here, by the specification: headers as given, lengths as they are or as a test says they are.
std::string frame(const std::string& headers, const std::string& payload, std::size_t more_total = 0, std::size_t more_headers = 0) {
  std::string out = big_endian(16 + headers.size() + payload.size() + more_total) + big_endian(headers.size() + more_headers);
  out += crc_of(out);
  out += headers + payload;
  return out + crc_of(out);
}

std::string header(const std::string& name, char type, const std::string& value) {
  return static_cast<char>(name.size()) + name + type + value;
}
std::string text_header(const std::string& name, const std::string& value) {
  return header(name, 7, std::string{static_cast<char>(value.size() >> 8), static_cast<char>(value.size())} + value);
}

Events read(std::string_view stream, std::size_t limit = 1 << 20) {
  AwsEventReader reader(limit);
  return told_of(reader, {stream});
}

}  // namespace

TEST_CASE("frames that were written are read at every split") {  // DIAL-25
  std::string stream;
  append_aws_event(stream, "messageStart", R"({"role":"assistant"})");
  append_aws_event(stream, "contentBlockDelta", "");
  append_aws_event(stream, "!throttlingException", R"({"message":"slow down"})");
  append_event(stream, Framing::kAwsEvents, "{}", "metadata");
  const Events expected{{R"({"role":"assistant"})", "messageStart", true}, {"", "contentBlockDelta", true},
                        {R"({"message":"slow down"})", "!throttlingException", true}, {"{}", "metadata", true}};
  test::each_split(stream, [&](const std::vector<std::string_view>& pieces) {
    AwsEventReader reader(1 << 20);
    CHECK(told_of(reader, pieces) == expected);
    CHECK(reader.held() == 0);
  });
}

TEST_CASE("a written frame is the one of the specification, byte for byte") {
  std::string written;
  append_aws_event(written, "messageStop", R"({"stopReason":"end_turn"})");
  const std::string headers = text_header(":event-type", "messageStop") + text_header(":content-type", "application/json") +
                              text_header(":message-type", "event");
  CHECK(written == frame(headers, R"({"stopReason":"end_turn"})"));
  std::string exception;
  append_aws_event(exception, "!validationException", "{}");
  CHECK(exception == frame(text_header(":exception-type", "validationException") + text_header(":content-type", "application/json") +
                           text_header(":message-type", "exception"), "{}"));
}

TEST_CASE("any byte that was changed on the way is noticed") {  // DIAL-25
  std::string good;
  append_aws_event(good, "contentBlockDelta", R"({"delta":{"text":"hi"}})");
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const unsigned bit : {0x01u, 0x80u}) {
      std::string bad = good;
      bad[at] = static_cast<char>(static_cast<unsigned char>(bad[at]) ^ bit);
      const Events events = read(bad);
      REQUIRE(events.size() == 1);
      CHECK(events[0].error == Code::kUpstreamInvalidAnswer);
    }
  }
}

TEST_CASE("a frame that is not there whole is no event, and is held") {
  std::string stream;
  append_aws_event(stream, "metadata", "{}");
  for (std::size_t size = 0; size < stream.size(); ++size) {
    AwsEventReader reader(1 << 20);
    CHECK(told_of(reader, {std::string_view(stream).substr(0, size)}).empty());
    CHECK(reader.held() == size);
    StreamEvent event;
    CHECK_FALSE(reader.finish(event));
  }
}

// DIAL-21
TEST_CASE("a frame above the limit is refused as soon as its length is known") {
  std::string stream;
  append_aws_event(stream, "metadata", std::string(1000, ' '));
  CHECK(read(stream, stream.size()).size() == 1);
  CHECK_FALSE(read(stream, stream.size())[0].error);
  const Events refused = read(std::string_view(stream).substr(0, 12), stream.size() - 1);  // the prelude alone
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].error == Code::kUpstreamEventTooLarge);
}

TEST_CASE("lengths that no frame can have are refused") {
  for (const std::string& bad : {frame("", "", static_cast<std::size_t>(-1)), frame("", "", 0, 1), frame("", "x", 0, 2),
                                 frame(std::string(3, 'x'), "", 0, 1)}) {
    REQUIRE(read(bad).size() == 1);
    CHECK(read(bad)[0].error == Code::kUpstreamInvalidAnswer);
  }
  // 128 KiB of headers are allowed, by the specification; one byte more is not.
  const auto headers_of = [](std::size_t size) {
    const std::string most = text_header("n", std::string(60000, 'v')) + text_header("n", std::string(60000, 'v'));
    return most + text_header("n", std::string(size - most.size() - 5, 'v'));
  };
  CHECK(read(frame(headers_of(128 * 1024), "p")) == Events{{"p", "", true}});
  CHECK(read(frame(headers_of(128 * 1024 + 1), "p"))[0].error == Code::kUpstreamInvalidAnswer);
}

TEST_CASE("headers that run past their end or have no known type are refused") {
  const std::string good = text_header(":event-type", "e");
  for (const std::string& bad :
       {std::string("\0", 1), std::string("\5ab", 3), std::string("\1a", 2), std::string("\1a\7", 3), std::string("\1a\7\0", 4), std::string("\1a\7\0\2v", 6),
        header("a", 10, ""), header("a", 4, "abc"), header("a", 5, "abcdefg"), header("a", 9, std::string(15, 'u')), header("a", 8, "1234567")}) {
    const Events events = read(frame(good + bad, "{}"));
    REQUIRE(events.size() == 1);
    CHECK(events[0].error == Code::kUpstreamInvalidAnswer);
  }
  // A name without a type, before a payload that could be one.
  CHECK(read(frame(std::string("\1a", 2), std::string(1, '\0')))[0].error == Code::kUpstreamInvalidAnswer);
}

TEST_CASE("headers of every type are passed over, and those of another type than text mean nothing") {
  const std::string headers = header("t", 0, "") + header("f", 1, "") + header("b", 2, "1") + header("s", 3, "12") + header("i", 4, "1234") +
                              header("l", 5, "12345678") + header("x", 6, std::string("\0\2ab", 4)) + header("d", 8, "12345678") +
                              header("u", 9, std::string(16, 'u')) + header(":event-type", 6, std::string("\0\1x", 3)) + text_header(":event-type", "e");
  CHECK(read(frame(headers, "{}")) == Events{{"{}", "e", true}});
}

TEST_CASE("an error says its code, and its message where it has no payload") {
  const std::string headers = text_header(":message-type", "error") + text_header(":error-code", "InternalFailure") +
                              text_header(":error-message", "it \"broke\"\\\n");
  CHECK(read(frame(headers, "")) == Events{{R"({"message":"it \"broke\"\\ "})", "!InternalFailure", true}});
  CHECK(read(frame(headers, "{}")) == Events{{"{}", "!InternalFailure", true}});
}

TEST_CASE("a reader that has refused a frame refuses all that follows") {
  std::string good;
  append_aws_event(good, "metadata", "{}");
  std::string bad = good;
  bad.back() = static_cast<char>(bad.back() ^ 1);
  AwsEventReader reader(1 << 20);
  const std::string stream = good + bad + good;
  reader.feed(stream);
  StreamEvent event;
  CHECK(reader.next(event).value());
  CHECK(reader.next(event).error().code == Code::kUpstreamInvalidAnswer);
  CHECK(reader.next(event).error().code == Code::kUpstreamInvalidAnswer);
}
