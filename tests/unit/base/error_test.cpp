// The catalogue of codes, and the version beside it: what bindings and documents rely on.

#include "sluice/error.hpp"

#include <catch2/catch.hpp>

#include <cctype>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "sluice/outcome.hpp"
#include "sluice/version.hpp"

using namespace sluice;

TEST_CASE("every code has one row, ordered by number, with a name of its own") {
  std::set<std::string_view> names;
  std::int32_t last = -1;
  for (const CodeInfo& row : all_codes()) {
    INFO(row.name);
    CHECK(static_cast<std::int32_t>(row.code) > last);
    last = static_cast<std::int32_t>(row.code);
    CHECK(names.insert(row.name).second);
    CHECK(info(row.code).name == row.name);
    CHECK(to_string(row.code) == row.name);
    for (const char c : row.name) CHECK(((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'));
  }
}

TEST_CASE("numbers never change their meaning") {
  // As published; new codes are appended to their group, and never take the number of another.
  const std::pair<int, std::string_view> kPublished[] = {
      {0, "ok"}, {1, "invalid_request"}, {2, "invalid_header"}, {3, "invalid_json"}, {4, "duplicate_key"}, {5, "invalid_model"},
      {6, "json_too_deep"}, {7, "unauthorized"}, {8, "consumer_not_allowed"}, {9, "model_not_allowed"}, {10, "route_not_found"},
      {11, "method_not_allowed"}, {12, "request_timeout"}, {13, "length_required"}, {14, "body_too_large"},
      {15, "unsupported_media_type"}, {16, "unsupported_encoding"}, {17, "header_too_large"}, {18, "ambiguous_credentials"},
      {19, "expectation_failed"}, {20, "unsupported_protocol"}, {21, "json_too_large"}, {22, "unsupported_parameter"},
      {23, "invalid_parameter"}, {24, "invalid_url"}, {25, "address_not_allowed"}, {26, "unsupported_operation"},
      {27, "origin_not_allowed"}, {40, "no_backend_available"}, {41, "overloaded"}, {42, "shutting_down"}, {43, "queue_full"},
      {44, "queue_timeout"}, {45, "too_many_connections"}, {60, "upstream_resolve_failed"},
      {61, "upstream_connect_failed"}, {62, "upstream_tls_failed"}, {63, "upstream_reset"}, {64, "upstream_protocol_error"},
      {65, "upstream_redirect"}, {66, "upstream_status"}, {67, "upstream_truncated"}, {68, "upstream_head_too_large"},
      {69, "upstream_answer_too_large"}, {70, "upstream_decoded_too_large"}, {71, "upstream_invalid_answer"},
      {72, "upstream_event_too_large"}, {73, "upstream_error"}, {74, "provider_credential_error"}, {75, "address_refused"},
      {76, "connect_timeout"}, {77, "headers_timeout"}, {78, "first_delta_timeout"}, {79, "idle_timeout"}, {80, "total_timeout"},
      {100, "cancelled"}, {101, "closed"}, {102, "would_deadlock"}, {103, "forked"}, {104, "out_of_memory"}, {105, "internal"},
      {120, "invalid_configuration"}, {121, "secret_missing"}, {122, "file_unreadable"}, {123, "address_in_use"}, {124, "system"},
      {140, "plugin_error"}, {141, "plugin_timeout"}, {150, "prompt_too_large"}, {151, "too_many_messages"}, {152, "too_many_parts"},
      {153, "too_many_tools"}, {154, "too_many_attachments"}, {155, "attachment_too_large"}, {156, "attachment_type_not_allowed"},
      {157, "too_many_inputs"}, {158, "input_too_large"}, {159, "too_many_dimensions"}, {160, "answer_too_large"}};
  for (const auto& [number, name] : kPublished) {
    INFO(number);
    CHECK(to_string(static_cast<Code>(number)) == name);
  }
  CHECK(all_codes().size() >= std::size(kPublished));
}

TEST_CASE("a row's status tells whose fault it is, and its sentences are sentences") {
  for (const CodeInfo& row : all_codes()) {
    INFO(row.name);
    if (row.http_status != 0 && row.code != Code::kOk) {
      CHECK(row.http_status >= 400);
      CHECK(row.http_status <= 599);
      // 501: the caller asks for a protocol that nobody here speaks.
      if (row.origin == Origin::kCaller && row.http_status != 501) CHECK(row.http_status < 500);
      if (row.origin != Origin::kCaller) CHECK(row.http_status >= 500);
    }
    for (const std::string_view sentence : {row.cause, row.remedy}) {
      REQUIRE(sentence.size() > 5);
      CHECK(sentence.back() == '.');
      CHECK((std::isupper(static_cast<unsigned char>(sentence.front())) != 0 || sentence.starts_with("sluice")));
    }
  }
}

TEST_CASE("an error takes origin and status from its row, and keeps what it is told") {
  const Error error = make_error(Code::kModelNotAllowed, "model 'x' is not on the list", "model");
  CHECK(error.code == Code::kModelNotAllowed);
  CHECK(error.origin == Origin::kCaller);
  CHECK(error.http_status == 403);
  CHECK(error.message == "model 'x' is not on the list");
  CHECK(error.param == "model");
  CHECK_FALSE(error.retry_after);
  const Status status = fail(Code::kConnectTimeout, "slow");
  REQUIRE_FALSE(status);
  CHECK(status.error().origin == Origin::kUpstream);
  CHECK(status.error().http_status == 504);
}

TEST_CASE("a number that no code has is an internal error, whichever it is") {
  for (const int number : {-1, 28, 39, 59, 106, 119, 142, 149, 161, 100'000}) CHECK(info(static_cast<Code>(number)).code == Code::kInternal);
}

TEST_CASE("origins and endings have names") {
  CHECK(to_string(Origin::kCaller) == "caller");
  CHECK(to_string(Origin::kGateway) == "gateway");
  CHECK(to_string(Origin::kPlugin) == "plugin");
  CHECK(to_string(Origin::kUpstream) == "upstream");
  CHECK(to_string(Ending::kCompleted) == "completed");
  CHECK(to_string(Ending::kRefused) == "refused");
  CHECK(to_string(Ending::kFailed) == "failed");
  CHECK(to_string(Ending::kCancelled) == "cancelled");
}

TEST_CASE("the version is the project's, the header's and the library's") {
  const std::string of_header = std::to_string(SLUICE_VERSION_MAJOR) + "." + std::to_string(SLUICE_VERSION_MINOR) + "." +
                                std::to_string(SLUICE_VERSION_PATCH);
  CHECK(version() == of_header);
  std::ifstream in(std::string(SLUICE_SOURCE_DIR) + "/CMakeLists.txt");
  const std::string project{std::istreambuf_iterator<char>(in), {}};
  CHECK(project.find("VERSION " + of_header) != std::string::npos);
}
