// See asked.hpp.
#include "sim/asked.hpp"

#include <algorithm>

#include "sim/text.hpp"

namespace sluice::sim {
namespace {

using json::Type;
using json::Value;

constexpr std::uint64_t kMostDimensions = 1U << 20;

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Asked refused(int status, std::string message, std::string param, std::string code) {
  Asked asked;
  asked.problem = Problem{status, std::move(message), std::move(param), std::move(code)};
  return asked;
}

Value member(const Value& object, std::string_view key) {
  if (!object.is(Type::kObject)) return {};
  const auto found = object.find(key);
  return found ? *found : Value{};
}

std::string text_of(const Value& value) {
  if (!value.is(Type::kString)) return {};
  std::string scratch;
  return std::string(value.text(scratch));
}

std::uint64_t tokens_of(const Value& value) {
  if (!value.is(Type::kString)) return 0;
  std::string scratch;
  return count_tokens(value.text(scratch));
}

std::uint64_t tokens_of_parts(const Value& value) {
  if (!value.is(Type::kArray)) return tokens_of(value);
  std::uint64_t tokens = 0;
  for (Value part = value.first(); part; part = part.next()) tokens += tokens_of(member(part, "text"));
  return tokens;
}

std::uint64_t tokens_of_object(const Value& value) { return value.is(Type::kObject) ? count_tokens(value.raw()) : 0; }

std::optional<std::uint64_t> positive(const Value& value) {
  if (!value.is(Type::kNumber)) return std::nullopt;
  const auto n = value.integer();
  if (!n || *n < 1) return std::nullopt;
  return static_cast<std::uint64_t>(*n);
}

bool is_true(const Value& value) { return value.is(Type::kBool) && value.boolean().value_or(false); }

std::size_t dimensions_of(const Value& value) {
  return static_cast<std::size_t>(std::min(positive(value).value_or(0), kMostDimensions));
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0;
    if (escape) {
      out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

}  // namespace sluice::sim
