// Rankings, both ways, and what a tap hears of answers.

#include <array>

#include "dialect/excerpt.hpp"
#include "dialect/openai.hpp"
#include "dialect/provider_words.hpp"
#include "dialect/ranker.hpp"
#include "dialect/reading.hpp"
#include "dialect/root_tap.hpp"
#include "dialect/writing.hpp"

namespace sluice::dialect::ranker_parts {
namespace {

using chat::LossSeverity;
using json::Type;
using json::Value;
using reading::member;
using reading::text;

chat::RankedDocument read_item(const Value& item, const Words& words) {
  chat::RankedDocument out;
  std::string scratch;
  for (Value m = item.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (m.is(Type::kNull)) continue;
    if (key == "index" && reading::integer(m).value_or(-1) >= 0) {
      out.index = static_cast<std::uint32_t>(*reading::integer(m));
    } else if (key == "relevance_score" && m.number()) {
      out.score = *m.number();
    } else if (key == "document") {
      out.document = m.raw();
    } else {
      reading::keep(out.extras, words.name, key, m, LossSeverity::kNote);
    }
  }
  return out;
}

/// A document as the dialect gives it back: the text alone, or an object with it.
void write_document(json::Writer& writer, const std::string& document, bool as_text) {
  const auto parsed = json::Document::parse(Body::copy(document));
  const Value value = parsed ? parsed->root() : Value{};
  if (as_text && value.is(Type::kObject) && member(value, "text").is(Type::kString)) {
    writer.string(text(value, "text"));
  } else if (!as_text && value.is(Type::kString)) {
    writer.begin_object().key("text").raw(document).end_object();
  } else {
    writer.raw(document);
  }
}

class WholeTap final : public RootTap {
 public:
  WholeTap() : RootTap(kFields) {}

 private:
  enum Field : std::size_t { kModel, kUsage, kDetail };
  static constexpr std::array<std::string_view, 3> kFields{"model", "usage", "detail"};

  void read() override {
    model_ = text(kModel);
    usage_ = openai_parts::parse_usage(raw(kUsage));
    if (raw(kDetail).empty() || !raw(kUsage).empty()) return;
    const auto words = json::Document::parse(Body::copy(raw(kDetail)));
    if (words) error_ = embedded_error(words->root());
  }
};

}  // namespace

Result<chat::Message> decode_ranking(std::string_view body, const Asked& asked, const Words& words) {
  const auto document = json::Document::parse(Body::copy(body));
  const Value root = document ? document->root() : Value{};
  const Value list = member(root, words.results);
  if (!list.is(Type::kArray)) {
    if (member(root, "detail") || member(root, "error")) return tl::unexpected(embedded_error(root));
    return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer has no list '" + std::string(words.results) + "'; it begins with \"" +
                excerpt(body, 80) + "\"");
  }
  chat::Message out;
  const auto* input = asked.request == nullptr ? nullptr : std::get_if<chat::RerankInput>(&asked.request->input);
  for (Value item = list.first(); item; item = item.next()) {
    if (!item.is(Type::kObject)) continue;
    out.ranked.push_back(read_item(item, words));
    chat::RankedDocument& ranked = out.ranked.back();
    // Who asked for the documents gets them, also where the server does not repeat them.
    if (ranked.document.empty() && input != nullptr && input->return_documents == true && ranked.index < input->documents.size()) {
      ranked.document = input->documents[ranked.index];
    }
  }
  std::string scratch;
  for (Value m = root.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (key == words.results || m.is(Type::kNull)) continue;
    if (key == "id" && m.is(Type::kString)) {
      out.id = text(m);
    } else if (key == "model" && m.is(Type::kString)) {
      out.model = text(m);
    } else if (key == "usage" && m.is(Type::kObject)) {
      out.usage = openai_parts::read_usage(m);
      out.raw_usage = m.raw();
    } else {
      reading::keep(out.extras, words.name, key, m, LossSeverity::kNote);
    }
  }
  return out;
}

std::string encode_ranking(const chat::Message& answer, const AnswerForm& form, const Words& words) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  if (!answer.id.empty()) writer.field("id", answer.id);
  const std::string_view model = answer.model.empty() ? form.model : std::string_view(answer.model);
  if (!model.empty()) writer.field("model", model);
  if (chat::find_extra(answer.extras, words.name, "object") == nullptr) writer.field("object", "list");
  writer.key(words.results).begin_array();
  for (const chat::RankedDocument& ranked : answer.ranked) {
    writer.begin_object().key("index").unsigned_integer(ranked.index).key("relevance_score").number(ranked.score);
    if (!ranked.document.empty()) {
      writer.key("document");
      write_document(writer, ranked.document, words.text_documents);
    }
    writing::put_own_extras(writer, ranked.extras, words.name);
    writer.end_object();
  }
  writer.end_array();
  if (!answer.raw_usage.empty() && openai_parts::is_own_usage(answer.raw_usage)) {
    writer.key("usage").raw(answer.raw_usage);
  } else if (const auto total = answer.usage ? chat::total(*answer.usage) : std::nullopt; total || words.counts_always) {
    writer.key("usage").begin_object().key("total_tokens").unsigned_integer(total.value_or(0)).end_object();
  }
  writing::put_own_extras(writer, answer.extras, words.name);
  writer.end_object();
  return out;
}

std::unique_ptr<AnswerTap> make_tap() { return std::make_unique<WholeTap>(); }

}  // namespace sluice::dialect::ranker_parts
