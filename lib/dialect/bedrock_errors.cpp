// Errors in Bedrock's shape: {"message"}, the type in a header of the answer (x-amzn-errortype) and, as AWS' JSON protocols
// read it too, in `__type`; in a stream, an exception named after the type.

#include <array>

#include "dialect/bedrock.hpp"
#include "dialect/excerpt.hpp"
#include "dialect/provider_words.hpp"
#include "dialect/reading.hpp"
#include "http/event_reader.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::bedrock_parts {
namespace {

struct Exception {
  std::string_view name;  // as a stream says it; answers begin it with a capital
  int status;
};

// Source: the errors of the service model, with their statuses. The first of a status is the one that is written.
constexpr std::array kExceptions{
    Exception{"validationException", 400},         Exception{"serviceQuotaExceededException", 400},
    Exception{"accessDeniedException", 403},       Exception{"expiredTokenException", 403},
    Exception{"resourceNotFoundException", 404},   Exception{"modelTimeoutException", 408},
    Exception{"modelErrorException", 424},         Exception{"modelStreamErrorException", 424},
    Exception{"throttlingException", 429},         Exception{"modelNotReadyException", 429},
    Exception{"internalServerException", 500},     Exception{"serviceUnavailableException", 503},
};

std::string_view type_of(int status) noexcept {
  for (const Exception& exception : kExceptions) {
    if (exception.status == status) return exception.name;
  }
  if (status == 401) return "accessDeniedException";
  if (status == 504) return "modelTimeoutException";
  if (status == 502 || status == 529) return "serviceUnavailableException";
  return status >= 500 || status == 0 ? "internalServerException" : "validationException";
}

/// The same among the five that ConverseStreamOutput lists: clients know no other in a stream.
std::string_view stream_type_of(int status) noexcept {
  if (status == 408 || status == 424 || status == 504) return "modelStreamErrorException";
  if (status == 429) return "throttlingException";
  if (status == 502 || status == 503 || status == 529) return "serviceUnavailableException";
  return status >= 500 || status == 0 ? "internalServerException" : "validationException";
}

/// The provider's own words stand for errors the provider made; the gateway's for all others.
std::string_view words_of(const Error& error, const ErrorContext& context) noexcept {
  const bool providers = !context.provider_text.empty() && (error.code == Code::kUpstreamStatus || error.code == Code::kUpstreamError);
  return providers ? context.provider_text : std::string_view(error.message);
}

}  // namespace

std::string error_type(const Error& error) {
  std::string type(type_of(error.http_status));
  type.front() = static_cast<char>(type.front() - 'a' + 'A');
  return type;
}

std::string encode_error(const Error& error, const ErrorContext& context) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("message", words_of(error, context)).field("__type", error_type(error)).end_object();
  return out;
}

std::string encode_stream_error(const Error& error, const ErrorContext& context, Framing framing) {
  std::string data;
  {
    json::Writer writer(data);
    writer.begin_object().field("message", words_of(error, context)).end_object();
  }
  std::string out;
  http::append_event(out, framing, data, std::string("!").append(stream_type_of(error.http_status)));
  return out;
}

bool is_error_body(std::string_view body) {
  const auto document = json::Document::parse(Body::copy(body));
  if (!document) return false;
  const json::Value root = document->root();
  const bool says = reading::member(root, "message").is(json::Type::kString) || reading::member(root, "Message").is(json::Type::kString);
  return says && !reading::member(root, "output") && !reading::member(root, "error");
}

Error exception_error(std::string_view type, std::string_view data) {
  std::string text = error_text(data);
  Error out = make_error(Code::kUpstreamError, text.empty() ? "the upstream's stream failed: " + excerpt(type, 80) : std::move(text));
  for (const Exception& exception : kExceptions) {
    if (exception.name == type) out.http_status = exception.status;
  }
  return out;
}

}  // namespace sluice::dialect::bedrock_parts
