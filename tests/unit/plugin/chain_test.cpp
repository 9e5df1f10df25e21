// The chain of a route: order, replacement, wants, and what is refused at load.

#include "plugin/chain.hpp"

#include "unit/plugin/rig.hpp"

using namespace sluice;
using namespace sluice::plugin;

namespace {

struct Lists {
  Rig rig;
  std::vector<Link> gateway, route;

  Result<std::shared_ptr<const Chain>> compile(bool opaque = false) {
    return Chain::compile({gateway, "/gateway/plugins"}, {route, "/routes/3/plugins"}, opaque);
  }
  Link of(std::string name, Phase phase = Phase::kGuard, Wants wants = kWantsRequest) {
    return rig.link({.name = std::move(name), .wants = wants, .phase = phase});
  }
  Link watcher(std::string name, Wants wants) { return {std::make_shared<const Watcher>(std::move(name), wants, rig.diary)}; }
};

std::vector<std::string> names(const Chain& chain) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < chain.size(); ++i) out.emplace_back(chain[i].name);
  return out;
}

using Names = std::vector<std::string>;

}  // namespace

// PLUG-01
TEST_CASE("plugins run by phase, and within one as they are declared, the gateway's before the route's") {
  Lists lists;
  lists.gateway = {lists.watcher("log", kWantsRequest), lists.of("route", Phase::kRoute), lists.of("g1"), lists.of("key", Phase::kAuthenticate)};
  lists.route = {lists.of("t2", Phase::kTransform), lists.of("g3"), lists.of("t1", Phase::kTransform), lists.of("g2")};
  const auto chain = lists.compile();
  REQUIRE(chain);
  CHECK(names(**chain) == Names{"key", "g1", "g3", "g2", "t2", "t1", "route", "log"});
  CHECK((*chain)->authenticating() == 1);
}

// PLUG-07
TEST_CASE("a route's plugin takes the place of the gateway's of its name, others compose") {
  Lists lists;
  lists.gateway = {lists.of("pii"), lists.of("size"), lists.of("last")};
  Link own = lists.of("pii");
  own.mode = PluginMode::kObserve;
  own.on_error = FailMode::kOpen;
  own.timeout = 7ms;
  lists.route = {lists.of("extra"), own};
  const auto chain = lists.compile();
  REQUIRE(chain);
  CHECK(names(**chain) == Names{"pii", "size", "last", "extra"});
  const Chain::Entry& pii = (**chain)[0];
  CHECK(pii.plugin == std::get<std::shared_ptr<const Plugin>>(own.what));
  CHECK(pii.mode == PluginMode::kObserve);
  CHECK(pii.on_error == FailMode::kOpen);
  CHECK(pii.timeout == 7ms);
}

// PLUG-07
TEST_CASE("a route without plugins has the gateway's, and one may change its phase when it replaces") {
  Lists lists;
  lists.gateway = {lists.of("a", Phase::kTransform), lists.of("b")};
  auto chain = lists.compile();
  REQUIRE(chain);
  CHECK(names(**chain) == Names{"b", "a"});
  lists.route = {lists.watcher("b", kWantsFinish)};
  chain = lists.compile();
  REQUIRE(chain);
  CHECK(names(**chain) == Names{"a", "b"});
  CHECK((**chain)[1].observer != nullptr);
}

// PLUG-11
TEST_CASE("what nobody wants is known at once, and who wants nothing is not in the chain") {
  Lists lists;
  lists.gateway = {lists.of("idle", Phase::kGuard, kWantsNothing), lists.of("reader", Phase::kGuard, kWantsPrompt), lists.of("end", Phase::kGuard, kWantsFinish)};
  lists.route = {lists.watcher("head", kWantsHead)};
  const auto chain = lists.compile();
  REQUIRE(chain);
  CHECK(names(**chain) == Names{"reader", "end", "head"});
  CHECK((*chain)->wants(kWantsPrompt));
  CHECK((*chain)->wants(kWantsRequest));
  CHECK((*chain)->wants(kWantsHead | kWantsFinish));
  CHECK_FALSE((*chain)->wants(kWantsTools));
  CHECK_FALSE((*chain)->wants(kWantsDeltas));
  CHECK_FALSE((*chain)->wants(kWantsDeltaEdits));
  CHECK_FALSE((*chain)->wants(kWantsAttempts));
  CHECK((*chain)->at(Stage::kDelta).empty());
  CHECK((*chain)->at(Stage::kRequest).size() == 1);
  CHECK((*chain)->at(Stage::kHead).front() == 2);

  lists.gateway = {lists.watcher("deltas", kWantsDeltas)};
  lists.route.clear();
  const auto observed = lists.compile();
  REQUIRE(observed);
  CHECK((*observed)->at(Stage::kDelta).size() == 1);
  CHECK((*observed)->at(Stage::kAnswerEnd).empty());  // observers have no such hook

  lists.gateway = {lists.of("idle", Phase::kGuard, kWantsNothing)};
  const auto empty = lists.compile();
  REQUIRE(empty);
  CHECK((*empty)->empty());
}

TEST_CASE("a bit without the one it stands on means both") {
  Lists lists;
  lists.gateway = {lists.of("a", Phase::kGuard, kWantsPrompt & ~kWantsRequest), lists.of("b", Phase::kGuard, kWantsDeltaEdits & ~kWantsDeltas)};
  const auto chain = lists.compile();
  REQUIRE(chain);
  CHECK((*chain)->at(Stage::kRequest).size() == 1);
  CHECK((*chain)->at(Stage::kDelta).size() == 1);
  CHECK((*chain)->wants(kWantsPrompt));
  CHECK((*chain)->wants(kWantsDeltaEdits));
}

TEST_CASE("what makes no sense is refused at load, by name and place") {
  Lists lists;
  const auto refused = [&](std::string_view pointer, std::initializer_list<std::string_view> says, bool opaque = false) {
    const auto chain = lists.compile(opaque);
    REQUIRE_FALSE(chain);
    CHECK(chain.error().code == Code::kInvalidConfiguration);
    CHECK(chain.error().param == pointer);
    for (const std::string_view piece : says) CHECK_THAT(chain.error().message, Catch::Contains(std::string(piece)));
  };
  SECTION("one name twice in one list") {
    lists.route = {lists.of("a"), lists.of("b"), lists.watcher("a", kWantsFinish)};
    refused("/routes/3/plugins/2", {"'a'", "/routes/3/plugins/0", "/routes/3/plugins/2"});
  }
  SECTION("also where both want nothing") {
    lists.gateway = {lists.of("a", Phase::kGuard, kWantsNothing), lists.of("a", Phase::kGuard, kWantsNothing)};
    refused("/gateway/plugins/1", {"'a'"});
  }
  SECTION("no plugin") {
    lists.gateway = {Link{}};
    refused("/gateway/plugins/0", {"no plugin"});
  }
  SECTION("no observer") {
    lists.gateway = {Link{std::shared_ptr<const Observer>()}};
    refused("/gateway/plugins/0", {"no plugin"});
  }
  SECTION("no name") {
    lists.gateway = {lists.of("")};
    refused("/gateway/plugins/0", {"no name"});
  }
  SECTION("a negative timeout") {
    lists.gateway = {lists.of("a")};
    lists.gateway[0].timeout = -1ms;
    refused("/gateway/plugins/0", {"'a'", "-1 ms"});
  }
  // PLUG-16
  SECTION("an observer that would edit requests") {
    lists.gateway = {lists.watcher("log", kWantsRequestEdits)};
    refused("/gateway/plugins/0", {"observer 'log'", "edit"});
  }
  // PLUG-16
  SECTION("an observer that would edit deltas") {
    lists.gateway = {lists.watcher("log", kWantsDeltaEdits)};
    refused("/gateway/plugins/0", {"observer 'log'", "edit"});
  }
  SECTION("an observer that asks for attempts") {
    lists.gateway = {lists.watcher("log", kWantsAttempts)};
    refused("/gateway/plugins/0", {"observer 'log'", "kWantsAttempts"});
  }
  // PLUG-16
  SECTION("a plugin of phase observe") {
    lists.gateway = {lists.of("log", Phase::kObserve)};
    refused("/gateway/plugins/0", {"plugin 'log'", "sluice::Observer"});
  }
  SECTION("who authenticates, for a route") {
    lists.route = {lists.of("key", Phase::kAuthenticate)};
    refused("/routes/3/plugins/0", {"plugin 'key'", "for the gateway"});
  }
  SECTION("who would replace the one that authenticates") {
    lists.gateway = {lists.of("key", Phase::kAuthenticate)};
    lists.route = {lists.of("key")};
    refused("/routes/3/plugins/0", {"'key'", "rename"});
  }
  SECTION("who authenticates by what the body says") {
    lists.gateway = {lists.of("key", Phase::kAuthenticate, kWantsPrompt)};
    refused("/gateway/plugins/0", {"plugin 'key'", "on the head"});
  }
  SECTION("the prompt on an opaque route") {
    lists.gateway = {lists.of("pii", Phase::kGuard, kWantsPrompt)};
    refused("/gateway/plugins/0", {"plugin 'pii'", "the prompt", "opaque"}, true);
  }
  SECTION("the tools on an opaque route") {
    lists.route = {lists.of("size"), lists.of("tools", Phase::kGuard, kWantsTools)};
    refused("/routes/3/plugins/1", {"plugin 'tools'", "the tools", "opaque"}, true);
  }
  SECTION("the shape on an opaque route") {
    lists.route = {lists.of("caps", Phase::kGuard, kWantsShape)};
    refused("/routes/3/plugins/0", {"plugin 'caps'", "the request", "opaque"}, true);
  }
  SECTION("the answer on an opaque route") {
    lists.route = {lists.watcher("log", kWantsDeltas)};
    refused("/routes/3/plugins/0", {"'log'", "the answer", "opaque"}, true);
  }
}

TEST_CASE("an opaque route takes plugins that read no text, and one may replace what would") {
  Lists lists;
  lists.gateway = {lists.of("pii", Phase::kGuard, kWantsPrompt), lists.of("size", Phase::kGuard, kWantsRequestEdits | kWantsHead | kWantsFinish)};
  lists.route = {lists.of("pii", Phase::kGuard, kWantsNothing)};
  const auto chain = lists.compile(true);
  REQUIRE(chain);
  CHECK(names(**chain) == Names{"size"});
}

TEST_CASE("names of phases, channels and hooks") {
  CHECK(to_string(Phase::kAuthenticate) == "authenticate");
  CHECK(to_string(Phase::kGuard) == "guard");
  CHECK(to_string(Phase::kTransform) == "transform");
  CHECK(to_string(Phase::kRoute) == "route");
  CHECK(to_string(Phase::kObserve) == "observe");
  CHECK(to_string(Channel::kText) == "text");
  CHECK(to_string(Channel::kReasoning) == "reasoning");
  CHECK(to_string(Channel::kToolArguments) == "tool_arguments");
  CHECK(to_string(Channel::kRefusal) == "refusal");
  CHECK(hook_name(Stage::kAuthenticate) == "request");
  CHECK(hook_name(Stage::kAnswerEnd) == "answer_end");
}
