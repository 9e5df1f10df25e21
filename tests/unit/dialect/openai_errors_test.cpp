// Errors in OpenAI's envelope, and the words of whatever an upstream answered.

#include <catch2/catch.hpp>

#include "dialect/provider_words.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;
using dialect::ErrorContext;
using dialect::openai;

TEST_CASE("the gateway's own errors come in OpenAI's envelope, with their code") {
  const auto [code, type] = GENERATE(table<Code, std::string>({
      {Code::kUnauthorized, "authentication_error"},
      {Code::kConsumerNotAllowed, "permission_error"},
      {Code::kRouteNotFound, "invalid_request_error"},
      {Code::kInvalidModel, "invalid_request_error"},
      {Code::kBodyTooLarge, "invalid_request_error"},
      {Code::kNoBackendAvailable, "server_error"},
      {Code::kTotalTimeout, "timeout_error"},
      {Code::kInternal, "server_error"},
  }));
  const Error error = make_error(code, "say \"why\"", "model");
  const json::Document document = test::parsed(openai().encode_error(error, {}));
  CHECK(test::canonical(document.root()) ==
        test::canonical(R"({"error":{"message":"say \"why\"","type":")" + type + R"(","param":"model","code":")" + std::string(to_string(code)) + R"("}})"));
}

TEST_CASE("param is null where no field is wrong") {
  CHECK(openai().encode_error(make_error(Code::kOverloaded, "busy"), {}).find(R"("param":null)") != std::string::npos);
}

// DIAL-17
TEST_CASE("a provider's words, status and request id are kept") {
  Error error = make_error(Code::kUpstreamStatus, "upstream 'a' answered 429");
  error.http_status = 429;
  const std::string body = openai().encode_error(error, {"req_1", "Rate limit reached for gpt-4o", 429});
  CHECK(test::canonical(body) == test::canonical(R"({"error":{"message":"Rate limit reached for gpt-4o","type":"rate_limit_error","param":null,)"
                                                 R"("code":"upstream_status","provider":{"status":429,"request_id":"req_1"}}})"));
  CHECK(openai().is_error_body(body));
  // Without words of the provider's, the gateway's own.
  CHECK(openai().encode_error(error, {{}, {}, 429}).find("upstream 'a' answered 429") != std::string::npos);
  // A provider's words never stand for what the gateway found.
  CHECK(openai().encode_error(make_error(Code::kUpstreamTruncated, "cut"), {{}, "half an answ", 200}).find("half") == std::string::npos);
}

TEST_CASE("an error that ends a stream is one event, without [DONE]") {
  const std::string event = openai().encode_stream_error(make_error(Code::kUpstreamTruncated, "line\nbreak"), {}, {});
  CHECK(event.starts_with("data: {\"error\":{"));
  CHECK(event.ends_with("}}\n\n"));
  CHECK(event.find("\n\n") == event.size() - 2);
  CHECK(event.find("DONE") == std::string::npos);
}

// DIAL-17
TEST_CASE("the message is found in every usual shape") {
  const auto [body, words] = GENERATE(table<std::string, std::string>({
      {R"({"error":{"message":"no such model","type":"invalid_request_error","param":null,"code":"model_not_found"}})", "no such model"},
      {R"({"object":"error","message":"Invalid model: x","type":"invalid_model","param":null,"code":"1500","raw_status_code":400})", "Invalid model: x"},
      {R"({"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","user"],"msg":"Extra inputs"}]}})", "body.user: Extra inputs"},
      {R"({"detail":"Invalid API Key"})", "Invalid API Key"},
      {R"({"detail":[{"loc":["body","messages",0],"msg":"Field required"},{"loc":["body"],"msg":"x"}]})", "body.messages.0: Field required; body: x"},
      {R"({"code":"Client specified an invalid argument","error":"Model not found: y"})", "Model not found: y"},
      {R"({"error":"model 'z' not found"})", "model 'z' not found"},
      {R"({"error":["a","b"]})", "a; b"},
      {R"({"errors":[{"message":"m"}]})", "m"},
      {R"({"statusCode":400,"error":"Bad Request","message":"top_k too large"})", "top_k too large"},
      {R"([{"error":{"code":404,"message":"models/x is not found","status":"NOT_FOUND"}}])", "models/x is not found"},
      {R"({"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"bad tool","provider_name":"P"}}})", "Provider returned error: bad tool"},
      {R"({"message":"No API key found in request","request_id":"1"})", "No API key found in request"},
      {R"({"error":{"code":"Invalid input","details":[],"message":null}})", R"({"error":{"code":"Invalid input","details":[],"message":null}})"},
      {"<html><body><h1>502 Bad Gateway</h1></body></html>", "502 Bad Gateway"},
      {"upstream connect error", "upstream connect error"},
      {"{\"error\": tru", "{\"error\": tru"},
      {"", ""},
      {" \r\n", ""},
      {"null", "null"},
  }));
  CHECK(dialect::error_text(body) == words);
}

TEST_CASE("a message is bounded and keeps no keys") {
  const std::string long_body = R"({"error":{"message":")" + std::string(100'000, 'x') + R"("}})";
  CHECK(dialect::error_text(long_body).size() == 2048);
  CHECK(dialect::error_text(R"({"error":{"message":"Incorrect API key provided: sk-abcdefghijklmnopqrstuvwx"}})") ==
        "Incorrect API key provided: sk-***");
}

TEST_CASE("only this dialect's own error body is passed on as it is") {
  CHECK(openai().is_error_body(R"({"error":{"message":"x","code":400}})"));
  CHECK_FALSE(openai().is_error_body(R"({"error":"x"})"));
  CHECK_FALSE(openai().is_error_body(R"({"message":"x"})"));
  CHECK_FALSE(openai().is_error_body(R"({"error":{"message":{}}})"));
  CHECK_FALSE(openai().is_error_body("<html>"));
  CHECK_FALSE(openai().is_error_body(""));
}
