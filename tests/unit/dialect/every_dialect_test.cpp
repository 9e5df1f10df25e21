// What every dialect must do alike, whoever the caller and whoever the server.

#include <catch2/catch.hpp>

#include "dialect/providers.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::Operation;
using dialect::Dialect;
using http::Framing;

namespace {

/// Dialects that clients have chats in.
std::vector<const Dialect*> talkers() {
  std::vector<const Dialect*> out;
  for (const std::string_view name : dialect::dialect_names()) {
    const Dialect* one = dialect::find_dialect(name);
    if (one->serves(Operation::kChat)) out.push_back(one);
  }
  return out;
}

Framing framing_of(const Dialect& one) {
  if (&one == &dialect::bedrock()) return Framing::kAwsEvents;
  return &one == &dialect::ollama() ? Framing::kNdjson : Framing::kSse;
}

using Events = std::vector<std::pair<std::string, std::string>>;

Events events_in(std::string_view stream, Framing framing) {
  const auto reader = http::make_event_reader(framing, 1u << 20);
  reader->feed(stream);
  Events out;
  http::StreamEvent event;
  while (*reader->next(event)) {
    if (event.has_data) out.emplace_back(event.name, event.data);
  }
  return out;
}

std::vector<chat::Delta> decoded(const Dialect& from, const Events& events) {
  const auto decoder = from.delta_decoder({});
  std::vector<chat::Delta> out;
  for (const auto& [name, data] : events) REQUIRE(decoder->on_event(name, data, out));
  REQUIRE(decoder->on_end());
  return out;
}

std::string encoded(const Dialect& to, const std::vector<chat::Delta>& deltas) {
  const auto encoder = to.delta_encoder({.framing = framing_of(to), .model = "m"});
  std::string out;
  for (const chat::Delta& delta : deltas) encoder->encode(delta, out);
  encoder->end(out);
  return out;
}

chat::Message gathered(const std::vector<chat::Delta>& deltas) {
  chat::Gatherer gatherer;
  for (const chat::Delta& delta : deltas) gatherer.add(delta);
  return gatherer.take();
}

chat::Message answer_of(std::string text) {
  chat::Message out;
  out.id = "a1";
  out.model = "m";
  out.choices.resize(1);
  out.choices[0].turn.parts.push_back({chat::Text{.text = std::move(text)}});
  out.choices[0].finish = chat::FinishReason::kStop;
  return out;
}

}  // namespace

// DIAL-13
TEST_CASE("counts that a later event of Anthropic's corrects reach callers of every dialect corrected") {
  const auto deltas = decoded(dialect::anthropic(),
                              {{"message_start", R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":8834,"output_tokens":1}}})"},
                               {"content_block_start", R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"},
                               {"content_block_delta", R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}})"},
                               {"content_block_stop", R"({"type":"content_block_stop","index":0})"},
                               {"message_delta", R"({"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":18,"cache_read_input_tokens":8831,"output_tokens":5}})"},
                               {"message_stop", R"({"type":"message_stop"})"}});
  for (const Dialect* caller : talkers()) {
    INFO(caller->name());
    const chat::Message heard = gathered(decoded(*caller, events_in(encoded(*caller, deltas), framing_of(*caller))));
    REQUIRE(heard.usage);
    CHECK(heard.usage->input_tokens == 8849u);
    CHECK(heard.usage->output_tokens == 5u);
    if (caller != &dialect::ollama()) CHECK(heard.usage->cached_input_tokens == 8831u);  // who has no such count
  }
}

// DIAL-14
TEST_CASE("usage that nobody knows is absent in every dialect, or 0 where its clients cannot do without") {
  for (const Dialect* caller : talkers()) {
    INFO(caller->name());
    chat::LossReport loss;
    const std::string whole = caller->encode_answer(answer_of("hi"), {.model = "m"}, loss);
    const std::string stream = encoded(*caller, chat::to_deltas(answer_of("hi")));
    if (caller == &dialect::anthropic()) {
      CHECK(whole.find(R"("input_tokens":0,"output_tokens":0)") != std::string::npos);
      continue;
    }
    for (const std::string& told : {whole, stream}) {
      INFO(told);
      for (const char* count : {"prompt_tokens", "input_tokens", "inputTokens", "TokenCount", "eval_count", "billed_units"}) CHECK(told.find(count) == std::string::npos);
      // OpenAI's responses have the member always, null where there is nothing in it.
      if (caller != &dialect::openai_responses()) CHECK(told.find("\"usage\"") == std::string::npos);
    }
  }
}

// DIAL-16
TEST_CASE("cache marks go to servers whose schema has them, and to no others") {
  const auto marked = test::parsed(R"({"model":"m","max_tokens":9,"system":[{"type":"text","text":"rules","cache_control":{"type":"ephemeral"}}],
    "messages":[{"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]}],
    "tools":[{"name":"f","input_schema":{"type":"object"},"cache_control":{"type":"ephemeral"}}]})");
  const auto plain = test::parsed(R"({"model":"m","max_tokens":9,"system":"rules","messages":[{"role":"user","content":"hi"}],"tools":[{"name":"f","input_schema":{"type":"object"}}]})");
  for (const Dialect* server : talkers()) {
    INFO(server->name());
    const auto sent = [&](const json::Document& document) {
      chat::LossReport loss;
      const std::uint32_t quirks = server == &dialect::openai() ? dialect::find_provider("openai")->quirks : 0;
      return server->encode_request(*dialect::anthropic().decode_request(document, Operation::kChat), {.model = "anthropic.claude-sonnet-4", .quirks = quirks}, loss);
    };
    const std::string with = sent(marked);
    std::size_t marks = 0;
    for (const std::string_view mark : {"\"cache_control\"", "\"cachePoint\""}) {
      for (std::size_t at = with.find(mark); at != std::string::npos; at = with.find(mark, at + 1)) ++marks;
    }
    const bool has_them = server == &dialect::anthropic() || server == &dialect::bedrock();
    CHECK(marks == (has_them ? 3 : 0));
    CHECK(sent(plain).find("cache") == std::string::npos);
  }
}

// DIAL-19
TEST_CASE("an event that is no JSON is an error of every dialect's decoder, and not passed over") {
  for (const Dialect* server : talkers()) {
    INFO(server->name());
    for (const char* broken : {R"({"type":"message_start",)", "oops", "[1", R"({"a":"\ud83d"})"}) {
      INFO(broken);
      std::vector<chat::Delta> out;
      const Status status = server->delta_decoder({})->on_event(server == &dialect::bedrock() ? "contentBlockDelta" : "", broken, out);
      REQUIRE_FALSE(status);
      CHECK(status.error().code == Code::kUpstreamInvalidAnswer);
      CHECK(out.empty());
    }
  }
}

// DIAL-20
TEST_CASE("text that looks like framing stays in its string between every two dialects, and adds no event") {
  const std::string texts[] = {"a\n\ndata: [DONE]\n\nb", "a\rb", "a\u2028b", "event: error\ndata: {}\n\n", "}\n{\"done\":true}\n"};
  for (const Dialect* server : talkers()) {
    for (const Dialect* caller : talkers()) {
      for (const std::string& text : texts) {
        INFO(server->name() << " -> " << caller->name() << ": " << text);
        const auto through = [&](std::string said) {
          const std::string sent = encoded(*server, chat::to_deltas(answer_of(std::move(said))));
          return events_in(encoded(*caller, decoded(*server, events_in(sent, framing_of(*server)))), framing_of(*caller));
        };
        const Events events = through(text);
        CHECK(gathered(decoded(*caller, events)).choices.at(0).turn.text() == text);
        CHECK(events.size() == through("plain").size());
      }
    }
  }
}

// DIAL-23
TEST_CASE("events and members that no dialect knows are passed over on the way into another") {
  for (const Dialect* server : talkers()) {
    Events events = events_in(encoded(*server, chat::to_deltas(answer_of("hi"))), framing_of(*server));
    for (auto& [name, data] : events) {
      if (data != "[DONE]") data.insert(1, R"("x_vendor":{"a":1},)");
    }
    const bool frames = server == &dialect::bedrock();
    events.insert(events.begin() + 1, {frames ? "vendorProgress" : "vendor.progress", frames ? R"({"x_vendor":40})" : R"({"type":"vendor.progress","x_vendor":40})"});
    for (const Dialect* caller : talkers()) {
      INFO(server->name() << " -> " << caller->name());
      if (caller == server) continue;
      const std::string told = encoded(*caller, decoded(*server, events));
      CHECK(told.find("x_vendor") == std::string::npos);
      CHECK(told.find("vendor") == std::string::npos);
      CHECK(gathered(decoded(*caller, events_in(told, framing_of(*caller)))).choices.at(0).turn.text() == "hi");
    }
  }
}
