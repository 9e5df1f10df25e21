#pragma once
/// Items and their content, both ways: the same shapes in requests, in answers and in the events of streams. Private to the
/// room.

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "chat/loss.hpp"
#include "chat/turn.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect::responses_parts {

/// Keys of Extras that are no members on the wire.
namespace key {
/// Of a turn: a list that describes its messages, `[{"parts":1,"id":"msg_1","status":"completed"}]`. `parts` is how many
/// parts belong to it, where more than one message is in the turn.
inline constexpr std::string_view kMessages = "messages";
/// Of a turn of an answer: items that only this dialect knows, `[{"at":0,"item":{…}}]`. `at` is how many parts stand before
/// it; where it is not said the item goes first.
inline constexpr std::string_view kItems = "items";
/// Of a turn: it came as `instructions`.
inline constexpr std::string_view kInstructions = "instructions";
/// Of a Thinking: its text stood in `content`, as open models have it, not in `summary`.
inline constexpr std::string_view kInContent = "in_content";
/// Of a Tool: the caller did not say `strict`.
inline constexpr std::string_view kStrictUnsaid = "strict_unsaid";
}  // namespace key

/// Where an item is read from: a request's members are all kept, an answer is read leniently.
enum class From : std::uint8_t { kRequest, kAnswer };

// responses_read_items.cpp

/// One element of a message's content. Errors: kInvalidParameter with `path`, from requests alone.
[[nodiscard]] Result<chat::Part> read_content(const json::Value& part, const std::string& path, bool assistant, From from);
[[nodiscard]] chat::Citation read_annotation(const json::Value& annotation);
[[nodiscard]] chat::Thinking read_reasoning(const json::Value& item);
/// A function_call or custom_tool_call.
[[nodiscard]] chat::ToolCall read_call(const json::Value& item);
[[nodiscard]] std::vector<chat::TokenLogprob> read_logprobs(const json::Value& list);
/// An element of key::kMessages without its `parts`: what a message says of itself; `{}` where that is nothing. A message
/// that has only begun has no status yet.
[[nodiscard]] std::string describe_message(const json::Value& item, bool begun);

/// Items into turns, one after the other.
class ItemReader {
 public:
  explicit ItemReader(From from) : from_(from) {}
  /// Errors: kInvalidParameter with `path` (`input[3].role`) for what has no meaning.
  [[nodiscard]] Status add(const json::Value& item, const std::string& path);
  /// The turns; of an answer exactly one.
  [[nodiscard]] std::vector<chat::Turn> take();
  /// Of an answer.
  [[nodiscard]] bool called() const noexcept { return called_; }
  [[nodiscard]] std::vector<chat::TokenLogprob>& logprobs() noexcept { return logprobs_; }

 private:
  struct Message {
    std::size_t parts;
    std::string said;  // describe_message()
  };
  [[nodiscard]] Status message(const json::Value& item, const std::string& path);
  [[nodiscard]] Status result(const json::Value& item, const std::string& type, const std::string& path);
  void opaque(const json::Value& item, const std::string& type);
  chat::Turn& assistant();
  void close();

  const From from_;
  std::vector<chat::Turn> turns_;
  // Of the assistant's turn that is open.
  bool open_ = false, called_ = false;
  std::vector<Message> messages_;
  std::string items_;
  std::vector<chat::TokenLogprob> logprobs_;
};

// responses_write_items.cpp

/// A turn as items of a request. `custom` gathers the ids of custom calls, whose results are items of another type.
void write_turn(json::Writer& writer, const chat::Turn& turn, const std::string& path, std::set<std::string>& custom,
                chat::LossReport& loss);

/// What belongs to an answer's items beside their content.
struct ItemMarks {
  std::string_view id, status;
};

/// What the messages of a turn said of themselves, one after the other.
class Messages {
 public:
  explicit Messages(const chat::Turn& turn);
  /// How many of the parts in a row, of which there are `available`, are the next message's.
  [[nodiscard]] std::size_t parts(std::size_t available) const;
  /// The next message has no content.
  [[nodiscard]] bool next_is_empty() const;
  /// The members of the next message, `marks` where it does not say them; on to the one behind it.
  void write(json::Writer& writer, const ItemMarks& marks);

 private:
  std::unique_ptr<json::Document> document_;  // values point at it: it does not move
  json::Value next_;
};

/// What `sequence` items before it make an item's id: `msg_abc_1` out of `resp_abc`.
[[nodiscard]] std::string item_id(std::string_view prefix, std::string_view response_id, std::size_t sequence);
void write_reasoning(json::Writer& writer, const chat::Thinking& thinking, const ItemMarks& marks);
void write_call(json::Writer& writer, const chat::ToolCall& call, const ItemMarks& marks);
void write_annotation(json::Writer& writer, const chat::Citation& citation);
/// True where the dialect has such annotations.
[[nodiscard]] bool can_write(const chat::Citation& citation) noexcept;
void write_logprobs(json::Writer& writer, const std::vector<chat::TokenLogprob>& tokens);
/// What is encrypted in a reasoning item, as a JSON string: its own, or another dialect's signature or redacted thinking,
/// which comes back as that; empty where there is none.
[[nodiscard]] std::string encrypted_content(const chat::Thinking& thinking);

}  // namespace sluice::dialect::responses_parts
