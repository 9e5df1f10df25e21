// Errors of upstreams, in whatever shape they come.

#include "dialect/provider_words.hpp"

#include <algorithm>
#include <utility>

#include "base/utf8.hpp"
#include "dialect/excerpt.hpp"

namespace sluice::dialect {
namespace {

using json::Type;
using json::Value;

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
  for (const std::string_view key : {"error", "message", "Message", "msg", "detail", "errors", "error_description", "title", "error"}) {
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

Error embedded_error(const Value& root) {
  const Value error = member(root, "error");
  std::string text = error_text(error ? error : root);
  Error out = make_error(Code::kUpstreamError, text.empty() ? "the upstream reported an error without words" : std::move(text));
  const int status = std::max(stated_status(error), stated_status(root));
  if (status != 0) out.http_status = status;
  return out;
}

}  // namespace sluice::dialect
