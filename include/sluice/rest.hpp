#pragma once
/// How a server of no known dialect is spoken to: templates of its requests, and where in its answers what stands. A plain
/// value. Pointers are JSON Pointers (RFC 6901); an empty one means the value itself where it names a place in a list, and
/// that nothing is said otherwise.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace [[gnu::visibility("default")]] sluice {

/// Holds of a JSON value where `pointer` leads to `equals`, or, without that, to anything but null.
struct RestCondition {
  std::string pointer = {};
  std::string equals = {};  ///< JSON text of a text, a number or a boolean; empty: anything but null
  friend bool operator==(const RestCondition&, const RestCondition&) = default;
};

/// How a conversation becomes one prompt, for models behind servers that know no messages: the model's own chat template.
struct RestPrompt {
  struct Role {
    std::string prefix = {}, suffix = {};
    friend bool operator==(const Role&, const Role&) = default;
  };
  std::string begin = {};   ///< stands before the first turn
  Role system = {}, user = {}, assistant = {};
  std::string answer = {};  ///< stands behind the last turn: there the model goes on
  friend bool operator==(const RestPrompt&, const RestPrompt&) = default;
};

/// Where an answer, or an event of a stream, says what.
struct RestAnswer {
  // Chats and completions.
  std::string text = {}, reasoning = {};
  std::string tool_calls = {};  ///< a list in OpenAI's shape
  std::string finish = {};      ///< the word for why it ended
  // Every operation.
  std::string input_tokens = {}, output_tokens = {};
  std::string id = {}, model = {};
  // What answers in lists: embeddings, rankings, moderations. The list, and places in each of its elements.
  std::string list = {};        ///< empty: the answer itself
  std::string vector = {};      ///< embeddings: numbers; empty: the element itself
  std::string index = {};       ///< rankings: which document it is about; empty: its place in the list
  std::string score = {};       ///< rankings and moderations; empty: the element itself
  std::string category = {};    ///< moderations: its name
  double scale = 1;             ///< moderations: the score that is certain; scores are divided by it
  double flagged_from = 0.5;    ///< moderations: scores, once divided, that are flagged
  friend bool operator==(const RestAnswer&, const RestAnswer&) = default;
};

enum class RestFraming : std::uint8_t {
  kSse,        ///< server-sent events with JSON in them
  kNdjson,     ///< a JSON text a line
  kJsonArray,  ///< elements of one JSON array
  kRaw,        ///< the text itself, in UTF-8, and nothing else
};

/// How a streamed answer comes.
struct RestStream {
  std::string path = {};         ///< empty: that of whole answers
  RestFraming framing = RestFraming::kSse;
  RestAnswer event = {};         ///< where an event says what; nothing of it for kRaw
  bool cumulative = false;       ///< each event has the whole text so far, not what is new
  RestCondition skip_if = {};    ///< events whose text is none of the answer's
  RestCondition end_if = {};     ///< the event that is the last
  std::string end_data = {};     ///< an event that is this, to the letter, and no JSON: `[DONE]`
  friend bool operator==(const RestStream&, const RestStream&) = default;
};

/// One thing a server can be asked for.
struct RestOperation {
  std::string path = {};         ///< behind the base URL; `{model}` stands for the model; perhaps with a query
  std::string request = {};      ///< JSON text of the body, with references into what the caller said (docs/custom-upstreams.md)
  RestAnswer answer = {};
  std::map<std::string, std::string> words = {};  ///< finish reasons, or moderation categories: the server's -> OpenAI's
  std::optional<RestStream> stream = {};          ///< unset: it answers whole, also callers who stream
  friend bool operator==(const RestOperation&, const RestOperation&) = default;
};

/// A server's surface.
struct RestOptions {
  std::optional<RestOperation> chat = {}, completions = {}, embeddings = {}, rerank = {}, moderations = {};
  std::optional<RestPrompt> prompt = {};  ///< unset: the provider's, if any; else one user turn alone can be told
  RestCondition error_if = {};            ///< an answer or an event that is an error, whatever its status
  std::string error_message = {};         ///< its words; empty: they are looked for where servers usually have them
  std::string credential_header = {};     ///< the field the credential is sent in, bare; empty: `Authorization: Bearer`
  friend bool operator==(const RestOptions&, const RestOptions&) = default;
};

}  // namespace sluice
