// Sources, probabilities and numbers of candidates, both ways.

#include "dialect/gemini_answer.hpp"

#include <algorithm>

#include "dialect/gemini.hpp"
#include "dialect/gemini_keys.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using json::Type;
using json::Value;

/// Characters in the first `bytes` of a text; segments are counted in bytes.
std::int64_t characters(std::string_view text, std::int64_t bytes) {
  const std::string_view head = text.substr(0, static_cast<std::size_t>(std::max<std::int64_t>(bytes, 0)));
  return std::count_if(head.begin(), head.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

chat::Citation read_chunk(const Value& chunk) {
  chat::Citation out;
  const Value web = member(chunk, "web"), file = member(chunk, "retrievedContext");
  const Value source = web ? web : file;
  out.kind = web ? chat::Citation::Kind::kUrl : file ? chat::Citation::Kind::kDocument : chat::Citation::Kind::kOther;
  out.url = text(source, "uri");
  out.title = text(source, "title");
  if (file) out.cited_text = text(file, "text");
  reading::keep(out.extras, kName, "", chunk);
  return out;
}

chat::TokenLogprob read_token(const Value& candidate) {
  chat::TokenLogprob token;
  token.token = text(candidate, "token");
  token.logprob = member(candidate, "logProbability").number().value_or(0);
  return token;
}

void write_token(json::Writer& writer, const chat::TokenLogprob& token) {
  writer.begin_object().field("token", token.token).key("logProbability").number(token.logprob).end_object();
}

}  // namespace

std::uint32_t index_of(const Value& candidate, std::size_t position) {
  const auto index = reading::integer(member(candidate, "index"));
  return static_cast<std::uint32_t>(index && *index >= 0 && *index <= 0xffff ? *index : static_cast<std::int64_t>(position));
}

bool is_candidate_member(std::string_view key) noexcept { return key == "index" || key == "content" || is_key(key, "finishReason"); }

std::string block_reason(const Value& root) {
  const std::string reason = text(member(root, "promptFeedback"), "blockReason");
  return reason == "BLOCK_REASON_UNSPECIFIED" ? std::string() : reason;
}

std::vector<chat::Citation> read_grounding(const Value& grounding, std::string_view said) {
  std::vector<chat::Citation> out;
  const Value chunks = member(grounding, "groundingChunks"), supports = member(grounding, "groundingSupports");
  if (!chunks.is(Type::kArray) || !supports.is(Type::kArray)) return out;
  constexpr std::size_t kMost = 1024;
  for (Value support = supports.first(); support && out.size() < kMost; support = support.next()) {
    const Value segment = member(support, "segment");
    const auto start = reading::integer(member(segment, "startIndex")), end = reading::integer(member(segment, "endIndex"));
    for (Value index = member(support, "groundingChunkIndices").first(); index && out.size() < kMost; index = index.next()) {
      const auto n = reading::integer(index);
      const Value chunk = n && *n >= 0 ? chunks.element(static_cast<std::size_t>(*n)) : Value{};
      if (!chunk.is(Type::kObject)) continue;
      chat::Citation citation = read_chunk(chunk);
      // The first byte is not said.
      if (end) {
        citation.start = characters(said, start.value_or(0));
        citation.end = characters(said, *end);
      }
      out.push_back(std::move(citation));
    }
  }
  return out;
}

void write_grounding(json::Writer& writer, const std::vector<chat::Citation>& citations) {
  writer.begin_object().key("groundingChunks").begin_array();
  for (const chat::Citation& citation : citations) {
    writer.begin_object().key("web").begin_object().field("uri", citation.url).field("title", citation.title).end_object().end_object();
  }
  writer.end_array().key("groundingSupports").begin_array();
  for (std::size_t i = 0; i < citations.size(); ++i) {
    const chat::Citation& citation = citations[i];
    writer.begin_object().key("segment").begin_object();
    if (citation.start) writer.key("startIndex").integer(*citation.start);
    if (citation.end) writer.key("endIndex").integer(*citation.end);
    if (!citation.cited_text.empty()) writer.field("text", citation.cited_text);
    writer.end_object().key("groundingChunkIndices").begin_array().unsigned_integer(i).end_array().end_object();
  }
  writer.end_array().end_object();
}

chat::Logprobs read_logprobs(const Value& result) {
  chat::Logprobs out;
  Value top = member(result, "topCandidates").first();
  for (Value chosen = member(result, "chosenCandidates").first(); chosen; chosen = chosen.next()) {
    chat::TokenLogprob token = read_token(chosen);
    for (Value other = member(top, "candidates").first(); other; other = other.next()) token.top.push_back(read_token(other));
    out.content.push_back(std::move(token));
    if (top) top = top.next();
  }
  return out;
}

void write_logprobs(json::Writer& writer, const chat::Logprobs& logprobs) {
  writer.begin_object().key("chosenCandidates").begin_array();
  for (const chat::TokenLogprob& token : logprobs.content) write_token(writer, token);
  writer.end_array().key("topCandidates").begin_array();
  for (const chat::TokenLogprob& token : logprobs.content) {
    writer.begin_object().key("candidates").begin_array();
    for (const chat::TokenLogprob& other : token.top) write_token(writer, other);
    writer.end_array().end_object();
  }
  writer.end_array().end_object();
}

}  // namespace sluice::dialect::gemini_parts
