// Errors in the envelope of Google's APIs.
// Envelope: {"error":{"code","message","status","details"}}. Source: AIP-193, google/rpc/code.proto, error_details.proto.

#include "dialect/gemini.hpp"
#include "dialect/gemini_keys.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using json::Type;
using json::Value;

/// Google's word for the kind of failure; its clients tell retryable ones by `code`.
std::string_view status_of(int http_status) noexcept {
  switch (http_status) {
    case 401: return "UNAUTHENTICATED";
    case 403: return "PERMISSION_DENIED";
    case 404: return "NOT_FOUND";
    case 409: return "ABORTED";
    case 429: return "RESOURCE_EXHAUSTED";
    case 499: return "CANCELLED";
    case 501: return "UNIMPLEMENTED";
    case 502: case 503: return "UNAVAILABLE";
    case 408: case 504: return "DEADLINE_EXCEEDED";
    default: return http_status >= 500 || http_status == 0 ? "INTERNAL" : "INVALID_ARGUMENT";
  }
}

/// The provider's own words stand for errors the provider made; the gateway's for all others.
bool from_provider(const Error& error, const ErrorContext& context) noexcept {
  return !context.provider_text.empty() && (error.code == Code::kUpstreamStatus || error.code == Code::kUpstreamError);
}

void write_details(json::Writer& writer, const Error& error, const ErrorContext& context) {
  writer.key("details").begin_array();
  // Beside Google's words: the gateway's own, who to ask, and what the provider itself said.
  writer.begin_object().field("@type", "type.googleapis.com/google.rpc.ErrorInfo");
  writer.field("reason", to_string(error.code)).field("domain", "sluice").key("metadata").begin_object();
  if (!error.param.empty()) writer.field("field", error.param);
  if (context.provider_status != 0) writer.field("provider_status", std::to_string(context.provider_status));
  if (!context.request_id.empty()) writer.field("request_id", context.request_id);
  writer.end_object().end_object();
  if (error.retry_after) {
    const auto wait = *error.retry_after;
    const std::string seconds = std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count()) + "s";
    writer.begin_object().field("@type", "type.googleapis.com/google.rpc.RetryInfo").field("retryDelay", seconds).end_object();
  }
  writer.end_array();
}

}  // namespace

std::string encode_error(const Error& error, const ErrorContext& context) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("error").begin_object();
  writer.key("code").integer(error.http_status == 0 ? 500 : error.http_status);
  writer.field("message", from_provider(error, context) ? context.provider_text : std::string_view(error.message));
  writer.field("status", status_of(error.http_status));
  write_details(writer, error, context);
  writer.end_object().end_object();
  return out;
}

bool is_error_body(std::string_view body) {
  const auto document = json::Document::parse(Body::copy(body));
  if (!document) return false;
  // An answer that was to be an array is an array of one error.
  const Value root = document->root().is(Type::kArray) ? document->root().first() : document->root();
  const Value error = member(root, "error");
  return member(error, "message").is(Type::kString) && member(error, "code").is(Type::kNumber);
}

}  // namespace sluice::dialect::gemini_parts
