// Secrets and events: canaries in every place a key may stand, every way an exchange can fail, and none of them told.

#include <catch2/catch.hpp>

#include <openssl/evp.h>

#include "http/target.hpp"
#include "telemetry_support.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

/// Eight canaries: where each of them stands.
const std::string kCredential = "sk-canary/credential+0a1b2c3d";    // of the upstream
const std::string kOtherCredential = "sk-canary-second-4e5f60718293";  // of an upstream that is not asked
const std::string kConsumerKey = "ck-canary-env-a1b2c3d4e5f6";      // of a consumer, by reference
const std::string kHashedKey = "ck-canary-hashed-0f1e2d3c4b5a";     // of a consumer, by its hash
const std::string kQueryKey = "qk-canary-query-99aa88bb77cc";       // in the upstream's own url
const std::string kFieldKey = "hk-canary-field-55dd44ee33ff";       // in a field the route sets
const std::string kUnknownKey = "uk-canary-unknown-1234567890";     // of nobody
const std::string kUrlKey = "gk-canary-caller-query-abcdef01";      // in the caller's query, of a consumer by its hash

const std::vector<std::string> kCanaries{kCredential, kOtherCredential, kConsumerKey, kHashedKey, kQueryKey, kFieldKey, kUnknownKey, kUrlKey};

std::string base64(std::string_view text) {
  std::string out((text.size() + 2) / 3 * 4 + 1, '\0');
  out.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()))));
  return out;
}

/// Every form of a canary; of base64 what its first bytes alone decide, wherever in a group they stand.
std::vector<std::string> forms(const std::string& canary) {
  std::vector<std::string> all{canary, http::percent_encode(canary), sha256(canary), canary.substr(0, 20)};
  for (const char* before : {"", "x", "xy"}) {
    const std::string encoded = base64(before + canary);
    all.push_back(encoded.substr(4, 16));
  }
  return all;
}

void check_clean(const std::string& text, const std::string& where) {
  for (const std::string& canary : kCanaries) {
    for (const std::string& form : forms(canary)) {
      INFO(where << " holds " << form << "\n" << text);
      CHECK(text.find(form) == std::string::npos);
    }
  }
}

std::string quoted(std::string text) { return "\"" + std::move(text) + "\""; }

/// What an upstream says that echoes everything it was sent, and keys it should not know, in every form.
std::string echo(const RawRequest& request) {
  std::string text = request.target + " " + request.header("authorization").value_or("") + " " + request.header("x-house-key").value_or("") + " " +
                     request.header("x-api-key").value_or("");
  for (const std::string& key : {kCredential, kOtherCredential, kConsumerKey, kQueryKey, kFieldKey}) {
    text += " " + key + " " + http::percent_encode(key) + " " + base64(key) + " " + base64("x" + key) + " " + base64("xy" + key);
  }
  return text;
}

Reply echoing(const RawRequest& request) {
  const std::string text = echo(request);
  const auto asks = [&request](const char* word) { return request.body.find(word) != std::string::npos; };
  if (asks("shaped")) return json_reply(R"({"error":{"message":")" + text + R"(","type":"invalid_request_error","code":"invalid_api_key"}})", 401);
  if (asks("plain")) return Reply::status(500, text, "Content-Type: text/plain\r\n");
  if (asks("fields")) return json_reply("{}", 429, "Retry-After: 0\r\nX-RateLimit-Key: " + kCredential + "\r\nX-Request-Id: " + kCredential + "\r\n");
  if (asks("html")) return Reply::ok("<html>" + text + "</html>", "Content-Type: text/html\r\n");
  if (asks("embedded")) return json_reply(R"({"error":{"message":")" + text + R"("}})");
  if (asks("first event")) return whole_stream(event_of(R"({"error":{"message":")" + text + R"("}})"));
  if (asks("later event")) return whole_stream(kRole + text_event("hi") + event_of(R"({"error":{"message":")" + text + R"("}})"));
  if (asks("no json")) return whole_stream(kRole + "data: " + text + "\n\n");
  if (asks("redirect")) return Reply::status(302, "", "Location: http://" + request.header("host").value_or("") + "/" + kCredential + "\r\n");
  if (asks("model")) return json_reply(chat_answer(kCredential));
  if (asks("finish")) return whole_stream(kRole + event_of(R"({"model":"m","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":")" + kCredential + R"("}]})") + kDone);
  return Reply::raw("HTTP/1.1 200 " + text.substr(0, 400) + "\r\nBad Header " + kCredential + "\r\n\r\n").then_close();
}

}  // namespace

// TELE-02
TEST_CASE("no canary stands in a log line, an error or an event, in any form, whatever fails") {
  const auto threads = GENERATE(1u, 4u);
  ::setenv("SLUICE_CANARY_A", kCredential.c_str(), 1);
  ::setenv("SLUICE_CANARY_B", kOtherCredential.c_str(), 1);
  ::setenv("SLUICE_CANARY_C", kConsumerKey.c_str(), 1);
  FaultServer server;
  server.on_request(echoing);
  const auto upstream = [&](const std::string& name, const std::string& url, const std::string& variable) {
    return R"({"name":")" + name + R"(","url":")" + url + R"(","credential":{"env":")" + variable + R"("},"allow_plaintext_credential":true})";
  };
  const std::string url = "http://" + server.authority() + "/v1";
  const std::string fields = R"(,"request_headers":{"set":{"x-house-key":)" + quoted(kFieldKey) + R"(}},"forward_headers":["x-api-key"])";
  const std::string config = document(
      upstream("a", url + "?api-key=" + kQueryKey, "SLUICE_CANARY_A") + "," + upstream("b", url, "SLUICE_CANARY_B") + "," +
          upstream("dead", "http://127.0.0.1:1/v1", "SLUICE_CANARY_A"),
      R"({"name":"dead","match":{"headers":{"x-to":"dead"}},"upstreams":[{"name":"dead"}],"retry":{"attempts":1}},)"
      R"({"name":"opaque","operation":"opaque","match":{"path":"/v1/files"},"upstreams":[{"name":"a"}])" + fields + "}," +
          R"({"name":"r","match":{"path":"/v1/chat/completions"},"upstreams":[{"name":"a"}],"retry":{"attempts":2,"backoff_ms":1,"max_backoff_ms":1})" + fields + "}",
      R"(,"telemetry":{"prompt":true,"answer":true,"tool_calls":true},"consumers":[{"name":"env","keys":[{"env":"SLUICE_CANARY_C"}]},)"
      R"({"name":"hashed","keys":[{"sha256":)" + quoted(sha256(kHashedKey)) + R"(},{"sha256":)" + quoted(sha256(kUrlKey)) + "}]}]");
  std::mutex mutex;
  std::string logged;
  Events events;
  OpenOptions options = telling(events);
  options.log = [&](LogLevel, std::string_view line) {
    const std::lock_guard lock(mutex);
    logged += line;
  };
  Live live(config, threads, std::move(options));

  std::vector<std::string> asked;
  const std::vector<std::string> keys{"Authorization: Bearer " + kConsumerKey + "\r\n", "X-Api-Key: " + kHashedKey + "\r\n", "X-Api-Key: " + kUnknownKey + "\r\n"};
  for (const char* kind : {"shaped", "plain", "fields", "html", "embedded", "first event", "later event", "no json", "redirect", "model", "finish", "broken head"}) {
    const bool stream = std::string_view(kind).find("event") != std::string_view::npos || std::string_view(kind) == "no json" || std::string_view(kind) == "finish";
    // The upstream echoes the caller's key, too, which the route sends on.
    for (const std::string& key : keys) asked.push_back(post("/v1/chat/completions", chat_body("m", kind, stream), key));
    asked.push_back(post("/v1/chat/completions?key=" + kUrlKey + "&x=1", chat_body("m", kind, stream)));
  }
  for (const std::string& key : keys) {
    asked.push_back(post("/v1/chat/completions", chat_body("m"), key + "x-to: dead\r\n"));
    asked.push_back(get("/nowhere", key));
    asked.push_back(get("/v1/chat/completions", key));
    asked.push_back(post("/v1/chat/completions", "{\"model\"", key));
    asked.push_back(post("/v1/chat/completions", chat_body("m"), key + "Content-Encoding: br\r\n"));
    asked.push_back(post("/v1/files", "embedded", key));
  }
  asked.push_back(post("/v1/chat/completions?key=" + kUrlKey, chat_body("m"), keys[0]));  // two different keys
  asked.push_back(get("/nowhere?key=" + kUrlKey));
  // Content: a prompt that holds keys.
  asked.push_back(post("/v1/chat/completions", chat_body("m", "plain " + kConsumerKey + " " + kCredential + " " + base64(kOtherCredential)), keys[0]));
  asked.push_back(post("/v1/chat/completions", chat_body("m", "plain my key is " + kHashedKey), keys[1]));

  for (std::size_t i = 0; i < asked.size(); ++i) {
    (void)ask(live, asked[i]);
    const auto outcomes = live.outcomes().wait(i + 1);
    REQUIRE(outcomes.size() == i + 1);
    const Outcome& outcome = outcomes.back();
    check_clean(outcome.error ? outcome.error->message + outcome.error->param : std::string(), "the error of " + asked[i]);
    for (const Attempt& attempt : outcome.attempts) check_clean(attempt.reason, "an attempt of " + asked[i]);
  }
  const auto lines = events.wait(asked.size());
  REQUIRE(lines.size() == asked.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CHECK(fits_schema(lines[i]));
    check_clean(lines[i], "the event of " + asked[i]);
  }
  CHECK(std::count_if(lines.begin(), lines.end(), [](const std::string& line) { return line.find("***") != std::string::npos; }) > 10);
  CHECK_FALSE(at(lines[0], {"content", "prompt"}).empty());
  check_clean(logged, "the log");
}

// TELE-03
TEST_CASE("by default an event holds no word of what was said, and no header field") {
  const auto threads = GENERATE(1u, 4u);
  const bool stream = GENERATE(false, true);
  Events events;
  FaultServer server;
  server.on_request([&](const RawRequest&) {
    return stream ? whole_stream(kRole + text_event("spoken-by-the-model") + kStop + kDone)
                  : answer_of(R"({"model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":"spoken-by-the-model"},"finish_reason":"stop"}]})");
  });
  Live live(config_of(server), threads, telling(events));
  CHECK(ask(live, post("/v1/chat/completions", chat_body("m", "said-by-the-caller", stream), "X-Private: in-a-field\r\nUser-Agent: in-a-field\r\n")).status == 200);
  const auto lines = events.wait(1);
  REQUIRE(lines.size() == 1);
  CHECK(fits_schema(lines[0]));
  CHECK(at(lines[0], {"content"}).empty());
  for (const char* word : {"spoken", "said-by", "in-a-field"}) CHECK(lines[0].find(word) == std::string::npos);
}

// TELE-03
TEST_CASE("a key is told as eight digits that tell keys apart and are no plain hash, and stay the same over a reload") {
  const auto threads = GENERATE(1u, 4u);
  Events events;
  Backend a("a");
  const std::string config = document(a.entry(), route_to("a"), R"(,"gateway":{"threads":)" + std::to_string(threads) + R"(},"consumers":[{"name":"x","keys":[{"sha256":)" +
                                      quoted(sha256(kHashedKey)) + R"(},{"sha256":)" + quoted(sha256(kUrlKey)) + "}]}]");
  std::string first_id;
  for (int gateway = 0; gateway < 2; ++gateway) {
    Events told;
    Live live(config, threads, telling(told));
    const auto id_of = [&](const std::string& fields, const std::string& query, std::size_t n) {
      (void)ask(live, post("/v1/chat/completions" + query, chat_body("m"), fields));
      const auto lines = told.wait(n);
      REQUIRE(lines.size() == n);
      return at(lines.back(), {"key_id"});
    };
    const std::string id = id_of("Authorization: Bearer " + kHashedKey + "\r\n", {}, 1);
    CHECK(id.size() == 10);
    CHECK(id.find_first_not_of("\"0123456789abcdef") == std::string::npos);
    CHECK(id != quoted(sha256(kHashedKey).substr(0, 8)));
    CHECK(id_of("X-Api-Key: " + kHashedKey + "\r\n", {}, 2) == id);
    CHECK(id_of({}, "?key=" + kUrlKey, 3) != id);
    CHECK(id_of("Authorization: Bearer " + kUnknownKey + "\r\n", {}, 4).size() == 10);  // refused, and told apart all the same
    CHECK(id_of({}, {}, 5).empty());
    auto again = Config::parse(config);
    REQUIRE(again);
    again->gateway.listen.push_back({});
    REQUIRE(live.gateway().reload(std::move(*again)));
    CHECK(id_of("X-Api-Key: " + kHashedKey + "\r\n", {}, 6) == id);
    CHECK(id != first_id);  // another gateway has a salt of its own
    first_id = id;
  }
}
