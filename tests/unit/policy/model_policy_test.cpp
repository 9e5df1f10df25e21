// Which model is asked for, and who may serve it.

#include "policy/model_policy.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

using namespace sluice;
using namespace sluice::policy;

namespace {

/// A route over four upstreams: two of one provider, one with slashes in its names, one that serves anything.
struct Setting {
  std::vector<Upstream> upstreams;
  Route route;
  std::vector<std::string> consumer;

  Setting() {
    upstreams.resize(4);
    upstreams[0].name = "openai-eu";
    upstreams[0].provider = "openai";
    upstreams[0].models = {"gpt-*"};
    upstreams[0].default_model = "gpt-4o-mini";
    upstreams[1].name = "openai-us";
    upstreams[1].provider = "openai";
    upstreams[1].models = {"gpt-*", "o1"};
    upstreams[2].name = "router";
    upstreams[2].provider = "openrouter";
    upstreams[2].models = {"meta-llama/*"};
    upstreams[2].default_model = "meta-llama/llama-3";
    upstreams[3].name = "local";
    upstreams[3].provider = "vllm";
    route.name = "chat";
    route.upstreams = {{.upstream = "openai-eu", .pools = {"Fast"}},
                       {.upstream = "openai-us", .pools = {"fast", "bare"}},
                       {.upstream = "router", .pools = {"open"}},
                       {.upstream = "local", .model = "qwen3", .pools = {"FAST", "open"}}};
  }

  [[nodiscard]] Result<Decision> decide(std::optional<std::string_view> model) const {
    std::vector<const Upstream*> pointers;
    for (const Upstream& upstream : upstreams) pointers.push_back(&upstream);
    ModelQuestion question{.route = &route, .upstreams = pointers, .allowed_for_consumer = consumer, .present = model.has_value(), .model = model.value_or("")};
    return decide_model(question);
  }
  /// `0=gpt-4o 3=qwen3`; `-` where the model stays; the code and the message of a refusal otherwise.
  [[nodiscard]] std::string choices(std::optional<std::string_view> model) const {
    const auto decision = decide(model);
    if (!decision) return fmt::format("{} {}", decision.error().http_status, to_string(decision.error().code));
    CHECK_FALSE(decision->choices.empty());
    CHECK(decision->requested == model.value_or(""));
    std::string out;
    for (const Choice& choice : decision->choices) {
      CHECK_FALSE(choice.why.empty());
      out += fmt::format("{}{}={}", out.empty() ? "" : " ", choice.target, choice.model.empty() ? "-" : choice.model);
    }
    return out + (decision->pinned ? " pinned" : "");
  }
  [[nodiscard]] std::string refusal(std::optional<std::string_view> model) const {
    const auto decision = decide(model);
    REQUIRE_FALSE(decision);
    CHECK(decision.error().param == "model");
    return decision.error().message;
  }
};

const char* const kDenied = "403 model_not_allowed";
const char* const kInvalid = "400 invalid_model";

}  // namespace

TEST_CASE("a model on the allow-list is forwarded, exact or by glob") {  // ROUTE-09
  Setting s;
  s.route.models.allow = {"o1", "gpt-4*"};
  CHECK(s.choices("o1") == "1=- 3=qwen3");
  CHECK(s.choices("gpt-4o") == "0=- 1=- 3=qwen3");
  CHECK(s.decide("gpt-4o")->note.empty());
}

TEST_CASE("a model that is not on the allow-list is refused, and the error names the model and the rule") {  // ROUTE-09
  Setting s;
  s.route.models.allow = {"o1", "gpt-4*"};
  CHECK(s.choices("gpt-3.5") == kDenied);
  CHECK(s.refusal("gpt-3.5") == R"(model "gpt-3.5" is not allowed: route "chat" allows "o1" or "gpt-4*")");
  CHECK(s.choices("GPT-4o") == kDenied);  // case counts
}

TEST_CASE("with substitute the default is used for a model that is not allowed, and reported") {  // ROUTE-09
  Setting s;
  s.route.models = {.allow = {"gpt-4*"}, .default_model = "gpt-4o", .substitute = true};
  for (const char* model : {"gpt-3.5", "@openai/gpt-3.5", "pool:open", "@local/x"}) {
    INFO(model);
    CHECK(s.choices(model) == "0=gpt-4o 1=gpt-4o 3=qwen3");
    const auto decision = s.decide(model);
    CHECK(decision->requested == model);
    CHECK(decision->note == fmt::format(R"(model "{}" is not allowed; the route's default "gpt-4o" was used)", model));
  }
  CHECK(s.decide("gpt-4")->note.empty());
  CHECK(s.choices("") == kDenied);           // ROUTE-11: never defaulted
  CHECK(s.choices("@nobody/x") == kDenied);  // not a matter of the list
  CHECK(s.choices("@") == kInvalid);
  s.route.models.default_model.clear();
  CHECK(s.choices("gpt-3.5") == kDenied);
}

TEST_CASE("an absent model takes the default, is refused under an allow-list without one, and is left alone without a policy") {  // ROUTE-10
  Setting s;
  CHECK(s.choices(std::nullopt) == "0=- 1=- 2=- 3=qwen3");
  CHECK(s.decide(std::nullopt)->note.empty());
  s.route.models.allow = {"gpt-4o"};
  CHECK(s.choices(std::nullopt) == kDenied);
  CHECK(s.refusal(std::nullopt) == R"(a request without a model is not allowed: route "chat" allows "gpt-4o"; name one of them)");
  s.route.models.default_model = "gpt-4o";
  CHECK(s.choices(std::nullopt) == "0=gpt-4o 1=gpt-4o 3=qwen3");
  CHECK(s.decide(std::nullopt)->note == R"(the request named no model; the route's default "gpt-4o" was used)");
  s.route.models.default_model = "gpt-3.5";  // the operator's own word needs no listing
  CHECK(s.choices(std::nullopt) == "0=gpt-3.5 1=gpt-3.5 3=qwen3");
  s.route.models = {.default_model = "@local/qwen3"};
  CHECK(s.choices(std::nullopt) == "3=qwen3 pinned");
  s.route.models = {.default_model = "auto"};
  CHECK(s.choices(std::nullopt) == "0=gpt-4o-mini 2=meta-llama/llama-3 3=qwen3");
}

TEST_CASE("the empty model is refused under an allow-list, never defaulted, and forwarded otherwise") {  // ROUTE-11
  Setting s;
  CHECK(s.choices("") == "0=- 1=- 2=- 3=qwen3");
  s.route.models.default_model = "gpt-4o";
  CHECK(s.choices("") == "0=- 1=- 2=- 3=qwen3");
  s.route.models.allow = {"*"};
  CHECK(s.choices("") == kDenied);
  s.route.models.allow.clear();
  s.consumer = {"*"};
  CHECK(s.choices("") == kDenied);
}

TEST_CASE("a provider intent goes to that provider alone, with the native name") {  // ROUTE-16
  Setting s;
  CHECK(s.choices("@openai/gpt-4o-mini") == "0=gpt-4o-mini pinned");
  CHECK(s.choices("@openai/o1") == "1=o1 pinned");  // the first of the provider that serves it
  CHECK(s.choices("@openai-us/gpt-4o") == "1=gpt-4o pinned");
  CHECK(s.choices("@router/meta-llama/llama-3") == "2=meta-llama/llama-3 pinned");
  CHECK(s.choices("@openrouter/meta-llama/llama-3:free") == "2=meta-llama/llama-3:free pinned");
  CHECK(s.choices("@local/other") == "3=other pinned");  // the native name, not the target's own
  CHECK(s.decide("@local/other")->choices[0].why == R"(intent "@local/other")");
}

TEST_CASE("an upstream's own name goes before a provider's id") {  // ROUTE-16
  Setting s;
  s.upstreams[3].name = "openai";
  CHECK(s.choices("@openai/gpt-4o") == "3=gpt-4o pinned");
}

TEST_CASE("malformed intents and unknown aliases are 400") {  // ROUTE-17
  const Setting s;
  for (const char* model : {"@", "@x/", "@/m", "@/", "@openai", "@openai/", "pool:", "pool:nobody", "POOL:", "pool: fast"}) {
    INFO(model);
    CHECK(s.choices(model) == kInvalid);
    CHECK_FALSE(s.refusal(model).empty());
  }
  CHECK(s.refusal("pool:nobody") == R"(route "chat" has no pool "nobody")");
}

TEST_CASE("a provider that is not on the route, or does not serve the model, is 403") {  // ROUTE-17
  Setting s;
  CHECK(s.choices("@anthropic/claude") == kDenied);
  CHECK(s.refusal("@anthropic/claude") == R"(model "@anthropic/claude" is not allowed: route "chat" has no provider "anthropic")");
  CHECK(s.choices("@openai/llama") == kDenied);
  CHECK(s.refusal("@openai/llama") == R"(model "@openai/llama" is not allowed: provider "openai" does not serve "llama" on route "chat")");
  s.route.models.allow = {"gpt-4o"};
  CHECK(s.choices("@openai/gpt-4o-mini") == kDenied);
}

TEST_CASE("the native name of an intent is judged by the lists, as is the intent as a whole") {  // ROUTE-16, ROUTE-17
  Setting s;
  s.route.models.allow = {"gpt-4o"};
  CHECK(s.choices("@openai/gpt-4o") == "0=gpt-4o pinned");
  s.route.models.allow = {"@openai-us/*"};
  CHECK(s.choices("@openai-us/gpt-4o") == "1=gpt-4o pinned");
  CHECK(s.choices("@openai/gpt-4o") == kDenied);
  CHECK(s.choices("gpt-4o") == kDenied);
}

TEST_CASE("a pool means its members, whatever the case, each with its own model") {  // ROUTE-18, the choosing half
  const Setting s;
  CHECK(s.choices("pool:Fast") == "0=gpt-4o-mini 3=qwen3");  // openai-us has no model of its own
  CHECK(s.choices("pool:FAST") == s.choices("Pool:fast"));
  CHECK(s.choices("pool:open") == "2=meta-llama/llama-3 3=qwen3");
  CHECK(s.choices("pool:bare") == kInvalid);  // a member, but none with a model
  const auto decision = s.decide("pool:Fast");
  for (const Choice& choice : decision->choices) CHECK(choice.model.find("ool:") == std::string::npos);
}

TEST_CASE("auto gives each upstream its own default, and leaves out those without one") {  // ROUTE-19
  Setting s;
  CHECK(s.choices("auto") == "0=gpt-4o-mini 2=meta-llama/llama-3 3=qwen3");
  s.route.upstreams.erase(s.route.upstreams.begin() + 2, s.route.upstreams.end());
  s.upstreams.resize(2);
  s.upstreams[0].default_model.clear();
  CHECK(s.choices("auto") == kInvalid);
}

TEST_CASE("pools and auto cannot pass what an allow-list refuses") {  // ROUTE-17, ROUTE-18, ROUTE-19
  Setting s;
  s.route.models.allow = {"qwen3"};
  CHECK(s.choices("auto") == "3=qwen3");
  CHECK(s.choices("pool:fast") == "3=qwen3");
  s.route.models.allow = {"gpt-4o"};
  CHECK(s.choices("auto") == kDenied);
  CHECK(s.choices("pool:fast") == kDenied);
  s.route.models.allow = {"pool:Fast"};  // the alias itself is listed
  CHECK(s.choices("pool:fast") == "0=gpt-4o-mini 3=qwen3");
  CHECK(s.choices("pool:open") == kDenied);
  CHECK(s.choices("auto") == kDenied);
  s.route.models.allow = {"auto"};
  CHECK(s.choices("auto") == "0=gpt-4o-mini 2=meta-llama/llama-3 3=qwen3");
}

TEST_CASE("a bare name means every upstream that serves it, in the route's order") {  // ROUTE-20, the choosing half
  Setting s;
  CHECK(s.choices("o1") == "1=- 3=qwen3");
  CHECK(s.choices("gpt-4o") == "0=- 1=- 3=qwen3");
  CHECK(s.choices("qwen3") == "3=-");  // already the target's own name: nothing to write
  CHECK(s.decide("o1")->choices[0].why == R"(serves "o1")");
  CHECK(s.decide("o1")->choices[1].why == R"(serves "o1" as "qwen3")");
  s.route.upstreams[3].model.clear();  // no globs: serves any
  CHECK(s.choices("unheard-of") == "3=-");
  s.upstreams[3].models = {"qwen*"};
  CHECK(s.choices("unheard-of") == kDenied);
  CHECK(s.refusal("unheard-of") == R"(model "unheard-of" is not allowed: no upstream of route "chat" serves it)");
}

TEST_CASE("where intents are off, they are names like any other") {
  Setting s;
  s.route.models.intents = false;
  CHECK(s.choices("@openai/gpt-4o") == "3=qwen3");
  CHECK(s.choices("pool:fast") == "3=qwen3");
  CHECK(s.choices("auto") == "3=qwen3");
  CHECK(s.choices("@") == "3=qwen3");
}

TEST_CASE("the consumer's list is judged beside the route's, and named where it refuses") {  // ROUTE-07, ROUTE-09
  Setting s;
  s.route.models.allow = {"gpt-*", "o1"};
  s.consumer = {"gpt-4o", "qwen3"};
  CHECK(s.choices("gpt-4o") == "0=- 1=- 3=qwen3");
  CHECK(s.choices("gpt-4") == kDenied);
  CHECK(s.refusal("gpt-4") == R"(model "gpt-4" is not allowed: the consumer's groups allow "gpt-4o" or "qwen3")");
  CHECK(s.choices("qwen3") == kDenied);  // the route's list refuses it
  CHECK(s.refusal("qwen3").find("route \"chat\"") != std::string::npos);
  CHECK(s.choices("@openai/gpt-4") == kDenied);
  CHECK(s.choices("@openai/gpt-4o") == "0=gpt-4o pinned");
  s.route.models = {};
  CHECK(s.choices(std::nullopt) == kDenied);
  CHECK(s.choices("auto") == "3=qwen3");
  s.route.models.default_model = "gpt-4";  // the operator of the route does not speak for the consumer's groups
  CHECK(s.choices(std::nullopt) == kDenied);
  s.route.models = {.default_model = "gpt-4o", .substitute = true};
  CHECK(s.choices("o1") == "0=gpt-4o 1=gpt-4o 3=qwen3");
}

TEST_CASE("a refusal shows a long or odd model name safely") {
  Setting s;
  s.route.models.allow = {"x"};
  CHECK(s.refusal("a\nb").find("\"a\\nb\"") != std::string::npos);
  CHECK(s.refusal(std::string(10'000, 'a')).size() < 300);
}
