// Whole answers of the Anthropic dialect into the canonical model. Lenient: an answer has been paid for, so what has an odd type
// is kept as it stood rather than refused; only what is no answer at all is an error.

#include <chrono>
#include <cstdio>
#include <utility>

#include "dialect/anthropic.hpp"
#include "dialect/anthropic_blocks.hpp"
#include "dialect/excerpt.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using reading::text;

/// `2025-02-19T00:00:00Z` in Unix seconds; fractions and offsets are none of Anthropic's.
std::optional<std::int64_t> unix_seconds(const std::string& time) {
  int year = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (std::sscanf(time.c_str(), "%4d-%2u-%2uT%2u:%2u:%2u", &year, &month, &day, &hour, &minute, &second) != 6) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  return days * 86400 + hour * 3600 + minute * 60 + second;
}

chat::ModelCard read_model(const Value& value) {
  chat::ModelCard out;
  out.id = text(value, "id");
  out.created = unix_seconds(text(value, "created_at"));
  out.owned_by = kName;
  keep_others(out.extras, value, {"type", "id"});
  return out;
}

chat::Choice read_message(const Value& root) {
  chat::Choice choice;
  const Value content = member(root, "content");
  for (Value block = content.first(); block; block = block.next()) {
    auto part = read_block(block, "content");
    choice.turn.parts.push_back(part ? *std::move(part) : chat::Part{chat::OpaquePart{std::string(kName), text(block, "type"), std::string(block.raw())}});
  }
  choice.native_finish = text(root, "stop_reason");
  choice.finish = finish_reason(choice.native_finish);
  for (const std::string_view key : {"stop_sequence", "stop_details"}) {
    if (const Value value = member(root, key)) reading::keep(choice.extras, kName, key, value);
  }
  if (std::string words = explanation_of(member(root, "stop_details")); !words.empty()) {
    choice.turn.parts.push_back({chat::Refusal{std::move(words)}});
  }
  return choice;
}

}  // namespace

Result<chat::Message> decode_answer(std::string_view body, Operation operation) {
  const auto document = json::Document::parse(Body::copy(body));
  if (!document) {
    return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer is no JSON (" + document.error().message + "); it begins with \"" +
                excerpt(body, 80) + "\"");
  }
  const Value root = document->root();
  if (member(root, "error").is(Type::kObject)) return tl::unexpected(error_of(root));
  const auto invalid = [&](std::string_view what) {
    return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer has no " + std::string(what) + "; it begins with \"" + excerpt(body, 80) + "\"");
  };
  chat::Message out;
  switch (operation) {
    case Operation::kCountTokens: {
      const auto count = reading::integer(member(root, "input_tokens"));
      if (!count || *count < 0) return invalid("count 'input_tokens'");
      out.usage.emplace().input_tokens = static_cast<std::uint64_t>(*count);
      keep_others(out.extras, root, {"input_tokens"});
      return out;
    }
    case Operation::kGetModel:
      if (!member(root, "id").is(Type::kString)) return invalid("'id'");
      out.models.push_back(read_model(root));
      return out;
    case Operation::kListModels: {
      const Value list = member(root, "data");
      if (!list.is(Type::kArray)) return invalid("list 'data'");
      for (Value item = list.first(); item; item = item.next()) {
        if (item.is(Type::kObject)) out.models.push_back(read_model(item));
      }
      keep_others(out.extras, root, {"data"});
      return out;
    }
    default: break;
  }
  if (!member(root, "content").is(Type::kArray)) return invalid("list 'content'");
  out.id = text(root, "id");
  out.model = text(root, "model");
  out.choices.push_back(read_message(root));
  if (const Value usage = member(root, "usage"); usage.is(Type::kObject)) {
    UsageCounts counts;
    counts.take(usage);
    if (const chat::Usage read = counts.normalised(); !chat::empty(read)) out.usage = read;
  }
  // Usage with what the model of it has no place for: tiers, server tools, steps.
  keep_others(out.extras, root, {"type", "role", "id", "model", "content", "stop_reason", "stop_sequence", "stop_details"});
  return out;
}

}  // namespace sluice::dialect::anthropic_parts
