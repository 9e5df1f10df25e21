// Errors in Anthropic's envelope.
// Envelope: {"type":"error","error":{"type","message","details"},"request_id"}, request_id may be null.

#include <array>

#include "dialect/anthropic.hpp"
#include "dialect/excerpt.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

struct Row {
  int status;
  std::string_view type;
};

// The first of a type is the status an error inside a stream stands for.
constexpr std::array kRows{
    Row{400, "invalid_request_error"}, Row{401, "authentication_error"}, Row{402, "billing_error"}, Row{403, "permission_error"},
    Row{404, "not_found_error"},       Row{504, "timeout_error"},        Row{408, "timeout_error"}, Row{409, "conflict_error"},
    Row{413, "request_too_large"},     Row{429, "rate_limit_error"},     Row{500, "api_error"},     Row{529, "overloaded_error"},
    Row{503, "overloaded_error"},
};

std::string_view type_of(int status) noexcept {
  for (const Row& row : kRows) {
    if (row.status == status) return row.type;
  }
  return status >= 500 || status == 0 ? "api_error" : "invalid_request_error";
}

}  // namespace

std::string encode_error(const Error& error, const ErrorContext& context) {
  // The provider's own words stand for errors the provider made; the gateway's for all others.
  const bool provider = !context.provider_text.empty() && (error.code == Code::kUpstreamStatus || error.code == Code::kUpstreamError);
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("type", "error").key("error").begin_object();
  writer.field("type", type_of(error.http_status));
  writer.field("message", provider ? context.provider_text : std::string_view(error.message));
  writer.key("details").begin_object().field("error_code", to_string(error.code));
  if (!error.param.empty()) writer.field("param", error.param);
  if (context.provider_status != 0) writer.key("provider_status").integer(context.provider_status);
  writer.end_object().end_object().key("request_id");
  context.request_id.empty() ? writer.null() : writer.string(context.request_id);
  writer.end_object();
  return out;
}

bool is_error_body(std::string_view body) {
  const auto document = json::Document::parse(Body::copy(body));
  if (!document) return false;
  const json::Value error = reading::member(document->root(), "error");
  return reading::text(document->root(), "type") == "error" && reading::member(error, "type").is(json::Type::kString) &&
         reading::member(error, "message").is(json::Type::kString);
}

Error error_of(const json::Value& root) {
  Error error = embedded_error(root);
  const std::string type = reading::text(reading::member(root, "error"), "type");
  for (const Row& row : kRows) {
    if (row.type != type) continue;
    error.http_status = row.status;
    break;
  }
  return error;
}

Error no_event(std::string_view data) {
  return make_error(Code::kUpstreamInvalidAnswer, "an event of the upstream's stream is no JSON object; it begins with \"" + excerpt(data, 80) + "\"");
}

}  // namespace sluice::dialect::anthropic_parts
