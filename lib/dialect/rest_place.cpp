// Pointers followed, conditions asked.

#include "dialect/rest_place.hpp"

#include <charconv>

#include "dialect/reading.hpp"

namespace sluice::dialect::rest_parts {
namespace {

using json::Type;
using json::Value;

std::optional<std::size_t> index_of(std::string_view token) {
  if (token.empty() || (token.size() > 1 && token.front() == '0')) return std::nullopt;
  std::size_t n = 0;
  const auto [end, bad] = std::from_chars(token.data(), token.data() + token.size(), n);
  if (bad != std::errc() || end != token.data() + token.size()) return std::nullopt;
  return n;
}

}  // namespace

bool is_pointer(std::string_view text) noexcept {
  if (text.empty() || text.front() != '/') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) return false;
  }
  return true;
}

Place::Place(std::string_view pointer) {
  std::string scratch;
  while (!pointer.empty()) {
    const auto token = json::next_pointer_token(pointer, scratch);
    if (!token) return;  // judged before
    steps_.push_back({std::string(*token), index_of(*token)});
  }
}

Value Place::find(Value value) const {
  for (const Step& step : steps_) {
    if (value.is(Type::kArray)) {
      value = step.index ? value.element(*step.index) : Value{};
    } else {
      value = reading::member(value, step.key);
    }
    if (!value) return {};
  }
  return value.is(Type::kNull) ? Value{} : value;
}

Condition::Condition(const RestCondition& said) : place_(said.pointer) {
  if (said.equals.empty()) return;
  if (auto document = json::Document::parse(Body::copy(said.equals))) equals_ = *std::move(document);
}

bool Condition::holds(const Value& value) const {
  if (!said()) return false;
  const Value found = place_.find(value);
  if (!found || !equals_) return static_cast<bool>(found);
  const Value wanted = equals_->root();
  if (found.type() != wanted.type()) return false;
  switch (wanted.type()) {
    case Type::kString: return reading::text(found) == reading::text(wanted);
    case Type::kNumber: return found.number() == wanted.number();
    default: return found.raw() == wanted.raw();
  }
}

}  // namespace sluice::dialect::rest_parts
