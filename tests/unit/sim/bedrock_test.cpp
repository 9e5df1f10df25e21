// The Bedrock dialect: what is its own, its frames, and that its answers could have been recorded.
#include "sim/bedrock.hpp"

#include <catch2/catch.hpp>

#include <string>

#include "sim/aws_frame.hpp"
#include "unit/sim/recordings.hpp"
#include "unit/sim/rig.hpp"
#include "unit/sim/tongues.hpp"

using namespace sluice;
using namespace sluice::sim;

TEST_CASE("a conversation counts all texts, calls and results of its prompt") {
  Rig rig;
  // "Be brief." 3, "Count to two" 3, f 1, {"x":1} 7, {"y":2} 7, "one two" 2
  const Parsed answer(rig.run(Rig::post("/model/m/converse", R"({"system":[{"text":"Be brief."}],"messages":[
      {"role":"user","content":[{"text":"Count to two"},{"image":{"format":"png","source":{"bytes":"AAAA"}}}]},
      {"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"f","input":{"x":1}}}]},
      {"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"json":{"y":2}},{"text":"one two"}]}}]}]})"))->body);
  CHECK(answer.integer("/usage/inputTokens") == 23);
  CHECK(answer.integer("/usage/totalTokens") == 23 + answer.integer("/usage/outputTokens"));
}

TEST_CASE("the path names the model, escaped once") {
  Rig rig;
  rig.script().models({"us.maker.model-v1:0", "arn:aws:bedrock:us-east-1:1:inference-profile/p"});
  const std::string body = R"({"messages":[{"role":"user","content":[{"text":"x"}]}]})";
  CHECK(rig.run(Rig::post("/model/us.maker.model-v1%3A0/converse", body))->head.status == 200);
  CHECK(rig.run(Rig::post("/model/arn%3aaws%3abedrock%3aus-east-1%3a1%3ainference-profile%2Fp/converse-stream", body))->head.status == 200);
  CHECK(rig.run(Rig::post("/model/other/converse", body))->head.status == 400);
}

TEST_CASE("frames are those of the recordings: a checksum of the lengths, and one of all before it") {
  CHECK(crc32("") == 0);
  CHECK(crc32("123456789") == 0xcbf43926U);  // the check value every table of CRCs gives
  const std::string frame = aws_frame({{":event-type", "x"}}, "{}");
  CHECK(frame.size() == 16 + 1 + 11 + 1 + 2 + 1 + 2);
  const auto read = frames(frame);
  REQUIRE(read.size() == 1);
  CHECK(read[0].event == "x");
  CHECK(read[0].payload == "{}");
}

TEST_CASE("a stream is frames with three headers each, usage last, and a text has no start") {
  Rig rig;
  const auto heard = rig.run(tongue("bedrock").ask(true, 0));
  CHECK(heard->head.headers.get("content-type") == "application/vnd.amazon.eventstream");
  const auto list = frames(heard->body);
  std::string order;
  for (const Frame& frame : list) {
    CHECK(frame.message == "event");
    CHECK(frame.content == "application/json");
    CHECK_FALSE(Parsed(frame.payload).text("/p").empty());
    order += frame.event + " ";
  }
  CHECK(order == "messageStart contentBlockDelta contentBlockDelta contentBlockDelta contentBlockDelta contentBlockDelta contentBlockStop "
                 "messageStop metadata ");
}

TEST_CASE("what breaks off is an exception, named in a header") {
  Rig rig;
  testing::Fault broken = fault(testing::Fault::Kind::kErrorInStream);
  broken.after_events = 2;
  rig.script().fails(broken);
  const auto list = frames(rig.run(tongue("bedrock").ask(true, 0))->body);
  REQUIRE(list.size() == 3);
  CHECK(list[2].message == "exception");
  CHECK(list[2].event == "internalServerException");
  CHECK_FALSE(Parsed(list[2].payload).text("/message").empty());
}

TEST_CASE("the kind of an error stands in a header, behind it where it comes from") {
  Rig rig;
  for (const auto& [status, type] : {std::pair(400, "ValidationException"), {403, "AccessDeniedException"}, {404, "ResourceNotFoundException"},
                                     {408, "ModelTimeoutException"}, {429, "ThrottlingException"}, {500, "InternalServerException"},
                                     {503, "ServiceUnavailableException"}}) {
    rig.script().fails_with(status);
    for (const bool stream : {false, true}) {
      const auto heard = rig.run(tongue("bedrock").ask(stream, 0));
      CHECK(heard->head.headers.get("x-amzn-errortype").value_or("").starts_with(std::string(type) + ":http"));
      CHECK(heard->head.headers.get("content-type") == "application/json");
      CHECK(heard->head.headers.get("x-amzn-requestid"));
    }
  }
  rig.script().fails({});
  CHECK_FALSE(rig.run(tongue("bedrock").ask(false, 0))->head.headers.get("x-amzn-errortype"));
}

TEST_CASE("conversations could have been recorded: text, tool calls, length, cached") {
  if (recordings_missing("bedrock")) return;
  Shapes shapes({"input", "trace"});
  for (const Recorded& one : recorded_under("bedrock/converse")) shapes.learn(one.body);
  REQUIRE(shapes.learned() > 20);
  Rig rig;
  const auto differences = [&](std::uint64_t max_tokens) { return shapes.differences(rig.run(tongue("bedrock").ask(false, max_tokens))->body); };
  CHECK(differences(0).empty());
  CHECK(differences(2).empty());
  rig.script().cached(2);
  CHECK(differences(0).empty());
  rig.script().calls({{"", "a", R"({"x": 1})"}, {"", "b", ""}});
  CHECK(differences(0).empty());
}

TEST_CASE("the frames of a conversation could have been recorded, exceptions too") {
  if (recordings_missing("bedrock")) return;
  Shapes shapes({"input", "trace"});
  std::size_t read = 0;
  for (const Recorded& one : recorded_under("bedrock/converse-stream")) {
    for (const Frame& frame : frames(one.body)) {
      shapes.learn(frame.payload, frame.message + " " + (frame.message == "event" ? frame.event : ""));
      ++read;
    }
  }
  REQUIRE(read > 500);
  Rig rig;
  const auto compare = [&] {
    for (const Frame& frame : frames(rig.run(tongue("bedrock").ask(true, 0))->body)) {
      CHECK(shapes.differences(frame.payload, frame.message + " " + (frame.message == "event" ? frame.event : "")).empty());
    }
  };
  compare();
  rig.script().cached(2);
  compare();
  rig.script().calls({{"", "a", R"({"x": 1})"}, {"", "b", ""}});
  compare();
  testing::Fault broken = fault(testing::Fault::Kind::kErrorInStream);
  broken.after_events = 2;
  rig.script().fails(broken);
  compare();
}

TEST_CASE("Bedrock's errors could have been recorded") {
  if (recordings_missing("bedrock")) return;
  Shapes errors;
  for (const Recorded& one : recorded_under("bedrock/converse", 0)) errors.learn(one.body);
  REQUIRE(errors.learned() > 3);
  Rig rig;
  rig.script().models({"other"});
  CHECK(errors.differences(rig.run(tongue("bedrock").ask(true, 0))->body).empty());
  rig.script().fails_with(429);
  CHECK(errors.differences(rig.run(tongue("bedrock").ask(false, 0))->body).empty());
}
