#include "sluice/message.hpp"

#include <catch2/catch.hpp>

using sluice::Request;

TEST_CASE("a posted JSON text carries its content type and its bytes") {
  const Request request = Request::post("/v1/chat/completions", "{}");
  CHECK(request.method == "POST");
  CHECK(request.target == "/v1/chat/completions");
  CHECK(request.headers.get("Content-Type") == "application/json");
  CHECK(request.body.view() == "{}");
}

TEST_CASE("a GET has no body and no fields") {
  const Request request = Request::get("/v1/models");
  CHECK(request.method == "GET");
  CHECK(request.target == "/v1/models");
  CHECK(request.headers.empty());
  CHECK(request.body.empty());
}
