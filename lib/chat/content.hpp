#pragma once
/// What turns of a conversation are made of: text, media, thinking, tool calls and their results.
/// Value types, the same for every dialect. Knows no wire format: what a dialect alone understands is kept as raw JSON
/// under that dialect's name (Extra) and is written back by nobody else.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "chat/loss.hpp"

namespace sluice::chat {

/// Which dialect: one of a few names that live as long as the program, so that none is copied. A text that could end earlier
/// is refused where it is compiled.
class DialectName : public std::string_view {
 public:
  constexpr DialectName() noexcept = default;
  constexpr DialectName(std::string_view name) noexcept : std::string_view(name) {}  // NOLINT(google-explicit-constructor)
  constexpr DialectName(const char* name) noexcept : std::string_view(name) {}       // NOLINT(google-explicit-constructor)
  DialectName(const std::string&) = delete;
};

/// A member that only its own dialect understands, as it stood on the wire.
struct Extra {
  DialectName dialect = {};  ///< `openai`
  std::string key = {};      ///< decoded
  std::string json = {};     ///< the value's JSON text
  LossSeverity loss = LossSeverity::kCosmetic;  ///< how grave it is where another dialect must leave it out
  friend bool operator==(const Extra&, const Extra&) = default;
};
using Extras = std::vector<Extra>;

/// The JSON text of `key` as `dialect` sent it, or null.
[[nodiscard]] const std::string* find_extra(const Extras& extras, std::string_view dialect, std::string_view key) noexcept;

/// A wish of the caller that the prompt up to here be cached.
struct CacheMark {
  std::string type = {};  ///< `ephemeral`
  std::string ttl = {};   ///< `5m`, `1h`; empty: the provider's default
  friend bool operator==(const CacheMark&, const CacheMark&) = default;
};

/// Where a statement in a text comes from.
struct Citation {
  enum class Kind : std::uint8_t { kUrl, kFile, kDocument, kOther };
  Kind kind = Kind::kOther;
  std::string url = {}, title = {}, file_id = {}, cited_text = {};
  std::optional<std::int64_t> document_index = {};
  std::optional<std::int64_t> start = {}, end = {};  ///< of the cited range in the answer's text (kUrl) or in the source
  Extras extras = {};                           ///< the citation as its dialect wrote it, under the key "" for a kOther
  friend bool operator==(const Citation&, const Citation&) = default;
};

/// Bytes of a medium: where they are to be had. Exactly one of url, data and file_id is filled.
struct Source {
  std::string url = {};         ///< http(s); never a data: URL
  std::string data = {};        ///< base64, as it stood
  std::string file_id = {};     ///< uploaded to the provider before
  std::string media_type = {};  ///< `image/png`; empty where nobody said
  friend bool operator==(const Source&, const Source&) = default;
};

struct Text {
  std::string text = {};
  std::vector<Citation> citations = {};
  std::optional<CacheMark> cache = std::nullopt;
  std::string signature = {};  ///< a thought signature that hangs on this text (Gemini)
  Extras extras = {};
  friend bool operator==(const Text&, const Text&) = default;
};

struct Image {
  Source source = {};
  std::string detail = {};  ///< `low`, `high`, `auto`; empty where nobody said
  std::optional<CacheMark> cache = std::nullopt;
  Extras extras = {};
  friend bool operator==(const Image&, const Image&) = default;
};

/// Sound in a prompt, or the spoken answer.
struct Audio {
  Source source = {};
  std::string format = {};      ///< `wav`, `mp3`, `pcm16`
  std::string id = {};          ///< of a spoken answer, to be referred to in a later turn
  std::string transcript = {};  ///< of a spoken answer
  std::optional<std::int64_t> expires_at = std::nullopt;  ///< Unix seconds
  Extras extras = {};
  friend bool operator==(const Audio&, const Audio&) = default;
};

/// A file in a prompt: PDF, plain text, anything that is no image and no sound.
struct Document {
  Source source = {};
  std::string name = {};     ///< file name
  std::string title = {}, context = {};
  bool citations = false;  ///< the answer may cite it
  std::optional<CacheMark> cache = std::nullopt;
  Extras extras = {};
  friend bool operator==(const Document&, const Document&) = default;
};

/// What a model thought before it answered. Some providers want it back unchanged: signature and redacted data are
/// opaque and are carried to the byte.
struct Thinking {
  std::string text = {};
  std::string signature = {};
  std::string redacted = {};   ///< encrypted thinking; `text` is empty then
  std::string field = {};      ///< the member it came under (`reasoning`, `reasoning_content`); empty: the dialect's own
  Extras extras = {};
  friend bool operator==(const Thinking&, const Thinking&) = default;
};

/// The model declines to answer, in its own words.
struct Refusal {
  std::string text = {};
  friend bool operator==(const Refusal&, const Refusal&) = default;
};

enum class ToolKind : std::uint8_t {
  kFunction,  ///< arguments are a JSON object
  kCustom,    ///< arguments are free text, perhaps bound by a grammar
  kProvider,  ///< run by the provider itself (web search, code); known to its own dialect only
};

/// The model asks for a tool to be run.
struct ToolCall {
  ToolKind kind = ToolKind::kFunction;
  std::string id = {};         ///< empty where the dialect has none
  std::string name = {};
  std::string arguments = {};  ///< kFunction: JSON text as the model wrote it, perhaps not valid; kCustom: free text
  std::string signature = {};  ///< a thought signature that hangs on this call (Gemini)
  bool legacy = false;    ///< OpenAI's older `function_call`: one a turn, without an id
  Extras extras = {};
  friend bool operator==(const ToolCall&, const ToolCall&) = default;
};

struct Part;

/// What a tool gave back.
struct ToolResult {
  std::string call_id = {};      ///< of the ToolCall it answers; empty where the dialect has none
  std::string name = {};         ///< of the tool; may be empty where call_id is given
  std::vector<Part> parts;       ///< text, images, documents
  bool is_error = false;
  std::optional<CacheMark> cache = std::nullopt;
  Extras extras = {};
};

/// A part that only its own dialect understands, as it stood on the wire.
struct OpaquePart {
  std::string dialect = {};
  std::string type = {};  ///< as the dialect names it
  std::string json = {};
  friend bool operator==(const OpaquePart&, const OpaquePart&) = default;
};

/// One piece of a turn.
struct Part {
  std::variant<Text, Image, Audio, Document, Thinking, Refusal, ToolCall, ToolResult, OpaquePart> value = {};

  template <typename T>
  [[nodiscard]] const T* as() const noexcept { return std::get_if<T>(&value); }
  template <typename T>
  [[nodiscard]] T* as() noexcept { return std::get_if<T>(&value); }
};
[[nodiscard]] bool operator==(const ToolResult& a, const ToolResult& b);
[[nodiscard]] bool operator==(const Part& a, const Part& b);

}  // namespace sluice::chat
