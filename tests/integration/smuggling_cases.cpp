// The grammar: a draft of a good request, and rules that each bend one part of it.

#include "integration/smuggling_cases.hpp"

#include <array>
#include <cstdio>
#include <random>

using namespace std::string_literals;

namespace sluice::test {
namespace {

/// Chance by the generator's numbers alone: the standard's distributions differ between libraries.
class Chance {
 public:
  explicit Chance(std::uint32_t seed) : numbers_(seed) {}
  std::size_t below(std::size_t n) { return numbers_() % n; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <typename List>
  const auto& of(const List& list) {
    return list[below(std::size(list))];
  }

 private:
  std::mt19937 numbers_;
};

using Texts = std::vector<std::string>;

/// A request in parts, each as it should be.
struct Draft {
  std::string before;
  std::string line = "POST /v1/chat/completions HTTP/1.1";
  Texts fields = {"Host: a", "Content-Type: application/json"};
  bool chunked = false;
  std::string body = kMeantBody;
  // Framing: by length, or by one chunk and the last.
  std::string length_name = "Content-Length", length;  // empty = what it should be
  std::string coding_name = "Transfer-Encoding", coding = "chunked";
  std::string size, extension, size_end = "\r\n", data_end = "\r\n", last = "0", last_end = "\r\n", trailer, end = "\r\n";
  std::string behind;
  // The line of the head whose end is another, and which.
  std::size_t odd_line = SIZE_MAX;
  std::string odd_end;

  [[nodiscard]] std::string bytes() const {
    Texts head = fields;
    if (chunked) {
      head.push_back(coding_name + ": " + coding);
    } else {
      head.push_back(length_name + ": " + (length.empty() ? std::to_string(body.size()) : length));
    }
    head.insert(head.begin(), line);
    head.emplace_back();  // the empty line
    std::string out = before;
    const std::size_t odd = odd_line == SIZE_MAX ? SIZE_MAX : odd_line % head.size();
    for (std::size_t i = 0; i < head.size(); ++i) out += head[i] + (i == odd ? odd_end : "\r\n");
    if (!chunked) return out + body + behind;
    return out + (size.empty() ? hexadecimal(body.size()) : size) + extension + size_end + body + data_end + last + last_end + trailer + end + behind;
  }

  static std::string hexadecimal(std::size_t n) {
    std::array<char, 20> text;
    return {text.data(), static_cast<std::size_t>(std::snprintf(text.data(), text.size(), "%zx", n))};
  }
};

const Texts kCodings = {"chunked", "Chunked", "CHUNKED", "xchunked", "chunkedx", "identity", "gzip", "cow", "", "chunked;a=b", "\"chunked\"", "'chunked'",
                        "\x0b" "chunked", "chunked\x0b", "\xa0" "chunked", "chunked\x85", "chunked\0"s, "\tchunked", "chunked\t", "chunked ", "chun ked", "chunk\red", "\r\n chunked",
                        "identity\r\n ,chunked"};
const Texts kCommas = {",", ", ", " ,", " , ", ",,", "\t,\t", ";", " ", "\x0b,", ",\r\n "};
const Texts kCodingNames = {"Transfer-Encoding ", " Transfer-Encoding", "Transfer-Encoding\t", "Transfer_Encoding", "transfer-encoding", "TRANSFER-ENCODING", "Transfer-Encoding\x0b",
                            "X-Transfer-Encoding", "Transfer Encoding", "Transfer-Encoding\0"s, "Transfer-\xa0" "Encoding", "Transfer-Encoding:"};
const Texts kLengthNames = {"Content-Length ", " Content-Length", "Content-Length\t", "Content_Length", "content-length", "CONTENT-LENGTH", "Content-Length\x0b", "Content Length",
                            "Content-Length\0"s, "X-Content-Length", "Content-Length:"};
const Texts kLineEnds = {"\n", "\r", "\r\r\n", "\rX", "\n\r", "", " \r\n", "\r\n\r\n", "\x0b\r\n", "\t\r\n", "\0\r\n"s};
const Texts kExtensions = {";", ";a", ";a=b", " ;a=b", "; a=b", ";a =b", ";a=\"b\"", ";a=\"b;c\"", ";a=\"\r\n\"", ";a\r", ";a\nb", ";\x0b", ";a=b;c=d", ";a=", ";=b", ";a\0"s, "\t",
                           ";a=\"", ";\r\n\r\nGET /hidden HTTP/1.1"};
const Texts kFields = {"X: a\r\n b", "X: a\r\n\tb", "X:\r\n b", "X: a\rb", "X: a\nY: b", "X: a\r\r\nY: b", "X", "X : a", "X\t: a", " X: a", ": a", "X: a\x85", "X: \xa0", "X: \xa0" "a", "X: a\0b"s,
                       "X: a\x01", "X: \x7f", "X\x0b: a", "X(y): a", "X Y: a", "\"X\": a", "X: \xc3\xa0", "X\xc3\xa0: a", "X:a", "X: ", "X:\t a \t", "X_Y: a", "X: a\x0c", "X: \x1b[0m"};
const Texts kLines = {"POST http://a/v1/chat/completions HTTP/1.1", "POST http://b/v1/chat/completions HTTP/1.1", "POST https://a/v1/chat/completions HTTP/1.1", "POST HTTP://A/v1/chat/completions HTTP/1.1",
                      "POST http://u:p@a/v1/chat/completions HTTP/1.1", "POST http:///v1/chat/completions HTTP/1.1", "POST //b/v1/chat/completions HTTP/1.1", "POST http://a HTTP/1.1",
                      "POST a/v1/chat/completions HTTP/1.1", "POST * HTTP/1.1", "OPTIONS * HTTP/1.1", "POST /v1/chat/completions HTTP/1.0", "POST /v1/chat/completions HTTP/1.2",
                      "POST /v1/chat/completions HTTP/2.0", "POST /v1/chat/completions HTTP/0.9", "POST /v1/chat/completions", "POST /v1/chat/completions HTTP/1.1 ", "POST  /v1/chat/completions HTTP/1.1",
                      "POST /v1/chat/completions  HTTP/1.1", "POST\t/v1/chat/completions HTTP/1.1", "POST /v1/chat/completions\tHTTP/1.1", "POST /v1/chat /completions HTTP/1.1",
                      "POST /v1/chat/completions http/1.1", "POST /v1/chat/completions HTTP/01.1", "POST /v1/chat/completions HTTP/1.10", "POST /v1/chat/completions HTTP/1.1\r", "post /v1/chat/completions HTTP/1.1",
                      "GET /v1/chat/completions HTTP/1.1", "DELETE /v1/chat/completions HTTP/1.1", "PUT /v1/chat/completions HTTP/1.1", "OPTIONS /v1/chat/completions HTTP/1.1", "BREW /v1/chat/completions HTTP/1.1",
                      "P(ST /v1/chat/completions HTTP/1.1", "CONNECT a:1 HTTP/1.1", "TRACE /v1/chat/completions HTTP/1.1", "POST /v1/chat/completions\x80 HTTP/1.1", "POST /v1/chat/completions#x HTTP/1.1",
                      "POST /v1/chat/completions\0 HTTP/1.1"s, "POST /v1/chat/completions\x7f HTTP/1.1", "POST /v1/chat/completions%00 HTTP/1.1", "POST /v1/chat/completions% HTTP/1.1",
                      "POST /v1/./chat/../chat/completions HTTP/1.1", "POST /v1\\chat\\completions HTTP/1.1", "POST /v1/chat/completions?a=b HTTP/1.1", "POST /v1/chat/completions?a b HTTP/1.1"};
const Texts kHosts = {"Host: b", "host: a", "Host:b", "Host : b", " Host: b", "Host\t: b", "Host: a b", "Host: a/b", "Host: a@b", "Host:", "Host: a,b", "Host: a:80", "Host: a:", "Host: a:b", "Host: [::1]:80", "Host: [::1",
                      "Host: a\x0b", "Host: a\r\n b", "Host: \xc3\xa9", "Host: a\0"s, "Host: a#b", "Host: .", "Host: a..b", "Host: *"};
const Texts kConnections = {"Connection: close", "Connection: keep-alive", "Connection: Content-Length", "Connection: Transfer-Encoding, close", "Connection: Host", "Connection: close, keep-alive",
                            "Connection: keep-alive\r\nConnection: close", "Connection: ", "Connection: \"close\"", "Proxy-Connection: keep-alive", "Keep-Alive: timeout=5", "TE: trailers", "Trailer: X"};
const Texts kProtocols = {"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk", "Upgrade: websocket\r\nConnection: Upgrade", "Upgrade: h2c", "Expect: 100-continue", "Expect: 100-Continue",
                          "Expect: 200-ok", "Expect: 100-continue, x", "Expect: "};
const Texts kTrailers = {"X: a\r\n", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Host: b\r\n", "X : a\r\n", " X: a\r\n", "X\r\n", "X: a\n", "X: a\r\n b\r\n", "X: a\rb\r\n", ": a\r\n", "X: a\0\r\n"s};
const Texts kBlankLines = {"\r\n", "\r\n\r\n", "\n", "\r", "\r\n\n", " \r\n", "\0"s};
const std::string kHidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";

std::string odd_length(std::size_t n, Chance& chance) {
  const std::string text = std::to_string(n), next = std::to_string(n + 1);
  const Texts forms = {"+" + text, "-" + text, "0" + text, "000000000000000000000" + text, "0x" + Draft::hexadecimal(n), text + " ", "\t" + text, text + "\t", text + "\x0b", "\x0b" + text, text + "\xa0", text + ".0", text + ";",
                       text + "," + text, text + ", " + text, text + "," + next, "," + text, text + ",", text + " " + text, "\"" + text + "\"", text + "_0", text + "e0", text + "\r\n ", "\r\n " + text, next,
                       std::to_string(n - 1), "0", "18446744073709551616", "18446744073709551643", "4294967323", "1" + std::string(19, '0'), text + "\0"s, "abc", " "};
  return chance.of(forms);
}

std::string odd_size(std::size_t n, Chance& chance) {
  const std::string text = Draft::hexadecimal(n);
  const Texts forms = {"0x" + text, "0X" + text, "+" + text, "-" + text, " " + text, "\t" + text, text + " ", text + "\t", text + "\x0b", "\x0b" + text, text + "\xa0", "0" + text, std::string(14, '0') + text,
                       std::string(15, '0') + text, std::string(40, '0') + text, text.substr(0, 1) + "_" + text.substr(1), Draft::hexadecimal(n - 1), Draft::hexadecimal(n + 1), "1" + std::string(16 - text.size(), '0') + text,
                       "10000000" + text, "ffffffffffffffff", "7fffffffffffffff", "g", "", text + "g", text + "h", "\"" + text + "\"", text + ".", text + "\0"s};
  return chance.of(forms);
}

struct Rule {
  const char* name;
  void (*bend)(Draft&, Chance&);
};

std::string& any_of(Texts& fields, Chance& chance) { return fields[chance.below(fields.size())]; }
void put(Draft& draft, std::string field, Chance& chance) {
  draft.fields.insert(draft.fields.begin() + static_cast<std::ptrdiff_t>(chance.below(draft.fields.size() + 1)), std::move(field));
}

constexpr std::array kRules = {
    Rule{"coding", [](Draft& d, Chance& c) { d.chunked = true, d.coding = c.of(kCodings); }},
    Rule{"list of codings", [](Draft& d, Chance& c) {
           d.chunked = true;
           d.coding = c.one_in(3) ? "chunked" : c.of(kCodings);
           for (std::size_t n = 1 + c.below(2); n > 0; --n) d.coding += c.of(kCommas) + (c.one_in(2) ? "chunked" : c.of(kCodings));
         }},
    Rule{"name of the coding's field", [](Draft& d, Chance& c) { d.chunked = true, d.coding_name = c.of(kCodingNames); }},
    Rule{"two codings", [](Draft& d, Chance& c) { d.chunked = true, put(d, "Transfer-Encoding: " + (c.one_in(3) ? "chunked" : c.of(kCodings)), c); }},
    Rule{"length beside a coding", [](Draft& d, Chance& c) {
           if (d.chunked) {
             put(d, "Content-Length: " + (c.one_in(2) ? std::to_string(d.body.size()) : odd_length(d.body.size(), c)), c);
           } else {
             put(d, (c.one_in(2) ? "Transfer-Encoding" : c.of(kCodingNames)) + ": " + c.of(kCodings), c);
           }
         }},
    Rule{"length", [](Draft& d, Chance& c) { d.chunked = false, d.length = odd_length(d.body.size(), c); }},
    Rule{"name of the length's field", [](Draft& d, Chance& c) { d.chunked = false, d.length_name = c.of(kLengthNames); }},
    Rule{"two lengths", [](Draft& d, Chance& c) { put(d, "Content-Length: " + (c.one_in(2) ? std::to_string(d.body.size()) : odd_length(d.body.size(), c)), c); }},
    Rule{"chunk size", [](Draft& d, Chance& c) { d.chunked = true, d.size = odd_size(d.body.size(), c); }},
    Rule{"chunk extension", [](Draft& d, Chance& c) { d.chunked = true, d.extension = c.one_in(12) ? ";a=" + std::string(300, 'b') : c.of(kExtensions); }},
    Rule{"end of a chunk-size line", [](Draft& d, Chance& c) { d.chunked = true, d.size_end = c.of(kLineEnds); }},
    Rule{"end of a chunk", [](Draft& d, Chance& c) { d.chunked = true, d.data_end = c.of(kLineEnds); }},
    Rule{"last chunk", [](Draft& d, Chance& c) {
           static const Texts kLast = {"00", "0x0", "+0", "-0", "0 ", " 0", "0;a", "0;", "", "000000000000000000", "0_0", "0\x0b", "0g"};
           d.chunked = true, d.last = c.of(kLast);
         }},
    Rule{"end of the last chunk", [](Draft& d, Chance& c) { d.chunked = true, (c.one_in(2) ? d.last_end : d.end) = c.of(kLineEnds); }},
    Rule{"trailer", [](Draft& d, Chance& c) { d.chunked = true, d.trailer = c.of(kTrailers); }},
    Rule{"line end in the head", [](Draft& d, Chance& c) { d.odd_line = c.below(6), d.odd_end = c.of(kLineEnds); }},
    Rule{"fold", [](Draft& d, Chance& c) {
           static const Texts kFolds = {"\r\n ", "\r\n\t", "\n ", "\r ", "\r\n \r\n "};
           std::string& field = any_of(d.fields, c);
           field.insert(c.below(field.size() + 1), c.of(kFolds));
         }},
    Rule{"field", [](Draft& d, Chance& c) { put(d, c.of(kFields), c); }},
    Rule{"request line", [](Draft& d, Chance& c) { d.line = c.of(kLines); }},
    Rule{"two hosts", [](Draft& d, Chance& c) { put(d, c.of(kHosts), c); }},
    Rule{"host", [](Draft& d, Chance& c) { d.fields.front() = c.of(kHosts); }},
    Rule{"no host", [](Draft& d, Chance&) { d.fields.front() = "X-Host: a"; }},
    Rule{"hidden request", [](Draft& d, Chance&) { d.body = kHidden; }},
    Rule{"short length before a hidden request", [](Draft& d, Chance& c) { d.chunked = false, d.body = kMeantBody + kHidden, d.length = std::to_string(c.one_in(2) ? kMeantBody.size() : c.below(d.body.size())); }},
    Rule{"hidden request behind the last chunk", [](Draft& d, Chance&) { d.chunked = true, d.behind = kHidden + d.behind; }},
    Rule{"request behind", [](Draft& d, Chance& c) { d.behind += c.one_in(2) ? kHidden : Draft{}.bytes(); }},
    Rule{"connection options", [](Draft& d, Chance& c) { put(d, c.of(kConnections), c); }},
    Rule{"another protocol or expectation", [](Draft& d, Chance& c) { put(d, c.of(kProtocols), c); }},
    Rule{"bytes before the request", [](Draft& d, Chance& c) { d.before = c.of(kBlankLines); }},
    Rule{"chunked", [](Draft& d, Chance&) { d.chunked = true; }},
};

void change_a_byte(std::string& bytes, Chance& chance) {
  static const std::string kBytes = "\r\n\t \0\x0b\x85\xa0:;,0\x7f+x"s;
  const std::size_t at = chance.below(bytes.size());
  switch (chance.below(4)) {
    case 0: bytes[at] = kBytes[chance.below(kBytes.size())]; break;
    case 1: bytes.erase(at, 1); break;
    case 2: bytes.insert(at, 1, bytes[at]); break;
    default: bytes.insert(at, 1, kBytes[chance.below(kBytes.size())]); break;
  }
}

}  // namespace

std::vector<SmugglingCase> smuggling_cases(std::uint32_t seed, std::size_t count) {
  Chance chance(seed);
  std::vector<SmugglingCase> cases(count);
  for (std::size_t i = 0; i < count; ++i) {
    Draft draft;
    draft.chunked = chance.one_in(2);
    // Every rule has its turn alone or first; what comes on top is chance.
    const std::size_t more = chance.below(3);
    for (std::size_t n = 0; n <= more; ++n) {
      const Rule& rule = n == 0 ? kRules[i % kRules.size()] : chance.of(kRules);
      rule.bend(draft, chance);
      cases[i].twists += (n == 0 ? "" : ", ") + std::string(rule.name);
    }
    cases[i].bytes = draft.bytes();
    if (!chance.one_in(5)) continue;
    change_a_byte(cases[i].bytes, chance);
    cases[i].twists += ", a byte";
  }
  return cases;
}

std::size_t smuggling_rules() noexcept { return kRules.size(); }

}  // namespace sluice::test
