// Thousands of mutated requests, seeded: what the parser takes, a stricter reader takes too and reads in the same way, and
// pieces make no difference.

#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <vector>

#include "unit/http/strict_http.hpp"
#include "unit/http/transcript.hpp"

using namespace sluice;
using namespace sluice::http::test;
using namespace std::string_literals;

namespace {

// A request in parts, so that a mutation can aim at one of them.
struct Parts {
  std::string line = "POST /v1/chat/completions HTTP/1.1";
  std::vector<std::string> fields = {"Host: example.com"};
  std::string body;
  std::string second = "GET /second HTTP/1.1\r\nHost: example.com\r\n\r\n";

  [[nodiscard]] std::string bytes() const {
    std::string out = line + "\r\n";
    for (const std::string& field : fields) out += field + "\r\n";
    return out + "\r\n" + body + second;
  }
};

template <typename List> const auto& pick(const List& list, std::mt19937& random) {
  return list[random() % std::size(list)];
}

const std::vector<std::string> kNames = {"Transfer-Encoding",
                                         "transfer-encoding",
                                         "TRANSFER-ENCODING",
                                         "Transfer_Encoding",
                                         "Transfer-Encoding ",
                                         " Transfer-Encoding",
                                         "Transfer-Encoding\t",
                                         "Transfer-Encoding\x0b",
                                         "X-Transfer-Encoding",
                                         "Transfer-\xa0"
                                         "Encoding",
                                         "Transfer-Encoding\0"s,
                                         "Content-Length",
                                         "Content-Length "};
const std::vector<std::string> kCodings = {"chunked",
                                           "Chunked",
                                           "CHUNKED",
                                           "xchunked",
                                           "chunked x",
                                           ",chunked",
                                           "chunked,",
                                           "chunked, chunked",
                                           "identity",
                                           "gzip, chunked",
                                           "chunked, gzip",
                                           "\x0b"
                                           "chunked",
                                           "chunked\x0b",
                                           "\xa0"
                                           "chunked",
                                           "chunked\x85",
                                           "\"chunked\"",
                                           "'chunked'",
                                           "chunked;a=b",
                                           "",
                                           "\tchunked",
                                           "chunked\t",
                                           "chunk\r ed",
                                           "cow",
                                           "\r\n chunked",
                                           "chunked\0"s,
                                           "\x00"
                                           "chunked"s};
const std::vector<std::string> kLengths = {"5",
                                           "05",
                                           "+5",
                                           "-5",
                                           "0x5",
                                           "5 ",
                                           " 5",
                                           "5,5",
                                           "5, 6",
                                           "",
                                           "18446744073709551616",
                                           "999999999999999999999",
                                           "5\x0b",
                                           "5\xa0",
                                           "0",
                                           "6",
                                           "5_0",
                                           "5.0",
                                           "4294967301"};
const std::vector<std::string> kChunkSizes = {"5",
                                              "05",
                                              "0x5",
                                              "+5",
                                              "-5",
                                              "5 ",
                                              " 5",
                                              "5;a",
                                              "5;a=b",
                                              "5 ;a=b",
                                              "5;a=\"b\"",
                                              "5;a\r",
                                              "5;\n",
                                              "5_0",
                                              "00000000000000005",
                                              "0000000000000005",
                                              "5\x0b",
                                              "5\xa0",
                                              "5;",
                                              "5;a=",
                                              "g",
                                              "",
                                              "fffffffffffffffff",
                                              "ffffffffffffffff",
                                              "A"};
const std::vector<std::string> kEnds = {"\r\n", "\n",   "\r",       "\r\r\n", "\rX",
                                        "",     "\n\r", "\r\n\r\n", " \r\n",  "\x0b\r\n"};
const std::vector<std::string> kLines = {"POST / HTTP/1.1",
                                         "POST http://example.com/ HTTP/1.1",
                                         "POST http://evil.example/ HTTP/1.1",
                                         "POST //evil.example/ HTTP/1.1",
                                         "POST / HTTP/1.0",
                                         "POST / HTTP/1.2",
                                         "POST / HTTP/2.0",
                                         "POST /",
                                         "POST /a b HTTP/1.1",
                                         "POST  / HTTP/1.1",
                                         "POST\t/ HTTP/1.1",
                                         "POST / HTTP/1.1 ",
                                         "post / HTTP/1.1",
                                         "CONNECT a:1 HTTP/1.1",
                                         "TRACE / HTTP/1.1",
                                         "GET / HTTP/1.1",
                                         "POST /\x80 HTTP/1.1",
                                         "POST /# HTTP/1.1",
                                         "POST * HTTP/1.1",
                                         "POST / ICE/1.0",
                                         "POST /\0 HTTP/1.1"s};
const std::vector<std::string> kHosts = {"Host: example.com",   "Host: evil.example",  "host:evil.example",
                                         "Host : evil.example", " Host: evil.example", "Host: a b",
                                         "Host: a/b",           "Host: a@b",           "Host:",
                                         "Host: a,b",           "Host: a:80",          "Host: [::1]:80"};
const std::vector<std::string> kFields = {"X: a\r\n b",
                                          "X: a\r b",
                                          "X: a\nY: b",
                                          "X",
                                          "X : a",
                                          ": a",
                                          "X: a\x85",
                                          "X: \xa0",
                                          "X: a\0"s,
                                          "X: a\x01",
                                          "Connection: close",
                                          "Connection: keep-alive, upgrade",
                                          "Upgrade: h2c",
                                          "Expect: 100-continue",
                                          "X: \xc3\xa0",
                                          "Connection: content-length",
                                          "X: ok"};

Parts generate(std::mt19937& random) {
  Parts parts;
  const bool chunked = random() % 2 == 0;
  // A body that is a request itself, for the reader that ends it too early.
  const std::string inner = random() % 3 == 0 ? "GET /inner HTTP/1.1\r\nHost: example.com\r\n\r\n" : "hello";
  std::string size = chunked && inner.size() != 5 ? "2D" : "5";
  std::string end = "\r\n", line_end = "\r\n", last = "0", last_end = "\r\n\r\n";
  std::string coding = "chunked", length = std::to_string(inner.size()),
              name = chunked ? "Transfer-Encoding" : "Content-Length";
  for (unsigned n = random() % 3 + (random() % 8 != 0); n > 0; --n) {
    switch (random() % 12) {
      case 0:
        coding = pick(kCodings, random);
        break;
      case 1:
        length = pick(kLengths, random);
        break;
      case 2:
        size = pick(kChunkSizes, random);
        break;
      case 3:
        line_end = pick(kEnds, random);
        break;
      case 4:
        end = pick(kEnds, random);
        break;
      case 5:
        last = pick(kChunkSizes, random);
        break;
      case 6:
        last_end = pick(kEnds, random) + pick(kEnds, random);
        break;
      case 7:
        parts.line = pick(kLines, random);
        break;
      case 8:
        parts.fields.insert(parts.fields.begin() + static_cast<std::ptrdiff_t>(random() % 2), pick(kHosts, random));
        break;
      case 9:
        parts.fields.insert(parts.fields.begin() + static_cast<std::ptrdiff_t>(random() % 2), pick(kFields, random));
        break;
      case 10:
        parts.fields.push_back(random() % 2 != 0 ? "Transfer-Encoding: " + pick(kCodings, random)
                                                 : "Content-Length: " + pick(kLengths, random));
        break;
      case 11:
        name = pick(kNames, random);
        break;
    }
  }
  parts.fields.push_back(name + ": " + (chunked ? coding : length));
  parts.body = chunked ? size + line_end + inner + end + last + last_end : inner;
  return parts;
}

// Flips, drops or doubles single bytes on top.
void scratch(std::string& bytes, std::mt19937& random) {
  static const std::string kBytes = "\r\n\t \0\x0b\x85\xa0:;,0\x7f"s;
  const std::size_t at = random() % bytes.size();
  switch (random() % 4) {
    case 0:
      bytes[at] = pick(kBytes, random);
      break;
    case 1:
      bytes.erase(at, 1);
      break;
    case 2:
      bytes.insert(at, 1, bytes[at]);
      break;
    default:
      bytes.insert(at, 1, pick(kBytes, random));
      break;
  }
}

}  // namespace

TEST_CASE("SEC-01 to SEC-07: no mutation passes that a stricter reader refuses or reads differently") {
  // SEC-01 SEC-02 SEC-03 SEC-04 SEC-05 SEC-06 SEC-07
  std::mt19937 random(9112);
  std::size_t accepted = 0;
  std::size_t refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = generate(random).bytes();
    if (round % 3 == 2) scratch(bytes, random);
    CAPTURE(round, bytes);
    const Outcome ours = run_whole(bytes);
    const StrictServer strict(bytes);
    REQUIRE(ours.requests.size() <= strict.requests.size());
    for (std::size_t i = 0; i < ours.requests.size(); ++i) {
      const Seen& a = ours.requests[i];
      const StrictRequest& b = strict.requests[i];
      REQUIRE(a.head.method == b.method);
      REQUIRE(a.head.target == b.target);
      if (!a.complete) continue;
      REQUIRE(b.whole);
      REQUIRE(a.body == b.body);
    }
    // What is not refused is not refused by the stricter one either, as far as both have bytes to judge.
    if (ours.code == Code::kOk && ours.idle) REQUIRE_FALSE(strict.refused);
    ++(ours.code == Code::kOk ? accepted : refused);

    const std::string whole = ours.text();
    if (round % 4 == 0) REQUIRE(run_bytewise(bytes).text() == whole);
    const std::size_t cut = 1 + random() % bytes.size();
    REQUIRE(run_cut(bytes, cut).text() == whole);
    REQUIRE(run(bytes, [&](std::size_t) { return 1 + random() % 17; }).text() == whole);
  }
  // Neither side is empty talk.
  CHECK(accepted > 1500);
  CHECK(refused > 5000);
}
