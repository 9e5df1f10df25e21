// Errors in Cohere's envelope: {"id","message"}. A stream that fails ends with a `message-end` that says so.

#include "dialect/cohere.hpp"
#include "dialect/provider_words.hpp"
#include "dialect/reading.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::cohere_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;

constexpr int kGatewayTimeout = 504, kBadGateway = 502;

/// The provider's own words stand for errors the provider made; the gateway's for all others.
std::string_view words(const Error& error, const ErrorContext& context) noexcept {
  const bool provider = error.code == Code::kUpstreamStatus || error.code == Code::kUpstreamError;
  return provider && !context.provider_text.empty() ? context.provider_text : std::string_view(error.message);
}

}  // namespace

std::string encode_error(const Error& error, const ErrorContext& context) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  if (!context.request_id.empty()) writer.field("id", context.request_id);
  writer.field("message", words(error, context)).field("error_type", to_string(error.code));
  writer.end_object();
  return out;
}

std::string failed_end(const Error& error, const ErrorContext& context, const chat::Usage& usage) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("type", "message-end").key("delta").begin_object();
  writer.field("finish_reason", "ERROR").field("error", words(error, context)).field("error_type", to_string(error.code));
  if (!chat::empty(usage)) writer.key("usage").raw(write_usage(usage));
  writer.end_object().end_object();
  return out;
}

bool is_error_body(std::string_view body) {
  const auto document = json::Document::parse(Body::copy(body));
  return document && member(document->root(), "message").is(Type::kString);
}

Error failure_of(const Value& holder, std::string_view native) {
  std::string text = error_text(holder);
  const bool late = native == "TIMEOUT";
  if (text.empty()) text = "the upstream ended its answer with " + std::string(late ? "TIMEOUT" : "ERROR");
  Error error = make_error(Code::kUpstreamError, std::move(text));
  error.http_status = late ? kGatewayTimeout : kBadGateway;
  return error;
}

}  // namespace sluice::dialect::cohere_parts
