// `transform`: what it changes, what it leaves alone, and what it refuses to be told.

#include "plugins/transform.hpp"

#include "unit/plugins/rig.hpp"

using namespace sluice;
using namespace sluice::plugins;
using Kind = Ruling::Kind;

TEST_CASE("fields and body values of a request are removed, then set, then added") {
  BuiltIn rig(make_transform("t", {.request_headers = {.set = {{"x-a", "new"}}, .add = {{"x-a", "more"}, {"x-b", "2"}, {"x-c", "3"}}, .remove = {"x-old"}},
                                   .body = {.set = {{"/user", "\"u\""}}, .remove = {"/seed"}}}));
  rig.host.exchange.fields = {{"x-a", "old"}, {"X-B", "0"}, {"x-b", "1"}, {"x-old", "1"}};
  REQUIRE(rig.request().kind == Kind::kGoOn);
  const Headers& fields = rig.host.exchange.fields;
  CHECK(fields.get("x-a") == "new, more");
  CHECK(fields.get("x-b") == "0, 1, 2");  // one field with a list says what three fields say
  CHECK(fields.count("x-b") == 1);
  CHECK(fields.get("x-c") == "3");
  CHECK_FALSE(fields.contains("x-old"));
  CHECK(rig.host.exchange.text == "hello-/seed+/user=\"u\"");
  CHECK(rig.end().at(0).verdict == "edit");
}

// PLUG-06
TEST_CASE("of two transforms each sees what the one before has made, and both changes are sent") {
  BuiltIn rig(make_transform("one", {.request_headers = {.add = {{"x-a", "1"}}}, .body = {.set = {{"/a", "1"}}}}));
  rig.add(*make_transform("two", {.request_headers = {.add = {{"x-a", "2"}}}, .body = {.set = {{"/b", "2"}}}}));
  REQUIRE(rig.request().kind == Kind::kGoOn);
  CHECK(rig.host.exchange.fields.get("x-a") == "1, 2");
  CHECK(rig.host.exchange.text == "hello+/a=1+/b=2");
}

TEST_CASE("fields of an answer are removed, then set, then added") {
  BuiltIn rig(make_transform("t", {.response_headers = {.set = {{"x-a", "new"}, {"set-cookie", "s"}}, .add = {{"x-b", "2"}}, .remove = {"x-old"}}}));
  REQUIRE(rig.request().kind == Kind::kGoOn);
  CHECK(rig.host.versions == 0);
  Headers head{{"x-a", "old"}, {"x-b", "1"}, {"x-old", "1"}};
  REQUIRE(rig.run->head(200, head).kind == Kind::kGoOn);
  CHECK(head.get("x-a") == "new");
  CHECK(head.get("x-b") == "1, 2");
  CHECK(head.get("set-cookie") == "s");
  CHECK_FALSE(head.contains("x-old"));
  CHECK(rig.end().at(0).hook == "head");
}

TEST_CASE("a transform asks for no more than its settings need") {
  const auto wants = [](const TransformPlugin& settings) { return (*make_transform("t", settings))->wants(); };
  CHECK(wants({.request_headers = {.remove = {"x-a"}}}) == kWantsRequestEdits);
  CHECK(wants({.body = {.remove = {"/a"}}}) == kWantsRequestEdits);
  CHECK(wants({.response_headers = {.remove = {"x-a"}}}) == kWantsHead);
  CHECK((*make_transform("t", {.body = {.remove = {"/a"}}}))->phase() == Phase::kTransform);
}

// PLUG-08
TEST_CASE("in observe mode a transform changes nothing, and its verdict is written down") {
  BuiltIn rig(make_transform("t", {.request_headers = {.set = {{"x-a", "1"}}}, .body = {.set = {{"/a", "1"}}}, .response_headers = {.set = {{"x-a", "1"}}}}),
              PluginMode::kObserve);
  REQUIRE(rig.request().kind == Kind::kGoOn);
  Headers head{{"x-b", "2"}};
  REQUIRE(rig.run->head(200, head).kind == Kind::kGoOn);
  CHECK(rig.host.versions == 0);
  CHECK(rig.host.exchange.text == "hello");
  CHECK(rig.host.exchange.fields.empty());
  CHECK(head.size() == 1);
  const auto verdicts = rig.end();
  REQUIRE(verdicts.size() == 2);
  for (const PluginVerdict& one : verdicts) {
    CHECK(one.observed);
    CHECK(one.verdict == "edit");
  }
}

namespace {

/// A request that takes no change.
struct Rigid final : RequestContext {
  const ExchangeView& exchange() const noexcept override { return view; }
  Resumer resumer() override { return {}; }
  void call(std::string_view, Request, CallBounds, std::function<void(Result<CallAnswer>)>) override {}
  void report(Detection) override {}
  Status set_header(std::string_view, std::string_view) override { return fail(Code::kInvalidParameter, "the field is the gateway's own"); }
  void remove_header(std::string_view) override {}
  Status set_body(std::string) override { return {}; }
  Status set_json(std::string_view, std::string_view) override { return fail(Code::kInvalidParameter, "/a/b leads through a text"); }
  Status remove_json(std::string_view) override { return fail(Code::kInvalidJson, "the body is no JSON"); }
  Status set_prompt_text(std::size_t, std::string_view) override { return fail(Code::kInvalidParameter, "no such part"); }
  Status choose(std::vector<RouteChoice>) override { return {}; }
  plugin::TestView view;
};

Error error_of(const TransformPlugin& settings) {
  Rigid request;
  const auto made = make_transform("t", settings);
  REQUIRE(made);
  const Verdict verdict = (*made)->open(request.view)->on_request(request);
  REQUIRE(verdict.kind() == Verdict::Kind::kFail);
  return verdict.error();
}

}  // namespace

TEST_CASE("a body the edits do not fit is its caller's error; a field that cannot be changed is the plugin's") {
  CHECK(error_of({.body = {.set = {{"/a/b", "1"}}}}).code == Code::kInvalidParameter);
  CHECK(error_of({.body = {.set = {{"/a/b", "1"}}}}).http_status == 400);
  CHECK(error_of({.body = {.remove = {"/a"}}}).code == Code::kInvalidJson);
  for (const TransformPlugin& settings : {TransformPlugin{.request_headers = {.set = {{"x-a", "1"}}}}, TransformPlugin{.request_headers = {.add = {{"x-a", "1"}}}}}) {
    CHECK(error_of(settings).code == Code::kPluginError);
    CHECK(error_of(settings).message == "plugin 't' cannot change a header field: the field is the gateway's own");
  }
}

// PLUG-10
TEST_CASE("settings a transform cannot honour are refused where they stand") {
  check_refused(make_transform("t", {}), "", "changes nothing");
  check_refused(make_transform("t", {.request_headers = {.set = {{"", "1"}}}}), "/request_headers/set/", "no header field name");
  check_refused(make_transform("t", {.request_headers = {.set = {{"a b", "1"}}}}), "/request_headers/set/a b", "no header field name");
  check_refused(make_transform("t", {.request_headers = {.add = {{"x~a", "1\r\nx-b: 2"}}}}), "/request_headers/add/x~0a", "control character");
  check_refused(make_transform("t", {.request_headers = {.set = {{"Host", "a"}}}}), "/request_headers/set/Host", "writes \"Host\" itself");
  check_refused(make_transform("t", {.request_headers = {.remove = {"x-a", "Authorization"}}}), "/request_headers/remove/1", "carries a credential");
  check_refused(make_transform("t", {.request_headers = {.set = {{"accept-encoding", "br"}}}}), "/request_headers/set/accept-encoding", "compressed");
  check_refused(make_transform("t", {.request_headers = {.set = {{"X-A", "1"}, {"x-a", "2"}}}}), "/request_headers/set/x-a", "the same field as \"X-A\"");
  check_refused(make_transform("t", {.request_headers = {.set = {{"x-a", "1"}}, .remove = {"X-A"}}}), "/request_headers/remove/0", "the same field");
  check_refused(make_transform("t", {.response_headers = {.set = {{"transfer-encoding", "1"}}}}), "/response_headers/set/transfer-encoding", "itself");
  check_refused(make_transform("t", {.response_headers = {.add = {{"Set-Cookie", "a=b"}}}}), "/response_headers/add/Set-Cookie", "use \"set\"");
  check_refused(make_transform("t", {.body = {.set = {{"user", "1"}}}}), "/body/set/user", "must be a JSON Pointer");
  check_refused(make_transform("t", {.body = {.set = {{"", "1"}}}}), "/body/set/", "must be a JSON Pointer");
  check_refused(make_transform("t", {.body = {.set = {{"/a~2", "1"}}}}), "/body/set/~1a~02", "must be a JSON Pointer");
  check_refused(make_transform("t", {.body = {.set = {{"/user", "{"}}}}), "/body/set/~1user", "value \"{\"");
  check_refused(make_transform("t", {.body = {.remove = {"/model"}}}), "/body/remove/0", "cannot be changed here");
  check_refused(make_transform("t", {.body = {.set = {{"/stream_options/include_usage", "true"}}}}), "/body/set/~1stream_options~1include_usage", "usage itself");
  check_refused(make_transform("t", {.body = {.set = {{"/a/b", "1"}}, .remove = {"/a"}}}), "/body/remove/0", "\"/a\" overlaps \"/a/b\"");
  CHECK(make_transform("t", {.response_headers = {.set = {{"cookie", "1"}}}}));  // an answer carries no credential of ours
  CHECK(make_transform("t", {.request_headers = {.set = {{"x-a", "1"}}, .add = {{"X-A", "2"}}}}));
}
