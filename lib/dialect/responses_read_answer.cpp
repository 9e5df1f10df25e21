// Whole responses into the canonical model. Lenient: an answer has been paid for, so what has an odd type is kept as it
// stood rather than refused; only what is no answer at all is an error.

#include <array>
#include <utility>

#include "dialect/excerpt.hpp"
#include "dialect/provider_words.hpp"
#include "dialect/reading.hpp"
#include "dialect/responses.hpp"
#include "dialect/responses_answer.hpp"
#include "dialect/responses_items.hpp"

namespace sluice::dialect::responses_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using reading::text;

constexpr std::size_t kEchoes = 24;  // of a request in its response, about

/// The members of a response that are looked for by name, found in one pass over some thirty. One that stands twice, or is
/// null, is absent.
struct Root {
  explicit Root(const Value& response) {
    const std::array<std::pair<std::string_view, Value*>, 7> known{{{"id", &id}, {"model", &model}, {"status", &status}, {"output", &output},
                                                                    {"error", &error}, {"incomplete_details", &incomplete_details}, {"usage", &usage}}};
    std::array<bool, known.size()> seen{};
    std::string scratch;
    for (Value m = response.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      for (std::size_t i = 0; i < known.size(); ++i) {
        if (known[i].first != key) continue;
        *known[i].second = seen[i] || m.is(Type::kNull) ? Value{} : m;
        seen[i] = true;
      }
    }
  }

  Value id, model, status, output, error, incomplete_details, usage;
};

Error unfinished(std::string_view status) {
  return make_error(Code::kUpstreamInvalidAnswer, "the upstream's response is " + std::string(status) +
                                                      "; only one that is finished can be translated");
}

}  // namespace

void read_root(const Value& response, chat::Extras& extras) {
  std::string scratch;
  extras.reserve(kEchoes);
  for (Value m = response.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (m.is(Type::kNull) || key == "id" || key == "object" || key == "created_at" || key == "model" || key == "status" ||
        key == "output" || key == "error" || key == "incomplete_details") {
      continue;
    }
    // Most of it says again what was asked for.
    reading::keep(extras, kName, key, m, chat::LossSeverity::kNote);
  }
}

Error failure_of(const Value& response) {
  if (member(response, "error")) return embedded_error(response);
  const std::string status = text(response, "status");
  return make_error(Code::kUpstreamError, "the upstream's response is " + (status.empty() ? "without a status" : status));
}

Result<chat::Message> decode_answer(std::string_view body, Operation operation) {
  const auto document = json::Document::parse(Body::copy(body));
  if (!document) {
    return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer is no JSON (" + document.error().message + "); it begins with \"" +
                excerpt(body, 80) + "\"");
  }
  const Value root = document->root();
  chat::Message out;
  if (operation == Operation::kCountTokens) {
    const auto tokens = reading::count(member(root, "input_tokens"));
    if (!tokens) {
      if (member(root, "error")) return tl::unexpected(embedded_error(root));
      return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer has no 'input_tokens'; it begins with \"" + excerpt(body, 80) + "\"");
    }
    out.usage.emplace().input_tokens = tokens;
    return out;
  }
  const Root found(root);
  const std::string status = text(found.status);
  if (status == "failed" || status == "cancelled") return tl::unexpected(failure_of(root));
  if (!found.output.is(Type::kArray)) {
    if (found.error) return tl::unexpected(embedded_error(root));
    return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer has no list 'output'; it begins with \"" + excerpt(body, 80) + "\"");
  }
  if (status == "queued" || status == "in_progress") return tl::unexpected(unfinished(status));
  ItemReader reader(From::kAnswer);
  for (Value item = found.output.first(); item; item = item.next()) {
    if (auto read = reader.add(item, "output"); !read) {
      return tl::unexpected(make_error(Code::kUpstreamInvalidAnswer, "the upstream's answer is odd: " + read.error().message));
    }
  }
  chat::Choice& choice = out.choices.emplace_back();
  choice.turn = std::move(reader.take().front());
  const std::string reason = text(found.incomplete_details, "reason");
  Ending ending = read_ending(status.empty() ? "completed" : status, reason, reader.called());
  choice.finish = ending.reason;
  choice.native_finish = std::move(ending.native);
  if (!reader.logprobs().empty()) choice.logprobs = chat::Logprobs{std::move(reader.logprobs()), {}};
  out.id = text(found.id);
  out.model = text(found.model);
  out.created = created_of(root);
  if (found.usage.is(Type::kObject)) out.usage = read_usage(found.usage);
  read_root(root, out.extras);
  return out;
}

std::optional<std::int64_t> created_of(const Value& response) {
  const Value created = member(response, "created_at");
  if (const auto n = reading::integer(created)) return n;
  // Some servers keep their time in doubles.
  const auto d = created.is(Type::kNumber) ? created.number() : std::nullopt;
  if (!d || *d < 0 || *d > 1e12) return std::nullopt;
  return static_cast<std::int64_t>(*d);
}

}  // namespace sluice::dialect::responses_parts
