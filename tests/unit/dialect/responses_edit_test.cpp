// Texts of responses read and changed where they stand.

#include <catch2/catch.hpp>
#include <set>
#include <utility>

#include "unit/dialect/editing.hpp"
#include "unit/dialect/responses_wire.hpp"

using namespace sluice;
using chat::Delta;
using dialect::openai_responses;
using test::AnswerText;
using test::AnswerTexts;
using test::canonical;
using test::events_of;
using test::json_at;
using test::Said;
using test::said_by;
using test::TextChannel;
using test::WireEvent;

namespace {

std::unique_ptr<dialect::AnswerEditor> editor(bool streaming) { return openai_responses().answer_editor(chat::Operation::kChat, streaming); }

/// A stream with each channel in it, as our own encoder writes it.
std::vector<WireEvent> stream() {
  const auto encoder = openai_responses().delta_encoder({});
  std::string out;
  for (const Delta& delta : std::vector<Delta>{{0, chat::AnswerStart{"resp_1", "m"}},
                                               {0, chat::ThinkingDelta{"se"}},
                                               {0, chat::ThinkingDelta{"cret"}},
                                               {0, chat::TextDelta{"se"}},
                                               {0, chat::TextDelta{"cret \"x\""}},
                                               {0, chat::LogprobsDelta{{{{.token = "se"}}, {}}}},
                                               {0, chat::RefusalDelta{"no"}},
                                               {0, chat::ToolCallStart{0, chat::ToolKind::kFunction, "c", "f"}},
                                               {0, chat::ToolCallDelta{0, "{\"a\":1}"}},
                                               {0, chat::ToolCallStart{1, chat::ToolKind::kCustom, "d", "g"}},
                                               {0, chat::ToolCallDelta{1, "in"}},
                                               {0, chat::FinishDelta{}}}) {
    encoder->encode(delta, out);
  }
  encoder->end(out);
  return events_of(out);
}

/// What a caller gets of `events` where `change` is made to every text and `added` is put before the ends.
template <typename F>
std::vector<WireEvent> edited(const std::vector<WireEvent>& events, F&& change, const std::vector<std::pair<dialect::TextAddress, std::string>>& added = {}) {
  const auto edit = editor(true);
  std::vector<WireEvent> out;
  std::vector<std::pair<std::string, AnswerTexts>> ends;
  const auto give = [&](const std::string& name, const AnswerTexts& texts) {
    std::string data(texts.data());
    if (texts.changed()) {
      std::string twice;
      edit->write(texts, twice);  // whoever notes what was said asks for it, too
      data.clear();
      edit->write(texts, data);
      CHECK(data == twice);
    }
    out.push_back({name, data});
  };
  for (const WireEvent& event : events) {
    AnswerTexts texts;
    REQUIRE(edit->read(event.data, texts));
    for (AnswerText& text : texts.texts()) change(text);
    if (texts.ends()) {
      ends.emplace_back(event.name, std::move(texts));
    } else {
      give(event.name, texts);
    }
  }
  for (const auto& [to, text] : added) {
    std::string data;
    REQUIRE(edit->add_event(to, text, data));
    out.push_back({json_at(data, "/type"), data});
  }
  for (const auto& [name, texts] : ends) give(name, texts);
  return out;
}

std::string all_of(const std::vector<WireEvent>& events) {
  std::string out;
  for (const WireEvent& event : events) out += event.data + "\n";
  return out;
}

}  // namespace

TEST_CASE("every text of a stream is told once, and its ends are kept for the end") {
  const auto edit = editor(true);
  std::vector<Said> said;
  std::string after;
  for (const WireEvent& event : stream()) {
    AnswerTexts texts;
    REQUIRE(edit->read(event.data, texts));
    for (const Said& one : said_by(texts)) said.push_back(one);
    const bool done = event.name.ends_with(".done") || event.name == "response.completed";
    CHECK(texts.ends() == done);
  }
  CHECK(said == std::vector<Said>{{0, TextChannel::kReasoning, "se"}, {0, TextChannel::kReasoning, "cret"}, {0, TextChannel::kText, "se"},
                                  {0, TextChannel::kText, "cret \"x\""}, {0, TextChannel::kRefusal, "no"},
                                  {0, TextChannel::kToolArguments, "", 0, "f"}, {0, TextChannel::kToolArguments, "{\"a\":1}", 0},
                                  {0, TextChannel::kToolArguments, "", 1, "g"}, {0, TextChannel::kToolArguments, "in", 1}});
}

TEST_CASE("a stream that nobody changes keeps every byte of its events") {
  const auto events = stream();
  const auto out = edited(events, [](AnswerText&) {});
  REQUIRE(out.size() == events.size());
  std::vector<std::string> was, is;
  for (const WireEvent& event : events) was.push_back(event.data);
  for (const WireEvent& event : out) is.push_back(event.data);
  std::sort(was.begin(), was.end());
  std::sort(is.begin(), is.end());
  CHECK(is == was);
}

TEST_CASE("a changed text is changed wherever the stream says it again") {
  const auto out = edited(stream(), [](AnswerText& text) {
    if (text.address.channel == TextChannel::kText || text.address.channel == TextChannel::kReasoning) text.replacement = text.text == "se" ? "*" : "";
  });
  CHECK(all_of(out).find("cret") == std::string::npos);
  const std::string& last = out.back().data;
  CHECK(json_at(last, "/response/output/0/summary/0/text") == R"("*")");
  CHECK(json_at(last, "/response/output/1/content/0/text") == R"("*")");
  CHECK(json_at(last, "/response/output/1/content/0/logprobs") == "null");
  CHECK(json_at(last, "/response/output/1/content/1/refusal") == R"("no")");
  CHECK(json_at(last, "/response/output/2/arguments") == R"("{\"a\":1}")");
  // What is read of it, by deltas and by its end, is the same.
  const chat::Message message = test::gathered(test::deltas_of(out, openai_responses()));
  CHECK(message.choices[0].turn.text() == "*");
}

TEST_CASE("arguments and refusals are changed like texts") {
  const auto out = edited(stream(), [](AnswerText& text) {
    if (text.address.channel == TextChannel::kToolArguments && !text.text.empty()) text.replacement = text.address.tool_index == 0 ? R"({"b":"\n"})" : "out";
    if (text.address.channel == TextChannel::kRefusal) text.replacement = "never";
  });
  const std::string& last = out.back().data;
  CHECK(json_at(last, "/response/output/2/arguments") == R"("{\"b\":\"\\n\"}")");
  CHECK(json_at(last, "/response/output/3/input") == R"("out")");
  CHECK(json_at(last, "/response/output/1/content/1/refusal") == R"("never")");
  CHECK(all_of(out).find("{\\\"a\\\"") == std::string::npos);
}

TEST_CASE("text that is emitted at the end stands before what ends its part, and in all that says it again") {
  const auto out = edited(stream(), [](AnswerText&) {},
                          {{{0, TextChannel::kText, 0}, "!"}, {{0, TextChannel::kReasoning, 0}, "?"}, {{0, TextChannel::kToolArguments, 1}, "+"}});
  const chat::Message message = test::gathered(test::deltas_of(out, openai_responses()));
  CHECK(message.choices[0].turn.text() == "secret \"x\"!");
  const std::string& last = out.back().data;
  CHECK(json_at(last, "/response/output/1/content/0/text") == R"("secret \"x\"!")");
  CHECK(json_at(last, "/response/output/0/summary/0/text") == R"("secret?")");
  CHECK(json_at(last, "/response/output/3/input") == R"("in+")");
  std::string data;
  CHECK(editor(true)->add_event({0, TextChannel::kText, 0}, "x", data).error().code == Code::kPluginError);
  CHECK(editor(true)->add_event({0, TextChannel::kToolArguments, 4}, "x", data).error().code == Code::kPluginError);
}

TEST_CASE("what a server says only when it is done is told there, and can be parted from its end") {
  const auto edit = editor(true);
  AnswerTexts texts;
  REQUIRE(edit->read(R"({"type":"response.output_text.done","item_id":"m","output_index":0,"content_index":0,"text":"all"})", texts));
  CHECK(said_by(texts) == std::vector<Said>{{0, TextChannel::kText, "all"}});
  texts.texts()[0].replacement = "none";
  std::string said, end;
  REQUIRE(edit->split(texts, said, end));
  CHECK(json_at(said, "/delta") == R"("")");
  CHECK(json_at(end, "/text") == R"("none")");
  AnswerTexts whole;
  REQUIRE(edit->read(R"({"type":"response.completed","response":{"output":[{"type":"message","content":[{"type":"output_text","text":"all"}]}]}})", whole));
  CHECK(whole.texts().empty());
  std::string out;
  edit->write(whole, out);
  CHECK(json_at(out, "/response/output/0/content/0/text") == R"("none")");
  AnswerTexts broken;
  CHECK(editor(true)->read("<b>", broken).error().code == Code::kUpstreamInvalidAnswer);
}

TEST_CASE("arguments that a call has only when it is done are told then, though it began without") {
  // The call's beginning was taken for all that it says, and its arguments went by unread.
  const auto edit = editor(true);
  AnswerTexts begun, done;
  REQUIRE(edit->read(R"({"type":"response.output_item.added","output_index":2,"item":{"id":"fc","type":"function_call","call_id":"c","name":"f","arguments":""}})", begun));
  CHECK(said_by(begun) == std::vector<Said>{{0, TextChannel::kToolArguments, "", 0, "f"}});
  REQUIRE(edit->read(R"({"type":"response.function_call_arguments.done","item_id":"fc","output_index":2,"arguments":"{}"})", done));
  CHECK(said_by(done) == std::vector<Said>{{0, TextChannel::kToolArguments, "{}"}});
}

TEST_CASE("an end that says another thing than the deltas did says what they did, also where it counts its items differently") {
  const auto edit = editor(true);
  AnswerTexts texts;
  REQUIRE(edit->read(R"({"type":"response.output_item.added","output_index":2,"item":{"id":"m","type":"message","content":[]}})", texts));
  REQUIRE(edit->read(R"({"type":"response.output_text.delta","item_id":"m","output_index":2,"content_index":0,"delta":"told"})", texts));
  REQUIRE(edit->read(R"({"type":"response.completed","response":{"output":[{"id":"m","type":"message","content":[{"type":"output_text","text":"told and more"}]}]}})", texts));
  CHECK(texts.texts().empty());
  CHECK(json_at(test::written(*edit, texts), "/response/output/0/content/0/text") == R"("told")");
}

TEST_CASE("a whole response has its texts told and changed, and text added where it could stand") {
  constexpr std::string_view body = R"({ "output":[{"type":"reasoning","summary":[{"type":"summary_text","text":"hm"}],"content":[{"type":"reasoning_text","text":"deep"}]},
    {"type":"message","content":[{"type":"output_text","text":"a\u0062","logprobs":[{"token":"a"}]},{"type":"refusal","refusal":"no"}]},
    {"type":"function_call","name":"f","arguments":"{}"},{"type":"message","content":[{"type":"output_text","text":"c"}]}],"output_text":"abc"})";
  const auto edit = editor(false);
  AnswerTexts texts = test::read(*edit, body);
  CHECK(said_by(texts) == std::vector<Said>{{0, TextChannel::kReasoning, "hm"}, {0, TextChannel::kReasoning, "deep"}, {0, TextChannel::kText, "ab"},
                                            {0, TextChannel::kRefusal, "no"}, {0, TextChannel::kToolArguments, "{}", 0, "f"}, {0, TextChannel::kText, "c"}});
  CHECK(test::written(*edit, texts) == body);
  texts.texts()[2].replacement = "X";
  REQUIRE(edit->add_text({0, TextChannel::kText, 0}, "!", texts));
  const std::string out = test::written(*edit, texts);
  CHECK(json_at(out, "/output/1/content/0/text") == R"("X")");
  CHECK(json_at(out, "/output/1/content/0/logprobs") == "null");
  CHECK(json_at(out, "/output/3/content/0/text") == R"("c!")");
  CHECK(json_at(out, "/output_text") == R"("Xc!")");

  AnswerTexts empty = test::read(*edit, R"({"output":[]})");
  REQUIRE(edit->add_text({0, TextChannel::kText, 0}, "new", empty));
  CHECK(json_at(test::written(*edit, empty), "/output/0/content/0/text") == R"("new")");
  CHECK(edit->add_text({0, TextChannel::kToolArguments, 0}, "x", empty).error().code == Code::kPluginError);
}

namespace {

/// What is wrong with a response that ends behind `given` in `end`; empty: nothing.
std::string mistake_in(const std::vector<WireEvent>& given, const std::vector<WireEvent>& end, std::string_view terminal) {
  std::set<std::string> items, parts;
  std::string said, told;
  int number = -1;
  const auto text_at = [](std::string_view json, const std::string& pointer) {
    const std::string text = json_at(json, pointer);  // a string as it is escaped
    return text.size() < 2 ? text : text.substr(1, text.size() - 2);
  };
  std::vector<WireEvent> all = given;
  all.insert(all.end(), end.begin(), end.end());
  for (const WireEvent& event : all) {
    const std::string at = json_at(event.data, "/output_index"), part = at + json_at(event.data, "/content_index") + "/" + json_at(event.data, "/summary_index");
    // Those of ends that were kept back are left out.
    if (std::stoi(json_at(event.data, "/sequence_number")) <= std::exchange(number, std::stoi(json_at(event.data, "/sequence_number")))) return "numbers do not rise at " + event.data;
    if (event.name == "response.output_item.added") items.insert(at);
    if (event.name == "response.output_item.done" && items.erase(at) != 1) return "the end of no item";
    if (event.name.ends_with("part.added")) parts.insert(part);
    if (event.name.ends_with("part.done") && parts.erase(part) != 1) return "the end of no part";
    if (event.name == "response.output_text.delta") said += text_at(event.data, "/delta");
  }
  if (all.back().name != terminal) return "it ends in " + all.back().name;
  if (terminal == "response.incomplete" && !(items.empty() && parts.empty())) return "something is still open";
  for (int i = 0; i < 6; ++i) {
    for (int k = 0; k < 3; ++k) told += text_at(all.back().data, "/response/output/" + std::to_string(i) + "/content/" + std::to_string(k) + "/text");
  }
  return told == said ? "" : "it says '" + told + "' of '" + said + "'";
}

}  // namespace

TEST_CASE("at every place of a response, however much was read ahead, an early end says what was given and closes it") {
  const std::vector<WireEvent> events = stream();
  const bool filtered = GENERATE(true, false);
  for (std::size_t cut = 1; cut < events.size(); ++cut) {
    for (const std::size_t ahead : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{5}}) {
      INFO("behind " << cut << " events, " << ahead << " read ahead");
      const auto edit = editor(true);
      std::vector<WireEvent> given;
      for (std::size_t i = 0; i < std::min(cut + ahead, events.size()); ++i) {
        AnswerTexts texts;
        REQUIRE(edit->read(events[i].data, texts));
        if (texts.ends() || i >= cut) continue;
        edit->gave(texts);
        given.push_back(events[i]);
      }
      const auto end = events_of(test::early_end(*edit, filtered));
      CHECK(mistake_in(given, end, filtered ? "response.incomplete" : "response.failed") == "");
    }
  }
}
