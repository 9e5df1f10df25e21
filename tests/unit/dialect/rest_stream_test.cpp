// Streams of custom surfaces: in every framing, at every split, cut, failing, and told in pieces or as a whole each time.

#include <catch2/catch.hpp>

#include "base/utf8.hpp"
#include "unit/dialect/rest_support.hpp"

using namespace sluice;
using chat::Delta;
using chat::FinishReason;
using http::Framing;
using test::chats;
using test::gathered;
using test::read_stream;
using test::surface;

namespace {

/// A surface whose events say everything.
RestOptions streams(RestFraming framing) {
  RestOptions out = chats(R"({"q":{"$from":"/last_user"}})");
  out.chat->words = {{"cut", "length"}};
  out.chat->stream = RestStream{.framing = framing,
                                .event = {.text = "/t", .reasoning = "/r", .tool_calls = "/c", .finish = "/f", .input_tokens = "/n/in",
                                          .output_tokens = "/n/out", .id = "/id", .model = "/m"},
                                .end_if = {.pointer = "/done", .equals = "true"}};
  return out;
}

const std::vector<std::string> kEvents{
    R"({"id":"i1","m":"big","r":"hm"})", R"({"t":"Gr\u00fc"})", R"({"t":"ße 😀"})", R"({"note":"nothing"})",
    R"({"c":[{"index":0,"id":"x","function":{"name":"f","arguments":"{\"a\":"}}]})", R"({"c":[{"index":0,"function":{"arguments":"1}"}}]})",
    R"({"f":"cut","n":{"in":3,"out":7}})", R"({"done":true})"};

std::string framed(const std::vector<std::string>& events, Framing framing) {
  std::string out;
  for (std::size_t i = 0; i < events.size(); ++i) {
    switch (framing) {
      case Framing::kSse: out += "data: " + events[i] + "\n\n"; break;
      case Framing::kNdjson: out += events[i] + "\n"; break;
      default: out += (i == 0 ? "[" : ",\n") + events[i]; break;
    }
  }
  return framing == Framing::kJsonArray ? out + "]" : out;
}

std::string text_of(const std::vector<Delta>& deltas) {
  const chat::Message message = gathered(deltas);
  return message.choices.empty() ? "" : message.choices[0].turn.text();
}

}  // namespace

// DIAL-18
TEST_CASE("a stream of a custom surface means the same in every framing and at every split") {
  const auto [said, framing] = GENERATE(table<RestFraming, Framing>({{RestFraming::kSse, Framing::kSse}, {RestFraming::kNdjson, Framing::kNdjson}, {RestFraming::kJsonArray, Framing::kJsonArray}}));
  const auto mine = surface(streams(said));
  CHECK(mine->stream_framing(chat::Operation::kChat) == framing);
  const std::string stream = framed(kEvents, framing);
  const auto whole = read_stream(*mine, stream, framing);
  REQUIRE(whole);
  const chat::Message message = gathered(*whole);
  CHECK(message.id == "i1");
  CHECK(message.model == "big");
  REQUIRE(message.choices.size() == 1);
  CHECK(message.choices[0].turn.text() == "Grüße 😀");
  CHECK(test::thinking_of(message) == "hm");
  CHECK(message.choices[0].finish == FinishReason::kLength);
  CHECK(message.choices[0].native_finish == "cut");
  CHECK(test::calls_of(message).at(0).arguments == R"({"a":1})");
  CHECK(test::calls_of(message)[0].id == "x");
  CHECK(message.usage->input_tokens == 3u);
  CHECK(message.usage->output_tokens == 7u);
  for (std::size_t size = 1; size <= stream.size(); ++size) {
    const auto pieces = read_stream(*mine, stream, framing, size);
    REQUIRE(pieces);
    REQUIRE(gathered(*pieces) == message);
  }
}

TEST_CASE("raw text is given on at every split with its characters whole, and its end is the stream's") {
  RestOptions options = chats(R"({"q":{"$from":"/last_user"}})");
  options.chat->stream = RestStream{.framing = RestFraming::kRaw};
  const auto mine = surface(options);
  const std::string stream = "Gr\xc3\xbc\xc3\x9f" "e \xf0\x9f\x98\x80 \xe2\x82\xac {\"error\":1}\n\n";
  for (std::size_t size = 1; size <= stream.size(); ++size) {
    const auto deltas = read_stream(*mine, stream, Framing::kRaw, size);
    REQUIRE(deltas);
    REQUIRE(text_of(*deltas) == stream);
    REQUIRE(gathered(*deltas).choices[0].finish == FinishReason::kStop);
    for (const Delta& delta : *deltas) {
      if (const auto* text = delta.as<chat::TextDelta>()) REQUIRE(base::is_utf8(text->text));
    }
  }
  // What is no UTF-8 is nobody's to mend here.
  CHECK(text_of(*read_stream(*mine, "a\xff\xe2\x82", Framing::kRaw, 1)) == "a\xff\xe2\x82");
  CHECK(read_stream(*mine, "", Framing::kRaw)->back().as<chat::FinishDelta>() != nullptr);
}

TEST_CASE("a stream that was to say that it is over and did not is truncated") {
  const auto mine = surface(streams(RestFraming::kNdjson));
  for (std::size_t n = 0; n < 6; ++n) {
    const auto cut = read_stream(*mine, framed({kEvents.begin(), kEvents.begin() + static_cast<std::ptrdiff_t>(n)}, Framing::kNdjson), Framing::kNdjson);
    REQUIRE_FALSE(cut);
    CHECK(cut.error().code == Code::kUpstreamTruncated);
  }
  // A reason is enough of an end.
  CHECK(read_stream(*mine, framed({kEvents.begin(), kEvents.begin() + 7}, Framing::kNdjson), Framing::kNdjson));
}

TEST_CASE("the end of a stream is the one that was said: a value, a word, a reason, or that nothing follows") {
  RestOptions options = chats(R"({"q":{"$from":"/last_user"}})");
  options.chat->stream = RestStream{.event = {.text = "/t"}};
  const std::string said = framed({R"({"t":"a"})", R"({"t":"b"})"}, Framing::kSse);
  const auto open = read_stream(*surface(options), said, Framing::kSse);
  REQUIRE(open);
  CHECK(text_of(*open) == "ab");
  CHECK(gathered(*open).choices[0].finish == FinishReason::kStop);

  options.chat->stream->end_data = "[DONE]";
  CHECK(read_stream(*surface(options), said, Framing::kSse).error().code == Code::kUpstreamTruncated);
  CHECK(text_of(*read_stream(*surface(options), said + "data: [DONE]\n\ndata: {\"t\":\"late\"}\n\n", Framing::kSse)) == "ab");
  CHECK(read_stream(*surface(options), said + "data: [END]\n\n", Framing::kSse).error().code == Code::kUpstreamInvalidAnswer);

  options.chat->stream->end_data = "";
  options.chat->stream->event.finish = "/f";
  CHECK(read_stream(*surface(options), said, Framing::kSse).error().code == Code::kUpstreamTruncated);
  CHECK(read_stream(*surface(options), said + framed({R"({"f":null})", R"({"f":"length"})"}, Framing::kSse), Framing::kSse)->back().as<chat::FinishDelta>()->reason == FinishReason::kLength);
}

TEST_CASE("a text that comes as a whole each time is told by what is new of it") {
  RestOptions options = chats(R"({"q":{"$from":"/last_user"}})");
  options.chat->stream = RestStream{.framing = RestFraming::kNdjson, .event = {.text = "/t", .reasoning = "/r"}, .cumulative = true};
  const auto mine = surface(options);
  const auto deltas = read_stream(*mine, framed({R"({"r":"h"})", R"({"r":"hm","t":""})", R"({"t":"Gr\u00fc"})", R"({"t":"Gr\u00fc\u00dfe"})", R"({"t":"Gr\u00fc\u00dfe"})"}, Framing::kNdjson), Framing::kNdjson);
  REQUIRE(deltas);
  CHECK(text_of(*deltas) == "Grüße");
  CHECK(test::thinking_of(gathered(*deltas)) == "hm");
  const auto taken_back = GENERATE(as<std::string>(), R"({"t":"Gr"})", R"({"t":"Gros und mehr"})");
  const auto wrong = read_stream(*mine, framed({R"({"t":"Gr\u00fc"})", taken_back}, Framing::kNdjson), Framing::kNdjson);
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == Code::kUpstreamInvalidAnswer);
}

TEST_CASE("texts of events that are none of the answer's are passed over, and what else such an event says is not") {
  RestOptions options = streams(RestFraming::kNdjson);
  options.chat->stream->skip_if = {.pointer = "/special", .equals = "true"};
  const auto deltas = read_stream(*surface(options), framed({R"({"t":"a","special":false})", R"({"t":"</s>","special":true,"f":"stop","done":true})"}, Framing::kNdjson), Framing::kNdjson);
  REQUIRE(deltas);
  CHECK(text_of(*deltas) == "a");
  CHECK(gathered(*deltas).choices[0].finish == FinishReason::kStop);
}

// DIAL-17
TEST_CASE("an error in a stream ends it, and nothing behind it is told") {
  RestOptions options = streams(RestFraming::kNdjson);
  const auto deltas = read_stream(*surface(options), framed({R"({"t":"a"})", R"({"error":"full","error_type":"overloaded"})", R"({"t":"b"})"}, Framing::kNdjson), Framing::kNdjson);
  REQUIRE(deltas);
  const auto* failed = deltas->back().as<chat::ErrorDelta>();
  REQUIRE(failed != nullptr);
  CHECK(failed->error.code == Code::kUpstreamError);
  CHECK(failed->provider_text == "full");
  options.error_if = {.pointer = "/kind", .equals = "\"fault\""};
  options.error_message = "/text";
  const auto own = read_stream(*surface(options), framed({R"({"kind":"fault","text":"broken"})"}, Framing::kNdjson), Framing::kNdjson);
  CHECK(own->back().as<chat::ErrorDelta>()->provider_text == "broken");
}

TEST_CASE("calls that begin in one event and end in another are one, and those without an id get one") {
  RestOptions options = streams(RestFraming::kNdjson);
  const auto deltas = read_stream(*surface(options), framed({R"({"c":[{"index":0,"function":{"name":"f","arguments":""}},{"index":1,"function":{"name":"g","arguments":{"k":1}}}]})",
                                                             R"({"c":[{"index":0,"function":{"arguments":"{}"}}]})", R"({"done":true})"}, Framing::kNdjson), Framing::kNdjson);
  REQUIRE(deltas);
  const auto calls = test::calls_of(gathered(*deltas));
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].id == "call_0");
  CHECK(calls[0].arguments == "{}");
  CHECK(calls[1].id == "call_1");
  CHECK(calls[1].arguments == R"({"k":1})");
  CHECK(gathered(*deltas).choices[0].finish == FinishReason::kToolCalls);
}

TEST_CASE("pings are passed over, and what is no JSON is an error that quotes it") {
  const auto mine = surface(streams(RestFraming::kSse));
  CHECK(text_of(*read_stream(*mine, ": ping\n\ndata: \n\n" + framed(kEvents, Framing::kSse), Framing::kSse)) == "Grüße 😀");
  const auto odd = read_stream(*mine, "data: hello\n\n", Framing::kSse);
  REQUIRE_FALSE(odd);
  CHECK(odd.error().message.find("hello") != std::string::npos);
}
