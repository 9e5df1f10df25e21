// How a mistake of a document is told: its place, its value, the nearest name. Must not know what any key means.

#include "gateway/config_reader.hpp"

#include <algorithm>

#include "base/nearest.hpp"
#include "base/utf8.hpp"

namespace sluice::gateway::config {

namespace {

constexpr std::size_t kShownBytes = 60;

void find_duplicates_below(json::Value value, std::string& pointer, std::vector<Problem>& problems) {
  const std::size_t size = pointer.size();
  std::string scratch;
  if (value.is(json::Type::kObject)) {
    std::vector<std::string> keys;
    for (json::Value item = value.first(); item; item = item.next()) keys.emplace_back(item.key(scratch));
    std::sort(keys.begin(), keys.end());
    for (auto at = keys.begin(); (at = std::adjacent_find(at, keys.end())) != keys.end();) {
      append_step(pointer, *at);
      problems.push_back(
          {pointer, "this key stands " + std::to_string(std::count(at, keys.end(), *at)) + " times in its object"});
      pointer.resize(size);
      at = std::upper_bound(at, keys.end(), *at);
    }
    for (json::Value item = value.first(); item; item = item.next()) {
      append_step(pointer, item.key(scratch));
      find_duplicates_below(item, pointer, problems);
      pointer.resize(size);
    }
  } else if (value.is(json::Type::kArray)) {
    std::size_t index = 0;
    for (json::Value item = value.first(); item; item = item.next()) {
      append_step(pointer, std::to_string(index++));
      find_duplicates_below(item, pointer, problems);
      pointer.resize(size);
    }
  }
}

}  // namespace

Reader::Step::Step(Reader& reader, std::string_view key) : reader_(reader), size_(reader.pointer_.size()) {
  append_step(reader.pointer_, key);
}

Reader::Step::Step(Reader& reader, std::size_t index) : Step(reader, std::to_string(index)) {}

bool Reader::expect(json::Value value, json::Type type, const Shape& shape) {
  if (value.is(type)) return true;
  refuse(value, shape);
  return false;
}

void Reader::refuse(json::Value value, const Shape& shape) {
  std::string message = "must be " + describe(shape) + " (is " + shown(value) + ")";
  if (shape.kind == Shape::Kind::kName && value.is(json::Type::kString)) {
    std::string scratch;
    message += did_you_mean(value.text(scratch), shape.names);
  }
  report(std::move(message));
}

void Reader::report(std::string message) { problems_.push_back({pointer_, std::move(message)}); }

void Reader::unknown_key(std::string_view key, const Shape& object) {
  std::vector<std::string_view> names;
  for (const Member& member : object.members) names.push_back(member.key);
  const Step step(*this, key);
  std::string message =
      "unknown key \"" + std::string(base::truncate_utf8(key, kShownBytes)) + "\"" + did_you_mean(key, names);
  if (message.back() != '?') {
    message += "; known here:";
    for (const auto& name : names) (message += &name == names.data() ? " " : ", ") += name;
  }
  report(std::move(message));
}

void append_step(std::string& pointer, std::string_view key) {
  pointer += '/';
  for (const char c : key) {
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
  }
}

std::string shown(json::Value value) {
  switch (value.type()) {
    case json::Type::kObject:
      return value.size() == 0 ? "{}" : "an object";
    case json::Type::kArray:
      return value.size() == 0 ? "[]" : "a list";
    default:
      break;
  }
  const std::string_view raw = value.raw();
  if (raw.size() <= kShownBytes) return std::string(raw);
  return std::string(base::truncate_utf8(raw, kShownBytes)) + "...";
}

std::string shown(std::string_view text) {
  const std::string_view cut = base::truncate_utf8(text, kShownBytes);
  std::string out = "\"";
  for (const char c : cut) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return out += cut.size() < text.size() ? "...\"" : "\"";
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> names) {
  const std::string_view near = base::nearest(word, names);
  return near.empty() ? std::string() : ", did you mean \"" + std::string(near) + "\"?";
}

void find_duplicate_keys(json::Value root, std::vector<Problem>& problems) {
  std::string pointer;
  find_duplicates_below(root, pointer, problems);
}

}  // namespace sluice::gateway::config
