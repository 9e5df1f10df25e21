// The same requests through C++, through C and through a listener: nobody gets another answer, or another account of it.

#include <simdjson.h>

#include <array>

#include "rig.hpp"
#include "support/live.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

constexpr std::uint64_t kSeed = 7;

struct Vector {
  std::string name, method, target, body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::int64_t status = 0;
  std::string ending, code, says;
  std::vector<std::string> attempts;
};

/// What one surface made of one vector.
struct Told {
  std::int64_t status = 0;
  std::string type, body, ending, code, route, usage;
  std::vector<std::string> attempts;
};

std::string text_of(simdjson::dom::element value) { return std::string(std::string_view(value)); }

struct Vectors {
  Vectors() {
    simdjson::dom::element file = parser.load(std::string(SLUICE_SOURCE_DIR) + "/tests/golden/surface_vectors.json");
    config = simdjson::minify(file["configuration"]);
    for (const simdjson::dom::element one : simdjson::dom::array(file["vectors"])) {
      Vector& vector = all.emplace_back();
      vector.name = text_of(one["name"]);
      vector.target = text_of(one["target"]);
      simdjson::dom::element value;
      if (one["body"].get(value) == simdjson::SUCCESS) vector.body = simdjson::minify(value);
      if (one["text"].get(value) == simdjson::SUCCESS) vector.body = text_of(value);
      vector.method = vector.body.empty() ? "GET" : "POST";
      vector.headers.emplace_back("host", "gateway.test");
      if (one["headers"].get(value) == simdjson::SUCCESS) {
        for (const auto& [field, text] : simdjson::dom::object(value)) vector.headers.emplace_back(field, text_of(text));
      }
      const simdjson::dom::element expected = one["expect"];
      vector.status = std::int64_t(expected["status"]);
      vector.ending = text_of(expected["ending"]);
      vector.code = text_of(expected["code"]);
      vector.says = text_of(expected["says"]);
      for (const simdjson::dom::element attempt : simdjson::dom::array(expected["attempts"])) vector.attempts.push_back(text_of(attempt));
    }
  }
  simdjson::dom::parser parser;
  std::string config;
  std::vector<Vector> all;
};

/// Without what is new in every answer: what stands between `before` and `behind` is left out.
void blank(std::string& text, std::string_view before, std::string_view behind) {
  for (std::size_t at = 0; (at = text.find(before, at)) != std::string::npos;) {
    at += before.size();
    const std::size_t end = text.find_first_of(behind, at);
    text.erase(at, (end == std::string::npos ? text.size() : end) - at);
  }
}

std::string same_everywhere(std::string body) {
  blank(body, R"("id":")", "\"");
  blank(body, R"("created":)", ",}");
  return body;
}

void account(Told& told, const Outcome& outcome) {
  told.ending = to_string(outcome.ending);
  told.code = to_string(outcome.error ? outcome.error->code : Code::kOk);
  told.route = outcome.route;
  told.usage = std::to_string(outcome.usage.input_tokens.value_or(0)) + '+' + std::to_string(outcome.usage.output_tokens.value_or(0));
  for (const Attempt& attempt : outcome.attempts) told.attempts.push_back(attempt.upstream + ' ' + std::string(to_string(attempt.code)));
}

/// In C++, followed by a listener of its own.
std::vector<Told> through_cpp(const Vectors& vectors) {
  class Follower final : public ExchangeListener {
   public:
    void on_head(const ResponseHead& head) override {
      told.status = head.status;
      told.type = head.headers.get("content-type").value_or("");
    }
    void on_bytes(std::string_view bytes) override { told.body += bytes; }
    void on_end(const Outcome& outcome) override {
      account(told, outcome);
      outcomes.add(outcome);
    }
    Told told;
    Outcomes outcomes;
  };
  auto config = Config::parse(vectors.config);
  INFO((config ? std::string() : config.error().message));
  REQUIRE(config);
  config->gateway.threads = 1;
  OpenOptions options;
  options.seed = kSeed;
  auto gateway = Gateway::open(std::move(*config), std::move(options));
  REQUIRE(gateway);
  std::vector<Told> all;
  for (const Vector& vector : vectors.all) {
    Request request;
    request.method = vector.method;
    request.target = vector.target;
    for (const auto& [name, value] : vector.headers) REQUIRE(request.headers.add(name, value));
    if (!vector.body.empty()) REQUIRE(request.headers.add("content-type", "application/json"));
    request.body = Body::copy(vector.body);
    const auto follower = std::make_shared<Follower>();
    REQUIRE(gateway->submit(std::move(request), follower));
    REQUIRE(follower->outcomes.wait(1).size() == 1);
    all.push_back(follower->told);
  }
  return all;
}

/// In C, out of a queue.
std::vector<Told> through_c(const Vectors& vectors) {
  using capi_test::good;
  using capi_test::view;
  sluice_options_t* options = nullptr;
  sluice_gateway_t* gateway = nullptr;
  good([&](auto err) { return sluice_options_new(&options, err); });
  good([&](auto err) { return sluice_options_set_json(options, vectors.config.data(), vectors.config.size(), err); });
  good([&](auto err) { return sluice_options_set_seed(options, kSeed, err); });
  good([&](auto err) { return sluice_options_set_threads(options, 1, err); });
  good([&](auto err) { return sluice_gateway_open(options, &gateway, err); });
  sluice_options_free(options);
  capi_test::Queue queue;
  std::vector<Told> all;
  for (const Vector& vector : vectors.all) {
    std::vector<sluice_header_t> headers;
    for (const auto& [name, value] : vector.headers) headers.push_back({name.data(), name.size(), value.data(), value.size()});
    sluice_request_t request{};
    request.struct_size = sizeof request;
    request.target = vector.target.data();
    request.target_size = vector.target.size();
    request.headers = headers.data();
    request.header_count = headers.size();
    request.body = vector.body.data();
    request.body_size = vector.body.size();
    const sluice_call_t call = capi_test::submit(gateway, queue.queue, request);
    Told& told = all.emplace_back();
    for (bool ended = false; !ended;) {
      std::array<sluice_event_t, 16> events{};
      std::size_t count = 0;
      good([&](auto err) { return sluice_queue_poll(queue.queue, events.data(), sizeof events[0], events.size(), 20'000, &count, err); });
      REQUIRE(count > 0);
      const std::string_view arena = view(sluice_queue_arena(queue.queue));
      for (std::size_t i = 0; i < count; ++i) {
        const std::string_view data = arena.substr(events[i].offset, events[i].size);
        if (events[i].kind == SLUICE_EVENT_HEAD) {
          told.status = events[i].status;
          told.type = data;
        }
        if (events[i].kind == SLUICE_EVENT_CHUNK) told.body += data;
        ended = ended || events[i].kind == SLUICE_EVENT_END;
      }
      if (!ended) continue;
      sluice_outcome_t* outcome = nullptr;
      good([&](auto err) { return sluice_call_take_outcome(queue.queue, call, &outcome, err); });
      sluice_outcome_info_t info{};
      info.struct_size = sizeof info;
      good([&](auto err) { return sluice_outcome_info(outcome, &info, err); });
      constexpr std::array<const char*, 4> kEndings{"completed", "refused", "failed", "cancelled"};
      told.ending = kEndings.at(static_cast<std::size_t>(info.ending));
      told.code = view(sluice_code_name(info.code));
      told.route = view(info.route);
      told.usage = std::to_string(std::max<std::int64_t>(info.usage.input_tokens, 0)) + '+' +
                   std::to_string(std::max<std::int64_t>(info.usage.output_tokens, 0));
      for (std::size_t i = 0; i < info.attempt_count; ++i) {
        sluice_attempt_info_t attempt{};
        attempt.struct_size = sizeof attempt;
        good([&](auto err) { return sluice_outcome_attempt(outcome, i, &attempt, err); });
        told.attempts.push_back(std::string(view(attempt.upstream)) + ' ' + std::string(view(sluice_code_name(attempt.code))));
      }
      sluice_outcome_free(outcome);
      sluice_queue_release(queue.queue);
    }
    const std::size_t type = told.type.find("ontent-");  // of its fields, the one that is compared
    for (std::size_t at = type; at != std::string::npos; at = told.type.find("ontent-", at + 1)) {
      if (told.type.compare(at, 11, "ontent-Type") != 0 && told.type.compare(at, 11, "ontent-type") != 0) continue;
      told.type = told.type.substr(at + 13, told.type.find('\r', at) - at - 13);
      break;
    }
  }
  sluice_gateway_free(gateway);
  return all;
}

/// Over a socket.
std::vector<Told> through_listener(const Vectors& vectors) {
  OpenOptions options;
  options.seed = kSeed;
  Live live(vectors.config, 1, std::move(options));
  std::vector<Told> all;
  for (const Vector& vector : vectors.all) {
    std::string fields;
    for (const auto& [name, value] : vector.headers) {
      if (name != "host") fields += name + ": " + value + "\r\n";  // which post() and get() send by themselves
    }
    RawClient client(live.port());
    client.send(vector.body.empty() ? get(vector.target, fields) : post(vector.target, vector.body, fields));
    const WireAnswer answer = client.answer();
    Told& told = all.emplace_back();
    told.status = answer.status;
    told.type = answer.field("content-type").value_or("");
    told.body = answer.body;
    const auto outcomes = live.outcomes().wait(all.size());
    REQUIRE(outcomes.size() == all.size());
    account(told, outcomes.back());
  }
  return all;
}

}  // namespace

// ABI-13
TEST_CASE("the same requests have the same outcome in C++, in C and through the listener") {
  const Vectors vectors;
  REQUIRE(vectors.all.size() > 10);
  const auto cpp = through_cpp(vectors), c = through_c(vectors), listener = through_listener(vectors);
  for (std::size_t i = 0; i < vectors.all.size(); ++i) {
    const Vector& vector = vectors.all[i];
    INFO(vector.name);
    for (const Told* told : {&cpp[i], &c[i], &listener[i]}) {
      INFO((told == &cpp[i] ? "C++" : told == &c[i] ? "C" : "listener"));
      CHECK(told->status == vector.status);
      CHECK(told->ending == vector.ending);
      CHECK(told->code == vector.code);
      CHECK(told->attempts == vector.attempts);
      CHECK(told->body.find(vector.says) != std::string::npos);
      CHECK(told->type == cpp[i].type);
      CHECK(told->route == cpp[i].route);
      CHECK(told->usage == cpp[i].usage);
      CHECK(same_everywhere(told->body) == same_everywhere(cpp[i].body));
    }
  }
}
