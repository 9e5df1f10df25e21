// Plugins from C: functions that are called, and hooks that come as events.

#include <cstring>
#include <thread>

#include "rig.hpp"

using namespace capi_test;

namespace {

/// What a test's plugin does, and what it saw.
struct Plugged {
  std::int32_t (*request)(Plugged&, sluice_hook_t*) = nullptr;
  std::int32_t (*delta)(Plugged&, sluice_hook_t*) = nullptr;
  std::int32_t (*end)(Plugged&, sluice_hook_t*) = nullptr;
  std::int32_t (*head)(Plugged&, sluice_hook_t*) = nullptr;
  int opened = 0, closed = 0, finished = 0, finalized = 0;
  std::string seen;
  sluice_resumer_t* resumer = nullptr;
  bool joins = true;
};

Plugged& of(void* session) { return *static_cast<Plugged*>(session); }

sluice_plugin_t table(Plugged& plugged, std::int32_t phase, std::uint32_t wants) {
  sluice_plugin_t out{};
  out.struct_size = sizeof out;
  out.name = "mine";
  out.name_size = SLUICE_NUL_TERMINATED;
  out.phase = phase;
  out.wants = wants;
  out.user = &plugged;
  out.open = [](void* user, sluice_hook_t*, void** session, int32_t* joins) {
    ++of(user).opened;
    *session = user;
    *joins = of(user).joins ? 1 : 0;
  };
  out.on_request = [](void* session, sluice_hook_t* hook) { return of(session).request ? of(session).request(of(session), hook) : SLUICE_CONTINUE; };
  out.on_delta = [](void* session, sluice_hook_t* hook) { return of(session).delta ? of(session).delta(of(session), hook) : SLUICE_CONTINUE; };
  out.on_answer_end = [](void* session, sluice_hook_t* hook) { return of(session).end ? of(session).end(of(session), hook) : SLUICE_CONTINUE; };
  out.on_head = [](void* session, sluice_hook_t* hook) { return of(session).head ? of(session).head(of(session), hook) : SLUICE_CONTINUE; };
  out.on_finish = [](void* session, const sluice_outcome_t* outcome) {
    sluice_outcome_info_t info{};
    info.struct_size = sizeof info;
    if (sluice_outcome_info(outcome, &info, nullptr) == SLUICE_OK && info.id.size != 0) ++of(session).finished;
  };
  out.close = [](void* session) { ++of(session).closed; };
  out.finalize = [](void* user) { ++of(user).finalized; };
  return out;
}

std::function<void(sluice_options_t*)> with(const sluice_plugin_t& plugin) {
  return [&plugin](sluice_options_t* options) { good([&](auto err) { return sluice_options_add_plugin(options, &plugin, err); }); };
}

sluice_hook_info_t info_of(sluice_hook_t* hook) {
  sluice_hook_info_t info{};
  info.struct_size = sizeof info;
  CHECK(sluice_hook_info(hook, &info, nullptr) == SLUICE_OK);
  return info;
}

sluice_ruling_t ruling(std::int32_t verdict) {
  sluice_ruling_t out{};
  out.struct_size = sizeof out;
  out.verdict = verdict;
  return out;
}

}  // namespace

TEST_CASE("a plugin's sessions are opened, finished and closed once, and it is finalized last") {
  Plugged plugged;
  {
    const sluice_plugin_t plugin = table(plugged, SLUICE_PHASE_GUARD, SLUICE_WANTS_REQUEST);
    Rig rig(kConfig, with(plugin));
    for (int i = 0; i < 3; ++i) CHECK(rig.run(chat()).back().event.status == 200);
    plugged.joins = false;
    CHECK(rig.run(chat()).back().event.status == 200);
    CHECK(plugged.finalized == 0);
  }
  CHECK(plugged.opened == 4);
  CHECK(plugged.closed == 3);
  CHECK(plugged.finished == 3);
  CHECK(plugged.finalized == 1);
}

TEST_CASE("a guard reads the exchange and its prompt, and refuses it in its caller's dialect") {
  Plugged plugged;
  plugged.request = [](Plugged& at, sluice_hook_t* hook) -> std::int32_t {
    const sluice_hook_info_t info = info_of(hook);
    at.seen = std::string(view(info.model)) + " " + std::string(view(info.operation)) + " " + std::string(view(info.route));
    CHECK(info.hook == SLUICE_HOOK_REQUEST);
    CHECK(view(info.body) == kWhole);
    REQUIRE(info.prompt_count == 1);
    std::int32_t role = -1;
    sluice_bytes_t text{};
    CHECK(sluice_hook_prompt(hook, 0, &role, &text, nullptr) == SLUICE_OK);
    CHECK(role == SLUICE_ROLE_USER);
    CHECK(view(text) == "hello");
    CHECK(sluice_hook_prompt(hook, 1, &role, &text, nullptr) == SLUICE_CODE_INVALID_PARAMETER);
    CHECK(view(sluice_hook_header(hook, "Content-Type", SLUICE_NUL_TERMINATED)) == "application/json");
    CHECK(sluice_hook_estimated_input_tokens(hook) > 0);
    CHECK(sluice_hook_report(hook, "policy", 6, "messages[0]", 11, 0.5, nullptr) == SLUICE_OK);
    return sluice_hook_fail(hook, SLUICE_CODE_UNAUTHORIZED, 451, "not for you", SLUICE_NUL_TERMINATED);
  };
  const sluice_plugin_t plugin = table(plugged, SLUICE_PHASE_GUARD, SLUICE_WANTS_PROMPT);
  Rig rig(kConfig, with(plugin));
  const auto events = rig.run(chat());
  CHECK(plugged.seen == "m chat chat");
  CHECK(events.back().event.status == 451);
  CHECK(events.back().event.code == SLUICE_CODE_UNAUTHORIZED);
  CHECK(body_of(events).find("not for you") != std::string::npos);
  CHECK(sluice_simulation_seen_count(rig.simulation) == 0);
}

TEST_CASE("a plugin answers itself") {
  Plugged plugged;
  plugged.request = [](Plugged&, sluice_hook_t* hook) { return sluice_hook_reply(hook, 0, "from the cache", SLUICE_NUL_TERMINATED); };
  const sluice_plugin_t plugin = table(plugged, SLUICE_PHASE_GUARD, SLUICE_WANTS_REQUEST);
  Rig rig(kConfig, with(plugin));
  sluice_request_t request = chat(GENERATE(kWhole, kStream));
  request.answer = SLUICE_ANSWER_DELTAS;
  const auto events = rig.run(request);
  CHECK(events.back().event.status == 200);
  CHECK(text_of(events) == "from the cache");
}

TEST_CASE("a transform changes the request, the head and the text") {
  Plugged plugged;
  plugged.request = [](Plugged&, sluice_hook_t* hook) -> std::int32_t {
    CHECK(sluice_hook_set_json(hook, "/model", SLUICE_NUL_TERMINATED, "\"other\"", SLUICE_NUL_TERMINATED, nullptr) == SLUICE_OK);
    CHECK(sluice_hook_set_prompt(hook, 0, "goodbye", SLUICE_NUL_TERMINATED, nullptr) == SLUICE_OK);
    CHECK(sluice_hook_set_text(hook, "", 0, nullptr) == SLUICE_CODE_UNSUPPORTED_OPERATION);
    return SLUICE_CONTINUE;
  };
  plugged.head = [](Plugged&, sluice_hook_t* hook) -> std::int32_t {
    CHECK(info_of(hook).status == 200);
    CHECK(sluice_hook_set_header(hook, "x-mine", SLUICE_NUL_TERMINATED, "yes", SLUICE_NUL_TERMINATED, nullptr) == SLUICE_OK);
    return SLUICE_CONTINUE;
  };
  plugged.delta = [](Plugged& at, sluice_hook_t* hook) -> std::int32_t {
    at.seen += view(info_of(hook).text);
    CHECK(sluice_hook_set_text(hook, "*", 1, nullptr) == SLUICE_OK);
    return SLUICE_CONTINUE;
  };
  plugged.end = [](Plugged&, sluice_hook_t* hook) -> std::int32_t {
    CHECK(sluice_hook_emit(hook, 0, " and more", SLUICE_NUL_TERMINATED, nullptr) == SLUICE_OK);
    return SLUICE_CONTINUE;
  };
  const sluice_plugin_t plugin =
      table(plugged, SLUICE_PHASE_TRANSFORM, SLUICE_WANTS_REQUEST_EDITS | SLUICE_WANTS_PROMPT | SLUICE_WANTS_HEAD | SLUICE_WANTS_DELTA_EDITS);
  Rig rig(kConfig, with(plugin));
  good([&](auto err) { return sluice_script_answer(rig.script("a"), "one two", SLUICE_NUL_TERMINATED, err); });
  sluice_request_t request = chat(kStream);
  request.answer = SLUICE_ANSWER_DELTAS;
  const auto events = rig.run(request);
  CHECK(plugged.seen == "one two");
  CHECK(text_of(events) == "** and more");
  CHECK(events.front().data.find("x-mine: yes\r\n") != std::string::npos);
  sluice_seen_info_t seen{};
  seen.struct_size = sizeof seen;
  good([&](auto err) { return sluice_simulation_seen(rig.simulation, 0, &seen, err); });
  CHECK(view(seen.body).find("\"other\"") != std::string_view::npos);
  CHECK(view(seen.body).find("goodbye") != std::string_view::npos);
}

TEST_CASE("a plugin that routes names the upstreams in order") {
  Plugged plugged;
  plugged.request = [](Plugged&, sluice_hook_t* hook) -> std::int32_t {
    CHECK(sluice_hook_choose(hook, "b", 1, nullptr, 0, nullptr) == SLUICE_OK);
    CHECK(sluice_hook_choose(hook, "a", 1, nullptr, 0, nullptr) == SLUICE_OK);
    return SLUICE_CONTINUE;
  };
  const sluice_plugin_t plugin = table(plugged, SLUICE_PHASE_ROUTE, SLUICE_WANTS_REQUEST);
  Rig rig(kConfig, with(plugin));
  CHECK(rig.run(chat()).back().event.status == 200);
  sluice_seen_info_t seen{};
  seen.struct_size = sizeof seen;
  good([&](auto err) { return sluice_simulation_seen(rig.simulation, 0, &seen, err); });
  CHECK(view(seen.upstream) == "b");
}

TEST_CASE("a hook that suspends is resumed from another thread, with its edits") {
  Plugged plugged;
  plugged.request = [](Plugged& at, sluice_hook_t* hook) { return sluice_hook_suspend(hook, &at.resumer); };
  const sluice_plugin_t plugin = table(plugged, SLUICE_PHASE_TRANSFORM, SLUICE_WANTS_REQUEST_EDITS);
  Rig rig(kConfig, with(plugin));
  submit(rig.gateway, rig.queue.queue, chat());
  rig.advance(0);
  REQUIRE(plugged.resumer != nullptr);
  CHECK(rig.queue.drain().empty());
  const std::string changed = R"({"model":"m","messages":[{"role":"user","content":"changed"}]})";
  std::thread other([&] {
    sluice_ruling_t go = ruling(SLUICE_CONTINUE);
    go.edits = SLUICE_EDIT_BODY;
    go.body = changed.data();
    go.body_size = changed.size();
    (void)sluice_resumer_resume(plugged.resumer, &go, nullptr);
    (void)sluice_resumer_resume(plugged.resumer, &go, nullptr);  // again: nothing
    sluice_resumer_free(plugged.resumer);
  });
  other.join();
  rig.settle();
  CHECK(rig.queue.drain().back().event.status == 200);
  sluice_seen_info_t seen{};
  seen.struct_size = sizeof seen;
  good([&](auto err) { return sluice_simulation_seen(rig.simulation, 0, &seen, err); });
  CHECK(view(seen.body) == changed);
}

TEST_CASE("a resumer that is freed unused fails the hook, and one that outlives the gateway is harmless") {
  Plugged plugged;
  plugged.request = [](Plugged& at, sluice_hook_t* hook) { return sluice_hook_suspend(hook, &at.resumer); };
  const sluice_plugin_t plugin = table(plugged, SLUICE_PHASE_GUARD, SLUICE_WANTS_REQUEST);
  auto rig = std::make_unique<Rig>(kConfig, with(plugin));
  submit(rig->gateway, rig->queue.queue, chat());
  rig->advance(0);
  SECTION("unused") {
    sluice_resumer_free(plugged.resumer);
    rig->settle();
    CHECK(rig->queue.drain().back().event.code == SLUICE_CODE_PLUGIN_ERROR);
  }
  SECTION("late") {
    rig.reset();
    const sluice_ruling_t go = ruling(SLUICE_CONTINUE);
    good([&](auto err) { return sluice_resumer_resume(plugged.resumer, &go, err); });
    sluice_resumer_free(plugged.resumer);
  }
}

TEST_CASE("a hook that returns what nobody gave it has erred") {
  Plugged plugged;
  plugged.request = GENERATE(+[](Plugged&, sluice_hook_t*) -> std::int32_t { return 99; },
                             +[](Plugged&, sluice_hook_t*) -> std::int32_t { return SLUICE_REPLY; },
                             +[](Plugged&, sluice_hook_t*) -> std::int32_t { return SLUICE_SUSPEND; });
  const sluice_plugin_t plugin = table(plugged, SLUICE_PHASE_GUARD, SLUICE_WANTS_REQUEST);
  Rig rig(kConfig, with(plugin));
  CHECK(rig.run(chat()).back().event.code == SLUICE_CODE_PLUGIN_ERROR);
}

namespace {

std::function<void(sluice_options_t*)> queued(Queue& hooks, std::int32_t phase, std::uint32_t wants) {
  return [&hooks, phase, wants](sluice_options_t* options) {
    sluice_queued_plugin_t plugin{};
    plugin.struct_size = sizeof plugin;
    plugin.name = "mine";
    plugin.name_size = SLUICE_NUL_TERMINATED;
    plugin.phase = phase;
    plugin.wants = wants;
    plugin.tag = 77;
    good([&](auto err) { return sluice_options_add_queued_plugin(options, &plugin, hooks.queue, err); });
  };
}

void answer(sluice_gateway_t* gateway, const Seen& hook, const sluice_ruling_t& said) {
  good([&](auto err) { return sluice_hook_answer(gateway, hook.event.call, &said, err); });
}

}  // namespace

TEST_CASE("a queued plugin's hooks come as events, and the exchange waits for their answers") {
  Queue hooks;
  Rig rig(kConfig, queued(hooks, SLUICE_PHASE_TRANSFORM, SLUICE_WANTS_REQUEST_EDITS | SLUICE_WANTS_DELTA_EDITS | SLUICE_WANTS_FINISH));
  good([&](auto err) { return sluice_script_answer(rig.script("a"), "one two", SLUICE_NUL_TERMINATED, err); });
  sluice_request_t request = chat(kStream);
  request.answer = SLUICE_ANSWER_DELTAS;
  submit(rig.gateway, rig.queue.queue, request);
  std::vector<std::int32_t> kinds;
  std::uint64_t session = 0;
  std::string told;
  for (int i = 0; i < 20; ++i) {
    rig.advance(1'000'000);
    for (const Seen& hook : hooks.drain()) {
      CHECK(hook.event.kind == SLUICE_EVENT_HOOK);
      CHECK(hook.event.tag == 77);
      if (session == 0) session = hook.event.session;
      CHECK(hook.event.session == session);
      kinds.push_back(hook.event.detail);
      sluice_ruling_t go = ruling(SLUICE_CONTINUE);
      if (hook.event.detail == SLUICE_HOOK_REQUEST) {
        CHECK(hook.data.front() == '{');
        CHECK(hook.data.find(R"("model":"m")") != std::string::npos);
        CHECK(hook.data.find(R"("body":"{\"model\":\"m\",)") != std::string::npos);
      }
      if (hook.event.detail == SLUICE_HOOK_DELTA) {
        told += hook.data;
        go.edits = SLUICE_EDIT_TEXT;
        go.text = "#";
        go.text_size = 1;
      }
      if (hook.event.detail == SLUICE_HOOK_ANSWER_END) {
        go.edits = SLUICE_EDIT_TEXT;
        go.text = "!";
        go.text_size = 1;
      }
      if (hook.event.detail != SLUICE_HOOK_FINISH) answer(rig.gateway, hook, go);
    }
  }
  CHECK(told == "one two");
  CHECK(text_of(rig.queue.drain()) == "##!");
  REQUIRE(kinds.size() == 5);
  CHECK(kinds == std::vector<std::int32_t>{SLUICE_HOOK_REQUEST, SLUICE_HOOK_DELTA, SLUICE_HOOK_DELTA, SLUICE_HOOK_ANSWER_END, SLUICE_HOOK_FINISH});
}

TEST_CASE("a queued plugin refuses, answers itself, or keeps nobody waiting for ever") {
  Queue hooks;
  Rig rig(kConfig, queued(hooks, SLUICE_PHASE_GUARD, SLUICE_WANTS_REQUEST));
  submit(rig.gateway, rig.queue.queue, chat());
  rig.advance(0);
  const auto asked = hooks.drain();
  REQUIRE(asked.size() == 1);
  SECTION("refuses") {
    sluice_ruling_t no = ruling(SLUICE_FAIL);
    no.code = SLUICE_CODE_UNAUTHORIZED;
    no.status = 403;
    no.text = "no";
    no.text_size = 2;
    answer(rig.gateway, asked[0], no);
    rig.settle();
    CHECK(rig.queue.drain().back().event.status == 403);
  }
  SECTION("replies") {
    sluice_ruling_t reply = ruling(SLUICE_REPLY);
    reply.text = "here";
    reply.text_size = 4;
    answer(rig.gateway, asked[0], reply);
    rig.settle();
    CHECK(body_of(rig.queue.drain()).find("here") != std::string::npos);
  }
  SECTION("is silent") {
    rig.settle();
    CHECK(rig.queue.drain().back().event.code == SLUICE_CODE_PLUGIN_TIMEOUT);
  }
  SECTION("says what is no ruling") {
    sluice_ruling_t none = ruling(SLUICE_SUSPEND);
    CHECK(bad([&](auto err) { return sluice_hook_answer(rig.gateway, asked[0].event.call, &none, err); }) == SLUICE_CODE_INVALID_PARAMETER);
    answer(rig.gateway, asked[0], ruling(SLUICE_CONTINUE));
    answer(rig.gateway, asked[0], ruling(SLUICE_CONTINUE));  // again: nothing
    rig.settle();
    CHECK(rig.queue.drain().back().event.status == 200);
  }
}

TEST_CASE("a queued plugin whose queue is gone has erred") {
  auto hooks = std::make_unique<Queue>();
  Rig rig(kConfig, queued(*hooks, SLUICE_PHASE_GUARD, SLUICE_WANTS_REQUEST));
  hooks.reset();
  CHECK(rig.run(chat()).back().event.code == SLUICE_CODE_PLUGIN_ERROR);
}
