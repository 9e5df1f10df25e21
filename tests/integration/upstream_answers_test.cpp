// Answers that are framed badly, too large, packed too tightly, or say what they must not.

#include <zlib.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <mutex>

#include "integration/rig.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

std::string gzip(std::string_view plain, int level = 9) {
  z_stream stream{};
  // No assertion of the test framework's: a server's thread comes here too, and those are for one thread.
  if (deflateInit2(&stream, level, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK) std::abort();
  std::string out(deflateBound(&stream, plain.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) std::abort();
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// A JSON text that is nearly all blanks: 100 MiB in about 100 KB.
const std::string& bomb() {
  static const std::string packed = gzip("{\"choices\":[]" + std::string(100u << 20, ' ') + "}");
  return packed;
}

/// What the asked-for answer grows our memory by while it is refused. The sanitizers keep freed memory, so it says nothing there.
constexpr bool kMemoryTells =
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    false;
#else
    true;
#endif
#else
    true;
#endif

}  // namespace

TEST_CASE("an answer with a length beside chunked framing is read by its chunks, and its connection not used again") {  // SEC-12
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  a->on_request([](const RawRequest&) {
    return Reply::raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n").chunk(chat_answer("a")).end_chunks();
  });
  Live live(document(a.entry(), route_to("a")), threads);
  for (int i = 0; i < 3; ++i) {
    const WireAnswer answer = ask(live, post("/v1/chat/completions", chat_body("m")));
    CHECK(answer.status == 200);
    CHECK(answer.body == chat_answer("a"));
  }
  CHECK(a->opened() == 3);
}

TEST_CASE("an answer with two different lengths is a protocol error") {  // SEC-12
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  a->on_request([](const RawRequest&) {
    return Reply::raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 7\r\n\r\n{}     ");
  });
  Live live(document(a.entry(), route_to("a", R"(,"retry":{"attempts":1})")), threads);
  const WireAnswer answer = ask(live, post("/v1/chat/completions", chat_body("m")));
  CHECK(answer.status == 502);
  CHECK(error_code(answer.body) == "upstream_protocol_error");
  CHECK(a->request_count() == 1);
}

TEST_CASE("an answer head that is too large is refused once") {  // SEC-13
  const auto threads = GENERATE(1u, 4u);
  const bool one_field = GENERATE(true, false);
  Backend a("a");
  a->on_request([one_field](const RawRequest&) {
    std::string fields;
    if (one_field) fields = "X-Long: " + std::string(90 * 1024, 'x') + "\r\n";
    else for (int i = 0; i < 400; ++i) fields += "X-" + std::to_string(i) + ": " + std::string(1024, 'x') + "\r\n";
    return json_reply(chat_answer("a"), 200, fields);
  });
  Live live(document(a.entry(), route_to("a")), threads);
  const WireAnswer answer = ask(live, post("/v1/chat/completions", chat_body("m")));
  CHECK(answer.status == 502);
  CHECK(error_code(answer.body) == "upstream_head_too_large");
  CHECK(live.outcomes().wait(1).at(0).attempts.size() == 1);
  CHECK(a->request_count() == 1);
}

TEST_CASE("a page of HTML where an answer belongs is a typed error, its keys masked") {  // SEC-13
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  a->on_request([](const RawRequest&) {
    return Reply::ok("<html><head><title>Login</title></head><body><h1>Sign in</h1> your key sk-proj-0123456789abcdefghij is known</body></html>",
                     "Content-Type: text/html\r\n");
  });
  Live live(document(a.entry(), route_to("a")), threads);
  const WireAnswer answer = ask(live, post("/v1/chat/completions", chat_body("m")));
  CHECK(answer.status == 502);
  CHECK(error_code(answer.body) == "upstream_invalid_answer");
  CHECK(answer.body.find("Sign in") != std::string::npos);
  CHECK(answer.body.find("0123456789abcdefghij") == std::string::npos);
  const Outcome outcome = live.outcomes().wait(1).at(0);
  CHECK(outcome.error->message.find("0123456789abcdefghij") == std::string::npos);
  CHECK(outcome.attempts.at(0).reason.find("0123456789abcdefghij") == std::string::npos);
}

TEST_CASE("a compressed answer is decoded where it was asked for, and refused where it grows too far") {  // SEC-14
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  const std::string packed = bomb();
  CHECK(packed.size() < 110 * 1024);
  a->on_request([&packed](const RawRequest& request) {
    if (request.body.find("bomb of bombs") != std::string::npos) {
      return json_reply(gzip(packed), 200, "Content-Encoding: gzip, gzip\r\n");
    }
    if (request.body.find("bomb") != std::string::npos) return json_reply(packed, 200, "Content-Encoding: gzip\r\n");
    return json_reply(gzip(chat_answer("a")), 200, "Content-Encoding: gzip\r\n");
  });
  Live live(document(a.entry(R"(,"compressed":true)"), route_to("a")), threads);
  const WireAnswer good = ask(live, post("/v1/chat/completions", chat_body("m")));
  CHECK(good.body == chat_answer("a"));
  CHECK_FALSE(good.field("content-encoding"));

  const std::size_t before = resident_bytes();
  for (const char* kind : {"bomb", "bomb of bombs"}) {
    const WireAnswer answer = ask(live, post("/v1/chat/completions", chat_body("m", kind)));
    // The head may be out before the cap is reached: then the answer breaks off.
    CHECK((answer.status == 502 || !answer.complete));
    CHECK(answer.body.size() <= 33u << 20);
  }
  const auto outcomes = live.outcomes().wait(3);
  for (std::size_t i = 1; i < 3; ++i) {
    CHECK(outcomes.at(i).ending == Ending::kFailed);
    CHECK(outcomes.at(i).error->code == Code::kUpstreamDecodedTooLarge);
  }
  if (kMemoryTells) CHECK(resident_bytes() < before + (8u << 20) + (2u << 20));  // 2 MiB for the test's own answers
}

TEST_CASE("a coding nobody asked for is passed on as it came, or refused, never unpacked without a bound") {  // SEC-14
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  // A zstd frame of one run-length block: 17 bytes that say 2 MiB.
  const std::string frame("\x28\xb5\x2f\xfd\x60\x00\xff\x03\x00\x10\x00\x20", 12);
  a->on_request([frame](const RawRequest&) { return json_reply(frame, 200, "Content-Encoding: zstd\r\n"); });
  const bool compressed = GENERATE(true, false);
  Live live(document(a.entry(compressed ? R"(,"compressed":true)" : ""), route_to("a")), threads);
  const WireAnswer answer = ask(live, post("/v1/chat/completions", chat_body("m")));
  CHECK(answer.status == 502);
  CHECK(answer.body.size() < 4096);
  CHECK(live.outcomes().wait(1).at(0).ending == Ending::kFailed);
}

TEST_CASE("a compressed request is decoded within its bounds and sent plain") {  // SEC-14 LIMIT-20
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a")), threads);
  const std::string plain = chat_body("m", "packed");
  CHECK(ask(live, post("/v1/chat/completions", gzip(plain), "Content-Encoding: gzip\r\n")).status == 200);
  uLongf size = compressBound(plain.size());
  std::string wrapped(size, '\0');
  REQUIRE(compress(reinterpret_cast<Bytef*>(wrapped.data()), &size, reinterpret_cast<const Bytef*>(plain.data()), plain.size()) == Z_OK);
  wrapped.resize(size);
  CHECK(ask(live, post("/v1/chat/completions", wrapped, "Content-Encoding: deflate\r\n")).status == 200);
  REQUIRE(a->request_count() == 2);
  for (const RawRequest& request : a->requests()) {
    CHECK(request.body == plain);
    CHECK_FALSE(request.header("content-encoding"));
    CHECK(request.header("content-length") == std::to_string(plain.size()));
  }

  const std::size_t before = resident_bytes();
  CHECK(ask(live, post("/v1/chat/completions", bomb(), "Content-Encoding: gzip\r\n")).status == 413);
  if (kMemoryTells) CHECK(resident_bytes() < before + (40u << 20));  // the body's own limit of 32 MiB is what may be held
  CHECK(eventually([&] { return live.gateway().statistics().body_bytes_held == 0; }));

  for (const char* coding : {"br", "zstd", "gzip, gzip", "compress"}) {
    INFO(coding);
    const WireAnswer answer = ask(live, post("/v1/chat/completions", plain, "Content-Encoding: " + std::string(coding) + "\r\n"));
    CHECK(answer.status == 415);
    CHECK(error_code(answer.body) == "unsupported_encoding");
  }
  CHECK(ask(live, post("/v1/chat/completions", "not gzip at all", "Content-Encoding: gzip\r\n")).status >= 400);
  CHECK(a->request_count() == 2);
}

TEST_CASE("an upstream that echoes its key in an error is not repeated anywhere") {  // SEC-26
  const auto threads = GENERATE(1u, 4u);
  const std::string key = "prov-0a1b2c3d4e5f6071";
  ::setenv("SLUICE_TEST_ECHOED_KEY", key.c_str(), 1);
  Backend a("a");
  a->on_request([&key](const RawRequest& request) -> Reply {
    const std::string text = "Incorrect API key provided: " + key + ". Find yours elsewhere.";
    if (request.body.find("shaped") != std::string::npos) return json_reply(R"({"error":{"message":")" + text + R"(","type":"invalid_request_error","code":"invalid_api_key"}})", 401);
    if (request.body.find("plain") != std::string::npos) return Reply::status(500, text, "Content-Type: text/plain\r\n");
    if (request.body.find("html") != std::string::npos) return Reply::ok("<html>" + text + "</html>", "Content-Type: text/html\r\n");
    if (request.body.find("first event") != std::string::npos) return Reply::ok("data: {\"error\":{\"message\":\"" + text + "\"}}\n\n", "Content-Type: text/event-stream\r\n");
    if (request.body.find("later event") != std::string::npos) {
      return Reply::ok("data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n"
                       "data: {\"error\":{\"message\":\"" + text + "\"}}\n\n", "Content-Type: text/event-stream\r\n");
    }
    return json_reply(chat_answer("a"), 429, "Retry-After: 1\r\nX-RateLimit-Key: " + key + "\r\n");
  });
  std::mutex mutex;
  std::string logged;
  OpenOptions options;
  options.log = [&](LogLevel, std::string_view line) {
    const std::lock_guard lock(mutex);
    logged += line;
  };
  Live live(document(a.entry(R"(,"credential":{"env":"SLUICE_TEST_ECHOED_KEY"},"allow_plaintext_credential":true)"), route_to("a")), threads, std::move(options));
  std::size_t n = 0;
  for (const char* kind : {"shaped", "plain", "html", "first event", "later event", "other"}) {
    INFO(kind);
    const WireAnswer answer = ask(live, post("/v1/chat/completions", chat_body("m", kind, std::string_view(kind).find("event") != std::string_view::npos)));
    CHECK(answer.status != 0);
    CHECK(answer.head.find(key) == std::string::npos);
    CHECK(answer.body.find(key) == std::string::npos);
    CHECK((answer.head + answer.body).find("***") != std::string::npos);  // masked, not left out
    const Outcome outcome = live.outcomes().wait(++n).back();
    CHECK((outcome.error ? outcome.error->message : std::string()).find(key) == std::string::npos);
    CHECK(outcome.attempts.at(0).reason.find(key) == std::string::npos);
  }
  for (const RawRequest& request : a->requests()) CHECK(request.header("authorization") == "Bearer " + key);
  const std::lock_guard lock(mutex);
  CHECK(logged.find(key) == std::string::npos);
}
