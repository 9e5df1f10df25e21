// Errors in OpenAI's envelope.
// Envelope: {"error":{"message","type","param","code"}}, param and code may be null.

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.hpp"
#include "dialect/excerpt.hpp"
#include "dialect/openai.hpp"
#include "dialect/reading.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::openai_parts {
namespace {

using json::Type;

void write_envelope(std::string& out, const Error& error, const ErrorContext& context) {
  json::Writer writer(out);
  writer.begin_object().key("error").begin_object();
  writer.field("message", error_words(error, context.provider_text));
  writer.field("type", error_type(error.http_status));
  writer.key("param");
  error.param.empty() ? writer.null() : writer.string(error.param);
  writer.field("code", to_string(error.code));
  // Beside OpenAI's four: who to ask, and what the provider itself said.
  if (context.provider_status != 0 || !context.request_id.empty()) {
    writer.key("provider").begin_object();
    if (context.provider_status != 0) writer.key("status").integer(context.provider_status);
    if (!context.request_id.empty()) writer.field("request_id", context.request_id);
    writer.end_object();
  }
  writer.end_object().end_object();
}

}  // namespace

std::string_view error_type(int status) noexcept {
  switch (status) {
    case 401: return "authentication_error";
    case 402: return "insufficient_quota";
    case 403: return "permission_error";
    case 408: case 504: return "timeout_error";
    case 429: return "rate_limit_error";
    default: return status >= 500 || status == 0 ? "server_error" : "invalid_request_error";
  }
}

std::string_view error_words(const Error& error, std::string_view provider_text) noexcept {
  const bool from_provider = error.code == Code::kUpstreamStatus || error.code == Code::kUpstreamError;
  return from_provider && !provider_text.empty() ? provider_text : std::string_view(error.message);
}

std::string encode_error(const Error& error, const ErrorContext& context) {
  std::string out;
  write_envelope(out, error, context);
  return out;
}

bool is_error_body(std::string_view body) {
  const auto document = json::Document::parse(Body::copy(body));
  return document && reading::member(reading::member(document->root(), "error"), "message").is(Type::kString);
}

}  // namespace sluice::dialect::openai_parts
