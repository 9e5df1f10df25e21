// Errors, both ways: into OpenAI's envelope for callers, and out of whatever an upstream answered.
// Envelope: {"error":{"message","type","param","code"}}, param and code may be null.

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.hpp"
#include "dialect/excerpt.hpp"
#include "dialect/openai.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::openai_parts {
namespace {

using json::Type;
using json::Value;

/// OpenAI's word for the kind of failure; clients tell retryable ones by status, people read this.
std::string_view type_of(int status) noexcept {
  switch (status) {
    case 401: return "authentication_error";
    case 402: return "insufficient_quota";
    case 403: return "permission_error";
    case 408: case 504: return "timeout_error";
    case 429: return "rate_limit_error";
    default: return status >= 500 || status == 0 ? "server_error" : "invalid_request_error";
  }
}

/// The provider's own words stand for errors the provider made; the gateway's for all others.
bool from_provider(const Error& error, const ErrorContext& context) noexcept {
  return !context.provider_text.empty() && (error.code == Code::kUpstreamStatus || error.code == Code::kUpstreamError);
}

void write_envelope(std::string& out, const Error& error, const ErrorContext& context) {
  json::Writer writer(out);
  writer.begin_object().key("error").begin_object();
  writer.field("message", from_provider(error, context) ? context.provider_text : std::string_view(error.message));
  writer.field("type", type_of(error.http_status));
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

Value member(const Value& object, std::string_view key) {
  if (!object.is(Type::kObject)) return {};
  const auto found = object.find(key);
  return found ? *found : Value{};
}

constexpr int kMaxNesting = 5;

/// What an error value says, wherever in it the words are.
std::string words(const Value& value, int depth = 0) {
  if (!value || depth > kMaxNesting) return {};
  if (value.is(Type::kString)) {
    std::string scratch;
    return std::string(value.text(scratch));
  }
  if (value.is(Type::kArray)) {
    // FastAPI's `detail`, `errors`, Hugging Face's list of strings: three tell enough.
    std::string joined;
    int told = 0;
    for (Value item = value.first(); item && told < 3; item = item.next()) {
      std::string said = words(item, depth + 1);
      if (said.empty()) continue;
      if (told++ > 0) joined += "; ";
      joined += said;
    }
    return joined;
  }
  if (!value.is(Type::kObject)) return {};
  bool passed = false;
  // {"error":{"message"}}, {"message"}, xAI's {"code","error":"text"}, {"detail":[{"loc","msg"}]}, {"errors":[…]}.
  const bool error_is_a_word = member(value, "error").is(Type::kString);  // "Bad Request", beside a message that says more
  for (const std::string_view key : {"error", "message", "msg", "detail", "errors", "error_description", "title", "error"}) {
    if (key == "error" && error_is_a_word && !std::exchange(passed, true)) continue;
    std::string said = words(member(value, key), depth + 1);
    if (said.empty()) continue;
    if (const Value place = member(value, "loc"); place.is(Type::kArray)) {
      std::string path, scratch;
      for (Value step = place.first(); step; step = step.next()) {
        if (!path.empty()) path += '.';
        path += step.is(Type::kString) ? step.text(scratch) : step.raw();
      }
      if (!path.empty()) said = path + ": " + said;
    }
    // OpenRouter says "Provider returned error" and keeps the provider's words apart.
    if (const Value raw = member(member(value, "metadata"), "raw"); raw.is(Type::kString)) {
      std::string scratch;
      said.append(": ").append(raw.text(scratch));
    }
    return said;
  }
  return {};
}

/// A 4xx or 5xx status stated inside an error object, or 0.
int stated_status(const Value& error) {
  for (const std::string_view key : {"status_code", "code", "status"}) {
    const Value value = member(error, key);
    if (!value.is(Type::kNumber)) continue;
    if (const auto n = value.integer(); n && *n >= 400 && *n <= 599) return static_cast<int>(*n);
  }
  return 0;
}

}  // namespace

std::string encode_error(const Error& error, const ErrorContext& context) {
  std::string out;
  write_envelope(out, error, context);
  return out;
}

std::string error_text(const Value& root) {
  std::string text = mask_keys(words(root));
  // Line breaks inside a message are the provider's; other controls would only garble a log.
  std::replace_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t'; }, ' ');
  text.resize(base::truncate_utf8(text, kMaxProviderText).size());
  return text;
}

std::string error_text(std::string_view body) {
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  if (body[first] == '{' || body[first] == '[') {
    if (const auto document = json::Document::parse(Body::copy(body))) {
      if (std::string text = error_text(document->root()); !text.empty()) return text;
    }
  }
  return excerpt(body);
}

bool is_error_body(std::string_view body) {
  const auto document = json::Document::parse(Body::copy(body));
  return document && member(member(document->root(), "error"), "message").is(Type::kString);
}

Error embedded_error(const Value& root) {
  const Value error = member(root, "error");
  std::string text = error_text(error ? error : root);
  Error out = make_error(Code::kUpstreamError, text.empty() ? "the upstream reported an error without words" : std::move(text));
  const int status = std::max(stated_status(error), stated_status(root));
  if (status != 0) out.http_status = status;
  return out;
}

}  // namespace sluice::dialect::openai_parts
