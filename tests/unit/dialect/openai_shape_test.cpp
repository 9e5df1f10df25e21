// How large requests are: counted by hand, against a slow reader of what was written, and in bounded memory.

#include <catch2/catch.hpp>

#include <random>

#include "dialect/string_size.hpp"
#include "sim/text.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::Operation;
using test::Inspected;

namespace {

struct Shaped : Inspected {
  explicit Shaped(std::string_view body, Operation operation = Operation::kChat) : Inspected(body, operation, chat::kWantShape) {
    INFO(body.substr(0, 1000));
    if (!status) FAIL(status.error().message);
  }
  const RequestShape& shape = view.shape;
};

std::string chat_of(std::string_view content) { return R"({"messages":[{"role":"user","content":)" + std::string(content) + "}]}"; }

struct Medium {
  std::string type;
  std::uint64_t bytes;
  bool is_inline;
  bool operator==(const Medium&) const = default;
};
std::vector<Medium> media(const RequestShape& shape) {
  std::vector<Medium> out;
  for (const Attachment& a : shape.attachments) out.push_back({std::string(a.media_type), a.bytes, a.is_inline});
  return out;
}
/// The one attachment of a message whose content is this one part.
Medium medium(const std::string& part) {
  INFO(part);
  const Shaped request(chat_of("[" + part + "]"));
  CHECK(request.shape.parts == 1);
  REQUIRE(request.shape.attachments.size() == 1);
  return media(request.shape)[0];
}
Medium image(const std::string& url) { return medium(R"({"type":"image_url","image_url":{"url":")" + url + "\"}}"); }

Error refused(std::string_view body, Operation operation) {
  const Inspected request(body, operation, chat::kWantShape);
  REQUIRE_FALSE(request.status);
  return request.status.error();
}

}  // namespace

namespace Catch {
template <>
struct StringMaker<Medium> {
  static std::string convert(const Medium& m) { return "{" + m.type + " " + std::to_string(m.bytes) + (m.is_inline ? " inline}" : "}"); }
};
}  // namespace Catch

// LIMIT-21
TEST_CASE("messages, parts, tools and depth are counted") {
  const Shaped request(R"({"messages":[{"role":"system","content":"a"},{"role":"user","content":[{"type":"text","text":"bc"},"d"]},)"
                       R"({"role":"assistant","content":null,"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},{"role":"tool","content":"efg"}],)"
                       R"("tools":[{"type":"function","function":{"name":"f"}},{"type":"web_search"}],"functions":[{"name":"g"}]})");
  CHECK(request.shape.messages == 4);
  CHECK(request.shape.parts == 4);
  CHECK(request.shape.tools == 3);
  CHECK(request.shape.json_depth == 6);
  CHECK(request.shape.characters == 7);
  CHECK(request.shape.attachments.empty());
  CHECK(request.shape.inputs == 0);
}

// LIMIT-20
TEST_CASE("characters are code points, however they are written") {
  const auto [text, characters] = GENERATE(table<std::string, std::uint64_t>({
      {"", 0},
      {"abc", 3},
      {"caf\xc3\xa9", 4},
      {R"(caf\u00e9)", 4},
      {"\xf0\x9f\x98\x80", 1},
      {R"(\ud83d\ude00)", 1},
      {R"(\uD83D\uDE00\uD83D\uDE00)", 2},
      {R"(a\n\t\"\\\/b)", 7},
      {R"(\\u00e9)", 6},
      {R"(\\\u00e9)", 2},
      {"e\xcc\x81", 2},  // a letter and its accent are two
  }));
  CHECK(Shaped(chat_of("\"" + text + "\"")).shape.characters == characters);
  CHECK(Shaped(chat_of(R"([{"type":"text","text":")" + text + "\"}]")).shape.characters == characters);
}

// LIMIT-21
TEST_CASE("images know their type and decoded size") {
  CHECK(image("https://example.com/a.png") == Medium{"image/*", 0, false});
  CHECK(image(R"(https:\/\/example.com\/a.png)") == Medium{"image/*", 0, false});
  CHECK(image("gs://bucket/a.png") == Medium{"image/*", 0, false});
  CHECK(image("data:image/png;base64,AAAA") == Medium{"image/png", 3, true});
  CHECK(image(R"(data:image\/png;base64,AAAA)") == Medium{"image/png", 3, true});
  CHECK(image("DATA:Image/PNG;charset=x;BASE64,AAA=") == Medium{"image/png", 2, true});
  CHECK(image("data:;base64,AA==") == Medium{"image/*", 1, true});
  CHECK(image("data:image/svg+xml,%3Csvg%3E%zz") == Medium{"image/svg+xml", 8, true});
  CHECK(image("data:image/png;base64,") == Medium{"image/png", 0, true});
  CHECK(image("") == Medium{"image/*", 0, true});
  CHECK(medium(R"({"type":"image_url","image_url":"data:image/gif;base64,AAAA"})") == Medium{"image/gif", 3, true});
  CHECK(medium(R"({"image_url":{"url":"https://x/"}})") == Medium{"image/*", 0, false});
}

TEST_CASE("a URL is read as the most lenient server would read it") {
  CHECK(image(" \\n data:text/html;base64,AAAA") == Medium{"text/html", 3, true});
  CHECK(image("da\\nta:text/h\\ttml ;\\r base64 ,AAAA") == Medium{"text/html", 3, true});
  CHECK(image(R"(d\u0061ta\u003atext/html\u003bbase64\u002cAAAA)") == Medium{"text/html", 3, true});
  // No URL at all: servers exist that take bare base64.
  CHECK(image("iVBORw0KGgo=") == Medium{"image/*", 8, true});
  CHECK(image("https:iVBO") == Medium{"image/*", 7, true});
}

TEST_CASE("what is said of a type and is none, is none") {
  CHECK(image("data:png;base64,AAAA").type.empty());
  CHECK(image("data:image/p ng;base64,AAAA").type.empty());
  CHECK(image("data:image/\xc3\xa9;base64,AAAA").type.empty());
  CHECK(image("data:image/" + std::string(128, 'x') + ";base64,AAAA").type.empty());
  CHECK(image("data:image/" + std::string(127, 'x') + ";base64,AAAA").type.size() == 133);
  // A head without an end counts whole.
  CHECK(image("data:image/png" + std::string(2000, ';')) == Medium{"", 2009, true});
}

TEST_CASE("sizes of base64 leave out padding and line breaks") {
  const auto [text, bytes] = GENERATE(table<std::string, std::uint64_t>({
      {"", 0},           {"AA", 1},         {"AA==", 1},       {"AAA", 2},          {"AAA=", 2},        {"AAAA", 3},
      {"AAAAAA==", 4},   {R"(AA\nAA)", 3},  {R"(AA\r\nA=)", 2}, {R"(AAA\u003d)", 2}, {R"(AA=\n=\n)", 1}, {R"(\/\/\/\/)", 3},
      {"-_-_", 3},       {"A", 0},          {"====", 0},       {"AA==AA==", 4},      {R"(AA=\u003dAA)", 4},
      {R"(\\n==)", 1},  // a backslash and an n: no line break
  }));
  CHECK(image("data:image/png;base64," + text).bytes == bytes);
  CHECK(dialect::base64_bytes(text) == bytes);
}

TEST_CASE("sizes of percent-encoded data are bytes of UTF-8") {
  const auto [text, bytes] = GENERATE(table<std::string, std::uint64_t>({
      {"abc", 3}, {"%41%42", 2}, {"%4", 2}, {"%", 1}, {"%%41", 2}, {"%4g", 3}, {R"(\u0041\u00e9\u20ac)", 6}, {R"(\ud83d\ude00)", 4}, {"\xc3\xa9", 2},
  }));
  CHECK(dialect::percent_bytes(text) == bytes);
}

TEST_CASE("sizes of malformed strings are taken without harm") {
  for (const char* text : {"\\", "a\\", "\\u", "\\u12", "\\ud83d", "\\ud83d\\u", "\\x", "%\\"}) {
    INFO(text);
    CHECK(dialect::code_points(text) <= std::string_view(text).size());
    CHECK(dialect::base64_bytes(text) <= std::string_view(text).size());
    CHECK(dialect::percent_bytes(text) <= std::string_view(text).size());
  }
}

// LIMIT-21
TEST_CASE("sounds and files know their type and decoded size") {
  const auto [part, expected] = GENERATE(table<std::string, Medium>({
      {R"({"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}})", {"audio/wav", 3, true}},
      {R"({"type":"input_audio","input_audio":{"data":"AAAA","format":"mp3"}})", {"audio/mpeg", 3, true}},
      {R"({"type":"input_audio","input_audio":{"data":"AAAA","format":"FLAC"}})", {"audio/flac", 3, true}},
      {R"({"type":"input_audio","input_audio":{"data":"AAAA","format":"a b"}})", {"", 3, true}},
      {R"({"type":"input_audio","input_audio":{"data":"AAAA"}})", {"audio/*", 3, true}},
      {R"({"type":"input_audio","input_audio":{"data":"data:video/mp4;base64,AAAA","format":"wav"}})", {"video/mp4", 3, true}},
      {R"({"type":"file","file":{"file_data":"data:application/pdf;base64,AAAA","filename":"a.pdf"}})", {"application/pdf", 3, true}},
      {R"({"type":"file","file":{"file_data":"AAAA","file_id":"f"}})", {"", 3, true}},
      {R"({"type":"file","file":{"file_id":"file-1"}})", {"", 0, false}},
      {R"({"type":"video_url","video_url":{"url":"https://x/"}})", {"video/*", 0, false}},
      {R"({"type":"audio_url","audio_url":{"url":"data:audio/ogg;base64,AAAA"}})", {"audio/ogg", 3, true}},
  }));
  CHECK(medium(part) == expected);
}

TEST_CASE("a form that nobody knows is an attachment of all its bytes") {
  const auto [part, bytes] = GENERATE(table<std::string, std::uint64_t>({
      {R"({"type":"hologram"})", 19},
      {R"({"type":"image","source":{"data":"AAAA"},"text":"x"})", 52},
      {R"({})", 2},
      {R"({"type":7})", 10},
      {R"({"type":"image_url","image_url":[1,2]})", 5},
      {R"({"type":"image_url","image_url":7})", 1},
      {R"({"type":"image_url","image_url":{"url":null}})", 12},
      {R"({"type":"file","file":{"file_url":"x"}})", 16},
  }));
  CHECK(medium(part) == Medium{"", bytes, true});
}

TEST_CASE("a text is no attachment, whatever its type is spelled like, and every medium of a part is one") {
  CHECK(Shaped(chat_of(R"([{"type":"text","text":"a"},{"text":"b"},{"type":"refusal","refusal":"c"},{"t\u0079pe":"t\u0065xt","text":"d"},)"
                       R"({"type":"text","text":"e","image_url":null},"f",7,null])"))
            .shape.attachments.empty());
  const Shaped two(chat_of(R"([{"type":"text","text":"a","image_url":{"url":"https://x/"},"f\u0069le":{"file_id":"1"}}])"));
  CHECK(media(two.shape) == std::vector<Medium>{{"image/*", 0, false}, {"", 0, false}});
}

TEST_CASE("contents of every type are parts") {
  CHECK(Shaped(chat_of("null")).shape.parts == 0);
  CHECK(Shaped(R"({"messages":[{},1,[],null,"x"]})").shape.parts == 0);
  CHECK(Shaped(R"({"messages":[{},1,[],null,"x"]})").shape.messages == 5);
  CHECK(Shaped(chat_of("7")).shape.parts == 1);
  CHECK(Shaped(chat_of("[]")).shape.parts == 0);
  CHECK(Shaped(chat_of(R"([1,"a",null,[],{"text":"b"}])")).shape.parts == 5);
  const Shaped object(chat_of(R"({"type":"text","text":"abc"})"));
  CHECK(object.shape.parts == 1);
  CHECK(object.shape.characters == 3);
}

// LIMIT-27
TEST_CASE("inputs are texts or token lists") {
  struct Counted {
    std::uint32_t inputs;
    std::uint64_t characters, largest, tokens;
    bool operator==(const Counted&) const = default;
  };
  const auto [input, expected] = GENERATE(table<std::string, Counted>({
      {R"("caf\u00e9")", {1, 4, 4, 0}},
      {R"(["a","bcd","ef"])", {3, 6, 3, 0}},
      {"[1,2,3]", {1, 0, 0, 3}},
      {"[[1,2],[3],[4,5,6]]", {3, 0, 0, 3}},
      {"[]", {0, 0, 0, 0}},
      {"[[]]", {1, 0, 0, 0}},
      {"null", {0, 0, 0, 0}},
      {R"([1,"a",2,[3]])", {3, 1, 1, 2}},
      {R"([["ab","c"],null,true])", {3, 3, 3, 2}},
      {R"([{"type":"text","text":"ab"},{"text":"c"}])", {2, 3, 2, 0}},
  }));
  const auto [operation, field] = GENERATE(table<Operation, std::string>(
      {{Operation::kEmbeddings, "input"}, {Operation::kModerations, "input"}, {Operation::kCompletions, "prompt"}}));
  INFO(input);
  const Shaped request("{\"" + field + "\":" + input + "}", operation);
  CHECK(Counted{request.shape.inputs, request.shape.characters, request.shape.largest_input_characters, request.shape.largest_input_tokens} == expected);
  CHECK(request.shape.messages == 0);
  CHECK(request.shape.parts == 0);
}

TEST_CASE("a completion's suffix is text and no input, and moderations have attachments") {
  const Shaped completion(R"({"prompt":"ab","suffix":"cde"})", Operation::kCompletions);
  CHECK(completion.shape.inputs == 1);
  CHECK(completion.shape.characters == 5);
  CHECK(completion.shape.largest_input_characters == 2);
  const Shaped moderation(R"({"input":[{"type":"text","text":"ab"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]})", Operation::kModerations);
  CHECK(moderation.shape.inputs == 2);
  CHECK(media(moderation.shape) == std::vector<Medium>{{"image/png", 3, true}});
}

// LIMIT-27
TEST_CASE("dimensions are a number, of embeddings alone") {
  CHECK(Shaped(R"({"input":"a","dimensions":256})", Operation::kEmbeddings).shape.dimensions == 256);
  CHECK(Shaped(R"({"input":"a","dimensions":null})", Operation::kEmbeddings).shape.dimensions == 0);
  CHECK(Shaped(R"({"input":"a","dimensions":"x"})", Operation::kModerations).shape.dimensions == 0);
  for (const char* wrong : {"-1", "1.0", "1e3", "\"256\"", "18446744073709551616", "[]"}) {
    INFO(wrong);
    const Error error = refused(R"({"input":"a","dimensions":)" + std::string(wrong) + "}", Operation::kEmbeddings);
    CHECK(error.code == Code::kInvalidParameter);
    CHECK(error.param == "dimensions");
    CHECK(error.message.starts_with("dimensions is "));
  }
}

TEST_CASE("what cannot be counted is refused by its name") {
  const auto [body, operation, param] = GENERATE(table<std::string, Operation, std::string>({
      {R"({"messages":[],"tools":{}})", Operation::kChat, "tools"},
      {R"({"messages":[],"functions":"f"})", Operation::kChat, "functions"},
      {R"({"prompt":7})", Operation::kCompletions, "prompt"},
      {R"({"prompt":"a","suffix":{}})", Operation::kCompletions, "suffix"},
      {R"({"input":{"text":"a"}})", Operation::kEmbeddings, "input"},
      {R"({"input":true})", Operation::kModerations, "input"},
  }));
  const Error error = refused(body, operation);
  CHECK(error.code == Code::kInvalidParameter);
  CHECK(error.http_status == 400);
  CHECK(error.param == param);
}

// SEC-29
TEST_CASE("what is counted may not stand twice") {
  const auto [body, operation, param] = GENERATE(table<std::string, Operation, std::string>({
      {R"({"messages":[{"content":"a","content":"b"}]})", Operation::kChat, "content"},
      {R"({"messages":[{"content":[{"text":"a","te\u0078t":"b"}]}]})", Operation::kChat, "text"},
      {R"({"messages":[{"content":[{"type":"text","type":"image"}]}]})", Operation::kChat, "type"},
      {R"({"messages":[{"content":[{"image_url":"a","image_url":"b"}]}]})", Operation::kChat, "image_url"},
      {R"({"messages":[{"content":[{"image_url":{"url":"a","url":"b"}}]}]})", Operation::kChat, "url"},
      {R"({"messages":[{"content":[{"file":{"file_data":"a","file_data":"b"}}]}]})", Operation::kChat, "file_data"},
      {R"({"input":"a","dimensions":1,"dimensions":2})", Operation::kEmbeddings, "dimensions"},
  }));
  const Error error = refused(body, operation);
  CHECK(error.code == Code::kDuplicateKey);
  CHECK(error.param == param);
}

TEST_CASE("nothing is counted that nobody wants, and no text is decoded to be counted") {
  const std::string body = chat_of(R"([{"type":"text","text":"\u0061"},{"type":"image_url","image_url":{"url":"data:image\/png;base64,AA\/A"}}])");
  const Inspected unwanted(body, Operation::kChat, chat::kWantPrompt | chat::kWantTools);
  CHECK(unwanted.view.shape.messages == 0);
  CHECK(unwanted.view.shape.json_depth == 0);
  const Shaped wanted(body);
  CHECK(wanted.view.prompt.empty());
  CHECK(wanted.view.arena.size() == 1);  // the escaped media type
}

// LIMIT-22
TEST_CASE("a picture of 20 MB is measured where it stands") {
  const std::string data = sim::base64(std::string(20'000'000, 'x'));
  const Shaped request(chat_of(R"([{"type":"image_url","image_url":{"url":"data:image/png;base64,)" + data + "\"}}]"));
  CHECK(media(request.shape) == std::vector<Medium>{{"image/png", 20'000'000, true}});
  CHECK(request.view.arena.empty());
  const std::string_view body = request.document.body().view();
  const std::string_view type = request.shape.attachments[0].media_type;
  CHECK((type.data() > body.data() && type.data() < body.data() + body.size()));
}

namespace {

/// Writes a request at random, and what must be counted in it.
struct RandomRequest {
  explicit RandomRequest(unsigned seed) : random(seed) {
    body = R"({"model":"m","messages":[)";
    for (unsigned n = below(6); shape.messages < n; ++shape.messages) {
      body += (shape.messages == 0 ? "" : ",") + std::string(R"({"role":"user","content":)");
      content();
      body += "}";
    }
    body += "]";
    if (const unsigned n = below(4); n != 0) {
      body += R"(,"tools":[{})";
      for (unsigned i = 1; i < n; ++i) body += R"(,{"type":"function"})";
      body += "]";
      shape.tools = n;
    }
    body += "}";
  }

  std::mt19937 random;
  std::string body;
  RequestShape shape;
  std::vector<Medium> expected;

 private:
  unsigned below(unsigned n) { return static_cast<unsigned>(random() % n); }

  void content() {
    if (below(4) == 0) {
      body += string();
      ++shape.parts;
      return;
    }
    body += "[";
    for (unsigned i = 0, n = below(5); i < n; ++i) {
      if (i != 0) body += ",";
      ++shape.parts;
      if (below(2) == 0) {
        body += R"({"type":"text","text":)" + string() + "}";
      } else {
        picture();
      }
    }
    body += "]";
  }

  std::string string() {
    // What is written, and how many characters it is.
    static const std::vector<std::pair<std::string, unsigned>> kPieces = {
        {"a", 1},           {"data:", 5}, {"\xc3\xa9", 1}, {"\xf0\x9f\x98\x80", 1}, {R"(\u00e9)", 1}, {R"(\ud83d\ude00)", 1}, {R"(\n)", 1},
        {R"(\\)", 1},       {R"(\")", 1}, {R"(\/)", 1},    {R"(\\u00e9)", 6},       {" ", 1},         {R"(\uffff)", 1},       {R"(\u0000)", 1},
        {"\xe2\x82\xac", 1}};
    std::string out = "\"";
    for (unsigned n = below(60); n > 0; --n) {
      const auto& [text, characters] = kPieces[below(static_cast<unsigned>(kPieces.size()))];
      out += text;
      shape.characters += characters;
    }
    return out + "\"";
  }

  void picture() {
    static const std::string kTypes[] = {"image/png", "IMAGE/JPEG", "image\\/webp", ""};
    static const std::string kRead[] = {"image/png", "image/jpeg", "image/webp", "image/*"};
    std::string bytes;
    const std::size_t size = below(200);
    for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(random()));
    std::string data = sim::base64(bytes);
    if (below(2) == 0) {
      while (!data.empty() && data.back() == '=') data.pop_back();
    }
    const bool escape = below(2) == 0;
    const unsigned line = below(3) == 0 ? 4 + below(72) : 0;
    std::string text;
    for (std::size_t i = 0; i < data.size(); ++i) {
      if (line != 0 && i != 0 && i % line == 0) text += below(2) == 0 ? "\\n" : "\\r\\n";
      if (escape && data[i] == '/') text += "\\";
      if (escape && data[i] == '=') {
        text += "\\u003d";
      } else {
        text += data[i];
      }
    }
    const unsigned type = below(4);
    body += R"({"type":"image_url","image_url":{"detail":"low","url":"data:)" + kTypes[type] + ";base64," + text + "\"}}";
    expected.push_back({kRead[type], size, true});
  }
};

}  // namespace

TEST_CASE("counts agree with what was written, for thousands of random requests") {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    const RandomRequest written(seed);
    INFO(written.body);
    const Shaped request(written.body);
    REQUIRE(request.shape.messages == written.shape.messages);
    REQUIRE(request.shape.parts == written.shape.parts);
    REQUIRE(request.shape.tools == written.shape.tools);
    REQUIRE(request.shape.characters == written.shape.characters);
    REQUIRE(media(request.shape) == written.expected);
    // And with what is decoded for reading: the same texts, counted a byte at a time.
    const Inspected read(written.body, Operation::kChat, chat::kWantPrompt);
    std::uint64_t characters = 0;
    for (const chat::PromptText& text : read.view.prompt) {
      for (const char c : text.text) characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
    }
    REQUIRE(request.shape.characters == characters);
  }
}
