// Errors of the Responses API. As an answer they are in OpenAI's one envelope; in a stream they are an event.
//
// The two documents differ in the event: OpenAI's is flat, Open Responses' (and what OpenAI's servers were seen to send) is
// nested. One event says both, so that readers of either find what they look for.

#include "dialect/openai.hpp"
#include "dialect/responses.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::responses_parts {
namespace {

void write_words(json::Writer& writer, const Error& error, std::string_view words) {
  writer.field("code", to_string(error.code)).field("message", words).key("param");
  error.param.empty() ? writer.null() : writer.string(error.param);
}

}  // namespace

std::string encode_error(const Error& error, const ErrorContext& context) { return openai_parts::encode_error(error, context); }

bool is_error_body(std::string_view body) { return openai_parts::is_error_body(body); }

std::string error_event(const Error& error, std::string_view provider_text, std::uint64_t sequence_number) {
  const std::string_view words = openai_parts::error_words(error, provider_text);
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("type", "error").key("sequence_number").unsigned_integer(sequence_number);
  write_words(writer, error, words);
  writer.key("error").begin_object().field("type", openai_parts::error_type(error.http_status));
  write_words(writer, error, words);
  writer.end_object().end_object();
  return out;
}

void write_failure(std::string& out, const Error& error, std::string_view provider_text) {
  // A closed list of codes; these three of it are about no single kind of input.
  const bool caller = error.http_status >= 400 && error.http_status < 500;
  json::Writer writer(out);
  writer.begin_object();
  writer.field("code", error.http_status == 429 ? "rate_limit_exceeded" : caller ? "invalid_prompt" : "server_error");
  writer.field("message", openai_parts::error_words(error, provider_text)).end_object();
}

}  // namespace sluice::dialect::responses_parts
