// Streams of custom surfaces into deltas, event by event. Nothing is gathered; of a text that comes as a whole each time its
// length and a hash are kept, of raw text the bytes of a character that was cut.

#include <functional>
#include <utility>

#include "dialect/call_ids.hpp"
#include "dialect/chunk.hpp"
#include "dialect/excerpt.hpp"
#include "dialect/openai_stream.hpp"
#include "dialect/openai_turn.hpp"
#include "dialect/reading.hpp"
#include "dialect/rest_parts.hpp"

namespace sluice::dialect::rest_parts {
namespace {

using chat::Delta;
using json::Type;
using json::Value;
using reading::text;

/// What is new of a text of which each event has all so far.
class Growing {
 public:
  /// Errors: kUpstreamInvalidAnswer for a text that does not go on with what was said.
  Result<std::string_view> rest(std::string_view whole) {
    if (whole.size() < size_ || std::hash<std::string_view>{}(whole.substr(0, size_)) != hash_) {
      return fail(Code::kUpstreamInvalidAnswer, "an event of the upstream's stream takes back text that was given already; is its text "
                                                "really \"cumulative\"?");
    }
    const std::string_view news = whole.substr(size_);
    size_ = whole.size();
    hash_ = std::hash<std::string_view>{}(whole);
    return news;
  }

 private:
  std::size_t size_ = 0, hash_ = std::hash<std::string_view>{}(std::string_view());
};

class Decoder : public DeltaDecoder {
 public:
  Decoder(const Surface& surface, const Spoken& spoken) : surface_(surface), spoken_(spoken), stream_(*spoken.stream) {}

  Status on_event(std::string_view, std::string_view data, std::vector<Delta>& out) override {
    if (done_) return {};
    if (chunk::skip_blanks(data, 0) == data.size()) return {};  // a ping
    if (!stream_.end_data.empty() && data == stream_.end_data) {
      finish(out);
      return {};
    }
    const auto document = json::Document::parse(Body::copy(data));
    if (!document) {
      return fail(Code::kUpstreamInvalidAnswer, "an event of the upstream's stream is no JSON; it begins with \"" + excerpt(data, 80) + "\"");
    }
    const Value root = document->root();
    if (auto error = error_of(root, surface_)) {
      done_ = true;
      std::string words = error->message;
      out.push_back({0, chat::ErrorDelta{*std::move(error), std::move(words)}});
      return {};
    }
    return read(root, out);
  }

  bool over() const noexcept override { return done_; }
  void conclude(std::vector<Delta>& out) override {
    if (!done_ && stream_.ends_itself) finish(out);
  }
  Status on_end() override {
    if (done_ || finished_) return {};
    return fail(Code::kUpstreamTruncated, "the upstream's stream ended before it said it was over");
  }

 protected:
  void start(const Value& root, std::vector<Delta>& out) {
    if (std::exchange(started_, true)) return;
    chat::AnswerStart begin;
    if (root && !stream_.event.id.itself()) begin.id = text(stream_.event.id.find(root));
    if (root && !stream_.event.model.itself()) begin.model = text(stream_.event.model.find(root));
    out.push_back({0, std::move(begin)});
    out.push_back({0, chat::TurnStart{}});
  }

  /// The stream is over: who never said why has stopped.
  void finish(std::vector<Delta>& out) {
    done_ = true;
    start({}, out);
    if (std::exchange(finished_, true)) return;
    out.push_back({0, chat::FinishDelta{calls_.size() > 0 ? chat::FinishReason::kToolCalls : chat::FinishReason::kStop, {}}});
  }

  const Surface& surface_;
  const Spoken& spoken_;
  const Stream& stream_;

 private:
  Status read(const Value& root, std::vector<Delta>& out) {
    start(root, out);
    const Places& places = stream_.event;
    if (!stream_.skip_if.holds(root)) {
      if (!places.reasoning.itself()) {
        if (Status told = tell<chat::ThinkingDelta>(places.reasoning.find(root), thought_, out); !told) return told;
      }
      if (!places.text.itself()) {
        if (Status told = tell<chat::TextDelta>(places.text.find(root), said_, out); !told) return told;
      }
    }
    const Value calls = places.tool_calls.itself() ? Value{} : places.tool_calls.find(root);
    for (Value call = calls.is(Type::kArray) ? calls.first() : Value{}; call; call = call.next()) read_call(call, out);
    if (const chat::Usage usage = read_usage(root, places); !chat::empty(usage)) counted_ = usage;
    const Value reason = places.finish.itself() ? Value{} : places.finish.find(root);
    if (reason.is(Type::kString) && !finished_) {
      finished_ = true;
      chat::FinishDelta end;
      read_finish(reason, spoken_, calls_.size() > 0, end.reason, end.native);
      out.push_back({0, std::move(end)});
    }
    const bool last = stream_.end_if.holds(root);
    if (last) finish(out);
    if (!chat::empty(counted_)) out.push_back({0, chat::UsageDelta{std::exchange(counted_, {}), {}}});
    return {};
  }

  template <typename D>
  Status tell(const Value& value, Growing& growing, std::vector<Delta>& out) {
    if (!value.is(Type::kString)) return {};
    const std::string words = text(value);
    auto news = stream_.cumulative ? growing.rest(words) : Result<std::string_view>(words);
    if (!news) return tl::unexpected(news.error());
    if (!news->empty()) out.push_back({0, D{std::string(*news)}});
    return {};
  }

  void read_call(const Value& call, std::vector<Delta>& out) {
    chat::ToolCall read = openai_parts::read_tool_call(call);
    std::erase_if(read.extras, [](const chat::Extra& e) { return e.key == "index"; });
    const auto [at, begins] = calls_.join(read.id, reading::integer(reading::member(call, "index")), !read.name.empty(),
                                          openai_parts::CallShape::kFunction);
    if (begins) {
      if (read.id.empty()) read.id = CallIds::made_up(at);
      out.push_back({0, chat::ToolCallStart{at, read.kind, std::move(read.id), std::move(read.name), false, {}, std::move(read.extras)}});
    }
    if (!read.arguments.empty()) out.push_back({0, chat::ToolCallDelta{at, std::move(read.arguments)}});
  }

  bool started_ = false, finished_ = false;
  Growing said_, thought_;
  openai_parts::ToolCalls calls_;
  chat::Usage counted_;

 protected:
  bool done_ = false;
};

/// How much of `bytes` ends with a whole character; bytes that are none are given on as they are.
std::size_t whole_characters(std::string_view bytes) noexcept {
  for (std::size_t back = 1; back <= 3 && back <= bytes.size(); ++back) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;
    const std::size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.size() - back : bytes.size();
  }
  return bytes.size();
}

/// Text and nothing else: what is cut within a character waits for the rest of it.
class RawDecoder final : public Decoder {
 public:
  using Decoder::Decoder;

  Status on_event(std::string_view, std::string_view data, std::vector<Delta>& out) override {
    start({}, out);
    cut_.append(data);
    const std::size_t whole = whole_characters(cut_);
    if (whole != 0) out.push_back({0, chat::TextDelta{cut_.substr(0, whole)}});
    cut_.erase(0, whole);
    return {};
  }
  void conclude(std::vector<Delta>& out) override {
    if (!cut_.empty()) out.push_back({0, chat::TextDelta{std::exchange(cut_, {})}});
    finish(out);
  }

 private:
  std::string cut_;
};

}  // namespace

std::unique_ptr<DeltaDecoder> make_delta_decoder(const Surface& surface, const Spoken& spoken) {
  if (spoken.stream->framing == Framing::kRaw) return std::make_unique<RawDecoder>(surface, spoken);
  return std::make_unique<Decoder>(surface, spoken);
}

}  // namespace sluice::dialect::rest_parts
