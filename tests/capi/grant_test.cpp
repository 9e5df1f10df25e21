// Credentials that the host brings: asked for when a request needs one, kept while they are good, never told to anybody else.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "rig.hpp"

using namespace capi_test;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

constexpr const char* kKeyed = R"({
  "version": 1,
  "upstreams": [{"name": "a", "provider": "openai"}, {"name": "b", "provider": "anthropic"}, {"name": "c", "provider": "simulator"}],
  "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "a"}, {"name": "c", "tier": 1}]},
             {"name": "messages", "match": {"path": "/v1/messages"}, "upstreams": [{"name": "b"}], "retry": {"attempts": 1}}]
})";

/// A host: what it was asked, and how it answers.
struct Host {
  ~Host() {
    for (sluice_grant_t* grant : kept) sluice_grant_free(grant);
  }

  static void ask(void* user, sluice_grant_t* grant) {
    auto& host = *static_cast<Host*>(user);
    host.asked.emplace_back(view(sluice_grant_upstream(grant)));
    if (host.keeps) {
      host.kept.push_back(grant);
      return;
    }
    if (!host.refusal.empty()) {
      good([&](auto err) { return sluice_grant_refuse(grant, host.refusal.data(), host.refusal.size(), host.retry_after_ms, err); });
    } else {
      const std::string key = host.prefix + std::to_string(host.asked.size());
      good([&](auto err) { return sluice_grant_give(grant, key.data(), key.size(), host.lifetime_ms, err); });
    }
    sluice_grant_free(grant);
  }
  static void finalize(void* user) { ++static_cast<Host*>(user)->finalized; }

  /// For Rig's `prepare`.
  [[nodiscard]] std::function<void(sluice_options_t*)> brings(const char* upstream = "a") {
    return [this, upstream](sluice_options_t* options) {
      good([&](auto err) { return sluice_options_add_credential(options, upstream, SLUICE_NUL_TERMINATED, &Host::ask, this, &Host::finalize, err); });
    };
  }

  std::vector<std::string> asked;
  std::vector<sluice_grant_t*> kept;
  std::string refusal, prefix = "key-";
  std::int64_t lifetime_ms = 0, retry_after_ms = 0;
  bool keeps = false;
  int finalized = 0;
};

/// The header fields of the `index`-th request an upstream saw, names in lower case.
std::string seen_headers(Rig& rig, std::size_t index) {
  sluice_seen_info_t info{};
  info.struct_size = sizeof info;
  good([&](auto err) { return sluice_simulation_seen(rig.simulation, index, &info, err); });
  std::string out(view(info.headers));
  bool name = true;
  for (char& c : out) {
    if (name && c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (c == ':') name = false;
    if (c == '\n') name = true;
  }
  return out;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// What became of one request, within a second: whoever lets an hour pass sees renewals.
sluice_event_t end_of(Rig& rig, const char* target = "/v1/chat/completions", const char* body = kWhole) {
  sluice_request_t request = chat(body);
  request.target = target;
  submit(rig.gateway, rig.queue.queue, request);
  rig.advance(kSecond);
  const auto events = rig.queue.drain();
  return events.empty() ? sluice_event_t{} : events.back().event;
}

sluice_code_t opened_with(const char* config, const std::function<void(sluice_options_t*)>& prepare, std::string& message) {
  sluice_options_t* options = nullptr;
  good([&](auto err) { return sluice_options_new(&options, err); });
  good([&](auto err) { return sluice_options_set_json(options, config, SLUICE_NUL_TERMINATED, err); });
  prepare(options);
  sluice_gateway_t* gateway = nullptr;
  sluice_error_t* err = nullptr;
  const sluice_code_t code = sluice_gateway_open(options, &gateway, &err);
  message = view(sluice_error_message(err));
  sluice_error_free(err);
  sluice_gateway_free(gateway);
  sluice_options_free(options);
  return code;
}

}  // namespace

TEST_CASE("an upstream is shown what the host gives, in the field its provider wants, and one answer serves many requests") {
  Host host, other;
  Rig rig(kKeyed, [&](sluice_options_t* options) {
    host.brings("a")(options);
    other.brings("b")(options);
  });
  CHECK(host.asked.empty());
  CHECK(end_of(rig).status == 200);
  CHECK(end_of(rig).status == 200);
  CHECK(end_of(rig, "/v1/messages", R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hello"}]})").status == 200);
  REQUIRE(sluice_simulation_seen_count(rig.simulation) == 3);
  CHECK(has(seen_headers(rig, 0), "authorization: Bearer key-1\r\n"));
  CHECK(has(seen_headers(rig, 1), "authorization: Bearer key-1\r\n"));
  CHECK(has(seen_headers(rig, 2), "x-api-key: key-1\r\n"));
  CHECK_FALSE(has(seen_headers(rig, 2), "authorization"));
  CHECK(host.asked == std::vector<std::string>{"a"});
  CHECK(other.asked == std::vector<std::string>{"b"});
}

TEST_CASE("a credential is asked for again ahead of its end, and an hour after one whose end nobody knows") {
  Host host;
  host.lifetime_ms = 100'000;
  Rig rig(kKeyed, host.brings());
  submit(rig.gateway, rig.queue.queue, chat());
  rig.advance(kSecond);
  CHECK(host.asked.size() == 1);
  host.lifetime_ms = 0;
  rig.advance(48 * kSecond);  // not before half of its life is over
  CHECK(host.asked.size() == 1);
  rig.advance(2 * kSecond);
  CHECK(host.asked.size() == 2);
  submit(rig.gateway, rig.queue.queue, chat());
  rig.advance(kSecond);
  CHECK(has(seen_headers(rig, 1), "Bearer key-2\r\n"));
  rig.advance(47 * 60 * kSecond);
  CHECK(host.asked.size() == 2);
  rig.advance(2 * 60 * kSecond);
  CHECK(host.asked.size() == 3);
}

TEST_CASE("a host that has none is left alone for a while, and the request goes elsewhere") {
  Host host;
  host.refusal = "the vault is sealed";
  host.retry_after_ms = 30'000;
  Rig rig(kKeyed, host.brings());
  CHECK(end_of(rig).status == 200);  // by the other upstream
  CHECK(end_of(rig).status == 200);
  CHECK(host.asked.size() == 1);
  host.refusal.clear();
  rig.advance(31 * kSecond);
  CHECK(end_of(rig).status == 200);
  CHECK(host.asked.size() == 2);
  CHECK(has(seen_headers(rig, 2), "Bearer key-2\r\n"));
}

TEST_CASE("where no other upstream is left the caller hears why, as the host has put it") {
  Host host;
  host.refusal = "the vault is sealed";
  Rig rig(kKeyed, host.brings("b"));
  sluice_request_t request = chat(R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hello"}]})");
  request.target = "/v1/messages";
  const auto events = rig.run(request);
  CHECK(events.back().event.code == SLUICE_CODE_UPSTREAM_CREDENTIAL);
  CHECK(has(events.back().data, "upstream 'b' got no token: the host program gave none: the vault is sealed"));
}

TEST_CASE("an upstream that does not take a credential gets the request again with another") {
  Host host;
  Rig rig(kKeyed, host.brings());
  sluice_fault_t fault{};
  fault.struct_size = sizeof fault;
  fault.kind = SLUICE_FAULT_STATUS;
  fault.status = 401;
  fault.times = 1;
  good([&](auto err) { return sluice_script_fault(rig.script("a"), &fault, err); });
  CHECK(end_of(rig).status == 200);
  REQUIRE(sluice_simulation_seen_count(rig.simulation) == 2);
  CHECK(has(seen_headers(rig, 0), "Bearer key-1\r\n"));
  CHECK(has(seen_headers(rig, 1), "Bearer key-2\r\n"));
}

TEST_CASE("an answer may come later, from another thread, and once") {
  Host host;
  host.keeps = true;
  Rig rig(kKeyed, host.brings());
  submit(rig.gateway, rig.queue.queue, chat());
  submit(rig.gateway, rig.queue.queue, chat());
  rig.advance(kSecond);
  REQUIRE(host.kept.size() == 1);  // one question, however many wait
  CHECK(sluice_simulation_seen_count(rig.simulation) == 0);
  sluice_grant_t* grant = host.kept[0];
  const auto refused_as = [&](const char* key, std::size_t size, std::int64_t ms) {
    return bad([&](auto err) { return sluice_grant_give(grant, key, size, ms, err); });
  };
  CHECK(refused_as("", 0, 0) == SLUICE_CODE_INVALID_PARAMETER);
  CHECK(refused_as(nullptr, 3, 0) == SLUICE_CODE_INVALID_PARAMETER);
  CHECK(refused_as("a\r\nb", 4, 0) == SLUICE_CODE_INVALID_PARAMETER);
  CHECK(refused_as("key", 3, -1) == SLUICE_CODE_INVALID_PARAMETER);
  CHECK(bad([&](auto err) { return sluice_grant_refuse(grant, "\xff", 1, 0, err); }) == SLUICE_CODE_INVALID_PARAMETER);
  std::thread([grant] {
    sluice_grant_give(grant, "key-late", SLUICE_NUL_TERMINATED, 0, nullptr);
    sluice_grant_refuse(grant, "no", 2, 0, nullptr);  // nothing: it is answered
  }).join();
  rig.settle();
  REQUIRE(sluice_simulation_seen_count(rig.simulation) == 2);
  CHECK(has(seen_headers(rig, 0), "Bearer key-late\r\n"));
}

TEST_CASE("a grant that is freed unused refuses, and one that is kept for ever does so after 10 s") {
  Host host;
  host.keeps = true;
  Rig rig(kKeyed, host.brings("b"));
  sluice_request_t request = chat(R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hello"}]})");
  request.target = "/v1/messages";
  submit(rig.gateway, rig.queue.queue, request);
  rig.advance(kSecond);
  REQUIRE(host.kept.size() == 1);
  std::string says;
  SECTION("freed") {
    sluice_grant_free(host.kept[0]);
    host.kept.clear();
    says = "the question was dropped unanswered";
  }
  SECTION("kept") {
    says = "the host program granted none within 10 s";
  }
  rig.settle();
  const auto events = rig.queue.drain();
  REQUIRE_FALSE(events.empty());
  INFO(events.back().data);
  CHECK(has(events.back().data, says));
}

TEST_CASE("an upstream that echoes the host's credential in an error is not quoted with it") {
  Host host;
  host.prefix = "vaults/0123456789abcdef/";
  Rig rig(kKeyed, host.brings("b"));
  constexpr std::string_view kEcho = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"authentication_error\","
                                     "\"message\":\"vaults/0123456789abcdef/1 is no key\"}}\n\n";
  good([&](auto err) { return sluice_script_stream(rig.script("b"), kEcho.data(), kEcho.size(), err); });
  sluice_request_t request = chat(R"({"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hello"}]})");
  request.target = "/v1/messages";
  submit(rig.gateway, rig.queue.queue, request);
  rig.advance(kSecond);
  const auto events = rig.queue.drain();
  REQUIRE_FALSE(events.empty());
  REQUIRE(has(seen_headers(rig, 0), "x-api-key: vaults/0123456789abcdef/1\r\n"));
  INFO(events.back().data);
  CHECK(has(events.back().data, "is no key"));
  CHECK_FALSE(has(events.back().data, "0123456789"));
  CHECK_FALSE(has(body_of(events), "0123456789"));
}

// ABI-06
TEST_CASE("a gateway closes while a credential is waited for, its function is finalized once, and the answer comes to nothing") {
  Host host;
  host.keeps = true;
  {
    Rig rig(kKeyed, host.brings());
    submit(rig.gateway, rig.queue.queue, chat());
    rig.advance(kSecond);
    CHECK(host.finalized == 0);
    good([&](auto err) { return sluice_gateway_close(rig.gateway, err); });
    CHECK(host.finalized == 1);
    const auto events = rig.queue.drain();
    REQUIRE_FALSE(events.empty());
    CHECK(events.back().event.kind == SLUICE_EVENT_END);
  }
  CHECK(host.finalized == 1);
  good([&](auto err) { return sluice_grant_give(host.kept.at(0), "key", 3, 0, err); });
}

// ABI-05
TEST_CASE("a grant is not answered in a child of fork") {
  Host host;
  host.keeps = true;
  Rig rig(kKeyed, host.brings());
  submit(rig.gateway, rig.queue.queue, chat());
  rig.advance(kSecond);
  REQUIRE(host.kept.size() == 1);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(20);
    bool good = sluice_grant_give(host.kept[0], "key", 3, 0, nullptr) == SLUICE_CODE_FORKED;
    good = good && sluice_grant_refuse(host.kept[0], "no", 2, 0, nullptr) == SLUICE_CODE_FORKED;
    sluice_grant_free(host.kept[0]);
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  good([&](auto err) { return sluice_grant_give(host.kept[0], "key-1", 5, 0, err); });
  rig.settle();
  CHECK(has(seen_headers(rig, 0), "Bearer key-1\r\n"));
}

TEST_CASE("what a configuration and its host say of a credential must fit") {
  Host host;
  std::string message;
  const auto refused_by = [&](const char* config, const char* upstream) {
    return opened_with(config, host.brings(upstream), message) == SLUICE_CODE_INVALID_CONFIGURATION;
  };
  CHECK(refused_by(kKeyed, "d"));
  CHECK(has(message, "upstream 'd', which the configuration does not have"));
  CHECK(refused_by(kKeyed, "c"));
  CHECK(has(message, "provider \"simulator\" takes none"));
  ::setenv("SLUICE_TEST_GRANT_KEY", "k", 1);
  CHECK(refused_by(R"({"version": 1, "upstreams": [{"name": "a", "provider": "openai", "credential": {"env": "SLUICE_TEST_GRANT_KEY"}}],
    "routes": [{"name": "r", "upstreams": [{"name": "a"}]}]})", "a"));
  CHECK(has(message, "\"credential\" stands in the configuration"));
  CHECK(refused_by(R"({"version": 1, "upstreams": [{"name": "a", "url": "http://127.0.0.1:9/v1"}],
    "routes": [{"name": "r", "upstreams": [{"name": "a"}]}]})", "a"));
  CHECK(has(message, "in the clear"));
  CHECK(host.finalized == 4);
  sluice_options_t* options = nullptr;
  good([&](auto err) { return sluice_options_new(&options, err); });
  host.brings("a")(options);
  const auto add = [&](const char* upstream, sluice_grant_fn ask) {
    return bad([&](auto err) { return sluice_options_add_credential(options, upstream, SLUICE_NUL_TERMINATED, ask, &host, &Host::finalize, err); });
  };
  CHECK(add("a", &Host::ask) == SLUICE_CODE_INVALID_PARAMETER);
  CHECK(add("", &Host::ask) == SLUICE_CODE_INVALID_PARAMETER);
  CHECK(add("b", nullptr) == SLUICE_CODE_INVALID_PARAMETER);
  CHECK(host.finalized == 7);
  sluice_options_free(options);
  CHECK(host.finalized == 8);
  CHECK(host.asked.empty());
}

TEST_CASE("a credential of the host's outlives a reload, and an upstream that a reload leaves out") {
  Host host;
  Rig rig(kKeyed, host.brings());
  CHECK(end_of(rig).status == 200);
  good([&](auto err) { return sluice_gateway_reload_json(rig.gateway, kKeyed, SLUICE_NUL_TERMINATED, err); });
  CHECK(end_of(rig).status == 200);
  CHECK(host.asked.size() == 1);
  good([&](auto err) {
    return sluice_gateway_reload_json(rig.gateway, R"({"version": 1, "upstreams": [{"name": "c", "provider": "simulator"}],
      "routes": [{"name": "r", "upstreams": [{"name": "c"}]}]})", SLUICE_NUL_TERMINATED, err);
  });
  CHECK(end_of(rig).status == 200);
  good([&](auto err) { return sluice_gateway_reload_json(rig.gateway, kKeyed, SLUICE_NUL_TERMINATED, err); });
  CHECK(end_of(rig).status == 200);
  CHECK(host.asked.size() == 2);
}

// ABI-15
TEST_CASE("inside the function that is asked whatever would wait is refused") {
  struct Asked {
    sluice_gateway_t* gateway = nullptr;
    int refusals = 0;
  } asked;
  Rig rig(kKeyed, [&](sluice_options_t* options) {
    good([&](auto err) {
      return sluice_options_add_credential(options, "a", 1, [](void* user, sluice_grant_t* grant) {
        auto& at = *static_cast<Asked*>(user);
        at.refusals += sluice_gateway_close(at.gateway, nullptr) == SLUICE_CODE_WOULD_DEADLOCK ? 1 : 0;
        at.refusals += sluice_gateway_reload_json(at.gateway, kKeyed, SLUICE_NUL_TERMINATED, nullptr) == SLUICE_CODE_WOULD_DEADLOCK ? 1 : 0;
        sluice_grant_give(grant, "key", 3, 0, nullptr);
        sluice_grant_free(grant);
      }, &asked, nullptr, err);
    });
  });
  asked.gateway = rig.gateway;
  CHECK(end_of(rig).status == 200);
  CHECK(asked.refusals == 2);
}
